FROM debian:12.5
RUN pip install --no-cache-dir flask==3.0.0
