FROM debian:12.5
RUN useradd -l -u 123456 app
