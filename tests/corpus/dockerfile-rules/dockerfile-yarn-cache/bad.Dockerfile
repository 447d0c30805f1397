FROM debian:12.5
# bad
RUN yarn install
