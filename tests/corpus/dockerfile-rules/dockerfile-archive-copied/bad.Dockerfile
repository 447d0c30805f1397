FROM debian:12.5
WORKDIR /srv
# bad
COPY a.tar.xz /tmp/a.tar.xz
RUN mkdir /a && tar -C /a -xJf /tmp/a.tar.xz
