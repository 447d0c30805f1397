FROM debian:12.5
RUN chmod 755 /srv && chmod 1777 /tmp && chmod u+w a
