#!/usr/bin/env python3
"""http_client: the HTTP client meets servers that break off, lie, stall, redirect and never end.

usage: http_client.py NET_PROBE

Servers are threads on loopback ports; each path of theirs is one kind of misbehaviour. Output: TAP.
"""
import collections
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

PROBE = sys.argv[1]
BODY = bytes(range(256)) * 4096  # 1 MiB, no two parts alike at an odd offset
SECONDS_MAX = 30
EMALFORMED, ELIMIT, ENOTFOUND, EMISMATCH, EIO, ETRUNCATED = 4, 5, 7, 9, 2, 3


class Server:
    """Answers on raw sockets: what HTTP libraries refuse to send is the point."""

    def __init__(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.sock = socket.socket(family)
        self.sock.bind(address)
        self.sock.listen(50)
        self.port = self.sock.getsockname()[1] if family == socket.AF_INET else 0
        self.seen = collections.defaultdict(list)  # path -> headers of each request
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def accept(self):
        while True:
            c, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        data = b""
        while b"\r\n\r\n" not in data:
            more = c.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {k.lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += c.recv(65536)
        headers[":method"], headers[":body"] = method, body
        self.seen[path].append(headers)
        try:
            globals()["on_" + path.split("?")[0].rsplit("/", 1)[1].replace("-", "_")](self, c, headers, len(self.seen[path]))
        except OSError:
            pass
        c.close()


def answer(c, status, headers=(), body=b"", length=None):
    text = f"HTTP/1.1 {status} X\r\nConnection: close\r\n"
    text += "".join(f"{h}\r\n" for h in headers)
    text += f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    c.sendall(text.encode() + body)


def ranged(c, h, body, extra=()):
    at = int(h["range"][6:].rstrip("-")) if "range" in h else 0
    if at == 0:
        return answer(c, 200, extra, body)
    answer(c, 206, [f"Content-Range: bytes {at}-{len(body) - 1}/{len(body)}", *extra], body[at:])


def on_plain(s, c, h, n):
    answer(c, 304 if h.get("if-none-match") == '"v1"' else 200, ['ETag: "v1"'], BODY)


def on_breaks(s, c, h, n):  # five times, a fifth further each time
    at = int(h["range"][6:].rstrip("-")) if "range" in h else 0
    head = [f"Content-Range: bytes {at}-{len(BODY) - 1}/{len(BODY)}", 'ETag: "v1"'] if at else ['ETag: "v1"']
    answer(c, 206 if at else 200, head, BODY[at:at + 209715 if n < 6 else len(BODY)], len(BODY) - at)


def on_breaks_no_range(s, c, h, n):
    answer(c, 200, ['ETag: "v1"'], BODY if n == 3 else BODY[:300000 * n], len(BODY))


def on_changes(s, c, h, n):
    body = BODY if n == 1 else BODY[::-1]
    answer(c, 200, [f'ETag: "v{n}"'], body[:400000] if n == 1 else body, len(BODY))


def on_wrong_part(s, c, h, n):
    if n == 1:
        return answer(c, 200, ['ETag: "v1"'], BODY[:1000], len(BODY))
    answer(c, 206, [f"Content-Range: bytes 5-{len(BODY) - 1}/{len(BODY)}"], BODY[5:])


def on_promises_more(s, c, h, n):
    if "range" in h:
        return answer(c, 416, ["Content-Range: bytes */1000"])
    answer(c, 200, ['ETag: "v1"'], BODY[:1000], 5000)


def on_busy(s, c, h, n):
    answer(c, 429 if n < 3 else 200, ["Retry-After: 1"] if n == 1 else [], b"done" if n == 3 else b"go away")


def on_always_503(s, c, h, n):
    answer(c, 503, ["Content-Type: text/plain"], b"down \x1b[31m for the night")


def on_wait_for_ever(s, c, h, n):
    answer(c, 429, ["Retry-After: 86400"])


def on_gone(s, c, h, n):
    answer(c, 404)


def on_endless(s, c, h, n):
    c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        c.sendall(BODY)


def on_endless_error(s, c, h, n):
    c.sendall(b"HTTP/1.1 403 No\r\n\r\n")
    while True:
        c.sendall(BODY)


def on_endless_headers(s, c, h, n):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        c.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")


def on_slow(s, c, h, n):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        c.sendall(b"x")
        time.sleep(0.3)


def on_not_http(s, c, h, n):
    c.sendall(b"220 mail.example ESMTP\r\n\r\n")


def on_loop(s, c, h, n):
    answer(c, 302, [f"Location: /loop?{n}"])


def on_away(s, c, h, n):
    answer(c, 307, [f"Location: {OTHER.url('/landing')}"])


def on_there_and_back(s, c, h, n):
    answer(c, 302, [f"Location: {OTHER.url('/back')}"])


def on_back(s, c, h, n):
    answer(c, 302, [f"Location: {MAIN.url('/landing')}"])


def on_at_home(s, c, h, n):
    answer(c, 302, ["Location: /landing"])


def on_landing(s, c, h, n):
    answer(c, 200, (), b"landed")


def on_to_file(s, c, h, n):
    answer(c, 302, ["Location: file:///etc/passwd"])


def on_posted(s, c, h, n):
    answer(c, 200, (), h[":body"])


MAIN, OTHER = Server(), Server()
failures = 0
number = 0


def check(name, ok, told=""):
    global failures, number
    number += 1
    failures += not ok
    print(f"{'ok' if ok else 'not ok'} {number} - {name}", flush=True)
    if not ok:
        print("# " + str(told)[:600].replace("\n", "\n# "))


def probe(*args, env=None):
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        p = subprocess.run([PROBE, *args], stdout=out, stderr=subprocess.PIPE, timeout=SECONDS_MAX, env={**os.environ, **(env or {})})
        out.seek(0)
        return p.returncode, out.read(), p.stderr.decode("latin-1"), time.monotonic() - began


def gives(name, body, *args, words="", server=MAIN):
    code, out, err, _ = probe(*args)
    check(name, code == 0 and out == body and words in err, (code, len(out), err))
    return err


def fails(name, code, words, *args, seconds=SECONDS_MAX):
    got, out, err, took = probe(*args)
    check(name, got == code and words in err and took < seconds, (got, len(out), err, took))


gives("a plain body", BODY, MAIN.url("/plain"), words="status 200")
gives("nothing new", b"", "--etag", '"v1"', MAIN.url("/plain"), words="status 304")
gives("a body that breaks off five times is continued", BODY, "--tries", "2", MAIN.url("/breaks"))
check("with ranges from where it was", [h.get("range") for h in MAIN.seen["/breaks"]][:3] == [None, "bytes=209715-", "bytes=419430-"],
      MAIN.seen["/breaks"])
check("and the validator it had", all(h.get("if-range") == '"v1"' for h in MAIN.seen["/breaks"][1:]))
gives("a server without ranges is read again up to where it was", BODY, MAIN.url("/breaks-no-range"))
gives("a file that changes meanwhile starts again", BODY[::-1], MAIN.url("/changes"), words="restart")
fails("a part that starts elsewhere", EMALFORMED, "nobody asked", MAIN.url("/wrong-part"))
fails("less than announced", ETRUNCATED, "ends after 1000 bytes", MAIN.url("/promises-more"))
began = time.monotonic()
err = gives("too many requests: waits", b"done", MAIN.url("/busy"), words="answered 429; trying again in 1 s")
check("as long as Retry-After says", time.monotonic() - began >= 1.0)
fails("down for good: the server's words, made safe", EIO, "answered 503: down \\x1b[31m for the night", "--tries", "3", MAIN.url("/always-503"))
check("after as many tries as were allowed", len(MAIN.seen["/always-503"]) == 3)
fails("a day of waiting is not waited", EIO, "429", MAIN.url("/wait-for-ever"), seconds=5)
fails("gone", ENOTFOUND, "answered 404", MAIN.url("/gone"))
check("is asked once", len(MAIN.seen["/gone"]) == 1)
fails("an endless body", ELIMIT, "sends more than 3000000 bytes", "--max", "3000000", MAIN.url("/endless"))
fails("an endless error page", EIO, "refuses access (403)", MAIN.url("/endless-error"), seconds=5)
fails("endless headers", ELIMIT, "bytes of headers", MAIN.url("/endless-headers"), seconds=5)
fails("a byte at a time", EIO, "the connection broke", "--stall", "2", "--tries", "1", MAIN.url("/slow"), seconds=8)
fails("a limit in time", ELIMIT, "not done after 2 s", "--total", "2", MAIN.url("/slow"), seconds=8)
fails("another protocol", EIO, "HTTP", "--tries", "1", MAIN.url("/not-http"))
fails("a circle of redirects", ELIMIT, "more than 10 redirects", MAIN.url("/loop"))
gives("credentials for the host itself", b"landed", "--auth", "Basic c2VjcmV0", MAIN.url("/at-home"))
check("follow a redirect within it", MAIN.seen["/landing"][-1].get("authorization") == "Basic c2VjcmV0")
gives("a redirect to another host", b"landed", "--auth", "Basic c2VjcmV0", MAIN.url("/away"))
check("gets no credentials (another port)", "authorization" not in OTHER.seen["/landing"][-1], OTHER.seen["/landing"])
check("though the first host got them", MAIN.seen["/away"][-1].get("authorization") == "Basic c2VjcmV0")
gives("a redirect away and back", b"landed", "--auth", "Basic c2VjcmV0", MAIN.url("/there-and-back"))
check("gets no credentials either", "authorization" not in MAIN.seen["/landing"][-1] and "authorization" not in OTHER.seen["/back"][-1])
fails("a redirect to a file", EIO, "", MAIN.url("/to-file"))
gives("a posted body", b"a=b", "--post", "a=b", MAIN.url("/posted"))
gives("a rest of an earlier download", BODY[1000:], "--resume", "1000", "--if-range", '"v1"', MAIN.url("/breaks?rest"))
fails("a header with a line break", ELIMIT, "line breaks", "--auth", "x\r\nHost: evil", MAIN.url("/plain"))
with tempfile.TemporaryDirectory() as folder:
    Server(socket.AF_UNIX, folder + "/s")
    code, out, err, _ = probe("--unix", folder + "/s", "http://localhost/landing", env={"http_proxy": OTHER.url("/")})
    check("a unix socket, whatever proxy is set", code == 0 and out == b"landed", (code, err))
code, out, err, _ = probe("http://nowhere.invalid/landing", env={"http_proxy": OTHER.url("").rstrip("/")})
check("a proxy from the environment", "http://nowhere.invalid/landing" in OTHER.seen, (code, err, list(OTHER.seen)))
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
port = dead.getsockname()[1]
dead.close()
fails("nobody listens", EIO, "onnect", f"http://127.0.0.1:{port}/", seconds=5)
print(f"1..{number}")
sys.exit(failures > 0)
