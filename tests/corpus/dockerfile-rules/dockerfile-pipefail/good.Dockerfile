FROM debian:12.5
RUN set -o pipefail && cat a | wc -l
