FROM debian:12.5
# bad
LABEL org.opencontainers.image.created=yesterday
# bad
LABEL org.opencontainers.image.url=example
# bad
LABEL org.opencontainers.image.title=""
