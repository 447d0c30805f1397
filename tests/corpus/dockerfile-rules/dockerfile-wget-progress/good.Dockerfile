FROM debian:12.5
RUN wget -q https://example.com/a
