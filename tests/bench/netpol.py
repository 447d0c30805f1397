"""netpol.py: bulkhead netpol on clusters of several sizes: 2,000 workloads with 500 policies and more, beside the matcher of cyclonus."""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import peers

CLUSTERS = [(500, 200), (2000, 500), (10000, 1000)]
PER_NAMESPACE = 40
ASKED_PORT = 8001       # of the peer: one port of each pair, where a list tells all ports
PEER_PART = {500: 1, 2000: 20}  # it takes minutes for the larger ones: asked about each 20th source there, and its time taken 20 times


def namespaces(count):
    for i in range(count):
        yield f"{{apiVersion: v1, kind: Namespace, metadata: {{name: ns{i}, labels: {{team: t{i % 7}}}}}}}"


def workloads(count, spaces):
    for i in range(count):
        labels = f"{{app: a{i // spaces}, tier: x{i % 3}}}"
        yield (f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: w{i}, namespace: ns{i % spaces}}}, spec: {{template: {{metadata: {{labels: {labels}}}, "
               f"spec: {{containers: [{{name: c, image: i, ports: [{{name: web, containerPort: {8000 + i % 5}}}]}}]}}}}}}}}")


def policies(count, spaces):
    """Each namespace isolates all its pods; policies open single ways into and out of them."""
    draw = random.Random(1)
    for i in range(spaces):
        yield (f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: deny, namespace: ns{i}}}, "
               "spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}}")
    for i in range(count - spaces):
        a, b = (draw.randrange(PER_NAMESPACE) for _ in range(2))
        yield (f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p{i}, namespace: ns{i % spaces}}}, spec: {{podSelector: {{matchLabels: {{app: a{a}}}}}, "
               f"policyTypes: [Ingress, Egress], ingress: [{{from: [{{podSelector: {{matchLabels: {{app: a{b}}}}}}}, {{namespaceSelector: {{matchLabels: {{team: t{i % 7}}}}}, "
               f"podSelector: {{matchLabels: {{tier: x{i % 3}}}}}}}], ports: [{{port: {8000 + i % 50}}}, {{port: web}}]}}], "
               f"egress: [{{to: [{{namespaceSelector: {{}}}}], ports: [{{port: 8001}}]}}, {{to: [{{ipBlock: {{cidr: 10.{i % 200}.0.0/16}}}}]}}]}}}}")


def write(path, count, rules):
    spaces = count // PER_NAMESPACE
    path.write_text("\n---\n".join([*namespaces(spaces), *workloads(count, spaces), *policies(rules, spaces)]))


def timed(program, *arguments):
    """(seconds, lines) of one run."""
    began = time.perf_counter()
    done = subprocess.run([program, "netpol", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall = time.perf_counter() - began
    if done.returncode not in (0, 1):
        sys.exit(f"bench: netpol {arguments[0]} ended with {done.returncode}: {done.stderr.decode()[:300]}")
    return wall, done.stdout.count(b"\n")


def allowed(program, path):
    """Pairs of workloads that the list lets through on the port."""
    out = subprocess.run([program, "netpol", "list", "-f", "json", path], stdout=subprocess.PIPE, check=True).stdout
    pairs = set()
    for r in json.loads(out):
        ports = r["conn"].replace("TCP ", "").split(",")
        inside = any(int(first) <= ASKED_PORT <= int(last or first) for first, _, last in (p.partition("-") for p in ports if p[:1].isdigit()))
        if r["src"].endswith("[Deployment]") and r["dst"].endswith("[Deployment]") and (inside or r["conn"] == "All Connections"):
            pairs.add(r["src"].removesuffix("[Deployment]") + " => " + r["dst"].removesuffix("[Deployment]"))
    return pairs


def beside_cyclonus(program, cache, name, part, path, wall, row):
    try:
        peer = peers.go_program(cache, "netpol")
    except peers.Missing as e:
        print(f"netpol: cyclonus is missing: {e}", file=sys.stderr)
        return
    theirs = peers.Measured([peer, ASKED_PORT, part, path])
    asked = set(re.findall(r"kind: Deployment, metadata: \{name: (w\d+), namespace: (ns\d+)", path.read_text())[::part])
    expected = {p for p in allowed(program, path) if tuple(reversed(p.split(" ")[0].split("/"))) in asked}
    same = "same pairs" if set(theirs.out.splitlines()) == expected else "OTHER PAIRS"
    seconds = theirs.wall * part
    row(f"{name}: list", f"{wall:.2f} s", f"cyclonus {seconds:.1f} s", f"1/{seconds / wall:.0f}", same if part == 1 else f"{same} from each {part}th workload")


def netpol(program, cache, row):
    with tempfile.TemporaryDirectory() as folder:
        for count, rules in CLUSTERS:
            path = pathlib.Path(folder) / "all.yaml"
            write(path, count, rules)
            name = f"netpol, {count} workloads, {rules} policies"
            wall, pairs = timed(program, "list", path)
            explain, _ = timed(program, "explain", "ns0/w0", "ns1/w1", "80", path)
            row(f"{name}: list", f"{wall:.2f} s", f"{pairs} pairs", f"{pairs / wall / 1e6:.2f} M/s", "")
            row(f"{name}: explain", f"{explain:.2f} s", "", "", "")
            lint, found = timed(program, "lint", "-f", "csv", path)
            row(f"{name}: lint", f"{lint:.2f} s", f"{found - 1} findings", "", "")
            if count in PEER_PART:
                beside_cyclonus(program, cache, name, PEER_PART[count], path, wall, row)
