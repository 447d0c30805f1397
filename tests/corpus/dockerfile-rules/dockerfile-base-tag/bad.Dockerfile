# bad
FROM debian
# bad
FROM nginx:latest AS web
