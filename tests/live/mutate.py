#!/usr/bin/env python3
"""Compare mutating policies with Kubernetes' own mutating admission: apply configurations merged into objects, mutations of policies, JSON patches.

usage: mutate.py MUTATE-PROBE [--pairs N] [--seed N]

Objects and apply configurations are made at random along the types of the API (api/openapi-spec/v3 of k8s.io/kubernetes); both sides have to make the same object
of them, or both refuse. The other side is k8s.io/apiserver, plugin/policy/mutating/patch, of the version that tests/live/oracles/mutate/go.mod names. The suite
of github.com/json-patch/json-patch-tests runs, too, from the npm package json-patch-test-suite where that can be had. Exit code 77: no go command, or no module.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import go_oracle

MODULE = "k8s.io/kubernetes@v1.34.0"
KINDS = [("v1", "Pod", "core.v1.Pod"), ("apps/v1", "Deployment", "apps.v1.Deployment"), ("batch/v1", "CronJob", "batch.v1.CronJob"),
         ("v1", "Service", "core.v1.Service"), ("v1", "ConfigMap", "core.v1.ConfigMap"), ("rbac.authorization.k8s.io/v1", "ClusterRole", "rbac.v1.ClusterRole"),
         ("v1", "ServiceAccount", "core.v1.ServiceAccount"), ("v1", "PersistentVolume", "core.v1.PersistentVolume"),
         ("networking.k8s.io/v1", "NetworkPolicy", "networking.v1.NetworkPolicy"), ("discovery.k8s.io/v1", "EndpointSlice", "discovery.v1.EndpointSlice")]
TEXTS = ["a", "b", "c", "d"]
NAMES = {"name", "ip", "topologyKey", "mountPath", "devicePath", "type", "uid"}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
    "serviceAccountName": "x", "nodeSelector": {"a": "b"}, "tolerations": [{"key": "a"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "containers": [{"name": "a", "image": "nginx", "ports": [{"containerPort": 80}], "env": [{"name": "X", "value": "1"}], "args": ["x"],
                    "securityContext": {"capabilities": {"add": ["SYS_TIME"]}}}, {"name": "b", "image": "redis"}]}}
APPLY = [
    "Object{}", "Object{spec: Object.spec{hostNetwork: false}}", "Object{spec: Object.spec{hostNetwork: 'x'}}", "Object{spec: Object.spec{wrong: 1}}",
    "Object{spec: Object.status{hostNetwork: true}}", "Object{spec: Object.spec{serviceAccountName: null}}", "Object{spec: Object.spec{tolerations: null}}",
    "Object{spec: Object.spec{nodeSelector: null}}", "Object{spec: Object.spec{containers: null}}", "Object{spec: null}",
    "Object{spec: Object.spec{nodeSelector: {'c': 'd'}}}", "Object{spec: Object.spec{tolerations: []}}",
    "Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, "
    "securityContext: Object.spec.containers.securityContext{allowPrivilegeEscalation: false}})}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a', args: ['y']}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a'}, Object.spec.containers{name: 'a'}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{image: 'z'}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'b', ports: [Object.spec.containers.ports{containerPort: 80}]}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a', ports: [Object.spec.containers.ports{containerPort: 80, protocol: 'TCP', hostPort: 8}]}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a', ports: [Object.spec.containers.ports{containerPort: 80, protocol: 'UDP'}]}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a', env: [Object.spec.containers.env{name: 'Y', value: '2'}, "
    "Object.spec.containers.env{name: 'X', value: '3'}]}]}}",
    "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'a', env: [Object.spec.containers.env{name: 'X', value: 3}]}]}}",
    "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'i', image: 'x'}]}}",
    "Object{metadata: Object.metadata{labels: {'app': 'other', 'b': 'c'}, annotations: {'x': 'y'}, finalizers: ['f']}}",
    "Object{metadata: Object.metadata{labels: Object.metadata.labels{app: 'z'}}}", "Object{metadata: Object.metadata{?labels: optional.none()}}",
    "Object{spec: Object.spec{securityContext: Object.spec.securityContext{}}}", "Object{apiVersion: 'v2', kind: 'X'}",
    "has(object.spec.hostNetwork) ? Object{} : Object{spec: Object.spec{hostPID: true}}", "object.spec.nothing == 1 ? Object{} : Object{}", "{'spec': {}}", "1",
    "Object{spec: Object.spec{securityContext: Object.spec.securityContext{seccompProfile: Object.spec.securityContext.seccompProfile{type: 'RuntimeDefault'}}}}",
    "Object{spec: Object.spec{volumes: [Object.spec.volumes{name: 'v', emptyDir: Object.spec.volumes.emptyDir{medium: 'Memory'}}]}}",
    "Object{spec: Object.spec{volumes: [Object.spec.volumes{name: 'v', emptyDir: null, configMap: Object.spec.volumes.configMap{name: 'x'}}]}}",
    "Object{spec: Object.spec{terminationGracePeriodSeconds: 3u}}", "Object{spec: Object.spec{hostname: duration('3s')}}",
]
PATCH = [
    "[]", "[JSONPatch{op: 'add', path: '/spec/hostNetwork', value: false}]", "[JSONPatch{op: 'replace', path: '/spec/hostPID', value: true}]",
    "[JSONPatch{op: 'remove', path: '/spec/hostPID'}]", "[JSONPatch{op: 'remove', path: '/spec/containers/-1'}]",
    "[JSONPatch{op: 'test', path: '/spec/hostPID', value: true}, JSONPatch{op: 'remove', path: '/spec/nothing'}]",
    "[JSONPatch{op: 'test', path: '/metadata/labels/app', value: 'web'}, JSONPatch{op: 'replace', path: '/metadata/labels/app', value: 'x'}]",
    "[JSONPatch{op: 'replace', path: '/metadata/labels/app', value: 'x'}, JSONPatch{op: 'test', path: '/metadata/labels/app', value: 'web'}]",
    "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: 'x'}]",
    "[JSONPatch{op: 'add', path: '/spec/containers/0/securityContext/capabilities', value: Object.spec.containers.securityContext.capabilities{drop: ['ALL']}}]",
    "[JSONPatch{op: 'add', path: '/spec/containers/-', value: Object.spec.containers{name: 'c', ports: [Object.spec.containers.ports{containerPort: 1}]}}]",
    "[JSONPatch{op: 'add', path: '/spec/containers/-', value: Object.spec.containers{name: 'c', ports: [Object.wrong{containerPort: 1}]}}]",
    "[JSONPatch{op: 'move', from: '/spec/containers/0', path: '/spec/containers/1'}]", "[JSONPatch{op: 'copy', from: '/spec/containers/0', path: '/spec/containers/-'}]",
    "[JSONPatch{op: 'copy', from: '/spec/nothing/x', path: '/spec/containers/-'}]", "[JSONPatch{op: 'add', path: '/spec/containers/9', value: 1}]",
    "[JSONPatch{op: 'add', path: '/spec/nothing/x', value: 1}]", "[JSONPatch{op: 'spam', path: '/spec', value: 1}]",
    "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'a': 'b'}}]", "object.spec.containers.map(c, JSONPatch{op: 'remove', path: '/spec/containers/0/name'})",
    "has(object.spec.x) ? [JSONPatch{op: 'remove', path: '/spec/x'}] : []", "JSONPatch{op: 'remove', path: '/spec/x'}", "[1]", "[JSONPatch{op: 'remove', paths: '/x'}]",
    "object.spec.containers.map(c, c.name).map(i, JSONPatch{op: 'add', path: '/metadata/labels/' + i, value: i})",
]


def types():
    """{name: definition} of all types, by the document that the server has."""
    r = subprocess.run(["go", "mod", "download", "-json", MODULE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        print("no module:", r.stdout.decode()[-300:])
        sys.exit(77)
    folder = pathlib.Path(json.loads(r.stdout)["Dir"]) / "api/openapi-spec/v3"
    out = {}
    for path in folder.glob("*.json"):
        out.update(json.loads(path.read_text()).get("components", {}).get("schemas", {}))
    return folder, out


class Maker:
    def __init__(self, rng, definitions):
        self.rng, self.definitions = rng, definitions

    def value(self, schema, depth, width, name=""):
        r = self.rng
        while "allOf" in schema:
            schema = schema["allOf"][0]
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].rsplit("/", 1)[1]]
        if "oneOf" in schema or schema.get("format") == "int-or-string":
            return r.choice([1, "a"])
        if "properties" in schema:
            return self.object(schema, depth, width)
        kind = schema.get("type")
        if kind == "array":
            return [self.value(schema["items"], depth + 1, width, name) for _ in range(r.choice([0, 1, 2, 2, 3]))]
        if kind == "object" and "additionalProperties" in schema:
            return {k: self.value(schema["additionalProperties"], depth + 1, width) for k in TEXTS if r.random() < .4}
        if kind == "object":
            return {"x": {"y": 1}} if r.random() < .5 else {}
        if kind == "string":
            return r.choice(["TCP", "UDP"]) if name == "protocol" else r.choice(TEXTS[:3] if name in NAMES else TEXTS)
        if kind == "integer":
            return r.choice([1, 2, 80])
        return {"boolean": r.random() < .5, "number": 1.5}.get(kind, "a")

    def object(self, schema, depth, width):
        out = {}
        for name, field in schema["properties"].items():
            likely = name in ("spec", "template", "jobTemplate", "containers") or (name in NAMES and depth > 1 and self.rng.random() < .95)
            if likely or self.rng.random() < width / (1 + depth):
                out[name] = self.value(field, depth + 1, width, name)
        return out

    def spoil(self, v):
        """A field that is not there, a value of the wrong kind, or null, somewhere; mostly nothing."""
        if isinstance(v, dict) and v and self.rng.random() < .8:
            key = self.rng.choice(sorted(v))
            return {**v, key: self.spoil(v[key])}
        if isinstance(v, list) and v and self.rng.random() < .7:
            return [self.spoil(v[0]), *v[1:]]
        if isinstance(v, dict) and self.rng.random() < .5:
            return {**v, "nothing": 1}
        return self.rng.choice([None, None, 1, "a", [], {}])


def atomics(patch, definitions, name, depth=0):
    """The patch without what may not be in one: atomic lists and types."""
    schema = definitions[name]
    out = {}
    for key, value in patch.items():
        field = schema["properties"][key]
        inner = field
        while "allOf" in inner:
            inner = inner["allOf"][0]
        if isinstance(value, list):
            if field.get("x-kubernetes-list-type", "atomic") == "atomic":
                continue
            items = field["items"]
            while "allOf" in items:
                items = items["allOf"][0]
            if "$ref" in items:
                item = items["$ref"].rsplit("/", 1)[1]
                if definitions[item].get("x-kubernetes-map-type") == "atomic":
                    continue
                keys, seen, kept = field.get("x-kubernetes-list-map-keys", []), set(), []
                for v in value:
                    if not isinstance(v, dict):
                        continue
                    v = atomics(v, definitions, item, depth + 1) if "properties" in definitions[item] else v
                    key_of = tuple(str(v.get(k, "TCP" if k == "protocol" else "")) for k in keys)
                    if key_of not in seen:
                        kept.append(v)
                        seen.add(key_of)
                value = kept
            else:
                value = sorted(set(map(str, value)))
        elif isinstance(value, dict):
            if field.get("x-kubernetes-map-type") == "atomic":
                continue
            if "$ref" in inner:
                item = inner["$ref"].rsplit("/", 1)[1]
                if definitions[item].get("x-kubernetes-map-type") == "atomic" and field.get("x-kubernetes-map-type") != "granular":
                    continue
                if "properties" in definitions[item]:
                    value = atomics(value, definitions, item, depth + 1)
        out[key] = value
    return out


def ask(program, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    r = subprocess.run(program, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in r.stdout.decode().splitlines()]


def without_nulls(v):
    """Null is no value for the server, which reads the object into its types."""
    if isinstance(v, dict):
        return {k: without_nulls(x) for k, x in v.items() if x is not None}
    return [without_nulls(x) for x in v] if isinstance(v, list) else v


def same(ours, theirs):
    if "failed to convert original object" in theirs.get("error", ""):
        return True  # the server looks at the whole object first: a list elsewhere has an element without its key
    if re.search(r"Time(stamp)?: a text was expected", ours.get("error", "")):
        return True  # the merge takes anything for a time, the server's types, which come next, do not
    if "error" in theirs or "error" in ours:
        return "error" in theirs and "error" in ours
    return without_nulls(ours["value"]) == without_nulls(theirs["value"])


def pairs(rng, definitions, n):
    maker = Maker(rng, definitions)
    for _ in range(n):
        api, kind, short = rng.choice(KINDS)
        name = "io.k8s.api." + short
        live = {**maker.object(definitions[name], 0, rng.choice([.5, 1, 2])), "apiVersion": api, "kind": kind}
        live = atomics_only_unique(live, definitions, name)
        patch = {**maker.object(definitions[name], 0, rng.choice([.3, .6, 1])), "apiVersion": api, "kind": kind}
        kinds = rng.random()
        if kinds < .8:
            patch = atomics(patch, definitions, name)
        if kinds < .3:
            patch = maker.spoil(patch)
        if not isinstance(patch, dict):
            continue
        patch = {**patch, "apiVersion": api, "kind": kind}
        yield live, patch


def atomics_only_unique(v, definitions, name):
    """Objects whose lists have each key once, as a server takes them: atomic lists stay."""
    schema = definitions[name]
    out = {}
    for key, value in v.items():
        field = schema.get("properties", {}).get(key, {})
        inner = field
        while "allOf" in inner:
            inner = inner["allOf"][0]
        if isinstance(value, list):
            items = field.get("items", {})
            while "allOf" in items:
                items = items["allOf"][0]
            item = items["$ref"].rsplit("/", 1)[1] if "$ref" in items else None
            if item:
                value = [atomics_only_unique(x, definitions, item) if isinstance(x, dict) else x for x in value]
            if field.get("x-kubernetes-list-type") == "map":
                seen, kept = set(), []
                for x in value:
                    k = tuple(str(x.get(n, "TCP" if n == "protocol" else "")) for n in field["x-kubernetes-list-map-keys"])
                    if k not in seen:
                        kept.append(x)
                        seen.add(k)
                value = kept
            elif field.get("x-kubernetes-list-type") == "set":
                value = sorted(set(value), key=str)
        elif isinstance(value, dict) and "$ref" in inner:
            value = atomics_only_unique(value, definitions, inner["$ref"].rsplit("/", 1)[1])
        out[key] = value
    return out


def policy(kind, expression):
    field = "jsonPatch" if kind == "JSONPatch" else "applyConfiguration"
    return {"apiVersion": "admissionregistration.k8s.io/v1beta1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": {
        "matchConstraints": {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]},
        "failurePolicy": "Fail", "reinvocationPolicy": "Never", "mutations": [{"patchType": kind, field: {"expression": expression}}]}}


def mutate_ours(probe, cases):
    lines = [{"do": "mutate", "manifests": json.dumps(policy(k, e)) + "\n---\n" + json.dumps(o)} for k, e, o in cases]
    for a in ask([probe], lines):
        yield {"error": a["said"][0]} if a.get("said") else a


def compare(what, questions, ours, theirs):
    wrong = [(q, a, b) for q, a, b in zip(questions, ours, theirs) if not same(a, b)]
    refused = sum("error" in b for b in theirs)
    print(f"{len(questions)} {what}, {refused} of them refused: {len(wrong)} differ")
    for q, a, b in wrong[:5]:
        print(json.dumps(q), "\n  ours:  ", json.dumps(a), "\n  theirs:", json.dumps(b))
    return not wrong


def suite(probe):
    """The cases of json-patch-tests; True when they can't be had."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-mutate-") as folder:
        r = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "json-patch-test-suite"], cwd=folder,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        files = list(pathlib.Path(folder).glob("node_modules/json-patch-test-suite/**/*tests.json"))
        if r.returncode or not files:
            print("json-patch-tests: not there, left out")
            return True
        cases = [c for f in files for c in json.loads(f.read_text()) if "patch" in c and not c.get("disabled")]
    answers = ask([probe], [{"do": "patch", "document": c["doc"], "patch": c["patch"]} for c in cases])
    wrong = [(c, a) for c, a in zip(cases, answers) if ("error" in c) == ("value" in a) or ("expected" in c and a.get("value") != c["expected"])]
    print(f"{len(cases)} cases of json-patch-tests, {len(wrong)} differ")
    for c, a in wrong[:10]:
        print(json.dumps(c), "\n  ours:", json.dumps(a))
    return not wrong


def main():
    args = argparse.ArgumentParser()
    args.add_argument("probe")
    args.add_argument("--pairs", type=int, default=5000)
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    oracle = go_oracle.build("mutate")
    folder, definitions = types()
    made = list(pairs(random.Random(args.seed), definitions, args.pairs))
    ok = compare("apply configurations", made, ask([args.probe], [{"do": "merge", "live": a, "patch": b} for a, b in made]),
                 ask([oracle, folder], [{"live": a, "patch": b} for a, b in made]))
    cases = [("ApplyConfiguration", e, POD) for e in APPLY] + [("JSONPatch", e, POD) for e in PATCH]
    ok &= compare("mutations", [e for _, e, _ in cases], list(mutate_ours(args.probe, cases)),
                  ask([oracle, folder], [{"type": k, "expression": e, "object": o} for k, e, o in cases]))
    ok &= suite(args.probe)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
