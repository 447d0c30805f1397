#!/usr/bin/env python3
"""paths: the ways through a small cluster, written down by hand, and what closes them.

usage: paths.py BULKHEAD GOLDEN_YAML

Every way that the program claims is looked at with the other commands (who may connect: netpol, who may do what: rbac), every cut is closed twice: as
a fact taken away (--without), and in the manifests themselves. Output: TAP.
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
from sources_common import Tap  # noqa: E402

BULKHEAD, GOLDEN = sys.argv[1], sys.argv[2]
top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-paths-"))
tap = Tap()
DOCUMENTS = [d for d in yaml.safe_load_all(pathlib.Path(GOLDEN).read_text()) if d]


def run(*args, stdin=None):
    return subprocess.run([BULKHEAD, *map(str, args)], capture_output=True, text=True, input=stdin, timeout=120)


def write(documents, name="changed.yaml"):
    path = top / name
    path.write_text(yaml.safe_dump_all(documents))
    return path


def ask(*args, path=GOLDEN):
    """(exit code, {target: {reached, ways: {n: [steps]}, rests: {n: [...]}, cuts: {n: [...]}}}, notes)"""
    r = run("paths", "-f", "json", *args, path)
    found, notes, now = {}, [], None
    for row in json.loads(r.stdout) if r.stdout.startswith("[") else []:
        kind = row["row"]
        if kind == "note":
            notes.append(row["text"])
        elif kind == "target":
            now = found[row["to"]] = {"reached": row["reached"] == "yes", "ways": {}, "rests": {}, "cuts": {}}
        elif kind == "blast":
            found[row["workload"]] = row
        else:
            now[{"step": "ways", "rest": "rests", "cut": "cuts"}[kind]].setdefault(row["cut" if kind == "cut" else "way"], []).append(row)
    return r.returncode, found, notes, r.stderr


def rules(way):
    return [s["rule"] for s in way]


def find(documents, kind, name):
    return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)


def changed(*edits):
    """The golden cluster after edits: (kind, name, function)."""
    documents = copy.deepcopy(DOCUMENTS)
    for kind, name, edit in edits:
        edit(find(documents, kind, name))
    return write(documents)


def pod(d):
    return d["spec"]["template"]["spec"]


# ---- the ways ----
code, found, notes, _ = ask("--to", "cluster-admin", "--ways", "20")
admin = found["cluster-admin"]
tap.check("the internet reaches cluster-admin", code == 1 and admin["reached"])
want = ["exploit-exposed", "connect", "exploit", "steal-token", "may-read-secrets", "read-secret", "token-in-secret", "everywhere-everything"]
tap.check("... by the one way that there is", [rules(w) for w in admin["ways"].values()] == [want], str([rules(w) for w in admin["ways"].values()]))
techniques = [s["technique"] for s in admin["ways"]["1"]]
tap.check("each step has its technique", techniques == ["T1190", "T1046", "T1210", "T1528", "T1552.007", "T1552.007", "T1528", "T1078"], str(techniques))
tap.check("steps name the file and the line", "golden.yaml:43" in admin["ways"]["1"][3]["places"] and "golden.yaml:61" in admin["ways"]["1"][4]["places"],
          str(admin["ways"]["1"][3]))
tap.check("what was assumed is said", any("no reports of images" in n for n in notes) and any("not considered" in n for n in notes), str(notes))

# ---- are the steps true? ----
pairs = run("netpol", "list", GOLDEN).stdout
tap.check("web may connect to api, says netpol", "shop/web[Deployment] => shop/api[Deployment] : TCP 9000" in pairs, pairs)
tap.check("web may not connect to builder or db, says netpol", "shop/web[Deployment] => ci/builder" not in pairs and "shop/web[Deployment] => data/db" not in pairs, pairs)
may = run("rbac", "can", "--verb", "get", "--resource", "secrets", "-n", "ci", "sa:shop/api", GOLDEN)
tap.check("api may read the secrets of ci, says rbac", may.returncode == 0, may.stdout + may.stderr)
may = run("rbac", "can", "--verb", "get", "--resource", "secrets", "-n", "data", "sa:shop/api", GOLDEN)
tap.check("... and not those of data", may.returncode == 1, may.stdout + may.stderr)
may = run("rbac", "can", "--verb", "*", "--resource", "*.*", "sa:ci/deployer", GOLDEN)
tap.check("deployer may do everything, says rbac", may.returncode == 0, may.stdout + may.stderr)

# ---- the cuts ----
cuts = {tuple(sorted(c["fact"] for c in cut)) for cut in admin["cuts"].values()}
BY_HAND = {("exposed shop/web",), ("exploitable shop/web",), ("link shop/web shop/api",), ("exploitable shop/api",), ("token shop/api shop/api",),
           ("may shop/api read-secrets ci",), ("may_everywhere ci/deployer everything",)}
tap.check("the cuts are those found by hand", cuts == BY_HAND, str(cuts ^ BY_HAND))
for target in ("cluster-admin", "node", "cloud", "secret:shop/db-password", "workload:ci/builder"):
    code, found, _, err = ask("--to", target, "--ways", "20")
    for name, t in found.items():
        for number, cut in t["cuts"].items():
            without = [a for c in cut for a in ("--without", c["fact"])]
            code, after, _, err = ask("--to", name, *without)
            tap.check(f"{name}: cut {number} closes it: {' and '.join(c['fact'] for c in cut)[:90]}", code == 0 and not after[name]["reached"], f"{code} {err}")
            for c in cut if len(cut) > 1 else []:
                code, after, _, err = ask("--to", name, *[a for other in cut if other is not c for a in ("--without", other["fact"])])
                tap.check(f"{name}: cut {number} needs {c['fact'][:60]}", after[name]["reached"], err)


def drop_policy_rule(d):
    d["spec"]["ingress"] = [{"from": [{"podSelector": {"matchLabels": {"app": "nobody"}}}]}]


V4 = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
for name, to, reached in (("IPv4's is left out, IPv6 is open", [V4, {"ipBlock": {"cidr": "::/0"}}], True), ("one of IPv6 is left out", [V4, {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}}], True),
                          ("local addresses of IPv6 are left out", [V4, {"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}}], False), ("IPv4's is left out", [V4], False)):
    documents = write([d for d in copy.deepcopy(DOCUMENTS) if d["metadata"]["name"] != "api" or d["kind"] != "NetworkPolicy"] + [
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": f"out-{n}", "namespace": n}, "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": to}]}}
        for n in ("shop", "ci", "data")])
    code, found, _, err = ask("--from", "shop/web", "--to", "cloud", path=documents)
    tap.check(f"the metadata service: {name}: {'reached' if reached else 'not reached'}", found["cloud"]["reached"] is reached and (not reached or "fd" in str(found["cloud"]["ways"]["1"][-1]["places"])),
              f"{code} {err} {found}")

REMEDIES = {
    "close the service": ("Service", "web", lambda d: d["spec"].update(type="ClusterIP")),
    "no NetworkPolicy for web's way to api": ("NetworkPolicy", "api", drop_policy_rule),
    "no token for api": ("Deployment", "api", lambda d: pod(d).update(automountServiceAccountToken=False)),
    "another service account for api": ("Deployment", "api", lambda d: pod(d).update(serviceAccountName="default")),
    "a narrower role for api": ("Role", "secret-reader", lambda d: d["rules"][0].update(resources=["configmaps"])),
    "a narrower role for deployer": ("ClusterRole", "all", lambda d: d["rules"][0].update(verbs=["get"], resources=["pods"])),
    "another type of secret": ("Secret", "deployer-token", lambda d: d.update(type="Opaque")),
}
for name, edit in REMEDIES.items():
    code, found, _, err = ask("--to", "cluster-admin", path=changed(edit))
    tap.check(f"in the manifests: {name}", code == 0 and not found["cluster-admin"]["reached"], f"{code} {err}")
for name, edit in {"a label on ci": ("Namespace", "ci", lambda d: d["metadata"].update(labels={"pod-security.kubernetes.io/enforce": "restricted"})),
                   "another password": ("Deployment", "api", lambda d: pod(d)["containers"][0].pop("env"))}.items():
    code, found, _, err = ask("--to", "cluster-admin", path=changed(edit))
    tap.check(f"in the manifests, what does not help: {name}", code == 1 and found["cluster-admin"]["reached"], f"{code} {err}")

# ---- other starts and targets ----
code, found, _, _ = ask("--from", "data/db")
tap.check("db leads nowhere", code == 0 and not any(t["reached"] for t in found.values()), str(found)[:300])
code, found, _, _ = ask("--from", "ci/builder", "--to", "node", "--ways", "1")
tap.check("builder takes over a node by the runtime's socket", code == 1 and rules(found["node:a node"]["ways"]["1"]) == ["begin", "escape"], str(found)[:300])
code, found, _, _ = ask("--from", "sa:ci/deployer", "--to", "cluster-admin")
tap.check("a service account as the start", rules(found["cluster-admin"]["ways"]["1"]) == ["begin-identity", "everywhere-everything"], str(found)[:300])
binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "ops"}, "subjects": [
    {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ops"}], "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "all"}}
code, found, _, _ = ask("--from", "group:ops", "--to", "cluster-admin", path=write(DOCUMENTS + [binding]))
tap.check("a group as the start", found["cluster-admin"]["reached"], str(found)[:300])
code, found, _, _ = ask("--from", "user:nobody", "--to", "cluster-admin")
tap.check("a user without rights", code == 0 and not found["cluster-admin"]["reached"], str(found)[:300])
code, found, _, _ = ask("--to", "secret:shop/db-password", "--to", "secret:data/none")
tap.check("a secret that a pod gets, and one that is not there", code == 1 and found["secret:shop/db-password"]["reached"] and not found["secret:data/none"]["reached"])
mounted = found["secret:shop/db-password"]["ways"]["1"]
tap.check("... is read where it is used", rules(mounted) == ["exploit-exposed", "connect", "exploit", "read-mounted-secret"], str(rules(mounted)))

# ---- rights of many kinds ----
ROLES = {
    "create-workloads": ([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}], "may-create-workloads"),
    "run-commands": ([{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}], "may-run-commands"),
    "use-kubelets": ([{"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]}], "use-kubelets"),
    "request-tokens": ([{"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}], "may-request-tokens"),
    "impersonate": ([{"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}], "impersonate"),
    "escalate": ([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["escalate", "update"]}], "everywhere-escalate"),
    "bind": ([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles", "clusterrolebindings"], "verbs": ["bind", "create"]}], "everywhere-escalate"),
    "approve-certificates": ([{"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests/approval"], "verbs": ["update"]},
                              {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}], "approve-certificates"),
    "write-webhooks": ([{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"], "verbs": ["create"]}], "write-webhooks"),
}
for name, (role, rule) in ROLES.items():
    extra = [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": role},
             dict(binding, metadata={"name": name}, roleRef=dict(binding["roleRef"], name=name), subjects=[{"kind": "ServiceAccount", "namespace": "shop", "name": "bot"}]),
             {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": "shop"}}]
    code, found, _, err = ask("--from", "sa:shop/bot", "--to", "cluster-admin", path=write(DOCUMENTS + extra))
    ways = found.get("cluster-admin", {}).get("ways", {})
    tap.check(f"the right to {name} leads to cluster-admin", any(rule in rules(w) for w in ways.values()), f"{code} {err} {[rules(w) for w in ways.values()]}")
narrow = [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "half"}, "rules": [
    {"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests/approval"], "verbs": ["update"]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}, {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"]}]},
    dict(binding, metadata={"name": "half"}, roleRef=dict(binding["roleRef"], name="half"), subjects=[{"kind": "ServiceAccount", "namespace": "shop", "name": "bot"}]),
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": "shop"}}]
code, found, _, err = ask("--from", "sa:shop/bot", "--to", "cluster-admin", path=write(DOCUMENTS + narrow))
tap.check("halves of rights lead nowhere", code == 0, f"{code} {err} {found}")


# ---- ways out of a container ----
def container(**more):
    return lambda d: pod(d)["containers"][0].update(more)


def mount(path, read_only=False, **more):
    def edit(d):
        pod(d).update(volumes=[{"name": "h", "hostPath": {"path": path}}], **more)
        pod(d)["containers"][0]["volumeMounts"] = [{"name": "h", "mountPath": "/h", "readOnly": read_only}]
    return edit


OUT = {
    "privileged": (container(securityContext={"privileged": True}), True),
    "SYS_ADMIN": (container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}), True),
    "CAP_SYS_MODULE": (container(securityContext={"capabilities": {"add": ["CAP_SYS_MODULE"]}}), True),
    "NET_ADMIN": (container(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}), False),
    "SYS_PTRACE alone": (container(securityContext={"capabilities": {"add": ["SYS_PTRACE"]}}), False),
    "SYS_PTRACE with the node's processes": (lambda d: (pod(d).update(hostPID=True), container(securityContext={"capabilities": {"add": ["SYS_PTRACE"]}})(d)), True),
    "containerd's socket": (mount("/run/containerd/containerd.sock"), True),
    "the folder of sockets": (mount("/var/run"), True),
    "the root of the node": (mount("/"), True),
    "/etc, read only": (mount("/etc", read_only=True), True),
    "/etc/": (mount("/etc/"), True),
    "/var/log": (mount("/var/log"), True),
    "/var/log, read only": (mount("/var/log", read_only=True), False),
    "/data": (mount("/data"), False),
    "/etcetera": (mount("/etcetera"), False),
    "/runner": (mount("/runner"), False),
}
for name, (edit, out) in OUT.items():
    code, found, _, err = ask("--from", "data/db", "--to", "node:db-node", path=changed(("StatefulSet", "db", edit)))
    tap.check(f"{name}: {'a way out' if out else 'no way out'}", found["node:db-node"]["reached"] == out, f"{code} {err} {found}")

# ---- reports, what-if, the blast radius ----


def report(image, *findings):
    path = top / (image.split("/")[-1].replace(":", "-") + ".json")
    path.write_text(json.dumps({"schema": "bulkhead.report/1", "target": {"text": image, "kind": "registry"}, "findings": list(findings)}))
    return path


bad = {"id": "CVE-2021-44228", "severity": "critical", "cvss": {"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}}
local = {"id": "CVE-2000-1", "severity": "critical", "cvss": {"vector": "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}}
kev = {"id": "CVE-2000-2", "severity": "medium", "kev": {"date": "2024-01-01", "ransomware": False}}
clean = [report(f"registry.example/{n}:1") for n in ("shop/api", "ci/builder", "data/db")]
for name, finding, reached in (("a vulnerability that the network reaches", bad, True), ("one that is local", local, False), ("a known exploited one", kev, True)):
    code, found, notes, err = ask("--to", "workload:shop/web", *[a for r in (*clean, report("registry.example/shop/web:1", finding)) for a in ("--report", r)])
    tap.check(f"a report with {name}", found["workload:shop/web"]["reached"] == reached and not any("no reports" in n for n in notes), f"{code} {err} {notes}")
code, found, _, err = ask("--to", "workload:shop/web", "--to", "workload:shop/api", "--report", report("registry.example/shop/api:1"))
tap.check("an image without a report counts as exploitable when others have one", found["workload:shop/web"]["reached"] and not found["workload:shop/api"]["reached"], err)
policy = top / "deny.yaml"
policy.write_text(yaml.safe_dump({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "guard"}, "spec": {
    "priority": 1, "subject": {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "api"}}}},
    "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}}))
code, found, _, err = ask("--to", "cluster-admin", "--with", policy)
tap.check("--with a policy closes the way", code == 0 and not found["cluster-admin"]["reached"], f"{code} {err}")
code, found, _, err = ask("--blast")
scores = {w: int(b["score"]) for w, b in found.items()}
tap.check("the blast radius", scores == {"shop/web": 100, "shop/api": 100, "ci/builder": 100, "data/db": 0} and found["data/db"]["sentence"] == "with it fall nothing else", str(found))

# ---- who shares a node: a is privileged, and no policy lets anybody into b ----
def placed(a, b, *nodes):
    def workload(name, spec, privileged):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "lab"},
                "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": privileged}}], "automountServiceAccountToken": False, **spec}}
    return write([workload("a", a, True), workload("b", b, False), {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed", "namespace": "lab"},
                                                                 "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}] +
                 [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": n, "labels": labels}, "spec": {"taints": taints}} for n, labels, taints in nodes])


def wants(**labels):
    return {"nodeSelector": labels}


def one_of(key, *values):
    term = {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}}


TAINT = [{"key": "only", "value": "db", "effect": "NoSchedule"}]
TOLERATION = {"tolerations": [{"key": "only", "operator": "Equal", "value": "db", "effect": "NoSchedule"}]}
NODES = (("n1", {"pool": "web"}, []), ("n2", {"pool": "db", "zone": "x"}, TAINT), ("n3", {"pool": "db", "zone": "y"}, TAINT))
for name, a, b, nodes, reached in (
        ("neither asks for a node", {}, {}, (), True), ("both ask for the same", wants(pool="x"), wants(pool="x"), (), True), ("they ask for others", wants(pool="x"), wants(pool="y"), (), False),
        ("a is on a node of its own", {"nodeName": "n9"}, {}, (), False), ("b asks, a may come there", {}, wants(pool="x"), (), True), ("a asks, b may come there", wants(pool="x"), {}, (), True),
        ("labels that go together", wants(pool="x"), wants(zone="y"), (), True), ("one of the same values", one_of("zone", "x", "y"), one_of("zone", "y", "z"), (), True),
        ("none of the same values", one_of("zone", "x"), one_of("zone", "y", "z"), (), False), ("a taint keeps a away", {}, wants(pool="db"), NODES, False),
        ("a tolerates the taint", TOLERATION, wants(pool="db"), NODES, True), ("a tolerates another taint", {"tolerations": [{"key": "x", "operator": "Exists"}]}, wants(pool="db"), NODES, False),
        ("a tolerates everything", {"tolerations": [{"operator": "Exists"}]}, wants(pool="db"), NODES, True),
        ("there is no node with both labels", wants(pool="web"), wants(zone="x"), NODES, False), ("there is one", {**wants(pool="db"), **TOLERATION}, {**wants(zone="y"), **TOLERATION}, NODES, True)):
    code, found, _, err = ask("--from", "lab/a", "--to", "workload:lab/b", path=placed(a, b, *nodes))
    tap.check(f"same node: {name}: {'reached' if reached else 'not reached'}", code == int(reached) and found["workload:lab/b"]["reached"] is reached, f"{code} {err}")
code, found, _, err = ask("--from", "lab/a", "--to", "node", path=placed(wants(zone="x", pool="db"), {}, *NODES))
tap.check("a node that alone has the labels is called by its name, others by the labels", "node:n2" in found and
          "node:a node with pool=web" in ask("--from", "lab/a", "--to", "node", path=placed(wants(pool="web"), {}))[1], f"{found} {err}")

# ---- secrets in ConfigMaps ----
def lab(*rules, data=None, pod=None):
    """A ConfigMap in lab and a service account of dev with these rights there; pod: what one of lab has of it."""
    rbac = "rbac.authorization.k8s.io"
    documents = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}} for n in ("lab", "dev")]
    documents += [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "lab"}, "data": {"DB_PASSWORD": "hunter2"} if data is None else data},
                  {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": "dev"}},
                  {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "lab"}, "rules": list(rules)},
                  {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": {"name": "b", "namespace": "lab"}, "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "r"},
                   "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "dev"}]}]
    if pod:
        documents.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lab"}, "spec": pod})
    return write(documents)


def may(verb, resource, group=""):
    return {"apiGroups": [group], "resources": [resource], "verbs": [verb]}


SETTINGS = "secret:lab/settings[ConfigMap]"
for name, right, wanted in (("read by right", may("get", "configmaps"), ["may-read-configs", "read-config"]), ("mounted by a new pod", may("create", "pods"), ["may-create-workloads", "mount-config"]),
                           ("by who may do everything", may("*", "*", "*"), ["may-everything", "owner-creates", "mount-config"])):
    path = lab(right)
    code, found, _, err = ask("--from", "sa:dev/x", "--to", SETTINGS, "--ways", "9", path=path)
    ways = [rules(w)[1:] for w in found[SETTINGS]["ways"].values()]
    tap.check(f"a secret in a ConfigMap: {name}", wanted in ways, f"{ways} {err}")
    for cut in found[SETTINGS]["cuts"].values():
        code, _, _, err = ask("--from", "sa:dev/x", "--to", SETTINGS, *[a for c in cut for a in ("--without", c["fact"])], path=path)
        tap.check(f"... closed: {' and '.join(c['fact'] for c in cut)[:80]}", code == 0, err)
for name, right, data in (("no right", may("get", "pods"), None), ("nothing secret in it", may("get", "configmaps"), {"DB_PASSWORD_FILE": "/run/x", "LOG": "info", "API_KEY": ""})):
    code, _, _, err = ask("--from", "sa:dev/x", "--to", SETTINGS, path=lab(right, data=data))
    tap.check(f"a secret in a ConfigMap: {name}", code == 0, err)
for name, get in (("a variable", {"containers": [{"name": "c", "image": "i", "env": [{"name": "P", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "DB_PASSWORD"}}}]}]}),
                  ("all variables", {"containers": [{"name": "c", "image": "i", "envFrom": [{"configMapRef": {"name": "settings"}}]}]}),
                  ("a volume", {"volumes": [{"name": "v", "configMap": {"name": "settings"}}], "containers": [{"name": "c", "image": "i"}]}),
                  ("a projected volume", {"volumes": [{"name": "v", "projected": {"sources": [{"configMap": {"name": "settings"}}]}}], "containers": [{"name": "c", "image": "i"}]})):
    code, found, _, err = ask("--from", "lab/p", "--to", SETTINGS, path=lab(pod=get, data={"key.pem": "-----BEGIN EC PRIVATE KEY-----"}))
    tap.check(f"a secret in a ConfigMap: {name}", code == 1 and rules(found[SETTINGS]["ways"]["1"]) == ["begin", "read-mounted-secret"], f"{found} {err}")

# ---- capabilities are root's ----
for name, of_pod, own, reached in (("root, as nothing else is said", {}, {}, True), ("another user, who may raise his rights", {"runAsUser": 1000}, {}, True),
                                   ("another user", {"runAsUser": 1000}, {"allowPrivilegeEscalation": False}, False), ("no root", {"runAsNonRoot": True}, {"allowPrivilegeEscalation": False}, False),
                                   ("root by the container's word", {"runAsUser": 1000}, {"runAsUser": 0, "allowPrivilegeEscalation": False}, True)):
    path = write([{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lab"}, "spec": {"securityContext": of_pod, "containers": [
        {"name": "c", "image": "i", "securityContext": {"capabilities": {"add": ["SYS_MODULE"]}, **own}}]}}])
    code, _, _, err = ask("--from", "lab/p", "--to", "node", path=path)
    tap.check(f"the capability SYS_MODULE of {name}: {'reached' if reached else 'not reached'}", code == int(reached), err)

# ---- formats and errors ----
r = run("paths", GOLDEN)
tap.check("text", r.returncode == 1 and "internet -> cluster-admin: 1 way" in r.stdout and "what stops it" in r.stdout, r.stdout[:300])
r = run("paths", "-f", "csv", "--to", "cluster-admin", GOLDEN)
tap.check("CSV", r.stdout.splitlines()[0] == "to,way,step,rule,technique,sentence,concludes,needs,places" and len(r.stdout.splitlines()) == 9, r.stdout)
r = run("paths", "-f", "markdown", "--blast", GOLDEN)
tap.check("Markdown", r.stdout.splitlines()[1].startswith("|---|") and "| ci/builder |" in r.stdout, r.stdout)
r = run("paths", "--fail-on", "never", GOLDEN)
tap.check("--fail-on never", r.returncode == 0, r.stderr)
for name, args, text in (("an unknown start", ["--from", "shop/none"], "no such workload"), ("an unknown service account", ["--from", "sa:shop/none"], "no such service account"),
                         ("an unknown target", ["--to", "moon"], "no target: moon"), ("an unknown fact", ["--without", "moon"], "no such fact"),
                         ("no such file", ["--with", top / "none.yaml"], "none.yaml")):
    r = run("paths", *args, GOLDEN)
    tap.check(f"refused: {name}", r.returncode == 2 and text in r.stderr, f"{r.returncode}: {r.stderr}")
r = run("paths", "-", stdin="a: [1,\n")
tap.check("a broken document is told", r.returncode == 3 and "not checked" in r.stderr, f"{r.returncode}: {r.stderr}{r.stdout}")
loop = "\n---\n".join(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, namespace: lab}}\nspec: {{hostNetwork: true, containers: [{{name: c, image: i}}]}}" for i in range(300))
r = run("paths", "--from", "lab/p0", "-", stdin=loop)
tap.check("300 pods that reach each other", r.returncode in (0, 1) and not r.stderr, f"{r.returncode}: {r.stderr}{r.stdout[-300:]}")

# ---- a demo of microservices ----
SHOP = pathlib.Path(GOLDEN).parent / "boutique.yaml"
code, found, _, err = ask("--to", "node", "--to", "secret:boutique/stripe", "--to", "cluster-admin", "--ways", "20", path=SHOP)
node, stripe = found["node:a node"], found["secret:boutique/stripe"]
tap.check("boutique: the checkout may create jobs, and so the node falls", [[s["concludes"] for s in w] for w in node["ways"].values()] ==
          [["code boutique/frontend", "reached boutique/checkoutservice", "code boutique/checkoutservice", "identity boutique/checkoutservice", "creates boutique",
            "node a node"]], err)
tap.check("boutique: nobody is administrator", not found["cluster-admin"]["reached"])
tap.check("boutique: the key of payments is behind the checkout", stripe["reached"] and all("code boutique/checkoutservice" in [s["concludes"] for s in w] for w in stripe["ways"].values()))
for name, t in (("node", node), ("secret:boutique/stripe", stripe)):
    for number, cut in t["cuts"].items():
        code, _, _, err = ask("--to", name, *[a for c in cut for a in ("--without", c["fact"])], path=SHOP)
        tap.check(f"boutique: {name}: cut {number} closes it", code == 0, err)
tap.end()
