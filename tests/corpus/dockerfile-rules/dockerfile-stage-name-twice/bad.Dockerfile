FROM debian:12.5 AS a
# bad
FROM debian:12.5 AS a
