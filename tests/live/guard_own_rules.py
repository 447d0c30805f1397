#!/usr/bin/env python3
"""guard_own_rules GUARD: each of the agent's own rules, in real containers: a deed that it is made for fires it and no other one, and what looks like it, but is usual work, fires none. Prints TAP."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
from guard_common import *  # noqa: E402,F403

GUARD = os.path.abspath(sys.argv[1])
TOKEN = "/run/secrets/kubernetes.io/serviceaccount/token"


def sh(command):
    return ("sh", "-c", command)


# rule: container, attack, what behaves
DEEDS = {
    "runtime-reverse-shell": ("plain", ("deeds", "redirect", "127.0.0.1", "4444"), sh("ls / >/tmp/list 2>&1 </dev/null")),
    "runtime-server-shell": ("plain", ("/tmp/nginx", "run", "sh", "-c", "ls >/dev/null"), sh("sh -c 'ls >/dev/null'; true")),
    "runtime-memory-program": ("plain", sh("sleep 0.2; deeds memory; true"), ("deeds", "nothing")),
    "runtime-new-program": ("plain", sh("cp /bin/ls /tmp/brought; /tmp/brought / >/dev/null"), sh("cp /bin/ls /tmp/not-run; ls -l /tmp >/dev/null")),
    "runtime-package-manager": ("plain", ("apt-get", "--version"), sh("cat /var/lib/dpkg/status >/dev/null")),
    "runtime-release-agent": ("privileged", sh("echo x >/tmp/release_agent"), sh("cat /tmp/release_agent; echo x >/tmp/release_notes")),
    "runtime-kernel-helper": ("privileged", sh(": >>/proc/sys/kernel/core_pattern"), sh("cat /proc/sys/kernel/core_pattern")),
    "runtime-host-device": ("privileged", sh("mknod /dev/sdz c 1 3; cat /dev/sdz"), sh("cat /dev/null; head -c 8 /dev/urandom >/dev/null")),
    "runtime-manager-socket": ("plain", ("deeds", "manager", "/tmp/docker.sock"), ("deeds", "manager", "/tmp/mysqld.sock")),
    "runtime-kernel-module": ("privileged", ("deeds", "module"), sh("cat /proc/modules >/dev/null")),
    "runtime-ptrace": ("plain", ("deeds", "attach"), ("deeds", "trace-me")),
    "runtime-service-token": ("plain", ("cat", TOKEN), ("perl", "-e", f"open F, '<', '{TOKEN}'; print <F>")),
    "runtime-metadata-service": ("plain", ("/tmp/curl", "connect", "169.254.169.254", "80"), ("/tmp/curl", "connect", "127.0.0.1", "80")),
    "runtime-account-file": ("plain", sh("echo x:x:0:0::/:/bin/sh >>/etc/passwd"), sh("cat /etc/passwd >/dev/null; id >/dev/null")),
    "runtime-preload": ("plain", sh(": >>/etc/ld.so.preload"), sh("cat /etc/ld.so.preload; ls >/dev/null")),
    "runtime-scheduled": ("plain", sh("mkdir -p /etc/cron.d; : >>/etc/cron.d/x"), sh("ls /etc/cron.d; cat /etc/cron.d/x")),
    "runtime-packet-socket": ("plain", ("deeds", "packet"), ("deeds", "connect", "127.0.0.1", "9")),
    "runtime-miner-port": ("plain", ("deeds", "connect-stream", "203.0.113.9", "3333"), ("deeds", "connect-stream", "203.0.113.9", "443")),
}
USUAL = "ls -la /etc >/dev/null; cp /etc/hostname /tmp/copy; grep -c root /etc/passwd >/dev/null; find /usr -name '*.so' >/dev/null; perl -e 'print 1' >/dev/null; tar -cf /tmp/t.tar /etc; date >/dev/null; kill -0 1; sleep 0.1"


def told(guard, before, mark):
    """The rules that were fired in between, when the deed that is known to fire one has been told, too."""
    seen = guard.wait_for(lambda a: mark in a["output"])
    found = [a for a in guard.alerts()[before:] if mark not in a["output"]]
    assert seen, guard.notices()
    return found


def main():
    need("dockerd", "skopeo", "gcc")
    tap, docker = Tap(), None
    rules = set(re.findall("^- rule: (.*)$", "".join(p.read_text() for p in (ROOT / "rules/runtime").glob("*.yaml")), re.M))
    try:
        docker = Docker()
        docker.start("plain", "--cap-add", "NET_RAW", "--cap-add", "SYS_PTRACE")
        docker.start("privileged", "--privileged", "--runtime", "lesser")
        docker.exec("plain", *sh(f"ln -s /usr/bin/deeds /tmp/nginx; ln -s /usr/bin/deeds /tmp/curl; mkdir -p {os.path.dirname(TOKEN)}; echo secret >{TOKEN}"), check=True)
        run("nsenter", "-t", docker(["inspect", "-f", "{{.State.Pid}}", "plain"]).stdout.strip(), "-n", "ip", "address", "add", "203.0.113.9/32", "dev", "lo")
        guard = Guard(GUARD, "--docker-socket", docker.socket)
        tap.check("without files of rules the agent has its own", f"watching with {len(rules)} rules" in guard.notices() and rules == set(DEEDS), (guard.notices(), rules ^ set(DEEDS)))
        number = 0
        for rule, (container, attack, behaves) in DEEDS.items():
            for argv, wanted in ((attack, {rule}), (behaves, set())):
                before, number = len(guard.alerts()), number + 1
                docker.exec(container, *argv)
                docker.exec("privileged", *sh(f"cp /bin/true /tmp/mark-{number}-; /tmp/mark-{number}-"))
                found = told(guard, before, f"mark-{number}-")
                fields = [a["output_fields"].get("container.name") for a in found]
                tap.check(f"{rule}: {'fires, and no other' if wanted else 'not by what only looks like it'}", {a["rule"] for a in found} == wanted and set(fields) <= {container}, found)
        before = len(guard.alerts())
        docker.exec("plain", *sh(USUAL), check=True)
        docker(["run", "--rm", "--network", "none", "registry.example/team/victim:1.0", "sh", "-c", "id; cat /etc/os-release; exec ls /"])
        docker(["exec", "plain", "deeds", "nothing"])
        docker.exec("privileged", *sh("cp /bin/true /tmp/mark-last-; /tmp/mark-last-"))
        tap.check("usual work, a container that comes and goes, a program in it: none", not told(guard, before, "mark-last-"), guard.alerts()[before:])
        tap.check("nothing that the rules ask for is missing", "which is not known here" not in guard.notices() and "lost" not in guard.notices(), guard.notices())
        guard.stop()
        guard = Guard(GUARD, "--docker-socket", docker.socket, "--own-rules", ROOT / "tests/vm/rules.yaml")
        tap.check("beside others, too", re.search(r"watching with (\d+) rules", guard.notices())[1] != str(len(rules)), guard.notices())
    finally:
        Guard.stop_all()
        if docker:
            docker.stop()
    tap.end()


main()
