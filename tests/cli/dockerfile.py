#!/usr/bin/env python3
"""dockerfile BULKHEAD: every policy of rules/dockerfile/ has a Dockerfile that it objects to, at the lines behind "# bad" and no others, and one that it
does not (tests/corpus/dockerfile-rules/); names, folders, problems and unknown values. Prints TAP."""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = sorted(p.stem for p in (ROOT / "rules/dockerfile").glob("*.yaml"))
FIXTURES = ROOT / "tests/corpus/dockerfile-rules"


def check(bulkhead, *paths):
    r = subprocess.run([bulkhead, "check", "--fail-on", "never", "-f", "json", *map(str, paths)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return r.returncode, json.loads(r.stdout) if r.returncode in (0, 3) else r.stderr.decode()


def lines(report, rule):
    return sorted(f["line"] for f in report["findings"] if f["id"] == rule)


def judge(bulkhead, rule):
    bad, good = FIXTURES / rule / "bad.Dockerfile", FIXTURES / rule / "good.Dockerfile"
    wanted = [n + 1 for n, line in enumerate(bad.read_text().split("\n"), 1) if line == "# bad"]
    code, report = check(bulkhead, bad)
    wrong = [] if code == 0 and wanted else [f"exit {code}, {len(wanted)} marks"]
    if not isinstance(report, dict) or lines(report, rule) != wanted:
        wrong.append(f"bad: {lines(report, rule) if isinstance(report, dict) else report} instead of {wanted}")
    code, report = check(bulkhead, good)
    if code != 0 or lines(report, rule):
        wrong.append(f"good: exit {code}, {lines(report, rule) if isinstance(report, dict) else report}")
    return wrong


def names(bulkhead):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "deep").mkdir()
        for name in ("Dockerfile", "Containerfile", "web.Dockerfile", "Dockerfile.web", "deep/api.dockerfile", "Dockerfile.dockerignore", "build"):
            (root / name).write_text("FROM debian\nADD https://example.com/x /\n")
        _, report = check(bulkhead, root)
        found = sorted(str(pathlib.Path(f["paths"][0]).relative_to(root)) for f in report["findings"] if f["id"] == "dockerfile-add-url")
        if found != ["Containerfile", "Dockerfile", "Dockerfile.web", "deep/api.dockerfile", "web.Dockerfile"]:
            wrong.append(f"in a folder: {found}")
        _, report = check(bulkhead, root / "build")  # named: its beginning tells
        if lines(report, "dockerfile-add-url") != [2]:
            wrong.append("a file that begins like one was not read as one")
    return wrong


def problems(bulkhead):
    """What is wrong is told with its line, and the rest is checked."""
    cases = {
        "FROM debian\nADD https://a/b /\nFETCH x\n": "line 3: an unknown instruction",
        "FROM debian\nADD https://a/b /\nRUN <<EOF\nmake\n": "line 3: a here-document does not end",
        "RUN make\nADD https://a/b /\n": "line 1: no FROM in it",
        "FROM debian\nADD https://a/b /\nENV A=1 B\n": "line 3: a word that is no name=value",
    }
    wrong = []
    for text, reason in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "Dockerfile"
            path.write_text(text)
            code, report = check(bulkhead, path)
            reasons = [i["reason"] for i in report["incomplete"]]
            if code != 3 or reason not in reasons or lines(report, "dockerfile-add-url") != [2]:
                wrong.append(f"{text!r}: exit {code}, {reasons}")
    return wrong


def unknown(bulkhead):
    """An argument without a default is nobody's guess; one with a default is replaced."""
    wrong = []
    for text, code, found in (("ARG V\nFROM debian:${V}\n", 3, []), ("ARG V=latest\nFROM debian:${V}\n", 0, [2]), ("ARG V=12\nFROM debian:${V:-13}\n", 0, [])):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "Dockerfile"
            path.write_text(text)
            got, report = check(bulkhead, path)
            if got != code or lines(report, "dockerfile-base-tag") != found:
                wrong.append(f"{text!r}: exit {got}, {lines(report, 'dockerfile-base-tag')}")
    return wrong


def main():
    bulkhead = sys.argv[1]
    cases = [(rule, lambda rule=rule: judge(bulkhead, rule)) for rule in RULES]
    cases += [("names of files", lambda: names(bulkhead)), ("problems", lambda: problems(bulkhead)), ("unknown values", lambda: unknown(bulkhead))]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, run) in enumerate(cases, 1):
        wrong = run()
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for w in wrong:
            print(f"# {w}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
