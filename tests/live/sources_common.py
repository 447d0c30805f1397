"""sources_common: images made here, and daemons on loopback ports that end with the test."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"


def sha(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


def status(*packages):
    return "".join(f"Package: {n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {v}\n\n" for n, v in packages)


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            data = content if isinstance(content, bytes) else content.encode()
            info.size = len(data)
            info.mode = 0o755 if path.startswith(("bin/", "usr/bin/")) else 0o644
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Image:
    """blobs by digest, and the digest of the top manifest or index."""

    def __init__(self):
        self.blobs, self.top, self.types = {}, None, {}

    def put(self, data, media_type):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        d = sha(data)
        self.blobs[d], self.types[d] = data, media_type
        return {"mediaType": media_type, "digest": d, "size": len(data)}

    def manifest(self, layers, arch="amd64"):
        """layers: dicts path -> content."""
        tars = [tar_of(l) for l in layers]
        config = self.put({"architecture": arch, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [sha(t) for t in tars]},
                           "history": [{"created_by": f"RUN layer {i}"} for i in range(len(tars))]}, CONFIG)
        made = self.put({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                         "layers": [self.put(gzip.compress(t, mtime=0), LAYER) for t in tars]}, MANIFEST)
        self.top = made["digest"]
        return made

    def index(self, *manifests):
        made = self.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}, INDEX)
        self.top = made["digest"]
        return made

    def layout(self, folder, name="latest"):
        folder = pathlib.Path(folder)
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        for d, data in self.blobs.items():
            (folder / "blobs/sha256" / d[7:]).write_bytes(data)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        entry = {"mediaType": self.types[self.top], "digest": self.top, "size": len(self.blobs[self.top]),
                 "annotations": {"org.opencontainers.image.ref.name": name}}
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        return folder


def debian(*packages, extra=None, filler=0):
    """A small Debian image of one layer, with `filler` incompressible bytes."""
    i = Image()
    files = {"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(*packages), "bin/sh": "#!", **(extra or {})}
    if filler:
        files["usr/share/filler"] = os.urandom(filler)
    i.manifest([files])
    return i


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, argv, log, ready, seconds=30, **kw):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, **kw)
        until = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{argv[0]} does not start: {pathlib.Path(log).read_text()[-600:]}")
            time.sleep(0.1)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


def listening(port):
    def ready():
        with socket.socket() as s:
            s.settimeout(0.5)
            return s.connect_ex(("127.0.0.1", port)) == 0
    return ready


def registry(folder, port, *lines):
    """Debian's docker-registry over a folder; lines: more of its configuration, indented as below http."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {folder}/data}}\nhttp:\n  addr: 127.0.0.1:{port}\n"
    (folder / "config.yml").write_text(text + "".join(l + "\n" for l in lines))
    return Daemon(["docker-registry", "serve", str(folder / "config.yml")], folder / "log", listening(port))


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def check(self, name, ok, told=""):
        self.n += 1
        self.bad += not ok
        print(f"{'ok' if ok else 'not ok'} {self.n} - {name}", flush=True)
        if not ok:
            print("# " + str(told)[:1500].replace("\n", "\n# "), flush=True)
        return ok

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.n}")
        sys.exit(self.bad > 0)


class Scan:
    def __init__(self, program, env):
        self.program, self.env = program, env

    def __call__(self, *args, env=None, seconds=60, fmt="json"):
        """code, report (or None), stderr."""
        argv = [self.program, "scan", "--no-cache", "--fail-on", "never"] + (["-f", fmt] if fmt else []) + list(args)
        p = subprocess.run(argv, capture_output=True, env={**self.env, **(env or {})}, timeout=seconds, stdin=subprocess.DEVNULL)
        try:
            report = json.loads(p.stdout)
        except ValueError:
            report = None
        return p.returncode, report, p.stderr.decode("utf-8", "replace")


def packages(report):
    """The distribution's; busybox and its like are found as bare binaries, too."""
    return sorted((p["name"], p["version"]) for p in report["packages"] if p["purl"].startswith("pkg:deb/")) if report else None


def need(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        print("1..0 # SKIP missing: " + " ".join(missing))
        sys.exit(77)
