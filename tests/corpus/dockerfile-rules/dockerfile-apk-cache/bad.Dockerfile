FROM debian:12.5
# bad
RUN apk add curl=8
