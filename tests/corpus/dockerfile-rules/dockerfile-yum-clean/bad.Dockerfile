FROM debian:12.5
# bad
RUN yum install -y curl-8
