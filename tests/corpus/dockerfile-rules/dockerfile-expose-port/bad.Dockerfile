FROM debian:12.5
# bad
EXPOSE 80000
