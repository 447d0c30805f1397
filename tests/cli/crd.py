#!/usr/bin/env python3
"""CustomResourceDefinitions and their resources: the table tests/table/crd.json, whose answers the API server's own packages gave (tests/live/crd_schemas.py asks them anew).

usage: crd.py BULKHEAD

A case is a definition and resources of it; expect.crd says whether the definition is wrong, expect.objects what is wrong with each resource: [class, path] of everything,
or true where alternatives fail, about whose reasons each side has its own idea.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).resolve().parents[1] / "table/crd.json"
CLASSES = {"unknown-field": "unknown", "rule": "rule"}


def plain(path):
    """a.b['c'][0].d as a.b.c.d: elements that are no maps have no place of their own."""
    return "" if path == "<nil>" else re.sub(r"\[\d+\]", "", re.sub(r"\[([^\]]*[^\]\d][^\]]*)\]", r".\1", path)).strip(".")


def moved(document, group, to):
    """The same in another group; values that look like the group stay."""
    out = json.loads(json.dumps(document))
    if out["kind"] == "CustomResourceDefinition":
        out["spec"]["group"] = to
        name = out["metadata"]["name"]
        out["metadata"]["name"] = name.removesuffix("." + group) + "." + to if name.endswith("." + group) else name
    elif str(out.get("apiVersion")).startswith(group + "/"):
        out["apiVersion"] = to + out["apiVersion"][len(group):]
    return out


def ask(bulkhead, cases):
    """[(what is wrong with the definition, [{(class, path)} of every resource])]; each case gets a group of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for i, (definition, objects) in enumerate(cases):
            group = definition["spec"]["group"]
            for k, o in enumerate([definition] + objects):
                (pathlib.Path(folder) / f"{i:04}-{k:04}.json").write_text(json.dumps(moved(o, group, f"g{i}.{group}")))
        out = subprocess.run([bulkhead, "check", "--no-hardening", "--pod-security", "none", "--kubernetes", "1.34", "--fail-on", "never", "-f", "json", folder],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if out.returncode != 0:
            sys.exit(f"bulkhead ended with {out.returncode}: {out.stderr.decode()[-500:]} {out.stdout.decode()[-1500:]}")
        report = json.loads(out.stdout)
    found = [(set(), [set() for _ in objects]) for _, objects in cases]
    for f in report["findings"]:
        i, k = map(int, re.search(r"(\d{4})-(\d{4})\.json", f["paths"][0]).groups())
        if f["id"] == "k8s-deprecated-version":
            continue
        path = f["evidence"].split(": ", 1)[1] if ": " in f["evidence"] else ""
        if k == 0:
            found[i][0].add(f["title"])
        else:
            found[i][1][k - 1].add((CLASSES.get(f["id"].replace("k8s-schema-", ""), "value"), plain(path)))
    return found


def differs(expected, found):
    return bool(found) != expected if isinstance(expected, bool) else {tuple(x) for x in expected} != found


def main():
    table = json.loads(TABLE.read_text())
    answers = ask(sys.argv[1], [(c["crd"], c["objects"]) for c in table])
    print(f"1..{len(table)}")
    bad = 0
    for i, (case, (of_definition, of_objects)) in enumerate(zip(table, answers)):
        wrong = []
        if bool(of_definition) != case["expect"]["crd"]:
            wrong.append(f"the definition: {sorted(of_definition)}")
        elif not of_definition:
            wrong += [f"{json.dumps(o.get('spec', o))}: expected {e}, found {sorted(f)}" for o, e, f in zip(case["objects"], case["expect"]["objects"], of_objects) if differs(e, f)]
        print(("not ok" if wrong else "ok"), i + 1, case["about"])
        for line in wrong:
            print("#", line)
        bad += bool(wrong)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
