#!/usr/bin/env python3
"""walk BULKHEAD GOLDEN_YAML: walks the attack paths that `bulkhead paths` claims of the golden cluster, where they are real.

- Rights and admission: Kubernetes' own API server holds the cluster; the attacker has the tokens that he took, and nothing else.
- Connections: every workload is a network namespace, its policies are rules of iptables made of them here, and a step is a TCP connection.
- Ways out of a container: dockerd and a container with its socket, a privileged container, and a file of the host.
Controllers and the kubelet are played: pods are made of templates, secrets of service accounts get their token, pods get theirs.
Every way that is claimed has to be walkable; for every cut that is claimed the cluster is changed as it says, and the walk has to fail.
Output: TAP. Exit code 77: something of that is missing.
"""
import base64
import contextlib
import copy
import functools
import io
import ipaddress
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import yaml

from kubernetes_common import cluster
from sources_common import Daemon, Tap, need

BULKHEAD, GOLDEN = map(os.path.abspath, sys.argv[1:3])
DOCUMENTS = [d for d in yaml.safe_load_all(pathlib.Path(GOLDEN).read_text()) if d]
TARGETS = ["cluster-admin", "node", "cloud", "secret:shop/db-password", "secret:ci/deployer-token", "workload:ci/builder", "workload:shop/api"]
METADATA = "169.254.169.254"
tap = Tap()


def ip(*args, **more):
    return subprocess.run(["ip", *map(str, args)], check=True, capture_output=True, text=True, **more)


def name_of(d):
    return f"{d['metadata'].get('namespace', 'default')}/{d['metadata']['name']}"


def selected(selector, labels):
    return all(labels.get(k) == v for k, v in (selector.get("matchLabels") or {}).items())


# ---- the network ----

class Network:
    """A router with a network namespace behind each of its ports; what a pod may send and get is in the router's iptables."""

    def __init__(self, prefix):
        self.router, self.prefix = prefix + "r", prefix
        self.addresses, self.servers = {}, []
        ip("netns", "add", self.router)
        ip("-n", self.router, "link", "set", "lo", "up")
        subprocess.run(["ip", "netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)

    def _netns(self, name):
        return f"{self.prefix}{list(self.addresses).index(name)}"

    def add(self, name, ports, address=None):
        number = len(self.addresses)
        self.addresses[name] = address or f"10.77.{number}.2"
        ns, gateway = self._netns(name), f"10.77.{number}.1"
        ip("netns", "add", ns)
        ip("link", "add", f"{ns}e", "netns", ns, "type", "veth", "peer", "name", f"{ns}v", "netns", self.router)
        for where, link, local, far in ((ns, f"{ns}e", self.addresses[name], gateway), (self.router, f"{ns}v", gateway, self.addresses[name])):
            ip("-n", where, "addr", "add", f"{local}/32", "peer", far, "dev", link)
            ip("-n", where, "link", "set", link, "up")
        ip("-n", ns, "link", "set", "lo", "up")
        ip("-n", ns, "route", "add", "default", "via", gateway)
        for port in ports:
            code = f"import socket\ns = socket.create_server(('', {port}))\nwhile True: s.accept()[0].close()"
            self.servers.append(subprocess.Popen(["ip", "netns", "exec", ns, sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def rules(self, lines):
        text = "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n" + "".join(line + "\n" for line in lines) + "COMMIT\n"
        subprocess.run(["ip", "netns", "exec", self.router, "iptables-restore"], input=text, text=True, check=True, capture_output=True)

    def connects(self, source, target, port):
        code = ("import socket, time\nend = time.monotonic() + 1.5\nwhile True:\n try: socket.create_connection(('%s', %d), 0.7); break\n"
                " except ConnectionRefusedError:\n  if time.monotonic() > end: raise\n  time.sleep(0.05)") % (self.addresses[target], port)
        return subprocess.run(["ip", "netns", "exec", self._netns(source), sys.executable, "-c", code], capture_output=True).returncode == 0

    def stop(self):
        for s in self.servers:
            s.kill()
            s.wait()
        for ns in [self._netns(n) for n in self.addresses] + [self.router]:
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)


# ---- the cluster ----

class World:
    """The golden cluster in a real API server, its pods in the network."""

    def __init__(self, c, network):
        self.c, self.network = c, network
        self.workloads = {name_of(d): d for d in DOCUMENTS if d["kind"] in ("Deployment", "StatefulSet")}
        network.add("internet", [])
        for name, d in self.workloads.items():
            network.add(name, [p["containerPort"] for p in d["spec"]["template"]["spec"]["containers"][0].get("ports", [])])
        network.add("metadata", [80], METADATA)
        self.documents = []
        self.become(DOCUMENTS)

    def become(self, documents):
        """All objects as they are now; what controllers and the network make of them."""
        for d in documents:
            if d["kind"] == "Namespace":
                d = copy.deepcopy(d)
                d["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = d["metadata"]["name"]
            if self.c.create(d).code == 409:
                a = self.c.replace(d)
                assert a.code == 200, a.message
            if d["kind"] == "Namespace":
                self.c.account(d["metadata"]["name"], "default")
        for d in [d for d in self.documents if d not in documents and name_of(d) not in map(name_of, documents)]:
            self.c.delete(d)
        self.documents = documents
        for d in documents:
            if d["kind"] in ("Deployment", "StatefulSet"):
                self._make_secrets(d)
                self._run_pod(d)
            if d["kind"] == "Secret" and d.get("type") == "kubernetes.io/service-account-token":
                self._fill_secret(d)
        self.network.rules(self._policies())

    def _make_secrets(self, d):
        """Those that pods get and nobody wrote into the manifests."""
        for container in d["spec"]["template"]["spec"]["containers"]:
            for e in container.get("env", []):
                name = e.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
                if name:
                    self.c.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": d["metadata"]["namespace"]}, "stringData": {"password": "x"}})

    def _run_pod(self, d):
        """As the controllers make it; the server's admission fills in the rest."""
        template = d["spec"]["template"]
        o = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": d["metadata"]["name"], "namespace": d["metadata"]["namespace"],
                                                             "labels": template["metadata"]["labels"]}, "spec": template["spec"]}
        path = f"/api/v1/namespaces/{o['metadata']['namespace']}/pods"
        self.c.request("DELETE", f"{path}/{o['metadata']['name']}?gracePeriodSeconds=0")
        a = self.c.request("POST", path, o)
        # Pod Security keeps golden's unrestricted database out of "data": it was there before the label was.
        assert a.code == 201 or (a.code == 403 and "violates PodSecurity" in a.message), a.message

    def _fill_secret(self, d):
        namespace, name = d["metadata"]["namespace"], d["metadata"]["name"]
        account = d["metadata"]["annotations"]["kubernetes.io/service-account.name"]
        a = self.c.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": name}}})
        secret = self.c.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}").body
        secret["data"] = {"token": base64.b64encode(a.body["status"]["token"].encode()).decode()}
        self.c.request("PUT", f"/api/v1/namespaces/{namespace}/secrets/{name}", secret)

    def pod(self, workload):
        namespace, name = workload.split("/")
        a = self.c.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
        return a.body if a.code == 200 else None

    # NetworkPolicy (networking.k8s.io/v1) as rules: a pod that a policy selects for a direction gets only what some policy allows.
    def _peers(self, policy, peers):
        if not peers:
            return ["0.0.0.0/0"]
        out = []
        for peer in peers:
            if "ipBlock" in peer:
                out += [str(n) for n in outside_of(peer["ipBlock"])]
                continue
            for name, d in self.workloads.items():
                labels = d["spec"]["template"]["metadata"]["labels"]
                namespaces = peer.get("namespaceSelector")
                fits = d["metadata"]["namespace"] == policy["metadata"]["namespace"] if namespaces is None else selected(
                    namespaces, {"kubernetes.io/metadata.name": d["metadata"]["namespace"]})
                if fits and selected(peer.get("podSelector", {}), labels):
                    out.append(self.network.addresses[name])
        return out

    def _policies(self):
        policies = [d for d in self.documents if d["kind"] == "NetworkPolicy"]
        lines = ["-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"]
        for direction, own, far, key in (("Egress", "-s", "-d", "to"), ("Ingress", "-d", "-s", "from")):
            for number, (name, d) in enumerate(self.workloads.items()):
                of = [p for p in policies if p["metadata"]["namespace"] == d["metadata"]["namespace"]
                      and selected(p["spec"]["podSelector"], d["spec"]["template"]["metadata"]["labels"])
                      and direction in p["spec"].get("policyTypes", ["Ingress"] + ["Egress"] * ("egress" in p["spec"]))]
                if not of:
                    continue
                chain = f"{direction}{number}"
                lines.insert(0, f":{chain} -")
                for p in of:
                    for rule in p["spec"].get(direction.lower()) or []:
                        for peer in self._peers(p, rule.get(key)):
                            for port in rule.get("ports") or [None]:
                                lines.append(f"-A {chain} {far} {peer}" + (f" -p tcp --dport {port['port']}" if port else "") + " -j RETURN")
                lines += [f"-A {chain} -j REJECT --reject-with tcp-reset -p tcp", f"-A FORWARD {own} {self.network.addresses[name]} -j {chain}"]
        return lines


def outside_of(block):
    nets = [ipaddress.ip_network(block["cidr"])]
    for but in block.get("except", []):
        but = ipaddress.ip_network(but)
        nets = [n for net in nets for n in (net.address_exclude(but) if but.subnet_of(net) else [net])]
    return nets


# ---- the attacker ----

class Refused(Exception):
    pass


def expect(ok, why):
    if not ok:
        raise Refused(why)


class Attacker:
    """What he has: code in workloads, tokens by account, secrets. A step uses that, or is refused."""

    def __init__(self, world):
        self.world, self.c, self.network = world, world.c, world.network
        self.code, self.tokens, self.secrets, self.by, self.admin = set(), {}, {}, {}, None
        self.assumed = 0

    def take(self, step):
        getattr(self, step["rule"].replace("-", "_"))([need.split(" ", 1) for need in step["needs"].split("; ")], step)

    def allowed(self, token, verb, resource, namespace=None, subresource=None):
        group, _, resource = resource.rpartition("/")
        a = self.c.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace}}}, token)
        expect(a.code == 201 and a.body["status"].get("allowed"), f"{verb} {resource} in {namespace}: {a.body}"[:200])

    def is_account(self, token, account):
        a = self.c.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}, token)
        expect(a.code == 201 and a.body["status"]["userInfo"]["username"] == "system:serviceaccount:" + account.replace("/", ":"), f"not {account}: {a.body}"[:200])

    @staticmethod
    def ports(step):
        return [int(word.strip(",;")) for word in step["places"].replace("TCP", " ").split() if word.strip(",;").isdigit()]

    # Names of the methods are the rules' of src/kube/paths_rules.def.
    def exploit_exposed(self, needs, step):
        workload = needs[1][1]
        labels = self.world.workloads[workload]["spec"]["template"]["metadata"]["labels"]
        services = self.c.request("GET", f"/api/v1/namespaces/{workload.split('/')[0]}/services").body["items"]
        expect(any(s["spec"]["type"] == "LoadBalancer" and s["spec"].get("selector", {}).items() <= labels.items() for s in services), "no service is open")
        expect(any(self.network.connects("internet", workload, p) for p in self.ports(step)), f"no connection to {workload}")
        self.assumed += 1
        self.code.add(workload)

    def connect(self, needs, step):
        source, target = needs[2][1].split()
        expect(source in self.code and any(self.network.connects(source, target, p) for p in self.ports(step)), f"no connection from {source} to {target}")

    def exploit(self, needs, _step):
        self.assumed += 1
        self.code.add(needs[1][1].split()[1])

    def steal_token(self, needs, _step):
        workload, account = needs[1][1].split()
        pod = self.world.pod(workload)
        expect(workload in self.code and pod, f"no code in {workload}")
        mounted = any("serviceAccountToken" in s for v in pod["spec"].get("volumes", []) for s in v.get("projected", {}).get("sources", []))
        expect(mounted and f"{pod['metadata']['namespace']}/{pod['spec']['serviceAccountName']}" == account, f"the pod {workload} has no token of {account}")
        a = self.c.request("POST", f"/api/v1/namespaces/{account.split('/')[0]}/serviceaccounts/{account.split('/')[1]}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}}})
        self.tokens[account] = a.body["status"]["token"]
        self.is_account(self.tokens[account], account)

    def read_mounted_secret(self, needs, _step):
        workload, secret = needs[1][1].split()
        pod = self.world.pod(workload)
        used = [e["valueFrom"]["secretKeyRef"]["name"] for c in pod["spec"]["containers"] for e in c.get("env", []) if "secretKeyRef" in e.get("valueFrom", {})]
        expect(workload in self.code and secret.split("/")[1] in used, f"{workload} gets no secret {secret}")

    def may_read_secrets(self, needs, _step):
        account, _, namespace = needs[1][1].split()
        self.allowed(self.tokens.get(account), "get", "secrets", namespace)
        self.by[namespace] = self.tokens[account]

    def read_secret(self, needs, _step):
        namespace, secret = needs[1][1].split()
        a = self.c.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret.split('/')[1]}", token=self.by[namespace])
        expect(a.code == 200, a.message)
        self.secrets[secret] = a.body.get("data", {})

    def token_in_secret(self, needs, _step):
        secret, account = needs[1][1].split()
        expect("token" in self.secrets.get(secret, {}), f"no token in {secret}")
        self.tokens[account] = base64.b64decode(self.secrets[secret]["token"]).decode()
        self.is_account(self.tokens[account], account)

    def everywhere_everything(self, needs, _step):
        account = needs[0][1]
        token = self.tokens[account]
        for verb, resource in (("*", "*/*"), ("delete", "nodes"), ("get", "secrets")):
            self.allowed(token, verb, resource)
        a = self.c.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?dryRun=All", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "mine"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "me"}]}, token)
        expect(a.code == 201, a.message)
        self.admin = token

    def admin_owns(self, needs, _step):
        namespace = needs[1][1]
        self.allowed(self.admin, "*", "*/*", namespace)
        self.by[namespace] = self.admin

    def owner_creates(self, needs, _step):
        self.pod_made(needs[0][1], {})

    def owner_reads(self, needs, _step):
        self.allowed(self.by[needs[0][1]], "get", "secrets", needs[0][1])

    def owner_commands(self, needs, _step):
        self.allowed(self.by[needs[0][1]], "create", "pods", needs[0][1], "exec")

    def owner_unguards(self, needs, _step):
        a = self.c.request("PATCH", f"/api/v1/namespaces/{needs[0][1]}?dryRun=All", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
                           self.by[needs[0][1]], "application/merge-patch+json")
        expect(a.code == 200, a.message)

    def run_command(self, needs, _step):
        """There is no kubelet behind it: what counts is that the server lets the request pass to one."""
        namespace, workload = needs[1][1].split()
        a = self.c.request("POST", f"/api/v1/namespaces/{namespace}/pods/{workload.split('/')[1]}/exec?command=id&stdout=true", token=self.by[namespace])
        expect(a.code not in (401, 403, 404), a.message)
        self.code.add(workload)

    def pod_made(self, namespace, security, container=None):
        a = self.c.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"},
            "spec": {"hostPID": bool(security), "containers": [{"name": "a", "image": "registry.example/a:1", "securityContext": security, **(container or {})}]}}, self.by[namespace])
        expect(a.code == 201, a.message)

    def mount_secret(self, needs, _step):
        """A pod that he makes gets the secret, as the kubelet reads it for every pod of the namespace."""
        namespace, secret = needs[1][1].split()
        self.pod_made(namespace, {}, {"env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": secret.split("/")[1], "key": "token"}}}]})
        a = self.c.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret.split('/')[1]}")
        expect(a.code == 200, a.message)
        self.secrets[secret] = a.body.get("data", {})

    def create_privileged(self, needs, _step):
        self.pod_made(needs[0][1], {"privileged": True})
        expect(HOST.privileged_reads_host(), "a privileged container does not read the host's file")

    def escape(self, needs, _step):
        workload = needs[0][1]
        expect(workload in self.code, f"no code in {workload}")
        paths = [v["hostPath"]["path"] for v in self.world.pod(workload)["spec"].get("volumes", []) if "hostPath" in v]
        expect("/var/run/docker.sock" in paths, "the pod has no socket")
        expect(HOST.socket_reads_host(), "the runtime's socket does not give the host's file")

    def metadata(self, needs, _step):
        workload = needs[0][1]
        expect(workload in self.code and self.network.connects(workload, "metadata", 80), f"{workload} does not reach the metadata service")


# ---- the host ----

class Host:
    """A container runtime, an image with busybox, and a file that only the host has."""

    def __init__(self, folder):
        self.folder, self.socket = pathlib.Path(folder), pathlib.Path(folder) / "docker.sock"
        self.marker = self.folder / "host-only"
        self.marker.write_text("the host's")
        self.daemon = Daemon(["dockerd", "--data-root", str(self.folder / "docker"), "--exec-root", str(self.folder / "exec"), "--pidfile", str(self.folder / "pid"),
                              "-H", f"unix://{self.socket}", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs"],
                             self.folder / "dockerd.log", lambda: self.docker("version").returncode == 0)
        tree = io.BytesIO()
        with tarfile.open(fileobj=tree, mode="w") as t:
            t.add(shutil.which("busybox"), "bin/busybox")
            t.add(os.path.realpath(shutil.which("docker")), "bin/docker")
            for f in sorted(set(libraries(shutil.which("docker")))):
                t.add(os.path.realpath(f), f.lstrip("/"))
        made = subprocess.run(["docker", "-H", f"unix://{self.socket}", "import", "-", "walk:1"], input=tree.getvalue(), capture_output=True)
        assert made.returncode == 0, made.stderr

    def docker(self, *args):
        return subprocess.run(["docker", "-H", f"unix://{self.socket}", *map(str, args)], capture_output=True, text=True)

    def run(self, *args):
        return self.docker("run", "--rm", "--network", "none", *args).stdout.strip()

    def plain_reads_host(self):
        return self.run("walk:1", "/bin/busybox", "cat", self.marker) == "the host's"

    @functools.cache
    def socket_reads_host(self):
        """Code in a container with the socket starts another one, that has the host's files."""
        return self.run("-v", f"{self.socket}:/var/run/docker.sock", "walk:1", "/bin/docker", "-H", "unix:///var/run/docker.sock", "run", "--rm", "--network", "none",
                        "-v", "/:/host", "walk:1", "/bin/busybox", "cat", f"/host{self.marker}") == "the host's"

    @functools.cache
    def privileged_reads_host(self):
        """By the root of a process of the host, which a privileged container with the host's processes may enter."""
        look = ["--pid", "host", "walk:1", "/bin/busybox", "cat", f"/proc/{os.getpid()}/root{self.marker}"]
        # Where root itself lacks a capability there is no --privileged: all but those, then.
        return "the host's" in (self.run("--privileged", *look), self.run("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
                                                                          *(f"--cap-add={c}" for c in ("SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH")), *look))


def libraries(program):
    return [w for w in subprocess.run(["ldd", program], capture_output=True, text=True).stdout.split() if w.startswith("/")]


# ---- what is claimed ----

def claims(*args, path=GOLDEN):
    """{target: ({way: [steps]}, [[facts] of a cut])}"""
    r = subprocess.run([BULKHEAD, "paths", "-f", "json", "--ways", "20", *args, path], capture_output=True, text=True)
    found, now, kinds = {}, None, {"step": 0, "cut": 1}
    for row in json.loads(r.stdout):
        if row["row"] == "target":
            now = found[row["to"]] = ({}, {})
        elif row["row"] in kinds:
            now[kinds[row["row"]]].setdefault(row["way" if row["row"] == "step" else "cut"], []).append(row)
    return found


def walk(world, steps):
    """(the step that was refused or None, why, how many were assumptions)"""
    attacker = Attacker(world)
    for step in steps:
        try:
            attacker.take(step)
        except Refused as e:
            return step, str(e), attacker.assumed
    return None, "", attacker.assumed


def find(documents, kind, name):
    return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)


def spec(documents, kind, name):
    return find(documents, kind, name)["spec"]["template"]["spec"]


def keep_from_metadata(documents):
    documents.append({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "no-metadata", "namespace": "ci"},
                      "spec": {"podSelector": {"matchLabels": {"app": "builder"}}, "policyTypes": ["Egress"],
                               "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA + "/32"]}}]}]}})


# What each fact of a cut is in the manifests.
REMEDIES = {
    "link shop/web shop/api": lambda d: find(d, "NetworkPolicy", "api")["spec"].update(ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "nobody"}}}]}]),
    "exposed shop/web": lambda d: find(d, "Service", "web")["spec"].update(type="ClusterIP"),
    "token shop/api shop/api": lambda d: spec(d, "Deployment", "api").update(automountServiceAccountToken=False),
    "may_everywhere ci/deployer everything": lambda d: find(d, "ClusterRole", "all")["rules"][0].update(verbs=["get"], resources=["pods"]),
    "may shop/api read-secrets ci": lambda d: find(d, "Role", "secret-reader")["rules"][0].update(resources=["configmaps"]),
    "holds shop/api shop/db-password": lambda d: spec(d, "Deployment", "api")["containers"][0].pop("env"),
    "metadata ci/builder": keep_from_metadata,
}
ASSUMED = "exploitable "  # that an image can be exploited is the question's, not the cluster's: its cut is another image


def close(world, target, ways, cut):
    facts = [c["fact"] for c in cut]
    if any(f.startswith(ASSUMED) for f in facts):
        return
    documents = copy.deepcopy(DOCUMENTS)
    name = f"{target}: closed by {' and '.join(facts)}"
    if not all(f in REMEDIES for f in facts):
        tap.check(name, False, "no remedy is known to this test")
        return
    for f in facts:
        REMEDIES[f](documents)
    world.become(documents)
    walked = [n for n, steps in ways.items() if walk(world, steps)[0] is None]
    changed = world.c.folder / "changed.yaml"
    changed.write_text(yaml.safe_dump_all(documents))
    still = claims("--to", target, path=changed).get(target, ({}, {}))[0]
    tap.check(name, not walked and not still, f"still walked: {walked}, still claimed: {list(still)}")
    world.become(DOCUMENTS)


def reach(world):
    """Connections of all pods, and of the outside: netpol claims just those that are there."""
    r = subprocess.run([BULKHEAD, "netpol", "list", GOLDEN], capture_output=True, text=True)
    claimed = {tuple(line.split(" : ")[0].replace("[Deployment]", "").replace("[StatefulSet]", "").split(" => ")) for line in r.stdout.splitlines()}
    ports = {n: d["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] for n, d in world.workloads.items()}
    for a in world.workloads:
        there = {b for b in world.workloads if a != b and world.network.connects(a, b, ports[b])}
        said = {b for b in world.workloads if (a, b) in claimed}
        tap.check(f"{a} reaches just what netpol says: {', '.join(sorted(said)) or 'nothing'}", there == said, f"{there} {said}")


def main():
    global HOST
    need("ip", "iptables-restore", "dockerd", "docker", "busybox", "etcd")
    with tempfile.TemporaryDirectory(prefix="bulkhead-walk-") as folder, cluster() as c, contextlib.ExitStack() as stack:
        network = Network(f"bh{os.getpid() % 10000}n")
        stack.callback(network.stop)
        HOST = Host(folder)
        stack.callback(HOST.daemon.stop)
        tap.check("a plain container does not read the host's file", not HOST.plain_reads_host())
        world = World(c, network)
        reach(world)
        walked = 0
        for to in TARGETS:
            for target, (ways, cuts) in claims("--to", to).items():
                for number, steps in ways.items():
                    refused, why, assumed = walk(world, steps)
                    walked += refused is None
                    tap.check(f"{target}: way {number} is walked, {len(steps)} steps, {assumed} of them assumed exploits", refused is None,
                              f"{refused and refused['rule']}: {why}")
                for cut in cuts.values():
                    close(world, target, ways, cut)
        tap.check(f"there were ways to walk: {walked}", walked >= 8)
    tap.end()


HOST = None
main()
