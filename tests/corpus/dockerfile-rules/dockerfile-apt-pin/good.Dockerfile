FROM debian:12.5
RUN apt-get install -y curl=7.88.1-10
