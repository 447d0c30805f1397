#!/usr/bin/env python3
"""native_feeds: do the rows of RustSec, rubysec, FriendsOfPHP and RetireJS say what their ecosystems' own tools say?

usage: native_feeds.py BULKHEAD BKDB_TOOL

Every sample of tests/corpus/feed-{rustsec,rubysec,friendsofphp,retirejs} is read by Python. Versions around all that it names are put to the
tools in oracles/ (Cargo's semver, Gem::Requirement, Composer\\Semver, node-semver): is it affected, by the record as written? And the same
versions are compared, by the tools' orders, with the ranges in the database. Where ../shared/corpora/advisories exists its samples are
compared, too. Output: TAP.
"""
import json
import re
import sys
import tarfile
import tempfile
import tomllib

import yaml

import feeds
import language_versions



def near(order, version):
    """Versions around one that a record names."""
    numbers = re.match(r"\d+(\.\d+)*", version).group()
    if order in ("cargo", "semver"):
        parts = [int(n) for n in (numbers.split(".") + ["0", "0"])[:3]]
        yield from (".".join(map(str, p)) for p in (parts, parts[:2] + [parts[2] + 1], parts[:1] + [parts[1] + 1, 0], [parts[0] + 1, 0, 0], parts[:2] + [max(parts[2] - 1, 0)]))
    else:
        yield from (numbers, numbers + ".1") if numbers.count(".") < 3 else (numbers,)
        yield numbers + (".a" if order == "gem" else "-beta1")
        head, _, last = numbers.rpartition(".")
        yield (head + "." if head else "") + str(int(last) + 1)
        yield (head + "." if head else "") + str(int(last) + 1) + (".rc1" if order == "gem" else "-RC1")


# ---- what the records say: (package, id) -> (versions that are fine as lists of ranges, versions that are affected) ----

def rustsec(name, data):
    record = tomllib.loads(re.match(r"```toml\n(.*?\n)```", data.decode(), re.S).group(1))
    versions = record["versions"]
    yield (record["advisory"]["package"], record["advisory"]["id"]), (versions.get("patched", []) + versions.get("unaffected", []), None)


def rubysec(name, data):
    record = yaml.load(data, feeds.Plain)
    if "gem" in record and (record.get("cve") or record.get("ghsa")):
        ident = "CVE-" + record["cve"] if record.get("cve") else "GHSA-" + record["ghsa"]
        yield (record["gem"], ident), ((record.get("patched_versions") or []) + (record.get("unaffected_versions") or []), None)


def friendsofphp(name, data):
    record = yaml.load(data, feeds.Plain)
    package = record["reference"].removeprefix("composer://")
    # pre-releases of the version that has the fix are affected
    branches = [[re.sub(r"^(<[\d.]+)$", r"\1-stable", v) for v in b["versions"]] for b in record["branches"].values()]
    stem = name.rpartition("/")[2].rpartition(".")[0]
    ident = record["cve"] if record.get("cve") else re.sub(r"[^A-Za-z0-9._:-]", ":", f"FriendsOfPHP:{package}:{stem}")
    if package:
        yield (package.lower(), ident), (None, [",".join(b) for b in branches])


def retirejs(name, data):
    for key, library in json.loads(data).items():
        package = library.get("npmname") or ("" if "extractors" in library else key)
        for flaw in library["vulnerabilities"] if package else []:
            named = flaw.get("identifiers") or {}
            below = "" if re.match(r"99\.9|999|100$|~$", flaw["below"]) else "<" + flaw["below"]
            span = " ".join(filter(None, [">=" + flaw["atOrAbove"] if "atOrAbove" in flaw else "", below])) or ">=0.0.0"
            own = re.sub(r"[^A-Za-z0-9._:-]", "-", f"RETIREJS:{package}:{flaw['below']}")
            for ident in named.get("CVE") or [named.get("githubID") or own]:
                yield (package, ident), (None, [span])


FEEDS = {"rustsec": (rustsec, "cargo", "crates.io"), "rubysec": (rubysec, "gem", "RubyGems"), "friendsofphp": (friendsofphp, "composer", "Packagist"),
         "retirejs": (retirejs, "semver", "npm")}


def documents(feed):
    """(name, [(path inside, bytes)], what to import)"""
    for path in sorted((feeds.CORPUS / ("feed-" + feed)).iterdir()):
        yield path.name, [(path.name, path.read_bytes())], path
    native = feeds.SHARED / "native" / {"retirejs": "retirejs-npm"}.get(feed, feed)
    for archive in native.glob("*.tar.xz"):
        with tarfile.open(archive) as tar:
            yield archive.name, [(m.name, tar.extractfile(m).read()) for m in tar if m.isfile() and re.search(r"\.(md|ya?ml|json)$", m.name)], archive


def read(reader, files):
    said = {}
    for name, data in files:
        try:
            for key, (fine, affected) in reader(name, data):
                old = said.setdefault(key, ([], []))
                said[key] = (old[0] + (fine or []) if fine is not None else None, old[1] + (affected or []) if affected is not None else None)
        except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError):  # no record, or damaged on purpose
            continue
    return said


class Tool:
    """Asks an oracle many questions at once."""

    def __init__(self, command, what):
        self.command, self.what, self.questions, self.answers = command, what, {}, []

    def ask(self, a, b):
        return self.questions.setdefault((a, b), len(self.questions))

    def run(self):
        sep = "\t" if self.what == "ranges" else " "
        self.answers = language_versions.run(self.command, "".join(f"{a}{sep}{b}\n" for a, b in self.questions)) if self.questions else []


def questions(order, said, rows, holds, compare):
    """Per record and version: places of the answers that tell whether it is affected, by the record and by the database."""
    for key, (fine, affected) in said.items():
        texts = fine if affected is None else affected
        mine = rows.get(key)
        if mine is not None and "?" in mine:
            continue  # undetermined: versions that nobody can order, such as "2.0.x"
        candidates = sorted({v for text in texts for named in re.findall(r"\d+(?:\.\d+)*", text) for v in near(order, named)} or {"1.0.0"})
        for v in candidates:
            by_record = [holds.ask(v, t if order != "gem" else t) for t in texts]
            spans = []
            for span in mine or []:
                start, op, end = re.fullmatch(r"([^<^]*)(<=?|\^)(.*)", span).groups()
                spans.append((compare.ask(v, start) if start else None, op, compare.ask(v, end) if end else None))
            yield key, v, affected is None, by_record, mine is not None, spans


def is_affected(turned, by_record, holds):
    yes = any(holds.answers[i] == "y" for i in by_record)
    return not yes if turned else yes


def is_in(spans, compare):
    return any((low is None or compare.answers[low] in ">=") and (high is None or compare.answers[high] in ("<=" if op == "<=" else "<")) for low, op, high in spans)


def check(feed, name, said, rows, oracles, tap):
    _, order, _ = FEEDS[feed]
    oracle = getattr(oracles, order)
    holds, compare = Tool(oracle("ranges"), "ranges"), Tool(oracle(), "order")
    asked = list(questions(order, said, rows, holds, compare))
    holds.run()
    compare.run()
    wrong = []
    for key, v, turned, by_record, there, spans in asked:
        if any(holds.answers[i] == "?" for i in by_record):
            continue
        want, got = is_affected(turned, by_record, holds), is_in(spans, compare)
        if not there or want != got:
            wrong.append(f"{key} {v}: affected {want}, the database says {got if there else 'nothing'}")
    tap(not wrong, f"{feed} {name}: {len(said)} entries, {len(asked)} versions", "\n".join(wrong[:10]))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    feeds.BULKHEAD, feeds.TOOL = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as scratch:
        oracles = language_versions.Oracles(scratch)
        for feed, (reader, order, ecosystem) in FEEDS.items():
            try:
                getattr(oracles, order)()
            except language_versions.Missing as why:
                feeds.count += 1
                print(f"ok {feeds.count} - {feed} # SKIP {why}")
                continue
            for name, files, path in documents(feed):
                said = read(reader, files)
                rows = {}
                for row in feeds.Database([path], "--feed", feed).rows():
                    ident = re.sub(r"^(RETIREJS:.*):[0-9a-f]{8}$", r"\1", row.id)
                    if row.ecosystem == ecosystem:
                        odd = feed == "retirejs" and any(re.search(r"\d[^\d.<=^]", r) for r in row.ranges)
                        rows.setdefault((row.package, ident), []).extend(["?"] if row.state == "undetermined" or odd else row.ranges)
                said = {k: v for k, v in said.items() if feed != "rustsec" or k in rows or path.suffix == ".xz"}
                check(feed, name, said, rows, oracles, feeds.check)
    print(f"1..{feeds.count}")
    sys.exit(feeds.failed > 0)


if __name__ == "__main__":
    main()
