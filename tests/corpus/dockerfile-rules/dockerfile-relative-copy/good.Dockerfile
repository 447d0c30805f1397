FROM debian:12.5
WORKDIR /srv
COPY a b
