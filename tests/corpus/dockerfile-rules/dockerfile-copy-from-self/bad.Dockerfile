FROM debian:12.5 AS a
# bad
COPY --from=a x /y
