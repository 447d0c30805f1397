FROM debian:12.5
RUN make a && make b
