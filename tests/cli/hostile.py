#!/usr/bin/env python3
"""hostile: the program meets what an attacker or a broken disk gives it.

usage: hostile.py BULKHEAD

Every case says which exit code and which words must come, and has limits in time and memory for the whole process tree. After
each one no process and no file may be left behind. All run with --fail-on never, which must not hide what was not checked. Output: TAP.
"""
import contextlib
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile

MIB = 1 << 20
SECONDS_MAX = 30
MEMORY_MAX = 320 * MIB   # of all processes together; a sanitizer needs more
SANITIZED = bool(os.environ.get("BULKHEAD_SANITIZED"))
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
STATUS = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.9-1\n\n"
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
BASE = {"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": STATUS}


def sha(b):
    return hashlib.sha256(b).hexdigest()


def tar_of(files):
    """files: path -> bytes or text, or a function that changes the TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for path, content in files.items():
            info, data = tarfile.TarInfo(path), None
            if callable(content):
                content(info)
            else:
                data = content if isinstance(content, bytes) else content.encode()
                info.size = len(data)
            t.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def kind(type_, link=""):
    def change(info):
        info.type, info.linkname = type_, link
    return change


class Layout:
    """An OCI layout on disk."""

    def __init__(self, folder, layers, stored=gzip.compress, suffix="+gzip", diff_ids=None):
        self.path = pathlib.Path(folder)
        (self.path / "blobs/sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.layers = [self.blob(stored(t) if stored else t, LAYER + (suffix if stored else "")) for t in layers]
        self.diff_ids = diff_ids or ["sha256:" + sha(t) for t in layers]
        self.write()

    def blob(self, data, media_type):
        (self.path / "blobs/sha256" / sha(data)).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + sha(data), "size": len(data)}

    def write(self):
        config = self.blob(json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": self.diff_ids}}).encode(),
                           "application/vnd.oci.image.config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": self.layers}
        self.manifest = self.blob(json.dumps(manifest).encode(), MANIFEST)
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [self.manifest]}))

    def file(self, descriptor):
        return self.path / "blobs/sha256" / descriptor["digest"].split(":")[1]

    @property
    def target(self):
        return f"oci:{self.path}"


# ---- running ----

def family(pid):
    pids, out = [pid], []
    while pids:
        pid = pids.pop()
        out.append(pid)
        with contextlib.suppress(OSError):
            pids += [int(x) for x in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return out


def held(pid):
    """Bytes of anonymous memory of a process: what it took for itself, without shared code."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


class Run:
    def __init__(self, command, stdin=None, limit=SECONDS_MAX, cwd=None, env=None, after=None, stdout=subprocess.PIPE):
        """after: (seconds, function of the process) to be called while it runs."""
        began = time.monotonic()
        self.peak = 0
        p = subprocess.Popen(command, stdin=subprocess.PIPE if callable(stdin) else (stdin or subprocess.DEVNULL), stdout=stdout,
                             stderr=subprocess.PIPE, cwd=cwd, env=env, start_new_session=True)
        done = threading.Event()

        def watch():
            while not done.is_set():
                self.peak = max(self.peak, sum(held(pid) for pid in family(p.pid)))
                if after and time.monotonic() - began > after[0]:
                    with contextlib.suppress(ProcessLookupError):
                        after[1](p)
                    return
                time.sleep(0.02)

        def feed():
            with contextlib.suppress(BrokenPipeError):
                stdin(p.stdin)
            with contextlib.suppress(BrokenPipeError):
                p.stdin.close()

        threads = [threading.Thread(target=watch, daemon=True)]
        if callable(stdin):
            threads.append(threading.Thread(target=feed, daemon=True))
        for t in threads:
            t.start()
        out = []
        readers = [threading.Thread(target=lambda f=f, i=i: out.append((i, f.read()))) for i, f in enumerate((p.stdout, p.stderr)) if f]
        for r in readers:
            r.start()
        try:
            self.code = p.wait(limit)
            self.hung = False
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            self.code, self.hung = p.wait(), True
        done.set()
        for r in readers:
            r.join(10)
        texts = dict(out)
        self.out, self.err = (texts.get(i, b"").decode(errors="replace") for i in (0, 1))
        self.seconds = time.monotonic() - began
        self.session = p.pid


def session_members(session):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    found.append(entry.name)
    return found


class Suite:
    def __init__(self, bulkhead):
        self.bulkhead, self.n = bulkhead, 0

    def result(self, name, problems):
        self.n += 1
        print(f"{'not ok' if problems else 'ok'} {self.n} - {name}")
        for p in problems:
            print("\n".join(f"# {line}" for line in str(p).splitlines()))
        sys.stdout.flush()

    def skip(self, name, reason):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {reason}")

    def case(self, name, target, codes, words, options=(), memory=MEMORY_MAX, extra=None, prefix=(), **kw):
        """words: each must stand in stdout or stderr. extra: a function of the run that returns a problem or None."""
        codes = codes if isinstance(codes, tuple) else (codes,)
        with tempfile.TemporaryDirectory() as scratch:
            env = dict(os.environ, TMPDIR=scratch, HOME=scratch, BULKHEAD_NO_CACHE="true")  # damage that a kept result would hide
            env.pop("XDG_DATA_HOME", None)
            os.chmod(scratch, 0o755)  # other users look there too
            run = Run([*prefix, self.bulkhead, "scan", "--fail-on", "never", *options, *([target] if target is not None else [])], env=env, cwd=scratch, **kw)
            time.sleep(0.05)
            problems = []
            text = run.out + run.err
            if run.hung:
                problems.append(f"did not end within {kw.get('limit', SECONDS_MAX)} s")
            elif run.code not in codes:
                problems.append(f"exit code {run.code}, wanted {codes}:\n{text[-1500:]}")
            problems += [f"no '{w}' in:\n{text[-1500:]}" for w in words if w not in text]
            problems += [f"a stack trace or assertion:\n{run.err[-3000:]}" for w in ("Sanitizer", "Assertion", "runtime error") if w in run.err]
            if run.peak > memory and not SANITIZED:
                problems.append(f"{run.peak // MIB} MiB of memory, the limit is {memory // MIB}")
            left = session_members(run.session)
            if left:
                problems.append(f"processes left behind: {left}")
            files = [str(f) for f in pathlib.Path(scratch).rglob("*")]
            if files:
                problems.append(f"files left behind: {files[:5]}")
            if extra:
                problem = extra(run)
                problems += [problem] if problem else []
        self.result(f"{name} ({run.seconds:.1f} s, {run.peak // MIB} MiB)", problems)


def finds_openssl(run):
    try:
        names = [p["name"] for p in json.loads(run.out)["packages"]]
    except ValueError as e:
        return f"not JSON: {e}\n{run.out[:500]}"
    return None if "openssl" in names else f"packages: {names}"


# ---- cases ----

def blobs(s, work):
    rng = random.Random(7)
    noise = {"usr/share/noise": rng.randbytes(300_000)}
    good = tar_of({**BASE, **noise})

    lay = Layout(work / "cut", [good])
    blob = lay.file(lay.layers[0])
    blob.write_bytes(blob.read_bytes()[:-1000])
    s.case("a blob that is shorter than its descriptor says", lay.target, (2, 3), [lay.layers[0]["digest"][:19]])

    cut = gzip.compress(good)[:-1000]
    lay = Layout(work / "cut2", [good])
    lay.layers[0] = lay.blob(cut, LAYER + "+gzip")
    lay.write()
    s.case("a gzip stream that ends early", lay.target, 3, ["NOT CHECKED", "ends"])

    lay = Layout(work / "flip", [good])
    blob = lay.file(lay.layers[0])
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 4
    blob.write_bytes(data)
    s.case("a blob with one bit flipped names both digests", lay.target, (2, 3), [lay.layers[0]["digest"], "sha256:" + sha(bytes(data))],
           options=["-f", "json"])

    lay = Layout(work / "diffid", [good], diff_ids=["sha256:" + "0" * 64])
    s.case("a wrong diffID names both digests", lay.target, (2, 3), ["sha256:" + "0" * 64, "sha256:" + sha(good)], options=["-f", "json"])

    lay = Layout(work / "manifest", [good])
    f = lay.file(lay.manifest)
    f.write_text(f.read_text().replace("schemaVersion", "schemaversion"))
    s.case("a manifest that is not what its digest says", lay.target, 2, [lay.manifest["digest"]])

    lay = Layout(work / "missing", [good])
    lay.file(lay.layers[0]).unlink()
    s.case("a layer that is not there", lay.target, (2, 3), [lay.layers[0]["digest"][:19]])

    for number in range(12):
        lay = Layout(work / f"flip{number}", [good])
        data = bytearray(gzip.compress(good))
        for _ in range(3):
            data[rng.randrange(20, len(data))] ^= 1 << rng.randrange(8)
        lay.layers[0] = lay.blob(bytes(data), LAYER + "+gzip")
        lay.write()
        s.case(f"flipped bits under a digest that fits, {number + 1}", lay.target, (2, 3), [])


def bombs(s, work):
    zeros = gzip.compress(bytes(16 * MIB), 9)
    member = b"".join([zeros] * 4096)  # 64 GiB of zeros in some 64 MiB
    lay = Layout(work / "bomb-gzip", [tar_of(BASE)])
    lay.layers.append(lay.blob(member, LAYER + "+gzip"))
    lay.diff_ids.append("sha256:" + "1" * 64)
    lay.write()
    del member
    s.case("a gzip bomb of 64 GiB behind --max-layer-size", lay.target, 3, ["NOT CHECKED", "openssl"],
           options=["--max-layer-size", "1G", "--list-all-packages"])

    # zstd: a frame of RLE blocks, 128 KiB from 4 bytes each.
    block = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"\0"
    frame = b"\x28\xb5\x2f\xfd\x00\x58" + block * 400_000 + struct.pack("<I", 1)[:3]
    lay = Layout(work / "bomb-zstd", [tar_of(BASE)])
    lay.layers.append(lay.blob(frame, LAYER + "+zstd"))
    lay.diff_ids.append("sha256:" + "1" * 64)
    lay.write()
    s.case("a zstd bomb of 50 GiB behind --max-layer-size", lay.target, 3, ["NOT CHECKED", "openssl"],
           options=["--max-layer-size", "1G", "--list-all-packages"])

    # 10 million tar entries of nothing, made as they are read; fewer where a sanitizer makes each several times slower.
    header = tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)
    chunk = header * 10_000

    count = 300_000 if SANITIZED else 10_000_000

    def many_entries(pipe):
        # An archive as docker save writes it, with one layer that is never wholly in memory.
        layer = tarfile.TarInfo("layer.tar")
        layer.size = count * 512 + 1024
        for name, text in (("manifest.json", json.dumps([{"Config": "c.json", "RepoTags": ["x:y"], "Layers": ["layer.tar"]}])),
                           ("c.json", json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "2" * 64]}}))):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            pipe.write(info.tobuf(tarfile.USTAR_FORMAT) + text.encode() + bytes(-len(text) % 512))
        pipe.write(layer.tobuf(tarfile.GNU_FORMAT))
        for _ in range(count // 10_000):
            pipe.write(chunk)
        pipe.write(bytes(1024 + -layer.size % 512 + 1024))

    s.case(f"a tar with {count:,} entries on standard input", "-", (2, 3), [], stdin=many_entries, limit=120)


def tars(s, work):
    long = "d/" * 50_000 + "f"
    odd = {
        **BASE,
        "../../etc/passwd": "out", "/absolute": "x", "a/../../b": "x", long: "x",
        "dev/null": kind(tarfile.CHRTYPE), "dev/sda": kind(tarfile.BLKTYPE), "run/pipe": kind(tarfile.FIFOTYPE),
        "loop/a": kind(tarfile.SYMTYPE, "b"), "loop/b": kind(tarfile.SYMTYPE, "a"), "self": kind(tarfile.SYMTYPE, "self"),
        "up": kind(tarfile.SYMTYPE, "../../../.."), "hard": kind(tarfile.LNKTYPE, "no/such/file"), "empty": "",
    }
    lay = Layout(work / "odd", [tar_of(odd)])
    s.case("paths that lead out, 100 kB names, devices, link loops", lay.target, (0, 3), [], options=["-f", "json"], extra=finds_openssl)

    lay = Layout(work / "links", [tar_of({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": kind(tarfile.SYMTYPE, "/var/lib/dpkg/status"),
                                          "var/lib/dpkg/status-old": STATUS})])
    s.case("a package database that is a link to itself", lay.target, (0, 3), ["Debian GNU/Linux 12"])

    line = "Package: big\nStatus: install ok installed\nVersion: 1\nDescription: " + "x" * MIB + "\n" + " y" * MIB + "\n\n"
    lay = Layout(work / "lines", [tar_of({"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": line * 3 + STATUS})])
    s.case("a dpkg status with lines of 1 MB", lay.target, (0, 3), [], options=["-f", "json"], extra=finds_openssl)

    lay = Layout(work / "rpm", [tar_of({"etc/os-release": 'ID=rocky\nVERSION_ID="9"\n', "var/lib/rpm/Packages": looping_berkeley()})])
    s.case("an rpm database whose pages form a loop", lay.target, 3, ["NOT CHECKED", "var/lib/rpm/Packages"])

    for name, path in (("SQLite", "var/lib/rpm/rpmdb.sqlite"), ("ndb", "var/lib/rpm/Packages.db"), ("Berkeley", "var/lib/rpm/Packages"), ("apk", "lib/apk/db/installed")):
        lay = Layout(work / f"noise-{name}", [tar_of({"etc/os-release": 'ID=rocky\nVERSION_ID="9"\n', path: random.Random(3).randbytes(100_000)})])
        s.case(f"noise in place of a database ({name})", lay.target, 3, ["NOT CHECKED", path])
        lay = Layout(work / f"empty-{name}", [tar_of({"etc/os-release": 'ID=rocky\nVERSION_ID="9"\n', path: b""})])
        s.case(f"an empty database ({name})", lay.target, 3, ["NOT CHECKED"])


def looping_berkeley():
    """A Berkeley hash database (4 kB pages) of which page 1, an overflow page, names itself as the next one."""
    size = 4096
    meta = bytearray(size)
    struct.pack_into("<IIII", meta, 0, 0, 0, 0, 0x061561)          # lsn, page number, magic
    struct.pack_into("<III", meta, 16, 9, size, 0x00000800)        # version, page size; byte 25: type 8
    meta[25] = 8
    struct.pack_into("<I", meta, 32, 2)                            # last page
    page1 = bytearray(size)                                        # hash page: one key, one off-page item
    struct.pack_into("<IIIII", page1, 0, 0, 0, 1, 0, 0)
    struct.pack_into("<HH", page1, 20, 2, size - 20)
    page1[24], page1[25] = 0, 13
    struct.pack_into("<HH", page1, 26, size - 5, size - 5 - 12)
    page1[size - 5:size] = b"\x01\x01\x00\x00\x00"
    page1[size - 17:size - 5] = b"\x03\0\0\0" + struct.pack("<II", 2, 100_000_000)
    page2 = bytearray(size)                                        # overflow page, next = itself
    struct.pack_into("<IIIII", page2, 0, 0, 0, 2, 0, 2)
    struct.pack_into("<HH", page2, 20, 1, size - 26)
    page2[25] = 7
    return bytes(meta + page1 + page2)


def nested_jar(levels):
    data = b"text"
    for level in range(levels):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("META-INF/MANIFEST.MF", f"Implementation-Title: level{level}\nImplementation-Version: {level}.0\n")
            z.writestr(f"level{level}.jar", data)
        data = out.getvalue()
    return data


def long_lockfile(packages):
    entry = '"node_modules/p%d":{"version":"1.0.0","resolved":"https://r/p%d.tgz","integrity":"sha512-' + "A" * 1000 + '"}'
    return ('{"lockfileVersion":3,"packages":{' + ",".join(entry % (i, i) for i in range(packages)) + "}}").encode()


def looping_sbom():
    ring = [{"ref": f"c{i}", "dependsOn": [f"c{i}", f"c{(i + 1) % 100}"]} for i in range(100)]
    parts = [{"type": "library", "bom-ref": f"c{i}", "name": f"p{i}", "version": "1", "purl": f"pkg:npm/p{i}@1",
              "externalReferences": [{"type": "bom", "url": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#c0"}]} for i in range(100)]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
                       "components": parts, "dependencies": ring})


def applications(s, work):
    def lists(*wanted):
        def look(run):
            names = [p["name"] for p in json.loads(run.out)["packages"]] if run.out else []
            return None if all(names.count(n) == 1 for n in wanted) else f"{len(names)} packages, {names[:9]}"
        return look

    def image(name, files):
        return Layout(work / name, [tar_of({**BASE, **files})]).target

    s.case("jars in jars, fifty deep", image("jars", {"app/a.jar": nested_jar(50)}), 3, ["app/a.jar", "deep"], options=["-f", "json"], extra=lists("level49", "level45"))
    lock = long_lockfile(95_000)
    assert len(lock) > 100_000_000
    s.case("a lockfile of 100 MB", image("lock", {"srv/package-lock.json": lock}), 3, [], options=["-f", "json"], extra=lists("p0", "p94999", "openssl"))
    s.case("the same, cut off", image("cut", {"srv/package-lock.json": lock[:-10]}), 3, ["srv/package-lock.json"], options=["-f", "json"], extra=lists("openssl"))
    corpus = pathlib.Path(__file__).resolve().parent.parent / "corpus"
    forged = {f"usr/bin/{p.name}": p.read_bytes() for p in sorted((corpus / "pkg-go_binary").glob("forged-*"))}
    s.case(f"Go programs with forged build information ({len(forged)})", image("go", forged), 3, ["usr/bin/forged"], options=["-f", "json"], extra=lists("openssl"))
    s.case("an SBOM that refers to itself", image("sbom", {"srv/bom.json": looping_sbom()}), 3, [], options=["-f", "json"], extra=lists("p0", "p99", "openssl"))
    sbom = work / "self.cdx.json"
    sbom.write_text(looping_sbom())
    s.case("the same as target", f"sbom:{sbom}", 3, [], options=["-f", "json"], extra=lists("p0", "p99"))


def documents(s, work):
    def layout_with(name, index):
        path = work / name
        path.mkdir()
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (path / "index.json").write_bytes(index)
        return f"oci:{path}"

    s.case("JSON nested 100,000 deep", layout_with("deep", b'{"a":' * 100_000), 2, ["index.json", "nested"])
    s.case("an empty index.json", layout_with("none", b""), 2, ["index.json"])
    s.case("an index.json that is no JSON", layout_with("text", b"hello"), 2, ["index.json"])
    s.case("an index without manifests", layout_with("void", b'{"schemaVersion":2,"manifests":[]}'), 2, ["void", "no image inside"])
    s.case("an index that points out of the layout",
           layout_with("out", json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": "sha256:../../../../etc/passwd", "size": 1}]}).encode()),
           2, ["sha256:"])


def places(s, work):
    empty = work / "empty"
    empty.write_bytes(b"")
    s.case("an empty file", str(empty), 2, [str(empty)])
    fifo = work / "fifo"
    os.mkfifo(fifo)
    s.case("a FIFO", f"archive:{fifo}", 2, [str(fifo)])
    s.case("a FIFO, by its path alone", str(fifo), 2, [str(fifo)])
    s.case("a device", "archive:/dev/zero", 2, ["/dev/zero"])
    s.case("a file that is not there", "archive:/no/such/file", 2, ["/no/such/file: no such file"])
    s.case("an empty folder", f"dir:{work}", (2, 3), [])
    s.case("nothing on standard input", "-", 2, ["-"])
    s.case("no target", None, 2, ["TARGET"])
    s.case("two targets", "a", 2, ["b"], options=["b"])

    closed = work / "closed"
    (closed / "var/lib/dpkg").mkdir(parents=True)
    (closed / "etc").mkdir()
    (closed / "etc/os-release").write_text(OS_RELEASE)
    (closed / "var/lib/dpkg/status").write_text(STATUS)
    os.chmod(closed / "var/lib/dpkg", 0)
    work.chmod(0o755)
    if os.geteuid() == 0 and shutil.which("setpriv"):
        tool = work / "bulkhead"
        shutil.copy(s.bulkhead, tool)
        own, s.bulkhead = s.bulkhead, str(tool)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        with tempfile.TemporaryDirectory() as shut:
            os.chmod(shut, 0o700)
            s.case("a folder that may not be read at all", f"dir:{shut}", 2, ["Permission denied"], prefix=nobody)
        s.case("a folder inside that may not be read", f"dir:{closed}", 3, ["NOT CHECKED", "var/lib/dpkg"], prefix=nobody)
        s.bulkhead = own
    else:
        s.skip("folders that may not be read", "needs root and setpriv, to become another user")
    os.chmod(closed / "var/lib/dpkg", 0o755)

    lay = Layout(work / "full", [tar_of(BASE)])
    with open("/dev/full", "wb") as full:
        s.case("no space on standard output", lay.target, 4, ["No space left"], stdout=full)
    read_end, write_end = os.pipe()
    os.close(read_end)
    s.case("a standard output that is closed", lay.target, 4, ["Broken pipe"], stdout=write_end)
    os.close(write_end)
    small = work / "small"
    small.mkdir()
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode == 0:
        try:
            with contextlib.suppress(OSError), open(small / "filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(4096))
            s.case("no space for the report's file", lay.target, 4, ["No space left", "report.json"], options=["-f", f"json={small}/report.json"],
                   extra=lambda run: f"left: {os.listdir(small)}" if os.listdir(small) != ["filler"] else None)
        finally:
            subprocess.run(["umount", small], check=True)
    else:
        s.skip("no space for the report's file", "needs root, to mount a small file system")


def interrupted(s, work):
    def trickle(pipe):
        info = tarfile.TarInfo("blob")
        info.size = 1 << 40
        pipe.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(2000):
            pipe.write(bytes(512))
            pipe.flush()
            time.sleep(0.01)

    s.case("SIGINT in the middle", "-", 130, ["interrupted"], stdin=trickle, after=(1.0, lambda p: p.send_signal(signal.SIGINT)), limit=10)

    def kill_children(p):
        for pid in family(p.pid)[1:]:
            os.kill(pid, signal.SIGKILL)

    lay = Layout(work / "killed", [tar_of(BASE)])
    lay.layers.append(lay.blob(gzip.compress(bytes(16 * MIB), 9) * 4096, LAYER + "+gzip"))
    lay.diff_ids.append("sha256:" + "1" * 64)
    lay.write()
    s.case("a child that is killed while it reads a layer; the other layer counts", lay.target, 3, ["NOT CHECKED", "killed", "openssl"],
           options=["--list-all-packages"], after=(1.0, kill_children))


def sound(s, work):
    """The same images undamaged: the cases above fail for the reason they say, not for another."""
    good = tar_of(BASE)
    for name, stored, suffix in (("gzip", gzip.compress, "+gzip"), ("plain", None, ""), ("xz", lzma.compress, "+xz")):
        lay = Layout(work / f"good-{name}", [good], stored, suffix)
        s.case(f"an undamaged image, {name}", lay.target, 0, [], options=["-f", "json"], extra=finds_openssl)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    s = Suite(os.path.realpath(sys.argv[1]))
    for group in (sound, blobs, bombs, tars, applications, documents, places, interrupted):
        with tempfile.TemporaryDirectory(prefix="bulkhead-hostile-") as work:
            group(s, pathlib.Path(work))
    print(f"1..{s.n}")
    return 0  # TAP says the rest


if __name__ == "__main__":
    sys.exit(main())
