"""comply_node: a node in a folder, as kubeadm sets one up and the CIS benchmark wants it, and for each check a change that breaks it. What is right and wrong was
taken from the benchmark's own words and Kubernetes' reference of flags, not from the program."""
import json
import os
import pathlib

import comply_docker
import comply_engines

APISERVER = {
    "anonymous-auth": "false", "authorization-mode": "Node,RBAC", "client-ca-file": "/etc/kubernetes/pki/ca.crt",
    "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs,EventRateLimit,AlwaysPullImages",
    "kubelet-client-certificate": "/etc/kubernetes/pki/apiserver-kubelet-client.crt", "kubelet-client-key": "/etc/kubernetes/pki/apiserver-kubelet-client.key",
    "kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt", "profiling": "false", "audit-log-path": "/var/log/audit.log", "audit-log-maxage": "30",
    "audit-log-maxbackup": "10", "audit-log-maxsize": "100", "audit-policy-file": "/etc/kubernetes/audit.yaml", "request-timeout": "300s",
    "service-account-key-file": "/etc/kubernetes/pki/sa.pub", "etcd-certfile": "/etc/kubernetes/pki/apiserver-etcd-client.crt",
    "etcd-keyfile": "/etc/kubernetes/pki/apiserver-etcd-client.key", "etcd-cafile": "/etc/kubernetes/pki/etcd/ca.crt",
    "tls-cert-file": "/etc/kubernetes/pki/apiserver.crt", "tls-private-key-file": "/etc/kubernetes/pki/apiserver.key",
    "encryption-provider-config": "/etc/kubernetes/encryption.yaml", "tls-cipher-suites": "TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "service-account-extend-token-expiration": "false",
}
CONTROLLER_MANAGER = {
    "terminated-pod-gc-threshold": "10", "profiling": "false", "use-service-account-credentials": "true",
    "service-account-private-key-file": "/etc/kubernetes/pki/sa.key", "root-ca-file": "/etc/kubernetes/pki/ca.crt", "bind-address": "127.0.0.1",
    "kubeconfig": "/etc/kubernetes/controller-manager.conf",
}
SCHEDULER = {"profiling": "false", "bind-address": "127.0.0.1", "kubeconfig": "/etc/kubernetes/scheduler.conf"}
ETCD = {
    "cert-file": "/etc/kubernetes/pki/etcd/server.crt", "key-file": "/etc/kubernetes/pki/etcd/server.key", "client-cert-auth": "true",
    "peer-cert-file": "/etc/kubernetes/pki/etcd/peer.crt", "peer-key-file": "/etc/kubernetes/pki/etcd/peer.key", "peer-client-cert-auth": "true",
    "trusted-ca-file": "/etc/kubernetes/pki/etcd/ca.crt", "data-dir": "/var/lib/etcd",
}
PROXY = {"config": "/var/lib/kube-proxy/config.conf.yaml"}
KUBELET = {"kubeconfig": "/etc/kubernetes/kubelet.conf", "config": "/var/lib/kubelet/config.yaml"}
KUBELET_CONFIG = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
    "authorization": {"mode": "Webhook"}, "readOnlyPort": 0, "streamingConnectionIdleTimeout": "5m", "makeIPTablesUtilChains": True, "eventRecordQPS": 5,
    "rotateCertificates": True, "serverTLSBootstrap": True, "featureGates": {"RotateKubeletServerCertificate": True},
    "tlsCipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], "podPidsLimit": 4096, "seccompDefault": True,
}
PROXY_CONFIG = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "metricsBindAddress": "127.0.0.1:10249"}
ENCRYPTION = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
              "resources": [{"resources": ["secrets"], "providers": [{"secretbox": {"keys": [{"name": "k", "secret": "x"}]}}, {"identity": {}}]}]}
AUDIT = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [
    {"level": "None", "users": ["system:kube-proxy"]},
    {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "configmaps"]}, {"group": "authentication.k8s.io", "resources": ["tokenreviews"]}]},
    {"level": "RequestResponse", "resources": [{"group": "", "resources": ["pods", "pods/*", "services/*"]}]},
    {"level": "Metadata"}]}
CREDENTIALS = ["admin.conf", "super-admin.conf", "scheduler.conf", "controller-manager.conf", "kubelet.conf"]
PKI = ["ca.crt", "ca.key", "apiserver.crt", "apiserver.key", "sa.key", "etcd/ca.crt", "etcd/ca.key"]
ETCD_ID = 2379


class Node:
    """Change what is in here, then write it."""

    def __init__(self):
        self.flags = {"kube-apiserver": dict(APISERVER), "kube-controller-manager": dict(CONTROLLER_MANAGER), "kube-scheduler": dict(SCHEDULER),
                      "etcd": dict(ETCD), "kube-proxy": dict(PROXY), "kubelet": dict(KUBELET)}
        copy = lambda document: json.loads(json.dumps(document))
        self.documents = {"/var/lib/kubelet/config.yaml": copy(KUBELET_CONFIG), "/var/lib/kube-proxy/config.conf.yaml": copy(PROXY_CONFIG),
                          "/etc/kubernetes/encryption.yaml": copy(ENCRYPTION), "/etc/kubernetes/audit.yaml": copy(AUDIT)}
        self.modes, self.owners, self.docker, self.groups = {}, {}, dict(comply_docker.FILES), {"docker": ""}
        self.engines = dict(comply_engines.FILES)

    def flag(self, program, name, value):
        if value is None:
            self.flags[program].pop(name, None)
        else:
            self.flags[program][name] = value

    def setting(self, path, dotted, value):
        """Sets or, with None, removes a value in a document."""
        at, *rest = dotted.split("."), None
        place = self.documents[path]
        for key in at[:-1]:
            place = place[key]
        if value is None:
            place.pop(at[-1], None)
        else:
            place[at[-1]] = value

    def _put(self, root, path, text, mode=0o600, owner=(0, 0)):
        file = pathlib.Path(str(root) + path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(self.modes.get(path, mode))
        if os.geteuid() == 0:
            os.chown(file, *self.owners.get(path, owner))

    def _manifest(self, root, program):
        command = [program, *(f"--{k}={v}" for k, v in self.flags[program].items())]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": program, "namespace": "kube-system"},
               "spec": {"hostNetwork": True, "containers": [{"name": program, "image": "registry.k8s.io/x:1", "command": command}]}}
        self._put(root, f"/etc/kubernetes/manifests/{program}.yaml", json.dumps(pod, indent=1))

    def write(self, root):
        for program in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy"):
            self._manifest(root, program)
        for path, document in self.documents.items():
            self._put(root, path, json.dumps(document, indent=1))
        flags = " ".join(f"--{k}={v}" for k, v in self.flags["kubelet"].items() if k != "config")
        self._put(root, "/usr/lib/systemd/system/kubelet.service", "[Unit]\nDescription=kubelet\n[Service]\nExecStart=/usr/bin/kubelet\n")
        self._put(root, "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                  f'[Service]\nEnvironment="KUBELET_KUBECONFIG_ARGS={flags}"\nEnvironment="KUBELET_CONFIG_ARGS=--config={self.flags["kubelet"]["config"]}"\n'
                  "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\nExecStart=\n"
                  "ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS\n")
        self._put(root, "/var/lib/kubelet/kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=registry.k8s.io/pause:3.10"\n')
        for name in CREDENTIALS:
            self._put(root, f"/etc/kubernetes/{name}", "apiVersion: v1\nkind: Config\n")
        self._put(root, "/etc/kubernetes/proxy.conf", "apiVersion: v1\nkind: Config\n")
        for name in PKI:
            self._put(root, f"/etc/kubernetes/pki/{name}", "x\n", 0o644 if name.endswith(".crt") else 0o600)
        self._put(root, "/etc/cni/net.d/10-calico.conflist", "{}\n")
        self._put(root, "/etc/passwd", f"root:x:0:0::/root:/bin/sh\netcd:x:{ETCD_ID}:{ETCD_ID}::/var/lib/etcd:/usr/sbin/nologin\n", 0o644)
        self._put(root, "/etc/group", f"root:x:0:\netcd:x:{ETCD_ID}:\ndocker:x:{comply_docker.GROUP_ID}:{self.groups['docker']}\n", 0o644)
        self._put(root, "/var/lib/etcd/member", "x\n", 0o600, (ETCD_ID, ETCD_ID))
        for path, (text, mode, is_dockers) in self.docker.items():
            self._put(root, path, text, mode, (0, comply_docker.GROUP_ID if is_dockers else 0))
        for path, (text, mode) in self.engines.items():
            self._put(root, path, text, mode)
        for path, mode in comply_engines.FOLDERS.items():
            folder = pathlib.Path(f"{root}{path}")
            folder.chmod(self.modes.get(path, mode))
            if os.geteuid() == 0:
                os.chown(folder, *self.owners.get(path, (0, 0)))
        folder = pathlib.Path(f"{root}/etc/docker")
        folder.chmod(self.modes.get("/etc/docker", 0o755))
        for path in [folder, *folder.rglob("*")]:
            if os.geteuid() == 0 and path.is_dir():
                os.chown(path, *self.owners.get(str(path)[len(str(root)):], (0, 0)))
                path.chmod(self.modes.get(str(path)[len(str(root)):], 0o444 if "certs.d" in str(path) else 0o755))
        data = pathlib.Path(f"{root}/var/lib/etcd")
        data.chmod(self.modes.get("/var/lib/etcd", 0o700))
        if os.geteuid() == 0:
            os.chown(data, *self.owners.get("/var/lib/etcd", (ETCD_ID, ETCD_ID)))
            for folder in ("/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"):
                os.chown(str(root) + folder, 0, 0)


def flag(program, name, value):
    return lambda node: node.flag(program, name, value)


def kubelet(dotted, value):
    return lambda node: node.setting("/var/lib/kubelet/config.yaml", dotted, value)


def document(path, dotted, value):
    return lambda node: node.setting(path, dotted, value)


def mode(path, value):
    return lambda node: node.modes.update({path: value})


def owner(path):
    return lambda node: node.owners.update({path: (12345, 12345)})


API, MANAGER = "kube-apiserver", "kube-controller-manager"
AUDIT_FILE, ENCRYPTION_FILE = "/etc/kubernetes/audit.yaml", "/etc/kubernetes/encryption.yaml"

# What breaks each check. Several: each alone does.
BREAKS = {
    "apiserver-anonymous-auth": [flag(API, "anonymous-auth", "true"), flag(API, "anonymous-auth", None)],
    "apiserver-token-auth-file": [flag(API, "token-auth-file", "/etc/kubernetes/tokens.csv")],
    "apiserver-external-ips": [flag(API, "enable-admission-plugins", "NodeRestriction")],
    "apiserver-kubelet-client": [flag(API, "kubelet-client-certificate", None), flag(API, "kubelet-client-key", None)],
    "apiserver-kubelet-ca": [flag(API, "kubelet-certificate-authority", None)],
    "apiserver-always-allow": [flag(API, "authorization-mode", "AlwaysAllow"), flag(API, "authorization-mode", "Node,AlwaysAllow"),
                               flag(API, "authorization-mode", None)],
    "apiserver-node-authorizer": [flag(API, "authorization-mode", "RBAC")],
    "apiserver-rbac": [flag(API, "authorization-mode", "Node")],
    "apiserver-event-rate-limit": [flag(API, "enable-admission-plugins", "NodeRestriction")],
    "apiserver-always-admit": [flag(API, "enable-admission-plugins", "NodeRestriction,AlwaysAdmit")],
    "apiserver-always-pull-images": [flag(API, "enable-admission-plugins", None)],
    "apiserver-service-account-plugin": [flag(API, "disable-admission-plugins", "ServiceAccount")],
    "apiserver-namespace-lifecycle": [flag(API, "disable-admission-plugins", "PersistentVolumeLabel,NamespaceLifecycle")],
    "apiserver-node-restriction": [flag(API, "enable-admission-plugins", "EventRateLimit"), flag(API, "enable-admission-plugins", None)],
    "apiserver-profiling": [flag(API, "profiling", "true"), flag(API, "profiling", None)],
    "apiserver-audit-log": [flag(API, "audit-log-path", None)],
    "apiserver-audit-age": [flag(API, "audit-log-maxage", "29"), flag(API, "audit-log-maxage", None)],
    "apiserver-audit-backups": [flag(API, "audit-log-maxbackup", "9")],
    "apiserver-audit-size": [flag(API, "audit-log-maxsize", "99")],
    "apiserver-request-timeout": [flag(API, "request-timeout", "1h"), flag(API, "request-timeout", "0s"), flag(API, "request-timeout", "5m1s")],
    "apiserver-service-account-lookup": [flag(API, "service-account-lookup", "false")],
    "apiserver-service-account-key": [flag(API, "service-account-key-file", None)],
    "apiserver-etcd-client": [flag(API, "etcd-certfile", None), flag(API, "etcd-keyfile", None)],
    "apiserver-tls": [flag(API, "tls-cert-file", None), flag(API, "tls-private-key-file", None)],
    "apiserver-client-ca": [flag(API, "client-ca-file", None)],
    "apiserver-etcd-ca": [flag(API, "etcd-cafile", None)],
    "apiserver-encryption": [flag(API, "encryption-provider-config", None)],
    "apiserver-encryption-providers": [
        flag(API, "encryption-provider-config", None),
        document(ENCRYPTION_FILE, "resources", [{"resources": ["secrets"], "providers": [{"identity": {}}, {"aescbc": {"keys": []}}]}]),
        document(ENCRYPTION_FILE, "resources", [{"resources": ["configmaps"], "providers": [{"aescbc": {"keys": []}}]}])],
    "apiserver-ciphers": [flag(API, "tls-cipher-suites", None), flag(API, "tls-cipher-suites", "TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA")],
    "apiserver-token-extension": [flag(API, "service-account-extend-token-expiration", "true"), flag(API, "service-account-extend-token-expiration", None)],
    "apiserver-audit-policy": [flag(API, "audit-policy-file", None), document(AUDIT_FILE, "rules", [{"level": "None"}]), document(AUDIT_FILE, "rules", [])],
    "apiserver-audit-coverage": [
        flag(API, "audit-policy-file", None),
        document(AUDIT_FILE, "rules", [{"level": "RequestResponse"}]),
        document(AUDIT_FILE, "rules", [{"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]}]),
        document(AUDIT_FILE, "rules", [{"level": "None", "resources": [{"group": "", "resources": ["pods/*"]}]}, {"level": "Metadata"}]),
        document(AUDIT_FILE, "rules", [{"level": "Metadata", "users": ["alice"]}]),
        document(AUDIT_FILE, "rules", [{"level": "None", "verbs": ["delete"]}, {"level": "Metadata"}])],
    "controller-manager-pod-gc": [flag(MANAGER, "terminated-pod-gc-threshold", "0")],
    "controller-manager-profiling": [flag(MANAGER, "profiling", "true"), flag(MANAGER, "profiling", None)],
    "controller-manager-service-accounts": [flag(MANAGER, "use-service-account-credentials", "false"), flag(MANAGER, "use-service-account-credentials", None)],
    "controller-manager-service-account-key": [flag(MANAGER, "service-account-private-key-file", None)],
    "controller-manager-root-ca": [flag(MANAGER, "root-ca-file", None)],
    "controller-manager-rotation": [flag(MANAGER, "feature-gates", "A=true,RotateKubeletServerCertificate=false")],
    "controller-manager-bind": [flag(MANAGER, "bind-address", "0.0.0.0"), flag(MANAGER, "bind-address", None)],
    "scheduler-profiling": [flag("kube-scheduler", "profiling", "true"), flag("kube-scheduler", "profiling", None)],
    "scheduler-bind": [flag("kube-scheduler", "bind-address", "10.0.0.1"), flag("kube-scheduler", "bind-address", None)],
    "etcd-tls": [flag("etcd", "cert-file", None), flag("etcd", "key-file", None)],
    "etcd-client-auth": [flag("etcd", "client-cert-auth", "false"), flag("etcd", "client-cert-auth", None)],
    "etcd-auto-tls": [flag("etcd", "auto-tls", "true")],
    "etcd-peer-tls": [flag("etcd", "peer-cert-file", None), flag("etcd", "peer-key-file", None)],
    "etcd-peer-client-auth": [flag("etcd", "peer-client-cert-auth", None)],
    "etcd-peer-auto-tls": [flag("etcd", "peer-auto-tls", "true")],
    "etcd-own-ca": [flag("etcd", "trusted-ca-file", "/etc/kubernetes/pki/ca.crt"), flag("etcd", "trusted-ca-file", None)],
    "kubelet-anonymous-auth": [kubelet("authentication.anonymous.enabled", True), flag("kubelet", "anonymous-auth", "true")],
    "kubelet-always-allow": [kubelet("authorization.mode", "AlwaysAllow"), flag("kubelet", "authorization-mode", "AlwaysAllow")],
    "kubelet-client-ca": [kubelet("authentication.x509.clientCAFile", None)],
    "kubelet-read-only-port": [kubelet("readOnlyPort", 10255), flag("kubelet", "read-only-port", "10255")],
    "kubelet-idle-timeout": [flag("kubelet", "streaming-connection-idle-timeout", "0"), flag("kubelet", "streaming-connection-idle-timeout", "0s")],
    "kubelet-iptables": [kubelet("makeIPTablesUtilChains", False)],
    "kubelet-hostname": [flag("kubelet", "hostname-override", "other")],
    "kubelet-event-rate": [kubelet("eventRecordQPS", -1)],
    "kubelet-rotation": [kubelet("rotateCertificates", False), kubelet("rotateCertificates", None)],
    "kubelet-server-rotation": [kubelet("featureGates", {"RotateKubeletServerCertificate": False})],
    "kubelet-pids": [kubelet("podPidsLimit", -1), kubelet("podPidsLimit", None)],
    "kubelet-seccomp": [kubelet("seccompDefault", False), kubelet("seccompDefault", None)],
    "kubelet-tls": [kubelet("serverTLSBootstrap", False), kubelet("serverTLSBootstrap", None)],
    "kubelet-ciphers": [kubelet("tlsCipherSuites", None), kubelet("tlsCipherSuites", ["TLS_RSA_WITH_AES_128_GCM_SHA256"])],
    "proxy-metrics": [document("/var/lib/kube-proxy/config.conf.yaml", "metricsBindAddress", "0.0.0.0:10249")],
}
for name, path in {
        "apiserver-manifest": "/etc/kubernetes/manifests/kube-apiserver.yaml", "controller-manager-manifest": "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        "scheduler-manifest": "/etc/kubernetes/manifests/kube-scheduler.yaml", "etcd-manifest": "/etc/kubernetes/manifests/etcd.yaml",
        "cni": "/etc/cni/net.d/10-calico.conflist", "admin-conf": "/etc/kubernetes/super-admin.conf", "scheduler-conf": "/etc/kubernetes/scheduler.conf",
        "controller-manager-conf": "/etc/kubernetes/controller-manager.conf", "kubelet-service": "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        "proxy-conf": "/etc/kubernetes/proxy.conf", "kubelet-conf": "/etc/kubernetes/kubelet.conf", "kubelet-config": "/var/lib/kubelet/config.yaml",
        "pki-keys": "/etc/kubernetes/pki/etcd/ca.key"}.items():
    BREAKS[f"file-{name}-mode"] = [mode(path, 0o640), mode(path, 0o604)]
    BREAKS[f"file-{name}-owner"] = [owner(path)]
BREAKS["file-pki-certificates-mode"] = [mode("/etc/kubernetes/pki/etcd/ca.crt", 0o664)]
BREAKS["file-kubelet-ca-mode"] = [mode("/etc/kubernetes/pki/ca.crt", 0o646)]
BREAKS["file-kubelet-ca-owner"] = [owner("/etc/kubernetes/pki/ca.crt")]
BREAKS["file-pki-owner"] = [owner("/etc/kubernetes/pki/etcd/ca.crt"), owner("/etc/kubernetes/pki/sa.key")]
BREAKS["file-etcd-data-mode"] = [mode("/var/lib/etcd", 0o750)]
BREAKS["file-etcd-data-owner"] = [owner("/var/lib/etcd")]
BREAKS.update(comply_docker.BREAKS)
BREAKS.update(comply_engines.BREAKS)
