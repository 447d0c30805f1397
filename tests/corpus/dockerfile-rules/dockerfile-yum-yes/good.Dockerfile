FROM debian:12.5
RUN yum install -y curl && yum clean all
