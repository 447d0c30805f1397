FROM debian:12.5
LABEL com.example.team=shop
LABEL maintainer=x a-b.c9=1
LABEL $KEY=1
