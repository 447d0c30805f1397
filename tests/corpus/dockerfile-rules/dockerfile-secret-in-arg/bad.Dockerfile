FROM debian:12.5
# bad
ARG DB_PASSWORD=changeme
