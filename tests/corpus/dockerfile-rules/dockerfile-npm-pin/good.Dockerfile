FROM debian:12.5
RUN npm install -g yarn@1.22.22
