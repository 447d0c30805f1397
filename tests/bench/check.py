"""check.py: manifests against all built-in policies, beside the floor (the same files read by libyaml, and nothing asked about them), kube-score and checkov;
and Kubernetes' fixtures of the Pod Security Standards, beside the evaluator that is in the API server."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import peers

FILES, EACH = 1000, 100
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  namespace: team-{team}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: app-{n}}}
  template:
    metadata:
      labels: {{app: app-{n}}}
    spec:
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
      - name: c
        image: registry.example/app:{n}@sha256:{n:064x}
        ports: [{{containerPort: 8080}}]
        resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 128Mi}}}}
        securityContext: {{allowPrivilegeEscalation: {escalates}, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
"""


def write(folder, files):
    for f in range(files):
        texts = (MANIFEST.format(n=n, team=n % 50, escalates="true" if n % 10 == 0 else "false") for n in range(f * EACH, (f + 1) * EACH))
        (folder / f"{f}.yaml").write_text("---\n".join(texts))


def ours(program, folder):
    began = time.perf_counter()
    done = subprocess.run([program, "check", "-f", "csv", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall = time.perf_counter() - began
    found = done.stdout.count(b"\n") - 1
    if done.returncode != 1 or found == 0:
        sys.exit(f"bench: check ended with {done.returncode} and {found} findings: {done.stderr.decode()[:300]}")
    return wall, found


FLOOR = """
import pathlib, sys, time, yaml
began, n = time.perf_counter(), 0
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    with open(path, "rb") as stream:
        n += sum(1 for e in yaml.parse(stream, Loader=yaml.CLoader) if isinstance(e, yaml.DocumentStartEvent))
print(time.perf_counter() - began, n)
"""


def floor(folder):
    """In Debian's Python, whose PyYAML has libyaml."""
    seconds, n = subprocess.run(["/usr/bin/python3", "-c", FLOOR, folder], check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(n)


def files_for(cache, folder):
    """(name, command, objects) of others that check manifests, each with as many of ours as take it seconds."""
    def part(files):
        return [folder / f"{f}.yaml" for f in range(files)], files * EACH
    score = peers.go_command(cache, "github.com/zegl/kube-score/cmd/kube-score", "v1.20.0")
    some, n = part(100)
    yield "kube-score", [score, "score", "-o", "ci", *some], n
    checkov = peers.python(cache, "checkov", "3.3.30")
    some, n = part(10)
    yield "checkov", [checkov, checkov.parent / "checkov", "--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "-f", *some], n


def beside_others(cache, folder, wall, row):
    try:
        for name, command, n in files_for(cache, folder):
            theirs = peers.Measured(command, env=dict(os.environ, BC_SKIP_MAPPING="TRUE"))
            ours_each, theirs_each = wall / (FILES * EACH), theirs.wall / n
            row(f"check beside {name}, {n:,} objects", f"{ours_each * 1e6:.0f} us each", f"{name} {theirs_each * 1e6:,.0f} us", f"1/{theirs_each / ours_each:.1f}", "")
    except peers.Missing as e:
        print(f"check: a peer is missing: {e}", file=sys.stderr)


def check(program, cache, row):
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as made:
        folder = pathlib.Path(made)
        write(folder, FILES)
        beside, n = floor(folder)
        wall, found = ours(program, folder)
        row(f"check {n:,} objects, {found:,} findings", f"{wall:.1f} s", f"libyaml's events {beside:.1f} s", f"{wall / beside:.2f}x", "no budget")
        beside_others(cache, folder, wall, row)
    pod_security(program, cache, row)


# ---- Pod Security ----

def fixtures(cache, module):
    env = dict(os.environ, GOPATH=str(cache / "go"), GOFLAGS="-modcacherw")
    try:
        out = subprocess.run(["go", "mod", "download", "-json", module], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cache)
    except OSError as e:
        raise peers.Missing(f"go: {e.strerror}") from None
    if out.returncode:
        raise peers.Missing(f"{module}: {out.stdout.decode()[-300:]}")
    return pathlib.Path(json.loads(out.stdout)["Dir"]) / "test/testdata"


def our_pods(program, folders):
    """(seconds, pods, refused pods): one run for each level and version."""
    seconds, pods, refused = 0.0, 0, set()
    for folder in folders:
        command = [program, "check", "--no-hardening", "-f", "json", "--pod-security", folder.parent.name, "--kubernetes", folder.name[1:], folder]
        one = peers.Measured(command)
        seconds += one.wall
        pods += sum(1 for _ in folder.glob("*/*.yaml"))
        refused |= {f["paths"][0] for f in json.loads(one.out)["findings"]}
    return seconds, pods, len(refused)


def pod_security(program, cache, row):
    try:
        root = fixtures(cache, "k8s.io/pod-security-admission@v0.37.2")
    except peers.Missing as e:
        print(f"Pod Security: no fixtures: {e}", file=sys.stderr)
        return
    folders = sorted(root.glob("*/v1.*"))
    seconds, pods, refused = our_pods(program, folders)
    start = peers.Measured([program, "check", "--no-hardening", next(folders[-1].glob("pass/*.yaml"))]).wall
    row(f"Pod Security, {pods:,} files in {len(folders)} runs", f"{seconds:.1f} s", f"starts {len(folders) * start:.1f} s", "", f"{pods / seconds:,.0f} files/s")
    try:
        theirs = peers.Measured([peers.go_program(cache, "pod_security"), root])
    except peers.Missing as e:
        print(f"Pod Security: admission's evaluator is missing: {e}", file=sys.stderr)
        return
    same = "same verdicts" if theirs.out.split()[:3:2] == [str(pods), str(refused)] else f"OURS {refused}, PEER {theirs.out.strip()}"
    row("Pod Security: files per second", f"{pods / seconds:,.0f}/s", f"admission {pods / theirs.wall:,.0f}/s", f"{theirs.wall / seconds:.2f}x", same)
