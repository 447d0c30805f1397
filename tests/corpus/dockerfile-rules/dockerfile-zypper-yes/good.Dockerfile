FROM debian:12.5
RUN zypper install -y curl && zypper clean
