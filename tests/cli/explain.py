#!/usr/bin/env python3
"""explain BULKHEAD: the texts of rules/explain/ are true, and the command tells them. The wrong example of each check of objects leads to the finding of
that very id, the right one does not. Prints TAP."""
import fnmatch
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = ROOT / "rules/explain"
EXAMPLE = re.compile(r"^## (Wrong|Right)\n\n```([A-Za-z]*)\n(.*?)^```$", re.M | re.S)
BULKHEAD = sys.argv[1]
NOW = "1795737600"  # 2026-11-27
NEVER = ["--fail-on", "never", "-f", "json"]


def run(*args, **kw):
    env = dict(os.environ, SOURCE_DATE_EPOCH=NOW, **kw)
    env.pop("NO_COLOR", None)
    return subprocess.run([BULKHEAD, *args], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)


def policies():
    """Files of the policies of each check."""
    found = {}
    for path in ROOT.glob("rules/*/*.yaml"):
        text = path.read_text()
        check = re.search(r"^ +bulkhead\.io/check: (\S+)$", text, re.M)
        if check and not path.name.startswith("fix-"):
            found.setdefault(check[1], []).append((path, text))
    return found


def questions(ident, rules):
    """The commands that tell findings of this id about manifests."""
    lint = [["netpol", "lint", "--severity", "negligible"]] if ident.startswith("netpol-") else []
    if ident in rules:
        extra = [a for path, text in rules[ident] if "bulkhead.io/set: compliance" in text for a in ("-p", str(path))]
        return lint + [["check", "--pod-security", level, *extra] for level in ("restricted", "baseline")]
    if ident.startswith("k8s-"):
        return [["check"]]
    return [["rbac", "risks", "--severity", "negligible"]] if ident.startswith("rbac-") else lint


def findings(question, language, text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "example." + language)
        path.write_text(text)
        r = run(*question, *NEVER, str(path))
    if r.returncode not in (0, 3):
        return None, r.stderr
    report = json.loads(r.stdout)
    return {f["id"] for f in report["findings"]}, report["incomplete"]


def fired(text):
    """The rules for running containers that an event fires."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as events:
        events.write(text)
        events.flush()
        done = run("guard", "rules", "test", "--all-rules", "-f", "json", "--events", events.name)
    return [json.loads(line)["rule"] for line in done.stdout.splitlines()] if done.returncode == 0 and "warning" not in done.stderr else [done.stderr]


def judge(path, rules):
    """What is wrong with the examples of a text; None when no command reads them."""
    if path.stem.startswith("runtime-"):
        wrong, right = (fired(dict((kind, text) for kind, _, text in EXAMPLE.findall(path.read_text()))[kind]) for kind in ("Wrong", "Right"))
        return "" if wrong == [path.stem] and right == [] else f"its examples fire {wrong} and {right}"
    asked = questions(path.stem, rules)
    if not asked:
        return None
    examples = {kind: (language, text) for kind, language, text in EXAMPLE.findall(path.read_text())}
    wrong, right = ([findings(q, *examples[kind]) for q in asked] for kind in ("Wrong", "Right"))
    if not any(ids and path.stem in ids for ids, _ in wrong):
        return f"the wrong example is not objected to: {wrong}"
    for ids, gaps in right:
        gaps = [g for g in gaps if ids is None or f"policy {path.stem} " in g["reason"] or ("policy " not in g["reason"] and "the code of function" not in g["reason"])]
        if ids is None or gaps or path.stem in ids:
            return f"the right example is objected to, or not read: {ids} {gaps}"
    return ""


def on_terminal(*args, **more):
    """What the command writes to a terminal."""
    parent, child = pty.openpty()
    env = {**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}, "TERM": "xterm", **more}
    p = subprocess.Popen([BULKHEAD, *args], stdout=child, stderr=child, stdin=child, env=env)
    os.close(child)
    out = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(parent)
    return p.wait(), out.decode()


def columns(text):
    return max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in text.replace("\r", "").split("\n"))


def command_cases():
    listed = run("explain", "--list")
    ids = [line.split("\t")[0] for line in listed.stdout.splitlines()]
    texts = {p.stem for p in TEXTS.glob("*.md") if "<!-- covers:" not in p.read_text()}
    yield "the list has every text's id, once", listed.returncode == 0 and texts <= set(ids) and len(ids) == len(set(ids)) > len(texts)
    every = run("explain", "-f", "json", *ids)
    entries = json.loads(every.stdout)["entries"]
    yield "each listed id is explained", [e["id"] for e in entries] == ids and all(e["title"] and e["sections"]["How it is attacked"] for e in entries)
    by_id = {e["id"]: e for e in entries}
    root = by_id["pss-privileged"]
    yield "severity, fix and standards come from the policy and the frameworks", (
        root["severity"] == "critical" and root["fix"].startswith("Remove securityContext.privileged")
        and any(re.match(r"CIS Kubernetes Benchmark 1\.12: 5\.2\.", s) for s in root["standards"]))
    yield "a detector's own line and its family's text", (
        by_id["aws-access-key-id"]["title"] == "AWS access key id" and "update-access-key" in by_id["aws-access-key-id"]["fix"]
        and "sts get-caller-identity" in by_id["aws-access-key-id"]["sections"]["How it is attacked"])
    markdown = run("explain", "pss-privileged").stdout
    yield "Markdown in a pipe, with the sections in order", (
        markdown.startswith("# Privileged container\n\n`pss-privileged`: critical severity")
        and re.findall(r"^## (.*)$", markdown, re.M) == ["Why it matters", "How it is attacked", "Wrong", "Right", "Fix", "How to verify", "When to accept it",
                                                         "References", "Asked for by"])
    fixless = run("explain", "k8s-host-pid").stdout
    yield "a fix that only the table has stands before how to verify", re.search(r"^## Fix\n\n.+\n\n## How to verify$", fixless, re.M) is not None
    code, coloured = on_terminal("explain", "--width", "60", "netpol-no-dns")
    prose = re.sub(r"\x1b\[36m.*?\x1b\[0m", "", coloured)
    yield "a terminal gets colour and lines of its width", code == 0 and "\x1b[1mDNS is blocked\x1b[0m" in coloured and "##" not in coloured and columns(prose) <= 60
    code, plain = on_terminal("explain", "netpol-no-dns", NO_COLOR="1")
    yield "NO_COLOR", code == 0 and "\x1b" not in plain and "DNS is blocked" in plain
    wrong = run("explain", "pss-priviledged")
    yield "an unknown id names the nearest one, exit 2", wrong.returncode == 2 and not wrong.stdout and "did you mean pss-privileged?" in wrong.stderr
    part = run("explain", "default-deny")
    yield "a part of an id does, too", part.returncode == 2 and "did you mean netpol-no-default-deny?" in part.stderr
    yield "no id, or an id and --list", run("explain").returncode == 2 and run("explain", "--list", "secret").returncode == 2
    yield "a step of paths by its short name", json.loads(run("explain", "-f", "json", "escape").stdout)["entries"][0]["text"] == "paths-escape"
    control = json.loads(run("explain", "-f", "json", "cis-kubernetes-1.12", "5.2.2").stdout)["entries"]
    yield "a control leads to its checks", "pss-privileged" in [e["id"] for e in control]
    bad = run("explain", "cis-kubernetes-1.12", "99.1")
    yield "a control that is not there", bad.returncode == 2 and "has no control 99.1" in bad.stderr
    with tempfile.TemporaryDirectory() as folder:
        cve = json.loads(run("explain", "-f", "json", "CVE-1999-99999", XDG_DATA_HOME=folder, XDG_CACHE_HOME=folder).stdout)["entries"][0]
    yield "an advisory that nobody knows is said to be unknown, with its class's text", cve["text"] == "vulnerability" and "CVE-1999-99999" in cve["advisory"]["error"]


def build_cases():
    """A rule without a text, a text without a rule, a missing section: each ends the build with a message that names it."""
    def build(change):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in "rules", "src", "data":
                (root / name).symlink_to(ROOT / name)
            (root / "rules").unlink()
            (root / "rules").mkdir()
            for sub in (ROOT / "rules").iterdir():
                (root / "rules" / sub.name).symlink_to(sub)
            (root / "rules/explain").unlink()
            (root / "rules/explain").mkdir()
            for text in TEXTS.glob("*.md"):
                (root / "rules/explain" / text.name).write_text(text.read_text())
            change(root / "rules")
            return subprocess.run([ROOT / "tools/embed-explain", root / "out.c", root], capture_output=True, text=True)

    def new_rule(rules):
        (rules / "mine").mkdir()
        (rules / "mine/x-new.yaml").write_text("metadata:\n  labels:\n    bulkhead.io/check: x-new\n")

    text = "explain/pss-privileged.md"
    yield "the build takes the texts as they are", build(lambda rules: None).returncode == 0
    for what, change, message in [
        ("a rule without a text", new_rule, "x-new: nothing explains it: write rules/explain/x-new.md"),
        ("a text without a rule", lambda r: (r / "explain/x-old.md").write_text((r / text).read_text()), "rules/explain/x-old.md: no finding has an id"),
        ("a missing section", lambda r: (r / text).write_text((r / text).read_text().replace("## How to verify", "## Verify")), "'## How to verify' is missing"),
        ("a missing example", lambda r: (r / text).write_text(re.sub(r"## Right\n.*?## Fix", "## Right\n\nnone\n\n## Fix", (r / text).read_text(), flags=re.S)),
         "'## Right' has no example"),
    ]:
        r = build(change)
        yield f"{what} ends the build", r.returncode == 1 and message in r.stderr


def main():
    rules = policies()
    judged = {p: judge(p, rules) for p in sorted(TEXTS.glob("*.md")) if "<!-- covers:" not in p.read_text()}
    judged = {p: wrong for p, wrong in judged.items() if wrong is not None}
    cases = [*command_cases(), *build_cases()]
    print(f"1..{len(judged) + len(cases) + 1}")
    families = re.findall(r"<!-- covers: (docker-.*) -->", "\n".join(p.read_text() for p in TEXTS.glob("docker-*.md")))  # cli-comply-controls has their answers
    forms = " ".join(families).split()
    unasked = [i for i in rules if TEXTS / f"{i}.md" not in judged and not any(fnmatch.fnmatchcase(i, f) for f in forms)]
    print(f"{'not ok' if unasked or len(judged) < 130 else 'ok'} 1 the examples of {len(judged)} texts are tried; policies that are left out: {unasked}")
    for number, (path, wrong) in enumerate(judged.items(), 2):
        print(f"{'not ok' if wrong else 'ok'} {number} {path.stem}")
        if wrong:
            print(f"# {wrong}")
    for number, (name, ok) in enumerate(cases, len(judged) + 2):
        print(f"{'ok' if ok else 'not ok'} {number} {name}")


main()
