FROM debian:12.5
# bad
ADD src /srv/
