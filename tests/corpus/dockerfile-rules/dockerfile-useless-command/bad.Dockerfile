FROM debian:12.5
# bad
RUN service nginx start
