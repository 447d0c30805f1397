FROM debian:12.5
ENV A=1
ENV B=$A
