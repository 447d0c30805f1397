FROM debian:12.5
# bad
RUN yum install curl && yum clean all
