FROM debian:12.5
# bad
RUN zypper --non-interactive install curl && zypper clean
# bad
RUN zypper -n in vim && zypper clean
