#!/usr/bin/env python3
"""Compare what `bulkhead check` says about CustomResourceDefinitions and their resources with what the API server's own packages say.

usage: crd_schemas.py BULKHEAD [--seed N] [--list] [--write] [--only NAME]

Three kinds of cases: the table tests/table/crd.json; CustomResourceDefinitions that projects publish in their Go modules, with resources made at random of their
schemas, right and wrong; and the rows of src/kube/podspecs.def, whose pods have to stand where those definitions say. Exit code 77: no go command or no module.
"""
import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import go_oracle

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import crd as table  # noqa: E402

try:
    import yaml
except ImportError as e:
    print("skip:", e)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = {
    "github.com/cert-manager/cert-manager@v1.21.2": "deploy/crds",
    "knative.dev/serving@v0.51.0": "config/core/300-resources",
    "knative.dev/eventing@v0.44.0": "config/core/resources",
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd",
    "github.com/kedacore/keda/v2@v2.21.0": "config/crd/bases",
    "sigs.k8s.io/kueue@v0.17.0": "config/components/crd/bases",
    "github.com/ray-project/kuberay/ray-operator@v1.5.0": "config/crd/bases",
    "github.com/kubeflow/training-operator@v1.8.1": "manifests/base/crds",
    "sigs.k8s.io/gateway-api@v1.3.0": "config/crd",
    "github.com/argoproj/argo-rollouts@v1.8.3": "manifests/crds",
    "sigs.k8s.io/jobset@v0.8.0": "config/components/crd/bases",
    "sigs.k8s.io/lws@v0.6.0": "config/crd/bases",
    "github.com/argoproj/argo-workflows/v3@v3.6.5": "manifests/base/crds/full",
    "github.com/openkruise/kruise@v1.8.0": "config/crd/bases",
    "github.com/actions/actions-runner-controller@v0.27.6": "charts/gha-runner-scale-set-controller/crds",
    "github.com/elastic/cloud-on-k8s/v2@v2.16.1": "config/crds/v1/resources",
    "github.com/kserve/kserve@v0.15.0": "config/crd/full",
    "github.com/kubeflow/trainer/v2@v2.0.0": "manifests/base/crds",
    "github.com/kubeflow/mpi-operator@v0.6.0": "manifests/base",
    "github.com/tektoncd/pipeline@v1.0.0": "config/300-crds",
}
RESOURCES = 20  # of each version
TEXTS = ["", "a", "abc", "A_b", "10m", "5s", "1h30m", "http://x.example/y", "1.2.3.4", "::1", "10.0.0.0/8", "2020-01-01T00:00:00Z", "2020-01-01", "x.example", "5%", "web-1",
         "kube-system", "-a", "aGVsbG8=", "Always", "1Gi", "\u00e9" * 70, "a" * 300]
NUMBERS = [-1, 0, 1, 2, 5, 80, 443, 1000, 65535, 65536, 4294967296]


def published():
    """(module, definition) of every file with definitions."""
    cache = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")
    for module, folder in MODULES.items():
        os.makedirs(cache + "/go", exist_ok=True)
        try:
            out = subprocess.run(["go", "mod", "download", "-json", module], env=dict(os.environ, GOPATH=cache + "/go", GOFLAGS="-modcacherw"), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, cwd=cache)
        except OSError as e:
            print("skip:", e)
            sys.exit(77)
        if out.returncode:
            print(f"skip: {module} can't be had")
            sys.exit(77)
        for path in sorted((pathlib.Path(json.loads(out.stdout)["Dir"]) / folder).rglob("*.y*ml")):
            try:
                documents = list(yaml.safe_load_all(path.read_text()))
            except yaml.YAMLError:
                continue
            for d in documents:
                if isinstance(d, dict) and d.get("kind") == "CustomResourceDefinition" and d["spec"].get("versions"):
                    yield module, json.loads(json.dumps(d, default=str))


def make(rng, schema, wrong, depth=0):
    """A value of the schema; `wrong` is how often something is not as it says."""
    if rng.random() < wrong:
        return rng.choice([None, True, 7, 1.5, "x", [], {}, ["a"], {"a": "b"}])
    if schema.get("enum") and rng.random() < 0.9:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return rng.choice([1, 80, "http", "50%"])
    if kind == "string":
        return rng.choice(TEXTS)
    if kind == "integer" or kind == "number":
        near = [schema[k] + d for k in ("minimum", "maximum") if k in schema for d in (-1, 0, 1)]
        return rng.choice(NUMBERS + near * 3) if kind == "integer" else rng.choice(NUMBERS + near * 3 + [0.5, 2.25])
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "array":
        n = rng.choice([0, 1, 1, 2, 3]) if depth < 9 else 0
        return [make(rng, schema.get("items", {}), wrong, depth + 1) for _ in range(n)]
    if kind == "object" or "properties" in schema:
        out = {}
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for name in rng.sample(["a", "b.c", "x/y"], rng.choice([0, 1, 2])):
                out[name] = make(rng, more, wrong, depth + 1)
        for name, part in schema.get("properties", {}).items():
            often = 0.97 if name in schema.get("required", []) else 0.35 if depth < 4 else 0.12
            if rng.random() < often:
                out[name] = make(rng, part, wrong, depth + 1)
        if rng.random() < wrong:
            out["unknownField"] = 1
        return out
    return rng.choice([1, "x", {"a": 1}, True])


def resources(rng, definition):
    for v in definition["spec"]["versions"]:
        schema = v.get("schema", {}).get("openAPIV3Schema")
        if not schema or not v.get("served"):
            continue
        for i in range(RESOURCES):
            o = make(rng, schema, rng.choice([0, 0, 0.01, 0.04]))
            o = o if isinstance(o, dict) else {}
            o.update(apiVersion=f"{definition['spec']['group']}/{v['name']}", kind=definition["spec"]["names"]["kind"], metadata={"name": "x"})
            yield o


def expectation(theirs):
    """What tests/table/crd.json keeps of an answer."""
    objects = []
    for answer in theirs["objects"]:
        junctors = any("must validate" in d or "must not validate" in d for _, _, d in answer)
        objects.append(True if junctors else sorted({(t if t in ("unknown", "rule") else "value", table.plain(p)) for p, t, _ in answer}))
    wrong = [x for x in theirs["crd"] if "estimated" not in x[2] and "cost" not in x[2]]
    return {"crd": bool(wrong), "objects": [] if theirs["crd"] else objects}


def ask_oracle(oracle, cases):
    answers = subprocess.run([oracle], input="".join(json.dumps({"crd": d, "objects": o}) + "\n" for d, o in cases), capture_output=True, text=True)
    lines = answers.stdout.splitlines()
    if len(lines) != len(cases):
        sys.exit(f"{len(cases)} questions, {len(lines)} answers: {answers.stderr[-800:]}")
    return [json.loads(line) for line in lines]


def check_all(name, oracle, bulkhead, cases, listing):
    bad = n = refused = wrong_definitions = 0
    theirs = ask_oracle(oracle, cases)
    mine = table.ask(bulkhead, cases)
    for (definition, objects), answer, (of_definition, of_objects) in zip(cases, theirs, mine):
        expected = expectation(answer)
        wrong_definitions += expected["crd"]
        if expected["crd"] != bool(of_definition):
            bad += 1
            print(f"  {definition['metadata']['name']}: definition: {answer['crd'][:3]}, ours {sorted(of_definition)[:3]}")
            continue
        if answer["crd"]:
            continue
        for o, t, e, m in zip(objects, answer["objects"], expected["objects"], of_objects):
            n += 1
            refused += bool(t)
            if table.differs(e, m):
                bad += 1
                if listing or bad <= 40:
                    print(f"  {o['kind']} {o['apiVersion']}: theirs {json.dumps(t)[:600]}\n    ours {sorted(m)[:6]}" + (f"\n    {json.dumps(o)[:1500]}" if listing else ""))
    print(f"{name:12} {len(cases):4} definitions ({wrong_definitions} wrong), {n:6} resources ({refused} refused), {bad} differences")
    return bad


def schema_at(schema, path):
    """Every step of a row's path in a schema; None where it leads nowhere."""
    for step in path.split("."):
        name = step.rstrip("[]{}")
        schema = schema.get("properties", {}).get(name)
        if schema is not None and step.endswith("[]"):
            schema = schema.get("items")
        elif schema is not None and step.endswith("{}"):
            schema = schema.get("additionalProperties")
        if not isinstance(schema, dict):
            return None
        if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
            return schema
    return schema


def holds_pod(schema, shape):
    """Does the schema have the pod that the row says, or anything at all?"""
    if "properties" not in schema:
        return bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    p = schema["properties"]
    if shape.endswith("TEMPLATE"):
        return "spec" in p and holds_pod(p["spec"], "SPEC")
    return any(name in p for name in {"TEKTON": ["steps"], "ARGO": ["container"]}.get(shape, ["containers"]))


def check_rows(definitions):
    rows = re.findall(r'^PODS\("([^"]*)", "([^"]*)", "([^"]*)", (\w+), "[^"]*"\)', (ROOT / "src/kube/podspecs.def").read_text(), re.M)
    bad = seen = 0
    for group, kind, path, shape in rows:
        of_kind = [d for d in definitions if d["spec"]["group"] == group and d["spec"]["names"]["kind"] == kind]
        schemas = [v["schema"]["openAPIV3Schema"] for d in of_kind for v in d["spec"]["versions"] if v.get("schema")]
        if not schemas:
            continue
        seen += 1
        at = [schema_at(s, path) for s in schemas]
        if not any(s is not None and holds_pod(s, shape) for s in at):
            bad += 1
            print(f"  {group} {kind}: no pod at {path}")
    print(f"{'podspecs.def':12} {len(rows):4} rows, {seen} with a published definition, {bad} differences")
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bulkhead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="every difference, with the resource")
    parser.add_argument("--write", action="store_true", help="keep the oracle's answers in the table")
    parser.add_argument("--only", default="", help="definitions whose name has this in it")
    options = parser.parse_args()
    oracle = go_oracle.build("crd")
    cases = json.loads(table.TABLE.read_text())
    questions = [(c["crd"], c["objects"]) for c in cases]
    if options.write:
        for case, answer in zip(cases, ask_oracle(oracle, questions)):
            case["expect"] = expectation(answer)
        table.TABLE.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    bad = check_all("table", oracle, options.bulkhead, questions, options.list)
    stale = [c["about"] for c, a in zip(cases, ask_oracle(oracle, questions)) if json.loads(json.dumps(expectation(a))) != c.get("expect")]
    if stale:
        print("  other answers than the table keeps (--write):", ", ".join(stale[:5]))
        bad += 1
    definitions = [d for _, d in published()]
    rng = random.Random(options.seed)
    real = [(d, list(resources(rng, d))) for d in definitions if options.only in d["metadata"]["name"]]
    bad += check_all("published", oracle, options.bulkhead, real, options.list) if real else 0
    bad += check_rows(definitions)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
