FROM debian:12.5
# bad
RUN apk add --no-cache curl
