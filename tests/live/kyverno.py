#!/usr/bin/env python3
"""Compare `bulkhead check` with Kyverno's own engine: the same ValidatingPolicies, exceptions and objects, and what each says of which object.

usage: kyverno.py BULKHEAD [SEED]

The other side is github.com/kyverno/kyverno of the version that tests/live/oracles/kyverno/go.mod names, from the Go proxy: autogen, compiler and engine as
its admission controller puts them together; it builds for some 20 minutes, and is kept. Exit code 77: there is no go
command, or no module.

What is compared is which policy finds something in which object. Three things are Kyverno's own and left out: it stops at the first expression that says no
or, with failurePolicy Ignore, fails; a failing condition of an exception is an error whatever else does not match; and when something is created it has an
empty oldObject that is not null and that object selectors may choose.
"""
import json
import random
import subprocess
import sys

import go_oracle
import imported_policies

ROUNDS = 200
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
MORE = {"apiGroups": ["", "apps", "batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods", "deployments", "jobs", "configmaps"]}
SELECTORS = [{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}]}, {},
             {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}]
CONTAINERS = "object.spec.containers.all(c, %s)"
EXPRESSIONS = [
    "!object.spec.?hostNetwork.orValue(false)",
    "has(object.metadata.labels) && 'a' in object.metadata.labels",
    "object.metadata.namespace != 'kube-system'",
    "object.metadata.?labels.?env.orValue('') != 'prod' || object.metadata.namespace == 'shop'",
    CONTAINERS % "c.image.contains(':')",
    CONTAINERS % "c.image.startsWith('good/') || c.image in exceptions.allowedImages",
    "variables.images.all(i, i != 'bad:1') || 'bad' in exceptions.allowedValues",
    "object.metadata.labels.a == 'b'",
    "namespaceObject.metadata.name != 'other'",
    "request.operation == 'CREATE' && request.kind.kind != 'CronJob'",
]
CONDITIONS = ["object.metadata.name != 'b'", "has(object.spec)", "object.metadata.namespace == 'shop'", "object.metadata.labels.a == 'b'"]
CONTROLLERS = ["daemonsets", "deployments", "jobs", "statefulsets", "replicasets", "cronjobs"]
NAMESPACES = ["shop", "kube-system", "other"]


def conditions(rng, most):
    return [{"name": f"c{i}", "expression": e} for i, e in enumerate(rng.sample(CONDITIONS, rng.randint(0, most)))]


def policy(rng, i):
    match = {"resourceRules": [rng.choice([PODS, PODS, MORE])]}
    for field in ("objectSelector", "namespaceSelector"):
        if rng.random() < 0.2:
            match[field] = rng.choice(SELECTORS if field == "namespaceSelector" else SELECTORS[:-1])
    if rng.random() < 0.1:
        match["excludeResourceRules"] = [{**MORE, "resources": ["jobs"]}]
    spec = {
        "matchConstraints": match,
        "matchConditions": conditions(rng, 1),
        "variables": [{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}],
        "validations": [{"expression": e, "message": "no"} for e in rng.sample(EXPRESSIONS, rng.randint(1, 2))],
        "failurePolicy": rng.choice(["Fail", "Ignore"]),
    }
    if rng.random() < 0.5:
        spec["autogen"] = {"podControllers": {"controllers": rng.sample(CONTROLLERS, rng.randint(0, 3))}}
    return {"apiVersion": "policies.kyverno.io/v1beta1", "kind": "ValidatingPolicy", "metadata": {"name": f"p{i}"}, "spec": spec}


def exception(rng, i):
    spec = {"policyRefs": [{"name": f"p{k}", "kind": "ValidatingPolicy"} for k in rng.sample(range(5), 2)], "matchConditions": [c for c in conditions(rng, 3) if c["expression"] != CONDITIONS[-1]]}
    if rng.random() < 0.5:
        spec["images"] = rng.sample(["bad:1", "x", "it's"], 2)
    elif rng.random() < 0.5:
        spec["allowedValues"] = ["bad"]
    return {"apiVersion": "policies.kyverno.io/v1beta1", "kind": "PolicyException", "metadata": {"name": f"e{i}", "namespace": "x"}, "spec": spec}


KINDS = {"Pod": ("v1", ""), "Deployment": ("apps/v1", "t"), "StatefulSet": ("apps/v1", "t"), "DaemonSet": ("apps/v1", "t"), "ReplicaSet": ("apps/v1", "t"),
         "Job": ("batch/v1", "t"), "CronJob": ("batch/v1", "c"), "ConfigMap": ("v1", None)}


def labels(rng):
    return rng.choice([{}, {"a": "b"}, {"env": "prod"}, {"a": "c", "env": "dev"}])


def objects(rng):
    for i, (kind, (api, where)) in enumerate(KINDS.items()):
        o = {"apiVersion": api, "kind": kind, "metadata": {"name": rng.choice("ab") + str(i), "namespace": rng.choice(NAMESPACES), "labels": labels(rng)}}
        if i % 3 == 0:
            o["metadata"]["name"] = "b"
        pod = {"hostNetwork": rng.random() < 0.5, "containers": [{"name": "c", "image": rng.choice(["bad:1", "good/x:1", "x", "it's"])}]}
        template = {"metadata": {"labels": labels(rng)}, "spec": pod}
        if where is not None:
            o["spec"] = pod if where == "" else {"template": template} if where == "t" else {"jobTemplate": {"spec": {"template": template}}}
        yield o


def ours(bulkhead, policies, manifests):
    report = imported_policies.report(bulkhead, policies, manifests)
    return {(f["id"], f["evidence"].split(":")[0]) for f in report["findings"]}, [gap["reason"] for gap in report["incomplete"]]


def main():
    bulkhead, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    oracle = go_oracle.build("kyverno")
    rng = random.Random(seed)
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": {"env": "prod"} if n == "shop" else {"a": "b"}}} for n in NAMESPACES]
    cases = []
    for _ in range(ROUNDS):
        cases.append({"policies": [policy(rng, i) for i in range(5)], "exceptions": [exception(rng, i) for i in range(2)], "objects": list(objects(rng)),
                      "namespaces": namespaces})
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    answers = [json.loads(x) for x in subprocess.run([oracle], input=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()]
    if len(answers) != len(cases):
        sys.exit(f"{len(cases)} questions, {len(answers)} answers")
    bad = total = 0
    for case, answer in zip(cases, answers):
        if isinstance(answer, dict):
            sys.exit(answer["error"])
        closed = {p["metadata"]["name"] for p in case["policies"] if p["spec"]["failurePolicy"] == "Fail"}
        theirs = {(f["policy"], f["object"]) for f in answer if f["status"] == "fail" or (f["status"] == "error" and f["policy"] in closed)}
        open_errors = {(f["policy"], f["object"]) for f in answer if f["status"] == "error" and f["policy"] not in closed}
        mine, gaps = ours(bulkhead, case["policies"] + case["exceptions"], case["objects"] + namespaces)
        mine -= open_errors
        total += len(theirs)
        if theirs != mine or gaps:
            bad += 1
            if bad <= 3:
                names = {x[0] for x in theirs ^ mine}
                print(json.dumps([p for p in case["policies"] if p["metadata"]["name"] in names] + case["exceptions"]))
                print("only Kyverno:", sorted(theirs - mine)[:5], "only ours:", sorted(mine - theirs)[:5], "not checked:", gaps[:3])
                print([o for o in case["objects"] if any(x[1].startswith(o["kind"] + " ") for x in theirs ^ mine)][:2])
                print([f for f in answer if (f["policy"], f["object"]) in theirs ^ mine][:3])
    print(f"{len(cases)} sets of policies, {total} findings of Kyverno's, {bad} sets with a difference")
    return total == 0 or bad > 0


if __name__ == "__main__":
    sys.exit(main())
