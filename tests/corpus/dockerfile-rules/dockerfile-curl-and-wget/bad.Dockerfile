FROM debian:12.5
RUN curl a
# bad
RUN wget b
