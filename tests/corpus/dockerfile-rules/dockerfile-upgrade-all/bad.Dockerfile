FROM debian:12.5
# bad
RUN apt-get update && apt-get dist-upgrade -y
