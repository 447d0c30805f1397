#!/usr/bin/env python3
"""harden_image BULKHEAD: what `harden --image` takes out of layers, changes in them and leaves alone: images made by hand, in the tar formats that builders write, and read back with
Python's tarfile. Real services in real containers: tests/live/harden.py. Prints TAP."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
PROGRAM = (pathlib.Path(__file__).resolve().parents[1] / "corpus/harden/x86_64-static").read_bytes()
CAPABILITY = "\x01\x00\x00\x02\x00 \x00\x00" + "\x00" * 12
tap = Tap()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def entry(path, content=b"", mode=0o644, kind=tarfile.REGTYPE, link="", uid=0, **pax):
    info = tarfile.TarInfo(path)
    info.mode, info.type, info.linkname, info.uid, info.size, info.mtime = mode, kind, link, uid, len(content), 1700000000
    info.pax_headers = {k.replace("__", "."): v for k, v in pax.items()}
    return info, content


def folder(path, mode=0o755, uid=0):
    return entry(path, mode=mode, kind=tarfile.DIRTYPE, uid=uid)


def link(path, target, hard=False):
    return entry(path, kind=tarfile.LNKTYPE if hard else tarfile.SYMTYPE, link=target, mode=0o644 if hard else 0o777)


def tar_of(entries, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as t:
        for info, content in entries:
            t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def write_image(path, layers, config=None, form=tarfile.PAX_FORMAT, docker=False):
    """An OCI layout of layers, lists of entries; docker: what docker save writes, in an archive."""
    tars = [layer if isinstance(layer, bytes) else tar_of(layer, form) for layer in layers]
    settings = {"Entrypoint": ["/bin/tool"], "Env": ["PATH=/usr/bin:/bin"], **(config or {})}
    document = json.dumps({"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z", "docker_version": "20.10", "config": settings,
                           "rootfs": {"type": "layers", "diff_ids": [sha(t) for t in tars]}, "history": [{"created_by": f"layer {i}"} for i in range(len(tars))]}).encode()
    if docker:
        files = {f"{sha(document)[7:]}.json": document, **{f"{i}/layer.tar": t for i, t in enumerate(tars)},
                 "manifest.json": json.dumps([{"Config": f"{sha(document)[7:]}.json", "RepoTags": ["app:v1"], "Layers": [f"{i}/layer.tar" for i in range(len(tars))]}]).encode()}
        path.write_bytes(tar_of([entry(n, d) for n, d in files.items()], tarfile.USTAR_FORMAT))
        return
    blobs = path / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, kind):
        (blobs / sha(data)[7:]).write_bytes(data)
        return {"mediaType": kind, "digest": sha(data), "size": len(data)}
    manifest = put(json.dumps({"schemaVersion": 2, "config": put(document, "application/vnd.oci.image.config.v1+json"),
                               "layers": [put(gzip.compress(t, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for t in tars]}).encode(), "application/vnd.oci.image.manifest.v1+json")
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))


class Made:
    """The image that was written: its documents, every blob compared with its name, and its layers as lists of members."""

    def __init__(self, path):
        files = {}
        if path.is_dir():
            files = {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}
        else:
            with tarfile.open(path) as t:
                files = {m.name: t.extractfile(m).read() for m in t if m.isfile()}
        self.wrong = [n for n, d in files.items() if n.startswith("blobs/sha256/") and sha(d) != "sha256:" + n[13:]]
        blob = lambda d: files["blobs/sha256/" + d["digest"][7:]]  # noqa: E731
        self.index = json.loads(files["index.json"])
        self.manifest = json.loads(blob(self.index["manifests"][0]))
        self.config = json.loads(blob(self.manifest["config"]))
        self.docker = json.loads(files["manifest.json"])
        self.digests = [d["digest"] for d in self.manifest["layers"]]
        self.tars = [gzip.decompress(blob(d)) for d in self.manifest["layers"]]
        self.wrong += [d["digest"] for d in self.manifest["layers"] if d["size"] != len(blob(d))]
        self.wrong += [d for d, t in zip(self.config["rootfs"]["diff_ids"], self.tars) if d != sha(t)]
        self.layers = [{m.name: m for m in tarfile.open(fileobj=io.BytesIO(t))} for t in self.tars]

    def text(self, layer, name):
        with tarfile.open(fileobj=io.BytesIO(self.tars[layer])) as t:
            return t.extractfile(name).read()


def harden(target, out, *options, **kw):
    env = dict(os.environ, SOURCE_DATE_EPOCH="1790000000")
    return subprocess.run([BULKHEAD, "harden", target, "--image", str(out), "--no-compare", *options], capture_output=True, text=True, env=env, **kw)


TOOL = [folder("bin"), entry("bin/tool", PROGRAM, 0o755)]
MODES = TOOL + [entry("bin/su", b"x", 0o4755), entry("bin/wall", b"x", 0o2755, SCHILY__xattr__user__note="kept"), entry("bin/ping", b"x" * 600, 0o755, SCHILY__xattr__security__capability=CAPABILITY,
                SCHILY__xattr__user__note="kept"), entry("opt/" + "long/" * 40 + "name", b"y", 0o666), folder("srv", 0o777), folder("tmp", 0o1777), link("etc/mtab", "/proc/mounts"),
                entry("big-uid", b"z", 0o4711, uid=5000000), entry("kept/su", b"x", 0o4755)]


def test_modes(top):
    for name, form in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
        image, out = top / f"modes-{name}", top / f"modes-{name}-out"
        write_image(image, [MODES], form=form)
        p = harden(f"oci:{image}", out, "--keep", "kept/su")
        made = Made(out) if p.returncode == 0 else None
        if not tap.ok(made and not made.wrong, f"{name}: written, digests and sizes are right", (p, made and made.wrong)):
            continue
        layer = made.layers[0]
        modes = {n: oct(layer[n].mode) for n in ("bin/su", "bin/wall", "srv", "tmp", "opt/" + "long/" * 40 + "name", "big-uid", "kept/su", "bin/tool")}
        tap.ok(list(modes.values()) == ["0o755", "0o755", "0o775", "0o1777", "0o664", "0o711", "0o4755", "0o755"], f"{name}: setuid, setgid and writable for all are gone, the rest of a mode stays", modes)
        tap.ok(layer["big-uid"].uid == 5000000 and layer["etc/mtab"].issym() and layer["bin/ping"].mtime == 1700000000, f"{name}: owners, links and times stay", layer["big-uid"].uid)
        if form == tarfile.PAX_FORMAT:
            notes = [layer[n].pax_headers.get("SCHILY.xattr.user.note") for n in ("bin/wall", "bin/ping")]
            tap.ok(notes == ["kept", "kept"] and b"security.capability" not in made.tars[0], "pax: the capability is gone, other attributes stay", notes)
        tap.ok(made.config["config"]["User"] == "65532:65532" and made.config["config"]["Entrypoint"] == ["/bin/tool"], f"{name}: it is not root", made.config)


def test_layers(top):
    """Content that later layers delete or replace goes; what is another name of something that stays, stays."""
    layers = [TOOL + [entry("secret/key", b"PRIVATE"), entry("gone/a", b"1"), entry("app/old", b"old"), entry("app/first", b"f"), entry("opaque/x", b"x"), entry("dir/was-file", b"x")],
              [entry("secret/.wh.key"), entry(".wh.gone"), entry("app/old", b"new"), link("app/second", "app/first", hard=True), entry("app/.wh.first")],
              [entry("untouched", b"u")],
              [entry("opaque/.wh..wh..opq"), entry("opaque/y", b"y"), folder("dir/was-file")]]
    image, out = top / "layers", top / "layers-out"
    write_image(image, layers)
    before = layers_of(image)
    p = harden(f"oci:{image}", out)
    made = Made(out)
    names = [sorted(layer) for layer in made.layers]
    tap.ok(names[0] == ["app/first", "bin", "bin/tool"], "of what later layers hide nothing is left, but what has another name", (p, names))
    tap.ok(made.text(1, "app/old") == b"new" and "app/second" in made.layers[1] and "secret/.wh.key" in made.layers[1], "later layers keep theirs", names)
    tap.ok(made.digests[1:] == before[1:] and made.digests[0] != before[0], "a layer in which nothing changed is the same blob", (made.digests, before))
    tap.ok(len(made.config["history"]) == 5 and made.config["history"][4]["empty_layer"] and "docker_version" not in made.config, "history goes on", made.config)
    notes = made.manifest["annotations"]
    tap.ok(notes["org.opencontainers.image.base.digest"] == json.loads((image / "index.json").read_text())["manifests"][0]["digest"], "it says what it was made of", notes)
    again = top / "layers-again"
    harden(f"oci:{image}", again)
    tap.ok(Made(again).manifest == made.manifest, "the same image gives the same bytes")


def layers_of(path):
    manifest = json.loads((path / "blobs/sha256" / json.loads((path / "index.json").read_text())["manifests"][0]["digest"][7:]).read_text())
    return [d["digest"] for d in manifest["layers"]]


def stanza(name, **more):
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n" + "".join(f"{k}: {v}\n" for k, v in more.items()) + "\n"


def test_packages(top):
    info = "var/lib/dpkg/info/"
    debian = TOOL + [folder("usr"), folder("usr/bin"), link("sbin", "usr/bin"), entry("usr/bin/apt", b"a" * 100, 0o755), entry("usr/bin/bash", b"b", 0o755), link("usr/bin/rbash", "bash"),
                     link("usr/bin/editor", "/usr/bin/nano"), entry("usr/bin/gcc-12", b"c", 0o755), link("usr/bin/cc-again", "usr/bin/gcc-12", hard=True),
                     entry("usr/bin/wget", b"w", 0o755), entry("usr/share/doc/apt/copyright", b"c"), entry("usr/share/doc/libc6/copyright", b"c"), entry("usr/share/doc/libc6/changelog.gz", b"c"),
                     entry("etc/ssh/ssh_host_ed25519_key", b"k"), entry("root/.bash_history", b"h"), entry("var/lib/apt/lists/x", b"l"), folder("var/lib/dpkg"),
                     entry(info + "apt.list", b"/.\n/usr\n/usr/bin\n/usr/bin/apt\n/usr/share/doc/apt/copyright\n"), entry(info + "apt.postinst", b"#!/bin/sh\n"), entry(info + "apt.md5sums", b""),
                     entry(info + "bash.list", b"/.\n/sbin\n/sbin/bash\n/usr/bin/rbash\n"), entry(info + "gcc-12.list", b"/usr/bin/gcc-12\n"), entry(info + "libc6:amd64.list", b"/lib\n"),
                     entry(info + "wget.list", b"/usr/bin/wget\n"),
                     entry("var/lib/dpkg/status", (stanza("apt", Description="x\n more") + stanza("libc6") + stanza("bash") + stanza("gcc-12") + stanza("wget")).encode(), 0o640)]
    image, out = top / "debian", top / "debian.tar"
    write_image(image, [debian])
    p = harden(f"oci:{image}", out, "--name", "shop:hard", "--keep", "wget", "--profile", str(top / "debian-profile"))
    made = Made(out)
    left = set(made.layers[0])
    gone = {"usr/bin/apt", "usr/bin/bash", "usr/bin/rbash", "usr/share/doc/apt/copyright", "usr/share/doc/libc6/changelog.gz", "etc/ssh/ssh_host_ed25519_key", "root/.bash_history",
            "var/lib/apt/lists/x", info + "apt.list", info + "apt.postinst", info + "apt.md5sums", info + "bash.list", info + "gcc-12.list", "var/lib/dpkg/status"}
    tap.ok(not left & gone and {"sbin", "usr/bin/editor", "usr/bin/gcc-12", "usr/bin/cc-again", "usr/bin/wget", "usr/share/doc/libc6/copyright", info + "libc6:amd64.list"} <= left,
           "dpkg: files of packages go, folders, licences, and what has another name or was to be kept stay", (p, sorted(left)))
    status = made.text(1, "var/lib/dpkg/status").decode()
    tap.ok([line for line in status.splitlines() if line.startswith("Package")] == ["Package: libc6", "Package: wget"] and made.layers[1]["var/lib/dpkg/status"].mode == 0o640,
           "its database lists what is left", status)
    tap.ok(made.docker[0]["RepoTags"] == ["shop:hard"] and len(made.docker[0]["Layers"]) == 2 and made.index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == "shop:hard",
           "as an archive with a name", (made.docker, made.index))
    sbom = subprocess.run([BULKHEAD, "sbom", f"archive:{out}", "-f", "cyclonedx"], capture_output=True, text=True)
    tap.ok('"name": "libc6"' in sbom.stdout and '"name": "bash"' not in sbom.stdout, "and the list of packages of the image says the same", sbom)
    report = (top / "debian-profile/report.txt").read_text()
    tap.ok("usr/bin/bash  (layer 1)" in report and "wget stays" in report, "the report names every path, and what stays", report)
    alpine = TOOL + [entry("sbin/apk", b"a", 0o755), entry("bin/busybox", b"b", 0o755), link("bin/ls", "/bin/busybox"), entry("lib/libz.so", b"z"),
                     entry("lib/apk/db/installed", b"P:apk-tools\nV:2\nF:sbin\nR:apk\n\nP:busybox\nV:1\nF:bin\nR:busybox\n\nP:zlib\nV:1\nF:lib\nR:libz.so\n\n")]
    image, out = top / "alpine", top / "alpine-out"
    write_image(image, [alpine])
    p = harden(f"oci:{image}", out)
    made = Made(out)
    tap.ok(sorted(made.layers[0]) == ["bin", "bin/tool", "lib/libz.so"] and made.text(1, "lib/apk/db/installed") == b"P:zlib\nV:1\nF:lib\nR:libz.so\n\n", "apk: the same", (p, sorted(made.layers[0])))
    script = entry("bin/start", b"#!/bin/sh\nexec tool\n", 0o755)
    write_image(top / "script", [TOOL + [entry("bin/busybox", PROGRAM, 0o755), link("bin/sh", "/bin/busybox"), script, entry("lib/apk/db/installed", b"P:busybox\nV:1\nF:bin\nR:busybox\n\n"),
                                         entry("usr/local/lib/node_modules/npm/index.js", b"n"), link("bin/npm", "../usr/local/lib/node_modules/npm/index.js")]], {"Entrypoint": ["/bin/start"]})
    p = harden(f"oci:{top}/script", top / "script-out")
    left = sorted(Made(top / "script-out").layers[0]) if p.returncode == 0 else []
    tap.ok("bin/busybox" in left and "bin/sh" in left and "bin/npm" not in left and not any("npm/" in n for n in left), "a shell that the entry point needs stays; npm goes with its links", (p, left))


def test_health_check(top):
    """What the health check starts can run, so it stays: its shell, and the programs of its line."""
    layer = TOOL + [entry("bin/busybox", PROGRAM, 0o755), link("bin/sh", "/bin/busybox"), entry("usr/bin/curl", PROGRAM, 0o755), entry("lib/apk/db/installed",
                    b"P:busybox\nV:1\nF:bin\nR:busybox\n\nP:curl\nV:1\nF:usr/bin\nR:curl\n\n")]
    for test, left in (["CMD-SHELL", "curl -f http://localhost/ || exit 1"], {"bin/busybox", "bin/sh", "usr/bin/curl"}), (["CMD", "/usr/bin/curl", "-f", "x"], {"usr/bin/curl"}), (["NONE"], set()), (None, set()):
        image, out = top / f"health-{test and test[0]}", top / f"health-{test and test[0]}-out"
        write_image(image, [layer], {"Healthcheck": {"Test": test}} if test else {})
        p = harden(f"oci:{image}", out)
        made = Made(out) if p.returncode == 0 else None
        kept = set(made.layers[0]) & {"bin/busybox", "bin/sh", "usr/bin/curl"} if made else p
        tap.ok(kept == left, f"health check {test}", (kept, p))


def test_owners(top):
    image, out = top / "owners", top / "owners-out"
    write_image(image, [TOOL + [folder("data"), entry("data/file", b"1", uid=3), entry("database", b"2"), entry("etc/passwd", b"app:x:1000:1000::/:/bin/false\n")]],
                {"Volumes": {"/data": {}, "/new": {}}, "Healthcheck": {"Test": ["CMD", "/bin/tool"], "Interval": 5000000000}, "StopSignal": "SIGQUIT", "OnBuild": ["RUN x"], "Labels": {"a": "b\u00e9"}})
    p = harden(f"oci:{image}", out, "--user", "app")
    made = Made(out)
    owners = {n: (m.uid, m.gid) for n, m in made.layers[0].items()}
    tap.ok(owners["data"] == owners["data/file"] == (1000, 1000) and owners["database"] == (0, 0), "folders with data are the user's", (p, owners))
    tap.ok(made.layers[1]["new"].isdir() and made.layers[1]["new"].uid == 1000, "a volume that is not there is made", sorted(made.layers[1]))
    config = made.config["config"]
    tap.ok(config["User"] == "1000:1000" and config["Healthcheck"]["Interval"] == 5000000000 and config["StopSignal"] == "SIGQUIT" and config["Labels"] == {"a": "b\u00e9"} and "OnBuild" not in config,
           "the configuration says how to run, and nothing of the build", config)


def test_sources(top):
    archive = top / "saved.tar"
    write_image(archive, [MODES, [entry("bin/.wh.su")]], docker=True)
    p = harden(f"archive:{archive}", top / "saved-out")
    made = Made(top / "saved-out") if p.returncode == 0 else None
    tap.ok(made and not made.wrong and "bin/su" not in made.layers[0] and len(made.layers) == 2, "an archive of docker save", p)
    with open(archive, "rb") as f:
        p = subprocess.run([BULKHEAD, "harden", "-", "--image", str(top / "stdin-out"), "--no-compare"], stdin=subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE).stdout, capture_output=True,
                           text=True, env=dict(os.environ, SOURCE_DATE_EPOCH="1790000000"))
    tap.ok(p.returncode == 0 and Made(top / "stdin-out").digests == made.digests, "from a pipe", p)
    packed = top / "saved.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    p = harden(f"archive:{packed}", top / "packed-out")
    tap.ok(p.returncode == 2 and "uncompressed" in p.stderr and not (top / "packed-out").exists(), "a compressed archive is refused, and says so", p)
    sparse = top / "sparse"
    with open(sparse, "wb") as f:
        f.truncate(1 << 20)
        f.seek(500000)
        f.write(b"here")
    os.chmod(sparse, 0o4755)
    for form in ("gnu", "pax"):
        subprocess.run(["tar", "-C", str(top), "--sparse", f"--format={form}", "-cf", str(top / "sparse.tar"), "sparse"], check=True)
        write_image(top / f"sparse-{form}", [TOOL, (top / "sparse.tar").read_bytes()])
        p = harden(f"oci:{top}/sparse-{form}", top / f"sparse-{form}-out")
        made = Made(top / f"sparse-{form}-out")
        tap.ok(made.layers[1]["sparse"].mode == 0o755 and made.text(1, "sparse") == sparse.read_bytes(), f"a sparse file ({form}) keeps its content", p)


def test_patch(top):
    """Whatever the end of the Dockerfile looks like, patch(1) applies it; no byte of a hostile image becomes a part of a command."""
    hostile = stanza("apt") + stanza("libapt-pkg$(touch /pwned)") + stanza("bash")
    image = top / "patch"
    info = "var/lib/dpkg/info/"
    write_image(image, [TOOL + [entry("usr/bin/apt", b"a", 0o755), entry(info + "apt.list", b"/usr/bin/apt\n"), entry(info + "libapt-pkg$(touch /pwned).list", b"/usr/lib/$(touch /pwned)\n"),
                                entry("var/lib/dpkg/status", hostile.encode())]], {"Volumes": {"/a b;touch pwned": {}, "/data": {}}})
    for n, text in enumerate(("FROM x\n", "FROM x", "FROM x\nRUN a\nRUN b\nRUN c\nCMD d", "FROM x\nRUN a\nRUN b\nRUN c\n\n", "FROM x\nRUN <<E\na\nE\n")):
        dockerfile, profile = top / f"Dockerfile-{n}", top / f"patch-{n}"
        dockerfile.write_text(text)
        p = harden(f"oci:{image}", top / f"patch-out-{n}", "--profile", str(profile), "--dockerfile", str(dockerfile))
        made = (profile / "Dockerfile.patch").read_text() if p.returncode == 0 else ""
        applied = subprocess.run(["patch", "-p0", "-d", "/", str(dockerfile)], input=made, capture_output=True, text=True)
        after = dockerfile.read_text()
        tap.ok(applied.returncode == 0 and after.startswith(text) and after.endswith("USER 65532:65532\n") and "packages='apt'" in after and "mkdir -p data" in after and "pwned" not in after,
               f"a Dockerfile that ends with {text[-8:]!r}", (p, applied, after))
    p = harden(f"oci:{image}", top / "patch-none", "--profile", str(top / "patch-none-profile"), "--dockerfile", str(top / "nowhere"))
    tap.ok(p.returncode == 2 and "nowhere" in p.stderr and not list(top.glob("patch-none*")), "no Dockerfile there", p)


def test_errors(top):
    image = top / "errors"
    write_image(image, [TOOL])
    (top / "there").mkdir()
    (top / "there/file").write_text("mine")
    p = harden(f"oci:{image}", top / "there")
    tap.ok(p.returncode == 2 and "there already" in p.stderr and (top / "there/file").read_text() == "mine", "a folder with something in it is left alone", p)
    p = harden(f"oci:{image}", top / "no/such/folder/out")
    tap.ok(p.returncode != 0 and "no/such/folder" in p.stderr, "a folder that is nowhere", p)
    p = harden(f"rootfs:{top}", top / "out-of-folder", "--program", "tool")
    tap.ok(p.returncode == 2 and "needs an image" in p.stderr and not (top / "out-of-folder").exists(), "a folder is no image", p)
    for options, text in ((["--verify", "true"], "say both"), (["--user", "nobody-there"], "user database")):
        p = harden(f"oci:{image}", top / "unused", *options)
        tap.ok(p.returncode == 2 and text in p.stderr and not list(top.glob("unused*")), f"{options[0]}: {text}", p)
    p = subprocess.run([BULKHEAD, "harden", f"oci:{image}", "--keep", "x", "--profile", str(top / "unused")], capture_output=True, text=True)
    tap.ok(p.returncode == 2 and "about --image" in p.stderr, "--keep without --image", p)
    p = subprocess.run([BULKHEAD, "harden", f"oci:{image}"], capture_output=True, text=True)
    tap.ok(p.returncode == 2 and "--image DIR" in p.stderr, "nothing to write", p)
    blob = image / "blobs/sha256" / layers_of(image)[0][7:]
    blob.write_bytes(blob.read_bytes()[:-20])
    p = harden(f"oci:{image}", top / "damaged-out")
    tap.ok(p.returncode in (2, 4) and "layer 1" in p.stderr and not list(top.glob("damaged-out*")), "half a layer is no image: nothing is left behind", (p, list(top.glob("damaged-out*"))))
    write_image(top / "plain-damage", [TOOL, b"no tar at all" * 100])
    p = harden(f"oci:{top}/plain-damage", top / "damaged-out")
    tap.ok(p.returncode in (2, 4) and "layer 2" in p.stderr and "tar" in p.stderr and not list(top.glob("damaged-out*")), "a layer that is no archive", p)
    p = harden(f"oci:{top}/modes-pax", top / "verified-out", "--profile", str(top / "verified"), "--verify", "true", "--engine", "no-such-engine")
    tap.ok(p.returncode in (2, 4) and "no-such-engine" in p.stderr and not list(top.glob("verified-out*")), "an engine that is not there: the image is not kept", p)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp)
        for test in (test_modes, test_layers, test_packages, test_health_check, test_owners, test_sources, test_patch, test_errors):
            test(top)
    print(f"1..{tap.n}")
    sys.exit(1 if tap.failed else 0)


main()
