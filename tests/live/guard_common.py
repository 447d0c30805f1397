"""guard_common: a Docker daemon with containers of a real Debian image, and the agent that watches them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import Daemon, Tap, need  # noqa: E402,F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
CORPUS = ROOT.parent / "shared/corpora/falco-rules"


def run(*argv, check=True, **kw):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=180, **kw)
    assert not check or done.returncode == 0, f"{argv}: {done.returncode} {done.stderr[-600:]}"
    return done


# Privileged containers get all capabilities, but some machines don't have all to give: a runtime that leaves those out.
RUNTIME = """#!/usr/bin/env python3
import json, os, sys
MISSING = %r
for option, name in (("--bundle", "config.json"), ("--process", "")):
    if option not in sys.argv:
        continue
    path = os.path.join(sys.argv[sys.argv.index(option) + 1], name).rstrip("/")
    with open(path) as f:
        config = json.load(f)
    for names in config.get("process", config).get("capabilities", {}).values():
        names[:] = [n for n in names if n not in MISSING]
    with open(path, "w") as f:
        json.dump(config, f)
os.execvp("runc", ["runc", *sys.argv[1:]])
"""
CAPABILITIES = {24: "CAP_SYS_RESOURCE", 23: "CAP_SYS_NICE", 25: "CAP_SYS_TIME", 16: "CAP_SYS_MODULE"}


def missing_capabilities():
    bounding = int(next(l for l in open("/proc/self/status") if l.startswith("CapBnd")).split()[1], 16)
    return [name for bit, name in CAPABILITIES.items() if not bounding >> bit & 1]


class Docker:
    """dockerd over a file system in memory, as overlays don't lie on one another, with an image `victim` that has the test's program."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="bh-", dir="/tmp"))
        self.data, self.daemon = self.top / "docker", None
        self.socket = self.top / "docker.sock"
        self.data.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=1g", "none", self.data)
        runtime = self.top / "runtime"
        runtime.write_text(RUNTIME % missing_capabilities())
        runtime.chmod(0o755)
        argv = ["dockerd", "--data-root", self.data, "--exec-root", self.top / "exec", "--pidfile", self.top / "docker.pid", "-H", f"unix://{self.socket}",
                "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "overlay2", "--add-runtime", f"lesser={runtime}"]
        self.daemon = Daemon([str(a) for a in argv], self.top / "dockerd.log", lambda: self(["version"], check=False).returncode == 0)
        try:
            self.make_image()
        except BaseException:
            self.stop()
            raise

    def __call__(self, argv, check=True):
        return run("docker", "-H", f"unix://{self.socket}", *argv, check=check)

    def make_image(self):
        image = CACHE / "image-bookworm"
        if not (image / "index.json").exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            subprocess.run([ROOT / "tools/debian-image", "bookworm", image], check=True, stdout=sys.stderr)
        run("skopeo", "--insecure-policy", "copy", "-q", f"oci:{image}:latest", f"docker-archive:{self.top}/image.tar:debian:12")
        self(["load", "-qi", self.top / "image.tar"])
        context = self.top / "context"
        context.mkdir()
        run("gcc", "-static", "-O1", "-o", context / "deeds", ROOT / "tests/live/guard/deeds.c")
        (context / "Dockerfile").write_text("FROM debian:12\nCOPY deeds /usr/bin/deeds\n")
        self(["build", "-q", "-t", "registry.example/team/victim:1.0", context])

    def start(self, name, *options):
        self(["run", "-d", "--network", "none", "--name", name, *options, "registry.example/team/victim:1.0", "sleep", "900"])

    def exec(self, name, *argv, options=(), check=False):
        return self(["exec", *options, name, *argv], check=check)

    def stop(self):
        if self.daemon:
            names = self(["ps", "-aq"], check=False).stdout.split()
            if names:
                self(["rm", "-f", *names], check=False)
            self.daemon.stop()
        run("umount", "-l", self.data, check=False)
        shutil.rmtree(self.top, ignore_errors=True)


class Guard:
    """bulkhead-guard run, its alerts as they come."""

    running = []

    @classmethod
    def stop_all(cls):
        for guard in cls.running[:]:
            guard.stop()

    def __init__(self, program, *argv):
        self.out = tempfile.NamedTemporaryFile(prefix="bh-alerts-")
        self.err = tempfile.NamedTemporaryFile(prefix="bh-notices-")
        self.process = subprocess.Popen([str(program), "run", "-f", "json", "--fold", "off", *map(str, argv)], stdout=self.out, stderr=self.err)
        self.running.append(self)
        until = time.monotonic() + 60
        while "watching with" not in self.notices():
            assert self.process.poll() is None and time.monotonic() < until, self.notices()
            time.sleep(0.05)

    def notices(self):
        return pathlib.Path(self.err.name).read_text()

    def alerts(self):
        return [json.loads(line) for line in pathlib.Path(self.out.name).read_text().splitlines()]

    def wait_for(self, wanted, seconds=10):
        """The alerts that `wanted` is true for, as soon as there is one, and what came within half a second of it; none when the time is over."""
        until = time.monotonic() + seconds
        while not any(map(wanted, self.alerts())) and time.monotonic() < until:
            time.sleep(0.05)
        return [a for a in self.alerts() if wanted(a)]

    def reader(self):
        """The process that judges: the youngest below the one that was started."""
        pid = self.process.pid
        while children := pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = int(children[-1])
        return pid

    def stop(self):
        self.running.remove(self)
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
