#!/usr/bin/env python3
"""versions: do our version orders agree with dpkg, rpm and (where it is installed) apk?

usage: versions.py BULKHEAD [PAIRS [SEED]]

Pairs are generated over each grammar, with near misses and broken ones, and taken from the versions that
this machine's apt knows. dpkg is asked through Dpkg::Version (fast; not for versions that it treats
otherwise than dpkg itself: numbers beyond 2^53, epochs beyond 2^31, a colon at the end) and, for a sample, through the real program; rpm through
its Lua binding; apk, where it is installed, through `apk version -t` (language_versions.py asks a port of it everywhere). Where
../shared/corpora/versions exists its tables are checked too.
Output: TAP.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = pathlib.Path(os.environ.get("BULKHEAD_SHARED", ROOT.parent / "shared")) / "corpora" / "versions"
FRAGMENTS = {
    "dpkg": ["0", "1", "2", "9", "10", "00", "01", "007", "99999999999999999999", "a", "b", "Z", "rc", "alpha", "~", "~~", "~rc1", "+", "+b1",
             "+deb12u1", "~deb12u1", "~bpo12+1", ".", "..", "-", "-1", "-0", "-1.1", "+dfsg", "ubuntu", "git20240101", ":", "_", "é"],
    "rpm": ["0", "1", "2", "9", "10", "00", "01", "007", "99999999999999999999", "a", "b", "Z", "rc", "alpha", "~", "~~", "~rc1", "^", "^git1", "^^",
            "~^", "+", "_", ".", "..", "-", "-1", "-0", ".el9", ".fc39", ".module_el8.3.0+2047", "=", "git20240101", ":", "é"],
    "apk": ["0", "1", "2", "9", "10", "00", "01", "007", "020", ".1", ".0", ".01", ".001", ".010", ".10", "a", "b", "z", "_alpha", "_alpha1",
            "_beta2", "_pre", "_rc", "_rc3", "_cvs", "_svn7", "_git20240101", "_hg", "_p", "_p1", "_p0", "_blah", "-r0", "-r1", "-r10", "-r01",
            "-r", ".", "..", "-", "_", "A"],
}
EPOCHS = {"dpkg": ["0:", "1:", "2:", "00:", "01:", "+1:", ":", "a:", "99999999999:"], "rpm": ["0:", "1:", "2:", "00:", "01:", ":", "a:"], "apk": [""]}
DPKG_SAMPLE = 4000
RPM_BATCH = 1500
# No apk release orders these as the table says: they are invalid for apk-tools 3, and 2.x answers otherwise (comments in the table).
APK_TABLE_EXCEPTIONS = {"1-r-0 < 1-r0", "1-r-1 < 1-r0", "0.r1 < 0r2", "0.8.21.r2 < 0.8.21r2", "1.2.0A < 1.2.0d", "1.2.0D < 1.2.0d", "1 > 1-ruff",
                        "1-ruff2 = 1--ruff1"}


def generate(scheme, count, rng):
    def version():
        text = rng.choice(["0", "1", "2", "1.2", "10", "1.0", "3.14", "2.36"]) if rng.random() < 0.9 else ""
        if rng.random() < 0.15:
            text = rng.choice(EPOCHS[scheme]) + text
        return text + "".join(rng.choice(FRAGMENTS[scheme]) for _ in range(rng.randint(0, 6))) or "1"

    def near(text):
        chars = list(text)
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(0, len(chars))
            if rng.random() < 0.5 and chars:
                del chars[min(at, len(chars) - 1)]
            else:
                chars.insert(at, rng.choice(FRAGMENTS[scheme]))
        return "".join(chars) or "0"

    pairs = []
    for _ in range(count):
        a = version()
        pairs.append((a, near(a) if rng.random() < 0.6 else version()))
    return pairs


def real_debian_pairs(limit, rng):
    if not shutil.which("apt-cache"):
        return []
    listed = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout.decode(errors="replace")
    known = sorted(set(re.findall(r"^Version: (\S+)", listed, re.M)))
    pairs = list(zip(known, known[1:])) + [(rng.choice(known), rng.choice(known)) for _ in range(len(known))]
    return rng.sample(pairs, min(limit, len(pairs)))


def real_rpm_pairs(limit, rng):
    """Debian's upstream versions with the release tags of rpm distributions: real shapes, and there are many of them."""
    tags = ["1.el8", "2.el9_3", "3.fc39", "1.module_el8.3.0+2047+abc", "150400.3.1", "4.amzn2023.0.2", "0.2.rc1.el9"]
    def convert(v):
        return re.sub(r"-[^-]*$", "", v).replace("-", "_") + "-" + rng.choice(tags)
    return [(convert(a), convert(b)) for a, b in real_debian_pairs(limit, rng)]


def ours(bulkhead, scheme, pairs):
    text = "".join(f"{a} {b}\n" for a, b in pairs)
    run = subprocess.run([bulkhead, "version", "compare", "--scheme", scheme], input=text, capture_output=True, text=True, check=True)
    return run.stdout.split()


def ask_perl(pairs):
    """None where Dpkg::Version refuses, or is known to differ from dpkg."""
    program = 'use Dpkg::Version; while (<STDIN>) { chomp; my ($a, $b) = split / /; my $r = eval { version_compare($a, $b) };' \
              ' print !defined($r) ? "?" : $r < 0 ? "<" : $r > 0 ? ">" : "=", "\\n"; }'
    run = subprocess.run(["perl", "-e", program], input="".join(f"{a} {b}\n" for a, b in pairs), capture_output=True, text=True, check=True)
    differs = re.compile(r"[0-9]{11}:|[0-9]{15}|:( |$)")
    return [None if answer == "?" or differs.search(f"{a} {b}") else answer for (a, b), answer in zip(pairs, run.stdout.split())]


def ask_dpkg(pairs):
    def one(a, b):
        if a.startswith("-") or b.startswith("-"):
            return None  # taken for an option
        code = subprocess.run(["dpkg", "--compare-versions", a, "lt", b], stderr=subprocess.DEVNULL).returncode
        if code > 1:
            return "?"
        if code == 0:
            return "<"
        return "=" if subprocess.run(["dpkg", "--compare-versions", a, "eq", b], stderr=subprocess.DEVNULL).returncode == 0 else ">"
    return [one(a, b) for a, b in pairs]


def ask_rpm(pairs):
    answers = []
    for at in range(0, len(pairs), RPM_BATCH):
        batch = pairs[at:at + RPM_BATCH]
        lua = "local t={};" + "".join(f't[#t+1]=rpm.vercmp("{a}","{b}");' for a, b in batch) + 'print(table.concat(t," "))'
        run = subprocess.run(["rpm", "--eval", "%{lua:" + lua + "}"], capture_output=True, text=True, check=True)
        answers += [{"-1": "<", "0": "=", "1": ">"}[word] for word in run.stdout.split()]
    return answers


def ask_apk(pairs):
    return [subprocess.run(["apk", "version", "-t", a, b], capture_output=True, text=True).stdout.strip() or None for a, b in pairs]


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def result(self, ok, name, notes=()):
        self.n += 1
        self.bad += not ok
        print(f"{'ok' if ok else 'not ok'} {self.n} - {name}")
        for note in notes:
            print(f"# {note}")

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}")


def compare(tap, name, bulkhead, scheme, pairs, oracle):
    if not pairs:
        return tap.skip(name, "no versions on this machine")
    theirs = oracle(pairs)
    wrong = [f"{a} {got} {b}: the tool says {want}" for (a, b), got, want in zip(pairs, ours(bulkhead, scheme, pairs), theirs)
             if want is not None and got != want]
    asked = sum(want is not None for want in theirs)
    tap.result(not wrong and asked > 0, f"{name}: {asked} pairs", wrong[:20])


def table(tap, bulkhead, scheme, path, exceptions):
    lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith(("# ", "// "))]
    pairs = [(a, b) for a, _, b in lines] + [(b, a) for a, _, b in lines]
    want = [op for _, op, _ in lines] + [op.translate(str.maketrans("<>", "><")) for _, op, _ in lines]
    skip = {tuple(line.split()) for line in exceptions}
    skip |= {(b, op.translate(str.maketrans("<>", "><")), a) for a, op, b in skip}
    wrong = [f"{a} {got} {b}, expected {op}" for (a, b), got, op in zip(pairs, ours(bulkhead, scheme, pairs), want)
             if got != op and (a, op, b) not in skip]
    tap.result(not wrong, f"{path.name}: {len(lines)} cases both ways, {len(exceptions)} known exceptions", wrong[:20])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bulkhead, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tap = Tap()
    if shutil.which("dpkg"):
        generated = generate("dpkg", count, rng)
        compare(tap, "dpkg, generated, the program", bulkhead, "dpkg", generated[:DPKG_SAMPLE], ask_dpkg)
        compare(tap, "dpkg, generated, Dpkg::Version", bulkhead, "dpkg", generated, ask_perl)
        real = real_debian_pairs(count, rng)
        compare(tap, "dpkg, real, the program", bulkhead, "dpkg", real[:DPKG_SAMPLE], ask_dpkg)
        compare(tap, "dpkg, real, Dpkg::Version", bulkhead, "dpkg", real, ask_perl)
    else:
        tap.skip("dpkg", "no dpkg here")
    if shutil.which("rpm"):
        compare(tap, "rpm, generated", bulkhead, "rpm", generate("rpm", count, rng), ask_rpm)
        compare(tap, "rpm, real shapes", bulkhead, "rpm", real_rpm_pairs(count, rng), ask_rpm)
    else:
        tap.skip("rpm", "no rpm here")
    if shutil.which("apk"):
        compare(tap, "apk, generated", bulkhead, "apk", generate("apk", min(count, DPKG_SAMPLE), rng), ask_apk)
    for scheme, name, exceptions in (("dpkg", "debian-versions-generated.txt", ()), ("rpm", "redhat-versions.txt", ()),
                                     ("apk", "alpine-versions.txt", APK_TABLE_EXCEPTIONS)):
        if (SHARED / name).exists():
            table(tap, bulkhead, scheme, SHARED / name, exceptions)
    print(f"1..{tap.n}")
    sys.exit(tap.bad > 0)


if __name__ == "__main__":
    main()
