#!/usr/bin/env python3
"""api_server BULKHEAD: the same policies, roles and objects at Kubernetes' own API server and here.

- Every policy of rules/kubernetes/ is stored by the server, and denies what `bulkhead check` objects to, no more and no less: the fixtures of tests/corpus/rules.
- deploy/kubernetes/reader.yaml suffices for cluster:, and what is said of the cluster is what is said of its objects in a file.
Output: TAP. Exit code 77: no etcd, no go command, or no module.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from kubernetes_common import cluster, settle
from sources_common import Tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
BULKHEAD = os.path.abspath(sys.argv[1])
RULES, FIXTURES = ROOT / "rules/kubernetes", ROOT / "tests/corpus/rules"
LABEL = "test.bulkhead.io/rule"
MINOR = 37
tap = Tap()


def covers(policy):
    """Is it for the server's version?"""
    text = policy["metadata"].get("annotations", {}).get("bulkhead.io/kubernetes", "")
    first, _, last = text.partition("-")
    return (not first or MINOR >= int(first[2:])) and ("-" not in text and text in ("", f"1.{MINOR}") or "-" in text and (not last or MINOR <= int(last[2:])))


def binding(policy):
    """For objects with a label of their own, so that each policy is asked alone."""
    name = policy["metadata"]["name"]
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"objectSelector": {"matchLabels": {LABEL: name}}}}}


def ours(name):
    """{name of a fixture: is it objected to}"""
    path = FIXTURES / f"{name}.yaml"
    r = subprocess.run([BULKHEAD, "check", "--pod-security", "none", "--no-schema", "--no-hardening", "--fail-on", "never", "-f", "json", "-p", RULES / f"{name}.yaml",
                        path], stdout=subprocess.PIPE, text=True)
    lines = sorted(f["line"] for f in json.loads(r.stdout)["findings"])
    answer, start = {}, 1
    text = path.read_text().split("\n")
    for number, line in enumerate(text + ["---"], 1):
        if line == "---":
            fixture = re.search(r"\b(bad|good)-\d+", "\n".join(text[start - 1:number - 1])).group()
            answer[fixture] = any(start <= n < number for n in lines)
            start = number + 1
    return answer


def labelled(o, name):
    o = json.loads(json.dumps(o, default=str))
    o["metadata"].setdefault("labels", {})[LABEL] = name
    return o


def ask(c, o):
    """True: denied by a policy; False: accepted; None: the server takes no such object, whatever policies say."""
    namespace = o["metadata"].get("namespace", "default")
    c.namespace(namespace)
    if o["kind"] == "Pod" and "serviceAccountName" in o["spec"]:
        c.account(namespace, o["spec"]["serviceAccountName"])
    a = c.create(o, dry_run=True)
    if a.code == 409:
        a = c.replace(o, dry_run=True)
    if "ValidatingAdmissionPolicy" in a.message and "denied request" in a.message:
        return True
    return False if a.code == 201 else None


def rules(c):
    policies = [d for p in sorted(RULES.glob("*.yaml")) for d in yaml.safe_load_all(p.read_text())]
    refused = [f"{p['metadata']['name']}: {a.message[:200]}" for p in policies if (a := c.create(p)).code != 201]
    tap.check(f"the server stores all {len(policies)} policies", not refused and len(policies) > 100, "\n".join(refused))
    asked = [p for p in policies if p["kind"] == "ValidatingAdmissionPolicy" and covers(p) and (FIXTURES / f"{p['metadata']['name']}.yaml").exists()]
    for p in asked:
        c.create(binding(p))
    total = left_out = 0
    for p in asked:
        name = p["metadata"]["name"]
        fixtures = [labelled(o, name) for o in yaml.safe_load_all((FIXTURES / f"{name}.yaml").read_text())]
        theirs = {}
        bad = [o for o in fixtures if re.search(r"bad-\d+", json.dumps(o))]
        settle(lambda: any(ask(c, o) for o in bad) or all(ask(c, o) is None for o in bad))
        for o in fixtures:
            theirs[re.search(r"\b(bad|good)-\d+", json.dumps(o)).group()] = ask(c, o)
        known = {f: v for f, v in theirs.items() if v is not None}
        total, left_out = total + len(known), left_out + len(theirs) - len(known)
        mine = ours(name)
        wrong = {f: (v, mine[f]) for f, v in known.items() if v != mine[f]}
        tap.check(f"{name}: the server denies what check objects to ({len(known)} of {len(theirs)} objects)", not wrong, f"(server, check): {wrong}")
    tap.check(f"the server was asked about most fixtures: {total}, {left_out} it would not take anyway", total >= 110 and total > 4 * left_out, f"{total} {left_out}")


def documents(path):
    return [d for d in yaml.safe_load_all(path.read_text()) if d]


def bulkhead(*args, kubeconfig=None):
    env = dict(os.environ, HOME="/nonexistent", LC_ALL="C.UTF-8", **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}))
    return subprocess.run([BULKHEAD, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, timeout=120)


def lists():
    """kubectl's names of what src/kube/live.def asks for."""
    rows = re.findall(r'^LIST\("(.*?)", "(.*?)"', (ROOT / "src/kube/live.def").read_text(), re.M)
    return [f"{name}.{group}" if group else name for group, name in rows]


def dump(c, path):
    """All that is there, by kubectl."""
    items = []
    for name in lists():
        r = subprocess.run(["kubectl", "--kubeconfig", c.kubeconfig(), "get", "-A", "-o", "json", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if r.returncode == 0:
            items += json.loads(r.stdout)["items"]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return len(items)


def findings(r):
    """What was found about which object, whatever the place is called."""
    report = json.loads(r.stdout)
    return sorted((f["id"], re.sub(r"items\[\d+\]\.", "", f["evidence"])) for f in report["findings"]), report["incomplete"]


def own_roles(c):
    """What every server makes is nobody's fault; what is made of it is."""
    kubeconfig = c.kubeconfig()

    def found(command):
        return sorted((f["id"], f["evidence"]) for f in json.loads(bulkhead(*command, "-f", "json", "cluster:", kubeconfig=kubeconfig).stdout)["findings"]
                      if f["id"].startswith("rbac-"))
    tap.check("check says nothing of the server's own roles and bindings", found(["check"]) == [], found(["check"]))
    tap.check("rbac risks says nothing of them", found(["rbac", "risks"]) == [], found(["rbac", "risks"]))
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    system = c.request("GET", roles + "/system:node-problem-detector").body
    system["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})
    c.request("PUT", roles + "/system:node-problem-detector", system)
    c.request("POST", roles, {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
                              "metadata": {"name": "system:mine", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}})
    told = " ".join(e for _, e in found(["check"]))
    tap.check("... but of one that was widened, and of one that only calls itself so", "system:node-problem-detector" in told and "system:mine" in told, told)


def live(c):
    objects = documents(ROOT / "tests/cluster/golden.yaml") + documents(ROOT / "deploy/kubernetes/reader.yaml")
    refused = [f"{o['kind']} {o['metadata']['name']}: {a.message[:200]}" for o in objects if (a := c.create(o)).code not in (201, 409)]
    tap.check(f"the server stores the golden cluster and our role: {len(objects)} objects", not refused, "\n".join(refused))
    token = c.token("bulkhead", "bulkhead-reader")
    for path in ("/api/v1/secrets", "/api/v1/namespaces/ci/secrets/deployer-token", "/api/v1/namespaces/shop/pods/x/log"):
        tap.check(f"our role may not read {path}", c.request("GET", path, token=token).code == 403)
    pod = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}}
    tap.check("our role may not write", c.create(pod, token=token).code == 403)
    kubeconfig, file = c.kubeconfig(token), c.folder / "dump.json"
    n = dump(c, file)
    tap.check(f"kubectl dumps it: {n} objects", n > 100, n)
    r = bulkhead("check", "--fail-on", "never", "-f", "json", "cluster:", kubeconfig=kubeconfig)
    ours, incomplete = findings(r)
    wanted, _ = findings(bulkhead("check", "--fail-on", "never", "-f", "json", file))
    tap.check("nothing was refused to us", not incomplete, str(incomplete)[:1000])
    tap.check(f"check: {len(ours)} findings, the same of the cluster and of the dump", ours == wanted and len(ours) > 10, str(set(ours) ^ set(wanted))[:1500])
    r = bulkhead("rbac", "diff", "-f", "json", file, "cluster:", kubeconfig=kubeconfig)
    tap.check("rbac diff: the cluster has the rights of the dump", r.returncode == 0 and json.loads(r.stdout) == [], r.stdout[:800] + r.stderr)
    for args in (["netpol", "list", "-f", "json"], ["paths", "-f", "json", "--blast"], ["rbac", "who-can", "-f", "json", "get", "secrets", "-n", "ci"]):
        a, b = bulkhead(*args, "cluster:", kubeconfig=kubeconfig), bulkhead(*args, file)
        tap.check(f"{args[0]} {args[1] if args[1][0] != '-' else ''}: the same of the cluster and of the dump", strip(a) == strip(b) and a.stdout.count("{") > 1,
                  f"{a.stdout[:600]}\n{b.stdout[:600]}\n{a.stderr}")


def strip(r):
    """Rows without places."""
    return [{k: v for k, v in row.items() if k not in ("where", "place", "places")} for row in json.loads(r.stdout)]


def main():
    with cluster() as c:
        rules(c)
    with cluster() as c:
        own_roles(c)
    with cluster() as c:
        live(c)
    tap.end()


if __name__ == "__main__":
    main()
