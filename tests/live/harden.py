#!/usr/bin/env python3
"""harden: are run profiles sound and tight? Debian's redis, nginx, Python, PostgreSQL, Node, and docker-registry, which is a program in Go.

usage: harden.py BULKHEAD

Each is started in its root under strace, asked what its own client would ask, and every system call that strace saw must be in the profile. Then each
is started by Docker and by Podman (with crun) with the profile as it was written: seccomp filter enforced, root read-only, no capabilities, the
user and folders that it names; and must answer again, and be refused what the profile refuses.
Output: TAP; how many calls are allowed is told in comments.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("mmdebstrap", "strace", "dockerd", "docker", "podman", "crun", "curl", "unshare", "nsenter")
ROOT = pathlib.Path(__file__).resolve().parents[2]
bulkhead = os.path.abspath(sys.argv[1])
top = pathlib.Path(tempfile.mkdtemp(prefix="bh-", dir="/tmp"))
tap, daemons = Tap(), []
env = {"HOME": str(top), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
PACKAGES = "redis-server,redis-tools,nginx,python3,postgresql-15,nodejs,docker-registry"
NODE = "require('http').createServer((q,s)=>require('dns').lookup('localhost',()=>require('fs').readFile('/etc/passwd',(e,d)=>s.end('node '+d.length)))).listen(8002)"
PG = "/usr/lib/postgresql/15/bin"
# program, command, question (in its network namespace; {root}: its root, {exec}: how to run something in it), what the answer holds, most calls that may be allowed
SERVICES = {
    "redis": ("redis-server", ["redis-server", "--port", "6379", "--save", "", "--dir", "/tmp"], "{exec} redis-cli -p 6379 ping && {exec} redis-cli -p 6379 set a b && {exec} redis-cli -p 6379 bgsave", "PONG", 180),
    "nginx": ("nginx", ["nginx", "-g", "daemon off;"], "curl -sS http://127.0.0.1:80/", "Welcome to nginx", 175),
    "python": ("python3", ["python3", "-m", "http.server", "8001", "--directory", "/etc"], "curl -sS http://127.0.0.1:8001/hostname http://127.0.0.1:8001/passwd", "root:", 220),
    "postgres": (f"{PG}/postgres", [f"{PG}/postgres", "-D", "/var/lib/postgresql/data", "-k", "/tmp", "-c", "listen_addresses=127.0.0.1"],
                 "{exec} PGBIN/psql -h 127.0.0.1 -U postgres -Atc \"select 'one' || 1; create temp table t as select generate_series(1,1000) n; select count(*), sum(n) from t\"", "one1", 200),
    "registry": ("docker-registry", ["docker-registry", "serve", "/etc/registry.yml"],
                 "curl -sS http://127.0.0.1:8003/v2/ && curl -sS -i -X POST http://127.0.0.1:8003/v2/a/blobs/uploads/", "202 Accepted", 145),
    "node": ("node", ["node", "-e", NODE], "curl -sS http://127.0.0.1:8002/", "node", 230),
}
# Programs beside the service itself that the question runs in the container.
CLIENTS = {"redis": ["redis-cli"], "postgres": [f"{PG}/psql"]}


def run(*argv, seconds=120, **kw):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, env=env, timeout=seconds, stdin=subprocess.DEVNULL, **kw)


def make_root():
    mirror = run(ROOT / "tools/debian-mirror").stdout.strip()
    p = run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg", "bookworm", top / "root.tar",
            f"deb {mirror} bookworm main", seconds=600)
    assert p.returncode == 0, p.stderr[-2000:]
    (top / "root").mkdir()
    subprocess.run(["tar", "-C", top / "root", "-xf", top / "root.tar"], check=True)
    # Docker and Podman copy all of it for each container.
    for name in ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/i18n", "usr/lib/postgresql/15/lib/bitcode", "var/lib/apt", "var/cache/apt"):
        shutil.rmtree(top / "root" / name, ignore_errors=True)
    for path in [*(top / "root/usr/lib").glob("*/libLLVM*"), top / "root/usr/lib/postgresql/15/lib/llvmjit.so"]:
        path.unlink(missing_ok=True)
    (top / "root/etc/registry.yml").write_text('version: 0.1\nstorage: {filesystem: {rootdirectory: /tmp/r}}\nhttp: {addr: "127.0.0.1:8003"}\n')
    # A database of PostgreSQL is made before: its programs for that are not what runs later.
    p = inside("setpriv --reuid=postgres --regid=postgres --clear-groups " + f"{PG}/initdb -A trust -D /var/lib/postgresql/data")
    assert p.returncode == 0, p.stderr[-2000:]


def inside(command):
    return run("unshare", "-m", "sh", "-c", f"mount -t proc proc {top}/root/proc && exec chroot {top}/root sh -c {shlex.quote(command)}")


def profile(name):
    """What harden says, and the names that seccomp.json allows or answers by itself."""
    program, command = SERVICES[name][:2]
    folder = top / "profiles" / name
    began = time.monotonic()
    more = [w for c in CLIENTS.get(name, []) for w in ("--program", c)]
    p = run(bulkhead, "harden", f"rootfs:{top}/root", "--program", program, *more, "--profile", folder)
    took = time.monotonic() - began
    if not tap.check(f"{name}: a profile is made", p.returncode == 0 and (folder / "report.txt").exists(), (p.returncode, p.stdout, p.stderr)):
        return None
    document = json.loads((folder / "seccomp.json").read_text())
    allowed = {n for s in document["syscalls"] if s["action"] == "SCMP_ACT_ALLOW" for n in s["names"]}
    answered = {n for s in document["syscalls"] for n in s["names"]}
    default = int(re.search(r"default profile allows (\d+)", (folder / "report.txt").read_text())[1])
    print(f"# {name}: {len(allowed)} system calls allowed, {default} in Docker's default profile; {took:.1f} s")
    tap.check(f"{name}: everything was decided, and it is tight", len(allowed) <= SERVICES[name][4] < default and document["defaultAction"] == "SCMP_ACT_ERRNO",
              f"{len(allowed)} of {default}")
    return answered


def ask(name, netns, execute):
    """The question, until it is answered."""
    _, _, question, answer, _ = SERVICES[name]
    question = question.replace("{exec}", execute).replace("PGBIN", PG)
    until = time.monotonic() + 30
    while True:
        p = run("nsenter", "-n", "-t", str(netns), "sh", "-c", question)
        if (p.returncode == 0 and answer in p.stdout) or time.monotonic() > until:
            return p.returncode == 0 and answer in p.stdout, (p.stdout[-300:], p.stderr[-600:])
        time.sleep(0.2)


def child_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def traced(name, answered):
    """Under strace, as root as far as the program lets itself be, in a network of its own."""
    log = top / f"{name}.trace"
    command = SERVICES[name][1]
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if name == "postgres" else []
    script = f"ip link set lo up; mount -t proc proc {top}/root/proc; exec strace -f -qq -o {log} chroot {top}/root {shlex.join(user + command)}"
    out = open(top / f"{name}.log", "wb")
    p = subprocess.Popen(["unshare", "-m", "-n", "sh", "-c", script], stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    time.sleep(1)
    ok, told = ask(name, p.pid, f"chroot {top}/root")
    tap.check(f"{name}: answers under strace", ok, (told, (top / f"{name}.log").read_text()[-600:]))
    for kid in child_of(p.pid):
        subprocess.run(["kill", "-TERM", kid])
    try:
        p.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
    # What setpriv and chroot do comes before the program's own execve.
    lines = log.read_text(errors="replace").split("\n")
    own = next(i for i, line in enumerate(lines) if re.search(r'execve\("[^"]*/' + pathlib.Path(command[0]).name + '"', line) and line.rstrip().endswith("= 0"))
    seen = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", "\n".join(lines[own:]), re.M))
    tap.check(f"{name}: each of the {len(seen)} system calls that strace saw is in the profile", len(seen) > 30 and seen <= answered, sorted(seen - answered))


def arguments(runtime, name):
    """The options of docker-run.txt or podman-run.txt, with what belongs to this machine put in."""
    folder = top / "profiles" / name
    words = []
    for line in (folder / f"{runtime}-run.txt").read_text().splitlines():
        if runtime == "podman" and re.match("--(pids-limit|memory)", line):
            continue  # without control groups, see podman()
        words += shlex.split(line.replace("seccomp=seccomp.json", f"seccomp={folder}/seccomp.json").replace("data1:", f"{name}-data1:"))
    return words


def contained(runtime, engine, name, *more):
    """engine: the words that docker or podman are called with. No network but its own loopback, in which the question is asked."""
    label = f"{runtime}-{name}"
    started = run(*engine, "run", "-d", "--name", label, "--network", "none", *more, *arguments(runtime, name), "app:v1", *SERVICES[name][1])
    if not tap.check(f"{name}: {runtime} starts it with the profile", started.returncode == 0, started.stderr):
        return
    pid = run(*engine, "inspect", "-f", "{{.State.Pid}}", label).stdout.strip()
    ok, told = ask(name, pid, shlex.join([str(w) for w in engine]) + f" exec {label}") if pid not in ("", "0") else (False, "it ended")
    tap.check(f"{name}: and it works there", ok, (told, run(*engine, "logs", label)))
    if ok:
        state = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in state.split("\n") if ":\t" in line)
        tap.check(f"{name}: filtered, without capabilities, not root", (fields["Seccomp"], fields["NoNewPrivs"], int(fields["CapBnd"], 16)) == ("2", "1", 0) and not fields["Uid"].startswith("0\t"), fields)
        mounts = pathlib.Path(f"/proc/{pid}/mounts").read_text()
        tap.check(f"{name}: its root is read-only", re.search(r"^\S+ / \S+ ro[, ]", mounts, re.M), mounts)
    run(*engine, "rm", "-f", "-v", label)


def load(engine):
    p = run(*engine, "import", top / "root2.tar", "app:v1", seconds=300)
    tap.check("the root becomes an image", p.returncode == 0, p.stderr)


def refused(engine, name):
    """A call outside of the profile fails, though Docker's default profile allows it."""
    shell = ["perl", "-e", "my $r = syscall(135, 0xffffffff); exit($r == -1 && $!{EPERM} ? 0 : 1)"]  # personality
    p = run(*engine, "run", "--rm", "--network", "none", *arguments("docker", name), "app:v1", *shell)
    control = run(*engine, "run", "--rm", "--network", "none", "app:v1", *shell)
    tap.check("a call that is not in the profile is refused; without it, it is not", p.returncode == 0 and control.returncode == 1, (p.returncode, p.stderr, control.returncode, control.stderr))


def docker():
    sock = top / "docker.sock"
    daemons.append(Daemon([str(w) for w in ("dockerd", "--data-root", top / "docker", "--exec-root", top / "exec", "--pidfile", top / "docker.pid", "-H", f"unix://{sock}", "--iptables=false",
                                            "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs")], top / "dockerd.log", sock.exists, env=env))
    engine = ["docker", "-H", f"unix://{sock}"]
    for _ in range(100):
        if run(*engine, "version").returncode == 0:
            break
        time.sleep(0.1)
    load(engine)
    for name in SERVICES:
        contained("docker", engine, name)
    refused(engine, "redis")


def podman():
    """crun wants control groups of one version; where this machine has both, it gets a view with the second only, and limits are left out."""
    holder = subprocess.Popen(["unshare", "-m", "sh", "-c", "umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && echo ready && exec sleep 3600"], stdout=subprocess.PIPE,
                              env=env, start_new_session=True)
    try:
        tap.check("a view with control groups of version 2", holder.stdout.readline() == b"ready\n")
        engine = ["nsenter", "-m", "-t", str(holder.pid), "podman", "--root", top / "podman", "--runroot", top / "podman-run", "--tmpdir", top / "podman-tmp", "--storage-driver", "vfs",
                  "--runtime", "crun", "--cgroup-manager", "cgroupfs"]
        load(engine)
        for name in SERVICES:
            contained("podman", engine, name, "--cgroups=disabled", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()


try:
    make_root()
    for service in SERVICES:
        names = profile(service)
        if names is not None:
            traced(service, names)
    shutil.rmtree(top / "root/tmp/r", ignore_errors=True)  # of the registry under strace
    subprocess.run(["tar", "-C", top / "root", "-cf", top / "root2.tar", "."], check=True)
    docker()
    podman()
finally:
    for d in daemons:
        d.stop()
    subprocess.run(f"findmnt -rno TARGET | grep '^{top}/' | sort -r | xargs -r umount -l", shell=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
tap.end()
