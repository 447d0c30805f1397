FROM debian:12.5
RUN chmod u+x /bin/x
