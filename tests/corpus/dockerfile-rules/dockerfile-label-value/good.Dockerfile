FROM debian:12.5
LABEL org.opencontainers.image.created=2026-11-27T10:00:00Z
LABEL org.opencontainers.image.source=https://example.com/x org.opencontainers.image.title=shop
LABEL org.opencontainers.image.created=$DATE
LABEL com.example.created=yesterday
