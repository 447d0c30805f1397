#!/usr/bin/env python3
"""mutate.py MUTATE-PROBE: JSON patches, differences, apply configurations and mutating policies, by the tables in tests/table/mutate/, whose heads or lines say
where their answers come from. Prints TAP."""
import json
import pathlib
import random
import subprocess
import sys

TABLES = pathlib.Path(__file__).resolve().parents[1] / "table/mutate"
SEED, PAIRS = 7, 2000


def ask(probe, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    r = subprocess.run([probe], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in r.stdout.decode().splitlines()]


def fits(case, answer):
    """What is wrong with an answer; None."""
    if case.get("fails"):
        return None if "error" in answer or answer.get("said") else f"a refusal was expected, not {json.dumps(answer)}"
    if "error" in case:
        return None if case["error"] in answer.get("error", "\0") else f"{case['error']!r} was expected, not {answer}"
    for key in ("value", "test", "said"):
        if key in case and answer.get(key) != case[key]:
            return f"{key}: {json.dumps(case[key])} was expected, not {json.dumps(answer)}"
    return None


def patches(probe):
    cases = json.loads((TABLES / "rfc6902.json").read_text())
    for case, answer in zip(cases, ask(probe, [{"do": "patch", **case} for case in cases])):
        yield case["from"], fits(case, answer)


def policies(probe):
    cases = json.loads((TABLES / "policies.json").read_text())
    for case in cases:
        case["manifests"] = "".join("---\n" + json.dumps(o) + "\n" for o in case["manifests"])
    for case, answer in zip(cases, ask(probe, [{"do": "mutate", "manifests": case["manifests"]} for case in cases])):
        yield case["from"], fits(case, answer)


def merges(probe):
    cases = json.loads((TABLES / "merge.json").read_text())
    for case, answer in zip(cases, ask(probe, [{"do": "merge", **case} for case in cases])):
        yield case["from"], fits(case, answer)


def value(r, depth=0):
    kind = r.randrange(8 if depth < 4 else 5)
    if kind >= 6:
        return {r.choice(["name", "a", "b/c", "d~e", "", "x"]): value(r, depth + 1) for _ in range(r.randrange(4))}
    if kind == 5:
        return [value(r, depth + 1) for _ in range(r.randrange(5))]
    return r.choice([None, True, 0, 1, 2.5, "a", "b", "", "1"])


def changed(r, v):
    """Another value, near to it."""
    if isinstance(v, list) and r.random() < .7:
        v = [changed(r, x) if r.random() < .3 else x for x in v if r.random() < .8]
        for _ in range(r.randrange(3)):
            v.insert(r.randrange(len(v) + 1), value(r, 3))
        return v
    if isinstance(v, dict) and r.random() < .7:
        v = {k: changed(r, x) if r.random() < .4 else x for k, x in v.items() if r.random() < .9}
        return {**v, **({r.choice("xyz"): value(r, 3)} if r.random() < .3 else {})}
    return value(r, 2) if r.random() < .5 else v


def differences(probe):
    """A difference, applied as a patch, makes the one of the other."""
    r = random.Random(SEED)
    before = [value(r) for _ in range(PAIRS)]
    pairs = [(v, changed(r, v)) for v in before]
    found = ask(probe, [{"do": "difference", "before": a, "after": b} for a, b in pairs])
    made = ask(probe, [{"do": "patch", "document": a, "patch": f["patch"]} for (a, _), f in zip(pairs, found)])
    wrong = [(a, b, f, m) for (a, b), f, m in zip(pairs, found, made) if m != {"value": b}]
    yield f"{PAIRS} differences make the one of the other", json.dumps(wrong[0]) if wrong else None
    none = ask(probe, [{"do": "difference", "before": a, "after": a} for a in before[:100]])
    yield "what is the same has no difference", None if all(n == {"patch": []} for n in none) else str(none)


def main():
    probe = sys.argv[1]
    results = [*patches(probe), *differences(probe), *merges(probe), *policies(probe)]
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} {name.replace('#', '')}")
        if wrong:
            print(f"# {wrong}")


main()
