FROM debian:12.5
# bad
ADD https://example.com/tool.tar.gz /opt/
