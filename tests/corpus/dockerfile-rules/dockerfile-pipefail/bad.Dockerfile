FROM debian:12.5
# bad
RUN cat a | wc -l
