#!/usr/bin/env python3
"""engines BULKHEAD: do containerd and Podman read their files as `comply containerd` and `comply podman` do? The files of tests/cli/comply_engines.py, good ones and each that breaks
a check, lie in /etc of a mount namespace: `containerd config dump` says what the merged configuration is, and containers of Podman what they got. Prints TAP."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

sys.path[:0] = [os.path.dirname(__file__), str(pathlib.Path(__file__).resolve().parents[1] / "cli")]
import comply_engines  # noqa: E402
from sources_common import *  # noqa: E402,F403

need("containerd", "podman", "crun", "unshare")
tap, top = Tap(), pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-engines-"))
BULKHEAD = os.path.abspath(sys.argv[1])


class Host:
    def __init__(self, name, change=None):
        self.engines = dict(comply_engines.FILES)
        self.root = top / name
        if change:
            change(self)
        for path, (text, _) in self.engines.items():
            file = pathlib.Path(str(self.root) + path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.root / "usr/bin/containerd").write_text("x")

    def within(self, folder, *command, **more):
        """A command that has the host's folder for its own. crun wants control groups of one version."""
        script = 'mount --bind "$1" "$2" && shift 2 && { umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; } 2>/dev/null; exec "$@"'
        return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", f"{self.root}{folder}", folder, *map(str, command)],
                              capture_output=True, text=True, timeout=120, **more)

    def verdicts(self, framework):
        """check -> its worst verdict."""
        r = subprocess.run([BULKHEAD, "comply", framework, "-f", "json", "--root", str(self.root)], capture_output=True, text=True)
        found = {}
        for control in json.loads(r.stdout)["controls"]:
            for reason in control["reasons"]:
                found.setdefault(reason.get("check"), set()).add(reason["verdict"])
        return {k: "fail" if "fail" in v else "pass" if "pass" in v else min(v) for k, v in found.items()}


# ---- containerd ----

def cri(dump):
    return dump["plugins"]["io.containerd.grpc.v1.cri"]


def local(address):
    return address.startswith("127.")


# What `containerd config dump` has to say for the check to pass.
DUMPED = {
    "containerd-api": lambda d: not d["grpc"]["tcp_address"] or bool(d["grpc"]["tcp_tls_ca"]),
    "containerd-metrics": lambda d: not d["metrics"]["address"] or local(d["metrics"]["address"]),
    "containerd-streaming": lambda d: local(cri(d)["stream_server_address"]),
    "containerd-log-level": lambda d: d["debug"]["level"] in ("", "info", "warn", "error", "fatal", "panic"),
    "containerd-app-armor": lambda d: not cri(d)["disable_apparmor"],
    "containerd-selinux": lambda d: cri(d)["enable_selinux"],
    "containerd-pivot-root": lambda d: not cri(d)["containerd"]["no_pivot"] and not any(r.get("options", {}).get("NoPivotRoot") for r in cri(d)["containerd"]["runtimes"].values()),
    "containerd-registry-tls": lambda d: not any(c.get("tls", {}).get("insecure_skip_verify") for c in cri(d)["registry"]["configs"].values()),
    "containerd-registry-http": lambda d: not any(e.startswith("http:") for m in cri(d)["registry"]["mirrors"].values() for e in m["endpoint"]),
    "containerd-registry-passwords": lambda d: not any((c.get("auth") or {}).get(k) for c in cri(d)["registry"]["configs"].values() for k in ("password", "auth", "identitytoken")),
}


def compare_containerd(name, change):
    host = Host(name, change)
    r = host.within("/etc/containerd", "containerd", "config", "dump")
    if r.returncode:
        return [r.stderr.strip()]
    dump, said = tomllib.loads(r.stdout), host.verdicts("containerd")
    return [f"{c}: {said.get(c)}, but containerd has it {'right' if ok(dump) else 'wrong'}" for c, ok in DUMPED.items() if said.get(c) != ("pass" if ok(dump) else "fail")]


def is_for_old(change):
    """Debian's containerd 1.6 reads version 2 of the configuration, and flags are none of it."""
    files = type("Files", (), {"engines": dict(comply_engines.FILES)})()
    change(files)
    return "version = 3" not in str(files.engines) and "--log-level" not in str(files.engines)


def both(*changes):
    return lambda host: [c(host) for c in changes]


MORE = {
    "what is imported wins over what imports": both(comply_engines.more(comply_engines.CONTAINERD, '[metrics]\naddress = "0.0.0.0:1"\n'), comply_engines.containerd('[metrics]\naddress = "127.0.0.1:1"')),
    "later imports win": both(comply_engines.containerd('[debug]\nlevel = "trace"', path="/etc/containerd/conf.d/30-a.toml"), comply_engines.containerd('[debug]\nlevel = "warn"', path="/etc/containerd/conf.d/40-b.toml")),
    "an import by name": both(comply_engines.change(comply_engines.CONTAINERD, '"/etc/containerd/conf.d/*.toml"', '"other.toml"'),
                              comply_engines.containerd('[metrics]\naddress = "0.0.0.0:1"', path="/etc/containerd/other.toml")),
}


def containerd():
    wrong, n = compare_containerd("good", None), 1
    for check in DUMPED:
        for number, change in enumerate(comply_engines.BREAKS[check]):
            if is_for_old(change):
                wrong += compare_containerd(f"{check}-{number}", change)
                n += 1
    tap.check(f"containerd: {n} configurations are to containerd what they are to us", not wrong and n > 10, "\n".join(wrong))
    for number, (title, change) in enumerate(MORE.items()):
        wrong = compare_containerd(f"more-{number}", change)
        tap.check(f"containerd: {title}", not wrong, "\n".join(wrong))


# ---- Podman ----

def capabilities(status):
    """The last one that Podman gives by itself is SETFCAP, 31; those it does not give are asked for."""
    ours = {0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31}
    has = int(re.search(r"CapBnd:\s*(\w+)", status).group(1), 16)
    return all(not has >> bit & 1 for bit in range(64) if bit not in ours)


def namespace(said, kind):
    return re.search(rf"{kind} -> (\S+)", said).group(1)


def own(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


# What an inspected container has to say for the check to pass; and what one that ran saw of itself.
INSPECTED = {
    "podman-pids": lambda i: i["HostConfig"]["PidsLimit"] > 0,
    "podman-host-namespaces": lambda i: "host" not in (i["HostConfig"]["NetworkMode"], i["HostConfig"]["PidMode"], i["HostConfig"]["UTSMode"], i["HostConfig"]["CgroupMode"]),
    "podman-shared-by-all": lambda i: not i["HostConfig"]["Devices"] and not i["Mounts"],
    "podman-logs": lambda i: i["HostConfig"]["LogConfig"]["Type"] != "none",
}
SEEN = {
    "podman-capabilities": capabilities,
    "podman-seccomp": lambda s: "Seccomp:\t2" in s,
    "podman-host-namespaces": lambda s: namespace(s, "ipc") != own("ipc"),
}
# Of those that break a check: 4.3 does not know mounts, nor does env_host change anything there; of the namespaces what podman inspect tells, and what it does not (ipcns).
TRIED = {"podman-pids": (0, 1), "podman-shared-by-all": (0, 1), "podman-logs": (0,), "podman-capabilities": (0, 1), "podman-seccomp": (0,)}
NAMESPACES = {INSPECTED["podman-host-namespaces"]: (0, 1, 3, 4), SEEN["podman-host-namespaces"]: (2,)}
# Control groups are not for containers that run here: some machines that it runs on let nobody make them. Nor are user namespaces.
BASE = '[containers]\nnetns = "none"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
ENGINE = ["podman", "--root", top / "storage", "--runroot", top / "run", "--tmpdir", top / "tmp", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "crun", "--events-backend", "file"]


def podman_within(host, *command):
    return host.within("/etc/containers", *ENGINE, *command)


def inspect(host):
    made = podman_within(host, "create", "localhost/look:1")
    if made.returncode:
        raise RuntimeError(made.stderr)
    inspected = podman_within(host, "inspect", made.stdout.strip())
    podman_within(host, "rm", "-f", made.stdout.strip())
    return json.loads(inspected.stdout)[0]


def see(host):
    ran = podman_within(host, "run", "--rm", "--cgroups=disabled", "localhost/look:1")
    if "CapBnd" not in ran.stdout:
        raise RuntimeError(ran.stderr)
    return ran.stdout


def compare_podman(name, change, questions, look):
    """Our verdicts, and what the container has."""
    host = Host(name, both(base, change))
    try:
        answer = look(host)
    except RuntimeError as e:
        return [f"{name}: {e}"]
    ours = host.verdicts("podman")
    return [f"{name}, {c}: {ours.get(c)}, but the container has it {'right' if ok(answer) else 'wrong'}" for c, ok in questions.items() if ours.get(c) != ("pass" if ok(answer) else "fail")]


def base(host):
    host.engines[comply_engines.CONTAINERS] = (BASE, 0o644)
    host.engines.pop(comply_engines.STORAGE)  # the command line says where


def compare_all():
    """How many were compared, and what differs."""
    nothing, wrong, n = lambda host: None, [], 0
    for look, questions in ((inspect, INSPECTED), (see, SEEN)):
        wrong += compare_podman(f"base-{look.__name__}", nothing, questions, look)
        for check, ok in questions.items():
            for number in TRIED.get(check) or NAMESPACES[ok]:
                wrong += compare_podman(f"{check}-{number}", comply_engines.BREAKS[check][number], {check: ok}, look)
                n += 1
    later = both(*(comply_engines.put(f"/etc/containers/containers.conf.d/{i}.conf", f"[containers]\npids_limit = {limit}\n") for i, limit in ((10, 0), (20, 7))))
    return n, wrong + compare_podman("a later drop-in wins", later, INSPECTED, inspect)


def podman():
    if not shutil.which("busybox") or os.geteuid():
        return tap.skip("Podman", "busybox is missing, or this is not root")
    folder = top / "look"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), folder / "bin/busybox")
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY bin/busybox /bin/busybox\nCMD ["/bin/busybox", "sh", "-c", "/bin/busybox cat /proc/self/status; /bin/busybox ls -l /proc/self/ns/"]\n')
    built = subprocess.run([*ENGINE, "build", "--isolation", "chroot", "-q", "-t", "localhost/look:1",
                            folder], capture_output=True, text=True)
    if built.returncode:
        return tap.check("Podman builds an image", False, built.stderr)
    n, wrong = compare_all()
    tap.check(f"Podman: containers get of {n} configurations what we say they get", not wrong and n > 12, "\n".join(wrong))


try:
    containerd()
    podman()
finally:
    subprocess.run(["rm", "-rf", str(top)])
tap.end()
