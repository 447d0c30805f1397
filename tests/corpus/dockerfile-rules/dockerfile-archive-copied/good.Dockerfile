FROM debian:12.5
WORKDIR /srv
ADD a.tar.xz /
COPY b.tar.gz /b/
RUN tar -czf c.tar.gz /b
COPY --from=other:1 /d.tar /d.tar
RUN tar -xf /d.tar
