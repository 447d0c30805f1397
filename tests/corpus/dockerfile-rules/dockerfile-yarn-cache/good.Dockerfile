FROM debian:12.5
RUN yarn install && yarn cache clean
