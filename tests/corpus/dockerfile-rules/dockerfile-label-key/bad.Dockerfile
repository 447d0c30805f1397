FROM debian:12.5
# bad
LABEL Com_Example..Team=shop
# bad
LABEL io.docker.x=1
# bad
LABEL a.=1
