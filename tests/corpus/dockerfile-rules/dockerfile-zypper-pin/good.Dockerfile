FROM debian:12.5
RUN zypper --non-interactive install curl=8.0.1 && zypper clean
RUN zypper -n in 'vim>=9.0' ./tool.rpm && zypper clean
