FROM debian:12.5
# bad
RUN pip install --no-cache-dir flask
