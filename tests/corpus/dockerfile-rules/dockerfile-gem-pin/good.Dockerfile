FROM debian:12.5
RUN gem install rails:7.1.3
