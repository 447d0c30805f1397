FROM debian:12.5
RUN ln -s a b
