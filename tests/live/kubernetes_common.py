"""kubernetes_common: the real API server of Kubernetes over etcd, on loopback, without the controllers of a cluster. It ends with the test."""
import contextlib
import json
import pathlib
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import go_oracle
from sources_common import Daemon, free_port, listening, need

ADMIN = "admin-token"
STARTS_WITHIN_S = 90
SETTLES_WITHIN_S = 30


class Answer:
    def __init__(self, code, body):
        self.code, self.body = code, body
        self.message = body.get("message", "") if isinstance(body, dict) else ""


class Cluster:
    """request(), create(), kinds; kubeconfig() for programs."""

    def __init__(self, folder):
        need("etcd", "openssl")
        self.folder = pathlib.Path(folder)
        self.program = go_oracle.build("apiserver")
        self.tokens = {ADMIN: "admin,admin,system:masters"}
        self.daemons = []
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE
        self._kinds = {}

    def start(self):
        port = free_port()
        storage, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
        subprocess.run(["openssl", "genrsa", "-out", "sa.key", "2048"], cwd=self.folder, check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text("".join(f"{token},{who}\n" for token, who in self.tokens.items()))
        self.daemons.append(Daemon(["etcd", "--data-dir", "etcd", "--listen-client-urls", storage, "--advertise-client-urls", storage, "--listen-peer-urls", peers,
                                    "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}", "--unsafe-no-fsync"],
                                   self.folder / "etcd.log", listening(port), cwd=self.folder))
        self.daemons.append(Daemon([self.program, f"--etcd-servers={storage}", f"--secure-port={self.port}", "--bind-address=127.0.0.1", "--cert-dir=certificates",
                                    "--service-account-key-file=sa.key", "--service-account-signing-key-file=sa.key", "--token-auth-file=tokens.csv",
                                    "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC",
                                    "--service-cluster-ip-range=10.0.0.0/16", "--allow-privileged=true"],
                                   self.folder / "apiserver.log", self._is_ready, STARTS_WITHIN_S, cwd=self.folder))
        return self

    def _is_ready(self):
        with contextlib.suppress(OSError):
            return self.request("GET", "/readyz").code == 200
        return False

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.stop()

    def request(self, method, path, body=None, token=ADMIN, kind="application/json", impersonate=None):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": "application/json"}
        if impersonate:
            headers["Impersonate-User"] = impersonate
        r = urllib.request.Request(self.url + path, method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(r, context=self.tls, timeout=30) as a:
                code, text = a.status, a.read()
        except urllib.error.HTTPError as e:
            code, text = e.code, e.read()
        try:
            return Answer(code, json.loads(text))
        except ValueError:
            return Answer(code, text.decode(errors="replace"))

    def _resource(self, o):
        """(path of the version, plural, namespaced) of an object; None when the server has no such kind."""
        version = o["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in self._kinds:
            found = self.request("GET", root)
            self._kinds[version] = {r["kind"]: (r["name"], r["namespaced"]) for r in found.body["resources"] if "/" not in r["name"]} if found.code == 200 else {}
        return (root, *self._kinds[version][o["kind"]]) if o["kind"] in self._kinds[version] else None

    def path(self, o, query=""):
        """Where objects of that kind and namespace are; None when the server has no such kind."""
        found = self._resource(o)
        if not found:
            return None
        root, plural, namespaced = found
        return f"{root}/namespaces/{o['metadata'].get('namespace', 'default')}/{plural}{query}" if namespaced else f"{root}/{plural}{query}"

    def create(self, o, token=ADMIN, dry_run=False):
        path = self.path(o, "?dryRun=All" if dry_run else "")
        return self.request("POST", path, o, token) if path else Answer(404, {"message": f"no kind {o['kind']} in {o['apiVersion']}"})

    def replace(self, o, token=ADMIN, dry_run=False):
        return self.request("PUT", f"{self.path(o)}/{o['metadata']['name']}{'?dryRun=All' if dry_run else ''}", o, token)

    def delete(self, o, token=ADMIN):
        return self.request("DELETE", f"{self.path(o)}/{o['metadata']['name']}", token=token)

    def namespace(self, name, labels=None):
        """Made when it is not there."""
        if self.request("GET", f"/api/v1/namespaces/{name}").code == 404:
            self.request("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}})
        self.account(name, "default")

    def account(self, namespace, name):
        """What the controller of service accounts does in a cluster."""
        self.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})

    def token(self, namespace, name):
        """Of a service account, as kubectl create token asks for it."""
        a = self.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        return a.body["status"]["token"]

    def kubeconfig(self, token=ADMIN):
        path = self.folder / f"kubeconfig-{len(list(self.folder.glob('kubeconfig-*')))}"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url, "certificate-authority": str(self.folder / "certificates/apiserver.crt")}}],
            "users": [{"name": "test", "user": {"token": token}}], "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        return path


@contextlib.contextmanager
def cluster(**tokens):
    """A running server; tokens: further ones, as "name,uid,groups" by their text."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-cluster-") as folder:
        c = Cluster(folder)
        c.tokens.update(tokens)
        try:
            yield c.start()
        finally:
            c.stop()


def settle(condition):
    """Waits until it is true: policies are compiled a moment after they are stored."""
    end = time.monotonic() + SETTLES_WITHIN_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False
