#!/usr/bin/env python3
"""daemons: images in Docker, Podman and containerd, and containers with what changed in them since their image.

usage: daemons.py BULKHEAD

The daemons are Debian's, started here over folders and sockets of their own; what they can't do in this place is skipped, and said.
"""
import os
import pathlib
import random
import string
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("skopeo", "busybox")
top = pathlib.Path(tempfile.mkdtemp(prefix="bh-", dir="/tmp"))  # sockets have short paths
tap, daemons = Tap(), []
base_env = {"HOME": str(top), "PATH": os.environ["PATH"], "TERM": "dumb"}
scan = Scan(sys.argv[1], base_env)
WANT = [("bash", "5.2.15-2+b2"), ("openssl", "3.0.9-1")]
BUSYBOX = pathlib.Path(shutil.which("busybox")).read_bytes()
# What happens in the container, and what must be reported of it: (id, path) -> severity.
DEEDS = ["echo changed >/etc/openssl.cnf", "busybox rm /etc/bash.bashrc", "echo patched >/bin/tool",
         "busybox mkdir -p /var/log /usr/lib /usr/bin", "busybox cp /bin/busybox /usr/bin/miner", "echo line >/var/log/app.log", "echo '.' >/usr/lib/libevil.so.1",
         "printf 'Package: curl\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 7.88.1-10\\n\\n' >>/var/lib/dpkg/status",
         "echo /usr/bin/curl >/var/lib/dpkg/info/curl.list", "busybox cp /bin/busybox /usr/bin/curl"]
PASSWORD_URL = "DATABASE_URL=postgres://shop:" + "".join(random.Random(5).choices(string.ascii_letters + string.digits, k=14)) + "@db.internal/shop"
DRIFT = {("container-package-file-changed", "etc/openssl.cnf"): "medium", ("container-package-file-deleted", "etc/bash.bashrc"): "medium",
         ("container-program-added", "usr/bin/miner"): "high", ("container-program-changed", "bin/tool"): "high",
         ("container-program-added", "usr/lib/libevil.so.1"): "high", ("container-package-added", "var/lib/dpkg/status"): "high",
         ("container-files-changed", None): "negligible"}


def run(*argv, env=None):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env={**base_env, **(env or {})}, timeout=120)


def start(argv, name, socket_path):
    return Daemon([str(a) for a in argv], top / f"{name}.log", lambda: pathlib.Path(socket_path).exists(), env=base_env)


def archive():
    image = Image()
    image.manifest([{"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": status(*WANT), "bin/busybox": BUSYBOX, "bin/sh": BUSYBOX, "bin/tool": "#!",
                     "usr/share/base": "x", "var/lib/dpkg/info/openssl.list": "/.\n/etc/openssl.cnf\n/bin/tool\n", "etc/openssl.cnf": "a"},
                    {"var/lib/dpkg/info/bash.list": "/.\n/etc/bash.bashrc\n/bin/busybox\n/bin/sh\n", "etc/bash.bashrc": "b"}])
    p = run("skopeo", "--insecure-policy", "copy", "-q", f"oci:{image.layout(top / 'image', 'v1')}:v1", f"docker-archive:{top}/image.tar:team/app:v1")
    assert p.returncode == 0, p.stderr


def check_image(name, target, env):
    code, report, err = scan(f"{name}:{target}", env=env)
    tap.check(f"{name}: an image", code == 0 and packages(report) == WANT and report["target"]["kind"] == name, (code, report and report["target"], err))
    tap.check(f"{name}: each package from its layer", report and [len(report["layers"]), {p["layer"] for p in report["packages"]}] ==
              [2, {report["layers"][0].get("digest") or report["layers"][0]["diff_id"]}], report and report["layers"])
    code, report, err = scan(f"{name}:team/absent:v9", env=env)
    tap.check(f"{name}: an image that is not there", code == 2 and "no image named" in err, (code, err))
    code, report, err = scan(target, env=env)
    tap.check(f"{name}: found by its bare name", code == 0 and packages(report) == WANT and f"{target}: taken from {name}" in err.lower(), (code, err))


def drift_of(report):
    return {(f["id"], (f.get("paths") or [None])[0]): f["severity"] for f in report["findings"] if f["class"] == "drift"}


def check_environment(name, report):
    """A password that the container alone has, in its environment."""
    found = [(f["id"], f["paths"][0]) for f in report["findings"] if f["class"] == "secret"] if report else []
    tap.check(f"{name}: a container: a secret in its environment", found == [("postgres-url", "container:Env/DATABASE_URL")], found)


def check_container(name, target, env):
    code, report, err = scan(f"container:{target}", env=env)
    tap.check(f"{name}: a container: what drifted", code == 0 and report and drift_of(report) == DRIFT, (code, err, report and drift_of(report)))
    tap.check(f"{name}: its packages", packages(report) == sorted(WANT + [("curl", "7.88.1-10")]), packages(report))
    tops = [l for l in report["layers"] if l.get("container")] if report else []
    tap.check(f"{name}: the new one is the container's", len(tops) == 1 and [p["layer"] for p in report["packages"] if p["name"] == "curl"] ==
              [tops[0].get("digest")] and tops[0]["created_by"] == "container", tops)
    rest = [f["title"] for f in report["findings"] if f["id"] == "container-files-changed"] if report else []
    tap.check(f"{name}: and the rest is counted", rest and "var/log/app.log" in rest[0], rest)


def docker():
    if not shutil.which("dockerd") or os.geteuid():
        return tap.skip("Docker", "dockerd is missing, or this is not root")
    sock = top / "docker.sock"
    try:
        daemons.append(start(["dockerd", "--data-root", top / "docker", "--exec-root", top / "exec", "--pidfile", top / "docker.pid", "-H", f"unix://{sock}",
                              "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs"], "dockerd", sock))
    except RuntimeError as e:
        return tap.skip("Docker", f"dockerd does not start here: {str(e)[-200:]}".replace("\n", " "))
    env = {"DOCKER_HOST": f"unix://{sock}"}
    for _ in range(100):
        if run("docker", "version", env=env).returncode == 0:
            break
        time.sleep(0.1)
    loaded = run("docker", "load", "-qi", top / "image.tar", env=env)
    tap.check("Docker loads the image", loaded.returncode == 0, loaded.stderr)
    check_image("docker", "team/app:v1", env)
    made = run("docker", "run", "-d", "--network", "none", "--name", "busy", "-e", PASSWORD_URL, "team/app:v1", "/bin/busybox", "sleep", "600", env=env)
    if made.returncode:
        return tap.skip("Docker: a container", "can't run one here: " + made.stderr.strip()[-200:].replace("\n", " "))
    clean = scan("container:busy", env=env)
    check_environment("docker", clean[1])
    tap.check("docker: a container that changed nothing", clean[0] == 0 and drift_of(clean[1]) == {}, clean[1] and drift_of(clean[1]))
    done = run("docker", "exec", "busy", "/bin/sh", "-c", "busybox() { /bin/busybox \"$@\"; }; " + "; ".join(DEEDS), env=env)
    tap.check("docker: deeds in it", done.returncode == 0, done.stderr)
    check_container("docker", "busy", env)
    code, report, err = scan("container:absent", env=env)
    tap.check("docker: a container that is not there", code == 2 and "no container named absent" in err, (code, err))
    run("docker", "rm", "-f", "busy", env=env)


def podman():
    if not shutil.which("podman") or os.geteuid():
        return tap.skip("Podman", "podman is missing, or this is not root")
    sock = top / "podman.sock"
    args = ["podman", "--root", top / "podman", "--runroot", top / "podman-run", "--tmpdir", top / "podman-tmp", "--storage-driver", "vfs"]
    try:
        daemons.append(start([*args, "system", "service", "--time=0", f"unix://{sock}"], "podman", sock))
    except RuntimeError as e:
        return tap.skip("Podman", f"its service does not start here: {str(e)[-200:]}".replace("\n", " "))
    env = {"CONTAINER_HOST": f"unix://{sock}"}
    loaded = run(*args, "load", "-qi", top / "image.tar")
    tap.check("Podman loads the image", loaded.returncode == 0, loaded.stderr)
    check_image("podman", "team/app:v1", env)
    made = run(*args, "create", "--name", "idle", "--network", "none", "-e", PASSWORD_URL, "team/app:v1", "/bin/busybox", "sleep", "600")
    if made.returncode:
        return tap.skip("Podman: a container", "can't make one here: " + made.stderr.strip()[-200:].replace("\n", " "))
    mounted = run(*args, "mount", "idle")
    root = pathlib.Path(mounted.stdout.strip())
    (root / "etc/openssl.cnf").write_text("changed")
    (root / "etc/bash.bashrc").unlink()
    (root / "bin/tool").write_text("patched")
    (root / "usr/bin").mkdir()
    (root / "usr/lib").mkdir()
    (root / "var/log").mkdir()
    for name in ("miner", "curl"):
        shutil.copy(shutil.which("busybox"), root / "usr/bin" / name)
    (root / "usr/lib/libevil.so.1").write_text(".")
    (root / "var/log/app.log").write_text("line")
    with open(root / "var/lib/dpkg/status", "a") as f:
        f.write(status(("curl", "7.88.1-10")))
    (root / "var/lib/dpkg/info/curl.list").write_text("/usr/bin/curl\n")
    run(*args, "unmount", "idle")
    check_container("podman", "idle", env)
    check_environment("podman", scan("container:idle", env=env)[1])


def containerd():
    if not shutil.which("containerd") or not shutil.which("ctr") or os.geteuid():
        return tap.skip("containerd", "containerd or ctr is missing, or this is not root")
    sock = top / "cd.sock"
    try:
        daemons.append(start(["containerd", "--root", top / "cd", "--state", top / "cd-state", "--address", sock], "containerd", sock))
    except RuntimeError as e:
        return tap.skip("containerd", f"it does not start here: {str(e)[-200:]}".replace("\n", " "))
    for _ in range(100):
        loaded = run("ctr", "--address", sock, "-n", "k8s.io", "images", "import", "--no-unpack", top / "image.tar")
        if loaded.returncode == 0 or "--no-unpack" in loaded.stderr:
            break
        time.sleep(0.1)
    if loaded.returncode:
        loaded = run("ctr", "--address", sock, "-n", "k8s.io", "images", "import", top / "image.tar")
    tap.check("containerd imports the image", loaded.returncode == 0, loaded.stderr)
    check_image("containerd", "team/app:v1", {"CONTAINERD_ADDRESS": str(sock)})
    code, report, err = scan("containerd:team/app:v1", env={"CONTAINERD_ADDRESS": str(sock), "CONTAINERD_NAMESPACE": "other"})
    tap.check("containerd: another namespace", code == 2 and "namespace other" in err, (code, err))


def nobody():
    code, report, err = scan("docker:x", env={"DOCKER_HOST": f"unix://{top}/none.sock"})
    tap.check("a socket that is not there", code == 2 and "none.sock" in err, (code, err))
    code, report, err = scan("docker:x", env={"DOCKER_HOST": "ssh://build"})
    tap.check("a way that is not known", code == 2 and "ssh://build" in err, (code, err))


try:
    archive()
    nobody()
    docker()
    podman()
    containerd()
finally:
    for d in daemons:
        d.stop()
    subprocess.run(f"findmnt -rno TARGET | grep '^{top}/' | sort -r | xargs -r umount -l", shell=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
tap.end()
