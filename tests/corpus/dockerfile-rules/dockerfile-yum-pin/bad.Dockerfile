FROM debian:12.5
# bad
RUN dnf install -y curl && dnf clean all
# bad
RUN yum install -y httpd
# bad
RUN microdnf install nginx
