#!/usr/bin/env python3
"""guard_rules_live GUARD BULKHEAD: the agent over real containers of a real dockerd. Each of the 25 rules of Falco's stable set is given what it is made for, in a container; the alert has to come,
with the container's name and image. Then work that is none of a rule's business, names that hide what is opened, what the kernel kills, and recorded events, which have to make the same alerts again.
The rules are Falco's own files where shared/corpora is, else those of tests/corpus. Prints TAP."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
from guard_common import *  # noqa: E402,F403

GUARD, BULKHEAD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PUBLIC = "203.0.113.7"
API = "10.96.0.1"
SHELL = ("sh", "-c")
# Rule, container, who and how, what. The names are links to the test's program: a process is called as the file that was asked for.
DEEDS = [
    ("Directory traversal monitored file read", "plain", (), ("deeds", "open", "/etc/../etc/../etc/shadow")),
    ("Read sensitive file trusted after startup", "plain", (), ("/tmp/httpd", "open-late", "/etc/shadow")),
    ("Read sensitive file untrusted", "plain", (), ("cat", "/etc/shadow")),
    ("Run shell untrusted", "plain", (), ("/tmp/httpd", "run", "sh", "-c", "ls >/dev/null")),
    ("System user interactive", "plain", ("-u", "daemon"), ("/tmp/login", "nothing")),
    ("Terminal shell in container", "plain", ("-t",), ("sh", "-c", "true")),
    ("Contact K8S API Server From Container", "plain", (), ("deeds", "connect", API, "443")),
    ("Netcat Remote Code Execution in Container", "plain", (), ("/tmp/nc", "-e", "/bin/sh", "localhost", "22")),
    ("Search Private Keys or Passwords", "plain", (), ("find", "/tmp", "-maxdepth", "1", "-iname", "id_rsa")),
    ("Clear Log Activities", "plain", (), (*SHELL, ": >/var/log/syslog")),
    ("Remove Bulk Data from Disk", "plain", (), ("shred", "-u", "/tmp/some")),
    ("Create Symlink Over Sensitive Files", "plain", (), ("ln", "-s", "/etc", "/tmp/etc_link")),
    ("Create Hardlink Over Sensitive Files", "plain", (), ("ln", "-v", "/etc/shadow", "/tmp/shadow_link")),
    ("Packet socket created in container", "plain", (), ("deeds", "packet")),
    ("Redirect STDOUT/STDIN to Network Connection in Container", "plain", (), ("deeds", "redirect", "127.0.0.1", "4444")),
    ("Linux Kernel Module Injection Detected", "privileged", (), ("deeds", "module")),
    ("Debugfs Launched in Privileged Container", "privileged", (), ("/tmp/debugfs", "nothing")),
    ("Detect release_agent File Container Escapes", "privileged", (), (*SHELL, "echo x >/tmp/release_agent")),
    ("PTRACE attached to process", "plain", (), ("deeds", "attach")),
    ("PTRACE anti-debug attempt", "plain", (), ("deeds", "trace-me")),
    ("Find AWS Credentials", "plain", (), ("find", "/tmp", "-maxdepth", "1", "-iname", ".aws/credentials")),
    ("Execution from /dev/shm", "plain", (), (*SHELL, "printf '#!/bin/sh\\n' >/dev/shm/x.sh; chmod 755 /dev/shm/x.sh; sh -c /dev/shm/x.sh")),
    ("Drop and execute new binary in container", "plain", (), (*SHELL, "cp /bin/ls /bin/dropped; /bin/dropped /")),
    ("Disallowed SSH Connection Non Standard Port", "plain", (), ("/tmp/ssh", "connect-stream", PUBLIC, "443")),
    ("Fileless execution via memfd_create", "plain", (), (*SHELL, "sleep 0.2; deeds memory; true")),  # runc, which has to be gone, may do it
]
LINKS = ("httpd", "login", "nc", "debugfs", "ssh")
BENIGN = "ls -la /etc >/dev/null; cat /etc/hostname >/dev/null; cp /etc/hostname /tmp/copy; grep -c root /etc/passwd >/dev/null; mkdir /tmp/d; rmdir /tmp/d; date >/dev/null; sleep 0.1"
# Ways to a file that don't have its name in them: the kernel says what was opened.
HIDDEN = [
    ("through a link to its folder", ("cat", "/tmp/etc_link/shadow")),
    ("through /proc/self/root", ("cat", "/proc/self/root/etc/shadow")),
    ("by a relative name", (*SHELL, "cd /etc; cat shadow")),
    ("by a relative name from elsewhere", (*SHELL, "cd /usr/bin; cat ../../etc/./shadow")),
    ("through a descriptor of its folder", (*SHELL, "cat /proc/self/fd/7/shadow 7</etc")),
]


def say(rule, container):
    return lambda a: a["rule"] == rule and a["output_fields"].get("container.name") == container


def prepare(docker):
    docker.start("plain", "--cap-add", "NET_RAW")
    docker.start("privileged", "--privileged", "--runtime", "lesser")
    for name in ("plain", "privileged"):
        docker.exec(name, *SHELL, "".join(f"ln -s /usr/bin/deeds /tmp/{link};" for link in LINKS) + "echo secret >/tmp/some", check=True)
        pid = docker(["inspect", "-f", "{{.State.Pid}}", name]).stdout.strip()
        for address in (PUBLIC, API):
            run("nsenter", "-t", pid, "-n", "ip", "address", "add", f"{address}/32", "dev", "lo")


def check_rules(tap, docker, guard):
    for rule, container, options, argv in DEEDS:
        docker.exec(container, *argv, options=options)
        found = guard.wait_for(say(rule, container))
        fields = found[0]["output_fields"] if found else {}
        told = [fields.get(f"container.{k}") for k in ("name", "image.repository", "image.tag")]
        tap.check(f"{rule}: seen, and in which container", found and told == [container, "registry.example/team/victim", "1.0"] and re.fullmatch("[0-9a-f]{12}", fields["container.id"]), (found, guard.notices()))


def check_hidden(tap, docker, guard):
    for what, argv in HIDDEN:
        before = len(guard.alerts())
        done = docker.exec("plain", *argv)
        found = guard.wait_for(lambda a: a in guard.alerts()[before:] and a["output_fields"].get("fd.name") == "/etc/shadow")
        tap.check(f"/etc/shadow opened {what}", done.returncode == 0 and found, (done.stderr, guard.alerts()[before:]))
    before = len(guard.alerts())
    opened = int(docker.exec("plain", "deeds", "flip", "300", check=True).stdout)
    seen = lambda: sum(a["output_fields"].get("fd.name") == "/etc/shadow" for a in guard.alerts()[before:])  # noqa: E731
    until = time.monotonic() + 20
    while seen() < opened and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    tap.check("a name that another thread changes meanwhile: as many alerts as the file was opened", opened > 0 and seen() == opened, (opened, seen(), guard.notices()))


def check_benign(tap, docker, guard):
    time.sleep(1)
    before = len(guard.alerts())
    docker.exec("plain", *SHELL, BENIGN, check=True)
    docker.exec("plain", "cat", "/etc/shadow")
    guard.wait_for(lambda a: a in guard.alerts()[before:])
    told = [a["rule"] for a in guard.alerts()[before:]]
    tap.check("usual work makes no alert, and the next deed does", told == ["Read sensitive file untrusted"], told)


def check_short(tap, docker, guard):
    """Containers that are gone before anybody could ask for them later."""
    names = [f"short{i}" for i in range(5)]
    for name in names:
        docker(["run", "--rm", "--network", "none", "--name", name, "registry.example/team/victim:1.0", "cat", "/etc/shadow"])
    found = guard.wait_for(say("Read sensitive file untrusted", names[-1]))
    told = {a["output_fields"].get("container.name") for a in guard.alerts() if a["rule"] == "Read sensitive file untrusted"}
    tap.check("containers that run for a moment have their names, too", found and set(names) <= told and None not in told, (told, guard.notices()))


def check_replay(tap, guard, recorded, rules):
    done = run(BULKHEAD, "guard", "rules", "test", "-f", "json", "--events", recorded, *rules, check=False)
    again = [json.loads(line) for line in done.stdout.splitlines()]
    first, second = ([(a["time"], a["rule"]) for a in alerts if a["source"] == "syscall"] for alerts in (guard.alerts(), again))
    tap.check(f"{sum(1 for _ in open(recorded))} recorded events make the same {len(first)} alerts again", len(first) > 25 and first == second,
              (done.stderr[-300:], sorted(set(first) ^ set(second))[:10]))


def filtered(path):
    found = re.search(r"^bulkhead_guard_events_filtered_total (\d+)$", path.read_text() if path.exists() else "", re.M)
    return int(found[1]) if found else 0


def check_filter(tap, docker, hosts, rules):
    """The same deeds with opens left out in the kernel, and with all told and those marked that would have been left out: the same alerts, and no marked event fires a rule."""
    told, counts = [], []
    for number, mode in enumerate(([], ["--check-filter"])):
        numbers = docker.top / f"numbers-{number}.prom"
        guard = watch(hosts, "--docker-socket", docker.socket, "--containers-only", "--metrics", numbers, *mode, *rules)
        for _ in range(2):
            for _, container, options, argv in DEEDS:
                docker.exec(container, *argv, options=options)
            for _, argv in HIDDEN:
                docker.exec("plain", *argv)
            docker.exec("plain", *SHELL, BENIGN, check=True)
        docker.exec("plain", "cat", "/etc/shadow", "/nowhere/last")
        guard.wait_for(lambda a: "/nowhere/last" in str(a["output_fields"].get("proc.cmdline")))
        until = time.monotonic() + 15
        while filtered(numbers) < 100 and time.monotonic() < until:
            time.sleep(0.2)
        told.append(sorted((a["rule"], re.sub(r":\d+->", ":->", str(a["output_fields"].get("fd.name"))), str(a["output_fields"].get("proc.cmdline"))) for a in guard.alerts() if a["source"] == "syscall" or a["rule"] == "filter-was-wrong"))
        counts.append(filtered(numbers))
        guard.stop()
    differ = sorted(set(told[0]) ^ set(told[1]))
    tap.check(f"the same {len(told[0])} alerts with {counts[0]} opens left out in the kernel as with all told", told[0] == told[1] and len(told[0]) > 60 and counts[0] > 100, (differ, len(told[0]), len(told[1]), counts))
    tap.check(f"none of {counts[1]} opens that were marked fires a rule", counts[1] > 100 and not any(rule == "filter-was-wrong" for rule, _, _ in told[1]), (counts, told[1][:3]))


KILLED = [
    ("a program that was copied", "cp /usr/bin/deeds /tmp/evil; /tmp/evil mark /tmp/ran", "new"),
    ("one that was renamed", "mv /tmp/evil /tmp/evil2; /tmp/evil2 mark /tmp/ran", "new"),
    ("one with a second name", "ln /tmp/evil2 /tmp/evil3; /tmp/evil3 mark /tmp/ran", "new"),
    ("one in memory", "deeds memory && touch /tmp/ran", "memory"),
    ("a link to one", "ln -s /tmp/evil2 /tmp/link; /tmp/link mark /tmp/ran", "new"),
    ("one that ld.so is told to run", "cp /bin/touch /tmp/toucher; /lib64/ld-linux-x86-64.so.2 /tmp/toucher /tmp/ran", None),
    ("a library in front of all others", "cp /lib/x86_64-linux-gnu/libm.so.6 /tmp/libevil.so; LD_PRELOAD=/tmp/libevil.so touch /tmp/ran", None),
]


def check_kills(tap, docker):
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--drift", "kill", CORPUS / "falco_rules.yaml")
    for what, script, kind in KILLED:
        before = len(guard.alerts())
        docker.exec("plain", *SHELL, script)
        ran = docker.exec("plain", "ls", "/tmp/ran").returncode == 0
        found = guard.wait_for(lambda a: a in guard.alerts()[before:] and a["rule"] == "drift" and a["output_fields"].get("container.name") == "plain")
        classes = {a["output_fields"].get("proc.exe_class") for a in found}
        tap.check(f"killed before it ran: {what}", not ran and found and (kind is None or classes == {kind}), (ran, found, guard.notices()))
    done = docker.exec("plain", *SHELL, BENIGN + "; touch /tmp/well")
    tap.check("what the image brought runs", done.returncode == 0 and docker.exec("plain", "ls", "/tmp/well").returncode == 0, done.stderr)
    own = guard.out.name + ".copy"
    shutil.copy("/bin/true", own)
    tap.check("a new program on the host runs", run(own, check=False).returncode == 0)
    os.unlink(own)
    tap.check("interrupted, it ends well", guard.stop() == 0, guard.notices())
    tap.check("and leaves nothing behind: new programs run again", docker.exec("plain", *SHELL, "cp /bin/true /tmp/after; /tmp/after").returncode == 0)


# A host whose own root is an overlay, as those are that boot from a read-only medium: its programs are no drift.
OVERLAY_HOST = """set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" none "$1/root"
mount -t proc none "$1/root/proc"
mount --rbind /sys "$1/root/sys"
mount --rbind /dev "$1/root/dev"
cp "$2" "$3" "$4" "$1/root/tmp/"
exec chroot "$1/root" sh -c '/tmp/bulkhead-guard run --drift kill /tmp/rules.yaml >/tmp/alerts 2>/tmp/notices & guard=$!
for i in $(seq 300); do grep -q "watching with" /tmp/notices && break; sleep 0.1; done
cp /tmp/deeds /tmp/own; /tmp/own mark /tmp/ran; echo "ran: $?"; kill -TERM $guard; wait $guard; cat /tmp/notices /tmp/alerts'
"""


def check_overlay_host(tap, docker):
    place = docker.top / "host"
    place.mkdir()
    done = run("unshare", "-m", "-p", "-f", "sh", "-c", OVERLAY_HOST, "sh", place, GUARD, ROOT / "tests/vm/rules.yaml", docker.top / "context/deeds", check=False)
    tap.check("where the host's own root is an overlay, its new programs run", "ran: 0" in done.stdout and "watching with" in done.stdout and "drift" not in done.stdout, done.stdout + done.stderr)


ACTIONS = """
- rule: stop-sleepers
  desc: A rule that ends the process
  condition: evt.type in (execve, execveat) and container.id != host and proc.name = sleep and proc.args = 77
  output: asleep
  priority: WARNING
  action: kill
- rule: would-deny
  desc: A rule that wants more than is here
  condition: evt.type = unlinkat and container.name = nobody
  output: gone
  priority: WARNING
  action: deny
"""


def check_actions(tap, docker):
    rules = docker.top / "actions.yaml"
    rules.write_text(ACTIONS)
    guard = Guard(GUARD, "--docker-socket", docker.socket, rules)
    began = time.monotonic()
    done = docker.exec("plain", *SHELL, "sleep 77")
    found = guard.wait_for(say("stop-sleepers", "plain"))
    tap.check("action: kill ends the process, and its parent goes on", done.returncode == 137 and time.monotonic() - began < 20 and found and found[0]["action"] == "kill", (done.returncode, found))
    tap.check("an action that is not here is told", "rule 'would-deny' asks for the action deny, which rules can't have here: it only tells (policies can refuse)" in guard.notices(), guard.notices())
    done = docker.exec("plain", "sleep", "0.1")
    tap.check("what the rule does not mean goes on", done.returncode == 0, done.stderr)
    guard.stop()


def check_oddities(tap, docker):
    """What the agent sees less of than it should is told, once."""
    guard = Guard(GUARD, "--docker-socket", docker.socket, CORPUS / "falco_rules.yaml")
    pid = docker(["inspect", "-f", "{{.State.Pid}}", "plain"]).stdout.strip()
    for _ in range(2):
        run("nsenter", "-t", pid, "-m", "-r", "cat", "/etc/shadow")
    found = guard.wait_for(lambda a: a["rule"] == "Read sensitive file untrusted" and "container.id" not in a["output_fields"])
    tap.check("a process that came into a container's root from outside is seen as the host's, and told once",
              found and guard.notices().count("has the root of a container, but is in no control group of one") == 1, (found, guard.notices()))
    docker.exec("plain", *SHELL, ": " + "x" * 9000, check=True)
    docker.exec("plain", *SHELL, ": " + "y" * 9000, check=True)
    time.sleep(1)
    tap.check("arguments that are cut off are told once", guard.notices().count("of more than 4096 bytes") == 1, guard.notices())
    guard.stop()


def check_flood(tap, docker):
    """A container that makes events as fast as it can: what is lost is told, nothing is silent, and the one deed behind it is seen."""
    numbers = docker.top / "flood.prom"
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--metrics", numbers, CORPUS / "falco_rules.yaml")
    docker.exec("plain", "deeds", "flood", "1000", check=True)
    docker.exec("plain", "cat", "/etc/shadow")
    guard.wait_for(say("Read sensitive file untrusted", "plain"), 60)
    os.kill(guard.reader(), signal.SIGSTOP)
    docker.exec("plain", "deeds", "flood", "400000", check=True)
    os.kill(guard.reader(), signal.SIGCONT)
    until = time.monotonic() + 20
    while filtered(numbers) < 400000 and time.monotonic() < until:
        time.sleep(0.2)
    lost = sum(map(int, re.findall(r"(\d+) events were lost", guard.notices())))
    tap.check("400,000 opens of a file that no rule is about stay in the kernel, even when the reader stands still; what is lost then is the host's other work", filtered(numbers) >= 400000 and lost < 200000,
              (filtered(numbers), lost, guard.notices()))
    guard.stop()
    guard = Guard(GUARD, "--docker-socket", docker.socket, "--check-filter", CORPUS / "falco_rules.yaml")
    docker.exec("plain", "deeds", "flood", "400000", check=True)
    docker.exec("plain", "cat", "/etc/shadow")
    found = guard.wait_for(say("Read sensitive file untrusted", "plain"), 60)
    memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{guard.process.pid}/status").read_text())[1])
    tap.check("after 400,000 opens in a row the next deed is seen", found, guard.notices())
    tap.check("the agent's memory stays small", memory < 64 << 10, memory)
    os.kill(guard.reader(), signal.SIGSTOP)
    docker.exec("plain", "deeds", "flood", "60000", check=True)
    os.kill(guard.reader(), signal.SIGCONT)
    time.sleep(3)
    lost = sum(map(int, re.findall(r"(\d+) events were lost", guard.notices())))
    tap.check("what a reader that stands still loses is told: most of 60,000, as 8 MiB hold some 20,000", 30000 < lost < 60000, guard.notices())
    before = len(guard.alerts())
    docker.exec("plain", "cat", "/etc/shadow")
    tap.check("and the next deed is seen again", guard.wait_for(lambda a: a in guard.alerts()[before:] and say("Read sensitive file untrusted", "plain")(a)), guard.notices())
    guard.stop()


def watch(hosts, *argv):
    """The API server has an address for the agent only."""
    script = pathlib.Path(hosts.parent / "guard")
    script.write_text(f'#!/bin/sh\nexec unshare -m sh -c \'mount --bind {hosts} /etc/hosts; exec "$@"\' sh {GUARD} "$@"\n')
    script.chmod(0o755)
    return Guard(script, *argv)


def main():
    tap = Tap()
    need("dockerd", "docker", "skopeo", "gcc", "nsenter", "ip")
    probe = run(GUARD, "status", check=False)
    if "events    yes" not in probe.stdout:
        tap.skip("the agent", "this kernel or user can't run its programs: " + probe.stdout.replace("\n", "; "))
        return tap.end()
    if not CORPUS.exists():
        tap.skip("the agent", "Falco's rules (shared/corpora) are not here")
        return tap.end()
    try:
        docker = Docker()
    except RuntimeError as e:
        tap.skip("the agent", f"dockerd does not start here: {str(e)[-200:]}".replace("\n", " "))
        return tap.end()
    try:
        hosts, recorded, rules = docker.top / "hosts", docker.top / "events.jsonl", [CORPUS / "falco_rules.yaml"]
        hosts.write_text(f"127.0.0.1 localhost\n{API} kubernetes.default.svc.cluster.local\n")
        guard = watch(hosts, "--docker-socket", docker.socket, "--containers-only", "--record", recorded, *rules)
        prepare(docker)
        check_rules(tap, docker, guard)
        check_hidden(tap, docker, guard)
        check_benign(tap, docker, guard)
        check_short(tap, docker, guard)
        tap.check("nothing was lost", "lost" not in guard.notices(), guard.notices())
        guard.stop()
        check_replay(tap, guard, recorded, rules)
        check_filter(tap, docker, hosts, rules)
        check_kills(tap, docker)
        check_overlay_host(tap, docker)
        check_actions(tap, docker)
        check_oddities(tap, docker)
        check_flood(tap, docker)
    finally:
        Guard.stop_all()
        docker.stop()
    return tap.end()


if __name__ == "__main__":

    sys.exit(main())
