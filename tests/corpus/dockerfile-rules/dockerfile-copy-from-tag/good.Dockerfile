FROM debian:12.5 AS Build
ARG V=1
FROM debian:12.5
COPY --from=build /a /a
COPY --from=0 /a /a
COPY --from=golang:1.22 /b /b
COPY --from=golang@sha256:0123456789012345678901234567890123456789012345678901234567890123 /b /b
COPY --from=x:$V /c /c
COPY --chown=1 d /d/
