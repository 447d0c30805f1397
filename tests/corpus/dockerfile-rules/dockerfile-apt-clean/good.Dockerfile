FROM debian:12.5
RUN apt-get update && rm -rf /var/lib/apt/lists/*
