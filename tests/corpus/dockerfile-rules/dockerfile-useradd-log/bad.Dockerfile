FROM debian:12.5
# bad
RUN useradd -u 123456 app
