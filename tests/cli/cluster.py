#!/usr/bin/env python3
"""cluster: a live cluster as a target: an API server over TLS that allows what deploy/kubernetes/reader.yaml allows, and ones that misbehave.

usage: cluster.py BULKHEAD READER_YAML

One server plays them all: the first part of the path says which. kubectl reads the same server with the same kubeconfig, where it is installed: what
Bulkhead says of its dump, it has to say of the cluster, too. Output: TAP.
"""
import base64
import http.server
import json
import os
import pathlib
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
from sources_common import Tap  # noqa: E402

BULKHEAD, READER = sys.argv[1], pathlib.Path(sys.argv[2])
top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-cluster-"))
tap = Tap()
TOKEN = "a-token-of-the-reader"
lock = threading.Lock()
asked = []          # (server, path) of every request


def good_if(passed, name, told=""):
    tap.check(name, bool(passed), told)


# ---- what is in the cluster ----

def meta(name, namespace=None, **more):
    return {"name": name, **({"namespace": namespace} if namespace else {}), **more}


def pod_spec(image, **more):
    return {"containers": [{"name": "c", "image": image, "ports": [{"containerPort": 8080}], **more}]}


def deployment(name, namespace, **more):
    return {"metadata": meta(name, namespace, uid=f"d-{name}"),
            "spec": {"selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(f"registry.example/{name}:1", **more)}}}


def owned(kind, name, namespace, owner_kind, owner, labels, spec):
    reference = {"apiVersion": "apps/v1", "kind": owner_kind, "name": owner, "uid": f"d-{owner}", "controller": True}
    m = meta(name, namespace, ownerReferences=[reference], labels=labels)
    return {"metadata": m, "spec": spec if kind == "Pod" else {"template": {"metadata": {"labels": labels}, "spec": spec}}}


PRIVILEGED = {"securityContext": {"privileged": True}}
OBJECTS = {
    "/api/v1/namespaces": ("Namespace", [{"metadata": meta("shop", labels={"name": "shop"})}, {"metadata": meta("lab")}]),
    "/api/v1/serviceaccounts": ("ServiceAccount", [{"metadata": meta("default", "shop")}]),
    "/api/v1/services": ("Service", [{"metadata": meta("web", "shop"), "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}]),
    "/api/v1/configmaps": ("ConfigMap", [{"metadata": meta(f"c{i}", "shop"), "data": {"k": "v" * 50}} for i in range(1203)]),
    "/api/v1/secrets": ("Secret", [{"metadata": meta("db", "shop"), "data": {"password": "aHVudGVyMg=="}}]),
    "/apis/apps/v1/deployments": ("Deployment", [deployment("web", "shop"), deployment("db", "shop", **PRIVILEGED)]),
    "/apis/apps/v1/replicasets": ("ReplicaSet", [owned("ReplicaSet", "db-1", "shop", "Deployment", "db", {"app": "db"},
                                                       pod_spec("registry.example/db:1", **PRIVILEGED))]),
    "/api/v1/pods": ("Pod", [owned("Pod", "db-1-x", "shop", "ReplicaSet", "db-1", {"app": "db"}, pod_spec("registry.example/db:1", **PRIVILEGED)),
                             {"metadata": meta("alone", "lab", labels={"app": "alone"}), "spec": pod_spec("registry.example/alone:1")}]),
    "/apis/networking.k8s.io/v1/networkpolicies": ("NetworkPolicy", [
        {"metadata": meta("db", "shop"), "spec": {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"],
                                                  "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 8080}]}]}}]),
    "/apis/rbac.authorization.k8s.io/v1/clusterroles": ("ClusterRole", [
        {"metadata": meta("all"), "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}]),
}


def allowed():
    """What the shipped role lets through: (group, resource) of verb list."""
    pairs = set()
    for doc in yaml.safe_load_all(READER.read_text()):
        for rule in doc.get("rules") or []:
            assert rule["verbs"] == ["list"], "the role allows more than lists"
            pairs |= {(g, r) for g in rule["apiGroups"] for r in rule["resources"]}
    return pairs


ALLOWED = allowed()


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet

    def log_message(self, *a):
        pass

    def answer(self, code, doc, **headers):
        body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def user(self):
        """By token, password or certificate; nothing else gets in."""
        given = self.headers.get("Authorization", "")
        if given == f"Bearer {TOKEN}" or given == "Basic " + base64.b64encode(b"ann:sesame").decode():
            return "reader"
        cert = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        return dict(x[0] for x in cert["subject"]).get("commonName") if cert else None

    def page(self, path, query, kind, items):
        """limit and continue, as the real one has them."""
        limit, start = int(query.get("limit", ["0"])[0]), int(query.get("continue", ["k:0/=+"])[0].split(":")[1].split("/")[0])
        group_version = path.split("/apis/")[-1].rsplit("/", 1)[0] if "/apis/" in path else "v1"
        m = {"resourceVersion": "1000"}
        if limit and start + limit < len(items):
            m |= {"continue": f"k:{start + limit}/=+", "remainingItemCount": len(items) - start - limit}
        chosen = items[start:start + limit] if limit else items
        return {"kind": kind + "List", "apiVersion": group_version, "metadata": m, "items": chosen}

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        server, path = url.path.split("/")[1], "/" + "/".join(url.path.split("/")[2:])
        query = urllib.parse.parse_qs(url.query)
        with lock:
            asked.append((server, path))
        if not self.user():
            return self.answer(401, status(401, "Unauthorized", "Unauthorized"))
        if path == "/version":
            return self.answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        return getattr(self, "as_" + server)(path, query)

    def discovery(self, path):
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        groups = sorted({p.split("/")[2] for p in OBJECTS if p.startswith("/apis/")})
        if path == "/apis":
            return {"kind": "APIGroupList", "apiVersion": "v1",
                    "groups": [{"name": g, "versions": [{"groupVersion": f"{g}/v1", "version": "v1"}],
                                "preferredVersion": {"groupVersion": f"{g}/v1", "version": "v1"}} for g in groups]}
        base = {p: kind for p, (kind, _) in OBJECTS.items() if p.rsplit("/", 1)[0] == path}
        if base:
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.split("/", 2)[2],
                    "resources": [{"name": p.rsplit("/", 1)[1], "singularName": kind.lower(), "kind": kind, "verbs": ["list"],
                                   "namespaced": kind not in ("Namespace", "ClusterRole")} for p, kind in base.items()]}
        return None

    def as_good(self, path, query):
        found = self.discovery(path)
        if found:
            return self.answer(200, found)
        parts = path.strip("/").split("/")
        pair = ("", parts[2]) if parts[0] == "api" else (parts[1], parts[3])
        if pair not in ALLOWED:
            return self.answer(403, status(403, "Forbidden", f'{pair[1]} is forbidden: User "reader" cannot list resource "{pair[1]}" at the cluster scope'))
        if path not in OBJECTS:
            return self.answer(404, status(404, "NotFound", "the server could not find the requested resource"))
        return self.answer(200, self.page(path, query, *OBJECTS[path]))

    def as_gone(self, path, query):
        if "continue" in query:
            return self.answer(410, status(410, "Expired", "The provided continue parameter is too old"))
        return self.as_good(path, query)

    def as_noroles(self, path, query):
        if "clusterroles" in path:
            return self.answer(403, status(403, "Forbidden", "clusterroles.rbac.authorization.k8s.io is forbidden"))
        return self.as_good(path, query)

    def as_endless(self, path, query):
        if path != "/api/v1/namespaces":
            return self.as_good(path, query)
        return self.answer(200, {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {"continue": "x" * 10000}, "items": []})

    def as_garbage(self, path, query):
        return self.answer(200, b'{"kind": "NamespaceList", "metadata": {') if path == "/api/v1/namespaces" else self.as_good(path, query)

    def as_elsewhere(self, path, query):
        return self.answer(302, b"", Location=f"https://localhost:{other.server_port}/stolen")

    def as_broken(self, path, query):
        if path == "/api/v1/namespaces":
            return self.as_good(path, query)
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.close_connection = True


class Other(http.server.BaseHTTPRequestHandler):
    """Another host, to which no credential may go."""
    heard = []

    def log_message(self, *a):
        pass

    def do_GET(self):
        Other.heard.append(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


# ---- certificates, made by openssl ----

def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def certificate(name, subject, extension):
    key, request, made, text = (top / f"{name}.{e}" for e in ("key", "csr", "crt", "ext"))
    text.write_text(extension)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", subject)
    openssl("x509", "-req", "-in", request, "-CA", top / "ca.crt", "-CAkey", top / "ca.key", "-CAcreateserial", "-days", "2", "-out", made, "-extfile", text)


openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", top / "ca.key", "-out", top / "ca.crt", "-days", "2", "-subj", "/CN=cluster authority")
certificate("server", "/CN=api", "subjectAltName=IP:127.0.0.1,DNS:kubernetes.default.svc")
certificate("other", "/CN=localhost", "subjectAltName=DNS:localhost")
certificate("client", "/O=system:readers/CN=reader", "extendedKeyUsage=clientAuth")


def serve(handler, name, ask_certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(top / f"{name}.crt", top / f"{name}.key")
    context.load_verify_locations(top / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL if ask_certificate else ssl.CERT_NONE
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


api = serve(Handler, "server", True)
other = serve(Other, "other", False)
PORT = api.server_port


# ---- kubeconfigs ----

def b64(path):
    return base64.b64encode(path.read_bytes()).decode()


def config(name, server="good", cluster=None, user=None, host="127.0.0.1"):
    """A file with one context of that name."""
    path = top / f"{name}.yaml"
    cluster = {"server": f"https://{host}:{PORT}/{server}/", "certificate-authority": "ca.crt"} | (cluster or {})
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": "c", "cluster": {k: v for k, v in cluster.items() if v is not None}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}]}))
    return path


def run(*args, kubeconfig=None, env=None, timeout=60):
    variables = {"PATH": os.environ["PATH"], "HOME": str(top / "nobody"), "TERM": "dumb"}
    variables |= {k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN", "LSAN"))}
    if kubeconfig is not None:
        variables["KUBECONFIG"] = str(kubeconfig)
    return subprocess.run([BULKHEAD, *map(str, args)], capture_output=True, text=True, env=variables | (env or {}), timeout=timeout)


def check(kubeconfig, *more, target="cluster:", **kw):
    return run("check", "-f", "json", *more, target, kubeconfig=kubeconfig, **kw)


def findings(r):
    return json.loads(r.stdout)["findings"] if r.stdout.startswith("{") else []


def is_read(r):
    """The privileged deployment is found, and no gap is told."""
    ids = {(f["id"], f["paths"][0]) for f in findings(r)}
    return r.returncode == 1 and any("privileged" in i and "deployments/db" in p for i, p in ids)


good = config("good")
r = check(good)
good_if(is_read(r), "a cluster is read with a token", r.stderr[:500] + r.stdout[:300])
doc = json.loads(r.stdout) if r.stdout.startswith("{") else {}
good_if(not doc.get("incomplete"), "nothing is left out", str(doc.get("incomplete"))[:500])
good_if(all(f["paths"][0].startswith("cluster:good/") and not f.get("line") for f in findings(r)), "findings name the object in the cluster",
       str([f["paths"] for f in findings(r)][:3]))
privileged = [f["paths"][0] for f in findings(r) if "privileged" in f["id"] and "escalation" not in f["id"]]
good_if(privileged == ["cluster:good/apis/apps/v1/namespaces/shop/deployments/db"], "what a controller's pods have is told of the controller only", str(privileged))
with lock:
    paths = {p for _, p in asked}
good_if("/api/v1/secrets" not in paths and "/apis/apps/v1/deployments" in paths, "secrets are not asked for", str(sorted(paths)))
served = {tuple(p.strip("/").split("/")) for p in paths if p != "/version"}
asked_pairs = {("", p[2]) if p[0] == "api" else (p[1], p[3]) for p in served}
good_if(asked_pairs == ALLOWED, "the shipped role allows exactly what is asked for", str(asked_pairs ^ ALLOWED))
r = run("check", "-f", "table", "cluster:good", kubeconfig=good)
good_if("objects in" in r.stdout and r.returncode == 1, "a context may be named", r.stderr + r.stdout[:200])
r = run("netpol", "list", "cluster:", kubeconfig=good)
good_if("shop/web[Deployment] => shop/db[Deployment] : TCP 8080" in r.stdout and r.returncode == 0, "network policies of a cluster", r.stderr + r.stdout)

# ---- who we are ----
certs = {"client-certificate": "client.crt", "client-key": "client.key"}
good_if(is_read(check(config("cert", user=certs))), "a client certificate in files beside the kubeconfig")
data = {"client-certificate-data": b64(top / "client.crt"), "client-key-data": b64(top / "client.key")}
good_if(is_read(check(config("data", user=data, cluster={"certificate-authority": None, "certificate-authority-data": b64(top / "ca.crt")}))),
       "a client certificate and an authority inside the kubeconfig")
good_if(is_read(check(config("basic", user={"username": "ann", "password": "sesame"}))), "user and password")
(top / "token").write_text(TOKEN + "\n")
good_if(is_read(check(config("file", user={"tokenFile": "token"}))), "a token in a file")


def plugin(name, text, **more):
    path = top / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./" + name, "interactiveMode": "Never"} | more}


credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN}}
said = top / "said"
tells = f"""echo "$1 $WHERE" > {said}; printf '%s' "$KUBERNETES_EXEC_INFO" >> {said}; echo '{json.dumps(credential)}'\n"""
r = check(config("exec", user=plugin("get-token", tells, args=["--login"], env=[{"name": "WHERE", "value": "here"}], provideClusterInfo=True)))
good_if(is_read(r), "an exec plug-in", r.stderr)
first, info = said.read_text().split("\n", 1)
info = json.loads(info)
good_if(first == "--login here" and info["kind"] == "ExecCredential" and info["spec"]["interactive"] is False
       and info["spec"]["cluster"]["server"].startswith("https://127.0.0.1"), "... gets its arguments, its environment and what it is for", said.read_text())
both = {"apiVersion": credential["apiVersion"], "kind": "ExecCredential", "status": {
    "clientCertificateData": (top / "client.crt").read_text(), "clientKeyData": (top / "client.key").read_text()}}
(top / "both.json").write_text(json.dumps(both))
good_if(is_read(check(config("execcert", user=plugin("get-cert", f"cat {top}/both.json\n")))), "an exec plug-in that gives a certificate")
stale = json.dumps(credential | {"status": {"token": "stale"}})
r = check(config("old", user=plugin("old-token", f"test -e {top}/ran && echo '{json.dumps(credential)}' || echo '{stale}'; : > {top}/ran\n")))
good_if(is_read(r), "an exec plug-in is asked once more when the server knows its token no longer", r.stderr)

# ---- where it is ----
good_if(is_read(check(config("named", cluster={"tls-server-name": "kubernetes.default.svc"}))), "tls-server-name")
good_if(is_read(check(config("insecure", cluster={"certificate-authority": None, "insecure-skip-tls-verify": True}))), "insecure-skip-tls-verify")
parts = config("users"), config("servers")
parts[0].write_text(yaml.safe_dump({"users": [{"name": "u", "user": {"token": TOKEN}}]}))
good_if(is_read(check(f"{top}/none.yaml:{parts[0]}:{parts[1]}", target="cluster:servers")), "several files are merged, and one that is not there is passed over")

# ---- kubectl as the other reader ----
kubectl = shutil.which("kubectl")
kinds = ",".join(p.rsplit("/", 1)[1] for p in OBJECTS if "secrets" not in p)
if kubectl:
    dump = subprocess.run([kubectl, "get", kinds, "-A", "-o", "json"], capture_output=True, text=True, env=dict(os.environ, KUBECONFIG=str(good), HOME=str(top)))
    (top / "dump.json").write_text(dump.stdout)
    of_dump = {(f["id"], f["severity"], f["title"]) for f in findings(run("check", "--no-schema", "-f", "json", top / "dump.json"))}
    of_cluster = {(f["id"], f["severity"], f["title"]) for f in findings(check(good))}
    good_if(of_dump == of_cluster and of_dump, "the same findings as in kubectl's dump", dump.stderr + str(of_dump ^ of_cluster)[:500])
    a, b = (run("netpol", "list", t, kubeconfig=good).stdout for t in ("cluster:", top / "dump.json"))
    good_if(a == b and a, "the same connections as in kubectl's dump", a + "\n---\n" + b)
    a, b = ({c["id"]: c["verdict"] for c in json.loads(run("comply", "cis-kubernetes", "-f", "json", t, kubeconfig=good).stdout or "{}").get("controls", [])}
            for t in ("cluster:", top / "dump.json"))
    good_if(a == b and len(a) > 100, "the same verdicts of controls as in kubectl's dump", str([(k, v, b.get(k)) for k, v in a.items() if v != b.get(k)])[:500])
else:
    tap.skip("the same findings as in kubectl's dump", "kubectl is not installed")
    tap.skip("the same connections as in kubectl's dump", "kubectl is not installed")
    tap.skip("the same verdicts of controls as in kubectl's dump", "kubectl is not installed")

# ---- what goes wrong ----


def refuses(text, kubeconfig, code=(3,), **kw):
    r = check(kubeconfig, **kw)
    good_if(r.returncode in code and text in r.stderr + r.stdout, f"refused: {text}", f"{r.returncode}: {r.stderr[:400]}{r.stdout[:400]}")
    return r


r = check(config("noroles", "noroles"))
good_if("clusterroles" in str(json.loads(r.stdout)["incomplete"]) and "403" in r.stdout and findings(r), "a list that is forbidden is told, the others are read", r.stdout[:300])
r = check(config("gone", "gone"))
good_if(is_read(r) and not json.loads(r.stdout)["incomplete"], "a list that expired between its pages is read in one go", r.stderr)
r = check(config("endless", "endless"))
good_if("continue token" in r.stdout and findings(r), "a continue token of 10,000 bytes", r.stdout[:300])
r = check(config("garbage", "garbage"))
good_if("namespaces" in str(json.loads(r.stdout)["incomplete"]) and findings(r), "a page that is no JSON", r.stdout[:300])
r = check(config("broken", "broken"), timeout=120)
good_if("not read either" in r.stdout and r.returncode == 3, "a server that breaks off", r.stderr + r.stdout[:300])
refuses("answered 401", config("unknown", user={"token": "wrong"}))
before = len(Other.heard)
check(config("elsewhere2", "elsewhere", cluster={"certificate-authority": "ca.crt"}), timeout=60)
good_if(all(h is None for h in Other.heard[before:]), "a redirect gets no credentials", str(Other.heard))
refuses("certificate", config("untrusted", cluster={"certificate-authority": "client.crt"}))
refuses("certificate", config("public", cluster={"certificate-authority": None}))
refuses("no context nowhere", good, target="cluster:nowhere")
refuses("no cluster is known", None)
refuses("is there", top / "missing.yaml")
damaged = top / "damaged.yaml"
damaged.write_text("a: [1,\n")
refuses("damaged.yaml: line", damaged)
refuses("is not base64", config("b64", user={"client-certificate-data": "***"}))
refuses("removed from Kubernetes in 1.26", config("provider", user={"auth-provider": {"name": "gcp"}}))
refuses("is not installed: see the manual", config("missing", user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plug-in",
                                                                            "installHint": "see the manual"}}))
refuses("ended with code 7: no way", config("fails", user=plugin("fails", "echo no way >&2; exit 7\n")))
refuses("no ExecCredential", config("odd", user=plugin("odd", "echo '{}'\n")))
refuses("wants a terminal", config("always", user=plugin("always", "true\n", interactiveMode="Always")))
refuses("v1alpha1", config("alpha", user=plugin("alpha", "true\n", apiVersion="client.authentication.k8s.io/v1alpha1")))
closed = http.server.HTTPServer(("127.0.0.1", 0), Other)
nobody = closed.server_port
closed.server_close()
path = config("nobody")
path.write_text(path.read_text().replace(str(PORT), str(nobody)))
start = time.time()
r = check(path, timeout=60)
good_if(r.returncode == 3 and "cluster:" in r.stdout + r.stderr, f"nobody listens ({time.time() - start:.0f} s)", r.stderr + r.stdout[:300])

shutil.rmtree(top)
tap.end()
