#!/usr/bin/env python3
"""rules BULKHEAD: every built-in policy beyond the Pod Security Standards has its fixture, tests/corpus/rules/NAME.yaml: objects called bad-N,
which the policy must object to, and good-N, which it must not. (The Pod Security Standards have Kubernetes' own: tests/live/pod_security.py.)
Prints TAP."""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES, FIXTURES = ROOT / "rules/kubernetes", ROOT / "tests/corpus/rules"


def documents(path):
    """(first line, last line, name of the fixture) of each document."""
    lines, start = path.read_text().split("\n"), 1
    for number, line in enumerate(lines + ["---"], 1):
        if line == "---":
            text = "\n".join(lines[start - 1:number - 1])
            yield start, number - 1, re.search(r"\b(bad|good)-\d+", text).group()
            start = number + 1


def is_for_frameworks(rule):
    """Only `comply` asks it of itself."""
    return "bulkhead.io/set: compliance" in rule.read_text()


def findings(bulkhead, path, check):
    policy = ["-p", str(RULES / path.name)] if is_for_frameworks(RULES / path.name) else []
    r = subprocess.run([bulkhead, "check", "--pod-security", "none", "--fail-on", "never", "-f", "json", *policy, str(path)], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    report = json.loads(r.stdout) if r.returncode in (0, 3) else {"findings": [], "incomplete": [r.stderr.decode()]}
    return [f["line"] for f in report["findings"] if f["id"] == check], report["incomplete"]


def judge(bulkhead, rule):
    fixture = FIXTURES / rule.name
    check = re.search(r"bulkhead.io/check: (\S+)", rule.read_text()).group(1)
    if not fixture.exists():
        return "no fixture"
    lines, incomplete = findings(bulkhead, fixture, check)
    if incomplete:
        return f"not checked: {incomplete}"
    names = {"bad": 0, "good": 0}
    for first, last, name in documents(fixture):
        hit = any(first <= line <= last for line in lines)
        names[name.split("-")[0]] += 1
        if hit != name.startswith("bad"):
            return f"{name}: {'objected to' if hit else 'not objected to'}"
    return None if all(names.values()) else f"a passing or a failing object is missing: {names}"


def main():
    rules = [r for r in sorted(RULES.glob("*.yaml")) if "bulkhead.io/set: hardening" in r.read_text() or is_for_frameworks(r)]
    stray = {f.name for f in FIXTURES.glob("*.yaml")} - {r.name for r in rules}
    guide = (ROOT / "docs/guides/kubernetes.md").read_text()
    print(f"1..{len(rules) + 1}")
    print(f"{'not ok' if stray or not rules else 'ok'} 1 fixtures without a policy: {', '.join(sorted(stray)) or 'none'}")
    for number, rule in enumerate(rules, 2):
        wrong = judge(sys.argv[1], rule)
        if not wrong and f"| `{re.search(r'bulkhead.io/check: (.+)', rule.read_text()).group(1)}` |" not in guide:
            wrong = "docs/guides/kubernetes.md does not list it"
        print(f"{'not ok' if wrong else 'ok'} {number} {rule.stem}")
        if wrong:
            print(f"# {wrong}")


main()
