FROM debian:12.5
# bad
RUN gem install rails
