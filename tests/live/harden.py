#!/usr/bin/env python3
"""harden: are run profiles and hardened images sound, tight and small? Debian's redis, nginx, Python, PostgreSQL, Node, and docker-registry, which is a program in Go.

usage: harden.py BULKHEAD

Each becomes an image with everything in it. `harden --verify` makes the hardened one and the profile, starts both in Docker and asks what the service's own client would ask. Then the
original is started in its root under strace, and every system call that strace saw must be in the profile. The hardened image is started by Docker or by Podman (with crun) with the
profile as it was written: seccomp filter enforced, root read-only, no capabilities, the user and folders that it names; it must answer again, and be refused what the profile refuses.
Of what was written, umoci, dpkg and find tell whether it is an image, whether its package database is true, and whether setuid files are left.
Output: TAP; how many calls are allowed and what was removed is told in comments.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("mmdebstrap", "umoci", "strace", "dockerd", "docker", "podman", "crun", "curl", "unshare", "nsenter")
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
# Docker and Podman take seconds for each image: all but the one in Go are tried in Docker by harden itself, and looked at from outside in one of the two.
VERIFIED = ["redis", "nginx", "python", "postgres", "node"]
IN_DOCKER, IN_PODMAN = ["redis", "postgres"], ["nginx", "python", "node"]
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
    # Large, and nothing that these services need.
    for name in ("usr/share/locale", "usr/share/i18n", "usr/lib/postgresql/15/lib/bitcode", "var/lib/postgresql/15", "var/lib/apt", "var/cache/apt"):
        shutil.rmtree(top / "root" / name, ignore_errors=True)
    for path in [*(top / "root/usr/lib").glob("*/libLLVM*"), *(top / "root/usr/lib").glob("*/libz3*"), top / "root/usr/lib/postgresql/15/lib/llvmjit.so"]:
        path.unlink(missing_ok=True)
    (top / "root/etc/registry.yml").write_text('version: 0.1\nstorage: {filesystem: {rootdirectory: /tmp/r}}\nhttp: {addr: "127.0.0.1:8003"}\n')
    # A database of PostgreSQL is made before: its programs for that are not what runs later.
    p = inside("setpriv --reuid=postgres --regid=postgres --clear-groups " + f"{PG}/initdb -A trust -D /var/lib/postgresql/data")
    assert p.returncode == 0, p.stderr[-2000:]


def inside(command):
    return run("unshare", "-m", "sh", "-c", f"mount -t proc proc {top}/root/proc && exec chroot {top}/root sh -c {shlex.quote(command)}")


ENGINE = f"docker -H unix://{top}/tmpfs/docker.sock"


def umoci(*words):
    p = run("umoci", *words, seconds=300)
    assert p.returncode == 0, p.stderr[-2000:]


def make_image(name):
    """The root as the one layer of an image that starts the service."""
    base, layout = top / "base", top / "images" / name
    if not base.exists():
        umoci("init", "--layout", base)
        umoci("new", "--image", f"{base}:v1")
        umoci("raw", "add-layer", "--image", f"{base}:v1", top / "root.tar")
    shutil.copytree(base, layout)
    words = [w for word in SERVICES[name][1] for w in ("--config.cmd", word)]
    user = ["--config.user", "postgres"] if name == "postgres" else []
    umoci("config", "--image", f"{layout}:v1", *words, *user, "--config.env", f"PATH={env['PATH']}")
    return f"oci:{layout}:v1"


def harden(name):
    """What harden says, and the names that seccomp.json allows or answers by itself."""
    folder, made = top / "profiles" / name, top / "hardened" / f"{name}.tar"
    made.parent.mkdir(exist_ok=True)
    question = SERVICES[name][2].replace("{exec}", f"{ENGINE} exec $CONTAINER").replace("PGBIN", PG)
    more = [w for c in CLIENTS.get(name, []) for w in ("--program", c, "--keep", c)]
    verify = ["--verify", f"nsenter -n -t $PID sh -c {shlex.quote(question)} | grep -o {shlex.quote(SERVICES[name][3])}"]
    p = run(bulkhead, "harden", make_image(name), *more, "--profile", folder, "--image", made, "--name", f"{name}:hard", "--engine", ENGINE, "--run-options", "--network none",
            *(verify if name in VERIFIED else []), *(["--no-compare"] if name != "nginx" else []), seconds=600)
    if not tap.check(f"{name}: hardened{', and it does in Docker what it did' * (name in VERIFIED)}", p.returncode == 0 and ("verified" in p.stdout) == (name in VERIFIED) and (folder / "report.txt").exists(), (p.returncode, p.stdout, p.stderr)):
        return None
    print("".join(f"# {name}: {line}\n" for line in p.stdout.splitlines()), end="")
    if name == "nginx":
        before, after = map(int, re.search(r"findings: (\d+) before, (\d+) after", p.stdout).groups())
        tap.check("nginx: fewer findings", 0 < after < before, p.stdout)
    document = json.loads((folder / "seccomp.json").read_text())
    allowed = {n for s in document["syscalls"] if s["action"] == "SCMP_ACT_ALLOW" for n in s["names"]}
    answered = {n for s in document["syscalls"] for n in s["names"]}
    default = int(re.search(r"default profile allows (\d+)", (folder / "report.txt").read_text())[1])
    tap.check(f"{name}: everything was decided, and it is tight", len(allowed) <= SERVICES[name][4] < default and document["defaultAction"] == "SCMP_ACT_ERRNO",
              f"{len(allowed)} of {default}")
    return answered


def unpacked(name):
    """What is in the hardened image, as others see it."""
    layout, bundle = top / "unpacked" / name, top / "bundle"
    layout.mkdir(parents=True)
    subprocess.run(["tar", "-C", layout, "-xf", top / "hardened" / f"{name}.tar"], check=True)
    umoci("unpack", "--image", f"{layout}:{name}:hard", bundle)
    root = bundle / "rootfs"
    tap.check(f"{name}: no setuid or setgid file", run("find", root, "-xdev", "-type", "f", "-perm", "/6000").stdout == "")
    tap.check(f"{name}: nothing that everybody may write to", run("find", root, "-xdev", "-perm", "-0002", "!", "-type", "l", "!", "-type", "c", "!", "-perm", "-1000").stdout == "")
    gone = [f for f in ("usr/bin/apt-get", "usr/bin/dpkg", "bin/bash", "usr/bin/perl", "usr/share/man/man1", "usr/bin/gpgv") if (root / f).exists() and not (root / f).is_dir()]
    tap.check(f"{name}: no package manager, no bash, no perl", not gone, gone)
    dangling = [str(p) for d in ("usr/bin", "usr/sbin", "etc") for p in (root / d).iterdir() if p.is_symlink() and not os.path.isabs(os.readlink(p)) and not p.exists()]
    before = [str(p) for d in ("usr/bin", "usr/sbin", "etc") for p in (top / "root" / d).iterdir() if p.is_symlink() and not os.path.isabs(os.readlink(p)) and not p.exists()]
    tap.check(f"{name}: no link that leads nowhere and led somewhere", len(dangling) <= len(before), dangling)
    installed = run("dpkg-query", "--admindir", root / "var/lib/dpkg", "-W", "-f", "${Package}\n").stdout.split()
    tap.check(f"{name}: dpkg's database can be read", "libc6" in installed and "bash" not in installed and "apt" not in installed, installed)
    was = set(run("dpkg", "--root", top / "root", "--verify").stdout.splitlines())
    changed = [line for line in run("dpkg", "--root", root, "--verify").stdout.splitlines() if line not in was and not re.search("/usr/share/(doc|doc-base|man|info|lintian|bug|bash-completion|zsh|fish)/", line)]
    tap.check(f"{name}: dpkg misses nothing of the packages that are left but documentation", not changed, changed[:20])
    shutil.rmtree(bundle)
    shutil.rmtree(layout)


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
    loaded = run(*engine, "load", "-q", "-i", top / "hardened" / f"{name}.tar", seconds=300)
    image = "localhost/" * (runtime == "podman") + f"{name}:hard"
    started = run(*engine, "run", "-d", "--name", label, "--network", "none", *more, *arguments(runtime, name), image)
    if not tap.check(f"{name}: {runtime} starts it with the profile", started.returncode == 0, (loaded, started.stderr)):
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


def refused(engine, name):
    """A call outside of the profile fails, though Docker's default profile allows it. The hardened image has no program that calls whatever it is told: it lends its profile."""
    shell = ["perl", "-e", "my $r = syscall(135, 0xffffffff); exit($r == -1 && $!{EPERM} ? 0 : 1)"]  # personality
    imported = run(*engine, "import", top / "root.tar", "app:v1", seconds=300)
    p = run(*engine, "run", "--rm", "--network", "none", *arguments("docker", name), "app:v1", *shell)
    control = run(*engine, "run", "--rm", "--network", "none", "app:v1", *shell)
    tap.check("a call that is not in the profile is refused; without it, it is not", p.returncode == 0 and control.returncode == 1, (imported, p.returncode, p.stderr, control.returncode, control.stderr))


def listing(image):
    """Files of an image with modes and owners, as Docker exports them."""
    name = run(*ENGINE.split(), "create", "--network", "none", image, "x").stdout.strip()
    with subprocess.Popen([*ENGINE.split(), "export", name], stdout=subprocess.PIPE, env=env) as p, tarfile.open(fileobj=p.stdout, mode="r|") as t:
        found = {m.name: (m.type, oct(m.mode), m.uid, m.gid, m.linkname) for m in t if not m.isdir() and not re.match(r"etc/(hosts|hostname|resolv.conf|mtab)$|\.dockerenv$|dev/", m.name)}
    run(*ENGINE.split(), "rm", "-f", name)
    return found


def patched():
    """The patch for the Dockerfile, applied by patch(1) and built by Docker, gives the image that harden wrote."""
    docker, folder = ENGINE.split(), top / "context"
    folder.mkdir()
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(f"FROM app:v1\nENV PATH={env['PATH']}\nEXPOSE 80\nCMD [\"nginx\", \"-g\", \"daemon off;\"]")
    assert run(*docker, "build", "-q", "--network", "none", "-t", "nginx:built", folder, seconds=300).returncode == 0
    p = run(*docker, "save", "-o", top / "built.tar", "nginx:built", seconds=300)
    p = run(bulkhead, "harden", f"archive:{top}/built.tar", "--profile", top / "profiles/patched", "--image", top / "hardened/patched.tar", "--name", "nginx:patched", "--no-compare", "--dockerfile", dockerfile)
    tap.check("a patch for a Dockerfile", p.returncode == 0, (p.stdout, p.stderr))
    p = run("patch", "-p0", dockerfile, top / "profiles/patched/Dockerfile.patch")
    tap.check("that patch(1) applies", p.returncode == 0, (p.stdout, p.stderr, (top / "profiles/patched/Dockerfile.patch").read_text()))
    p = run(*docker, "build", "-q", "--network", "none", "-t", "nginx:rebuilt", folder, seconds=300)
    tap.check("and Docker builds", p.returncode == 0, (p.stdout, p.stderr, dockerfile.read_text()))
    run(*docker, "load", "-q", "-i", top / "hardened/patched.tar", seconds=300)
    wanted, got = listing("nginx:patched"), listing("nginx:rebuilt")
    extra, missing = sorted(got.keys() - wanted.keys()), sorted(wanted.keys() - got.keys())
    other = [(n, wanted[n], got[n]) for n in wanted.keys() & got.keys() if wanted[n] != got[n]]
    tap.check(f"gives the same {len(wanted)} files, modes and owners", len(wanted) > 3000 and not extra and not missing and not other, (extra[:20], missing[:20], other[:20], len(extra), len(missing), len(other)))
    user = run(*docker, "inspect", "-f", "{{.Config.User}} {{.Config.Cmd}}", "nginx:rebuilt").stdout
    tap.check("with the user and the command", user == "33:33 [nginx -g daemon off;]\n", user)


def worse():
    """An image whose service needs what harden can't see: the difference is found, and nothing is kept."""
    layout, made = top / "images/worse", top / "hardened/worse.tar"
    shutil.copytree(top / "base", layout)
    program = "import subprocess, http.server as h\nclass H(h.BaseHTTPRequestHandler):\n def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(subprocess.run(['ba'+'sh', '-c', 'echo works'], capture_output=True).stdout)\nh.HTTPServer(('127.0.0.1', 8004), H).serve_forever()"
    umoci("config", "--image", f"{layout}:v1", "--config.cmd", "python3", "--config.cmd", "-c", "--config.cmd", program, "--config.env", f"PATH={env['PATH']}")
    p = run(bulkhead, "harden", f"oci:{layout}:v1", "--profile", top / "profiles/worse", "--image", made, "--engine", ENGINE, "--run-options", "--network none", "--no-compare",
             "--verify-time", "12", "--verify", "nsenter -n -t $PID curl -sS http://127.0.0.1:8004/", seconds=600)
    tap.check("a shell under a made-up name: --verify finds that it is missing, and keeps no image", p.returncode == 1 and 'with the original "works"' in p.stderr and not made.exists(),
              (p.returncode, p.stdout, p.stderr))


def start_docker():
    """In memory, so that layers are not copied for each container."""
    (top / "tmpfs").mkdir()
    assert run("mount", "-t", "tmpfs", "-o", "size=4g", "none", top / "tmpfs").returncode == 0
    sock = top / "tmpfs/docker.sock"
    daemons.append(Daemon([str(w) for w in ("dockerd", "--data-root", top / "tmpfs/docker", "--exec-root", top / "exec", "--pidfile", top / "docker.pid", "-H", f"unix://{sock}", "--iptables=false",
                                            "--ip6tables=false", "--bridge=none", "--storage-driver", "overlay2")], top / "dockerd.log", sock.exists, env=env))
    for _ in range(100):
        if run(*ENGINE.split(), "version").returncode == 0:
            break
        time.sleep(0.1)


def podman():
    """crun wants control groups of one version; where this machine has both, it gets a view with the second only, and limits are left out."""
    holder = subprocess.Popen(["unshare", "-m", "sh", "-c", "umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && echo ready && exec sleep 3600"], stdout=subprocess.PIPE,
                              env=env, start_new_session=True)
    try:
        tap.check("a view with control groups of version 2", holder.stdout.readline() == b"ready\n")
        engine = ["nsenter", "-m", "-t", str(holder.pid), "podman", "--root", top / "tmpfs/podman", "--runroot", top / "podman-run", "--tmpdir", top / "podman-tmp", "--storage-driver", "overlay",
                  "--runtime", "crun", "--cgroup-manager", "cgroupfs"]
        for name in IN_PODMAN:
            contained("podman", engine, name, "--cgroups=disabled", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
            run(*engine, "rmi", "-f", f"localhost/{name}:hard")
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()


try:
    make_root()
    subprocess.run(["tar", "-C", top / "root", "-cf", top / "root.tar", "."], check=True)
    start_docker()
    docker = ENGINE.split()
    for service in SERVICES:
        names = harden(service)
        if names is not None:
            traced(service, names)
            if service in ("nginx", "postgres"):
                unpacked(service)
            if service in IN_DOCKER:
                contained("docker", docker, service)
    refused(docker, "redis")
    patched()
    worse()
    podman()
finally:
    for d in daemons:
        d.stop()
    subprocess.run(f"findmnt -rno TARGET | grep '^{top}/' | sort -r | xargs -r umount -l", shell=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(top, ignore_errors=True)
tap.end()
