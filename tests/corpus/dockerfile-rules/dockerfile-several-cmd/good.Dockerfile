FROM debian:12.5 AS x
CMD ["a"]
FROM x
CMD ["a"]
