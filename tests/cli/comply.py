#!/usr/bin/env python3
"""comply BULKHEAD: every check of every framework of `bulkhead comply` has an input that it finds wrong and one that it doesn't, and every control that points to it
says so: nodes of comply_node.py, the objects of tests/corpus/rules/, pods made here for the Pod Security Standards, reports of scans. Prints TAP."""
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import comply_docker
from comply_node import BREAKS, Node

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "tests/corpus/rules"
BULKHEAD = sys.argv[1]
IS_ROOT = os.geteuid() == 0

GOOD_POD = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": False, "hostUsers": False,
            "containers": [{"name": "a", "image": "registry.example/a:1@sha256:" + "0" * 64,
                            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True,
                                                "runAsGroup": 1000}}]}


def pod(change=None):
    spec = json.loads(json.dumps(GOOD_POD))
    if change:
        change(spec, spec["containers"][0], spec["containers"][0]["securityContext"])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": spec}


# What the Pod Security Standards forbid: https://kubernetes.io/docs/concepts/security/pod-security-standards/
PODS = {
    "pss-privileged": lambda s, c, x: x.update(privileged=True),
    "pss-host-namespaces": lambda s, c, x: s.update(hostNetwork=True),
    "pss-capabilities": lambda s, c, x: x["capabilities"].update(add=["SYS_ADMIN"]),
    "pss-host-path-volumes": lambda s, c, x: s.update(volumes=[{"name": "v", "hostPath": {"path": "/srv"}}]),
    "pss-host-ports": lambda s, c, x: c.update(ports=[{"containerPort": 80, "hostPort": 80}]),
    "pss-probe-hosts": lambda s, c, x: c.update(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
    "pss-app-armor": lambda s, c, x: x.update(appArmorProfile={"type": "Unconfined"}),
    "pss-selinux": lambda s, c, x: x.update(seLinuxOptions={"type": "spc_t"}),
    "pss-proc-mount": lambda s, c, x: x.update(procMount="Unmasked"),
    "pss-seccomp": lambda s, c, x: x.update(seccompProfile={"type": "Unconfined"}),
    "pss-sysctls": lambda s, c, x: s["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
    "pss-windows-host-process": lambda s, c, x: x.update(windowsOptions={"hostProcess": True}),
    "pss-volume-types": lambda s, c, x: s.update(volumes=[{"name": "v", "nfs": {"server": "a", "path": "/"}}]),
    "pss-privilege-escalation": lambda s, c, x: x.pop("allowPrivilegeEscalation"),
    "pss-run-as-non-root": lambda s, c, x: s["securityContext"].pop("runAsNonRoot"),
    "pss-run-as-user": lambda s, c, x: x.update(runAsUser=0),
    "pss-seccomp-set": lambda s, c, x: s["securityContext"].pop("seccompProfile"),
    "pss-capabilities-dropped": lambda s, c, x: x.pop("capabilities"),
}
# Only of a version of Kubernetes that pod-security's 1.34 is not.
NOT_HERE = {"pss-proc-mount-restricted"}

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "shop"},
          "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}


def daemon_set(name):
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"selector": {}, "template": {"metadata": {}, "spec": GOOD_POD}}}


ROLES = [
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "shop"},
     "rules": [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["c"], "verbs": ["get"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b", "namespace": "shop"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
     "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}]}]
GOOD_OBJECTS = [NAMESPACE, POLICY, daemon_set("calico-node"), pod(), *ROLES]
OBJECTS = {
    "objects-policy-mechanism": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}],
    "objects-network-plugin": [daemon_set("kube-flannel-ds")],
    "objects-network-policies": [pod()],
}


def report(findings, incomplete=()):
    return {"schema": "bulkhead.report/1", "target": {"reference": "web.tar"}, "findings": list(findings), "incomplete": list(incomplete)}


def finding(kind):
    return {"class": kind, "id": f"X-{kind}", "severity": "high", "state": "affected", "title": kind}


class Bench:
    def __init__(self, folder):
        self.folder, self.count, self.lines = pathlib.Path(folder), itertools.count(), []
        self.node = self.root(lambda node: None)

    def path(self, name):
        return self.folder / f"{next(self.count)}-{name}"

    def write(self, name, documents):
        path = self.path(name)
        path.write_text("\n---\n".join(d if isinstance(d, str) else json.dumps(d) for d in documents))
        return path

    def root(self, change):
        node, path = Node(), self.path("root")
        change(node)
        path.mkdir()
        node.write(path)
        return path

    def run(self, framework, *arguments):
        r = subprocess.run([BULKHEAD, "comply", framework, "-f", "json", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if r.returncode not in (0, 1, 3):
            return {"": {"verdict": r.stderr.decode(), "reasons": []}}
        return {c["id"]: c for c in json.loads(r.stdout)["controls"]}

    def say(self, wrong, text):
        self.lines.append(f"{'not ok' if wrong else 'ok'} {len(self.lines) + 1} {text}")
        if wrong:
            self.lines[-1] += "\n# " + str(wrong).replace("\n", "\n# ")


def tables():
    """framework -> {control: (how, checks)}, from data/comply."""
    found = {}
    for path in sorted((ROOT / "data/comply").glob("*.tsv")):
        rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")][1:]
        found[path.stem] = {r[0]: (r[2], r[3].split()) for r in rows}
    return found


def documents(check, kind):
    """The objects of a policy's fixtures."""
    texts = []
    for path in sorted(RULES.glob("*.yaml")):
        rule = (ROOT / "rules/kubernetes" / path.name).read_text()
        if re.search(r"bulkhead.io/check: (\S+)", rule).group(1) == check:
            texts += [t for t in re.split(r"^---\n", path.read_text(), flags=re.M) if re.search(rf"\b{kind}-\d+", t)]
    return texts


def good_arguments(bench, check):
    """What the check finds nothing wrong with."""
    if check.startswith("pss-"):
        return [bench.write("good.json", GOOD_OBJECTS)]
    if check.startswith("objects-"):
        return [bench.write("good.json", GOOD_OBJECTS)]
    if check.startswith("class:"):
        return ["--report", bench.write("report.json", [report([])])]
    if check in BREAKS:
        return ["--root", bench.node]
    if check in comply_docker.BAD:
        return [bench.write("good.json", comply_docker.good(check))]
    return [bench.write("good.yaml", documents(check, "good"))]


def bad_arguments(bench, check):
    """Inputs with which the check finds something wrong, one by one."""
    if check in PODS:
        yield [bench.write("bad.json", [pod(PODS[check])])]
    elif check in OBJECTS:
        yield [bench.write("bad.json", OBJECTS[check])]
    elif check.startswith("class:"):
        yield ["--report", bench.write("report.json", [report([finding(check.split(":")[1])])])]
    elif check in BREAKS:
        for change in BREAKS[check]:
            yield ["--root", bench.root(change)]
    elif check in comply_docker.BAD:
        for documents_ in comply_docker.BAD[check]:
            yield [bench.write("bad.json", documents_)]
    else:
        yield [bench.write("bad.yaml", documents(check, "bad"))]


def verdict_of_check(result, check):
    """What the reasons of a control say about one check."""
    said = [r["verdict"] for r in result["reasons"] if r.get("check") == check]
    return "fail" if "fail" in said else said[0] if said else "nothing"


# How many controls each version has; of the CIS benchmark by section. From the frameworks themselves.
PINNED = {"attack-containers-18": 48, "cis-docker-1.6": 117, "cis-kubernetes-1.12": 131, "containerd-1": 38, "podman-1": 98, "nist-800-190-2017": 24, "nsa-kubernetes-1.2": 34, "owasp-docker-2018": 10,
          "owasp-kubernetes-2025": 10, "pci-containers-2022": 16, "pod-security-1.34": 19}
CIS_SECTIONS = {"1.1": 21, "1.2": 30, "1.3": 7, "1.4": 2, "2": 7, "3.1": 3, "3.2": 2, "4.1": 10, "4.2": 14, "4.3": 1, "5.1": 13, "5.2": 12, "5.3": 2, "5.4": 2,
                "5.5": 1, "5.6": 4}


def test_ids(frameworks):
    counts = {name: len(controls) for name, controls in frameworks.items()}
    sections = {}
    for control in frameworks["cis-kubernetes-1.12"]:
        section, number = control.rsplit(".", 1)
        sections.setdefault(section, []).append(int(number))
    gaps = [s for s, numbers in sections.items() if numbers != list(range(1, len(numbers) + 1))]
    found = {s: len(numbers) for s, numbers in sections.items()}
    return "" if counts == PINNED and found == CIS_SECTIONS and not gaps else f"{counts} {found} {gaps}"


# What a scan's report can't tell: whether secrets and the like were looked for.
NOT_ALWAYS_ASKED = {"class:secret", "class:misconfiguration", "class:malware", "class:license"}


def by_framework(users):
    found = {}
    for framework, control in users:
        found.setdefault(framework, []).append(control)
    return found.items()


def test_check(bench, check, users, broken):
    """Every control that has the check must fail with each bad input, and not for this check with the good one."""
    good, wanted = good_arguments(bench, check), "unchecked" if check in NOT_ALWAYS_ASKED else "pass"
    for number, (framework, controls) in enumerate(by_framework(users)):
        for arguments, verdict in [(good, wanted)] + [(a, "fail") for a in (broken[:1] if number else broken)]:
            result = bench.run(framework, "--control", ",".join(controls), *arguments)
            for control in controls:
                said = result.get(control, {"verdict": "missing", "reasons": []})
                if verdict_of_check(said, check) != verdict or (verdict == "fail" and said["verdict"] != "fail"):
                    return f"{framework} {control}, wanted {verdict}, {arguments}: {json.dumps(said)[:500]}"
    return None


def test_whole(bench, framework, controls):
    """With everything right no control fails, those that are decided pass, the others wait for somebody."""
    skip_owner = lambda checks: not IS_ROOT and any(c.endswith("-owner") for c in checks)
    result = bench.run(framework, "--root", bench.node, "--report", bench.write("report.json", [report([])]), bench.write("all.yaml", GOOD_OBJECTS + comply_docker.host()))
    wrong = []
    for control, (how, checks) in controls.items():
        said = result.get(control, {}).get("verdict", "missing")
        allowed = {"manual"} if how != "decided" else {"pass", "not-applicable"}
        if any(c in NOT_ALWAYS_ASKED for c in checks):
            allowed |= {"unchecked"}
        if not skip_owner(checks) and said not in allowed:
            wrong.append(f"{control}: {said} {json.dumps([r for r in result[control]['reasons'] if r['verdict'] != 'pass'][:2]) if control in result else ''}")
    return "\n".join(wrong)


def main():
    frameworks = tables()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        bench, users, work = Bench(folder), {}, {}
        for framework, controls in frameworks.items():
            for control, (_, checks) in controls.items():
                for check in checks:
                    users.setdefault(check, []).append((framework, control))
        for check in sorted(users):
            if check in NOT_HERE:  # of another version than the frameworks'; cli-rules has its objects
                continue
            if check.endswith("-owner") and not IS_ROOT:
                bench.lines.append(f"ok {len(bench.lines) + 1} {check} # SKIP only root gives files away")
                continue
            work[check] = pool.submit(lambda c=check: test_check(bench, c, users[c], list(bad_arguments(bench, c))))
        for check, answer in work.items():
            bench.say(answer.result(), check)
        bench.say(test_ids(frameworks), "the ids of each version")
        for framework, controls in frameworks.items():
            bench.say(test_whole(bench, framework, controls), f"{framework}: everything right")
    print(f"1..{len(bench.lines)}")
    print("\n".join(bench.lines))


main()
