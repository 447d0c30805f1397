FROM debian:12.5
# bad
RUN sudo apt-get update
