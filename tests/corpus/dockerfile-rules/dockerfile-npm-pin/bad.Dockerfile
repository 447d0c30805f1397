FROM debian:12.5
# bad
RUN npm install -g yarn
