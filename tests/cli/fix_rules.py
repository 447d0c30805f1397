#!/usr/bin/env python3
"""fix_rules BULKHEAD: every rule that mends, fix-*.yaml of rules/kubernetes/ and rules/compose/, has its block in tests/table/mutate/fixes.txt, which several kinds of objects get: the check
objects before and not afterwards, no other check objects that did not before, the types of the API are met, a second run changes nothing, comments
outside of what goes stay, the difference is the change. All other checks are excepted meanwhile, so that one rule works alone. Prints TAP."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES, TABLE = {p.stem: p for room in ("kubernetes", "compose") for p in (ROOT / "rules" / room).glob("*.yaml")}, ROOT / "tests/table/mutate/fixes.txt"
WRAPPINGS = {  # kind -> the head of the object, the columns before the fields of its pod's spec
    "Pod": ("apiVersion: v1\nkind: Pod\nmetadata: {name: bad-1, namespace: shop}\nspec:\n", 2),
    "Deployment": ("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bad-1\n  namespace: shop\nspec:\n  selector: {matchLabels: {app: a}}\n"
                   "  template:\n    metadata: {labels: {app: a}}\n    spec:\n", 6),
    "CronJob": ("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: bad-1, namespace: shop}\nspec:\n  schedule: '1 * * * *'\n  jobTemplate:\n    spec:\n"
                "      template:\n        spec:\n          restartPolicy: Never\n", 10),
    "PodTemplate": ("apiVersion: v1\nkind: PodTemplate\nmetadata: {name: bad-1, namespace: shop}\ntemplate:\n  spec:\n", 4),
}


def blocks():
    for block in TABLE.read_text().split("\n==== ")[1:]:
        name, text = block.split("\n", 1)
        yield name, text.rstrip("\n") + "\n"


def documents(text):
    """The texts of the objects."""
    if text.startswith(("apiVersion:", "services:", "# the shop\nservices:")):
        return [text]
    heads = {kind: head.replace("          restartPolicy: Never\n", "") if "restartPolicy" in text else head for kind, (head, _) in WRAPPINGS.items()}
    return [heads[kind] + "".join(" " * columns + line + "\n" for line in text.splitlines()) for kind, (_, columns) in WRAPPINGS.items()]


class Folder:
    def __init__(self, bulkhead, path, options):
        self.bulkhead, self.path, self.options = pathlib.Path(bulkhead).resolve(), pathlib.Path(path), options

    def run(self, *args):
        return subprocess.run([self.bulkhead, "check", *self.options, *args, "bad.yaml"], cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def report(self):
        r = self.run("-f", "json", "--fail-on", "never")
        return json.loads(r.stdout) if r.stdout else {"findings": [], "incomplete": [r.stderr.decode()]}

    def text(self):
        return (self.path / "bad.yaml").read_text()

    def except_all_but(self, report, check):
        ids = sorted({f["id"] for f in report["findings"]} - {check})
        (self.path / "bulkhead.yaml").write_text("exceptions:\n" + "".join(f"- {{id: {i}, reason: not now, owner: me, expires: 2099-01-01}}\n" for i in ids) if ids else "")


def ids(report):
    return {f["id"] for f in report["findings"]}


def comments(text):
    return [c.strip() for c in re.findall(r"#.*$", text, re.M)]


def wrong_comments(before, after, difference):
    gone = set(comments(before)) - set(comments(after))
    return [c for c in gone if not re.search(r"^-.*" + re.escape(c), difference, re.M)]


def patched(before, difference):
    with tempfile.TemporaryDirectory(prefix="bulkhead-fix-") as folder:
        path = pathlib.Path(folder) / "bad.yaml"
        path.write_text(before)
        r = subprocess.run(["patch", "-s", "-p0", "--fuzz=0"], cwd=folder, input=difference.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return path.read_text() if r.returncode == 0 else r.stdout.decode()


def judge(folder, before, check, level):
    first = folder.report()
    hits = [f for f in first["findings"] if f["id"] == check]
    objects = {f["evidence"].split(": ")[0] for f in hits}
    if first["incomplete"] or len(objects) != before.count("\n---\n") + 1 or any(i.startswith("k8s-schema") for i in ids(first)):
        return f"the objects have to be whole and bad: {first['incomplete']} {sorted(objects)} {sorted(ids(first))}", ids(first)
    is_object = not check.startswith("compose-")  # services are no objects of their own: their text is mended
    if any(f.get("patch_level") not in ("safe", level) or bool(json.loads(f.get("patch", "0"))) != is_object for f in hits):
        return f"a patch of {level} was expected: {hits}", ids(first)
    folder.except_all_but(first, check)
    difference = folder.run(f"--fix={level}", "--diff").stdout.decode()
    if folder.text() != before:
        return "--diff changes the file", ids(first)
    told = folder.run(f"--fix={level}", "-o", "/dev/null").stderr.decode()
    after = folder.text()
    (folder.path / "bulkhead.yaml").unlink()
    last = folder.report()
    if check in ids(last) or "not fixed" in told:
        return f"it is still there: {told} {after}", ids(first)
    if ids(last) - ids(first) or last["incomplete"]:
        return f"new: {sorted(ids(last) - ids(first))} {last['incomplete']} {after}", ids(first)
    if wrong_comments(before, after, difference):
        return f"comments are gone: {wrong_comments(before, after, difference)}", ids(first)
    if shutil.which("patch") and patched(before, difference) != after:
        return f"the difference makes another text: {difference} {patched(before, difference)}", ids(first)
    return None, ids(first)


def again(folder, level, before):
    """With all rules of the level at once, which bring nothing that was not before: a second run changes nothing."""
    folder.run(f"--fix={level}", "-o", "/dev/null")
    once = folder.text()
    report = folder.report()
    folder.run(f"--fix={level}", "-o", "/dev/null")
    if folder.text() != once:
        return f"the second run changes {once} to {folder.text()}"
    new = ids(report) - before  # of the file as it was at first
    return f"all rules together bring {sorted(new)}: {once}" if new else None


def check_rule(bulkhead, name, text):
    rule = RULES[name].read_text()
    check, level = re.search(r"bulkhead.io/check: (\S+)", rule).group(1), re.search(r"bulkhead.io/fix: (\S+)", rule).group(1)
    if name.removeprefix("fix-").removesuffix("-all" if level == "all" and check + "-all" == name.removeprefix("fix-") else "") != check:
        return f"its name has to be fix-{check} or fix-{check}-all"
    options = ["--kubernetes", "1.35"] if "proc-mount-restricted" in name else ["--pod-security", "baseline"] if name in BASELINE else []
    if "bulkhead.io/set: compliance" in RULES[check].read_text():
        options = ["-p", str(RULES[check])]
    guide = f"docs/guides/{RULES[name].parent.name}.md"
    if not re.search(rf"^\| `{check}` \| {level} \|", (ROOT / guide).read_text(), re.M):
        return f"{guide} does not list it"
    before = "---\n".join(documents(text))
    with tempfile.TemporaryDirectory(prefix="bulkhead-fix-") as path:
        folder = Folder(bulkhead, path, options)
        (folder.path / "bad.yaml").write_text(before)
        wrong, found = judge(folder, before, check, level)
        return wrong or again(folder, level, found)


BASELINE = {"fix-pss-capabilities", "fix-pss-proc-mount", "fix-pss-seccomp"}  # what the restricted level says in other words


def main():
    found = dict(blocks())
    rules = sorted(name for name in RULES if name.startswith("fix-"))
    stray = sorted(set(found) ^ set(rules))
    print(f"1..{len(rules) + 1}")
    print(f"{'not ok' if stray else 'ok'} 1 each rule has a block, each block a rule: {', '.join(stray) or 'all'}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda name: check_rule(sys.argv[1], name, found[name]) if name in found else "no block", rules))
    for number, (name, wrong) in enumerate(zip(rules, results), 2):
        print(f"{'not ok' if wrong else 'ok'} {number} {name}")
        if wrong:
            print("# " + wrong.replace("\n", "\n# "))


main()
