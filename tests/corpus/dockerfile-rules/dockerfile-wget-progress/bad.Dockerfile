FROM debian:12.5
# bad
RUN wget https://example.com/a
