FROM debian:12.5
# bad
RUN zypper install curl && zypper clean
