#!/usr/bin/env python3
"""Compare what image_read() sees with what umoci unpacks, and try what breaks images.

usage: images.py IMAGE-PROBE [--keep DIR] [--seeds N]

Images are made here with Python's tarfile, converted by skopeo, and unpacked by umoci, which shares no code with us. Every
regular file of the unpacked root file system must be listed as visible with its size and SHA-256 (of hard links to one file,
at least one), and nothing else. Then the same image in every form that tools write must give the same listing, and damaged
ones a clear answer. Exit code 77: a tool is missing.
"""
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EXIT = {"truncated": 3, "malformed": 4, "limit": 5, "unsupported": 6, "not-found": 7, "usage": 8, "mismatch": 9, "cancelled": 10}
failures = []
passed = 0


def sha(b):
    return hashlib.sha256(b).hexdigest()


def check(ok, what, detail=""):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(what)
        print(f"FAILED: {what}\n{detail}", file=sys.stderr)


def run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw).stdout.decode()


# ---- making images ----

def tar_layer(entries, fmt=tarfile.PAX_FORMAT):
    """entries: (kind, path, argument); kinds f d l h c p."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as t:
        for kind, path, arg in entries:
            i = tarfile.TarInfo(path)
            i.mode = 0o755 if kind == "d" else 0o644
            data = None
            if kind == "f":
                data = arg if isinstance(arg, bytes) else arg.encode()
                i.size = len(data)
            elif kind == "d":
                i.type = tarfile.DIRTYPE
            elif kind in "lh":
                i.type = tarfile.SYMTYPE if kind == "l" else tarfile.LNKTYPE
                i.linkname = arg
            elif kind == "c":
                i.type, i.devmajor, i.devminor = tarfile.CHRTYPE, 1, 3
            else:
                i.type = tarfile.FIFOTYPE
            t.addfile(i, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(f"{path}/blobs/sha256")
        with open(f"{path}/oci-layout", "w") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []

    def blob(self, data, media_type, **extra):
        with open(f"{self.path}/blobs/sha256/{sha(data)}", "wb") as f:
            f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + sha(data), "size": len(data), **extra}

    def doc(self, value, media_type, **extra):
        return self.blob(json.dumps(value).encode(), media_type, **extra)

    def image(self, layers, arch="amd64", compress=gzip.compress, suffix="+gzip", **extra):
        blobs = [self.blob(compress(t) if compress else t, LAYER + (suffix if compress else "")) for t in layers]
        config = {"os": "linux", "architecture": arch, "created": "2024-01-02T03:04:05Z", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(t) for t in layers]},
                  "history": [{"created_by": f"step {i}"} for i in range(len(layers))]}
        return self.doc({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.doc(config, CONFIG), "layers": blobs}, MANIFEST, **extra)

    def index(self, *manifests):
        with open(f"{self.path}/index.json", "w") as f:
            json.dump({"schemaVersion": 2, "manifests": list(manifests)}, f)
        return self.path


def name(n):
    return {"annotations": {"org.opencontainers.image.ref.name": n}}


# ---- reading them ----

class Result:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds
        self.files, self.hidden, self.incomplete, self.layers = {}, [], [], []
        self.target = ""
        for line in out.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "F":
                layer, mark, size, digest, path = rest.split(" ", 4)
                # the probe escapes what terminals must not see, byte by byte
                path = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), path.encode()).decode()
                if mark == "+":
                    self.files[path] = (int(size), digest)
                else:
                    self.hidden.append((layer, path))
            elif kind == "I":
                self.incomplete.append(rest)
            elif kind == "L":
                self.layers.append(rest)
            elif kind == "T":
                self.target = rest


def probe(*args, stdin=None, feed=None, timeout=120):
    start = time.time()
    p = subprocess.Popen([PROBE, *args], stdin=subprocess.PIPE if feed is not None else stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = p.communicate(feed, timeout=timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        return Result(-99, out.decode(errors="replace"), "timeout", timeout)
    return Result(p.returncode, out.decode(errors="replace"), err.decode(errors="replace"), time.time() - start)


def unpacked_files(root):
    """path -> (size, sha256, inode) of regular files."""
    found = {}
    for folder, _, files in os.walk(root):
        for f in files:
            p = os.path.join(folder, f)
            st = os.lstat(p)
            if not os.path.islink(p) and os.path.isfile(p):
                with open(p, "rb") as h:
                    found[os.path.relpath(p, root)] = (st.st_size, sha(h.read()), st.st_ino)
    return found


def umoci_unpack(layout, tag, where):
    args = ["umoci", "unpack"] + (["--rootless"] if os.geteuid() else []) + ["--image", f"{layout}:{tag}", where]
    run(args)
    return unpacked_files(f"{where}/rootfs")


def compare(what, result, truth):
    problems = []
    listed_inodes = set()
    for path, (size, digest) in result.files.items():
        if path not in truth:
            problems.append(f"listed but not there: {path}")
        elif truth[path][:2] != (size, digest):
            problems.append(f"other content: {path}")
        else:
            listed_inodes.add(truth[path][2])
    problems += [f"not listed: {p}" for p, t in truth.items() if t[2] not in listed_inodes]
    problems += [f"incomplete: {i}" for i in result.incomplete]
    if result.code:
        problems.append(f"exit {result.code}: {result.err}")
    check(not problems, what, "\n".join(problems[:20]))


def compare_watched(what, result, truth):
    """Whoever watches sees each file once, under the name it was stored as; hard links to one that was deleted keep its content."""
    contents = {(int(line.split(" ")[3]), line.split(" ")[4]) for line in result.out.splitlines() if line.startswith("F ")}
    texts = [p for p in result.files if p.startswith("config:")]
    problems = [f"watched but not there: {p}" for p in result.files if p not in truth and p not in texts]
    if len([line for line in result.layers if " step " in line]) > len([p for p in texts if p.startswith("config:created_by/")]):
        problems.append(f"of the configuration only {texts} was watched")
    problems += [f"other content: {p}" for p, t in result.files.items() if p in truth and truth[p][:2] != t]
    problems += [f"not watched: {p}" for p, t in truth.items() if p not in result.files and t[:2] not in contents]
    check(not problems and result.code == 0 and result.files, what + ", watched", "\n".join(problems[:20]) or result.err)


# ---- random overlays ----

def random_layers(rng):
    """Layers over a small set of names, so that they collide often. Never an entry below a link: tools differ there."""
    names = ["a", "b", "c", "d"]
    tree = {}  # path -> kind, of the merged view so far
    layers = []

    def below(p):
        return [q for q in tree if q.startswith(p + "/")]

    def forget(p):
        for q in below(p) + [p]:
            tree.pop(q, None)

    for number in range(rng.randint(1, 5)):
        entries, mine, whited = [], {}, set()
        for _ in range(rng.randint(1, 12)):
            parts = [rng.choice(names) for _ in range(rng.randint(1, 3))]
            path = "/".join(parts)
            parents = ["/".join(parts[:i]) for i in range(1, len(parts))]
            action = rng.random()
            if any(tree.get(p, "d") != "d" for p in parents):
                continue
            if action < 0.18 and number and path in tree and path not in mine and not any(m.startswith(path + "/") for m in mine):
                entries.append(("f", "/".join(parents[-1:] + [".wh." + parts[-1]]), ""))
                forget(path)
                whited.add(path)
                continue
            if action < 0.24 and number and tree.get(path) == "d":
                for q in below(path):
                    if q not in mine:
                        forget(q) if not any(m.startswith(q + "/") for m in mine) else None
                entries.append(("d", path, None))
                entries.append(("f", path + "/.wh..wh..opq", ""))
                mine[path] = "d"
                continue
            if path in whited or any(path.startswith(w + "/") or w.startswith(path + "/") for w in whited):
                continue  # tools disagree about what was whited out and made anew in one layer, in either order
            for p in parents:
                if p not in mine and p not in tree:
                    entries.append(("d", p, None))
                    tree[p] = mine[p] = "d"
            if action < 0.36:
                if tree.get(path) != "d":
                    forget(path)
                entries.append(("d", path, None))
                tree[path] = mine[path] = "d"
            elif action < 0.48:
                forget(path)
                entries.append(("l", path, rng.choice(["a", "../b", "/c/d", "nowhere"])))
                tree[path] = mine[path] = "l"
            elif action < 0.60 and [q for q in tree if tree[q] == "f" and q != path and not q.startswith(path + "/")]:
                target = rng.choice(sorted(q for q in tree if tree[q] == "f" and q != path and not q.startswith(path + "/")))
                forget(path)
                entries.append(("h", path, target))
                tree[path] = mine[path] = "f"
            else:
                forget(path)
                entries.append(("f", path, f"{number} {path} {rng.random()}"))
                tree[path] = mine[path] = "f"
        layers.append(tar_layer(entries))
    return layers


def random_overlays(top, seeds):
    for seed in range(seeds):
        layers = random_layers(random.Random(seed))
        layout = Layout(f"{top}/random-{seed}")
        layout.index(layout.image(layers, **name("x")))
        truth = umoci_unpack(layout.path, "x", f"{top}/random-{seed}-root")
        compare(f"random overlay, seed {seed}", probe("--all", layout.path), truth)
        compare_watched(f"random overlay, seed {seed}", probe("--watch", layout.path), truth)
        shutil.rmtree(layout.path)
        shutil.rmtree(f"{top}/random-{seed}-root")


# ---- one image in every form ----

def real_layers():
    """A base of real files of this machine, and changes to it."""
    base = []
    for folder in ["/etc", "/usr/share/doc/base-files", "/usr/lib/tmpfiles.d"]:
        for where, dirs, files in os.walk(folder):
            dirs.sort()
            base.append(("d", where.lstrip("/"), None))
            for f in sorted(files)[:40]:
                p = os.path.join(where, f)
                if os.path.islink(p):
                    base.append(("l", p.lstrip("/"), os.readlink(p)))
                elif os.path.isfile(p) and os.access(p, os.R_OK) and "shadow" not in p and "ssl/private" not in p:
                    with open(p, "rb") as h:
                        base.append(("f", p.lstrip("/"), h.read()))
        if len(base) > 1500:
            break
    base += [("d", "bin", None), ("f", "bin/true", open(shutil.which("true"), "rb").read()), ("h", "bin/alias", "bin/true"),
             ("f", "x" * 90 + "/" + "y" * 120 + "/long name", "pax"), ("f", "ünïcode/\u200bname", "utf-8"), ("c", "dev/null", None), ("p", "fifo", None)]
    second = [("f", "etc/hostname", "changed"), ("f", "etc/.wh.fstab", ""), ("d", "usr/share/doc/base-files", None),
              ("f", "usr/share/doc/base-files/.wh..wh..opq", ""), ("f", "usr/share/doc/base-files/new", "new"), ("f", "big", b"0123456789" * 500000)]
    empty = []
    last = [("f", ".wh.big", ""), ("f", "last", "last"), ("h", "last-too", "last")]
    return [tar_layer(base), tar_layer(second, tarfile.GNU_FORMAT), tar_layer(empty), tar_layer(last, tarfile.USTAR_FORMAT)]


def tar_folder(folder, to):
    run(["tar", "-C", folder, "-cf", to] + sorted(os.listdir(folder)))
    return to


def add_member(t, path, data):
    i = tarfile.TarInfo(path)
    i.size = len(data)
    t.addfile(i, io.BytesIO(data))


def old_docker_save(layers, to):
    """As Docker 1.10 to 24 wrote it: a folder for each layer, an equal layer as a symbolic link, the manifest last."""
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(t) for t in layers]}}).encode()
    with tarfile.open(to, "w") as t:
        names, seen = [], {}
        add_member(t, sha(config) + ".json", config)
        for n, layer in enumerate(layers):
            folder = sha(b"folder %d" % n)
            d = tarfile.TarInfo(folder)
            d.type, d.mode = tarfile.DIRTYPE, 0o755
            t.addfile(d)
            add_member(t, folder + "/VERSION", b"1.0")
            add_member(t, folder + "/json", b"{}")
            if layer in seen:
                link = tarfile.TarInfo(folder + "/layer.tar")
                link.type, link.linkname = tarfile.SYMTYPE, f"../{seen[layer]}/layer.tar"
                t.addfile(link)
            else:
                add_member(t, folder + "/layer.tar", layer)
                seen[layer] = folder
            names.append(folder + "/layer.tar")
        add_member(t, "manifest.json", json.dumps([{"Config": sha(config) + ".json", "RepoTags": ["x:1"], "Layers": names}]).encode())
        add_member(t, "repositories", b'{"x":{"1":"%s"}}' % sha(b"folder 3").encode())
    return to


def kaniko(layers, to):
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(t) for t in layers]}}).encode()
    with tarfile.open(to, "w") as t:
        add_member(t, "sha256:" + sha(config), config)
        names = []
        for layer in layers:
            z = gzip.compress(layer)
            if sha(z) + ".tar.gz" not in names:
                add_member(t, sha(z) + ".tar.gz", z)
            names.append(sha(z) + ".tar.gz")
        add_member(t, "manifest.json", json.dumps([{"Config": "sha256:" + sha(config), "RepoTags": ["x:1"], "Layers": names}]).encode())
    return to


def every_form(top):
    layers = real_layers()
    layers.insert(3, layers[2])  # one layer twice
    layout = Layout(f"{top}/oci")
    layout.index(layout.image(layers, **name("x")))
    truth = umoci_unpack(layout.path, "x", f"{top}/root")
    first = probe("--all", layout.path)
    compare("oci layout, gzip", first, truth)
    check(len(first.layers) == 5 and first.layers[1].endswith("step 1"), "layers and their history", "\n".join(first.layers))
    forms = {}

    def skopeo(to, *more):
        run(["skopeo", "copy", "--insecure-policy", *more, f"oci:{layout.path}:x", to])
        return to.split(":", 1)[1].split(":")[0]

    forms["oci layout, zstd"] = skopeo(f"oci:{top}/zstd:x", "--dest-compress", "--dest-compress-format", "zstd")
    plain = Layout(f"{top}/plain")
    forms["oci layout, uncompressed"] = plain.index(plain.image(layers, compress=None))
    forms["oci-archive of skopeo"] = skopeo(f"oci-archive:{top}/skopeo-oci.tar:x")
    forms["docker-archive of skopeo"] = skopeo(f"docker-archive:{top}/skopeo-docker.tar:x:1")
    forms["oci-archive of tar"] = tar_folder(layout.path, f"{top}/oci.tar")
    forms["docker save, old"] = old_docker_save(layers, f"{top}/old.tar")
    forms["kaniko"] = kaniko(layers, f"{top}/kaniko.tar")
    # Docker 25 and later: a layout that has manifest.json too
    config = json.load(open(f"{plain.path}/index.json"))["manifests"][0]["digest"][7:]
    m = json.load(open(f"{plain.path}/blobs/sha256/{config}"))
    with open(f"{plain.path}/manifest.json", "w") as f:
        json.dump([{"Config": "blobs/sha256/" + m["config"]["digest"][7:], "RepoTags": ["x:1"],
                    "Layers": ["blobs/sha256/" + l["digest"][7:] for l in m["layers"]]}], f)
    forms["docker save, new"] = tar_folder(plain.path, f"{top}/new.tar")
    shutil.copytree(plain.path, f"{top}/plain-docker")
    os.remove(f"{top}/plain-docker/index.json")
    forms["docker save, new, without index.json"] = tar_folder(f"{top}/plain-docker", f"{top}/new-docker.tar")
    for what, path in list(forms.items()):
        if not path.endswith(".tar"):
            continue
        data = open(path, "rb").read()
        for suffix, pack in (("gz", gzip.compress), ("xz", lzma.compress), ("zst", lambda d: subprocess.run(["zstd", "-q"], input=d, stdout=subprocess.PIPE, check=True).stdout)):
            with open(f"{path}.{suffix}", "wb") as f:
                f.write(pack(data))
            forms[f"{what}, {suffix}"] = f"{path}.{suffix}"
    for what, path in forms.items():
        compare(what, probe("--all", path), truth)
        compare_watched(what, probe("--watch", path), truth)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                compare(what + ", standard input is the file", probe("--all", "-", stdin=f), truth)
            compare(what + ", from a pipe", probe("--all", "-", feed=open(path, "rb").read()), truth)
    compare("directory", probe("--all", f"{top}/root/rootfs"), {p: t for p, t in truth.items()})
    compare_watched("directory", probe("--watch", f"{top}/root/rootfs"), truth)
    one, again = probe("--all", "--parallel", "1", layout.path), probe("--all", "--parallel", "5", layout.path)
    check(one.out == first.out == again.out, "the same result for 1, 2 and 5 layers at a time")
    return layout, layers


# ---- links: what packages need ----

def links(top):
    status = "Package: a\nVersion: 1\n"
    cases = {
        "status behind a linked folder": [[("l", "var/lib/dpkg", "/opt/db"), ("f", "opt/db/status", status)]],
        "status behind a link, two layers": [[("f", "opt/db", status)], [("l", "var/lib/dpkg/status", "../../../opt/db")]],
        "hard link to another layer": [[("f", "ostree/1", status)], [("h", "var/lib/dpkg/status", "ostree/1")]],
    }
    for what, layers in cases.items():
        layout = Layout(f"{top}/links-{sha(what.encode())[:8]}")
        layout.index(layout.image([tar_layer(l) for l in layers]))
        archive = tar_folder(layout.path, layout.path + ".tar")
        z = archive + ".gz"
        with open(z, "wb") as f:
            f.write(gzip.compress(open(archive, "rb").read()))
        for form in (layout.path, archive, z):
            r = probe(form)
            check(r.files.get("var/lib/dpkg/status") == (len(status), sha(status.encode())) and not r.incomplete, f"{what}: {form.rsplit('.')[-1]}", r.out + r.err)
        r = probe("-", feed=open(z, "rb").read())
        check("var/lib/dpkg/status" not in r.files and any("scan the archive as a file" in i for i in r.incomplete), f"{what}: a pipe says that it can't go back",
              r.out + r.err)


# ---- platforms and names ----

def platforms(top):
    layout = Layout(f"{top}/platforms")

    def one(arch, variant=None):
        p = {"os": "linux", "architecture": arch, **({"variant": variant} if variant else {})}
        return layout.image([tar_layer([("f", "arch", arch)])], arch=arch, platform=p)

    attestation = layout.doc({"schemaVersion": 2}, MANIFEST, platform={"os": "unknown", "architecture": "unknown"})
    index = layout.doc({"schemaVersion": 2, "mediaType": INDEX, "manifests": [one("s390x"), one("arm64", "v8"), attestation]}, INDEX)
    nested = layout.doc({"schemaVersion": 2, "manifests": [index]}, INDEX, **name("multi:1"))
    layout.index(nested, layout.image([tar_layer([("f", "arch", "single")])], **name("single:1")))
    for args, want in ((["--ref", "multi:1", "--platform", "linux/arm64"], "arm64"), (["--ref", "multi:1", "--platform", "s390x"], "s390x"),
                       (["--ref", "single:1"], "single")):
        for form in (layout.path, tar_folder(layout.path, f"{top}/platforms.tar")):
            r = probe("--all", *args, form)
            check(r.files.get("arch") == (len(want), sha(want.encode())), f"platform {args} {form}", r.out + r.err)
    r = probe(layout.path)
    check(r.code == EXIT["usage"] and "multi:1, single:1" in r.err, "several images: names are listed", r.err)
    r = probe("--ref", "multi:1", "--platform", "linux/riscv64", layout.path)
    check(r.code == EXIT["not-found"] and "linux/s390x, linux/arm64" in r.err, "platform that is not there", r.err)


# ---- what breaks images ----

def expect_error(what, result, kind, text):
    check(result.code == EXIT[kind] and text in result.err, f"bad input: {what}", f"exit {result.code}, {result.seconds:.1f} s\n{result.err}\n{result.out[:500]}")


def expect_incomplete(what, result, text):
    check(result.code == 0 and any(text in i for i in result.incomplete), f"bad input: {what}",
          f"exit {result.code}\n{result.err}\n" + "\n".join(result.incomplete[:5]))


def copy_layout(layout, to):
    shutil.copytree(layout.path, to)
    index = json.load(open(f"{to}/index.json"))
    manifest = json.load(open(f"{to}/blobs/sha256/{index['manifests'][0]['digest'][7:]}"))
    return to, index, manifest


def rewrite(path, change):
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(change(data))


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]


def bad_input(top, layout):
    def fresh(what):
        where, index, manifest = copy_layout(layout, f"{top}/bad-{sha(what.encode())[:10]}")
        return where, index, manifest, lambda d: f"{where}/blobs/sha256/{d['digest'][7:]}"

    where, _, m, blob = fresh("truncated layer")
    rewrite(blob(m["layers"][0]), lambda d: d[:len(d) // 2])
    r = probe("--all", where)
    expect_incomplete("truncated layer", r, "truncated: ")
    check("last" in r.files and len(r.files) > 3, "the rest of an image with a truncated layer is read", r.out[:300])
    rewrite(blob(m["layers"][0]), lambda d: b"")
    expect_incomplete("emptied layer", probe("--all", where), "truncated: 0 of")
    os.remove(blob(m["layers"][0]))
    expect_incomplete("missing layer", probe("--all", where), "the layer's blob is not inside")

    where, _, m, blob = fresh("flipped layer")
    rewrite(blob(m["layers"][1]), lambda d: flip(d, len(d) // 2))
    r = probe("--all", where)
    expect_error("flipped bit in a layer", r, "mismatch", m["layers"][1]["digest"] + " was expected")
    expect_error("flipped bit, archive in a pipe", probe("--all", "-", feed=open(tar_folder(where, where + ".tar"), "rb").read()), "mismatch", "was expected")

    where, index, m, blob = fresh("flipped manifest")
    rewrite(blob(index["manifests"][0]), lambda d: flip(d, 40))
    expect_error("flipped bit in the manifest", probe(where), "mismatch", index["manifests"][0]["digest"] + " was expected")
    os.remove(blob(index["manifests"][0]))
    expect_error("missing manifest", probe(where), "not-found", "is listed but not inside")

    wrong = Layout(f"{top}/bad-diffid")
    t = tar_layer([("f", "a", "b")])
    config = wrong.doc({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:" + "1" * 64]}}, CONFIG)
    wrong.index(wrong.doc({"config": config, "layers": [wrong.blob(gzip.compress(t), LAYER + "+gzip")]}, MANIFEST))
    r = probe(wrong.path)
    expect_error("wrong diffID", r, "mismatch", f"its diffID is sha256:{sha(t)} but sha256:{'1' * 64} was expected")

    broken = Layout(f"{top}/bad-made")  # packed broken: the digest is right
    z = gzip.compress(t)
    z = z[:-6] + b"XXXXXX"
    config = broken.doc({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:" + sha(t)]}}, CONFIG)
    broken.index(broken.doc({"config": config, "layers": [broken.blob(z, LAYER + "+gzip")]}, MANIFEST))
    expect_incomplete("layer that was damaged before it was packed", probe("--all", broken.path), "gzip")

    for what, data, kind, text in (
        ("empty archive", b"", "malformed", "is empty"),
        ("text", b"hello\n" * 500, "malformed", "not an image archive"),
        ("zeros", bytes(20000), "malformed", "not an image archive"),
        ("a tar that is no image", tar_layer([("f", "README", "x")]), "malformed", "neither index.json (OCI) nor manifest.json"),
        ("deep JSON", tar_layer([("f", "index.json", "[" * 100000)]), "limit", "index.json"),
        ("deep JSON objects", tar_layer([("f", "manifest.json", '{"a":' * 100000)]), "limit", "manifest.json"),
        ("JSON cut short", tar_layer([("f", "manifest.json", '[{"Config"')]), "truncated", "manifest.json"),
        ("huge JSON", tar_layer([("f", "manifest.json", b" " * (17 << 20))]), "limit", "too large"),
        ("gzip of nothing", gzip.compress(b""), "malformed", "not an image archive"),
    ):
        path = f"{top}/bad.tar"
        with open(path, "wb") as f:
            f.write(data)
        for form, r in (("file", probe(path)), ("pipe", probe("-", feed=data))):
            expect_error(f"{what}, {form}", r, kind, "is empty" if what == "empty archive" else text)

    archive = tar_folder(layout.path, f"{top}/cut.tar")
    size = os.path.getsize(archive)
    for part in (3, 2):
        with open(f"{top}/cut-{part}.tar", "wb") as f:
            f.write(open(archive, "rb").read()[:size * (part - 1) // part])
        for form, r in (("file", probe("--all", f"{top}/cut-{part}.tar")), ("pipe", probe("--all", "-", feed=open(f"{top}/cut-{part}.tar", "rb").read()))):
            good = r.code in (0, 3, 4, 7) and (r.incomplete or "damaged" in r.err or "ends" in r.err)
            check(good, f"bad input: archive cut at {part - 1}/{part}, {form}", f"{r.code} {r.err} {r.incomplete[:3]}")

    expect_error("no such file", probe(f"{top}/missing"), "not-found", "no such file")
    os.mkfifo(f"{top}/fifo")
    check("FIFO" in probe(f"{top}/fifo", timeout=20).err, "bad input: a FIFO")
    check("device" in probe("/dev/zero", timeout=20).err, "bad input: a device")
    expect_error("archive: of a folder", probe("--kind", "archive", top), "usage", "is a folder")
    expect_error("oci: of a file", probe("--kind", "oci", f"{top}/bad.tar"), "usage", "is not a folder")
    expect_error("oci: of another folder", probe("--kind", "oci", "/etc"), "not-found", "no index.json")
    expect_error("a bad platform", probe("--platform", "linux/", layout.path), "usage", "is not of the form")

    long = Layout(f"{top}/bad-names")
    entries = [("f", "a" * 100000, "x"), ("f", "../../../etc/passwd", "evil"), ("f", "/abs", "1"), ("c", "dev/sda", None), ("p", "pipe", None),
               ("l", "loop", "loop"), ("l", "etc/os-release", "../usr/lib/os-release"), ("l", "usr/lib/os-release", "/etc/os-release"),
               ("f", "x/../y", "2"), ("f", "z/" * 2500 + "deep", "3")]
    long.index(long.image([tar_layer(entries)]))
    r = probe("--all", long.path)
    expect_incomplete("names that no file system can hold", r, "2 entries with names that no file system can hold were skipped")
    check(set(r.files) == {"etc/passwd", "abs", "y"}, "bad input: names", r.out)

    bomb = Layout(f"{top}/bad-bomb")
    zeros = subprocess.run("head -c 1G /dev/zero | gzip -1", shell=True, stdout=subprocess.PIPE, check=True).stdout
    config = bomb.doc({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:" + sha(zeros)]}}, CONFIG)
    bomb.index(bomb.doc({"config": config, "layers": [bomb.blob(gzip.compress(zeros, 1), LAYER + "+gzip"), ]}, MANIFEST))
    expect_incomplete("gzip in gzip in place of a tar", probe("--all", bomb.path), "tar")


def resident_kib():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def many_entries(count):
    """An archive in a pipe whose one layer has `count` entries; the bytes are made while they are read."""
    block = bytearray(tar_layer([("f", "d/0000000000", "")])[:512])

    def header(n):
        h = block[:]
        h[0:12] = b"d/%010d" % n
        h[148:156] = b" " * 8
        h[148:156] = b"%06o\0 " % sum(h)
        return bytes(h)

    digest = hashlib.sha256()
    p = subprocess.Popen([PROBE, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    head = tarfile.TarInfo("layer.tar")
    head.size = count * 512 + 1024
    p.stdin.write(head.tobuf(tarfile.GNU_FORMAT))
    base = sum(block[0:148]) + sum(block[156:512]) + 8 * 32 - sum(block[2:12])
    for start in range(0, count, 20000):
        part = bytearray()
        for n in range(start, min(start + 20000, count)):
            text = b"%010d" % n
            part += block[:2] + text + block[12:148] + b"%06o\0 " % (base + sum(text)) + block[156:]
        digest.update(part)
        p.stdin.write(part)
    end = bytes(1024)
    digest.update(end)
    p.stdin.write(end)
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:" + digest.hexdigest()]}}).encode()
    tail = io.BytesIO()
    with tarfile.open(fileobj=tail, mode="w") as t:
        add_member(t, "config.json", config)
        add_member(t, "manifest.json", json.dumps([{"Config": "config.json", "Layers": ["layer.tar"]}]).encode())
    p.stdin.write(tail.getvalue())
    out, err = p.communicate()
    r = Result(p.returncode, out.decode(), err.decode(), 0)
    check(r.code == 0 and r.layers and r.layers[0].split()[4] == str(count), f"a layer of {count} entries", f"{r.code} {r.err} {r.layers}")


def interrupted(top, layout):
    p = subprocess.Popen([PROBE, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    start = time.time()
    out, err = p.communicate(timeout=20)
    check(p.returncode == EXIT["cancelled"] and time.time() - start < 5, "SIGINT while a pipe says nothing", f"{p.returncode} {err}")
    left = subprocess.run(["pgrep", "-f", PROBE], stdout=subprocess.PIPE).stdout
    check(not left.strip(), "no process stays behind", left.decode())


def directories(top):
    root = f"{top}/tree"
    os.makedirs(f"{root}/var/lib/dpkg/info")
    os.makedirs(f"{root}/opt/db")
    os.makedirs(f"{root}/secret")
    os.makedirs(f"{root}/usr/lib")
    for path, text in (("opt/db/status", "A"), ("usr/lib/os-release", "B"), ("secret/package.json", "C"), ("var/lib/dpkg/info/x.list", "D")):
        with open(f"{root}/{path}", "w") as f:
            f.write(text)
    os.symlink("/opt/db/status", f"{root}/var/lib/dpkg/status")
    os.makedirs(f"{root}/etc")
    os.symlink("../usr/lib/os-release", f"{root}/etc/os-release")
    os.symlink("/opt/db", f"{root}/var/lib/dpkg/status.d")
    os.symlink("loop", f"{root}/loop")
    os.mkfifo(f"{root}/etc/package.json")
    os.symlink("/etc/passwd", f"{root}/usr/package.json")
    r = probe("--kind", "rootfs", root)
    want = {"usr/lib/os-release", "secret/package.json", "var/lib/dpkg/info/x.list", "var/lib/dpkg/status"}
    check(set(r.files) == want and r.code == 0 and not r.incomplete, "root file system with links", r.out + r.err)
    os.chmod(f"{root}/secret", 0)
    for p in (top, root):
        os.chmod(p, 0o755)
    if os.geteuid() == 0 and shutil.which("setpriv"):
        shutil.copy(PROBE, f"{top}/probe")
        os.chmod(f"{top}/probe", 0o755)
        out = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"{top}/probe", root], stdout=subprocess.PIPE).stdout.decode()
        check("I - directory [secret] Permission denied" in out, "a folder that the user may not read", out)
    os.chmod(f"{root}/secret", 0o755)


def main():
    global PROBE
    PROBE = os.path.abspath(sys.argv[1])
    for tool in ("umoci", "skopeo", "zstd", "tar"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            sys.exit(77)
    seeds = int(sys.argv[sys.argv.index("--seeds") + 1]) if "--seeds" in sys.argv else 40
    keep = sys.argv[sys.argv.index("--keep") + 1] if "--keep" in sys.argv else None
    top = keep or tempfile.mkdtemp(prefix="bulkhead-images-")
    try:
        layout, _ = every_form(top)
        random_overlays(top, seeds)
        links(top)
        platforms(top)
        bad_input(top, layout)
        interrupted(top, layout)
        directories(top)
        many_entries(300000)
    finally:
        if not keep:
            shutil.rmtree(top, ignore_errors=True)
    print(f"{passed} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
