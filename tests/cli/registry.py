#!/usr/bin/env python3
"""registry: registries that lie, break off, ask for passwords, send elsewhere and never end.

usage: registry.py BULKHEAD

One server plays them all: the repository's name says which. A second one, on another port, is "another host" and writes down what it is
told. Output: TAP. Slow senders are tests/cli/http_client.py's, as the program's patience is longer than a test's.
"""
import base64
import concurrent.futures
import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
from sources_common import *  # noqa: E402,F403

top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-hostile-"))
(top / ".docker").mkdir()
scan = Scan(sys.argv[1], {"HOME": str(top), "PATH": os.environ["PATH"], "TERM": "dumb"})
tap = Tap()
WANT = [("bash", "5.2.15-2+b2"), ("openssl", "3.0.9-1")]
GOOD = debian(*WANT, filler=2_000_000)
DOC = json.loads(GOOD.blobs[GOOD.top])
LAYER_DIGEST, CONFIG_DIGEST = DOC["layers"][0]["digest"], DOC["config"]["digest"]
BIG = GOOD.blobs[LAYER_DIGEST]
SECRET = base64.b64encode(b"ann:sesame").decode()
seen, elsewhere = {}, []
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def answer(self, code, body=b"", length=None, **headers):
        self.send_response(code)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None and length != len(body):
            self.close_connection = True

    def endless(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(BIG)

    def do_GET(self):
        try:
            if self.path.startswith("/token/"):
                return self.token(self.path.split("?")[0][7:])
            if self.path == "/v2/":
                return self.answer(200, b"{}")
            _, _, name, kind, ref = self.path.split("/", 4)
            with lock:
                mine = seen.setdefault(name, [])
                mine.append((kind, ref, dict(self.headers)))
                n = sum(k == kind and r == ref for k, r, _ in mine)
            special = globals().get(f"{name.replace('-', '_')}_{kind}")
            if special and special(self, ref, n):
                return
            self.good(kind, ref)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def good(self, kind, ref, image=GOOD):
        digest = image.top if kind == "manifests" and ":" not in ref else ref
        if digest not in image.blobs:
            return self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}')
        self.answer(200, image.blobs[digest], Content_Type=image.types[digest] if kind == "manifests" else "application/octet-stream")

    def token(self, which):
        with lock:
            seen.setdefault("token-" + which, []).append(dict(self.headers))
        if which == "page":
            return self.answer(200, b"<html>log in</html>", Content_Type="text/html")
        if which == "empty":
            return self.answer(200, b'{"expires_in":60}')
        if which == "bytes":
            return self.answer(200, json.dumps({"token": "a\r\nX-Evil: 1"}).encode())
        if which == "huge":
            return self.answer(200, b'{"token":"' + b"a" * 60000 + b'"}')
        if which == "away":
            return self.answer(307, b"", Location=f"http://127.0.0.1:{OTHER}/token")
        self.answer(200, b'{"token":"fresh"}')


class Other(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a):
        pass

    def do_GET(self):
        with lock:
            elsewhere.append((self.path, dict(self.headers)))
        body = b'{"token":"fresh"}' if self.path.startswith("/token") else GOOD.blobs.get(self.path[1:], b"")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", GOOD.types.get(self.path[1:], "application/octet-stream"))
        self.end_headers()
        self.wfile.write(body)


def serve(handler):
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *a):
            pass
    s = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


OTHER = serve(Other)
PORT = serve(Handler)
HERE = f"http://127.0.0.1:{PORT}"


# ---- what each repository does: NAME_manifests or NAME_blobs; True: it has answered ----

def page_manifests(h, ref, n):
    h.answer(200, b"<html>hello</html>", Content_Type="text/html; charset=utf-8")
    return True


def garbage_manifests(h, ref, n):
    h.answer(200, b'{"schemaVersion":2,', Content_Type=MANIFEST)
    return True


def schema1_manifests(h, ref, n):
    h.answer(200, b'{"schemaVersion":1,"fsLayers":[]}', Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws")
    return True


def artifact_manifests(h, ref, n):
    i = Image()
    config = i.put(b"{}", "application/vnd.oci.empty.v1+json")
    i.top = i.put({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x-sbom", "config": config, "layers": []}, MANIFEST)["digest"]
    h.good("manifests", ref, i)
    return True


def artifact_blobs(h, ref, n):
    h.answer(200, b"{}")
    return True


def manylayers_manifests(h, ref, n):
    h.answer(200, json.dumps({**DOC, "layers": DOC["layers"] * 5000}).encode(), Content_Type=MANIFEST)
    return True


def endlessmanifest_manifests(h, ref, n):
    h.endless(MANIFEST)


def wrongdigest_manifests(h, ref, n):
    if ":" in ref:
        h.answer(200, GOOD.blobs[GOOD.top].replace(b"layers", b"LAYERS"), Content_Type=MANIFEST)
        return True


def wrongchild_manifests(h, ref, n):
    i = Image()
    i.index({"mediaType": MANIFEST, "digest": GOOD.top, "size": len(GOOD.blobs[GOOD.top]), "platform": {"os": "linux", "architecture": "amd64"}})
    if ":" not in ref:
        h.good("manifests", ref, i)
    else:
        h.answer(200, GOOD.blobs[GOOD.top].replace(b"amd64", b"arm64").replace(b"gzip", b"GZIP"), Content_Type=MANIFEST)
    return True


def busy_manifests(h, ref, n):
    if n == 1:
        h.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', Retry_After="1")
        return True


def loop401_manifests(h, ref, n):
    h.answer(401, WWW_Authenticate=f'Bearer realm="{HERE}/token/good",service="s"')
    return True


def noway_manifests(h, ref, n):
    h.answer(401)
    return True


def bearer(which):
    def manifests(h, ref, n):
        if h.headers.get("Authorization") == "Bearer fresh":
            return False
        h.answer(401, WWW_Authenticate=f'Bearer realm="{HERE}/token/{which}",service="s"')
        return True
    return manifests


tokenpage_manifests, tokenempty_manifests, tokenbytes_manifests = bearer("page"), bearer("empty"), bearer("bytes")
tokenhuge_manifests, tokenaway_manifests = bearer("huge"), bearer("away")
tokenlost_manifests = lambda h, ref, n: h.answer(401, WWW_Authenticate='Bearer service="s"') or True  # noqa: E731
tokenfile_manifests = lambda h, ref, n: h.answer(401, WWW_Authenticate='Bearer realm="file:///etc/passwd",service="s"') or True  # noqa: E731


def basic(h):
    if h.headers.get("Authorization") == "Basic " + SECRET:
        return False
    h.answer(401, WWW_Authenticate='Basic realm="here"')
    return True


def away_manifests(h, ref, n):
    return basic(h)


def away_blobs(h, ref, n):
    if not basic(h):
        h.answer(307, Location=f"http://127.0.0.1:{OTHER}/{ref}")
    return True


def awaymanifest_manifests(h, ref, n):
    if not basic(h):
        h.answer(302, Location=f"http://127.0.0.1:{OTHER}/{GOOD.top}")
    return True


def circle_manifests(h, ref, n):
    h.answer(302, Location=h.path)
    return True


def breaks_blobs(h, ref, n):
    """The layer breaks off three times."""
    if ref != LAYER_DIGEST:
        return False
    at = int(h.headers["Range"][6:-1]) if "Range" in h.headers else 0
    rest = BIG[at:]
    h.send_response(206 if at else 200)
    if at:
        h.send_header("Content-Range", f"bytes {at}-{len(BIG) - 1}/{len(BIG)}")
    h.send_header("Content-Length", str(len(rest)))
    h.end_headers()
    h.wfile.write(rest if n > 3 else rest[:500_000])
    h.close_connection = True
    return True


def breaksplain_blobs(h, ref, n):
    """A server without ranges."""
    if ref == LAYER_DIGEST:
        h.answer(200, BIG if n > 2 else BIG[:700_000], length=len(BIG))
        return True


def lies_blobs(h, ref, n):
    """Content-Length is less than the descriptor says."""
    if ref == LAYER_DIGEST:
        h.answer(200, BIG[:1_000_000])
        return True


def ends_blobs(h, ref, n):
    """Has not got more than it sent, for ever."""
    if ref == LAYER_DIGEST:
        h.answer(416) if "Range" in h.headers else h.answer(200, BIG[:1_000_000], length=len(BIG))
        return True


def wrongbytes_blobs(h, ref, n):
    if ref == LAYER_DIGEST:
        h.answer(200, BIG[:-100] + bytes(100))
        return True


def endlessblob_blobs(h, ref, n):
    if ref == LAYER_DIGEST:
        h.endless("application/octet-stream")


def lost_blobs(h, ref, n):
    if ref == LAYER_DIGEST:
        h.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob \\u001b[31m unknown"}]}')
        return True


def noconfig_blobs(h, ref, n):
    if ref == CONFIG_DIGEST:
        h.answer(404)
        return True


def pageblob_blobs(h, ref, n):
    if ref == LAYER_DIGEST:
        h.answer(200, b"<html>quota exceeded</html>", Content_Type="text/html")
        return True


def forbidden_manifests(h, ref, n):
    h.answer(403, json.dumps({"errors": [{"code": "DENIED", "message": "image is not signed: policy prod-only"}]}).encode())
    return True


VEX = json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "team", "timestamp": "2026-01-01T00:00:00Z",
                  "version": 1, "statements": [{"vulnerability": {"name": "CVE-2023-5363"}, "products": [{"@id": "pkg:deb/debian/openssl"}],
                                                "status": "not_affected", "justification": "vulnerable_code_not_present"}]}).encode()
ATTACHED = Image()
_config = ATTACHED.put(b"{}", "application/vnd.oci.empty.v1+json")
_vex = ATTACHED.put({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.openvex+json", "config": _config,
                     "layers": [ATTACHED.put(VEX, "application/vnd.openvex+json")]}, MANIFEST)
ATTACHED.index(_vex)


def attached_referrers(h, ref, n):
    h.answer(200, ATTACHED.blobs[ATTACHED.top], Content_Type=INDEX) if ref == GOOD.top else h.answer(404)
    return True


def attached_manifests(h, ref, n):
    if ref == _vex["digest"]:
        h.good("manifests", ref, ATTACHED)
        return True


def attached_blobs(h, ref, n):
    if ref in ATTACHED.blobs:
        h.good("blobs", ref, ATTACHED)
        return True


def forgedvex_referrers(h, ref, n):
    return attached_referrers(h, ref, n)


def forgedvex_manifests(h, ref, n):
    return attached_manifests(h, ref, n)


def forgedvex_blobs(h, ref, n):
    if ref in ATTACHED.blobs:
        h.answer(200, ATTACHED.blobs[ref].replace(b"5363", b"0464"))
        return True


def crowd_referrers(h, ref, n):
    h.answer(200, json.dumps({"schemaVersion": 2, "manifests": [_vex] * 3000}).encode(), Content_Type=INDEX)
    return True


# ---- cases: name, repository, exit code, words on stderr or in "incomplete", and whether the packages must be there ----

CASES = [
    ("a good registry", "good", 0, "", True),
    ("a web page for a manifest", "page", 2, "web page", False),
    ("half a JSON document", "garbage", 2, "line 1", False),
    ("a schema 1 manifest", "schema1", 2, "schema 1", False),
    ("an artifact that is no image", "artifact", 2, "application/x-sbom", False),
    ("a manifest of 5,000 layers", "manylayers", 2, "the limit is 512", False),
    ("an endless manifest", "endlessmanifest", 2, "sends more than", False),
    ("a manifest that is not what the digest says", "wrongdigest@" + GOOD.top, 2, "but " + GOOD.top, False),
    ("a manifest that is not what its index says", "wrongchild", 2, "but " + GOOD.top + " was expected", False),
    ("too many requests, once", "busy", 0, "answered 429; trying again in 1 s", True),
    ("401 to a fresh token", "loop401", 2, "401 after logging in", False),
    ("401 without a way", "noway", 2, "does not say how", False),
    ("a token server with a web page", "tokenpage", 2, "token server", False),
    ("a token server without a token", "tokenempty", 2, "without a token", False),
    ("a token with line breaks", "tokenbytes", 2, "characters that no token has", False),
    ("a token of 60 KB", "tokenhuge", 2, "more than", False),
    ("a token server on another host", "tokenaway", 0, "", True),
    ("a challenge without a realm", "tokenlost", 2, "names no token server", False),
    ("a challenge with a file as realm", "tokenfile", 2, "names no token server", False),
    ("blobs on another host", "away", 0, "", True),
    ("a manifest on another host", "awaymanifest", 0, "", None),
    ("redirects in a circle", "circle", 2, "more than 10 redirects", False),
    ("a layer that breaks off three times", "breaks", 0, "trying again", True),
    ("a layer that breaks off, no ranges", "breaksplain", 0, "trying again", True),
    ("a layer shorter than its descriptor", "lies", 3, "truncated", None),
    ("a layer that ends early, for good", "ends", 3, "ends after 1000000 bytes", None),
    ("a layer with other bytes", "wrongbytes", 2, "its digest is", False),
    ("an endless layer", "endlessblob", 3, "sends more than", None),
    ("a layer that is not there", "lost", 3, "unknown", None),
    ("a configuration that is not there", "noconfig", 2, "404", False),
    ("a web page for a layer", "pageblob", 3, "truncated", None),
    ("an attached VEX document, by the referrers API", "attached", 0, "", True),
    ("an attached document with other bytes", "forgedvex", 3, "was expected", None),
    ("3,000 attached documents", "crowd", 3, "the limit is 256", None),
    ("a gateway's refusal, word for word", "forbidden", 2, "image is not signed: policy prod-only", False),
]


def run(case):
    name, repository, code, words, found = case
    began = time.monotonic()
    got, report, err = scan(*(["--vex", "attached"] if repository in ("attached", "forgedvex", "crowd") else []), f"registry:127.0.0.1:{PORT}/{repository}",
                            seconds=90)
    if repository == "attached" and [s["id"] for s in report["suppressed"]] != ["CVE-2023-5363"]:
        return False, report["suppressed"]
    told = err + (json.dumps(report["incomplete"]) if report else "")
    ok = got == code and words in told and "\x1b" not in err and "sesame" not in err and time.monotonic() - began < 60
    if found is not None:
        ok = ok and (packages(report) == WANT if found else report is None)
    if code == 3:
        ok = ok and report and report["verdict"] == "incomplete"
    return ok, (got, told[-700:], packages(report), time.monotonic() - began)


(top / ".docker/config.json").write_text(json.dumps({"auths": {f"127.0.0.1:{PORT}": {"auth": SECRET}}}))
try:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for case, (ok, told) in zip(CASES, pool.map(run, CASES)):
            tap.check(case[0], ok, told)
    tap.check("the other host never saw credentials", elsewhere and not [e for e in elsewhere if "Authorization" in e[1]], elsewhere)
    tap.check("it was asked for blobs, a manifest and a token", {p.split("?")[0][:7] for p, _ in elsewhere} >= {"/sha256", "/token"}, [p for p, _ in elsewhere])
    tap.check("the registry itself got them", any(h.get("Authorization") == "Basic " + SECRET for _, _, h in seen["away"]))
    ranges = [h.get("Range") for k, r, h in seen["breaks"] if r == LAYER_DIGEST]
    tap.check("the broken layer was continued where it was", ranges == [None, "bytes=500000-", "bytes=1000000-", "bytes=1500000-"], ranges)
    tap.check("a 401 was answered once", sum(k == "manifests" for k, _, _ in seen["loop401"]) == 2, len(seen["loop401"]))
    left = subprocess.run(["pgrep", "-g", str(os.getpgid(0)), "-x", "bulkhead"], capture_output=True, text=True).stdout
    tap.check("no process is left behind", not left.strip(), left)
finally:
    shutil.rmtree(top, ignore_errors=True)
tap.end()
