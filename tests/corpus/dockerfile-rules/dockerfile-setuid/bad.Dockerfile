FROM debian:12.5
# bad
RUN chmod u+s /bin/x && chmod 4755 /bin/y
