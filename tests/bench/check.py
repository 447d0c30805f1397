"""check.py: manifests against all built-in policies, beside the floor: the same files read by libyaml, and nothing asked about them."""
import pathlib
import subprocess
import sys
import tempfile
import time

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


def check(program, row):
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as made:
        folder = pathlib.Path(made)
        write(folder, FILES)
        beside, n = floor(folder)
        wall, found = ours(program, folder)
        row(f"check {n:,} objects, {found:,} findings", f"{wall:.1f} s", f"libyaml's events {beside:.1f} s", f"{wall / beside:.2f}x", "no budget")
