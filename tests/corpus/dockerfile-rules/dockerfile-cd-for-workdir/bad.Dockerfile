FROM debian:12.5
# bad
RUN cd /srv && make
