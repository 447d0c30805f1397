FROM debian:12.5 AS a
FROM debian:12.5 AS b
