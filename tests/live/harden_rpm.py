#!/usr/bin/env python3
"""harden_rpm BULKHEAD: packages of rpm that harden takes out of an image leave its database, too: packages built and installed by rpm itself, which then says what is installed,
whether files are as they were, and that its indexes are those of a database that it makes anew. Prints TAP."""
import io
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile

sys.path[:0] = [os.path.dirname(__file__), str(pathlib.Path(__file__).resolve().parents[1] / "cli")]
from sources_common import *  # noqa: E402,F403

need("rpm", "rpmbuild")
BULKHEAD = os.path.abspath(sys.argv[1])
sys.argv[1:] = [BULKHEAD]
tap = Tap()
PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "corpus/harden/x86_64-static"
PACKAGES = {  # name -> files
    "app": ["/usr/bin/app", "/usr/share/app/data"], "bash": ["/usr/bin/bash", "/usr/share/app/bashrc"], "microdnf": ["/usr/bin/microdnf", "/etc/dnf/dnf.conf"],
    "rpm": ["/usr/bin/rpm", "/usr/lib/rpm/macros"], "glibc": ["/usr/lib64/libc.so.6"], "curl-minimal": ["/usr/bin/curl"],
}


def call(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more).stdout


def build(folder, name, files):
    lines = [f"Name: {name}", "Version: 1.5", "Release: 2%{?dist}", "Summary: x", "License: MIT", f"Provides: {name}-thing = 3", "Requires: glibc" if name != "glibc" else "", "%description",
             "x", "%install"]
    for path in files:
        program = "/bin/" in path
        lines += [f"mkdir -p %{{buildroot}}{os.path.dirname(path)}", f"cp {PROGRAM} %{{buildroot}}{path}" if program else f"echo {name} > %{{buildroot}}{path}",
                  f"chmod {'755' if program else '644'} %{{buildroot}}{path}"]
    (folder / f"{name}.spec").write_text("\n".join([*lines, "%files", *files, ""]))
    call("rpmbuild", "-bb", "--define", f"_topdir {folder}/build", "--define", "debug_package %{nil}", "--define", "__strip /bin/true", "--define", "__os_install_post %{nil}", folder / f"{name}.spec")


def rpm(root, place, *arguments, check=True):
    force = ["--force-debian"] if {"-i", "-e"} & set(arguments) else []
    return subprocess.run(["rpm", "--root", str(root), "--dbpath", place, *force, *arguments], capture_output=True, text=True, check=check)


def make_root(top, place):
    root = top / "root"
    (root / "etc").mkdir(parents=True)
    for name, files in PACKAGES.items():
        build(top, name, files)
    rpm(root, place, "--initdb")
    rpm(root, place, "--nosignature", "--nodeps", "-i", *map(str, (top / "build/RPMS").rglob("*.rpm")))
    (root / "etc/os-release").write_text("ID=fedora\nVERSION_ID=40\n")
    return root


def pack(root):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for path in sorted(root.rglob("*")):
            t.add(path, str(path.relative_to(root)), recursive=False)
    return out.getvalue()


def write_image(folder, layer, entrypoint):
    image = Image()
    config = image.put({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": entrypoint}, "rootfs": {"type": "layers", "diff_ids": [sha(layer)]}, "history": [{"created_by": "x"}]}, CONFIG)
    made = image.put({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [image.put(gzip.compress(layer, mtime=0), LAYER)]}, MANIFEST)
    image.top = made["digest"]
    image.layout(folder)


def unpack(layout, root):
    read = lambda digest: (layout / "blobs/sha256" / digest[7:]).read_bytes()  # noqa: E731
    manifest = json.loads(read(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]))
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(read(layer["digest"]))) as t:
            t.extractall(root, filter="fully_trusted")


def tables(path):
    """Every table's rows without the packages' own, to compare databases."""
    with sqlite3.connect(path) as db:
        names = [n for n, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {n: sorted(map(repr, db.execute(f'SELECT * FROM "{n}"'))) for n in names if n != "Packages"}, [h for h, in db.execute("SELECT hnum FROM Packages ORDER BY hnum")]


def harden(top, name, root, *options):
    write_image(top / f"{name}-in", pack(root), ["/usr/bin/app"])
    p = subprocess.run([BULKHEAD, "harden", f"oci:{top}/{name}-in", "--image", str(top / f"{name}-out"), "--no-compare", *options], capture_output=True, text=True)
    if p.returncode == 0:
        unpack(top / f"{name}-out", top / f"{name}-root")
    return p, top / f"{name}-root"


def compare(top, place):
    root = make_root(top, place)
    before = rpm(root, place, "-qa").stdout.split()
    p, after = harden(top, "plain", root)
    if not tap.check(f"{place}: the image is made", p.returncode == 0, p.stderr):
        return
    left = sorted(rpm(after, place, "-qa", "--qf", "%{NAME}\\n").stdout.split())
    tap.check(f"{place}: rpm has what stays, of {len(before)}", left == ["app", "glibc"] and len(before) == len(PACKAGES), left)
    verified = rpm(after, place, "-Va", check=False)
    tap.check(f"{place}: its files are as rpm put them there", not verified.stdout.strip(), verified.stdout)
    gone = [f for n, files in PACKAGES.items() if n not in left for f in files if (after / f[1:]).exists()]
    tap.check(f"{place}: files of the others are gone, what they shared a folder with stays", not gone and (after / "usr/share/app/data").exists(), gone)
    owner = [rpm(after, place, "-qf", f, check=False).stdout.strip() for f in ("/usr/share/app/data", "/usr/lib64/libc.so.6")]
    tap.check(f"{place}: files are found by rpm's indexes", [o.split("-")[0] for o in owner] == ["app", "glibc"] and rpm(after, place, "-q", "--whatprovides", "bash-thing", check=False).returncode, owner)
    shutil.copytree(after, top / "erased", symlinks=True)
    theirs = top / "theirs"
    shutil.copytree(root, theirs, symlinks=True)
    rpm(theirs, place, "-e", "--justdb", "--nodeps", "--noscripts", *(n for n in PACKAGES if n not in left))
    ours, expected = tables(after / place[1:] / "rpmdb.sqlite"), tables(theirs / place[1:] / "rpmdb.sqlite")
    tap.check(f"{place}: rows of packages and indexes are those that rpm -e leaves", ours == expected, (ours[1], expected[1], [t for t in expected[0] if ours[0].get(t) != expected[0][t]]))
    raw = (after / place[1:] / "rpmdb.sqlite").read_bytes()
    tap.check(f"{place}: nothing of those that went is left in the file", b"microdnf" not in raw and b"curl-minimal" not in raw, "")
    rpm(after, place, "--rebuilddb")
    tap.check(f"{place}: rpm makes its indexes anew of it", sorted(rpm(after, place, "-qa", "--qf", "%{NAME}\\n").stdout.split()) == left)
    listed = json.loads(subprocess.run([BULKHEAD, "scan", "--no-cache", "--fail-on", "never", "-f", "json", f"oci:{top}/plain-out"], capture_output=True, text=True).stdout)
    tap.check(f"{place}: a scan lists the same", sorted(x["name"] for x in listed["packages"] if x["purl"].startswith("pkg:rpm/")) == left and not listed["incomplete"], listed["incomplete"])
    p, kept = harden(top, "keep", root, "--keep", "bash")
    tap.check(f"{place}: --keep", sorted(rpm(kept, place, "-qa", "--qf", "%{NAME}\\n").stdout.split()) == ["app", "bash", "glibc"], p.stderr)
    return root


def refuse(top, root, place):
    database = root / place[1:] / "rpmdb.sqlite"
    whole = database.read_bytes()
    (root / place[1:] / "rpmdb.sqlite-wal").write_bytes(b"more rows")
    p, after = harden(top, "log", root)
    tap.check("with a log beside the database its packages stay, which is told", p.returncode == 0 and "packages of rpm" in p.stdout + p.stderr and (after / "usr/bin/bash").exists(), (p.returncode, p.stdout, p.stderr))
    (root / place[1:] / "rpmdb.sqlite-wal").unlink()
    for name, damaged in (("cut", whole[:len(whole) // 2]), ("damaged", whole[:5000] + b"\xff" * 100000 + whole[105000:]), ("none", b"text")):
        database.write_bytes(damaged)
        p, after = harden(top, name, root)
        tap.check(f"a database that is {name}: its packages stay, which is told", (p.returncode != 0 or (after / "usr/bin/bash").exists()) and "rpm" in p.stdout + p.stderr, (p.returncode, p.stdout, p.stderr))
    database.write_bytes(whole)


with tempfile.TemporaryDirectory(prefix="bulkhead-rpm-") as folder:
    for number, where in enumerate(("/usr/lib/sysimage/rpm", "/var/lib/rpm")):
        made = pathlib.Path(folder, str(number))
        made.mkdir()
        refused = compare(made, where)
        if refused and number == 1:
            refuse(made, refused, where)
tap.end()
