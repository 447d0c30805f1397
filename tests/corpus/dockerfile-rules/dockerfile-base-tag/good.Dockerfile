FROM debian:12.5 AS a
FROM scratch AS b
FROM a
