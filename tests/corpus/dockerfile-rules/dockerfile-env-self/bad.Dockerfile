FROM debian:12.5
# bad
ENV A=1 B=$A
