FROM debian:12.5
# bad
RUN apt-get update && apt-get install -y --no-install-recommends curl=8
