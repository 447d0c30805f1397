#!/usr/bin/env python3
"""Compare the dpkg, os-release and pacman parsers with dpkg-query, the shell and pacman on real roots.

usage: dpkg_roots.py PKG-PROBE

Roots: this machine's own, and minimal Debian 11, 12 and 13 ones made by debootstrap from the machine's own mirror, kept in
BULKHEAD_TEST_CACHE (default /var/cache/bulkhead-tests). Then a status file with every package state and odd spellings, and a pacman database. Parts whose tool is missing are skipped aloud; exit code 77 when nothing could be compared.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
RELEASES = {"11": "bullseye", "12": "bookworm", "13": "trixie"}
QUERY = r"${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
ABSENT = ("not-installed", "config-files")
done = 0


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout.decode(errors="surrogateescape")


def parse(probe, parser, path, file):
    """What the probe prints: {kind: [columns]}."""
    out = {"package": [], "owned": [], "distro": [], "incomplete": []}
    for line in run(probe, parser, path, str(file)).splitlines():
        kind, *columns = line.split("\t")
        out[kind].append([c.replace("\\\\", "\\") for c in columns])  # as the probe writes a backslash
    return out


def report(title, got, want):
    global done
    done += 1
    bad = [f"missing {x}" for x in sorted(want - got)[:10]] + [f"surplus {x}" for x in sorted(got - want)[:10]]
    print(f"{'not ok' if bad else 'ok'} - {title}: {len(got)}")
    for line in bad:
        print("   ", line)
    return not bad


def status(title, probe, live_admin):
    with tempfile.TemporaryDirectory(prefix="bulkhead-dpkg-") as admin:  # a copy: apt may be at work
        for name in ("info", "updates"):
            os.mkdir(f"{admin}/{name}")
        for name in ("status", "arch", "info/format"):
            if os.path.exists(f"{live_admin}/{name}"):
                shutil.copy(f"{live_admin}/{name}", f"{admin}/{name}")
        return compare_status(title, probe, admin)


def compare_status(title, probe, admin):
    want = {tuple(r[1:]) for r in (line.split("\t") for line in run("dpkg-query", f"--admindir={admin}", "-W", "-f", QUERY).splitlines())
            if r[0] not in ABSENT}
    got = parse(probe, "dpkg", "var/lib/dpkg/status", f"{admin}/status")
    rows = {(p[1], p[2], p[3], p[4] or p[1], p[5] or p[2]) for p in got["package"]}
    return report(f"{title}: packages equal dpkg-query -W", rows, want) and report(
        f"{title}: damaged entries", {tuple(i) for i in got["incomplete"]}, set())


def lists(title, probe, admin):
    """Each .list file against its lines, read by hand; and its name against dpkg-query -L for a few."""
    ok, files = True, sorted(pathlib.Path(f"{admin}/info").glob("*.list"))
    got, want = set(), set()
    for file in files[::max(1, len(files) // 40)]:
        for name, arch, path in parse(probe, "dpkg_list", f"var/lib/dpkg/info/{file.name}", file)["owned"]:
            got.add((f"{name}:{arch}" if arch else name, path))
        package = file.name.removesuffix(".list")
        said = subprocess.run(["dpkg-query", f"--admindir={admin}", "-L", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if said.returncode:
            continue  # removed, its list is left
        # dpkg-query adds a line of its own behind a path that was diverted.
        want |= {(package, l) for l in said.stdout.decode().splitlines() if l.startswith("/") and l != "/."}
    ok &= report(f"{title}: owned files equal dpkg-query -L", {g for g in got if g[0] in {w[0] for w in want}}, want)
    return ok


def os_release(title, probe, root):
    keys = ("ID", "VERSION_ID", "VERSION_CODENAME", "PRETTY_NAME", "ID_LIKE")
    script = ". \"$1\"; for k in " + " ".join(keys) + "; do eval 'printf \"%s\\t\" \"$'$k'\"'; done"
    want = run("env", "-i", "sh", "-c", script, "sh", f"{root}/etc/os-release").rstrip("\t").split("\t")
    got = parse(probe, "osrelease", "etc/os-release", f"{root}/etc/os-release")["distro"][0][1:]
    while len(want) < len(got):
        want.append("")
    return report(f"{title}: os-release equals the shell's reading", {tuple(got)}, {tuple(want)})


def debian_root(version):
    """A cached minimal root, or None with the reason said."""
    root = CACHE / f"rootfs-{version}"
    if (root / "var/lib/dpkg/status").exists():
        return root
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        print(f"skip - Debian {version}: debootstrap and root are needed")
        return None
    mirror = subprocess.run([HERE.parent.parent / "tools/debian-mirror"], stdout=subprocess.PIPE, check=False).stdout.decode().strip()
    if not mirror:
        print(f"skip - Debian {version}: no mirror found")
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = pathlib.Path(tempfile.mkdtemp(prefix=f"rootfs-{version}-", dir=CACHE))
    made = subprocess.run(["debootstrap", "--variant=minbase", RELEASES[version], fresh, mirror], stdout=subprocess.DEVNULL, check=False)
    if made.returncode or root.exists():
        shutil.rmtree(fresh)
        if made.returncode:
            print(f"skip - Debian {version}: debootstrap failed")
            return None
        return root
    fresh.chmod(0o755)
    fresh.rename(root)
    return root


STATES = """Package: installed\nStatus: install ok installed\nVersion: 1-1\nArchitecture: amd64\nMaintainer: A <a@b.c>\nDescription: x\n
Package: unpacked\nStatus: install ok unpacked\nVersion: 1-1\nArchitecture: amd64\nMaintainer: A <a@b.c>\nDescription: x\n
Package: half-configured\nStatus: install ok half-configured\nVersion: 2-1\nConfig-Version: 1-1\nArchitecture: amd64\nMaintainer: A <a@b.c>\nDescription: x\n
Package: half-installed\nStatus: install reinstreq half-installed\nVersion: 1-1\nArchitecture: amd64\nMaintainer: A <a@b.c>\nDescription: x\n
Package: awaited\nStatus: install ok triggers-awaited\nVersion: 1-1\nArchitecture: all\nTriggers-Awaited: installed\nMaintainer: A <a@b.c>\nDescription: x\n
Package: pending\nStatus: install ok triggers-pending\nVersion: 1-1\nArchitecture: all\nTriggers-Pending: t\nMaintainer: A <a@b.c>\nDescription: x\n
Package: gone\nStatus: deinstall ok config-files\nVersion: 1-1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: x\n
Package: purged\nStatus: purge ok not-installed\n
Package: held\nStatus: hold ok installed\nVersion: 1:1-1\nArchitecture: all\nSource: held-src (2:0.9)\nMaintainer: A <a@b.c>\nDescription: x\n y\n .\n z: no field\n
package: lower\nSTATUS: install   ok   installed\nversion:1-1\narchitecture:all\nMaintainer: A <a@b.c>\nDescription: x\n
Package: multi\nStatus: install ok installed\nVersion: 2-1\nArchitecture: amd64\nMulti-Arch: same\nSource: m\nMaintainer: A <a@b.c>\nDescription: x\n
Package: multi\nStatus: install ok installed\nVersion: 2-1\nArchitecture: i386\nMulti-Arch: same\nSource: m\nMaintainer: A <a@b.c>\nDescription: """


def odd_status(probe, top):
    admin = f"{top}/admin"
    os.makedirs(f"{admin}/info")
    os.makedirs(f"{admin}/updates")
    for name in ("info/format", "arch"):
        with open(f"{admin}/{name}", "w", encoding="ascii") as out:
            out.write("1\n" if name == "info/format" else "amd64\ni386\n")
    with open(f"{admin}/status", "w", encoding="ascii") as out:
        out.write(STATES + "x" * (1 << 20) + "\n")
    return status("every state, odd spellings, a line of 1 MiB", probe, admin)


def pacman(probe, top):
    if not shutil.which("pacman"):
        print("skip - pacman: not installed (Debian package pacman-package-manager)")
        return True
    db = f"{top}/pacman"
    want, got = set(), set()
    for name, version, base in (("bash", "5.2.026-2", "bash"), ("libstdc++", "1:13.2.1-3", "gcc"), ("gtk-update-icon-cache", "1:4.12.5-1", "gtk4")):
        folder = f"{db}/local/{name}-{version}"
        os.makedirs(folder)
        with open(f"{folder}/desc", "w", encoding="ascii") as out:
            out.write(f"%NAME%\n{name}\n\n%VERSION%\n{version}\n\n%BASE%\n{base}\n\n%ARCH%\nx86_64\n\n%LICENSE%\nGPL\nMIT\n\n")
        with open(f"{folder}/files", "w", encoding="ascii") as out:
            out.write(f"%FILES%\nusr/\nusr/bin/\nusr/bin/{name}\n\n%BACKUP%\netc/x\tabc\n\n")
    with open(f"{db}/local/ALPM_DB_VERSION", "w", encoding="ascii") as out:
        out.write("9\n")
    for line in run("pacman", "--dbpath", db, "-Q").splitlines():
        name, version = line.split()
        want.add((name, version))
        want |= {(name, l.split(" ", 1)[1].rstrip("/")) for l in run("pacman", "--dbpath", db, "--root", "/", "-Ql", name).splitlines()}
    for file in pathlib.Path(db).glob("local/*/*"):
        out = parse(probe, "pacman", f"var/lib/pacman/local/{file.parent.name}/{file.name}", file) if file.name in ("desc", "files") else {}
        got |= {(p[1], p[2]) for p in out.get("package", [])} | {(o[0], o[2]) for o in out.get("owned", [])}
    return report("pacman -Q and -Ql", got, want)


def main():
    probe = os.path.abspath(sys.argv[1])
    if not shutil.which("dpkg-query"):
        print("SKIPPED: no dpkg-query")
        return 77
    ok = True
    roots = [("this machine", pathlib.Path("/"))] + [(f"Debian {v}", r) for v in RELEASES if (r := debian_root(v))]
    for title, root in roots:
        if not (root / "var/lib/dpkg/status").exists():
            continue
        ok &= status(title, probe, f"{root}/var/lib/dpkg")
        ok &= lists(title, probe, f"{root}/var/lib/dpkg")
        ok &= os_release(title, probe, root)
    with tempfile.TemporaryDirectory(prefix="bulkhead-dpkg-") as top:
        ok &= odd_status(probe, top)
        ok &= pacman(probe, top)
    if not done:
        print("SKIPPED: nothing to compare here")
        return 77
    return 0 if ok else 1


sys.exit(main())
