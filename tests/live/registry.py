#!/usr/bin/env python3
"""registry: images in Debian's docker-registry, filled by skopeo: plain, TLS with an authority of its own, passwords, tokens, mirrors.

usage: registry.py BULKHEAD
"""
import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("docker-registry", "skopeo", "openssl", "htpasswd")
top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-registry-"))
tap, daemons = Tap(), []
home = top / "home"
(home / ".docker").mkdir(parents=True)
base_env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"}
scan = Scan(sys.argv[1], base_env)
WANT = [("bash", "5.2.15-2+b2"), ("openssl", "3.0.9-1")]


def skopeo(*args):
    p = subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *map(str, args)], capture_output=True, text=True)
    if p.returncode:
        raise RuntimeError(p.stderr)


def start(*args):
    daemons.append(registry(*args))
    return daemons[-1]


def login(**entries):
    (home / ".docker/config.json").write_text(json.dumps(entries))


def auth(user, password):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def plain():
    port = free_port()
    start(top / "plain", port)
    image = debian(*WANT, filler=3_000_000)
    skopeo("--dest-tls-verify=false", f"oci:{image.layout(top / 'a', 'v1')}:v1", f"docker://127.0.0.1:{port}/team/app:v1")
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/app:v1")
    tap.check("a plain registry on this machine", code == 0 and packages(report) == WANT, (code, report, err))
    tap.check("says where it was", report and report["target"]["kind"] == "registry" and report["target"]["digest"] == image.top, report and report["target"])
    code, report, err = scan(f"127.0.0.1:{port}/team/app:v1")
    tap.check("a bare name is found there and told", code == 0 and "taken from the registry" in err, (code, err))
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/app@{image.top}")
    tap.check("by digest", code == 0 and packages(report) == WANT, (code, err))
    wrong = "sha256:" + "0" * 64
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/app@{wrong}")
    tap.check("a digest that is not there", code == 2 and "404" in err, (code, err))
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/app:v2")
    tap.check("a tag that is not there: the registry's words", code == 2 and "manifest unknown" in err, (code, err))
    several = Image()
    arm = several.manifest([{"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(("arm-only", "1"))}], "arm64")
    amd = several.manifest([{"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(("amd-only", "1"))}])
    several.index({**arm, "platform": {"os": "linux", "architecture": "arm64"}}, {**amd, "platform": {"os": "linux", "architecture": "amd64"}})
    skopeo("--all", "--dest-tls-verify=false", f"oci:{several.layout(top / 'b', 'v1')}:v1", f"docker://127.0.0.1:{port}/team/multi:v1")
    for arch, name in (("amd64", "amd-only"), ("arm64", "arm-only")):
        code, report, err = scan("--platform", "linux/" + arch, f"registry:127.0.0.1:{port}/team/multi:v1")
        tap.check(f"an index: {arch}", code == 0 and packages(report) == [(name, "1")], (code, report, err))
    skopeo("--format", "v2s2", "--dest-tls-verify=false", f"oci:{top / 'a'}:v1", f"docker://127.0.0.1:{port}/team/docker:v1")
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/docker:v1")
    tap.check("Docker's own manifests", code == 0 and packages(report) == WANT, (code, err))
    skopeo("--dest-tls-verify=false", f"oci:{top / 'a'}:v1", f"docker://127.0.0.1:{port}/hub/library/app:v1")
    code, report, err = scan("--registry-mirror", f"http://127.0.0.1:{port}/hub", "app:v1")
    tap.check("a mirror of docker.io, with a path", code == 0 and packages(report) == WANT and "docker.io/library/app:v1" in err, (code, err))
    code, report, err = scan("--registry-mirror", f"quay.io=127.0.0.1:{port}", "registry:quay.io/team/app:v1")
    tap.check("a mirror of another registry", code == 0 and packages(report) == WANT, (code, err))
    conf = top / "registries.conf"
    conf.write_text(f'[[registry]]\nprefix = "example.org/apps"\nlocation = "127.0.0.1:{port}/team"\ninsecure = true\n\n'
                    f'[[registry]]\nlocation = "blocked.example"\nblocked = true\n\n'
                    f'[[registry]]\nlocation = "127.0.0.1:{port}"\n[[registry.mirror]]\nlocation = "127.0.0.1:{free_port()}"\n')
    env = {"CONTAINERS_REGISTRIES_CONF": str(conf)}
    code, report, err = scan("registry:example.org/apps/app:v1", env=env)
    tap.check("registries.conf: another location", code == 0 and packages(report) == WANT, (code, err))
    code, report, err = scan("registry:blocked.example/app:v1", env=env)
    tap.check("registries.conf: a blocked registry", code == 2 and "blocked" in err, (code, err))
    code, report, err = scan(f"registry:127.0.0.1:{port}/team/app:v1", env=env)
    tap.check("registries.conf: a mirror that is down, then the registry", code == 0 and packages(report) == WANT, (code, err))
    return port


def certificates():
    """An authority and a certificate for localhost."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", top / "ca.key", "-out", top / "ca.crt",
            "-days", "2", "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", top / "tls.key", "-out", top / "tls.csr", "-subj",
            "/CN=localhost")
    (top / "ext").write_text("subjectAltName=DNS:localhost,DNS:reg.localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", top / "tls.csr", "-CA", top / "ca.crt", "-CAkey", top / "ca.key", "-CAcreateserial", "-out", top / "tls.crt",
            "-days", "2", "-extfile", top / "ext")


def with_tls():
    """TLS and passwords; reg.localhost resolves to this machine but is no name that plain http is allowed for."""
    certificates()
    port = free_port()
    subprocess.run(["htpasswd", "-Bbc", str(top / "users"), "ann", "sesame"], check=True, capture_output=True)
    start(top / "tls", port, f"  tls: {{certificate: {top}/tls.crt, key: {top}/tls.key}}", f"auth:\n  htpasswd: {{realm: here, path: {top}/users}}")
    host = f"reg.localhost:{port}"
    skopeo("--dest-tls-verify=false", "--dest-creds", "ann:sesame", f"oci:{top / 'a'}:v1", f"docker://127.0.0.1:{port}/app:v1")
    login()
    code, report, err = scan(f"registry:{host}/app:v1")
    tap.check("an unknown authority is refused", code == 2 and "--ca-file" in err, (code, err))
    code, report, err = scan("--ca-file", str(top / "ca.crt"), f"registry:{host}/app:v1")
    tap.check("no password stored: says how to log in", code == 2 and "docker login" in err, (code, err))
    login(auths={host: auth("ann", "wrong")})
    code, report, err = scan("--ca-file", str(top / "ca.crt"), f"registry:{host}/app:v1")
    tap.check("a wrong password", code == 2 and "401 after logging in" in err and "wrong" not in err, (code, err))
    login(auths={host: auth("ann", "sesame")})
    code, report, err = scan("--ca-file", str(top / "ca.crt"), f"registry:{host}/app:v1")
    tap.check("TLS with its authority named, and the stored password", code == 0 and packages(report) == WANT, (code, err))
    code, report, err = scan("--insecure", f"registry:{host}/app:v1")
    tap.check("--insecure", code == 0 and packages(report) == WANT, (code, err))
    folder = home / ".config/containers/certs.d" / host
    folder.mkdir(parents=True)
    (folder / "own.crt").write_bytes((top / "ca.crt").read_bytes())
    code, report, err = scan(f"registry:{host}/app:v1")
    tap.check("an authority in certs.d", code == 0 and packages(report) == WANT, (code, err))
    helpers = top / "bin"
    helpers.mkdir()
    helper = helpers / "docker-credential-test"
    helper.write_text('#!/bin/sh\nread -r server\necho "$1 $server" >>"$HELPER_LOG"\n'
                      'case $server in reg.localhost*) echo \'{"ServerURL":"x","Username":"ann","Secret":"sesame"}\';; '
                      '*) echo "credentials not found in native keychain"; exit 1;; esac\n')
    helper.chmod(0o755)
    env = {"PATH": f"{helpers}:{base_env['PATH']}", "HELPER_LOG": str(top / "helper.log")}
    for how, config in (("credHelpers", {"credHelpers": {host: "test"}}), ("credsStore", {"credsStore": "test"})):
        login(**config)
        code, report, err = scan(f"registry:{host}/app:v1", env=env)
        tap.check(f"a credential helper ({how})", code == 0 and packages(report) == WANT, (code, err))
    tap.check("asked as docker asks", (top / "helper.log").read_text() == f"get {host}\n" * 2, (top / "helper.log").read_text())
    login(credHelpers={host: "absent"})
    code, report, err = scan(f"registry:{host}/app:v1", env=env)
    tap.check("a helper that is not installed", code == 2 and "docker-credential-absent is not installed" in err, (code, err))
    login()
    (home / ".config/containers/auth.json").write_text(json.dumps({"auths": {f"{host}/app": auth("ann", "sesame"), host: auth("x", "y")}}))
    code, report, err = scan(f"registry:{host}/app:v1")
    tap.check("podman's auth.json, an entry for the repository", code == 0 and packages(report) == WANT, (code, err))
    (home / ".config/containers/auth.json").unlink()


def with_tokens():
    """docker-registry's token auth: it verifies what the issuer here signs."""
    port, issuer_port = free_port(), free_port()
    seen = []

    def b64(b):
        return base64.urlsafe_b64encode(b).rstrip(b"=").decode()

    class Issuer(http.server.BaseHTTPRequestHandler):
        def log_message(self, *a):
            pass

        def do_GET(self):
            from urllib.parse import urlparse, parse_qs
            q = parse_qs(urlparse(self.path).query)
            seen.append((self.headers.get("Authorization"), q))
            anonymous = self.headers.get("Authorization") is None
            scope = q.get("scope", [""])[0].split(":")
            allowed = not anonymous or scope[1].startswith("public/")
            access = [{"type": scope[0], "name": scope[1], "actions": scope[2].split(",")}] if allowed else []
            token = {"token": sign({"iss": "issuer", "aud": q["service"][0], "sub": "", "exp": int(time.time()) + 300, "nbf": int(time.time()) - 10,
                                    "iat": int(time.time()), "jti": "1", "access": access})}
            body = json.dumps(token).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def der_of_cert():
        pem = (top / "tls.crt").read_text().split("-----")[2]
        return "".join(pem.split())

    def sign(claims):
        head = {"typ": "JWT", "alg": "ES256", "x5c": [der_of_cert()]}
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(top / "tls.key")], input=text.encode(), capture_output=True, check=True).stdout
        parts, at = [], 2
        for _ in range(2):
            n = der[at + 1]
            parts.append(der[at + 2:at + 2 + n].lstrip(b"\0").rjust(32, b"\0"))
            at += 2 + n
        return text + "." + b64(b"".join(parts))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", issuer_port), Issuer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    start(top / "token", port, f"auth:\n  token: {{realm: 'http://127.0.0.1:{issuer_port}/token', service: here, issuer: issuer, rootcertbundle: {top}/ca.crt}}")
    for path in ("public/app", "secret/app"):
        skopeo("--dest-tls-verify=false", "--dest-creds", "ann:sesame", f"oci:{top / 'a'}:v1", f"docker://127.0.0.1:{port}/{path}:v1")
    login()
    del seen[:]
    code, report, err = scan(f"registry:127.0.0.1:{port}/public/app:v1")
    tap.check("an anonymous token", code == 0 and packages(report) == WANT and seen[0][0] is None, (code, err, seen))
    tap.check("for reading this repository only", seen and seen[0][1]["scope"] == ["repository:public/app:pull"], seen)
    code, report, err = scan(f"registry:127.0.0.1:{port}/secret/app:v1")
    tap.check("is not enough for a private one", code == 2 and "refuses access" in err, (code, err))
    login(auths={f"127.0.0.1:{port}": auth("ann", "sesame")})
    code, report, err = scan(f"registry:127.0.0.1:{port}/secret/app:v1")
    tap.check("a token for the stored password", code == 0 and packages(report) == WANT, (code, err))
    tap.check("which went to the issuer", seen[-1][0] == "Basic " + auth("ann", "sesame")["auth"], seen[-1])
    login()


def on_a_terminal(argv):
    """What it shows on a terminal of 120 columns."""
    import fcntl
    import pty
    import struct
    import termios
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, {**base_env, "TERM": "xterm"})
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    seen = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.waitpid(pid, 0)
    os.close(fd)
    return seen.decode("utf-8", "replace")


def vex(product, vulnerability):
    return json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "team", "timestamp": "2026-01-01T00:00:00Z",
                       "version": 1, "statements": [{"vulnerability": {"name": vulnerability}, "products": [{"@id": product}],
                                                     "status": "not_affected", "justification": "vulnerable_code_not_present"}]}).encode()


def attached(port):
    """A VEX document beside an image. Debian's docker-registry knows no referrers, so it hangs on a tag."""
    import urllib.request

    def put(path, data, kind="application/octet-stream"):
        r = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data, method="PUT", headers={"Content-Type": kind})
        urllib.request.urlopen(r).read()

    def upload(name, data):
        r = urllib.request.Request(f"http://127.0.0.1:{port}/v2/{name}/blobs/uploads/", data=b"", method="POST")
        where = urllib.request.urlopen(r).headers["Location"]
        put(where[where.index("/v2/"):] + ("&" if "?" in where else "?") + "digest=" + sha(data), data)

    def attach(name, subject, document, kind):
        config = b"{}"
        for blob in (config, document):
            upload(name, blob)
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
                               "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha(config), "size": len(config)},
                               "layers": [{"mediaType": kind, "digest": sha(document), "size": len(document)}],
                               "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1}}).encode()
        put(f"/v2/{name}/manifests/{sha(manifest)}", manifest, MANIFEST)
        # As cosign writes it: with the wrong type of artifact.
        return {"mediaType": MANIFEST, "digest": sha(manifest), "size": len(manifest), "artifactType": "application/vnd.oci.empty.v1+json"}

    subject = json.loads((top / "a/index.json").read_text())["manifests"][0]["digest"]
    target = f"registry:127.0.0.1:{port}/team/app:v1"
    code, report, err = scan("--vex", "attached", target)
    ids = [f["id"] for f in report["findings"]] if report else []
    tap.check("nothing is attached: the findings stay", code == 0 and ids and not report.get("suppressed"), (code, err))
    entries = [attach("team/app", subject, vex("pkg:deb/debian/openssl", ids[0]), "application/vnd.openvex+json"),
               attach("team/app", subject, b"not JSON", "application/vnd.openvex+json"),
               attach("team/app", subject, b"{}", "application/vnd.cyclonedx+json")]
    put(f"/v2/team/app/manifests/{subject.replace(':', '-')}", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode(), INDEX)
    code, report, err = scan("--vex", "attached", target)
    tap.check("an attached statement takes its finding out", report and ids[0] in [s["id"] for s in report["suppressed"]] and
              ids[0] not in [f["id"] for f in report["findings"]], (code, err, report and report.get("suppressed")))
    tap.check("a damaged one is told", report and any(i["what"] == "vex" and "attached to the image" in i["path"] for i in report["incomplete"]),
              report and report["incomplete"])
    code, report, err = scan(target)
    tap.check("only when asked for", report and ids[0] in [f["id"] for f in report["findings"]], (code, err))


def fleet(port):
    """A fleet of 20 images with one command."""
    names = []
    for n in range(20):
        image = debian(("bash", f"5.{n}"), filler=200_000)
        skopeo("--dest-tls-verify=false", f"oci:{image.layout(top / f'f{n}', 'v1')}:v1", f"docker://127.0.0.1:{port}/fleet/app{n}:v1")
        names.append(f"registry:127.0.0.1:{port}/fleet/app{n}:v1")
    code, reports, err = scan(*names, "--jobs", "2", seconds=120)
    began = time.monotonic()
    screen = on_a_terminal([sys.argv[1], "scan", "--no-cache", "--fail-on", "never", "--jobs", "2", *names])
    tap.check(f"a fleet of 20 on a terminal: one bar, tables, a summary ({time.monotonic() - began:.1f} s)",
              "scanning targets" in screen and "[####" in screen and "Summary of 20 targets" in screen and "20 pass" in screen, screen[-1500:])
    tap.check("a fleet of 20 with one command", code == 0 and reports and [packages(r) for r in reports["reports"]] == [[("bash", f"5.{n}")] for n in range(20)],
              (code, err, reports and list(reports)))


try:
    port = plain()
    with_tls()
    with_tokens()
    attached(port)
    fleet(port)
finally:
    for d in daemons:
        d.stop()
    shutil.rmtree(top, ignore_errors=True)
tap.end()
