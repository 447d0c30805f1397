FROM debian:12.5
# bad
RUN curl -k https://example.com/a
