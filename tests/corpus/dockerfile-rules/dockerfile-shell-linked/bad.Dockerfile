FROM debian:12.5
# bad
RUN ln -sf /bin/bash /bin/sh
