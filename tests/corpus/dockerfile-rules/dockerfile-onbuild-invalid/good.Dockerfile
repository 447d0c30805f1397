FROM debian:12.5
ONBUILD RUN make
