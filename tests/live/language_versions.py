#!/usr/bin/env python3
"""language_versions: do our orders of versions agree with the tools of the languages' ecosystems?

usage: language_versions.py BULKHEAD [PAIRS [SEED]]
       language_versions.py tables      writes tests/table/versions/SCHEME.txt anew, with the tools' answers

Pairs are generated over each grammar, with near misses and broken ones, and answered by oracles/: node-semver, the crate
semver, golang.org/x/mod/semver, go/version, bitnami/go-version, knqyf263/go-apk-version (apk-tools itself is no package of
Debian's), packaging, Maven's ComparableVersion, Gem::Version, Composer\\Semver,
Elixir's Version, R, rattler (conda) and libalpm. A tool that is not here is skipped with a reason. Output: TAP.
"""
import ctypes
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import versions

HERE = pathlib.Path(__file__).resolve().parent / "oracles"
ROOT = versions.ROOT
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
SEMVER_RELEASE = "7.8.5"  # what npm 11 brings; Debian's 7.3.5 still takes "1.x.3" for a range
NUMBERS = ["0", "1", "2", "9", "10", "00", "01", "007", "12345678901", ".0", ".1", ".0.0", ".2.3", ".10", "."]
WORDS = ["-", "-alpha", "-alpha.1", "-beta.2", "-rc1", "-rc.1", ".rc1", "a", "b", "rc", "Z", "-0", "-1", "-01", "-a.b.c", "--", "+build", "+1", "+1.2", "+", "x"]
SEMVER = {"seeds": ["1.2.3", "0.0.1", "1.0.0", "2.10.3", "1.2.3-alpha.1", "1.0.0-1", "10.20.30-rc.1+b.7"], "fragments": NUMBERS + WORDS}
GRAMMAR = {
    "semver": {**SEMVER, "fragments": SEMVER["fragments"] + ["v", "=", "beta"], "starts": ["v", "=v", "="]},
    "cargo": SEMVER,
    "hex": SEMVER,
    "bitnami": SEMVER,
    "golang": {**SEMVER, "fragments": SEMVER["fragments"] + ["-0.20240102150405-abcdef012345", "+incompatible", "-pre.0.20240102150405-abcdef012345"],
               "seeds": ["v" + s for s in SEMVER["seeds"]] + ["v1", "v1.2", "v2.0.0+incompatible"]},
    "release": {"seeds": ["go1.20", "go1.21.0", "go1.22.3", "go1.22rc1", "go1.9.7", "go1.20beta1", "go1.21.10", "go2.0.0"], "fragments": ["rc2", "beta1", ".1", "0", "1"]},
    "pep440": {"seeds": ["1.0", "1.2.3", "0.9", "1!2.0", "1.0a1", "1.0.post1", "1.0.dev3", "2024.1.2"], "starts": ["v", "V", "1!", "0!"],
               "fragments": NUMBERS + ["a", "b", "rc", "c", "alpha", "BETA", "pre", "preview", "post", "rev", "r", "dev", ".dev", ".post", "-", "_", "-1", "+local", "+1.a",
                                       "+ubuntu-1", ".a1", "_b_2", "RC1", "!", "dev1", ".post2.dev1"]},
    "maven": {"seeds": ["1.0", "1.2.3", "1", "1-rc", "1.0-SNAPSHOT", "2.0.0.Final", "1.0-alpha-1", "20190126.230843", "31.1-jre"],
              "fragments": NUMBERS + ["-", "-alpha", "-a1", "b2", "m3", ".RC1", "-SNAPSHOT", "-ga", ".Final", "-sp", "-1", "x", "-foo", "release", "cr", "-0", ".0.0",
                                      "milestone", "-jre", "_", "sp2", "alpha"]},
    "gem": {"seeds": ["1.0", "1.2.3", "0", "1.a", "1.0.0.pre1", "2.0.0-x86", "1.2.b.3"],
            "fragments": NUMBERS + ["a", ".a", ".b.1", ".pre", "-", "-1", "-a", ".rc1", "Z", "b2", "-x86_64", ".0.a"]},
    "composer": {"seeds": ["1.0", "1.2.3", "v2.0.0", "1.0.0-beta1", "2.x-dev", "20100102", "2010-01-02", "1.2.3.4", "dev-main", "1.0-dev"], "starts": ["v", "V"],
                 "fragments": ["0", "1", "9", "10", "00", "123456", ".0", ".1", ".2.3", "-", ".", "_", "-alpha", "alpha1", "-b2", ".beta.1", "-RC1", "rc", "-patch1", "pl2", "-p",
                               "-dev", ".x-dev", "dev", "stable", "-stable", "-Stable", "@dev", "+build", "-01", "-02.3", "a", "#", ".x", "-1", "*"]},
    "conda": {"seeds": ["1.0", "1.2.3", "0.4", "1!1.2", "1.1.0post1", "1.0.1dev", "1.0.1a", "2024a", "1.0.1_"], "starts": ["1!", "0!"],
              "fragments": NUMBERS + ["a", "b1", "rc1", "dev", "dev1", "post", "post1", "_", "-", "+1", "+a.1", ".dev", "_1", "Alpha", ".a"]},
    "cran": {"seeds": ["1.0", "1.2.3", "0.4-7", "1", "2024.1.2"], "fragments": NUMBERS + ["-", "-1", "-0", "a", ".10-2"]},
    "alpm": {"seeds": ["1.0-1", "1.2.3-4", "1:1.0-1", "0", "1.0.r12.gabc123-1", "1.5rc1"], "starts": ["0:", "1:", "2:", ":"],
             "fragments": NUMBERS + ["a", "b", "rc1", "alpha", "-1", "-2.1", "_", "+r3+gabc", "~", "..", "Z", "pre2", "git"]},
    "apk": {"seeds": ["1.0-r0", "1.2.3-r4", "0", "1.2.3_rc1-r1", "2.36a-r0", "1.0_git20240101-r2", "3.14_p1"], "fragments": versions.FRAGMENTS["apk"]},
}
# What apk-tools takes for a version; beyond it the port in Go orders what apk-tools refuses.
APK_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(-r[0-9]+)?")


def generate(grammar, count, rng):
    def version():
        start = rng.choice(grammar.get("starts", [""])) if rng.random() < 0.1 else ""
        return start + rng.choice(grammar["seeds"]) + "".join(rng.choice(grammar["fragments"]) for _ in range(rng.choice([0, 0, 1, 1, 2, 3])))

    def near(text):
        chars = list(text)
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(0, len(chars))
            if rng.random() < 0.4 and len(chars) > 1:
                del chars[min(at, len(chars) - 1)]
            else:
                chars.insert(at, rng.choice(grammar["fragments"]))
        return "".join(chars) or "0"

    firsts = [version() for _ in range(count)]
    return [(a, near(a) if rng.random() < 0.7 else version()) for a in firsts]


def run(command, text, **more):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, **more).stdout.split()


def lines_of(pairs):
    return "".join("\t".join(pair) + "\n" if len(pair) > 2 else f"{pair[0]} {pair[1]}\n" for pair in pairs)


class Missing(Exception):
    """A tool that is not on this machine."""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"no {program} here")


def first_path(what, *paths):
    for path in paths:
        if pathlib.Path(path).exists():
            return str(path)
    raise Missing(f"no {what} here")


def made(command, cwd, env=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode:
        raise Missing(f"{' '.join(command[:2])} failed: {done.stderr.strip().splitlines()[-1:]}")


class Oracles:
    """Commands that read cases from standard input and answer one a line."""

    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)

    def semver(self, *mode):
        need("node", "npm")
        folder = CACHE / f"semver-{SEMVER_RELEASE}"
        if not (folder / "node_modules").exists():
            folder.mkdir(parents=True, exist_ok=True)
            made(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", f"semver@{SEMVER_RELEASE}"], folder)
        return ["node", HERE / "semver.js", folder / "node_modules/semver", *mode]

    def cargo(self, *mode):
        need("cargo")
        shutil.copytree(HERE / "cargo", self.scratch / "cargo", dirs_exist_ok=True)
        made(["cargo", "build", "--quiet"], self.scratch / "cargo", {"CARGO_TARGET_DIR": str(self.scratch / "cargo-target")})
        return [self.scratch / "cargo-target/debug/oracle", *mode]

    def go(self, name):
        need("go")
        made(["go", "build", "-o", str(self.scratch / "go-oracle"), "."], HERE / "go")
        return [self.scratch / "go-oracle", name]

    def golang(self):
        return self.go("golang")

    def apk(self):
        return self.go("apk")

    def release(self):
        return self.go("release")

    def bitnami(self):
        return self.go("bitnami")

    def python(self, module, script, *mode):
        for python in (sys.executable, str(self.scratch / "py/bin/python")):
            if python.startswith(str(self.scratch)):
                if not pathlib.Path(python).exists():
                    made([sys.executable, "-m", "venv", str(self.scratch / "py")], self.scratch)
                made([python, "-m", "pip", "install", "--quiet", {"rattler": "py-rattler"}.get(module, module)], self.scratch)
            # packaging 26 reads "<" and ">" otherwise than Debian's 23
            if subprocess.run([python, "-c", f"import {module}; assert '{module}' != 'packaging' or {module}.__version__ >= '26'"], capture_output=True).returncode == 0:
                return [python, HERE / script, *mode]
        raise Missing(f"no Python module {module} here")

    def pep440(self, *mode):
        return self.python("packaging", "pep440.py", *mode)

    def conda(self):
        return self.python("rattler", "conda.py")

    def maven(self, *mode):
        need("java", "javac")
        artifact = first_path("maven-artifact", "/usr/share/java/maven3-artifact.jar", "/usr/share/maven/lib/maven-artifact-3.x.jar")
        path = artifact + ":" + first_path("commons-lang3", "/usr/share/java/commons-lang3.jar", "/usr/share/maven/lib/commons-lang3.jar")
        made(["javac", "-cp", path, "-d", str(self.scratch), str(HERE / "Maven.java")], self.scratch)
        return ["java", "-cp", f"{self.scratch}:{path}", "Maven", *mode]

    def gem(self, *mode):
        need("ruby")
        return ["ruby", HERE / "gem.rb", *mode]

    def composer(self, *mode):
        need("php")
        first_path("Composer\\Semver", "/usr/share/php/Composer/Semver/autoload.php")
        return ["php", HERE / "composer.php", *mode]

    def hex(self):
        need("elixir")
        return ["elixir", HERE / "hex.exs"]

    def cran(self):
        need("Rscript")
        return ["Rscript", "--vanilla", HERE / "cran.R"]


def ask_libalpm(pairs):
    """What pacman's vercmp calls."""
    try:
        vercmp = ctypes.CDLL("libalpm.so.13").alpm_pkg_vercmp
    except OSError as why:
        raise Missing("no libalpm here") from why
    return ["<=>"[1 + vercmp(a.encode(), b.encode())] for a, b in pairs]


# What we take although the tool refuses it: see the head of the scheme's file.
WIDER = {"bitnami", "composer", "golang", "release"}


def answers(oracles, scheme, pairs):
    if scheme == "alpm":
        return ask_libalpm(pairs)
    theirs = run(getattr(oracles, scheme)(), lines_of(pairs))
    return [None if want == "?" and scheme in WIDER else want for want in theirs]


def usable(scheme, pair):
    """Not what a tool can't be asked, or answers by its size limits."""
    text = " ".join(pair)
    digits = max((len(run) for run in "".join(c if c.isdigit() else " " for c in text).split()), default=0)
    if scheme in ("semver", "bitnami") and digits > 15:
        return False
    if scheme == "semver" and re.search(r"(^| )[v=]*\d+\.\d+\.\d\d+\.", text):
        return False  # it takes 1.2.34.5 for 1.2.3-4.5
    if scheme == "bitnami" and re.search(r"[.-]x(\.|\+|$| )", text):
        return False  # "x" is any number to it
    if scheme == "composer" and any(v.lower().startswith("dev-") for v in pair):
        return False  # branches have no order
    if scheme == "conda" and re.search(r"[-_]( |$|\+)|\+.*[-_]", text):
        return False  # rattler reads a last "_" otherwise than conda
    if scheme in ("cargo", "composer", "conda") and digits > 18:
        return False
    if scheme == "apk" and (digits > 18 or not all(APK_VERSION.fullmatch(v) for v in pair)):
        return False
    if scheme == "cran" and digits > 9:
        return False
    if scheme == "release":  # "go1.21", the language, comes before its release candidates and is no release
        return all(v.count(".") >= 2 or "rc" in v or "beta" in v or int(v[4:] or 0) < 21 for v in pair if v.startswith("go1.") and v[4:].isdigit())
    return True


TOOLS = {"semver": "node-semver, loose", "cargo": "the crate semver 1", "hex": "Elixir's Version.compare", "bitnami": "github.com/bitnami/go-version",
         "golang": "golang.org/x/mod/semver, and go/version for releases of Go", "pep440": "packaging", "maven": "ComparableVersion of Maven 3.8.7",
         "gem": "Gem::Version of RubyGems 3.3", "composer": "version_compare over VersionParser::normalize of Composer\\Semver 3.3",
         "conda": "rattler", "cran": "numeric_version of R 4.2", "alpm": "alpm_pkg_vercmp of libalpm 13"}
TABLE_LINES = 500


def write_tables(oracles):
    for scheme, tool in TOOLS.items():
        text = f"# {tool} answered. ? = it refuses one of the two.\n"
        for name in (scheme, "release") if scheme == "golang" else (scheme,):
            pairs = [p for p in generate(GRAMMAR[name], 8 * TABLE_LINES, random.Random(7)) if usable(name, p) and len(" ".join(p)) < 48]
            cases = [f"{a} {sign} {b}\n" for (a, b), sign in zip(pairs, answers(oracles, name, pairs)) if sign and not ("?" == sign and len(a) % 4)]
            text += "".join(cases[:TABLE_LINES if name == scheme else TABLE_LINES // 10])
        (ROOT / "tests/table/versions" / f"{scheme}.txt").write_text(text)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "tables":
        with tempfile.TemporaryDirectory() as scratch:
            return write_tables(Oracles(scratch))
    bulkhead, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tap = versions.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        oracles = Oracles(scratch)
        for scheme, grammar in GRAMMAR.items():
            pairs = [p for p in generate(grammar, count, rng) if usable(scheme, p)]
            try:
                versions.compare(tap, scheme, bulkhead, "golang" if scheme == "release" else scheme, pairs, lambda p: answers(oracles, scheme, p))
            except Missing as why:
                tap.skip(scheme, why)
    print(f"1..{tap.n}")
    sys.exit(tap.bad > 0)


if __name__ == "__main__":
    main()
