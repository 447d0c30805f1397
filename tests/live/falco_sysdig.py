#!/usr/bin/env python3
"""falco_sysdig BULKHEAD: Debian's sysdig compiles the same language with an older version of Falco's own library. Fields and events that it knows are known; conditions that it takes are
taken, and those that it refuses are refused, also when words of them are left out, doubled or exchanged. Where the two differ, the reason is written down here. Prints TAP."""
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
from tap import Tap  # noqa: E402

BULKHEAD = os.path.abspath(sys.argv[1])
tap = Tap()

# Of tracers, Mesos and Kubernetes' API server, which Falco has given up.
GONE = re.compile(r"(evtin|span|mesos|marathon)\.|k8s\.\w+\.(id|labels?)$|thread\.cpu\.")

CONDITIONS = [
    "evt.type=open and proc.name=cat", "evt.type in (open, openat) and not proc.name in (cat, \"b c\")", "(evt.type=open or evt.type=close) and fd.name startswith /etc", "fd.name contains \"a b\" or fd.name endswith .so",
    "evt.type = execve and proc.aname[2] = bash and proc.args != \"\"", "fd.num >= 3 and fd.num < 100 and evt.rawres > -1", "fd.sip = 10.0.0.1 and fd.sport = 80", "fd.snet in (10.0.0.0/8, 192.168.0.0/16)",
    "not (proc.name = a and not user.name = root)", "fd.name pmatch (/etc, /usr/lib)", "fd.name glob /etc/*.conf and fd.typechar = f", "fd.name icontains ETC and evt.is_open_write = true", "proc.env contains LD_PRELOAD",
    "container.id != host and container.image.repository = nginx", "evt.arg.flags contains O_CREAT and evt.res = SUCCESS", "proc.name exists and proc.tty != 0", "evt.type = connect and fd.connected = true and fd.l4proto in (tcp, udp)",
    "(proc.name = a) and (proc.name = b or (proc.name = c and fd.num = 1))", "evt.buffer contains abc", "user.loginuid = -1 and proc.duration < 1000", "k8s.ns.name = default and k8s.pod.name startswith web",
]

# What the older library takes: an empty text where a value is left out, and "not" without a word that joins it.
KNOWN = [(re.compile(r"(=|contains|startswith|endswith|glob)\s*(\)|$)|(\(|,)\s*(,|\))"), "a text is expected"), (re.compile(r"(\)|\w|\")\s+not\s"), "not 'not'")]


def is_known(condition, said, theirs):
    return theirs and any(pattern.search(condition) and words in said for pattern, words in KNOWN)


def theirs_takes(condition):
    said = subprocess.run(["sysdig", "-r", "/nonexistent", condition], capture_output=True, text=True).stderr
    return "can't open file" in said, said.strip()


def ours_said(condition):
    rule = json.dumps([{"rule": "R", "desc": "d", "condition": condition, "output": "o", "priority": "INFO"}])
    done = subprocess.run([BULKHEAD, "guard", "rules", "check", "-f", "json", "-"], input=rule, capture_output=True, text=True)
    return "; ".join(p["text"] for p in json.loads(done.stdout)["problems"] if p["severity"] == "error")


def tokens(condition):
    return re.findall(r"\"[^\"]*\"|'[^']*'|[(),]|!=|>=|<=|[=<>]|[^\s()=<>!,\"']+", condition)


def mutations(seed, count):
    """Words left out, doubled, exchanged."""
    chance = random.Random(seed)
    for _ in range(count):
        words = tokens(chance.choice(CONDITIONS))
        at = chance.randrange(len(words))
        how = chance.randrange(3)
        if how == 0:
            del words[at]
        elif how == 1:
            words.insert(at, words[at])
        else:
            other = chance.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        yield " ".join(words)


def main():
    listed = [line.split()[0] for line in subprocess.run(["sysdig", "-l"], capture_output=True, text=True, check=True).stdout.splitlines() if re.match(r"[a-z0-9]+\.[a-z]", line)]
    fields = {f["name"] for f in json.loads(subprocess.run([BULKHEAD, "guard", "rules", "fields", "-f", "json"], capture_output=True, text=True).stdout)}
    missing = sorted(f for f in set(listed) - fields if not GONE.match(f))
    tap.ok(len(listed) > 200 and not missing, f"{len(listed)} fields of sysdig are known, but those that Falco has given up", missing)
    events = sorted(set(re.findall(r"^[<>] ([a-z0-9_]+)", subprocess.run(["sysdig", "-L"], capture_output=True, text=True, check=True).stdout, re.M)))
    said = ours_said(f"evt.type in ({', '.join(events)})")
    tap.ok(len(events) > 100 and not said, f"{len(events)} events of sysdig are known", said)
    for condition in CONDITIONS:
        theirs, what = theirs_takes(condition)
        said = ours_said(condition)
        tap.ok(theirs and not said, f"both take: {condition}", (what, said))
    differ, same, explained = [], 0, 0
    for condition in sorted(set(mutations(20261128, 400))):
        theirs, what = theirs_takes(condition)
        said = ours_said(condition)
        if theirs == (not said):
            same += 1
        elif is_known(condition, said, theirs):
            explained += 1
        else:
            differ.append((condition, what, said))
    tap.ok(same > 200 and not differ, f"{same} changed conditions are taken or refused by both, {explained} differ for a known reason", "\n".join(map(str, differ)))
    print(f"1..{tap.n}")
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
