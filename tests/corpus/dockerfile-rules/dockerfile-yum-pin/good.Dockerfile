FROM debian:12.5
RUN dnf install -y curl-7.76.1-29.el9 && dnf clean all
RUN yum -y install httpd-2.4.57-8.el9 ./tool.rpm
RUN dnf install -y @development-tools
RUN dnf remove -y curl
