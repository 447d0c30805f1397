#!/usr/bin/env python3
"""guard_agent GUARD: the agent's command line: what is wrong is told in one line with the word that is wrong, and the exit status says which kind it is. Needs no rights. Prints TAP."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from tap import Tap  # noqa: E402

GUARD = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "tests/vm/rules.yaml"
# Words, exit status, what is told.
WRONG = [
    ([], 2, "a command is wanted (run, learn, policies, outputs, release, status)"),
    (["run", "/nowhere/rules.yaml"], 2, "/nowhere/rules.yaml: No such file or directory"),
    (["run", "--drift", "deny", RULES], 2, "--drift is ignore or kill, not 'deny'"),
    (["run", "-f", "xml", RULES], 2, "--format is text, json, cef, ocsf or otlp, not 'xml'"),
    (["run", "--output", "xml=/tmp/x", RULES], 2, "'xml=/tmp/x' is no output: -, /FILE, syslog:"),
    (["run", "--output", "ftp://example.org/", RULES], 2, "'ftp://example.org/' is no output"),
    (["run", "--output", "/nowhere/alerts", RULES], 2, "output json=/nowhere/alerts: /nowhere/alerts: No such file or directory"),
    (["run", "--output", "@/nowhere/target", RULES], 2, "/nowhere/target: no such file"),
    (["run", "--fold", "10", RULES], 2, "--fold is a number and a time like 10/60s, or off, not '10'"),
    (["run", "--fold", "0/10s", RULES], 2, "--fold is a number and a time"),
    (["run", "--alerts-per-second", "0", RULES], 2, "--alerts-per-second is a number, not '0'"),
    (["outputs"], 2, "'bulkhead-guard outputs' wants --output [FORMAT=]TARGET"),
    (["outputs", "now"], 2, "'bulkhead-guard outputs' takes no 'now'"),
    (["run", "--frobnicate", RULES], 2, "unrecognized option '--frobnicate'"),
    (["status", "now"], 2, "'bulkhead-guard status' takes no 'now'"),
    (["policies"], 2, "'bulkhead-guard policies' wants files of policies"),
    (["policies", "/nowhere/p.yaml"], 2, "/nowhere/p.yaml: No such file or directory"),
    (["policies", RULES], 2, "tests/vm/rules.yaml:2:1: a file of policies is a mapping"),
    (["run", "--policy", RULES], 2, "tests/vm/rules.yaml:2:1"),
    (["learn", "--for", "10"], 2, "--for is a time like 90s, 10m or 8h, of at most 7 days, not '10'"),
    (["learn", "--for", "9000h"], 2, "--for is a time like 90s"),
    (["learn", "now"], 2, "'bulkhead-guard learn' takes no 'now'"),
    (["release", "now"], 2, "'bulkhead-guard release' takes no 'now'"),
    (["stop"], 2, "unknown command 'stop'"),
]


SHOWN = """watched: for containers that no other policy is for; only tells drift, mounts, read-only
shop: for images registry.example/shop, registry.example/team/* containers web-?; refuses drift, ptrace, mounts, connect; kills for drift
"""
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []


def run(*argv, before=()):
    return subprocess.run([str(a) for a in (*before, *argv)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def check_outputs(tap):
    """A test of outputs needs no rights either. What fails says why, and the exit status says that not all took it."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        done = run(GUARD, "outputs", "--output", "-", "--output", place / "a.jsonl", "--output", "ocsf=program:cat >" + str(place / "b") if os.geteuid() else "ocsf=-")
        tap.ok(done.returncode == 0 and len(re.findall("^ok ", done.stdout, re.M)) == 3 and "[test-of-outputs]" in done.stdout and json.loads((place / "a.jsonl").read_text())["rule"] == "test-of-outputs",
               "outputs: a test to each", done)
        done = run(GUARD, "outputs", "--output", place / "a.jsonl", "--output", "https://token@127.0.0.1:1/secret?key=1", "--output", f"syslog:{place}/none")
        told = [line for line in done.stdout.splitlines() if line.startswith("fails")]
        tap.ok(done.returncode == 1 and len(told) == 2 and told[0].startswith("fails  json=https://127.0.0.1:1: ") and "/none: " in told[1], "outputs: what fails, why, and exit status 1", done)
        tap.ok("secret" not in done.stdout + done.stderr and "token" not in done.stdout + done.stderr and "key" not in done.stdout + done.stderr, "of a URL only the host is told", done)
        (place / "target").write_text("https://127.0.0.1:1/x\nno header\n")
        done = run(GUARD, "outputs", "--output", f"@{place}/target")
        tap.ok(done.returncode == 2 and "its first line is a target, the others" in done.stderr, "a file with a target and something that is no header", done)


def check_packages(tap):
    """The words of the unit, of the container and of the DaemonSet are the program's, and the policies in it are right."""
    unit, pods, image = (ROOT / "deploy" / name for name in ("systemd/bulkhead-guard.service", "kubernetes/guard.yaml", "container/Dockerfile"))
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        own = place / "bulkhead-guard.service"
        own.write_text(unit.read_text().replace("/usr/local/bin/bulkhead-guard", GUARD).replace("Documentation=man:bulkhead-guard(8)\n", ""))
        if shutil.which("systemd-analyze"):
            done = run("systemd-analyze", "verify", own)
            tap.ok(done.returncode == 0 and not done.stdout + done.stderr, "systemd takes the unit", done)
        else:
            tap.ok(True, "systemd takes the unit # SKIP systemd-analyze is not here")
        text = pods.read_text()
        policies = re.search(r"policies\.yaml: \|\n((?:    .*\n)+)", text)[1]
        (place / "policies.yaml").write_text(re.sub("^    ", "", policies, flags=re.M))
        done = run(GUARD, "policies", place / "policies.yaml")
        tap.ok(done.returncode == 0 and done.stdout.startswith("others: for containers"), "the policies of the DaemonSet", done)
        empty = place / "empty"
        empty.mkdir()
        words = re.search(r"ExecStart=\S+ (.*)", unit.read_text())[1].split()
        others = [re.search(r"args: \[(.*)\]", text)[1].split(", "), re.findall(r'"([^"]+)"', re.search(r"^CMD \[(.*)\]", image.read_text(), re.M)[1])]
        done = run(GUARD, *(str(empty) if w.startswith("/etc/") else w for w in words))
        tap.ok(all(words == other for other in others) and done.returncode == 2 and "no file in this folder" in done.stderr, "all three start it in the same way, and it takes their words", (words, others, done))


def main():
    tap = Tap()
    for argv, code, told in WRONG:
        done = run(GUARD, *argv)
        tap.ok(done.returncode == code and told in done.stderr and not done.stdout and done.stderr.count("\n") == 1, " ".join(map(str, argv)) or "no words", done)
    done = run(GUARD, "--help")
    options = ("run [PATH...]", "policies PATH", "learn", "--for", "--stay", "release", "status", "--policy", "--drift", "--record", "--containers-only", "--docker-socket", "--all-rules", "--output", "--spool", "--fold", "--alerts-per-second", "--metrics", "outputs ", "--own-rules", "--check-filter")
    tap.ok(done.returncode == 0 and all(w in done.stdout for w in options), "--help names each command and option", done)
    done = run(GUARD, "policies", ROOT / "tests/vm/monitor.yaml", ROOT / "tests/corpus/agent_policy/shop.yaml")
    tap.ok(done.returncode == 0 and done.stdout == SHOWN and not done.stderr, "policies: whom they are for, and what they refuse", done)
    tap.ok(run(GUARD, "--version").stdout.startswith("bulkhead-guard "), "--version")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # where nobody can read
        os.chmod(folder, 0o755)
        own = pathlib.Path(folder) / "rules.yaml"
        own.write_text(RULES.read_text())
        program = pathlib.Path(folder) / "guard"
        program.write_bytes(pathlib.Path(GUARD).read_bytes())
        program.chmod(0o755)
        done = run(program, "run", own, before=NOBODY)
        tap.ok(done.returncode == 3 and "root with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN is needed" in done.stderr, "without rights: exit status 3, and what is needed", done)
        done = run(program, "run", before=NOBODY)
        tap.ok(done.returncode == 3 and "CAP_BPF" in done.stderr, "run without rules has its own, and needs rights nevertheless", done)
        done = run(program, "release", before=NOBODY)
        tap.ok(done.returncode == 3 and "needs root" in done.stderr, "release without rights", done)
        done = run(program, "status", before=NOBODY)
        tap.ok(done.returncode == 3 and "events    no" in done.stdout and "kill      no" in done.stdout, "status without rights: nothing works, exit status 3", done)
    check_outputs(tap)
    check_packages(tap)
    print(f"1..{tap.n}")
    return 0  # TAP says the rest


if __name__ == "__main__":
    sys.exit(main())
