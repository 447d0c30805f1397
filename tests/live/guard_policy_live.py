#!/usr/bin/env python3
"""guard_policy_live GUARD: policies over real containers of a real dockerd, on this machine's own kernel: by image, by name, for all others. What the kernel can refuse is refused; what would need BPF LSM,
which this kernel may not have (tests/vm has it), ends in the process's death, and that is told at the start. Then containers that rules freeze and cut off. Prints TAP."""
import re
import socket
import sys
import threading

import os

sys.path.insert(0, os.path.dirname(__file__))
from guard_common import *  # noqa: E402,F403

GUARD = os.path.abspath(sys.argv[1])
SHELL = ("sh", "-c")
REFUSED = 77  # of deeds: EPERM
KILLED = 137
POLICIES = """
policies:
- name: others
  drift: kill
- name: victims
  images: ["registry.example/team/vic*"]
  drift: deny
  deny: [setuid, user-namespaces, ptrace, mounts, raw-sockets, devices, runtime-sockets, host-settings, volume-programs, bpf, modules]
  connect:
    deny: [metadata, "10.0.0.0/8 tcp/6443"]
    allow: ["10.0.0.0/8", "world udp/53", "2001:db8::/32 443"]
  listen: {allow: [tcp/8080]}
  files:
    read-only: [/etc]
    writable: [/etc/resolv.conf, /etc/hostname]
    forbidden: [/run/secrets]
- name: builders
  containers: ["build-*"]
  drift: allow
- name: looked-at
  containers: [watched]
  mode: monitor
  drift: deny
  connect: {deny: [metadata]}
- name: soft
  containers: [soft]
  fallback: audit
  deny: [mounts, raw-sockets]
"""
# Name, policy's word, options of exec, command, how it ends where the kernel can refuse, and where it can't.
STOPPED = [
    ("a program that was brought in", "drift", (), (*SHELL, "cp /usr/bin/deeds /tmp/evil; /tmp/evil mark /tmp/ran"), None),
    ("a program in memory", "drift", (), ("deeds", "memory"), KILLED),
    ("a program on a volume", "volume-programs", (), ("/volume/deeds", "mark", "/tmp/ran"), None),
    ("a program with its owner's rights", "setuid", ("-u", "1000"), ("/usr/bin/su", "--version"), None),
    ("a user namespace", "user-namespaces", (), ("deeds", "own-users"), KILLED),
    ("one for a child", "user-namespaces", (), ("deeds", "clone-users"), KILLED),
    ("another process's control", "ptrace", (), ("deeds", "attach"), KILLED),
    ("writing into another process", "ptrace", (), ("deeds", "write-memory"), KILLED),
    ("a mount", "mounts", (), ("mount", "-t", "tmpfs", "none", "/mnt"), KILLED),
    ("a socket for packets", "raw-sockets", (), ("deeds", "packet"), KILLED),
    ("a manager's socket", "runtime-sockets", (), ("deeds", "manager", "/tmp/docker.sock"), KILLED),
    ("a setting of the host", "host-settings", (), ("deeds", "write", "/proc/sys/kernel/core_pattern"), KILLED),
    ("a device", "devices", (), (*SHELL, "mknod /tmp/disk b 7 0; cat /tmp/disk"), None),
    ("a change in /etc", "read-only", (), ("deeds", "write", "/etc/passwd"), KILLED),
    ("a secret", "forbidden", (), ("cat", "/run/secrets/token"), KILLED),
]
NETWORK = [
    ("the metadata service", "connect", ("connect", "169.254.169.254", "80"), REFUSED),
    ("a message to it", "connect", ("message", "169.254.169.254", "53"), REFUSED),
    ("the API server's port, over UDP", None, ("connect", "10.1.2.3", "6443"), 0),
    ("an address that is allowed", None, ("connect", "10.1.2.3", "80"), 0),
    ("one that is not", "connect", ("connect", "192.0.2.1", "80"), REFUSED),
    ("its port 53, which is", None, ("connect", "192.0.2.1", "53"), 0),
    ("the container itself", None, ("connect-stream", "127.0.0.1", "8080"), 0),
    ("a port to be reached at", "listen", ("port", "4444"), REFUSED),
    ("one that is allowed", None, ("port", "8080"), 0),
]


def of(rule, container, guard, before):
    return lambda a: a in guard.alerts()[before:] and a["rule"] == rule and a["output_fields"].get("container.name") == container


def prepare(docker):
    volume = docker.top / "volume"
    volume.mkdir()
    shutil.copy(docker.top / "context/deeds", volume / "deeds")
    for name in ("shop", "build-7", "watched", "soft"):
        image = ("registry.example/team/victim:1.0",) if name == "shop" else ("registry.example/other:1.0",)
        docker(["tag", "registry.example/team/victim:1.0", "registry.example/other:1.0"])
        docker(["run", "-d", "--network", "none", "--name", name, "--privileged", "--runtime", "lesser", "-v", f"{volume}:/volume", *image, "sleep", "900"])
        docker.exec(name, *SHELL, "mkdir -p /run/secrets; echo token >/run/secrets/token", check=True)
        pid = docker(["inspect", "-f", "{{.State.Pid}}", name]).stdout.strip()
        for argv in (("link", "set", "lo", "up"), ("address", "add", "10.1.2.3/8", "dev", "lo"), ("address", "add", "192.0.2.1/24", "dev", "lo"), ("address", "add", "169.254.169.254/32", "dev", "lo")):
            run("nsenter", "-t", pid, "-n", "ip", *argv)
    docker(["run", "-d", "--network", "none", "--name", "other", "--privileged", "--runtime", "lesser", "registry.example/other:1.0", "sleep", "900"])


def check_stopped(tap, docker, guard, lsm):
    for what, deed, options, argv, status in STOPPED:
        before = len(guard.alerts())
        done = docker.exec("shop", *argv, options=options)
        found = guard.wait_for(of(deed, "shop", guard, before))
        wanted = "kill" if deed not in lsm else "deny"
        good = done.returncode != 0 and found and found[0]["action"] == wanted and "policy=victims" in found[0]["output"]
        tap.check(f"{what}: {deed}", good and (status is None or deed in lsm or done.returncode == status), (done.returncode, done.stderr, found[:2], guard.notices()))
    tap.check("what was brought in did not run", docker.exec("shop", "ls", "/tmp/ran").returncode != 0)


def check_network(tap, docker, guard):
    for what, deed, argv, status in NETWORK:
        before = len(guard.alerts())
        done = docker.exec("shop", "deeds", *argv)
        found = guard.wait_for(of(deed, "shop", guard, before)) if deed else []
        tap.check(f"{what}: {'refused' if deed else 'allowed'}", done.returncode == status and (not deed or (found and found[0]["action"] == "deny")), (done.returncode, found))
    found = [a for a in guard.alerts() if a["rule"] == "connect"]
    tap.check("where to is told", found and found[0]["output_fields"]["fd.rip"] == "169.254.169.254" and found[0]["output_fields"]["fd.rport"] == 80 and found[0]["output_fields"]["fd.l4proto"] == "udp", found[:1])


def check_usual(tap, docker, guard):
    before = len(guard.alerts())
    work = "ls -la / >/dev/null; cat /etc/passwd /etc/hostname >/dev/null; echo shop >/etc/hostname; echo 0 >/proc/self/oom_score_adj; date >/tmp/x; sleep 0.1; sh -c true; deeds manager /tmp/own.sock"
    done = docker.exec("shop", *SHELL, work)
    time.sleep(0.5)
    tap.check("usual work goes on, and nothing is told of it", done.returncode == 0 and len(guard.alerts()) == before, (done.stderr, guard.alerts()[before:]))


def check_others(tap, docker, guard):
    before = len(guard.alerts())
    script = "cp /usr/bin/deeds /tmp/evil; /tmp/evil mark /tmp/ran"
    done = docker.exec("build-7", *SHELL, script)
    tap.check("where a policy allows it, what was brought in runs", done.returncode == 0 and docker.exec("build-7", "ls", "/tmp/ran").returncode == 0 and len(guard.alerts()) == before, (done, guard.alerts()[before:]))
    docker.exec("other", *SHELL, script)
    found = guard.wait_for(of("drift", "other", guard, before))
    tap.check("a container that no other policy is for has that of all others", found and "policy=others" in found[0]["output"] and docker.exec("other", "ls", "/tmp/ran").returncode != 0, found)
    done = docker.exec("watched", *SHELL, script)
    found = guard.wait_for(of("drift", "watched", guard, before))
    tap.check("a policy that monitors lets it run, and tells", done.returncode == 0 and found and found[0]["action"] == "audit" and found[0]["priority"] == "Warning", (done, found))
    docker.exec("watched", "deeds", "connect", "169.254.169.254", "80", check=True)
    found = guard.wait_for(of("connect", "watched", guard, before))
    tap.check("and a connection, too", found and found[0]["action"] == "audit", found)
    done = docker.exec("soft", "mount", "-t", "tmpfs", "none", "/mnt")
    found = guard.wait_for(of("mounts", "soft", guard, before))
    tap.check("fallback: audit: nobody is killed for what can't be refused", found and (found[0]["action"] == "deny" or (done.returncode == 0 and "Not refused" in found[0]["output"])), (done, found))


def check_start(tap, docker, guard):
    """A container that starts under a policy: its manager mounts and sets what it has to, its first program is held by the policy of its image."""
    before = len(guard.alerts())
    done = docker(["run", "--rm", "--network", "none", "--name", "fresh", "registry.example/team/victim:1.0", *SHELL, "sleep 2; deeds own-users; deeds write /etc/passwd; echo end"], check=False)
    found = guard.wait_for(of("read-only", "fresh", guard, before))
    tap.check("a container that starts under a policy starts, and is held to it", done.stdout.strip() == "end" and found and "policy=victims" in found[0]["output"], (done, found, guard.notices()))
    early = [a for a in guard.alerts()[before:] if a["rule"] in ("mounts", "host-settings", "devices") and a["output_fields"].get("container.name") == "fresh"]
    tap.check("what its manager does for it is no deed of its own", not early, early)


def check_first(tap, docker, guard):
    """A container whose own first program was replaced while it did not run; and one whose root is no overlay."""
    docker(["create", "--network", "none", "--name", "replaced", "registry.example/team/victim:1.0", "/usr/bin/own", "mark", "/ran"])
    docker(["cp", str(docker.top / "context/deeds"), "replaced:/usr/bin/own"])
    before = len(guard.alerts())
    docker(["start", "replaced"], check=False)
    found = guard.wait_for(of("drift", "replaced", guard, before))
    gone = docker(["cp", "replaced:/ran", "/dev/null"], check=False)
    tap.check("the first program is held, too, before its first instruction", found and found[0]["action"] == "kill" and gone.returncode != 0, (found, gone))
    docker.exec("shop", *SHELL, "mkdir -p /volume/root/bin; cp /usr/bin/deeds /volume/root/bin/; /usr/sbin/chroot /volume/root /bin/deeds nothing")
    time.sleep(0.5)
    tap.check("a root that is no overlay is told", guard.notices().count("its root is no overlay") == 1, guard.notices())


def check_flood(tap, docker, guard):
    """Refusing does not depend on whoever reads."""
    os.kill(guard.reader(), signal.SIGSTOP)
    statuses = {docker.exec("shop", "deeds", "connect", "169.254.169.254", "80").returncode for _ in range(3)}
    ran = docker.exec("shop", *SHELL, "cp /usr/bin/deeds /tmp/evil5; /tmp/evil5 mark /tmp/ran5").returncode
    os.kill(guard.reader(), signal.SIGCONT)
    tap.check("the kernel decides while the reader stands still", statuses == {REFUSED} and ran != 0 and docker.exec("shop", "ls", "/tmp/ran5").returncode != 0, (statuses, ran))


def check_hold(tap, docker, policies):
    """What refuses is in force without an agent, from the moment that it is killed to that of a new one's end."""
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--policy", policies)
    pids = [guard.process.pid, guard.reader()]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    guard.process.wait()
    Guard.running.remove(guard)
    tap.check("the agent is dead", not any(os.path.exists(f"/proc/{pid}") for pid in pids[:1]))
    done = docker.exec("shop", "deeds", "connect", "169.254.169.254", "80")
    ran = docker.exec("shop", *SHELL, "cp /usr/bin/deeds /tmp/evil6; /tmp/evil6 mark /tmp/ran6").returncode
    tap.check("when the agent is killed, its policies are in force", done.returncode == REFUSED and ran != 0 and docker.exec("shop", "ls", "/tmp/ran6").returncode != 0, (done, ran))
    done = docker(["run", "--rm", "--network", "none", "registry.example/other:1.0", *SHELL, "cp /usr/bin/deeds /tmp/evil; /tmp/evil nothing; echo $?"], check=False)
    tap.check("a container that starts then has the policy of all others", done.stdout.strip() == str(KILLED) or done.stdout.strip() == "126", done)
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--policy", policies)
    tap.check("a new agent says that there was nobody, and takes over", "has left its policies in force" in guard.notices() and len(list(pathlib.Path("/sys/fs/bpf/bulkhead-guard").glob("run-*"))) == 1, guard.notices())
    before = len(guard.alerts())
    done = docker.exec("shop", "deeds", "connect", "169.254.169.254", "80")
    tap.check("and is told of what is refused again", done.returncode == REFUSED and guard.wait_for(of("connect", "shop", guard, before)), done)
    guard.stop()
    tap.check("ended as it should, it leaves nothing in force", docker.exec("shop", "deeds", "connect", "169.254.169.254", "80").returncode == 0)
    guard = Guard(GUARD, "--stay", "--docker-socket", docker.socket, "--policy", policies)
    guard.stop()
    tap.check("unless it was told to", docker.exec("shop", "deeds", "connect", "169.254.169.254", "80").returncode == REFUSED)
    done = run(GUARD, "release")
    tap.check("release ends it", "policies of 1 agents" in done.stdout and docker.exec("shop", "deeds", "connect", "169.254.169.254", "80").returncode == 0, done)


LEARNED_WORK = ("deeds connect 10.1.2.3 80; deeds message 192.0.2.1 53; deeds port 8080; deeds own-users; echo x >/tmp/one; mkdir -p /var/lib/app; for i in 1 2 3 4 5 6 7 8 9 10 11; do echo $i >/var/lib/app/$i; done; "
                "echo y >/etc/hostname; cat /etc/passwd >/dev/null; echo 0 >/proc/self/oom_score_adj; echo end")


def check_learn(tap, docker):
    """What was learned lets the same work go on, without a word, and nothing else."""
    out = docker.top / "learned.yaml"
    err = docker.top / "learned.err"
    with open(out, "w") as o, open(err, "w") as e:
        learner = subprocess.Popen([GUARD, "learn", "--for", "12s", "--docker-socket", str(docker.socket)], stdout=o, stderr=e)
    until = time.monotonic() + 30
    while "learning for" not in err.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    done = docker.exec("shop", *SHELL, LEARNED_WORK)
    tap.check("learning refuses nothing", done.stdout.strip() == "end" and not done.stderr, done)
    tap.check("it ends by itself", learner.wait(60) == 0, err.read_text())
    text = out.read_text()
    mine = text[text.index("registry.example/team/victim"):].split("- name:")[0] if "registry.example/team/victim" in text else ""
    wanted = ["10.1.2.3 udp/80", "192.0.2.1 udp/53", "listen: {allow: [tcp/8080]}", '"/tmp/one"', '"/var/lib/app"', '"/etc/hostname"', "drift: deny", "# user-namespaces: it had"]
    tap.check("what was done is in the policy, and folded where it is much", all(w in mine for w in wanted) and "/var/lib/app/3" not in mine and "deny: [volume-programs, setuid, ptrace" in mine, text)
    done = run(GUARD, "policies", out, check=False)
    tap.check("what was learned is a file of policies", done.returncode == 0 and "images registry.example/team/victim; only tells drift" in done.stdout, (done, text))
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--policy", out)
    docker.exec("shop", "deeds", "connect", "10.1.2.4", "80", check=True)
    found = guard.wait_for(lambda a: a["rule"] == "connect")
    tap.check("while it monitors, what would be refused is told", found and found[0]["action"] == "audit" and found[0]["output_fields"]["fd.rip"] == "10.1.2.4", found)
    guard.stop()
    out.write_text(text.replace("  mode: monitor", "  mode: protect"))
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--policy", out)
    done = docker.exec("shop", *SHELL, LEARNED_WORK)
    time.sleep(0.5)
    tap.check("under it the same work goes on, and nothing is told", done.stdout.strip() == "end" and not done.stderr and not guard.alerts(), (done, guard.alerts()[:3], guard.notices()))
    bad = [docker.exec("shop", *argv).returncode for argv in (("deeds", "connect", "10.1.2.4", "80"), ("deeds", "port", "8081"), (*SHELL, "echo evil >/tmp/two"), ("deeds", "attach"))]
    told = guard.wait_for(lambda a: a["rule"] == "ptrace")
    tap.check("and nothing else", all(bad) and told and {"connect", "listen", "read-only", "ptrace"} == {a["rule"] for a in guard.alerts()}, (bad, guard.alerts()))
    guard.stop()


RULES = """
- rule: freeze-it
  desc: A rule that stops a container where it is
  condition: evt.type in (execve, execveat) and container.name = other and proc.args = freeze-me
  output: frozen
  priority: WARNING
  action: freeze
- rule: cut-it-off
  desc: A rule that takes a container's network
  condition: evt.type in (execve, execveat) and container.name = linked and proc.args = cut-me
  output: cut off
  priority: WARNING
  action: quarantine
"""


def freezing(docker, name):
    pid = docker(["inspect", "-f", "{{.State.Pid}}", name]).stdout.strip()
    path = next(line.split("::")[1].strip() for line in open(f"/proc/{pid}/cgroup") if line.startswith("0::"))
    top = pathlib.Path("/sys/fs/cgroup/unified" if os.path.exists("/sys/fs/cgroup/unified/cgroup.procs") else "/sys/fs/cgroup")
    return pathlib.Path(f"{top}{path}/cgroup.freeze")


def check_freeze(tap, docker):
    rules = docker.top / "act.yaml"
    rules.write_text(RULES)
    guard = Guard(GUARD, "--docker-socket", docker.socket, rules)
    subprocess.Popen(["docker", "-H", f"unix://{docker.socket}", "exec", "other", "echo", "freeze-me"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = guard.wait_for(lambda a: a["rule"] == "freeze-it")
    state = freezing(docker, "other")
    until = time.monotonic() + 5
    while state.read_text().strip() != "1" and time.monotonic() < until:
        time.sleep(0.05)
    events = (state.parent / "cgroup.events").read_text()
    tap.check("action: freeze stops a container where it is", found and found[0]["action"] == "freeze" and state.read_text().strip() == "1" and "frozen 1" in events, (found, events, guard.notices()))
    state.write_text("0")
    tap.check("and it goes on when somebody lets it", docker.exec("other", "true").returncode == 0)
    check_quarantine(tap, docker, guard)


ECHO = "while read line; do echo \"$line\"; done"


def check_quarantine(tap, docker, guard):
    """A pair of linked interfaces, a server on the host's side, and a connection that is there already."""
    docker(["run", "-d", "--network", "none", "--name", "linked", "registry.example/other:1.0", "sleep", "900"])
    pid = docker(["inspect", "-f", "{{.State.Pid}}", "linked"]).stdout.strip()
    for argv in (("ip", "link", "add", "bhv0", "type", "veth", "peer", "name", "bhv1", "netns", pid), ("ip", "address", "add", "198.51.100.1/24", "dev", "bhv0"), ("ip", "link", "set", "bhv0", "up"),
                 ("nsenter", "-t", pid, "-n", "ip", "address", "add", "198.51.100.2/24", "dev", "bhv1"), ("nsenter", "-t", pid, "-n", "ip", "link", "set", "bhv1", "up"),
                 ("nsenter", "-t", pid, "-n", "ip", "link", "set", "lo", "up")):
        run(*argv)
    server = socket.create_server(("198.51.100.1", 7777))
    heard = []

    def serve():
        try:
            connection, _ = server.accept()
            while data := connection.recv(100):
                heard.append(data)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    talk = "exec 3<>/dev/tcp/198.51.100.1/7777; for i in $(seq 100); do echo $i >&3; sleep 0.1; done"
    talker = subprocess.Popen(["docker", "-H", f"unix://{docker.socket}", "exec", "linked", "bash", "-c", talk], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while len(heard) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    tap.check("before: packets come", len(heard) >= 3, heard)
    docker.exec("linked", "echo", "cut-me")
    found = guard.wait_for(lambda a: a["rule"] == "cut-it-off")
    time.sleep(0.5)
    n = len(heard)
    time.sleep(1.5)
    tap.check("action: quarantine: a connection that was there is silent, though its program goes on", found and found[0]["action"] == "quarantine" and len(heard) == n and talker.poll() is None, (found, n, len(heard), guard.notices()))
    done = docker.exec("linked", "timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/198.51.100.1/7777")
    tap.check("and a new one does not come about", done.returncode != 0, done)
    done = docker.exec("linked", "deeds", "connect-stream", "127.0.0.1", "8080")
    tap.check("its own loopback is left to it", done.returncode == 0, done)
    guard.stop()
    reach = ("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/198.51.100.1/7777")
    tap.check("it is cut off when the agent has ended, too", docker.exec("linked", *reach).returncode != 0)
    done = run(GUARD, "release")
    tap.check("until it is released", "quarantines of 1 containers" in done.stdout and docker.exec("linked", *reach).returncode == 0, done)
    talker.kill()
    server.close()
    run("ip", "link", "delete", "bhv0", check=False)


def check_rights(tap, guard):
    """The parent keeps what it has work for, the reader nothing."""
    names = {5, 2, 12, 19, 38, 39}  # KILL, DAC_READ_SEARCH, NET_ADMIN, SYS_PTRACE, PERFMON, BPF (linux/capability.h)
    status = {pid: pathlib.Path(f"/proc/{pid}/status").read_text() for pid in (guard.process.pid, guard.reader())}
    caps = {pid: {bit for bit in range(64) if int(re.search(r"CapEff:\s+(\w+)", text)[1], 16) >> bit & 1} for pid, text in status.items()}
    tap.check("the agent gives up the rights that it has no work for", caps[guard.process.pid] <= names and 39 in caps[guard.process.pid], caps)
    tap.check("its reader has none, and is nobody", caps[guard.reader()] == set() and re.search(r"Uid:\s+65534", status[guard.reader()]), status)


def check_truth(tap, guard, lsm):
    notices = guard.notices()
    told = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"policy 'victims' asks to refuse ([a-z, -]+): would need LSM", notices))))
    wanted = {deed for _, deed, *_ in STOPPED} - lsm
    tap.check("what would need BPF LSM is told at the start", wanted <= told, (wanted - told, notices))


def main():
    tap = Tap()
    need("dockerd", "docker", "skopeo", "gcc", "nsenter", "ip")
    status = run(GUARD, "status", check=False).stdout
    if "events    yes" not in status:
        tap.skip("policies", "this kernel or user can't run the agent's programs: " + status.replace("\n", "; "))
        return tap.end()
    try:
        docker = Docker()
    except RuntimeError as e:
        tap.skip("policies", f"dockerd does not start here: {str(e)[-200:]}".replace("\n", " "))
        return tap.end()
    lsm = {deed for _, deed, *_ in STOPPED} if re.search(r"^deny +yes", status, re.M) else set()
    try:
        policies = docker.top / "policies.yaml"
        policies.write_text(POLICIES)
        prepare(docker)
        guard = Guard(GUARD, "--docker-socket", docker.socket, "--policy", policies)
        check_truth(tap, guard, lsm)
        check_rights(tap, guard)
        check_stopped(tap, docker, guard, lsm)
        check_network(tap, docker, guard)
        check_usual(tap, docker, guard)
        check_others(tap, docker, guard)
        check_start(tap, docker, guard)
        check_first(tap, docker, guard)
        check_flood(tap, docker, guard)
        tap.check("interrupted, it ends well", guard.stop() == 0, guard.notices())
        done = docker.exec("shop", "deeds", "own-users")
        tap.check("and leaves nothing behind", done.returncode == 0, done)
        check_hold(tap, docker, policies)
        check_learn(tap, docker)
        check_freeze(tap, docker)
    finally:
        Guard.stop_all()
        run(GUARD, "release", check=False)
        docker.stop()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
