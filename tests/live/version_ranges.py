#!/usr/bin/env python3
"""version_ranges: do we read version ranges as the package managers do?

usage: version_ranges.py BULKHEAD [CASES [SEED]]
       version_ranges.py tables      writes tests/table/ranges/SYNTAX.tsv anew, with the tools' answers

Ranges are generated over each syntax, with near misses and broken ones; each is asked about versions near its own ends. Answers come
from oracles/: node-semver, the crate semver, Gem::Requirement, Composer\\Semver, packaging and Maven's VersionRange. A tool that is not here
is skipped with a reason. Output: TAP.
"""
import random
import re
import sys
import tempfile

import language_versions
import versions

NUMBERS = ["0", "1", "2", "3", "1.2", "0.1", "0.0", "1.0", "2.10", "1.2.3", "0.2.3", "0.0.3", "1.0.0", "2.0.0", "1.10.0", "0.0.0"]
SEMVER = {"versions": NUMBERS + ["1.2.3-alpha.1", "1.2.3-beta", "2.0.0-rc.1", "1.0.0-0", "0.2.3-a", "1.2.3+build"],
          "asked": ["1.2.3", "1.2.4", "1.3.0", "2.0.0", "0.2.3", "0.2.4", "0.3.0", "0.0.3", "0.0.4", "1.2.3-alpha.1", "1.2.3-alpha.2", "1.2.3-beta", "2.0.0-rc.1", "2.0.0-0",
                    "1.0.0-0", "1.0.0", "0.0.0", "3.4.5", "10.0.0", "1.2.3+other", "0.1.0", "0.0.0-a", "2.0.0-alpha", "1.3.0-a"]}
SYNTAX = {
    "npm": {**SEMVER, "ops": ["", "^", "~", ">", "<", ">=", "<=", "=", "~>", ">= ", "^ ", "v", "^v", "=v"], "more": ["*", "x", "", "1.x", "1.2.x", "1.X.3", "1.*", "X.2"],
            "joins": [" ", " ", "  ", " || ", "||", " - ", " - ", ", ", "|"]},
    "cargo": {**SEMVER, "ops": ["", "^", "~", ">", "<", ">=", "<=", "=", ">= ", "^ ", "=="], "more": ["*", "1.*", "1.2.*", "1.*.*", ">=1.*", "x", "1.x", "", "1.*.3"],
              "joins": [",", ", ", ", ", " , ", " ", ",,"]},
    "gem": {"versions": NUMBERS + ["1.2.a", "1.2.3.pre1", "2.0.0.rc1", "1.2.3.4.5", "1.2a", "1.0-1"],
            "asked": ["1.2.3", "1.2.4", "1.3", "2.0", "1.2.a", "1.2.3.pre1", "2.0.0.rc1", "2.0.0.rc2", "0.1", "0", "1", "3", "1.2.3.4.5", "1.2.3.4", "1.3.a", "1.3.0.b1", "2.a", "1-x"],
            "ops": ["", "~> ", "~>", ">= ", "<= ", "> ", "< ", "= ", "!= ", ">=", "=> ", "=="], "more": ["", ">= 0", ">= 0.a"], "joins": [", ", ", ", ","]},
    "composer": {"versions": NUMBERS + ["1.2.3.4", "v1.2", "1.2.3-beta1", "2.0-RC1", "1.0-dev", "1.x-dev", "1.2.x-dev", "2.0.0-alpha.2", "1.2-p1", "1.0.0-stable", "2010-01-02", "1.2+build",
                                             "dev-main", "1.2-beta-dev"],
                 "asked": ["1.2.3", "1.2.4", "1.3", "2.0", "2.0-dev", "1.2.3-beta1", "1.2.3-beta2", "2.0-RC1", "2.0-alpha2", "0.1", "0.0.3", "0.2.3", "0.2.4", "0.3.0-dev", "1.0", "1.0-dev",
                           "1.2-p1", "1.2.x-dev", "1.x-dev", "3", "10.0", "2010-01-02", "v1.2.3.4", "0", "0.0.0-dev"],
                 "ops": ["", "^", "~", ">", "<", ">=", "<=", "=", "!=", "<>", "==", ">= ", "~>"],
                 "more": ["*", "1.*", "1.2.*", "1.2.x", "v1.*", "x.x", "0.*", "@dev", "1.0@beta", ">=1.0@beta", "<2@RC", "<1.2@stable", "foo-dev", "1.*.*", ""],
                 "joins": [" ", ",", ", ", " || ", "|", "||", " - ", " - "]},
    "pep440": {"versions": NUMBERS + ["1.2.3a1", "1.2.3.post1", "1.2.dev1", "1!1.2", "1.2.3+local", "2.0rc1", "1.2.0", "1.2a1.dev2", "1.2.post1.dev1"],
               "asked": ["1.2.3", "1.2.4", "1.3", "2.0", "1.2", "1.2.0", "1.2.3a1", "1.2.3a2", "1.2.3.post1", "1.2.3.post2", "1.2.dev1", "1.2.dev2", "1!1.2", "1!1.2.5", "1.2.3+local",
                         "1.2.3+other", "2.0rc1", "2.0rc2", "0", "1", "1.2a1", "1.2.post1", "1.3.dev0", "1.2.post1.dev1", "1.2+x"],
               "ops": ["==", "==", "!=", ">=", "<=", "<", ">", "~=", "~=", "===", ">= ", "", "="], "more": ["==1.2.*", "!=1.2.*", "==1.*", "==1!1.*", "==1.2.dev1.*", "===foo", "", "~=1", "~=1.2.*", "==1.2.3a1.*"],
               "joins": [",", ", ", " , ", ",,", " "]},
    "maven": {"versions": NUMBERS + ["1.2-alpha-1", "2.0-SNAPSHOT", "1.2.3.Final", "1-rc1"],
              "asked": ["1.2.3", "1.2.4", "1.3", "2.0", "2", "1.2-alpha-1", "2.0-SNAPSHOT", "1.2.3.Final", "0.1", "1-rc1", "1.2-beta", "10", "1", "1.0", "3.1"],
              "ops": [""], "more": [], "joins": []},
}


def bracketed(syntax, rng):
    def end():
        return rng.choice(syntax["versions"]) if rng.random() < 0.8 else ""
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2])):
        inner = end() + rng.choice([",", ",", ", ", ""]) + end() if rng.random() < 0.8 else end()
        parts.append(rng.choice("[([") + inner + rng.choice("])]"))
    return rng.choice(parts + [",".join(sorted(parts, key=lambda p: re.findall(r"[0-9.]+", p) or ["0"])), rng.choice(syntax["versions"])])


def plain(syntax, rng):
    def one():
        return rng.choice(syntax["more"]) if rng.random() < 0.15 else rng.choice(syntax["ops"]) + rng.choice(syntax["versions"])
    text = one()
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        text += rng.choice(syntax["joins"]) + one()
    return text


def generate(name, count, rng):
    syntax = SYNTAX[name]
    make = bracketed if name == "maven" else plain
    for _ in range(count):
        text = make(syntax, rng)
        if not (name == "composer" and ("dev-main" in text or "+build" in text) and re.search(r" - |,\s*$", text)):  # taken into the name
            yield rng.choice(syntax["asked"]), text


def ask(oracles, name, cases):
    oracle = getattr(oracles, {"npm": "semver"}.get(name, name))
    return language_versions.run(oracle("ranges"), "".join(f"{v}\t{r}\n" for v, r in cases))


TABLE_LINES = 300


def write_tables(oracles):
    for name in SYNTAX:
        cases = [c for c in generate(name, 8 * TABLE_LINES, random.Random(7)) if c[1]]
        lines = [f"{v}\t{r}\t{answer}\n" for (v, r), answer in zip(cases, ask(oracles, name, cases)) if answer != "?" or len(r) % 5 == 0]
        text = "# The tool named in tests/live/version_ranges.py answered: y, n, or ? where it refuses one of the two.\n" + "".join(lines[:TABLE_LINES])
        (versions.ROOT / "tests/table/ranges" / f"{name}.tsv").write_text(text)


def ours(bulkhead, name, cases):
    return language_versions.run([bulkhead, "version", "contains", "--syntax", name], "".join(f"{v}\t{r}\n" for v, r in cases))


def compare(tap, bulkhead, oracles, name, cases):
    theirs = ask(oracles, name, cases)
    wrong = [f"{v} in \"{r}\": {got}, the tool says {want}" for (v, r), got, want in zip(cases, ours(bulkhead, name, cases), theirs) if got != want]
    held = theirs.count("y")
    tap.result(not wrong and len(theirs) == len(cases) and held > 100, f"{name}: {len(cases)} cases, {held} within, {theirs.count('?')} refused", wrong[:20])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "tables":
        with tempfile.TemporaryDirectory() as scratch:
            return write_tables(language_versions.Oracles(scratch))
    bulkhead, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tap = versions.Tap()
    with tempfile.TemporaryDirectory() as scratch:
        oracles = language_versions.Oracles(scratch)
        for name in SYNTAX:
            try:
                compare(tap, bulkhead, oracles, name, list(generate(name, count, rng)))
            except language_versions.Missing as why:
                tap.skip(name, why)
    print(f"1..{tap.n}")
    sys.exit(tap.bad > 0)


if __name__ == "__main__":
    main()
