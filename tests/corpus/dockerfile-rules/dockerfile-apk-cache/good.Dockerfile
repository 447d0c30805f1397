FROM debian:12.5
RUN apk add --no-cache curl=8
