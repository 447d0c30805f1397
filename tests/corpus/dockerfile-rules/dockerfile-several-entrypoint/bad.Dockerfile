FROM debian:12.5
ENTRYPOINT ["a"]
# bad
ENTRYPOINT ["a"]
