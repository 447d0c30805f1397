FROM debian:12.5
# bad
WORKDIR srv
