#!/usr/bin/env python3
"""Compare `bulkhead check` with a library of ValidatingAdmissionPolicies that brings its own test cases: 20 controls, 203 objects with expected verdicts.

usage: cel_admission.py BULKHEAD

The library is kubescape's cel-admission-library, in the folder cel-admission of $BULKHEAD_SHARED/corpora or of ../shared/corpora. Exit code 77: it is not there.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = pathlib.Path(os.environ.get("BULKHEAD_SHARED", ROOT.parent / "shared"))


def parse(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def set_at(value, parts, new):
    """The value with an edit: maps and lists that are missing are made, lists are padded."""
    if not parts:
        return new
    head, rest = parts[0], parts[1:]
    if isinstance(head, int):
        value = list(value or [])
        value += [None] * (head + 1 - len(value))
        value[head] = set_at(value[head], rest, new)
        return value
    value = dict(value or {})
    value[head] = set_at(value.get(head), rest, new)
    return value


def edited(document, edits):
    for edit in edits or []:
        path, text = edit.split("=", 1)
        parts = []
        for word in path.split("."):
            name, *indexes = re.split(r"\[(\d+)\]", word)
            parts += ([name] if name else []) + [int(i) for i in indexes if i]
        document = set_at(document, parts, parse(text))
    return document


def load(path):
    return yaml.safe_load(path.read_text())


def verdict(bulkhead, folder, name):
    """fail, pass or warn, and what was not checked."""
    r = subprocess.run([bulkhead, "check", "--no-schema", "--no-hardening", "--pod-security", "none", "-f", "json", "-p", folder / "policy", folder / "object.yaml"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if r.returncode not in (0, 1, 3):
        return f"exit {r.returncode}: {r.stderr}", []
    report = json.loads(r.stdout)
    found = {f["severity"] for f in report["findings"] if f["id"] == name}
    return "fail" if found & {"medium", "high", "critical"} else "warn" if found else "pass", report["incomplete"]


def prepare(folder, library, policy, case):
    resources = library / "test-resources"
    name = policy["metadata"]["name"]
    binding = copy.deepcopy(load(resources / case.get("binding_template", "policy-binding.yaml")))
    binding["metadata"]["name"] = name + "-binding"
    binding["spec"]["policyName"] = name
    binding["spec"].setdefault("paramRef", {})["name"] = name + "-params"
    if "paramKind" not in policy["spec"]:
        del binding["spec"]["paramRef"]
    params = load(resources / case.get("param_template", "default-control-configuration.yaml"))
    params["metadata"]["name"] = name + "-params"
    target = edited(load(resources / case["template"]), case.get("field_change_list"))
    target.setdefault("metadata", {}).setdefault("namespace", "test-namespace")
    # The library's binding selects nothing by namespace; the one that its runner makes is among the manifests all the same.
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "test-namespace", "labels": {"policy": "enforced"}}}
    (folder / "policy").mkdir(exist_ok=True)
    (folder / "policy/all.yaml").write_text(yaml.safe_dump_all([policy, binding, params]))
    (folder / "object.yaml").write_text(yaml.safe_dump_all([target, namespace]))


def main():
    bulkhead, library = os.path.abspath(sys.argv[1]), SHARED / "corpora/cel-admission"
    if not library.is_dir():
        print(f"skip: no {library}")
        sys.exit(77)
    n = bad = 0
    with tempfile.TemporaryDirectory(prefix="bulkhead-cel-") as made:
        folder = pathlib.Path(made)
        for tests in sorted(library.glob("controls/*/tests.json")):
            policy = load(tests.parent / "policy.yaml")
            for case in json.loads(tests.read_text()):
                prepare(folder, library, policy, case)
                got, incomplete = verdict(bulkhead, folder, policy["metadata"]["name"])
                n += 1
                if got != case["expected"] or incomplete:
                    bad += 1
                    print(f"{tests.parent.name}: {case['name']}: {got}, expected {case['expected']} {incomplete}")
    print(f"{n} cases, {bad} disagreements")
    return bad > 0 or n == 0


if __name__ == "__main__":
    sys.exit(main())
