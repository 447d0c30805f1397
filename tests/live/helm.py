#!/usr/bin/env python3
"""Check a chart with the real helm: values, --set, names of releases and templates, charts in charts, what helm complains about.

usage: helm.py BULKHEAD

helm comes from the PATH, else it is built from the Go proxy once and kept. Exit code 77: there is neither. What `bulkhead check` is expected to say follows
from the values; lines are looked up in what `helm template` prints. Prints TAP.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODULE = "helm.sh/helm/v3/cmd/helm@v3.14.4"
# As its releases are built: the version of Kubernetes that charts are rendered for.
FLAGS = "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=29"
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "helm"

FILES = {
    "web/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\nkubeVersion: '>=1.25.0'\n",
    "web/values.yaml": "image: {name: shop, tag: '1.0'}\nprivileged: false\nhosts: []\n",
    "web/templates/web.yaml": """{{- /* two objects of one file */ -}}
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-web, namespace: {{ .Release.Namespace }}}
spec:
  containers:
  - name: web
    image: {{ .Values.image.name }}:{{ .Values.image.tag }}
    securityContext: {privileged: {{ .Values.privileged }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-web}
data:
  text: |
    ---
    # Source: shop/templates/lie.yaml
  hosts: {{ join "," .Values.hosts | quote }}
  version: {{ .Capabilities.KubeVersion.Version }}
""",
    "web/templates/second.yaml": """apiVersion: v1
kind: Pod
metadata: {name: second}
spec:
  hostNetwork: true
  containers: [{name: a, image: "a:1"}]
""",
    "web/crds/things.yaml": """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
""",
    "web/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "web/charts/db/templates/db.yaml": """apiVersion: v1
kind: Pod
metadata: {name: db}
spec:
  hostPID: true
  containers: [{name: a, image: "a:1"}]
""",
    "broken/Chart.yaml": "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
    "broken/templates/a.yaml": "kind: {{ .Values.none.such }}\n",
    "lacks/Chart.yaml": "apiVersion: v2\nname: lacks\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://example.org'}]\n",
    "values,a.yaml": "image: {tag: '2.0'}\n",
    "privileged.yaml": "privileged: true\n",
}


def find_helm():
    """The folder to put into the PATH; None: it is there already."""
    if shutil.which("helm"):
        return None
    if not (CACHE / "helm").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            r = subprocess.run(["go", "install", "-p=2", "-ldflags", FLAGS, MODULE], env={**os.environ, "GOBIN": str(CACHE)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as e:
            print(f"1..0 # SKIP neither helm nor go: {e}")
            sys.exit(77)
        if r.returncode:
            print(f"1..0 # SKIP helm can't be built here: {r.stdout.decode()[-300:]!r}")
            sys.exit(77)
    return str(CACHE)


class Chart:
    def __init__(self, bulkhead, folder, env):
        self.bulkhead, self.folder, self.env = os.path.abspath(bulkhead), folder, env

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)

    def check(self, *arguments):
        """(findings as {(id, path, evidence)}, what was not checked, exit code, complaints)"""
        r = self.run(self.bulkhead, "check", "-f", "json", "--pod-security", "baseline", *arguments)
        report = json.loads(r.stdout) if r.stdout else {}
        found = {(f["id"], f["paths"][0] if f.get("paths") else "", f.get("evidence", "")) for f in report.get("findings", [])}
        return found, [i.get("reason", "") for i in report.get("incomplete", [])], r.returncode, r.stderr

    def line(self, text, *arguments):
        """Of the first line with the text in what helm prints."""
        out = self.run("helm", "template", "--include-crds", *arguments).stdout.split("\n")
        return next(i for i, line in enumerate(out, 1) if text in line)


def cases(c):
    line = c.line("hostNetwork", "release-name", "web")
    found, unread, code, _ = c.check("web")
    yield "the template and the rendered line", ("pss-host-namespaces", "web/templates/second.yaml", f"Pod second: spec.hostNetwork (rendered line {line})") in found
    line = c.line("hostPID", "release-name", "web")
    yield "a chart in the chart", ("pss-host-namespaces", "web/charts/db/templates/db.yaml", f"Pod db: spec.hostPID (rendered line {line})") in found
    yield "nothing privileged by default", not any(f[0] == "pss-privileged" for f in found)
    yield "a comment in a text is no template", not any("lie.yaml" in f[1] for f in found)
    yield "all was read", code == 1 and unread == []

    found, _, _, _ = c.check("web", "--values", "values,a.yaml", "--values", "privileged.yaml", "--namespace", "pay", "--release", "r1")
    privileged = [f for f in found if f[0] == "pss-privileged"]
    yield "values, release and namespace", len(privileged) == 1 and privileged[0][1] == "web/templates/web.yaml" and privileged[0][2].startswith("Pod pay/r1-web: ")
    found, _, _, _ = c.check("web", "--values", "privileged.yaml", "--set", "privileged=false,hosts={a,b}")
    yield "--set beats values", not any(f[0] == "pss-privileged" for f in found)
    found, _, _, _ = c.check("web", "--set", "image.tag=latest")
    yield "a tag from --set", any(f[0] == "k8s-image-tag" and f[1] == "web/templates/web.yaml" for f in found)

    _, unread, code, _ = c.check("web", "--kubernetes", "1.24")
    yield "helm is told the version of Kubernetes", code == 3 and any("incompatible" in u for u in unread)
    _, unread, code, _ = c.check("web", "--release=--debug")
    yield "a release that looks like an option", code == 3 and any("release name" in u for u in unread)
    _, unread, code, _ = c.check("web", "--set", "image=1,image.tag")
    yield "helm's complaint about a value", code == 3 and any("helm" in u for u in unread)
    _, unread, code, _ = c.check("broken")
    yield "helm's complaint about a template", code == 3 and any("broken/templates/a.yaml" in u for u in unread)
    _, unread, code, _ = c.check("lacks")
    yield "a chart whose charts are missing", code == 3 and any("missing in charts/" in u for u in unread)

    r = c.run(c.bulkhead, "netpol", "list", "web", "--set", "image.tag=3")
    yield "netpol reads charts", r.returncode == 0 and "release-name-web[Pod]" in r.stdout
    r = c.run(c.bulkhead, "paths", "web", "--release", "r2", "--to", "node", "--from", "workload:default/x")
    yield "paths takes the options", "--release" not in r.stderr
    r = c.run(c.bulkhead, "comply", "pod-security", "web", "--values", "privileged.yaml", "-f", "json")
    yield "comply does", "web/templates/web.yaml" in r.stdout and re.search(r"rendered line \d+", r.stdout)


def main():
    folder = find_helm()
    env = {k: v for k, v in os.environ.items() if not k.startswith("HELM_")}
    if folder:
        env["PATH"] = folder + os.pathsep + env["PATH"]
    with tempfile.TemporaryDirectory() as scratch:
        env.update(HOME=scratch, KUBECONFIG=os.path.join(scratch, "none"))
        for name, text in FILES.items():
            path = pathlib.Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        results = list(cases(Chart(sys.argv[1], scratch, env)))
    print(f"1..{len(results)}")
    for i, (name, ok) in enumerate(results, 1):
        print(f"{'ok' if ok else 'not ok'} {i} {name}")
    sys.exit(any(not ok for _, ok in results))


main()
