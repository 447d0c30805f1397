FROM debian:12.5
RUN yum install -y curl-8 && yum clean all
