#!/usr/bin/env python3
"""serverless BULKHEAD: functions of every format against the built-in policies. In tests/corpus/serverless/ a function called Good... has nothing wrong,
one called Bad<Check> has that wrong, and a comment "# fn-check" stands on each line that has to be objected to. Every policy of rules/serverless/ has a
function that it objects to. Prints TAP."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/corpus/serverless"
NOW = "1795737600"  # 2026-11-27


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def report(bulkhead, path):
    r = subprocess.run([bulkhead, "check", "--fail-on", "never", "-f", "json", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, SOURCE_DATE_EPOCH=NOW))
    return json.loads(r.stdout) if r.returncode in (0, 3) else {"findings": [], "incomplete": [{"reason": r.stderr.decode()}]}


def function_of(evidence):
    """"Function shop/good: spec.x" -> "good"."""
    return re.match(r"(?:Function|Pod|Service|Configuration) (?:[^/: ]*/)?([^:]+)", evidence).group(1)


def judge(path, found, incomplete, rules):
    """What is wrong with the answer about one fixture."""
    wrong, by_name = [], collections.defaultdict(set)
    for f in found:
        by_name[plain(function_of(f["evidence"]))].add(f["id"])
    text = path.read_text()
    for name, ids in by_name.items():
        if "good" in name:
            wrong.append(f"{name}: {sorted(ids)}")
    for bad in sorted({plain(b) for b in re.findall(r"\b(?:bad|Bad)[A-Za-z0-9_-]*", text) if not b.endswith(("Call", "Role"))}):
        checks = [r for r in rules if bad.startswith("bad" + plain(r[3:]))]
        if checks and not any(c in ids for c in checks for n, ids in by_name.items() if n.endswith(bad)):
            wrong.append(f"{bad}: not objected to")
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.search(r"# ((?:fn|pss|k8s)-[a-z-]+)$", line)
        if mark and (mark.group(1), number) not in {(f["id"], f["line"]) for f in found}:
            wrong.append(f"line {number}: {mark.group(1)} is not told there")
    for i in incomplete:
        if "the code of function" in i.get("reason", ""):  # none is beside the fixtures: serverless_code.py is about code
            continue
        if "good" in i.get("reason", "").lower() or not re.search(r"bad|Bad", i.get("reason", "")):
            wrong.append(f"not checked: {i}")
    return wrong


def main():
    rules = sorted(p.stem for p in (ROOT / "rules/serverless").glob("*.yaml"))
    fixtures = sorted(p for p in FIXTURES.iterdir() if re.search(r"\.(ya?ml|json)$", p.name))
    guide = (ROOT / "docs/guides/serverless.md").read_text()
    print(f"1..{len(fixtures) + len(rules)}")
    hit = set()
    for number, path in enumerate(fixtures, 1):
        r = report(sys.argv[1], path)
        wrong = judge(path, r["findings"], r["incomplete"], rules)
        hit |= {f["id"] for f in r["findings"] if "bad" in f["evidence"].lower()}
        print(f"{'not ok' if wrong else 'ok'} {number} {path.name}")
        for w in wrong:
            print(f"# {w}")
    for number, rule in enumerate(rules, len(fixtures) + 1):
        ok = rule in hit and f"| `{rule}` |" in guide
        print(f"{'ok' if ok else 'not ok'} {number} {rule} objects to something, and the guide lists it")


main()
