FROM debian:12.5 AS build
FROM debian:12.5
# bad
COPY --from=builder /a /a
# bad
COPY --from=golang:latest /b /b
# bad
COPY --from=r.example:5000/x /c /c
