#!/usr/bin/env python3
"""edit.py MUTATE-PROBE: changes of objects as changes of their text: a table of texts before and after, and the manifests of the tests changed at random. What is
wanted is what is read of the new text, the diff makes the new text of the old one (with patch, where that is there), and comments outside of what
changed stay. Prints TAP."""
import copy
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
TABLE = TESTS / "table/mutate/edit.txt"
FILES = [*sorted((TESTS / "corpus/rules").glob("*.yaml")), *sorted((TESTS / "cluster").glob("*.yaml")), *sorted((TESTS / "corpus/kube").glob("*"))]
SEED, ROUNDS, FILE_BYTES_MAX = 5, 3, 40000


def ask(probe, lines):
    r = subprocess.run([probe], input="".join(json.dumps(line) + "\n" for line in lines).encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in r.stdout.decode().splitlines()]


def cases():
    """Of the table: name, text before, JSON patch of the first object, text after or the reason why not."""
    for block in TABLE.read_text().split("\n==== ")[1:]:
        name, rest = block.split("\n", 1)
        before, patch, after = re.split(r"^---- ?", rest, flags=re.M)[:3]
        patch = patch.strip()
        refused = re.match(r"refused (.*)\n", after)
        yield name, before, json.loads(patch), None if refused else after.split("\n", 1)[1], refused and refused[1].strip()


def spell(text):
    """What an editor would change in the table: ends of lines, tabs."""
    return text.replace("\\r", "\r").replace("\\t", "\t").replace("\\$\n", "")


def table(probe):
    for name, before, patch, after, refused in cases():
        before, after = spell(before), after and spell(after)
        read = ask(probe, [{"do": "read", "text": before}])[0]
        if "values" not in read:
            yield name, str(read)
            continue
        wanted = ask(probe, [{"do": "patch", "document": read["values"][0], "patch": patch}])[0]
        if "value" not in wanted:
            yield name, str(wanted)
            continue
        got = ask(probe, [{"do": "edit", "text": before, "wanted": [wanted["value"], *read["values"][1:]]}])[0]
        if refused:
            yield name, None if got.get("refused") and refused in (got["refused"][0] or "") and got["text"] == before else json.dumps(got)
        else:
            yield name, None if got.get("text") == after and not any(got["refused"]) else json.dumps(got)


class Changer:
    """Changes as policies make them: fields that are set, added, taken out, elements too."""
    def __init__(self, rng):
        self.rng = rng

    def leaf(self):
        return self.rng.choice([True, False, 0, 7, "RuntimeDefault", "yes", "a: b", "x #y", "", "1.5", "it's", 'say "so"', "two\nlines", None, 1.5, "é", "-", "~", "0x1f"])

    def value(self, depth=0):
        kind = self.rng.randrange(6 if depth < 3 else 3)
        if kind == 3:
            return [self.value(depth + 1) for _ in range(self.rng.randrange(3))]
        if kind >= 4:
            return {self.rng.choice(["type", "drop", "add", "on", "a/b", "1", "name"]): self.value(depth + 1) for _ in range(self.rng.randrange(4))}
        return self.leaf()

    def places(self, v, out):
        if isinstance(v, dict):
            out += [(v, k) for k in v if k not in ("apiVersion", "kind")]
        elif isinstance(v, list):
            out += [(v, i) for i in range(len(v))]
        for x in v.values() if isinstance(v, dict) else v if isinstance(v, list) else ():
            self.places(x, out)
        return out

    def change(self, v):
        r = self.rng
        for _ in range(r.choice([1, 1, 1, 2, 3, 5])):
            of, at = r.choice(self.places(v, []))
            kind = r.random()
            if isinstance(of[at], dict) and kind < .5:
                of[at][r.choice(["privileged", "type", "x", "hostUsers"])] = self.value(1)
            elif isinstance(of, list) and kind < .3:
                of.insert(at + r.randrange(2), self.value(1))
            elif kind < .6:
                of[at] = self.leaf() if not isinstance(of[at], (dict, list)) else self.value(1)
            elif kind < .9 and len(v) > 3 and at != "metadata":
                del of[at]
        return v


def comments(text):
    return re.findall(r"^\s*#.*$", text, re.M)


def judge(before, read, wanted, got, again):
    """What is wrong; None."""
    if "text" not in got:
        return f"no text: {got}"
    kept = [w if not r else o for w, r, o in zip(wanted, got["refused"], read)]
    if again.get("values") != kept:
        return "another object is read of the new text"
    if not set(comments(before)) - set(comments(got["text"])) <= {c for c in comments(before) if c in got["diff"]}:
        return "a comment is gone"
    return None


def check_patch(before, got):
    """The diff, given to patch(1)."""
    if not shutil.which("patch") or not got["diff"]:
        return None
    with tempfile.TemporaryDirectory(prefix="bulkhead-edit-") as folder:
        path = pathlib.Path(folder) / "text"
        path.write_bytes(before.encode())
        r = subprocess.run(["patch", "-s", "--binary", "--fuzz=0", "-p0", "text"], cwd=folder, input=got["diff"].encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return None if r.returncode == 0 and path.read_bytes() == got["text"].encode() else f"patch: {r.stdout.decode()} {got['diff']}"


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def at_random(probe):
    changer, texts = Changer(random.Random(SEED)), []
    for path in FILES:
        text = path.read_bytes().decode(errors="replace").removeprefix("\ufeff")
        if len(text) < FILE_BYTES_MAX:
            texts += [text, text.replace("\n", "\r\n")]
    found = [(t, r["values"]) for t, r in zip(texts, ask(probe, [{"do": "read", "text": t} for t in texts])) if r.get("values")]
    found += [(json.dumps({"apiVersion": "v1", "kind": "List", "items": v}, indent=i), v) for _, v in found[::3] for i in (None, 2, "\t")]
    questions = [(t, v, [changer.change(copy.deepcopy(o)) for o in v]) for t, v in found for _ in range(ROUNDS)]
    got = ask(probe, [{"do": "edit", "text": t, "wanted": w} for t, _, w in questions])
    again = ask(probe, [{"do": "read", "text": g.get("text", "")} for g in got])
    wrong, refused, n = [], 0, 0
    for number, ((text, read, wanted), g, a) in enumerate(zip(questions, got, again)):
        why = judge(text, read, wanted, g, a) or (check_patch(text, g) if number % 7 == 0 else None)
        n += sum(w != o for w, o in zip(wanted, read))
        refused += sum(r is not None for r in g.get("refused", []))
        if why:
            wrong.append(f"{why}: {json.dumps(text)[:600]} {json.dumps(wanted)[:600]} {json.dumps(g)[:900]}")
        elif is_json(text) and not is_json(g["text"]):
            wrong.append(f"no JSON any more: {text[:600]} {g['text'][:600]}")
    yield f"{n} objects changed at random: {refused} refused", wrong[0] if wrong else None
    yield "few are refused", None if refused * 10 < n else f"{refused} of {n}"


def main():
    probe = sys.argv[1]
    results = [*table(probe), *at_random(probe)]
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} {name}")
        if wrong:
            print("# " + wrong.replace("\n", " "))


main()
