"""paths.py: attack paths of a made-up cluster: 10,000 workloads of 200 teams, with policies, roles, and ways to the top. The rules alone stand beside clingo's
grounder, which follows the same facts by the same rules (and keeps no proofs); both must end with as many facts."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import peers

TEAMS, EACH = 200, 50
WORKLOAD = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: w{i}, namespace: t{t}}}
spec:
  selector: {{matchLabels: {{app: w{i}}}}}
  template:
    metadata: {{labels: {{app: w{i}, tier: {tier}}}}}
    spec:
      serviceAccountName: s{account}
      automountServiceAccountToken: {mounts}
      containers:
      - {{name: c, image: "registry.example/t{t}/w{i}:1", ports: [{{containerPort: 8080}}]{extra}}}
"""
TEAM = """apiVersion: v1
kind: Namespace
metadata: {{name: t{t}, labels: {{kubernetes.io/metadata.name: t{t}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: own, namespace: t{t}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{}}}}, {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: t{before}}}}}}}]}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: front, namespace: t{t}}}
spec: {{podSelector: {{matchLabels: {{app: w0}}}}, ingress: [{{ports: [{{port: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: front, namespace: t{t}}}
spec: {{type: {type}, selector: {{app: w0}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: edit, namespace: t{t}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: [{{kind: ServiceAccount, name: s1, namespace: t{t}}}]
"""
ROLES = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reads}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deploys}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [create, patch]}]
"""


def write(folder):
    (folder / "roles.yaml").write_text(ROLES)
    for t in range(TEAMS):
        parts = [TEAM.format(t=t, before=(t - 1) % TEAMS, type="LoadBalancer" if t % 20 == 0 else "ClusterIP", role="deploys" if t % 7 == 0 else "reads")]
        for i in range(EACH):
            extra = ", securityContext: {privileged: true}" if i == 49 and t % 50 == 0 else ""
            parts.append(WORKLOAD.format(t=t, i=i, tier="front" if i < 5 else "back", account=i % 3, mounts="true" if i % 3 else "false", extra=extra))
        (folder / f"t{t}.yaml").write_text("---\n".join(parts))


GROUND = """
import clingo, sys, time
control = clingo.Control(["--warn=none"])
text = sys.stdin.read()
began = time.perf_counter()
control.add("base", [], text)
control.ground([("base", [])])
print(time.perf_counter() - began, len(control.symbolic_atoms))
"""


def as_clingo(text):
    """Rules and facts of bench_paths as clingo writes them: what is no variable, in quotes."""
    def term(word):
        return word if word[0].isupper() else json.dumps(word, ensure_ascii=False)
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "rule":
            yield re.sub(r"\(([^)]*)\)", lambda m: "(" + ", ".join(map(term, m[1].split(", "))) + ")", rest) + "."
        elif kind == "fact":
            predicate, *arguments = rest.split("\t")
            yield f"{predicate}({', '.join(json.dumps(a, ensure_ascii=False) for a in arguments)})."


def rules_alone(root, cache, folder, row):
    every = folder / "all.yaml"
    every.write_text("\n---\n".join(p.read_text() for p in sorted(folder.glob("*.yaml")) if p != every))
    ours = peers.Measured([root / "build/tests/bench/bench_paths", every])
    every.unlink()
    n, ns = ours.out.splitlines()[-1].split()[1:]
    seconds = float(ns) / 1e9
    name = f"paths: the rules alone, {int(n):,} facts"
    try:
        python = peers.python(cache, "clingo", "5.8.3")
    except peers.Missing as e:
        print(f"paths: clingo is missing: {e}", file=sys.stderr)
        row(name, f"{seconds:.2f} s", "", "", "")
        return
    done = subprocess.run([python, "-c", GROUND], input="\n".join(as_clingo(ours.out)), stdout=subprocess.PIPE, check=True, text=True)
    theirs, facts = done.stdout.split()
    same = "same facts" if facts == n else f"PEER: {facts} FACTS"
    row(name, f"{seconds:.2f} s", f"clingo {float(theirs):.2f} s", f"1/{float(theirs) / seconds:.1f}", same)


def paths(program, root, cache, row):
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as made:
        folder = pathlib.Path(made)
        write(folder)
        began = time.perf_counter()
        listed = subprocess.run([program, "rbac", "who-can", "get", "secrets", folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        beside = time.perf_counter() - began
        began = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-f", "%M", program, "paths", "-f", "json", "--ways", "1", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wall = time.perf_counter() - began
        if done.returncode != 1 or listed.returncode not in (0, 3):
            sys.exit(f"bench: paths ended with {done.returncode}: {done.stderr.decode()[:300]}")
        targets = [r for r in json.loads(done.stdout) if r["row"] == "target"]
        reached = sum(t["reached"] == "yes" for t in targets)
        mib = int(done.stderr.split()[-1]) // 1024
        row(f"paths: {TEAMS * EACH:,} workloads, {reached} of {len(targets)} reached", f"{wall:.1f} s", f"reading the files {beside:.1f} s", f"{wall / beside:.2f}x", f"{mib} MiB")
        rules_alone(root, cache, folder, row)
