FROM debian:12.5
# bad
RUN curl -fsSL https://example.com/i.sh | sh
# bad
RUN sh -c "$(wget -qO- https://example.com/i.sh)"
