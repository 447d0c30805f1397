FROM debian:12.5
CMD ["a"]
# bad
CMD ["a"]
