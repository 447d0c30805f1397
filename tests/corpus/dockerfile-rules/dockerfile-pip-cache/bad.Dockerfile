FROM debian:12.5
# bad
RUN pip install flask==3.0.0
