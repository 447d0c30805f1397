#!/usr/bin/env python3
"""Compare `bulkhead check`'s types of the API with Kubernetes' OpenAPI document under a validator of JSON Schema.

usage: kube_schema.py BULKHEAD [FOLDER...]

For two versions, both have to refuse the same files of the folders (default: ../shared/corpora/pod-security and netpol beside the source). Exit code 77: no go command, no module,
no jsonschema or yaml of Python, or no folder.
"""
import json
import os
import pathlib
import subprocess
import sys

MODULES = {"1.34": "k8s.io/kubernetes@v1.34.0", "1.37": "k8s.io/kubernetes@v1.37.2"}
CORPORA = pathlib.Path(__file__).resolve().parents[3] / "shared/corpora"
SPECIAL = {"io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
           "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]}}


def skip(why):
    print("skip:", why)
    sys.exit(77)


try:
    import jsonschema
    import yaml
except ImportError as e:
    skip(e)


def definitions(module):
    cache = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")
    try:
        os.makedirs(cache + "/go", exist_ok=True)
        out = subprocess.run(["go", "mod", "download", "-json", module], env=dict(os.environ, GOPATH=cache + "/go", GOFLAGS="-modcacherw"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cache)
    except OSError as e:
        skip(e)
    if out.returncode:
        skip(f"{module} can't be had")
    return json.loads((pathlib.Path(json.loads(out.stdout)["Dir"]) / "api/openapi-spec/swagger.json").read_text())["definitions"]


def plain(x):
    """Without formats and descriptions; in objects, without nulls."""
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items() if v is not None and k not in ("format", "description")}
    return [plain(i) for i in x] if isinstance(x, list) else x


def objects(path):
    try:
        todo = list(yaml.safe_load_all(path.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError):
        return
    while todo:
        o = todo.pop()
        if isinstance(o, dict) and str(o.get("kind")).endswith("List") and "items" in o:
            todo += o["items"] or []
        elif isinstance(o, dict):
            yield json.loads(json.dumps(plain(o), default=str))


def compare(bulkhead, version, folders):
    """Do both refuse the same?"""
    kinds, types = {}, {}
    for name, definition in definitions(MODULES[version]).items():
        for g in definition.get("x-kubernetes-group-version-kind", []):
            kinds.setdefault((f"{g['group']}/{g['version']}".lstrip("/"), g["kind"]), name)
        types[name] = SPECIAL.get(name) or {k: ({f: plain(s) for f, s in v.items()} if k == "properties" else plain(v)) for k, v in definition.items()}
        if "properties" in definition:
            types[name]["additionalProperties"] = False
    theirs, n = set(), 0
    files = [p for f in folders for p in sorted(f.rglob("*.y*ml"))]
    for path in files:
        for o in objects(path):
            kind = kinds.get((o.get("apiVersion"), o.get("kind")))
            n += kind is not None
            if kind and not jsonschema.Draft7Validator({"$ref": "#/definitions/" + kind, "definitions": types}).is_valid(o):
                theirs.add(str(path))
    out = subprocess.run([bulkhead, "check", "--no-hardening", "--kubernetes", version, "--pod-security", "none", "--fail-on", "never", "-f", "json", *map(str, folders)], stdout=subprocess.PIPE)
    ours = {p for f in json.loads(out.stdout)["findings"] for p in f["paths"]} & {str(p) for p in files}
    print(f"{version}: {n} objects in {len(files)} files; refused: {len(theirs)} files; only by the document: {sorted(theirs - ours)}, only here: {sorted(ours - theirs)}")
    return ours == theirs and n > 0


def main():
    bulkhead, *folders = sys.argv[1:]
    folders = [pathlib.Path(f) for f in folders] or [f for f in (CORPORA / "pod-security", CORPORA / "netpol") if f.is_dir()]
    if not folders:
        skip("no corpora here")
    sys.exit(0 if all([compare(bulkhead, version, folders) for version in MODULES]) else 1)


if __name__ == "__main__":
    main()
