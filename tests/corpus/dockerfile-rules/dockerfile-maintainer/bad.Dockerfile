FROM debian:12.5
# bad
MAINTAINER me
