#!/usr/bin/env python3
"""Compare the rpm parsers with `rpm -qa` on databases made here.

usage: rpm_databases.py PKG-PROBE [--keep DIR]

Builds small packages with rpmbuild (epochs, a modularity label, vendors, many files, scriptlets), installs them with
--justdb under the sqlite and ndb back ends, loads the same headers into a Berkeley DB hash with db5.3_load (both byte
orders, several page sizes), and leaves a SQLite write-ahead log that holds what the database file does not. Each package
line and each owned path must equal what rpm says. Debian's rpm has no ndb back end: BULKHEAD_RPM_NDB names one that has
(Debian's source package configured with --enable-ndb). Exit code 77: a tool is missing.
"""
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

TAB = "\t"
QUERY = r"%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{VENDOR}\t%{LICENSE}\t%{MODULARITYLABEL}\n"
MANY = 3000

# name, epoch, version, release, arch, vendor, licence, more lines of the preamble, files
SPECS = [
    ("plain", None, "1.0", "1", "noarch", "Example Vendor", "MIT", "", ["/usr/share/plain/a", "/usr/share/plain/b c"]),
    ("epoch-zero", 0, "2.1~rc1", "3.el9", "x86_64", "Red Hat, Inc.", "GPLv2+", "", ["/usr/bin/epoch-zero"]),
    ("epoch-one", 1, "3.0.7", "18.el9_2", "x86_64", None, "ASL 2.0", "Provides: virtual = 1:3.0.7\nProvides: bare",
     ["/usr/lib64/libepoch.so.1"]),
    ("module-pkg", 2, "10.19", "2.module+el8.9.0+1", "x86_64", "Rocky", "BSD and MIT",
     "ModularityLabel: nodejs:18:8090020231019152822:a75119d5", ["/usr/bin/module"]),
    ("many-files", None, "0.1", "1", "noarch", "Many", "Public Domain", "",
     [f"/usr/share/many/dir{i % 40}/file{i:05}" for i in range(MANY)]),
    ("no-files", None, "5", "0.1.20240101git", "noarch", "Nobody", "LGPLv2", "", []),
    ("utf8-vendor", None, "1", "1", "noarch", "Öffentliche Köche", "MIT", "", ["/etc/ö.conf"]),
]


def run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw).stdout.decode()


def build_packages(top):
    for name, epoch, version, release, arch, vendor, licence, more, files in SPECS:
        lines = [f"Name: {name}", f"Version: {version}", f"Release: {release}", f"Summary: {name}", f"License: {licence}"]
        lines += [f"Epoch: {epoch}"] if epoch is not None else []
        lines += [f"Vendor: {vendor}"] if vendor else []
        lines += ["BuildArch: noarch"] if arch == "noarch" else []
        lines += [more, "%description", name, "%pre", "echo pre", "%post", "echo post", "%install"]
        for f in files:
            lines += [f"mkdir -p '%{{buildroot}}{os.path.dirname(f)}'; echo x > '%{{buildroot}}{f}'"]
        lines += ["%files"] + [f'"{f}"' for f in files]
        spec = f"{top}/{name}.spec"
        with open(spec, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        run(["rpmbuild", "-bb", "--target", arch, "--define", f"_topdir {top}/build", "--define", "_buildhost example.org", "--define", "_build_id_links none",
             "--define", "debug_package %{nil}", spec])
    return sorted(os.path.join(d, f) for d, _, fs in os.walk(f"{top}/build/RPMS") for f in fs)


def program(backend):
    return os.environ.get("BULKHEAD_RPM_NDB", "rpm") if backend == "ndb" else "rpm"


def has_ndb(top):
    root = f"{top}/root-try"
    os.makedirs(f"{root}/var/lib/rpm")
    rpm(root, "ndb", "--initdb")
    return os.path.exists(f"{root}/var/lib/rpm/Packages.db")


def rpm(root, backend, *args):
    return run([program(backend), "--root", root, "--define", f"_db_backend {backend}", "--define", "_dbpath /var/lib/rpm", *args])


def make_root(top, backend, packages):
    root = f"{top}/root-{backend}"
    os.makedirs(f"{root}/var/lib/rpm")
    rpm(root, backend, "--initdb")
    rpm(root, backend, "-i", "--justdb", "--nodeps", "--noscripts", "--ignorearch", *packages)
    # A removal and a second installation leave free pages, free slots and numbers out of order.
    rpm(root, backend, "-e", "--justdb", "--noscripts", "plain")
    rpm(root, backend, "-i", "--justdb", "--nodeps", "--noscripts", packages[[os.path.basename(p)[:6] for p in packages].index("plain-")])
    return root


def import_key(top, root, backend):
    """A gpg-pubkey: a package without architecture and source. Left out where no gpg is installed."""
    if not shutil.which("gpg"):
        return
    home = f"{top}/gpg"
    if not os.path.isdir(home):
        os.mkdir(home, 0o700)
        run(["gpg", "--homedir", home, "--batch", "--passphrase", "", "--quick-gen-key", "Test <t@example.org>", "rsa2048"])
        with open(f"{top}/key.asc", "w", encoding="ascii") as out:
            out.write(run(["gpg", "--homedir", home, "--armor", "--export"]))
        run(["gpgconf", "--homedir", home, "--kill", "all"])
        run(["gpgconf", "--homedir", home, "--kill", "all"])
    rpm(root, backend, "--import", f"{top}/key.asc")


def expected(root, backend):
    rows = set()
    for line in rpm(root, backend, "-qa", "--qf", QUERY).splitlines():
        name, epoch, version, release, arch, source, vendor, licence, label = [
            "" if c == "(none)" else c for c in line.split(TAB)]
        prefix = f"{epoch}:" if epoch not in ("", "0") else ""
        src = source.removesuffix(".src.rpm").rsplit("-", 2) if source else ["", "", ""]
        rows.add(TAB.join(["package", "rpm", name, f"{prefix}{version}-{release}", arch, src[0],
                           f"{prefix}{src[1]}-{src[2]}" if source else "", vendor, label, licence]))
    owned = {f"owned{TAB}{line}" for line in rpm(root, backend, "-qa", "--qf", r"[%{=NAME}\t%{=ARCH}\t%{FILENAMES}\n]").splitlines()}
    provides = {}
    for line in rpm(root, backend, "-qa", "--qf", r"[%{=NAME}\t%{PROVIDES}\t%{PROVIDEFLAGS:depflags}\t%{PROVIDEVERSION}\n]").splitlines():
        name, what, sense, version = line.split(TAB)
        provides.setdefault(name, []).append(f"{what} {sense.strip()} {version}" if version else what)
    return rows, owned, {n: ", ".join(p) for n, p in provides.items()}


def compare(title, probe, parser, want, db, *sibling):
    out = run([probe, parser, "var/lib/rpm/x", db, *sibling])
    lines = out.splitlines()
    rows = {TAB.join(l.split(TAB)[:10]) for l in lines if l.startswith("package" + TAB)}
    owned = {l for l in lines if l.startswith("owned" + TAB)}
    provides = {l.split(TAB)[2]: l.split(TAB)[10] for l in lines if l.startswith("package" + TAB) and l.split(TAB)[10]}
    bad = [l for l in lines if l.startswith("incomplete")]
    bad += [f"missing: {r}" for r in sorted(want[0] - rows)] + [f"surplus: {r}" for r in sorted(rows - want[0])]
    bad += [f"missing: {r}" for r in sorted(want[1] - owned)[:5]] + [f"surplus: {r}" for r in sorted(owned - want[1])[:5]]
    bad += [f"provides of {n}: {provides.get(n)!r}, rpm says {want[2].get(n)!r}" for n in {**provides, **want[2]}
            if provides.get(n) != want[2].get(n)]
    print(f"{'not ok' if bad else 'ok'} - {title}: {len(rows)} packages, {len(owned)} files")
    for b in bad:
        print("   ", b)
    return not bad


def berkeley(top, blobs, order, page):
    """db5.3_load reads "bytevalue" dumps: a line of hex per key and value, each behind a blank."""
    name = f"{top}/Packages-{order}-{page}"
    key = "<I"
    lines = ["VERSION=3", "format=bytevalue", "type=hash", f"db_lorder={order}", f"db_pagesize={page}", "HEADER=END"]
    for number, blob in [(0, struct.pack("<I", max(n for n, _ in blobs) + 1))] + blobs:
        lines += [" " + struct.pack(key, number).hex(), " " + blob.hex()]
    subprocess.run(["db5.3_load", name], input="\n".join(lines + ["DATA=END", ""]).encode(), check=True)
    return name


def wal_case(top, root):
    """A database whose newest transaction stands in the log only: copied while a writer still has it open."""
    src, db = f"{root}/var/lib/rpm/rpmdb.sqlite", f"{top}/wal.sqlite"
    shutil.copy(src, db)
    c = sqlite3.connect(db, isolation_level=None)
    c.execute("PRAGMA journal_mode = WAL")
    c.execute("PRAGMA wal_autocheckpoint = 0")
    rows = c.execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()
    c.execute("DELETE FROM Packages WHERE hnum > ?", (rows[2][0],))
    c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    c.execute("BEGIN")
    c.executemany("INSERT INTO Packages VALUES (?, ?)", rows[3:])
    c.execute("COMMIT")
    for suffix in ("", "-wal"):
        shutil.copy(db + suffix, f"{top}/held.sqlite{suffix}")
    c.close()
    return f"{top}/held.sqlite"


def real_database(probe, top):
    shared = os.environ.get("BULKHEAD_SHARED", os.path.join(os.path.dirname(__file__), "../../../shared"))
    folder = os.path.join(shared, "corpora/formats/rpmdb-sqlite")
    if not os.path.isdir(folder):
        print("skip - the real database: no shared corpora here")
        return True
    db = f"{top}/real.sqlite"
    with open(db, "wb") as out:
        subprocess.run(["xz", "-dc", f"{folder}/rpmdb.sqlite.xz"], stdout=out, check=True)
    want = set()
    with open(f"{folder}/expected.tsv", encoding="utf-8") as rows:
        for line in rows:
            if not line.startswith("#"):
                name, epoch, version, release, arch, source, _, vendor, licence = [
                    "" if c == "(none)" else c for c in line.rstrip("\n").split(TAB)]
                prefix = f"{epoch}:" if epoch not in ("", "0") else ""
                want.add((name, f"{prefix}{version}-{release}", arch, source.rsplit("-", 2)[0], vendor, licence))
    got = set()
    for line in run([probe, "rpm_sqlite", "var/lib/rpm/rpmdb.sqlite", db]).splitlines():
        c = line.split(TAB)
        if c[0] == "package":
            got.add((c[2], c[3], c[4], c[5], c[7], c[9]))
    ok = got == want
    print(f"{'ok' if ok else 'not ok'} - the real database: {len(got)} packages")
    for row in sorted(got ^ want)[:10]:
        print("   ", "surplus" if row in got else "missing", row)
    return ok


def main():
    probe = os.path.abspath(sys.argv[1])
    missing = [t for t in ("rpm", "rpmbuild", "db5.3_load") if not shutil.which(t)]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} missing (Debian packages: rpm, db5.3-util)")
        return 77
    top = tempfile.mkdtemp(prefix="bulkhead-rpm-")
    ok = True
    try:
        packages = build_packages(top)
        wants = {}
        backends = [("sqlite", "rpm_sqlite", "rpmdb.sqlite")]
        if has_ndb(top):
            backends.append(("ndb", "rpm_ndb", "Packages.db"))
        else:
            print("skip - ndb: this rpm has no such back end, and BULKHEAD_RPM_NDB names no other")
        for backend, parser, file in backends:
            root = make_root(top, backend, packages)
            import_key(top, root, backend)
            wants[backend] = expected(root, backend)
            ok &= compare(backend, probe, parser, wants[backend], f"{root}/var/lib/rpm/{file}")
        held = wal_case(top, f"{top}/root-sqlite")
        ok &= compare("sqlite with a write-ahead log", probe, "rpm_sqlite", wants["sqlite"], held, held + "-wal")
        with sqlite3.connect(f"{top}/root-sqlite/var/lib/rpm/rpmdb.sqlite") as c:
            blobs = c.execute("SELECT hnum, blob FROM Packages").fetchall()
        for order, page in ((1234, 4096), (4321, 4096), (1234, 512), (4321, 65536)):
            db = berkeley(top, blobs, order, page)
            root = f"{top}/root-bdb-{order}-{page}"
            os.makedirs(f"{root}/var/lib/rpm")
            shutil.copy(db, f"{root}/var/lib/rpm/Packages")
            ok &= compare(f"Berkeley DB, order {order}, pages of {page}", probe, "rpm_bdb", wants["sqlite"], db)
            ok &= expected(root, "bdb_ro")[0] == wants["sqlite"][0]  # rpm itself reads the file that was made here
        ok &= real_database(probe, top)
        if "--keep" in sys.argv:
            shutil.copytree(top, sys.argv[sys.argv.index("--keep") + 1])
    finally:
        shutil.rmtree(top)
    return 0 if ok else 1


sys.exit(main())
