#!/usr/bin/env python3
"""cis_docker BULKHEAD: `bulkhead comply cis-docker docker:` on a real dockerd, once set up badly and once well, with containers of both kinds, against a list that is written down
here, and against `docker info` and `docker inspect` evaluated here on their own. Prints TAP.

A privileged container can't be started everywhere (it takes all capabilities); the answers of one are in tests/cli/comply_docker.py."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("dockerd", "docker", "busybox", "iptables")
if os.geteuid():
    print("1..0 # SKIP only root starts dockerd")
    sys.exit(0)
BULKHEAD = sys.argv[1]
top = pathlib.Path(tempfile.mkdtemp(prefix="bh-", dir="/tmp"))
tap = Tap()
SHARED = top / "shared"  # a mount that can spread
SECTIONS = ("2.", "4.1", "4.6", "5.")

# Written by hand: what the set-ups below have to give. "pass" is "-" where nothing of the kind is there.
BAD_DAEMON = {"experimental": True, "debug": True, "insecure-registries": ["registry.example:5000"], "cgroup-parent": "/jobs", "iptables": False, "ip6tables": False}
GOOD_DAEMON = {"icc": False, "log-level": "info", "no-new-privileges": True, "live-restore": True, "userland-proxy": False, "log-driver": "syslog"}
WANT_DAEMON = {
    # control: (bad, good)
    "2.2": ("fail", "pass"), "2.3": ("fail", "pass"), "2.4": ("fail", "pass"), "2.5": ("fail", "pass"), "2.6": ("pass", "pass"), "2.7": ("fail", "pass"),
    "2.9": ("fail", "fail"),  # no user namespaces in either
    "2.10": ("fail", "pass"), "2.11": ("pass", "pass"), "2.12": ("fail", "fail"),  # no plug-in in either
    "2.13": ("fail", "pass"), "2.14": ("fail", "pass"), "2.15": ("fail", "pass"), "2.16": ("fail", "pass"), "2.18": ("fail", "pass"), "5.1": ("pass", "pass"),
}
BAD_CONTAINER = ["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host", "--userns", "host", "--security-opt", "seccomp=unconfined", "--cap-add", "SYS_PTRACE",
                 "--restart", "always", "-v", "/etc:/host/etc", "-v", "{socket}:/run/docker.sock", "-v", "{shared}:/host/shared:shared"]
GOOD_CONTAINER = ["--net", "none", "--read-only", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50", "--user", "1000:1000", "--cap-drop", "ALL", "--security-opt",
                  "no-new-privileges", "--health-cmd", "true", "--restart", "on-failure:5"]
PORTS_CONTAINER = GOOD_CONTAINER[2:] + ["-p", "0.0.0.0:81:81"]  # on the default bridge
# Containers that have to be named, by control; every control of section 5 that is not here must not fail.
WANT_CONTAINERS = {"4.1": {"bad"}, "5.4": {"bad"}, "5.6": {"bad"}, "5.7": {"shell"}, "5.8": {"ports"}, "5.10": {"bad"}, "5.11": {"bad"}, "5.12": {"bad"}, "5.13": {"bad"},
                   "5.14": {"ports"}, "5.15": {"bad"}, "5.16": {"bad"}, "5.17": {"bad"}, "5.20": {"bad"}, "5.21": {"bad"}, "5.22": {"bad"}, "5.25": set(), "5.26": {"bad"},
                   "5.27": {"bad"}, "5.29": {"bad"}, "5.30": {"ports"}, "5.31": {"bad"}, "5.32": {"bad"}}


def run(*argv, env=None):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120)


class Docker:
    def __init__(self, name, settings, *hosts):
        self.folder = top / name
        self.folder.mkdir()
        self.socket = self.folder / "docker.sock"
        (self.folder / "daemon.json").write_text(json.dumps(settings))
        self.env = {"DOCKER_HOST": f"unix://{self.socket}"}
        self.process = Daemon([str(a) for a in ("dockerd", "--config-file", self.folder / "daemon.json", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
                                                "--pidfile", self.folder / "pid", "-H", f"unix://{self.socket}", *hosts, "--storage-driver", "vfs")],
                              self.folder / "log", self.answers)

    def answers(self):
        return self.socket.exists() and run("docker", "version", env=self.env).returncode == 0

    def do(self, *argv):
        r = run("docker", *argv, env=self.env)
        assert r.returncode == 0, f"docker {argv}: {r.stderr}"
        return r.stdout

    def comply(self, *arguments, env=None):
        r = run(BULKHEAD, "comply", "cis-docker", "-f", "json", *arguments, env=self.env if env is None else env)
        assert r.returncode in (0, 1, 3), r.stderr
        return {c["id"]: c for c in json.loads(r.stdout)["controls"]}, r.stderr

    def stop(self):
        for c in self.do("ps", "-aq").split():
            self.do("rm", "-f", c)
        self.process.stop()


def verdicts(report, controls):
    return {c: report[c]["verdict"] for c in controls}


def named(control):
    """The containers that the reasons of a control name."""
    return {name for name in ("bad", "good", "ports", "shell") for r in control["reasons"]
            if r["verdict"] == "fail" and f"DockerContainer {name}" in json.dumps(r)}


def from_inspect(docker):
    """What docker inspect tells about the same questions, without bulkhead."""
    found = {}
    for c in json.loads(docker.do("inspect", *docker.do("ps", "-q").split())):
        h, name, mounts = c["HostConfig"], c["Name"][1:], c["Mounts"]
        ports = [b for bindings in (c["NetworkSettings"]["Ports"] or {}).values() for b in bindings or []]
        wrong = {"4.1": not c["Config"]["User"], "5.4": bool(h["CapAdd"]), "5.6": any(m["Source"] == "/etc" for m in mounts), "5.8": any(int(b["HostPort"]) < 1024 for b in ports),
                 "5.10": h["NetworkMode"] == "host", "5.11": h["Memory"] == 0, "5.12": h["NanoCpus"] == 0 and h["CpuShares"] == 0, "5.13": not h["ReadonlyRootfs"],
                 "5.14": any(b["HostIp"] in ("0.0.0.0", "::") for b in ports), "5.15": h["RestartPolicy"]["Name"] == "always", "5.16": h["PidMode"] == "host",
                 "5.17": h["IpcMode"] == "host", "5.20": any(m["Propagation"] == "shared" for m in mounts), "5.21": h["UTSMode"] == "host",
                 "5.22": "seccomp=unconfined" in (h["SecurityOpt"] or []), "5.25": bool(h["CgroupParent"]), "5.26": "no-new-privileges" not in (h["SecurityOpt"] or []),
                 "5.27": not c["Config"].get("Healthcheck"), "5.29": not h["PidsLimit"], "5.30": h["NetworkMode"] == "default", "5.31": h["UsernsMode"] == "host",
                 "5.32": any(m["Source"].endswith("docker.sock") for m in mounts),
                 "5.7": " sshd" in docker.do("top", name, "-eo", "pid,comm").replace("\n", " ")}
        for control, is_wrong in wrong.items():
            found.setdefault(control, set()).update({name} if is_wrong else set())
    return found


def fill(docker):
    root = docker.folder / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    (root / "bin/sshd").write_text("#!/bin/busybox sh\nwhile :; do /bin/busybox sleep 1; done\n")  # what ps shows is the script's name
    (root / "bin/sshd").chmod(0o755)
    assert run("sh", "-c", f"tar -C {root} -c . | docker import - team/app:1", env=docker.env).returncode == 0


def start(docker, name, options, *command):
    docker.do("run", "-d", "--name", name, *(o.format(socket=docker.socket, shared=SHARED) for o in options), "team/app:1", *(command or ("/bin/busybox", "sleep", "600")))


def check_bad():
    docker = Docker("bad", BAD_DAEMON, "-H", "tcp://127.0.0.1:0")
    try:
        fill(docker)
        report, err = docker.comply("docker:")
        said = verdicts(report, WANT_DAEMON)
        tap.check("a bad daemon: as the list has it", said == {c: v[0] for c, v in WANT_DAEMON.items()},
                  {c: (said[c], v[0]) for c, v in WANT_DAEMON.items() if said[c] != v[0]})
        tap.check("an image without HEALTHCHECK", report["4.6"]["verdict"] == "fail" and "team/app:1" in json.dumps(report["4.6"]), report["4.6"])
        tap.check("nothing was left out", err == "", err)
    finally:
        docker.stop()


def check_good():
    docker = Docker("good", GOOD_DAEMON)
    try:
        fill(docker)
        info = json.loads(docker.do("info", "--format", "{{json .}}"))
        report, err = docker.comply("docker:")
        said = verdicts(report, WANT_DAEMON)
        tap.check("a good daemon: as the list has it", said == {c: v[1] for c, v in WANT_DAEMON.items()},
                  {c: (said[c], v[1]) for c, v in WANT_DAEMON.items() if said[c] != v[1]})
        tap.check("as docker info has it", info["LoggingDriver"] == "syslog" and info["LiveRestoreEnabled"] and not info["Debug"] and not info["ExperimentalBuild"], info)
        start(docker, "good", [*GOOD_CONTAINER, "-e", "PASSWORD=not-to-be-kept", "--log-driver", "none"])
        report, err = docker.comply("docker:", "--control", "4.1,5.*")
        failed = {c for c, r in report.items() if r["verdict"] == "fail"}
        tap.check("a good container: nothing fails", not failed, {c: report[c]["reasons"][:1] for c in failed})
        start(docker, "bad", [*BAD_CONTAINER, "--security-opt", "no-new-privileges=false", "--log-driver", "none"])
        start(docker, "ports", [*PORTS_CONTAINER, "--log-driver", "none"])
        start(docker, "shell", [*GOOD_CONTAINER, "--log-driver", "none"], "/bin/sshd")
        compare(docker)
    finally:
        docker.stop()


def compare(docker):
    recorded = docker.folder / "host.yaml"
    report, err = docker.comply("docker:", "--record", recorded)
    tap.check("nothing was left out", err == "", err)
    said = {c: named(report[c]) for c in WANT_CONTAINERS}
    tap.check("containers: as the list has it", said == WANT_CONTAINERS, {c: (sorted(said[c]), sorted(w)) for c, w in WANT_CONTAINERS.items() if said[c] != w})
    oracle = from_inspect(docker)
    tap.check("containers: as docker inspect has it", said == oracle, {c: (sorted(said[c]), sorted(oracle[c])) for c in oracle if said.get(c) != oracle[c]})
    wrong = {c for c in WANT_CONTAINERS if (report[c]["verdict"] == "fail") != bool(WANT_CONTAINERS[c])}
    tap.check("one container makes a control fail", not wrong, {c: report[c]["verdict"] for c in wrong})
    again, _ = docker.comply(recorded, env={"DOCKER_HOST": "unix:///nowhere"})
    tap.check("what was recorded gives the same, without a daemon", {c: r["verdict"] for c, r in again.items()} == {c: r["verdict"] for c, r in report.items()},
              {c: (r["verdict"], report[c]["verdict"]) for c, r in again.items() if r["verdict"] != report[c]["verdict"]})
    tap.check("passwords are not in it", "not-to-be-kept" not in recorded.read_text() and recorded.stat().st_mode & 0o777 == 0o600)
    blind = top / "blind.yaml"  # as if the daemon's process had not been seen
    documents = [json.loads(l) for l in recorded.read_text().splitlines() if l != "---"]
    for d in documents:
        d["spec"].pop("settings", None)
        d["spec"].get("daemon", {}).pop("settings", None)
    blind.write_text("".join(f"---\n{json.dumps(d)}\n" for d in documents))
    again, _ = docker.comply(blind)
    tap.check("settings that nobody saw never pass", {again[c]["verdict"] for c in ("2.4", "2.10", "2.11", "2.14", "2.16")} == {"unchecked"},
              {c: again[c]["verdict"] for c in ("2.4", "2.10", "2.11", "2.14", "2.16")})


def check_swarm():
    docker = Docker("swarm", {"iptables": False, "ip6tables": False})
    try:
        docker.do("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "0.0.0.0:2377")
        report, _ = docker.comply("docker:", "--control", "5.1,7.*")
        tap.check("a swarm on every address", verdicts(report, ["5.1", "7.1", "7.2", "7.3", "7.5"]) ==
                  {"5.1": "fail", "7.1": "manual", "7.2": "fail", "7.3": "fail", "7.5": "fail"}, verdicts(report, ["5.1", "7.1", "7.2", "7.3", "7.5"]))
        docker.do("swarm", "leave", "--force")
        docker.do("swarm", "init", "--autolock", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
        report, _ = docker.comply("docker:", "--control", "7.2,7.5")
        tap.check("a swarm that is locked, on one address", verdicts(report, ["7.2", "7.5"]) == {"7.2": "pass", "7.5": "pass"}, verdicts(report, ["7.2", "7.5"]))
        docker.do("swarm", "leave", "--force")
    finally:
        docker.stop()


try:
    SHARED.mkdir()
    for words in (["-t", "tmpfs", "none"], ["--make-shared"]):
        subprocess.run(["mount", *words, SHARED], check=True)
    check_bad()
    check_good()
    check_swarm()
    p = run(BULKHEAD, "comply", "cis-docker", "docker:", env={"DOCKER_HOST": f"unix://{top}/none.sock"})
    tap.check("no daemon: said, not passed over", p.returncode == 2 and "none.sock" in p.stderr, p.stderr)
finally:
    subprocess.run(f"findmnt -rno TARGET | grep '^{top}/' | sort -r | xargs -r umount -l", shell=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
tap.end()
