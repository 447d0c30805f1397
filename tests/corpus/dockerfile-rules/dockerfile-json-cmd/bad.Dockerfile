FROM debian:12.5
# bad
CMD nginx -g off
