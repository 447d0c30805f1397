"""comply_engines: the files of a host with containerd, CRI-O and Podman as their manuals and the CIS Docker Benchmark's questions want them, and for each check changes
that break it. What is right and wrong was taken from containerd's docs/cri/config.md and docs/hosts.md, crio.conf(5), containers.conf(5), containers-storage.conf(5),
containers-registries.conf(5) and containers-policy.json(5), not from the program. tests/live/engines.py has the programs themselves read such files."""
CONTAINERD, HOSTS = "/etc/containerd/config.toml", "/etc/containerd/certs.d/r.example/hosts.toml"
CONTAINERS, REGISTRIES = "/etc/containers/containers.conf", "/etc/containers/registries.conf"
STORAGE, POLICY, CRIO = "/etc/containers/storage.conf", "/etc/containers/policy.json", "/etc/crio/crio.conf"
RULES = "/etc/audit/rules.d/podman.rules"
AUDITED = {"podman": "/usr/bin/podman", "conmon": "/usr/bin/conmon", "crun": "/usr/bin/crun", "config": "/etc/containers", "data": "/var/lib/containers",
           "service": "/usr/lib/systemd/system/podman.service", "socket-unit": "/usr/lib/systemd/system/podman.socket"}
UNIT = "[Service]\nExecStart=/usr/bin/podman $LOGGING system service\n"
SOCKET = "[Socket]\nListenStream=%t/podman/podman.sock\n"

# path -> text and mode
FILES = {
    CONTAINERD: ('version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n[plugins."io.containerd.grpc.v1.cri"]\n  enable_selinux = true\n'
                 '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n', 0o644),
    "/etc/containerd/conf.d/10-debug.toml": ('version = 2\n[debug]\n  level = "info"\n', 0o644),
    HOSTS: ('server = "https://r.example"\n[host."https://r.example"]\n  ca = "/etc/containerd/certs.d/r.example/ca.crt"\n', 0o444),
    "/usr/lib/systemd/system/containerd.service": ("[Service]\nExecStart=/usr/bin/containerd\n", 0o644),
    "/var/lib/containerd/x": ("x\n", 0o600),
    "/etc/selinux/config": ("# a comment\nSELINUX=enforcing\n", 0o644),
    "/usr/bin/crio": ("x\n", 0o755),
    CRIO: ("[crio.runtime]\npids_limit = 1024\n", 0o644),
    "/usr/bin/podman": ("x\n", 0o755), "/usr/bin/conmon": ("x\n", 0o755), "/usr/bin/crun": ("x\n", 0o755),
    AUDITED["service"]: (UNIT, 0o644), AUDITED["socket-unit"]: (SOCKET, 0o644), "/run/podman/podman.sock": ("", 0o660),
    CONTAINERS: ('[containers]\nuserns = "auto"\npids_limit = 1000\ndefault_capabilities = [\n  "CHOWN",\n  "CAP_KILL",\n]\n[engine]\n'
                 'events_logger = "journald"\n', 0o644),
    STORAGE: ('[storage]\ndriver = "overlay"\n[storage.options.overlay]\nmountopt = "nodev,metacopy=on"\n', 0o644),
    REGISTRIES: ('unqualified-search-registries = ["r.example", "docker.io"]\nshort-name-mode = "enforcing"\n[[registry]]\nlocation = "r.example"\n'
                 '[[registry.mirror]]\nlocation = "mirror.example"\n', 0o644),
    POLICY: ('{"default": [{"type": "reject"}],\n "transports": {"docker": {"r.example": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]},\n'
             ' "docker-daemon": {"": [{"type": "insecureAcceptAnything"}]}}}\n', 0o644),
    "/etc/containers/certs.d/r.example/ca.crt": ("x\n", 0o644), "/etc/containers/certs.d/r.example/client.key": ("x\n", 0o600), "/etc/containers/oci/hooks.d/a.json": ("{}\n", 0o644), "/run/containers/0/auth.json": ("{}\n", 0o600),
    "/etc/subuid": ("alice:100000:65536\nbob:165536:65536\nalice:231072:65536\ncontainers:2147483647:2147483648\n", 0o644), "/etc/subgid": ("alice:100000:65536\n", 0o644),
    "/var/lib/containers/storage/x": ("x\n", 0o600),
    RULES: ("".join(f"-w {path} -p wa -k containers\n" for path in AUDITED.values()), 0o640),
}
FOLDERS = {"/var/lib/containerd": 0o711, "/var/lib/containers/storage": 0o700}


def put(path, text, mode=0o644):
    return lambda node: node.engines.update({path: (text, mode)})


def change(path, old, new):
    """The file with something else in it."""
    def do(node):
        text, mode = node.engines[path]
        assert old in text, (path, old)
        node.engines[path] = (text.replace(old, new), mode)
    return do


def more(path, text):
    return lambda node: node.engines.update({path: (node.engines[path][0] + text, node.engines[path][1])})


def containerd(text, version=2, path="/etc/containerd/conf.d/20-ours.toml"):
    return put(path, f"version = {version}\n{text}\n")


def podman(section, *settings):
    """Each alone, in a drop-in."""
    return [put("/etc/containers/containers.conf.d/50-ours.conf", f"[{section}]\n{s}\n") for s in settings]


CRI1, RUNTIME, IMAGES = "plugins.'io.containerd.grpc.v1.cri'", "plugins.'io.containerd.cri.v1.runtime'", "plugins.'io.containerd.cri.v1.images'"
BREAKS = {
    "containerd-api": [containerd('[grpc]\ntcp_address = "0.0.0.0:2376"\ntcp_tls_cert = "/c"\ntcp_tls_key = "/k"')],
    "containerd-metrics": [containerd('[metrics]\naddress = "0.0.0.0:1338"')],
    "containerd-streaming": [containerd(f'[{CRI1}]\nstream_server_address = "0.0.0.0"'), containerd(f'[{CRI1}]\nstream_server_address = ""')],
    "containerd-log-level": [containerd('[debug]\nlevel = "debug"'), put("/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd --log-level trace\n")],
    "containerd-app-armor": [containerd(f"[{CRI1}]\ndisable_apparmor = true"), containerd(f"[{RUNTIME}]\ndisable_apparmor = true", 3)],
    "containerd-selinux": [containerd(f"[{CRI1}]\nenable_selinux = false"), change(CONTAINERD, "  enable_selinux = true\n", "")],
    "containerd-pivot-root": [containerd(f"[{CRI1}.containerd.runtimes.runc.options]\nNoPivotRoot = true"), containerd(f"[{CRI1}.containerd]\nno_pivot = true"),
                              containerd(f"[{RUNTIME}.containerd.runtimes.a]\nx = 1\n[{RUNTIME}.containerd.runtimes.b.options]\nNoPivotRoot = true", 3)],
    "containerd-registry-tls": [containerd(f'[{CRI1}.registry.configs."r.example".tls]\ninsecure_skip_verify = true'),
                                containerd(f'[{IMAGES}.registry.configs."r.example".tls]\ninsecure_skip_verify = true', 3)],
    "containerd-registry-http": [containerd(f'[{CRI1}.registry.mirrors."docker.io"]\nendpoint = ["https://a.example", "http://b.example"]')],
    "containerd-registry-passwords": [containerd(f'[{CRI1}.registry.configs."r.example".auth]\n{name} = "hunter2"') for name in ("password", "auth", "identitytoken")],
    "containerd-registry-hosts": [change(HOSTS, "  ca =", "  skip_verify = true\n  ca ="), change(HOSTS, 'host."https', 'host."http'), change(HOSTS, 'server = "https', 'server = "http'),
                                  put("/etc/containerd/certs.d/z.example/hosts.toml", 'server = "http://z.example"\n')],
    "crio-seccomp": [put("/etc/crio/crio.conf.d/10-ours", '[crio.runtime]\nseccomp_profile = "unconfined"\n')],
    "crio-app-armor": [more(CRIO, 'apparmor_profile = "unconfined"\n')],
    "crio-capabilities": [more(CRIO, 'default_capabilities = ["CHOWN", "NET_RAW"]\n')],
    "crio-pivot-root": [more(CRIO, "no_pivot = true\n")],
    "crio-streaming": [more(CRIO, '[crio.api]\nstream_address = "0.0.0.0"\n')],
    "crio-insecure-registries": [more(CRIO, '[crio.image]\ninsecure_registries = ["r.example"]\n')],
    "podman-api": [change(AUDITED["service"], "service", "service tcp:0.0.0.0:8080"), change(AUDITED["socket-unit"], "%t/podman/podman.sock", "8080"),
                   put("/etc/systemd/system/podman.socket.d/net.conf", "[Socket]\nListenStream=192.0.2.1:8080\n")],
    "podman-privileged": podman("containers", "privileged = true"),
    "podman-seccomp": podman("containers", 'seccomp_profile = "unconfined"'),
    "podman-app-armor": podman("containers", 'apparmor_profile = "unconfined"'),
    "podman-selinux": podman("containers", "label = false"),
    "podman-capabilities": podman("containers", 'default_capabilities = ["CHOWN", "NET_RAW"]', 'default_capabilities = ["CAP_SYS_ADMIN"]'),
    "podman-pids": podman("containers", "pids_limit = 0", "pids_limit = -1"),
    "podman-cgroups": podman("containers", 'cgroups = "disabled"'),
    "podman-host-namespaces": podman("containers", *(f'{ns} = "host"' for ns in ("netns", "pidns", "ipcns", "utsns", "cgroupns"))),
    "podman-userns": [*podman("containers", 'userns = "host"'), change(CONTAINERS, 'userns = "auto"\n', "")],
    "podman-shared-by-all": podman("containers", 'devices = ["/dev/kvm"]', 'volumes = ["/srv:/srv"]', 'mounts = ["type=bind,source=/srv,destination=/srv"]'),
    "podman-environment": podman("containers", "env_host = true"),
    "podman-keyring": podman("containers", "keyring = false"),
    "podman-logs": podman("containers", 'log_driver = "none"'),
    "podman-events": podman("engine", 'events_logger = "none"'),
    "podman-pivot-root": podman("engine", "no_pivot_root = true"),
    "podman-subordinate-ids": [more("/etc/subuid", "carol:165000:1000\n"), more("/etc/subgid", "bob:165535:65536\n"),
                               put("/etc/subuid", "alice:100000:100\nbob:200000:10\ncarol:100050:200000\n")],
    "podman-storage-owners": [more(STORAGE, 'ignore_chown_errors = "true"\n'), more(STORAGE, '[storage.options]\nignore_chown_errors = "true"\n')],
    "podman-storage-mask": [more(STORAGE, 'force_mask = "shared"\n')],
    "podman-storage-devices": [change(STORAGE, "nodev,", ""), lambda node: node.engines.pop(STORAGE)],
    "podman-insecure-registry": [change(REGISTRIES, '[[registry.mirror]]\n', 'insecure = true\n[[registry.mirror]]\n'), more(REGISTRIES, "insecure = true\n"),
                                 put("/etc/containers/registries.conf.d/a.conf", '[[registry]]\nlocation = "a"\n[[registry]]\nlocation = "b"\ninsecure = true\n'),
                                 put(REGISTRIES, '[registries.insecure]\nregistries = ["a.example"]\n')],
    "podman-short-names": [change(REGISTRIES, "enforcing", "permissive"), change(REGISTRIES, 'short-name-mode = "enforcing"\n', "")],
    "podman-image-policy": [change(POLICY, "reject", "insecureAcceptAnything"), change(POLICY, '"signedBy", "keyType": "GPGKeys", "keyPath": "/k"', '"insecureAcceptAnything"')],
}
for name, path in AUDITED.items():
    BREAKS[f"podman-audit-{name}"] = [change(RULES, f"-w {path} ", f"#-w {path} ")]
for name, (path, wider) in {
        "containerd-config": (CONTAINERD, 0o664), "containerd-service": ("/usr/lib/systemd/system/containerd.service", 0o666), "containerd-registry-hosts": (HOSTS, 0o646),
        "containerd-data": ("/var/lib/containerd", 0o755), "podman-service": (AUDITED["socket-unit"], 0o664), "podman-socket": ("/run/podman/podman.sock", 0o666),
        "podman-config": (STORAGE, 0o664), "podman-registries": (REGISTRIES, 0o664), "podman-policy": (POLICY, 0o646),
        "podman-certificates": ("/etc/containers/certs.d/r.example/ca.crt", 0o664), "podman-hooks": ("/etc/containers/oci/hooks.d/a.json", 0o775),
        "registry-keys": ("/etc/containers/certs.d/r.example/client.key", 0o640), "podman-credentials": ("/run/containers/0/auth.json", 0o640), "podman-subordinate-ids": ("/etc/subgid", 0o664),
        "podman-data": ("/var/lib/containers/storage", 0o755)}.items():
    BREAKS[f"file-{name}-mode"] = [lambda node, path=path, wider=wider: node.modes.update({path: wider})]
    BREAKS[f"file-{name}-owner"] = [lambda node, path=path: node.owners.update({path: (12345, 12345)})]
