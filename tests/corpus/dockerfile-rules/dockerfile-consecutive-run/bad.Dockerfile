FROM debian:12.5
RUN make a
# bad
RUN make b
