FROM debian:12.5
# bad
RUN apt-get install -y curl
