#!/usr/bin/env python3
"""Compare `bulkhead check` with Gatekeeper's own engine: the same templates, constraints and objects, and what each says of which object.

usage: gatekeeper.py BULKHEAD [SEED]

The other side is github.com/open-policy-agent/gatekeeper of the version that tests/live/oracles/gatekeeper/go.mod names, from the Go proxy, used as `gator
test` does; it builds for some 10 minutes, and is kept. Exit code 77: there is no go command, or no module.

Templates are a few fixed ones; constraints are made by chance of every field of spec.match, actions and parameters. Objects have a namespace wherever they can
have one: gator takes an object without for one of no namespace, a cluster puts it into the default one. Namespaces come with the objects: without theirs
gator ends with an error.
"""
import itertools
import json
import random
import subprocess
import sys

import go_oracle
import imported_policies

ROUNDS = 300


def template(kind, source, schema=None):
    return {
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}, "validation": {"openAPIV3Schema": schema or {"type": "object"}}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": [{"engine": "K8sNativeValidation", "source": source}]}],
        },
    }


TEXT = {"type": "string"}
TEMPLATES = [
    template("Never", {"validations": [{"expression": "false", "message": "never"}]}),
    template("Labels", {
        "variables": [
            {"name": "labels", "expression": "has(variables.anyObject.metadata.labels) ? variables.anyObject.metadata.labels : {}"},
            {"name": "missing", "expression": "variables.params.labels.filter(l, !((variables.params.prefix + l) in variables.labels))"},
        ],
        "validations": [{"expression": "size(variables.missing) == 0", "messageExpression": "variables.params.say + variables.missing.join()"}],
    }, {"type": "object", "properties": {
        "prefix": dict(TEXT, default=""), "say": dict(TEXT, default="missing: "), "labels": {"type": "array", "items": TEXT, "default": ["a", "b"]},
    }}),
    template("Privileged", {
        "matchCondition": [{"name": "has-containers", "expression": "has(object.spec) && has(object.spec.containers)"}],
        "variables": [
            {"name": "exempt", "expression": "!has(variables.params.exempt) ? [] : variables.params.exempt"},
            {"name": "bad", "expression": "object.spec.containers.filter(c, has(c.securityContext) && c.securityContext.?privileged.orValue(false) "
                                          "&& !variables.exempt.exists(e, c.image.startsWith(e)))"},
        ],
        "validations": [{"expression": "size(variables.bad) == 0", "messageExpression": "'privileged: ' + variables.bad.map(c, c.name).join(', ')"},
                        {"expression": "object.spec.containers.all(c, c.image != 'forbidden')"}],
    }, {"type": "object", "properties": {"exempt": {"type": "array", "items": TEXT}}}),
    template("Errors", {"validations": [{"expression": "object.metadata.labels.a == 'b'", "message": "not b"}]}),
    template("Lenient", {"failurePolicy": "Ignore", "validations": [{"expression": "object.metadata.labels.a == 'b'", "message": "not b"}]}),
]
NAMES = ["shop", "shop-a", "kube-system", "a-shop", "b"]
GLOBS = ["shop", "shop*", "*shop", "*-*", "*", "kube-*", "*-a", "b*", "*o*", "a-shop", "none"]
SELECTORS = [{"matchLabels": {"a": "b"}}, {"matchLabels": {"env": "prod"}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {},
             {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}]
PARAMETERS = {
    "Labels": [None, {}, {"labels": ["x"]}, {"prefix": "p/", "labels": ["a", "x"]}, {"say": "no "}],
    "Privileged": [None, {}, {"exempt": ["good"]}, {"exempt": []}],
}


def some(rng, values, most=2):
    return rng.sample(values, rng.randint(1, most))


def match(rng):
    fields = {
        "kinds": lambda: [{"apiGroups": some(rng, ["", "apps", "*", "rbac.authorization.k8s.io"]), "kinds": some(rng, ["Pod", "Deployment", "Namespace", "*"])}
                          for _ in range(rng.randint(1, 2))],
        "namespaces": lambda: some(rng, GLOBS),
        "excludedNamespaces": lambda: some(rng, GLOBS),
        "name": lambda: rng.choice(GLOBS),
        "labelSelector": lambda: rng.choice(SELECTORS),
        "namespaceSelector": lambda: rng.choice(SELECTORS),
        "scope": lambda: rng.choice(["*", "Cluster", "Namespaced"]),
        "source": lambda: rng.choice(["All", "Original"]),
    }
    return {name: fields[name]() for name in rng.sample(sorted(fields), rng.choice([0, 1, 1, 2, 3]))}


def constraint(rng, i):
    kind = rng.choice(TEMPLATES)["spec"]["crd"]["spec"]["names"]["kind"]
    spec = {"enforcementAction": rng.choice(["deny", "warn", "dryrun"])}
    if rng.random() < 0.9:
        spec["match"] = match(rng)
    parameters = rng.choice(PARAMETERS.get(kind, [None]))
    if parameters is None and kind == "Labels":
        parameters = {}
    if parameters is not None:
        spec["parameters"] = parameters
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": f"c{i}"}, "spec": spec}


def objects(rng):
    labels = [None, {"a": "b"}, {"a": "c"}, {"env": "prod", "p/a": "x"}, {"a": "1", "b": "2", "x": "3"}]
    for name in NAMES:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": rng.choice(labels[1:])}}
    kinds = [("v1", "Pod", True), ("apps/v1", "Deployment", True), ("v1", "ConfigMap", True), ("rbac.authorization.k8s.io/v1", "ClusterRole", False)]
    for i, (api, kind, is_namespaced) in enumerate(itertools.chain(kinds, kinds)):
        o = {"apiVersion": api, "kind": kind, "metadata": {"name": rng.choice(NAMES) + f"-{i}"}}
        if is_namespaced:
            o["metadata"]["namespace"] = rng.choice(NAMES)
        if rng.random() < 0.2 and kind == "Pod":
            o["metadata"]["generateName"] = o["metadata"].pop("name")
        if rng.choice(labels):
            o["metadata"]["labels"] = rng.choice(labels[1:])
        if kind == "Pod":
            o["spec"] = {"containers": [{"name": f"c{k}", "image": rng.choice(["good/x", "bad/x", "forbidden"]),
                                         "securityContext": {"privileged": rng.random() < 0.6}} for k in range(rng.randint(1, 2))]}
        yield o


def named(o):
    name = o["metadata"].get("name", "")
    return f"{o['kind']} {o['metadata'].get('namespace', '')}/{name}"


SEVERITY = {"deny": "medium", "warn": "low", "dryrun": "negligible"}


def theirs(found):
    """Without templates and constraints, which gator asks about, too."""
    kinds = ("Namespace", "Pod", "Deployment", "ConfigMap", "ClusterRole")
    return [(f["object"], f["kind"], f["constraint"], SEVERITY[f["action"]], f["message"]) for f in found if f["object"].split(" ")[0] in kinds]


def ours(bulkhead, policies, manifests):
    report = imported_policies.report(bulkhead, policies, manifests)
    found = []
    for f in report["findings"]:
        name, message = f["title"][1:].split("] ", 1)
        what = f["evidence"].split(":")[0]
        kind, rest = what.split(" ", 1)
        found.append((f"{kind} {rest if '/' in rest else '/' + rest}", f["id"], name, f["severity"], message))
    gaps = [gap["reason"] for gap in report["incomplete"] if "was given, so it is asked of nothing" not in gap["reason"]]
    return sorted(found), gaps


def comparable(rows, constraints):
    """
    A Pod without a name has none in Gatekeeper's answer, and the beginning of one in ours. gator takes an object without a namespace for one of the
    namespace default, which only the objects of a cluster's own scope here are.
    """
    by_place = {c["metadata"]["name"] for c in constraints if {"scope", "namespaces", "excludedNamespaces", "namespaceSelector"} & set(c["spec"].get("match", {}))}
    return sorted((o if not o.startswith("Pod ") else o.split("/")[0], kind, name, *rest) for o, kind, name, *rest in rows
                  if not o.startswith("ClusterRole ") or name not in by_place)


def main():
    bulkhead, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    oracle = go_oracle.build("gatekeeper")
    rng = random.Random(seed)
    cases = []
    for _ in range(ROUNDS):
        cases.append((TEMPLATES + [constraint(rng, i) for i in range(6)], list(objects(rng))))
    lines = "".join(json.dumps(p + m) + "\n" for p, m in cases)
    answers = [json.loads(x) for x in subprocess.run([oracle], input=lines, stdout=subprocess.PIPE, text=True).stdout.splitlines()]
    if len(answers) != len(cases):
        sys.exit(f"{len(cases)} questions, {len(answers)} answers")
    bad = total = 0
    for (policies, manifests), answer in zip(cases, answers):
        if "error" in answer:
            sys.exit(answer["error"])
        mine, gaps = ours(bulkhead, policies, manifests)
        constraints = [c for c in policies if c["kind"] != "ConstraintTemplate"]
        a, b = comparable(theirs(answer), constraints), comparable(mine, constraints)
        total += len(a)
        if a != b or gaps:
            bad += 1
            if bad <= 3:
                print("constraints", json.dumps(constraints))
                print("only Gatekeeper:", [x for x in a if x not in b][:5], "only ours:", [x for x in b if x not in a][:5], "not checked:", gaps[:3])
    print(f"{len(cases)} sets of constraints, {total} findings of Gatekeeper's, {bad} sets with a difference")
    return total == 0 or bad > 0


if __name__ == "__main__":
    sys.exit(main())
