FROM debian:12.5
# bad
RUN go install example.com/tool@latest
