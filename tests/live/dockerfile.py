#!/usr/bin/env python3
"""dockerfile PROBE BULKHEAD: Dockerfiles of released programs (modules of the Go proxy), and those with bytes changed, as the parser reads them and as BuildKit's own
does: the same instructions at the same lines with the same flags, forms, arguments and here-documents. Behind `check --fix=all` BuildKit reads them as what was
wanted. Prints TAP."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import go_oracle

MODULES = ["github.com/docker/cli@v28.0.0+incompatible", "github.com/moby/buildkit@v0.24.0", "github.com/containers/buildah@v1.39.0",
           "github.com/openshift/imagebuilder@v1.2.15", "github.com/docker/buildx@v0.20.0"]
LEAST = 300
CHANGES = 4  # of each file
PIECES = ["\\\n", "\n", " ", "#", "<<EOF", "EOF\n", "\"", "'", "[", "]", "--", "=", "$", "\t", "\r", "RUN ", "ENV a b\n", "# escape=`\n", "`\n"]


def collect():
    files = []
    for module in MODULES:
        r = subprocess.run(["go", "mod", "download", "-json", module], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        folder = json.loads(r.stdout or b"{}").get("Dir")
        if folder:
            files += [p for p in sorted(pathlib.Path(folder).rglob("*ockerfile*")) + sorted(pathlib.Path(folder).rglob("*ontainerfile*")) if p.is_file() and p.suffix not in (".go", ".md", ".yml", ".yaml", ".gz")]
    return sorted(set(files))


def ask(program, files):
    r = subprocess.run([program], input="".join(f"{f}\n" for f in files), stdout=subprocess.PIPE, text=True, errors="surrogateescape", check=True)
    return [json.loads(line) for line in r.stdout.split("\n") if line]


def flag(text):
    name, _, value = text[2:].partition("=")
    return [name, value]


def no_tabs(text):
    """BuildKit takes the tabs of <<- away later."""
    return [line.lstrip("\t") for line in text.split("\n")]


def differs(ours, theirs):
    """None, or what is different about one file that BuildKit accepts."""
    a, b = ours["instructions"], theirs["instructions"]
    if [(i["keyword"], i["line"]) for i in a] != [(i["keyword"], i["line"]) for i in b]:
        return f"instructions: {sorted({(i['keyword'], i['line']) for i in a} ^ {(i['keyword'], i['line']) for i in b})}"
    for x, y in zip(a, b):
        where = f"line {x['line']}: "
        if x["keyword"] == "ONBUILD":
            continue
        if x["endLine"] != y["endLine"]:
            return where + f"ends at {x['endLine']} and {y['endLine']}"
        if x["flags"] != [flag(f) for f in y["flags"] or []]:
            return where + f"flags {x['flags']} and {y['flags']}"
        if x["keyword"] in ("RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "VOLUME", "SHELL") and x["exec"] != y["exec"]:
            return where + "exec form or not"
        if y["exec"] and x["keyword"] != "HEALTHCHECK" and x["words"] != y["words"]:
            return where + f"words {x['words']} and {y['words']}"
        if x["keyword"] in ("RUN", "CMD", "ENTRYPOINT", "USER", "WORKDIR") and not y["exec"] and x["args"].strip() != "".join(y["words"]).strip():
            return where + f"arguments {x['args']!r} and {y['words']!r}"
        if [no_tabs(h) for h in x["heredocs"]] != [no_tabs(h["content"]) for h in y["heredocs"]]:
            return where + f"here-documents {x['heredocs']} and {y['heredocs']}"
    return None


def compare(probe, oracle, files):
    """How many were compared, how many both refuse, and the differences."""
    same = refused = 0
    wrong = []
    for f, ours, theirs in zip(files, ask(probe, files), ask(oracle, files)):
        if theirs["error"]:
            refused += 1
            continue
        why = differs(ours, theirs)
        same += why is None
        if why:
            wrong.append(f"{f}: {why}")
    return same, refused, wrong


def change(text, rng):
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(PIECES) + text[at + rng.choice((0, 0, 1, 5)):]
    return text


RENAMED = {"ADD": "COPY", "MAINTAINER": "LABEL"}
ADDED = {"SHELL", "USER", "HEALTHCHECK"}
REMOVED = {"CMD", "ENTRYPOINT", "HEALTHCHECK"}


def is_within(few, many):
    """Are the words of one among those of the other, in their order?"""
    rest = iter(many)
    return all(any(w == other or w.strip("\"'") in ("apt", "sudo") or w.endswith(other) for other in rest) if w != "sudo" else True for w in few)


def mended_otherwise(before, after):
    """None, or what BuildKit reads of the mended file that is more than a cure does."""
    if after["error"]:
        return f"BuildKit refuses it: {after['error']}"
    rest = list(after["instructions"])
    for i in before["instructions"]:
        keyword = i["keyword"]
        while rest and rest[0]["keyword"] != keyword and rest[0]["keyword"] != RENAMED.get(keyword) and rest[0]["keyword"] in ADDED:
            rest.pop(0)
        if not rest or rest[0]["keyword"] not in (keyword, RENAMED.get(keyword)):
            if keyword in REMOVED:
                continue
            return f"line {i['line']}: {keyword} is gone"
        now = rest[0]
        if keyword in REMOVED and now["words"] != i["words"] and not is_within(" ".join(i["words"]).split(), " ".join(now["words"]).split()):
            continue  # one of several
        rest.pop(0)
        if keyword == "RUN" and not is_within(" ".join(i["words"]).split(), " ".join(now["words"]).split()):
            return f"line {i['line']}: {i['words']} became {now['words']}"
        if keyword in ("FROM", "COPY", "WORKDIR", "ARG", "VOLUME", "EXPOSE") and [w.rstrip("/") for w in i["words"]] != [w.rstrip("/") for w in now["words"]]:
            return f"line {i['line']}: {i['words']} became {now['words']}"
    left = [i["keyword"] for i in rest if i["keyword"] not in ADDED]
    return f"more than there was: {left}" if left else None


def mend(bulkhead, oracle, files):
    """How many files changed, and what is wrong with them."""
    wrong, changed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for n, f in enumerate(files):
            copies.append(pathlib.Path(folder, f"{n}.Dockerfile"))
            copies[-1].write_bytes(f.read_bytes())
        before = ask(oracle, copies)
        texts = []
        for _ in range(2):
            subprocess.run([bulkhead, "check", "--fix=all", "--severity", "negligible", "-q", "-o", "/dev/null", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            texts.append([c.read_bytes() for c in copies])
        for f, was, now, once, twice in zip(files, before, ask(oracle, copies), *texts):
            changed += once != f.read_bytes()
            why = "a second run changes it" if once != twice else None if was["error"] else mended_otherwise(was, now)
            wrong += [f"{f}: {why}"] if why else []
    return changed, wrong


def main():
    probe, bulkhead, oracle = sys.argv[1], sys.argv[2], go_oracle.build("dockerfile")
    files = collect()
    rng = random.Random(int(os.environ.get("BULKHEAD_TEST_SEED", "5")))
    print("1..3")
    same, refused, wrong = compare(probe, oracle, files)
    ok = not wrong and same >= LEAST
    print(f"{'ok' if ok else 'not ok'} 1 - {same} real Dockerfiles are read alike, {refused} are refused by BuildKit")
    for w in wrong[:20]:
        print(f"# {w}")
    with tempfile.TemporaryDirectory() as folder:
        changed = []
        for n, f in enumerate(files):
            text = f.read_text(errors="replace")
            for k in range(CHANGES):
                path = pathlib.Path(folder) / f"{n}-{k}"
                path.write_text(change(text, rng), newline="")
                changed.append(path)
        same, refused, wrong = compare(probe, oracle, changed)
        print(f"{'not ok' if wrong or same < LEAST else 'ok'} 2 - {same} changed ones too, {refused} are refused by BuildKit")
        for w in wrong[:20]:
            print(f"# {w}")
    changed, bad = mend(bulkhead, oracle, files)
    print(f"{'not ok' if bad or changed < LEAST else 'ok'} 3 - {changed} are mended, and read by BuildKit as what was wanted")
    for w in bad[:20]:
        print(f"# {w}")
    return 1 if wrong or bad or not ok else 0


if __name__ == "__main__":
    sys.exit(main())
