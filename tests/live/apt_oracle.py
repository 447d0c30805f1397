#!/usr/bin/env python3
"""apt_oracle: does a scan of a real Debian image agree with apt and dpkg?

usage: apt_oracle.py BULKHEAD RELEASE

The image is made from the machine's own mirror without security updates (tools/debian-image, cached). Then, inside a chroot
of it with the security suite added:
  - `dpkg-query -W` lists exactly the packages that the report lists;
  - every package that `apt-get -s dist-upgrade` takes from the security suite has a finding whose last fixed version is apt's
    candidate, none missing;
  - every reported CVE stands in the changelog of the package that fixes it.
When the archive moved on after the built-in facts were collected, a newer candidate than the facts know is listed, not failed:
of a package without any finding, only one whose changelog says that it was made after the facts' day.
Output: TAP.
"""
import email.utils
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
MADE = re.compile(r"^ -- .*?>  (.*)$", re.MULTILINE)
INST = re.compile(r"^Inst (\S+) \[([^\]]+)\] \((\S+) ([^)]*)\)")


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def run(command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kw).stdout


def mirror(*args):
    done = subprocess.run([ROOT / "tools/debian-mirror", *args], capture_output=True, text=True)
    return done.stdout.strip() or None


def make_image(release):
    image = CACHE / f"image-{release}"
    if not (image / "index.json").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([ROOT / "tools/debian-image", release, image], check=True, stdout=sys.stderr)
    return image


class Chroot:
    """The image unpacked, with the security suite added to its apt."""

    def __init__(self, image, release, work):
        bundle = pathlib.Path(work) / "bundle"
        run(["umoci", "unpack", "--image", f"{image}:latest", str(bundle)])
        self.root = bundle / "rootfs"
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        lists = self.root / "etc/apt/sources.list.d"
        lists.mkdir(parents=True, exist_ok=True)
        (self.root / "etc/apt/sources.list").write_text(
            f"deb {mirror()} {release} main\ndeb {mirror('--security')} {release}-security main\n")
        self.apt("update")

    def sh(self, *command):
        return run(["chroot", str(self.root), "env", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", *command])

    def apt(self, *args):
        return self.sh("apt-get", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Check-Valid-Until=false", "-qq", *args)

    def packages(self):
        out = self.sh("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n")
        rows = (line.split("\t") for line in out.splitlines())
        return {tuple(r[1:]) for r in rows if r[0] not in ("config-files", "not-installed")}

    def upgrades(self):
        """Package -> candidate, of what a full upgrade would take from the security suite."""
        found = {}
        for line in self.apt("-s", "dist-upgrade").splitlines():
            m = INST.match(line)
            if m and "security" in m.group(4).lower():
                found[m.group(1)] = m.group(3)
        return found

    def changelog(self, package, version):
        """Text of the Debian changelog inside PACKAGE=VERSION; empty when that binary package has none of its own."""
        target = self.root / "var/tmp/changelog" / package
        target.mkdir(parents=True, exist_ok=True)
        run(["chroot", str(self.root), "sh", "-c",
             f"cd /var/tmp/changelog/{package} && apt-get -qq -o APT::Sandbox::User=root download {package}={version}"])
        deb = next(target.glob("*.deb"))
        run(["dpkg-deb", "-x", str(deb), str(target / "x")])
        texts = []
        for name in ("changelog.Debian.gz", "changelog.gz"):
            for path in (target / "x/usr/share/doc").glob(f"*/{name}"):
                if path.is_file():
                    texts.append(gzip.open(path, "rt", errors="replace").read())
        shutil.rmtree(target)
        return "\n".join(texts)

    def source(self, package, version):
        for line in self.sh("apt-cache", "show", f"{package}={version}").splitlines():
            if line.startswith("Source: "):
                return line.split()[1]
        return package

    def made(self, packages):
        """Source -> the day (YYYY-MM-DD) its candidate was made, for a dictionary of package -> candidate."""
        days = {}
        for package, version in sorted(packages.items()):
            source = self.source(package, version)
            trailer = source not in days and MADE.search(self.changelog(package, version))
            if trailer:
                days[source] = email.utils.parsedate_to_datetime(trailer.group(1)).strftime("%Y-%m-%d")
        return days

    def made_after(self, packages, day):
        """Those of PACKAGES whose candidate was made after DAY, by the changelog of any package of its source."""
        days = self.made(packages)
        return {p for p, v in packages.items() if days.get(self.source(p, v), "") > day}


def scan(bulkhead, image):
    done = subprocess.run([bulkhead, "scan", "-f", "json", f"oci:{image}:latest"], capture_output=True, text=True)
    assert done.returncode in (0, 1, 3), done.stderr
    return json.loads(done.stdout)


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def ok(self, good, name, detail=()):
        self.n += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}")
        for line in list(detail)[:40]:
            print(f"# {line}")


def version_gt(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0


def source_of(report):
    return {p["purl"]: (p.get("source", {}).get("name") or p["name"]) for p in report["packages"]}


def main():
    bulkhead, release = sys.argv[1], sys.argv[2]
    if os.geteuid() != 0:
        skip_all("needs root: a chroot of a real image")
    if not mirror() or not mirror("--security"):
        skip_all("apt on this machine names no Debian mirror and security mirror")
    for tool in ("umoci", "mmdebstrap"):
        if not shutil.which(tool):
            skip_all(f"{tool} is not installed")
    tap = Tap()
    image = make_image(release)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        chroot = Chroot(image, release, work)
        report = scan(bulkhead, image)

        listed = {(p["name"], p["version"], p["arch"]) for p in report["packages"] if p["type"] == "deb"}
        wanted = chroot.packages()
        tap.ok(listed == wanted, f"{len(wanted)} packages as dpkg-query -W lists them",
               [f"missing {x}" for x in sorted(wanted - listed)] + [f"too many {x}" for x in sorted(listed - wanted)])

        by_purl = {p["purl"]: p for p in report["packages"]}
        newest = {}
        for f in report["findings"]:
            if f["class"] == "vulnerability" and f.get("fixed") and f.get("package") in by_purl:
                name = by_purl[f["package"]]["name"]
                last = f["fixed"][-1]
                if name not in newest or version_gt(last, newest[name]):
                    newest[name] = last
        upgrades = chroot.upgrades()
        unknown = {p: v for p, v in upgrades.items() if p not in newest}
        facts = next(iter(d["date"] for d in report["data"] if "debian" in d["source"]))
        unknown_yet = chroot.made_after(unknown, facts)
        missing = sorted(set(unknown) - unknown_yet)
        later = sorted(unknown_yet | {p for p, v in upgrades.items() if p in newest and version_gt(v, newest[p])})
        wrong = sorted(p for p, v in upgrades.items() if p in newest and v != newest[p] and p not in later)
        tap.ok(len(upgrades) > 0, f"apt would upgrade {len(upgrades)} packages from the security suite")
        tap.ok(not missing, f"none of them is missing in the report", missing)
        tap.ok(not wrong, "the fix of each is apt's candidate", [f"{p}: report {newest[p]}, apt {upgrades[p]}" for p in wrong])
        tap.ok(len(later) <= len(upgrades) // 2, f"{len(later)} candidates are newer than the facts of {facts}",
               [f"{p}: facts {newest.get(p, 'none')}, apt {upgrades[p]}" for p in later])

        sources = source_of(report)
        claims = {}
        for f in report["findings"]:
            if f["class"] == "vulnerability" and f["id"].startswith("CVE-"):
                claims.setdefault(sources[f["package"]], {}).setdefault(by_purl[f["package"]]["name"], set()).add(f["id"])
        unproven = {}

        def confirm(item):
            source, binaries = item
            left = set().union(*binaries.values())
            total = len(left)
            for name in sorted(binaries, key=lambda n: (n not in upgrades, n)):
                if left and name in newest:
                    text = chroot.changelog(name, upgrades.get(name, newest[name]))
                    left -= {c for c in left if re.search(re.escape(c) + r"(?!\d)", text)}
            return source, total, left

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(confirm, sorted(claims.items())))
        total = sum(r[1] for r in results)
        unproven = {s: sorted(left) for s, _, left in results if left}
        tap.ok(total > 0 and not unproven, f"{total} CVEs of {len(results)} sources stand in the changelogs of the fixed packages",
               [f"{s}: {' '.join(v)}" for s, v in unproven.items()])
    print(f"1..{tap.n}")
    return 0  # TAP says the rest


if __name__ == "__main__":
    sys.exit(main())
