FROM debian:12.5
ADD rootfs.tar.gz /
COPY src /srv/
