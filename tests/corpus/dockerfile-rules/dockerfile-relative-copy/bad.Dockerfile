FROM debian:12.5
# bad
COPY a b
