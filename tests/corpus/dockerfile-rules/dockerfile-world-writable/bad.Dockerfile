FROM debian:12.5
# bad
RUN chmod -R 777 /srv
