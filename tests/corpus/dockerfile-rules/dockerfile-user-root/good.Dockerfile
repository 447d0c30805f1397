FROM debian:12.5
RUN useradd app
USER app
