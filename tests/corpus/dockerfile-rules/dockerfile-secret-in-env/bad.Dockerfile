FROM debian:12.5
# bad
ENV DB_PASSWORD=changeme
