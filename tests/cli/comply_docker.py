"""comply_docker: a Docker host as the CIS Docker Benchmark wants it: what its daemon answers (docs/formats/docker-facts.md) and its files; and for each check changes that break it.
What is right and wrong was taken from the benchmark's questions and Docker's documentation, not from the program."""
import json

DAEMON = {"runtime": "docker",
          "settings": {"flags": {"host": ["unix:///run/docker.sock"]}, "file": {"userland-proxy": False, "no-new-privileges": True, "icc": False}},
          "info": {"Driver": "overlay2", "Debug": False, "LoggingDriver": "syslog", "LiveRestoreEnabled": True, "ExperimentalBuild": False,
                   "SecurityOptions": ["name=apparmor", "name=selinux", "name=seccomp,profile=default", "name=userns"],
                   "Plugins": {"Authorization": ["opa"]},
                   "RegistryConfig": {"IndexConfigs": {"docker.io": {"Name": "docker.io", "Secure": True}}, "InsecureRegistryCIDRs": ["127.0.0.0/8"]},
                   "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False}},
          "networks": [{"Name": "bridge", "Driver": "bridge", "Options": {"com.docker.network.bridge.enable_icc": "false"}}, {"Name": "host", "Driver": "host", "Options": {}}],
          "listeners": ["0100007F:0949", "00000000:0016"]}
CONTAINER = {"runtime": "docker", "daemon": {"answers": True, "securityOptions": DAEMON["info"]["SecurityOptions"], "settings": {"flags": {}, "file": {}}},
             "inspect": {"Config": {"User": "1000:1000", "Healthcheck": {"Test": ["CMD", "true"]}}, "AppArmorProfile": "docker-default", "ProcessLabel": "system_u:system_r:container_t:s0",
                         "HostConfig": {"CapAdd": ["NET_BIND_SERVICE"], "CapDrop": ["ALL"], "Privileged": False, "NetworkMode": "shop", "Memory": 67108864, "NanoCpus": 500000000,
                                        "CpuShares": 0, "CpuQuota": 0, "ReadonlyRootfs": True, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}, "PidMode": "",
                                        "IpcMode": "private", "UTSMode": "", "UsernsMode": "", "SecurityOpt": ["no-new-privileges"], "CgroupParent": "", "PidsLimit": 100},
                         "Mounts": [{"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True, "Propagation": "rprivate"},
                                    {"Type": "bind", "Source": "/etc/localtime", "Destination": "/etc/localtime", "RW": False, "Propagation": "rprivate"}],
                         "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "192.0.2.1", "HostPort": "8080"}], "443/tcp": None}}},
             "top": {"Titles": ["PID", "COMMAND"], "Processes": [["1", "nginx"]]}, "execs": [{}, {"ProcessConfig": {"privileged": False, "user": "1000"}}]}
IMAGE = {"runtime": "docker", "inspect": {"RepoTags": ["shop/web:1"], "Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}}
SWARM = {"LocalNodeState": "active", "ControlAvailable": True, "Managers": 3, "Cluster": {"Spec": {"EncryptionConfig": {"AutoLockManagers": True}}}}
OVERLAY = {"Name": "ingress", "Driver": "overlay", "Options": {"encrypted": ""}}


def document(kind, name, spec):
    return {"apiVersion": "bulkhead.io/v1", "kind": kind, "metadata": {"name": name}, "spec": json.loads(json.dumps(spec))}


def host(daemon=None, container=None, image=None):
    """The documents of the host, after changes."""
    documents = [document("DockerDaemon", "host", DAEMON), document("DockerContainer", "web", CONTAINER), document("DockerImage", "shop/web:1", IMAGE)]
    for change, made in zip((daemon, container, image), documents):
        if change:
            change(made["spec"])
    return documents


def at(path, value):
    """Sets a value, or, with None, removes it."""
    def change(spec):
        *way, last = path.split("/")
        for key in way:
            spec = spec[key]
        if value is None:
            spec.pop(last)
        else:
            spec[last] = value
    return change


def swarm(change=lambda spec: None):
    """A host that manages a swarm, which 5.1 is about."""
    def make(spec):
        spec["info"]["Swarm"] = json.loads(json.dumps(SWARM))
        spec["networks"].append(json.loads(json.dumps(OVERLAY)))
        change(spec)
    return make


def of_daemon(*changes):
    return [host(daemon=c) for c in changes]


def inspect(path, value):
    return host(container=at("inspect/" + path, value))


def config(path, *values):
    return [inspect("HostConfig/" + path, v) for v in values]


def mount(source, writable=True, propagation="rprivate"):
    return inspect("Mounts", [{"Type": "bind", "Source": source, "Destination": "/x", "RW": writable, "Propagation": propagation}])


def port(address, number):
    return inspect("NetworkSettings/Ports", {"80/tcp": [{"HostIp": address, "HostPort": number}]})


FILE, FLAG, INFO = "settings/file/", "settings/flags/", "info/"
C = "docker-container-"
BAD = {
    "docker-icc": of_daemon(at("networks", [{"Name": "bridge", "Driver": "bridge", "Options": {"com.docker.network.bridge.enable_icc": "true"}}]),
                            at("networks", [{"Name": "bridge", "Driver": "bridge", "Options": {}}])),
    "docker-log-level": of_daemon(at(FILE + "log-level", "debug"), at(FLAG + "log-level", ["error"]), at(INFO + "Debug", True)),
    "docker-iptables": of_daemon(at(FILE + "iptables", False), at(FLAG + "iptables", ["false"])),
    "docker-insecure-registry": of_daemon(at(INFO + "RegistryConfig/InsecureRegistryCIDRs", ["127.0.0.0/8", "10.0.0.0/8"]),
                                          at(INFO + "RegistryConfig/IndexConfigs", {"r.example:5000": {"Name": "r.example:5000", "Secure": False}})),
    "docker-aufs": of_daemon(at(INFO + "Driver", "aufs")),
    "docker-tls": of_daemon(at(FLAG + "host", ["unix:///run/docker.sock", "tcp://0.0.0.0:2375"]), at(FILE + "hosts", ["tcp://127.0.0.1:2375"]), at(FLAG + "host", ["0.0.0.0:2375"])),
    "docker-userns": of_daemon(at(INFO + "SecurityOptions", ["name=seccomp,profile=default"])),
    "docker-cgroup-parent": of_daemon(at(FILE + "cgroup-parent", "/jobs")),
    "docker-base-size": of_daemon(at(FILE + "storage-opts", ["dm.basesize=50G"]), at(FLAG + "storage-opt", ["dm.basesize=50G"])),
    "docker-authorization": of_daemon(at(INFO + "Plugins/Authorization", []), at(INFO + "Plugins", {"Authorization": None})),
    "docker-remote-logging": of_daemon(at(INFO + "LoggingDriver", "json-file"), at(INFO + "LoggingDriver", "none")),
    "docker-no-new-privileges": of_daemon(at(FILE + "no-new-privileges", None), at(FILE + "no-new-privileges", False)),
    "docker-live-restore": of_daemon(at(INFO + "LiveRestoreEnabled", False)),
    "docker-userland-proxy": of_daemon(at(FILE + "userland-proxy", None), at(FILE + "userland-proxy", True)),
    "docker-seccomp-default": of_daemon(at(INFO + "SecurityOptions", ["name=apparmor", "name=userns"]), at(INFO + "SecurityOptions", ["name=seccomp,profile=unconfined"])),
    "docker-experimental": of_daemon(at(INFO + "ExperimentalBuild", True)),
    "docker-swarm-off": of_daemon(swarm()),
    "docker-swarm-managers": of_daemon(swarm(at(INFO + "Swarm/Managers", 2))),
    "docker-swarm-bind": of_daemon(swarm(at("listeners", ["00000000:0949"])), swarm(at("listeners", ["00000000000000000000000000000000:0949"]))),
    "docker-swarm-encryption": of_daemon(swarm(at("networks", [{"Name": "ingress", "Driver": "overlay", "Options": {}}])), swarm(at("networks", [{"Name": "n", "Driver": "overlay", "Options": None}]))),
    "docker-swarm-auto-lock": of_daemon(swarm(at(INFO + "Swarm/Cluster/Spec/EncryptionConfig/AutoLockManagers", False))),
    "docker-image-healthcheck": [host(image=at("inspect/Config/Healthcheck", None)), host(image=at("inspect/Config/Healthcheck", {"Test": ["NONE"]}))],
    C + "user": [inspect("Config/User", v) for v in ("", "root", "0", "0:1000", "root:staff", "00")],
    C + "app-armor": [inspect("AppArmorProfile", v) for v in ("", "unconfined")],
    C + "selinux": [inspect("ProcessLabel", ""), inspect("HostConfig/SecurityOpt", ["label=disable"])],
    C + "capabilities": config("CapAdd", ["SYS_PTRACE"], ["NET_RAW", "CAP_SYS_ADMIN"], ["ALL"]),
    C + "privileged": config("Privileged", True),
    C + "host-folders": [mount("/etc"), mount("/etc", False), mount("/usr/local"), mount("/"), mount("/dev"), mount("/proc/sys")],
    C + "sshd": [host(container=at("top/Processes", [["1", "tini"], ["7", "sshd"]]))],
    C + "low-ports": [port("192.0.2.1", "80"), port("192.0.2.1", "1023")],
    C + "host-network": config("NetworkMode", "host"),
    C + "memory": config("Memory", 0),
    C + "cpu": config("NanoCpus", 0),
    C + "read-only": config("ReadonlyRootfs", False),
    C + "bind-address": [port(v, "8080") for v in ("", "0.0.0.0", "::")],
    C + "restart": config("RestartPolicy", {"Name": "always", "MaximumRetryCount": 0}, {"Name": "unless-stopped"}, {"Name": "on-failure", "MaximumRetryCount": 6},
                          {"Name": "on-failure", "MaximumRetryCount": 0}),
    C + "host-pid": config("PidMode", "host"),
    C + "host-ipc": config("IpcMode", "host"),
    C + "propagation": [mount("/srv", True, "shared"), mount("/srv", True, "rshared")],
    C + "host-uts": config("UTSMode", "host"),
    C + "seccomp": config("SecurityOpt", ["seccomp=unconfined"], ["seccomp:unconfined"]) + config("Privileged", True),
    C + "cgroup": config("CgroupParent", "/jobs"),
    C + "new-privileges": config("SecurityOpt", None, [], ["no-new-privileges=false"]),
    C + "healthcheck": [inspect("Config/Healthcheck", None), inspect("Config/Healthcheck", {"Test": ["NONE"]})],
    C + "pids": config("PidsLimit", None, 0, -1),
    C + "default-bridge": config("NetworkMode", "default", "bridge"),
    C + "host-userns": config("UsernsMode", "host"),
    C + "socket": [mount("/var/run/docker.sock"), mount("/run", False), mount("/run/containerd/containerd.sock")],
    "docker-exec-privileged": [host(container=at("execs", [{}, {"ProcessConfig": {"privileged": True, "user": "0"}}]))],
}


def good(check):
    """What the check finds nothing wrong with."""
    return host(daemon=swarm()) if check.startswith("docker-swarm-") and check != "docker-swarm-off" else host()


# ---- the host's files: path -> (text, mode, is the group "docker") ----

GROUP_ID = 4321
AUDITED = ["/usr/bin/dockerd", "/run/containerd", "/var/lib/docker", "/etc/docker", "/usr/lib/systemd/system/docker.service", "/usr/lib/systemd/system/docker.socket",
           "/etc/default/docker", "/etc/containerd/config.toml", "/etc/sysconfig/docker", "/usr/bin/containerd", "/usr/bin/containerd-shim", "/usr/bin/containerd-shim-runc-v1",
           "/usr/bin/containerd-shim-runc-v2", "/usr/bin/runc"]
RULES = "/etc/audit/rules.d/docker.rules"
FILES = {
    **{path: ("x\n", 0o755, False) for path in AUDITED if path.startswith("/usr/bin/")},
    "/usr/lib/systemd/system/docker.service": ("[Service]\nExecStart=/usr/bin/dockerd\n", 0o644, False),
    "/usr/lib/systemd/system/docker.socket": ("[Socket]\nListenStream=/run/docker.sock\n", 0o644, False),
    "/etc/docker/daemon.json": (json.dumps({"tlscacert": "/etc/docker/tls/ca.pem", "tlscert": "/etc/docker/tls/cert.pem", "tlskey": "/etc/docker/tls/key.pem"}), 0o644, False),
    "/etc/docker/certs.d/r.example/ca.crt": ("x\n", 0o444, False),
    "/etc/docker/tls/ca.pem": ("x\n", 0o444, False), "/etc/docker/tls/cert.pem": ("x\n", 0o444, False), "/etc/docker/tls/key.pem": ("x\n", 0o400, False),
    "/run/docker.sock": ("", 0o660, True), "/run/containerd/containerd.sock": ("", 0o660, False),
    "/etc/default/docker": ("x\n", 0o644, False), "/etc/sysconfig/docker": ("x\n", 0o644, False),
    "/var/lib/docker/x": ("x\n", 0o600, False),
    "/etc/environment": ("DOCKER_CONTENT_TRUST=1\n", 0o644, False),
    "/proc/1/mountinfo": ("22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 254:16 / /var/lib/docker rw - ext4 /dev/vdb rw\n", 0o644, False),
    RULES: ("# ours\n" + "".join(f"-w {path} -p wa -k docker\n" for path in AUDITED), 0o640, False),
    "/etc/audit/rules.d/more.rules": ("-a always,exit -F arch=b64 -F path=/run/containerd/containerd.sock -F perm=rwxa -k docker\n", 0o640, False),
}


def text(path, change):
    def do(node):
        old = node.docker[path]
        node.docker[path] = (change(old[0]), *old[1:])
    return do


def without(path, watched):
    """No rule names the path any more, nor a folder that it lies in."""
    return text(path, lambda t: "".join(l for l in t.splitlines(True) if not any(f" {w} " in l or f"={w} " in l for w in watched)))


BREAKS = {
    "docker-own-partition": [
        text("/proc/1/mountinfo", lambda t: t.split("\n", 1)[0] + "\n"),
        # dockerd mounts its folder on itself
        text("/proc/1/mountinfo", lambda t: t.split("\n", 1)[0] + "\n41 22 254:0 /var/lib/docker /var/lib/docker rw - ext4 /dev/vda rw\n")],
    "docker-group-members": [lambda node: node.groups.update(docker="alice,bob")],
    "docker-content-trust": [text("/etc/environment", lambda t: "DOCKER_CONTENT_TRUST=0\n"), text("/etc/environment", lambda t: "#DOCKER_CONTENT_TRUST=1\n")],
    "docker-audit-containerd-socket": [lambda node: [without("/etc/audit/rules.d/more.rules", ["/run/containerd/containerd.sock"])(node), without(RULES, ["/run/containerd"])(node)]],
    "docker-audit-daemon-json": [without(RULES, ["/etc/docker"])],
    "docker-audit-daemon": [without(RULES, ["/usr/bin/dockerd"]), text(RULES, lambda t: t.replace("/usr/bin/dockerd -p wa", "/usr/bin/dockerd -p r")),
                            text(RULES, lambda t: t.replace("-w /usr/bin/dockerd ", "#-w /usr/bin/dockerd ")),
                            text(RULES, lambda t: t.replace("-w /usr/bin/dockerd -p wa", "-a never,exit -F path=/usr/bin/dockerd -F perm=wa"))],
}
for name, path in {"run-containerd": "/run/containerd", "data": "/var/lib/docker", "etc-docker": "/etc/docker", "service": "/usr/lib/systemd/system/docker.service",
                   "socket-unit": "/usr/lib/systemd/system/docker.socket", "default": "/etc/default/docker", "containerd-config": "/etc/containerd/config.toml",
                   "sysconfig": "/etc/sysconfig/docker", "containerd": "/usr/bin/containerd", "shim": "/usr/bin/containerd-shim", "shim-runc-v1": "/usr/bin/containerd-shim-runc-v1",
                   "shim-runc-v2": "/usr/bin/containerd-shim-runc-v2", "runc": "/usr/bin/runc"}.items():
    BREAKS[f"docker-audit-{name}"] = [without(RULES, [path])]
PROTECTED = {"docker-service": "/usr/lib/systemd/system/docker.service", "docker-socket-unit": "/usr/lib/systemd/system/docker.socket",
             "docker-registry-certificates": "/etc/docker/certs.d/r.example/ca.crt", "docker-ca": "/etc/docker/tls/ca.pem", "docker-server-certificate": "/etc/docker/tls/cert.pem",
             "docker-server-key": "/etc/docker/tls/key.pem", "docker-socket": "/run/docker.sock", "docker-daemon-json": "/etc/docker/daemon.json",
             "docker-default": "/etc/default/docker", "docker-sysconfig": "/etc/sysconfig/docker", "containerd-socket": "/run/containerd/containerd.sock",
             "docker-folder": "/etc/docker"}
for name, path in PROTECTED.items():
    wider = {"docker-folder": 0o775, "docker-server-key": 0o440, "docker-socket": 0o666, "containerd-socket": 0o664}.get(name, 0o664)
    BREAKS[f"file-{name}-mode"] = [lambda node, path=path, wider=wider: node.modes.update({path: wider})]
    BREAKS[f"file-{name}-owner"] = [lambda node, path=path: node.owners.update({path: (12345, 12345)})]
