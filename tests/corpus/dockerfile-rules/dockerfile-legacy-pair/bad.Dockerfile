FROM debian:12.5
# bad
ENV A b
