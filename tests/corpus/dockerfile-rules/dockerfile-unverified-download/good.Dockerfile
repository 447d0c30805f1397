FROM debian:12.5
RUN curl -fsS https://example.com/a -o b
