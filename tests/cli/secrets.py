#!/usr/bin/env python3
"""secrets BULKHEAD: secrets that the test makes are found where they are: in files, layers, the configuration of an image, encodings and archives; at the edges
of the pieces that large files are read in; and no output of the program has one in clear. Prints TAP."""
import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import secret_samples
from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
ID = "aws-access-key-id"
PIECE = 1 << 20
rng = random.Random(11)
made = []


def key():
    made.append("AKIAJ" + "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(15)))  # of before 2019: nothing is said of its account
    return made[-1]


tap = Tap()


def run(*args, env=None, **kw):
    return subprocess.run([BULKHEAD, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), **kw)


def scan(target, *options, **kw):
    r = run("scan", "--scanners", "secret", "--no-cache", "-f", "json", *options, target, **kw)
    report = json.loads(r.stdout) if r.stdout else {"findings": [], "incomplete": [{"reason": r.stderr.decode()}], "suppressed": []}
    report["code"] = r.returncode
    return report


def places(report):
    return sorted((f["paths"][0], f.get("line"), f["evidence"].split(" bytes)", 1)[1]) for f in report["findings"])


# ---- files ----

def zip_of(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def tar_of(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def text(prefix="k = ", lines=0):
    return ("x\n" * lines + prefix + key() + "\n").encode()


def files():
    """name -> (bytes, expected line, what the evidence says behind the length)."""
    inner = tar_of([("etc/env", text(lines=2))], "w:gz")
    deep = zip_of(a_zip=zip_of(b_zip=zip_of(c_txt=text())))
    return {
        "plain.txt": (text(lines=2), 3, ", column 5"),
        "no-newline": (text()[:-1], 1, ", column 5"),
        "utf16.txt": (("\ufeff" + text(lines=1).decode()).encode("utf-16-le"), 2, ", column 5"),
        "utf16be.txt": (("\ufeff" + text(lines=1).decode()).encode("utf-16-be"), 2, ", column 5"),
        "utf16-without-mark.reg": (text(lines=1).decode().encode("utf-16-le"), 2, ", column 5"),
        "utf16be-without-mark.reg": (text(lines=1).decode().encode("utf-16-be"), 2, ", column 5"),
        "powershell.cmd": (b"powershell -EncodedCommand " + base64.b64encode(text().decode().encode("utf-16-le")) + b"\r\n", 1, ", in base64, column 28"),
        "lines.b64": (base64.encodebytes(b"x = 1\n" * 20 + text()), 1, ", in base64, column 1"),
        "lines.yaml": (b"data:\n  file: |\r\n" + b"".join(b"    " + l + b"\r\n" for l in base64.encodebytes(b"x = 1\n" * 30 + text()).split()), 3, ", in base64, column 5"),
        "base64.yaml": (b"a: b\ndata: " + base64.b64encode(text()) + b"\n", 2, ", in base64, column 7"),
        "urlsafe.yaml": (b"data: " + base64.urlsafe_b64encode("k ÿÿÿ = ".encode() + text()) + b"\n", 1, ", in base64, column 7"),
        "twice.yaml": (b"data: " + base64.b64encode(base64.b64encode(text())) + b"\n", 1, ", in base64, column 7"),
        "helm.yaml": (b"release: " + base64.b64encode(base64.b64encode(gzip.compress(text()))) + b"\n", 1, ", in gzip in base64, column 10"),
        "one.gz": (gzip.compress(text(lines=4)), 5, ", column 5"),
        "one.xz": (lzma.compress(text(lines=4)), 5, ", column 5"),
        "one.bz2": (bz2.compress(text(lines=4)), 5, ", column 5"),
        "one.zst": (subprocess.run(["zstd", "-q", "-c"], input=text(lines=4), stdout=subprocess.PIPE, check=True).stdout, 5, ", column 5"),
        "app.jar": (zip_of(META_INF__app_properties=text(lines=1)), 2, ", in META.INF/app.properties, column 5"),
        "app.tgz": (inner, 3, ", in etc/env, column 5"),
        "app.tar": (tar_of([("a/b", text())]), 1, ", in a/b, column 5"),
        "nested.zip": (zip_of(x_tgz=inner), 3, ", in x.tgz: etc/env, column 5"),
        "deep.zip": (deep, 1, ", in a.zip: b.zip: c.txt, column 5"),
        "program": (b"\x7fPROGRAM\0\0\0" + text() + b"\0" * 100, None, ""),
    }


def check_files(top):
    folder = pathlib.Path(top) / "files"
    folder.mkdir()
    expected = []
    for name, (data, line, said) in files().items():
        (folder / name).write_bytes(data)
        expected.append((name, line, said))
    report = scan(f"dir:{folder}")
    tap.ok(places(report) == sorted(expected), "each file and encoding: path, line, column", "\n".join(map(str, sorted(set(places(report)) ^ set(expected), key=str))))
    tap.ok(not report["incomplete"] and report["code"] == 1, "nothing was left out", report["incomplete"])


def check_edges(top):
    folder = pathlib.Path(top) / "edges"
    folder.mkdir()
    wanted = []
    for at in [0, 1, PIECE - 40, *range(PIECE - 24, PIECE + 2), PIECE + 16384, *range(PIECE + 32768 - 24, PIECE + 32768 + 2), 2 * PIECE, 3 * PIECE + 7]:
        name = f"at-{at:08}"
        (folder / name).write_bytes(b"z" * (at - 1) + b" " * (at > 0) + key().encode() + b" " + b"z" * (PIECE // 2))
        wanted.append((name, 1, f", column {at + 1}"))
    tap.ok(places(scan(f"dir:{folder}")) == sorted(wanted), "a secret anywhere around the edges of pieces is found once")
    many = folder / "many"
    many.write_bytes(b"".join(b"z" * rng.randrange(900, 3000) + b"\n" + key().encode() + b"\n" for _ in range(900)))
    lines = [p[1] for p in places(scan(f"dir:{folder}")) if p[0] == "many"]
    tap.ok(sorted(lines) == list(range(2, 1801, 2)), "900 of them in one file, each at its line", lines[:20])


# ---- images ----

def blob(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def image(layout, layers, config, history):
    (layout / "blobs/sha256").mkdir(parents=True)
    tars = [tar_of(files) for files in layers]
    document = {"architecture": "amd64", "os": "linux", "config": config, "history": history,
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": dict(blob(layout, json.dumps(document).encode()), mediaType="application/vnd.oci.image.config.v1+json"),
                "layers": [dict(blob(layout, gzip.compress(t)), mediaType="application/vnd.oci.image.layer.v1.tar+gzip") for t in tars]}
    index = {"schemaVersion": 2, "manifests": [dict(blob(layout, json.dumps(manifest).encode()), mediaType=manifest["mediaType"])]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def check_image(top):
    layout = pathlib.Path(top) / "image"
    layers = [[("etc/deleted", text()), ("etc/replaced", text()), ("etc/kept", text(lines=1)), ("gone/deep/file", text())],
              [("etc/.wh.deleted", b""), ("etc/replaced", b"nothing\n"), (".wh.gone", b""), ("etc/excused", text()[:-1] + f" # bulkhead:allow {ID} because\n".encode())]]
    config = {"Env": ["PATH=/bin", "AWS=" + key()], "Labels": {"token": key()}, "Cmd": ["run", "--key", key()], "Entrypoint": ["/bin/sh"],
              "Healthcheck": {"Test": ["CMD", "curl", key()]}}
    image(layout, layers, config, [{"created_by": "RUN export K=" + key()}, {"created_by": "RUN rm"}])
    report = scan(f"oci:{layout}")
    layer_of = {l["digest"]: i for i, l in enumerate(report["layers"])}
    found = {(f["paths"][0], f.get("line"), layer_of.get(f.get("layer")), "deleted or replaced" in f["evidence"]) for f in report["findings"]}
    wanted = {("etc/deleted", 1, 0, True), ("etc/replaced", 1, 0, True), ("etc/kept", 2, 0, False), ("gone/deep/file", 1, 0, True), ("etc/excused", 1, 1, False),
              ("config:Env/AWS", 1, None, False), ("config:Labels/token", 1, None, False), ("config:Cmd", 1, None, False), ("config:Healthcheck", 1, None, False),
              ("config:created_by/1", 1, None, False)}
    tap.ok(found == wanted, "layers, deleted files, configuration; an image can't excuse itself", sorted(found ^ wanted, key=str))
    with tempfile.TemporaryDirectory() as other:
        tar = f"{other}/image.tar"
        subprocess.run(["tar", "-C", layout, "-cf", tar, "."], check=True)
        with open(tar, "rb") as f:
            piped = scan("-", stdin=f)
        stream = run("scan", "--scanners", "secret", "--no-cache", "-f", "json", "-", input=open(tar, "rb").read())
        for what, r in (("archive", scan(f"archive:{tar}")), ("standard input", piped), ("a pipe", json.loads(stream.stdout))):
            tap.ok(sorted(f["paths"][0] for f in r["findings"]) == sorted(w[0] for w in wanted), f"the same of {what}", r["incomplete"])


def check_same_name(top):
    """The first of two entries of a name is gone when the layer is unpacked, unless a hard link leads to it."""
    layout = pathlib.Path(top) / "same-name"
    image(layout, [[("a", text())]], {}, [])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in (("a", text()), ("b", None), ("a", b"nothing")):
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.linkname = tarfile.LNKTYPE, "a"
            else:
                info.size = len(data)
            t.addfile(info, io.BytesIO(data or b""))
    document = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(out.getvalue()).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": dict(blob(layout, json.dumps(document).encode()), mediaType="application/vnd.oci.image.config.v1+json"),
                "layers": [dict(blob(layout, out.getvalue()), mediaType="application/vnd.oci.image.layer.v1.tar")]}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [dict(blob(layout, json.dumps(manifest).encode()), mediaType=manifest["mediaType"])]}))
    found = [f["paths"][0] for f in scan(f"oci:{layout}")["findings"]]
    tap.ok(found == ["a"], "a file that a later entry of its layer replaces is looked at, too", found)


def check_samples(top):
    """An image with a secret of every detector, in two layers; every other file is deleted again. And what looks like one and is none."""
    layers, wanted, unwanted = [[], [], []], {}, {}
    for n, (detector, sign, path, data) in enumerate(secret_samples.load()):
        name = f"s{n:04}/{path}"
        if sign == "-":
            unwanted[name] = detector
            layers[n % 2].append((name, data))
            continue
        deleted = n % 3 == 0
        wanted[name] = (detector, n % 2, deleted)
        layers[n % 2].append((name, b"\n" * (n % 5) + data if path == "file.txt" and not data.startswith((b"\xfe", b"SSH")) else data))
        if deleted:
            folder, _, base = name.rpartition("/")
            layers[2].append((f"{folder}/.wh.{base}", b""))
    layout = pathlib.Path(top) / "samples"
    image(layout, layers, {}, [])
    report = scan(f"oci:{layout}")
    layer_of = {l["digest"]: i for i, l in enumerate(report["layers"])}
    found = {}
    for f in report["findings"]:
        found.setdefault(f["paths"][0], []).append((f["id"], layer_of[f["layer"]], "deleted or replaced" in f["evidence"]))
    missed = [f"{name}: {w}, but {found.get(name)}" for name, w in wanted.items() if w not in found.get(name, [])]
    tap.ok(not missed and len({w[0] for w in wanted.values()}) >= 200, f"secrets of {len({w[0] for w in wanted.values()})} detectors, in their layers, deleted ones among them", "\n".join(missed))
    wrong = [f"{name}: {d}" for name, d in unwanted.items() if any(d == i for i, _, _ in found.get(name, []))]
    tap.ok(not wrong and len(unwanted) >= 200, f"{len(unwanted)} texts that only look like it are passed over", "\n".join(wrong))


# ---- what is allowed ----

def check_comments(top):
    folder = pathlib.Path(top) / "comments"
    folder.mkdir()
    (folder / "a.py").write_text(f"A='{key()}' # bulkhead:allow {ID} a fixture of the tests\nB='{key()}' # gitleaks:allow\nC='{key()}' # bulkhead:allow {ID}\n"
                                 f"D='{key()}' # bulkhead:allow other-id a fixture\nE='{key()}'\n# bulkhead:allow {ID} another line\n")
    report = scan(f"dir:{folder}")
    tap.ok([f["line"] for f in report["findings"]] == [3, 4, 5], "comments without a reason, or of another id or line, allow nothing", places(report))
    reasons = [(f["line"], f["exception"]["reason"]) for f in report["suppressed"]]
    tap.ok(reasons == [(1, "a fixture of the tests"), (2, "gitleaks:allow")], "what a comment allows is listed with its reason", reasons)
    plain = scan(str(folder))
    tap.ok(places(plain) == places(report), "a folder without a scheme is one's own, too", places(plain))
    tap.ok(len(scan(f"rootfs:{folder}")["findings"]) == 5, "a root file system is not")


def check_baseline(top):
    folder, keys = pathlib.Path(top) / "baseline", [pathlib.Path(top) / n for n in ("key-1", "key-2")]
    folder.mkdir()
    for i, k in enumerate(keys):
        k.write_text(f"{i}" * 32)
    old = key()
    (folder / "env").write_text(f"K={old}\n")
    before = pathlib.Path(top) / "before.json"
    before.write_bytes(run("scan", "--scanners", "secret", "--no-cache", "-f", "json", "--fingerprint-key", str(keys[0]), f"dir:{folder}").stdout)

    def states(which):
        r = scan(f"dir:{folder}", "--baseline", str(before), "--fingerprint-key", str(keys[which]))
        return [f.get("baseline") for f in r["findings"]], r["code"]

    (folder / "env").write_text(f"\n\nK={old}\n")
    tap.ok(states(0) == (["unchanged"], 0), "the same secret at another line is not new", states(0))
    (folder / "env").write_text(f"K={key()}\n")
    tap.ok(states(0) == (["new"], 1), "another secret in the same place is", states(0))
    (folder / "env").write_text(f"K={old}\n")
    tap.ok(states(1) == (["new"], 1), "fingerprints of another key tell nothing", states(1))
    (pathlib.Path(top) / "short").write_text("abc")
    r = run("scan", "--fingerprint-key", f"{top}/short", f"dir:{folder}")
    tap.ok(r.returncode == 2 and b"at least 16 bytes" in r.stderr, "a key that is too short is refused", r.stderr.decode())


# ---- rules of gitleaks ----

RULES = """
title = "rules of a team"
[[rules]]
id = "acme-token"
description = "A token of Acme"
regex = '''(?i)acme[_-]?token\s*[:=]\s*['"]?([a-z0-9]{20,40})['"]?'''
entropy = 3.0
keywords = ["acme"]
  [[rules.allowlists]]
  description = "fixtures"
  condition = "AND"
  paths = ['''^test/''']
  stopwords = ["fixture"]
[[rules]]
id = "second-group"
description = "The second group"
regex = '''user=(\w+);pass=(\w+)'''
secretGroup = 2
[[rules]]
id = "key-file"
description = "A key by its name"
path = '''(^|/)id_[a-z0-9]+$'''
[[allowlists]]
regexTarget = "line"
regexes = ['''not-a-secret''']
[[allowlists]]
targetRules = ["second-group"]
paths = ['''\.md$''']
"""


def check_gitleaks(top):
    folder = pathlib.Path(top) / "gitleaks"
    (folder / "test").mkdir(parents=True)
    token = lambda: "".join(rng.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(24))
    (folder / "a.conf").write_text(f"x\nacme_token: {token()}\nacme_token: aaaaaaaaaaaaaaaaaaaaaaaa\nacme_token: {token()} # not-a-secret\n")
    (folder / "test/b.conf").write_text(f"acme_token: fixture{token()[:20]}\nacme_token: {token()}\n")
    (folder / "c.conf").write_text("user=root;pass=correcthorse\n")
    (folder / "c.md").write_text("user=root;pass=correcthorse\n")
    (folder / "id_ed25519").write_text("whatever\n")
    (folder / "d.conf").write_text(f"k = {key()}\n")
    rules = pathlib.Path(top) / "rules.toml"
    rules.write_text(RULES)
    found = lambda r: sorted((f["paths"][0], f["id"], f.get("line")) for f in r["findings"])
    wanted = [("a.conf", "acme-token", 2), ("c.conf", "second-group", 1), ("id_ed25519", "key-file", None), ("test/b.conf", "acme-token", 2)]
    report = scan(f"dir:{folder}", "--secret-rules", str(rules))
    tap.ok(found(report) == wanted, "entropy, groups, paths, keywords, stopwords, allow-lists", found(report))
    shown = {f["id"]: f["evidence"].split(",")[0] for f in report["findings"]}
    tap.ok(shown["second-group"] == "... (12 bytes)", "secretGroup tells which part is the secret", shown)
    more = pathlib.Path(top) / "more.toml"
    more.write_text('[extend]\npath = "rules.toml"\nuseDefault = true\ndisabledRules = ["key-file"]\n')
    more_found = found(scan(f"dir:{folder}", "--secret-rules", str(more)))
    tap.ok(more_found == sorted([w for w in wanted if w[1] != "key-file"] + [("d.conf", ID, 1)]), "extend: a path, the built-in ones, without some", more_found)
    ignore = pathlib.Path(top) / "ignore"
    ignore.write_text("# known\na.conf:acme-token:2\n0123abc:c.conf:second-group:1\n")
    report = scan(f"dir:{folder}", "--secret-rules", str(rules), "--secret-ignore", str(ignore))
    tap.ok(found(report) == wanted[1:] and [f["exception"]["from"] for f in report["suppressed"]] == [f"{ignore}:2"], "what .gitleaksignore lists is suppressed", found(report))
    for what, text, said in (("a bad expression", '[[rules]]\nid="x"\nregex="("\n', "x"), ("look-ahead", '[[rules]]\nid="x"\nregex="a(?=b)"\n', "x"),
                             ("a composite rule", '[[rules]]\nid="x"\nregex="a"\n[[rules.required]]\nid="y"\n', "composite"), ("no rules", 'title="x"\n', "no rules"),
                             ("no TOML", "[[rules", "line 1"), ("a bad allow-list", '[[rules]]\nid="x"\nregex="a"\n[rules.allowlist]\nregexes=["["]\n', "bad.toml:5"),
                             ("itself extended", '[extend]\npath="bad.toml"\n', "extend each other")):
        bad = pathlib.Path(top) / "bad.toml"
        bad.write_text(text)
        r = run("scan", "--scanners", "secret", "--secret-rules", str(bad), f"dir:{folder}")
        tap.ok(r.returncode == 2 and said in r.stderr.decode(), f"{what} is refused, with its place", r.stderr.decode())


# ---- repositories ----

def git(folder, *args, env=None):
    return subprocess.run(["git", "-C", str(folder), "-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "commit.gpgsign=false", *args], check=True,
                          stdout=subprocess.PIPE, env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", **(env or {}))).stdout.decode().strip()


def check_git(top):
    repo = pathlib.Path(top) / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    (repo / "deleted.env").write_text(f"a\nK={key()}\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one", env={"GIT_AUTHOR_DATE": "2024-05-01T12:00:00Z"})
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "rm", "-q", "deleted.env")
    (repo / "plain").write_text("nothing\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "two")
    git(repo, "checkout", "-qb", "side")
    (repo / "ein Ordner").mkdir()
    (repo / "ein Ordner" / "schlüssel").write_text(f"K={key()}\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "three")
    git(repo, "checkout", "-q", "main")
    (repo / "merged").write_text(f"K={key()}\n")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "four")
    git(repo, "merge", "-q", "--no-ff", "-m", "five", "side")
    (repo / "copy").write_text((repo / "merged").read_text())
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "six")
    git(repo, "gc", "-q")
    (repo / "stashed").write_text(f"K={key()}\n")
    git(repo, "add", ".")
    git(repo, "stash", "-q")
    (repo / "staged").write_text(f"K={key()} # bulkhead:allow {ID} a fixture\nK={key()}\n")
    (repo / "unstaged").write_text(f"K={key()}\n")
    git(repo, "add", "staged")
    report = scan(f"git:{repo}")
    found = sorted(f["paths"][0] for f in report["findings"])
    tap.ok(found == ["deleted.env", "ein Ordner/schlüssel", "merged", "stashed"], "every blob that a reference leads to, once", found)
    tap.ok(any(f"commit {first[:12]} of 2024-05-01" in f["evidence"] and f["line"] == 2 for f in report["findings"]), "the commit that brought it is named", places(report))
    tap.ok(report["incomplete"] == [] and report["code"] == 1, "and nothing was left out", report["incomplete"])
    for where in (f"git:{repo}", f"git:{repo}/ein Ordner"):
        staged = scan(where, "--staged")
        tap.ok([(f["paths"][0], f["line"]) for f in staged["findings"]] == [("staged", 2)] and len(staged["suppressed"]) == 1, "what is staged, and that only", places(staged))
    hook = run("scan", "--scanners", "secret", "--staged", cwd=repo)
    tap.ok(hook.returncode == 1 and b"staged:2" in hook.stdout, "--staged alone is of the repository here", hook.stderr.decode())
    git(repo, "reset", "-q", "--hard")
    tap.ok(scan(f"git:{repo}", "--staged")["code"] == 0, "nothing staged, nothing found")
    gitleaks = git(repo, "log", "--all", "--format=%H", "--", "merged").split("\n")[-1]
    ignore = pathlib.Path(top) / "git-ignore"
    ignore.write_text(f"{gitleaks}:merged:{ID}:1\n{first}:deleted.env:{ID}:2\n" + "0" * 40 + f":stashed:{ID}:1\n")
    left = sorted(f["paths"][0] for f in scan(f"git:{repo}", "--secret-ignore", str(ignore))["findings"])
    tap.ok(left == ["ein Ordner/schlüssel", "stashed"], ".gitleaksignore with commits", left)
    check_hostile_git(top, repo)


def check_hostile_git(top, repo):
    """What a repository's own configuration would start is not started, and objects that are missing are not fetched."""
    mark = pathlib.Path(top) / "mark"
    script = pathlib.Path(top) / "script"
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >>{mark}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "gpg.program", "core.gitProxy", "uploadpack.packObjectsHook", "filter.x.smudge", "diff.x.textconv"):
        git(repo, "config", name, str(script))
    (repo / ".git/info/attributes").write_text("* filter=x diff=x\n")
    git(repo, "config", "log.showSignature", "true")
    git(repo, "config", "remote.origin.url", f"ext::{script} %S")
    git(repo, "config", "remote.origin.promisor", "true")
    git(repo, "config", "remote.origin.partialclonefilter", "blob:none")
    git(repo, "config", "extensions.partialClone", "origin")
    git(repo, "config", "protocol.ext.allow", "always")
    for hook in ("post-index-change", "reference-transaction", "pre-commit"):
        (repo / ".git/hooks" / hook).write_text(script.read_text())
        (repo / ".git/hooks" / hook).chmod(0o755)
    mark.unlink(missing_ok=True)
    whole = scan(f"git:{repo}")
    scan(f"git:{repo}", "--staged")
    tap.ok(not mark.exists() and len(whole["findings"]) == 4, "nothing of a repository's configuration is started", mark.read_text() if mark.exists() else places(whole))
    blob = subprocess.run(["git", "-C", str(repo), "-c", "core.fsmonitor=false", "rev-parse", "main:plain"], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    for pack in (repo / ".git/objects/pack").glob("*.pack"):
        data = pathlib.Path(top) / "moved.pack"
        pack.rename(data)
        for other in (repo / ".git/objects/pack").glob(pack.stem + ".*"):
            other.unlink()
        with open(data, "rb") as f:
            subprocess.run(["git", "-C", str(repo), "unpack-objects", "-q"], stdin=f, check=True)
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    mark.unlink(missing_ok=True)
    broken = scan(f"git:{repo}")
    said = [i["reason"] for i in broken["incomplete"]]
    tap.ok(any("missing" in s or "broke off" in s or "git" in s for s in said) and not mark.exists(), "a missing blob is told, and nobody is asked for it", said)
    r = run("scan", f"git:{top}")
    tap.ok(r.returncode == 2 and b"not a git repository" in r.stderr, "a folder that is none", r.stderr.decode())
    r = run("scan", "--staged", f"dir:{repo}")
    tap.ok(r.returncode == 2 and b"--staged" in r.stderr, "--staged of something else", r.stderr.decode())


# ---- bad input ----

def check_hostile(top):
    folder = pathlib.Path(top) / "hostile"
    folder.mkdir()
    (folder / "bomb.gz").write_bytes(gzip.compress(b"\0" * (64 << 20)))
    (folder / "cut.gz").write_bytes(gzip.compress(text() + os.urandom(1 << 16))[:4000])
    (folder / "bad.zip").write_bytes(b"PK\3\4" + os.urandom(3000))
    (folder / "large.gz").write_bytes(gzip.compress(os.urandom(33 << 20), 1))
    (folder / "secret.pem").write_bytes(os.urandom(4096))
    (folder / "storm").write_bytes(b"AKIA" * (8 << 18))
    (folder / "line").write_bytes(b"A" * (64 << 20))
    began = time.monotonic()
    report = scan(f"dir:{folder}")
    seconds = time.monotonic() - began
    said = sorted((i["path"], i["reason"].split(":")[0]) for i in report["incomplete"])
    wanted = [("bad.zip", "an archive that can't be read to its end"), ("cut.gz", "an archive that can't be read to its end"), ("large.gz", "an archive that is too large to be opened")]
    tap.ok(said == wanted, "damaged and too large archives are told", said)
    tap.ok([f["paths"][0] for f in report["findings"]] == ["cut.gz"], "what came out of a damaged one is searched", places(report))
    tap.ok(seconds < 60, f"in {seconds:.0f} s")


def check_linear(top):
    """Text that matches start and never end, again and again: ten times the text takes about ten times as long."""
    folder = pathlib.Path(top) / "linear"
    folder.mkdir()
    took = []
    for size in (1 << 20, 10 << 20):
        (folder / "text").write_bytes((b"password=AKIAghp_-----BEGIN xoxb-eyJ" * (size // 35 + 1))[:size])
        began = os.times()
        scan(f"dir:{folder}")
        ended = os.times()
        took.append(ended.children_user - began.children_user)
    tap.ok(took[1] < 40 * max(took[0], 0.05), "time is linear in hostile text", took)


# ---- never in clear ----

def check_clear(top):
    formats = ["table", "json", "sarif", "cyclonedx", "spdx", "junit", "gitlab", "github", "html", "markdown", "csv"]
    target, cache = f"oci:{top}/image", f"{top}/cache"
    said = b""
    for f in formats:
        r = run("scan", "--cache-dir", cache, "-f", f, target, env={"BULKHEAD_LOG": "debug"})
        tap.ok(r.returncode in (1, 3) and r.stdout, f"{f} can be written", r.stderr.decode())
        said += r.stdout + r.stderr
    kept = b"".join(p.read_bytes() for p in pathlib.Path(cache).rglob("*") if p.is_file())
    leaked = [k[:6] for k in made if k[4:].encode() in said or k[4:].encode() in kept or base64.b64encode(k.encode())[:20] in said + kept]
    tap.ok(not leaked, "no output and nothing in the cache has a secret in clear", leaked)
    again = run("scan", "--cache-dir", cache, "-f", "json", target)
    first = run("scan", "--no-cache", "-f", "json", target)
    strip = lambda r: [{k: v for k, v in f.items() if k != "fingerprint"} for f in json.loads(r.stdout)["findings"]]
    tap.ok(strip(again) == strip(first), "what the cache kept says the same")


def main():
    with tempfile.TemporaryDirectory(prefix="bulkhead-secrets-") as top:
        check_files(top)
        check_edges(top)
        check_image(top)
        check_samples(top)
        check_same_name(top)
        check_comments(top)
        check_baseline(top)
        check_gitleaks(top)
        check_git(top)
        check_hostile(top)
        check_linear(top)
        check_clear(top)
    print(f"1..{tap.n}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
