FROM debian:12.5
ENV A=b
