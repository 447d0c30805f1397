FROM debian:12.5
RUN go install example.com/tool@v1.2.3
