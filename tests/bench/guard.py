"""guard.py: what the agent costs: a system call that no rule asks for, one that many do, beside the same without it, in turns; and how many opens a second it judges without losing one."""
import calendar
import json
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

RULES = """
- macro: opened
  condition: evt.type in (open, openat, openat2) and fd.num >= 0
""" + "".join(f"""
- rule: rule {i}
  desc: one of the rules of the bench
  condition: opened and fd.name startswith /etc/secret{i} and not proc.name in (a{i}, b{i}, c{i}) and evt.is_open_read = true
  output: opened %fd.name by %proc.cmdline
  priority: WARNING
""" for i in range(25))


ANY = """
- rule: opened
  desc: a file that is not there
  condition: evt.type in (open, openat, openat2) and fd.name = /etc/secret0
  output: opened %fd.name
  priority: WARNING
"""


POLICY = """
policies:
- name: bench
  drift: deny
  deny: all
  connect: {deny: [metadata]}
  files: {read-only: [/etc], forbidden: [/run/secrets]}
"""


class Agent:
    def __init__(self, program, *argv):
        self.err = tempfile.NamedTemporaryFile(prefix="bh-bench-")
        self.process = subprocess.Popen([str(program), "run", *map(str, argv)], stdout=subprocess.DEVNULL, stderr=self.err)
        until = time.monotonic() + 30
        while "watching" not in self.told():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(self.told())
            time.sleep(0.05)

    def told(self):
        return pathlib.Path(self.err.name).read_text()

    def lost(self):
        return sum(int(n) for n in re.findall(r"(\d+) events were lost", self.told()))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def latency(program, rules, n=300):
    """Seconds between an event and its alert in our hands, sorted."""
    agent = subprocess.Popen([str(program), "run", "-f", "json", "--fold", "off", "--alerts-per-second", "1000000", str(rules)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "watching" not in agent.stderr.readline():
        pass
    took = []
    for _ in range(n):
        time.sleep(0.01)
        try:
            open("/etc/secret0", "rb")
        except FileNotFoundError:
            pass
        alert = json.loads(agent.stdout.readline())
        now = time.time_ns()
        whole, part = alert["time"].rstrip("Z").split(".")
        took.append(now / 1e9 - calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - int(part) / 1e9)
    agent.terminate()
    agent.communicate()
    return sorted(took)


def contained(top):
    """A command's beginning that makes it a container's: an overlay for a root, and a control group that is called as one."""
    groups = pathlib.Path("/sys/fs/cgroup/unified" if pathlib.Path("/sys/fs/cgroup/unified/cgroup.procs").exists() else "/sys/fs/cgroup") / f"docker-{'ab' * 32}.scope"
    groups.mkdir(exist_ok=True)
    script = f"""echo $$ >{groups}/cgroup.procs; mount -t tmpfs none {top}; mkdir {top}/upper {top}/work {top}/root
mount -t overlay -o lowerdir=/,upperdir={top}/upper,workdir={top}/work none {top}/root; exec chroot {top}/root "$@" """
    return groups, ["unshare", "-m", "sh", "-ec", script, "sh"]


def measure_policies(program, ask_host, row, rounds):
    """Where policies can only kill, calls are looked at when they end; where they can refuse, hooks are. Which of both, this kernel decides."""
    with tempfile.TemporaryDirectory() as folder:
        policy, top = pathlib.Path(folder) / "policy.yaml", pathlib.Path(folder) / "top"
        policy.write_text(POLICY)
        top.mkdir()
        groups, before = contained(top)
        ask = lambda call, n: float(subprocess.run([*before, program.parent / "tests/bench/bench_guard", call, str(n)], capture_output=True, text=True, check=True).stdout)  # noqa: E731
        cost = {}
        for _ in range(rounds):
            for on in (False, True):
                agent = Agent(program, "--policy", policy) if on else None
                for call, n in (("getppid", 1000000), ("open", 100000)):
                    cost.setdefault(("host", call, on), []).append(ask_host(call, n))
                    cost.setdefault(("container", call, on), []).append(ask(call, n))
                if agent:
                    agent.stop()
        groups.rmdir()
    for where in ("host", "container"):
        for call in ("getppid", "open"):
            off, on = (statistics.median(cost[where, call, x]) for x in (False, True))
            row(f"guard: {'a call no policy is about' if call == 'getppid' else 'open and close under a policy'}, {where}", f"+{on - off:.0f} ns", f"{off:.0f} ns without it", f"{on / off:.2f}x", "")


MODES = {"without": None, "left out": [], "told": ["--check-filter"]}


def measure(root, row, rounds):
    """A file that no rule is about: after its first open, opens stay in the kernel; and with all told, what others cost."""
    program, own = root / "build/bulkhead-guard", root / "build/tests/bench/bench_guard"
    ask = lambda *argv: float(subprocess.run([own, *map(str, argv)], capture_output=True, text=True, check=True).stdout)  # noqa: E731
    cost, rate, lost = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        for _ in range(rounds):
            for mode, words in MODES.items():
                agent = Agent(program, *words, rules) if words is not None else None
                for call, n in (("getppid", 1000000), ("open", 100000)):
                    cost.setdefault((call, mode), []).append(ask(call, n))
                if agent:
                    rate.setdefault(mode, []).append(ask("flood", 2000) / 2)
                    time.sleep(1)
                    lost[mode] = lost.get(mode, 0) + agent.lost()
                    agent.stop()
    mid = {key: statistics.median(values) for key, values in cost.items()}
    for call, mode, what, budget in (("getppid", "left out", "a call nobody asks for", "<= +100 ns"), ("open", "left out", "open and close, 25 rules, of a file that none is about", "<= +1 us"), ("open", "told", "open and close, 25 rules, told", "<= +1 us")):
        off, on = mid[call, "without"], mid[call, mode]
        row(f"guard: {what}", f"+{on - off:.0f} ns", f"{off:.0f} ns without it", f"{on / off:.2f}x", budget)
    measure_policies(program, ask, row, rounds)
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "rules.yaml"
        rules.write_text(ANY)
        took = latency(program, rules)
    row("guard: from the event to its alert, p50", f"{took[len(took) // 2] * 1e3:.1f} ms", f"p99 {took[len(took) * 99 // 100] * 1e3:.1f} ms", "", "p99 <= 5 ms")
    for mode, what in (("left out", "opens of a file that no rule is about"), ("told", "opens judged by 25 rules")):
        row(f"guard: {what}", f"{statistics.median(rate[mode]):.0f}/s", f"{lost[mode]} lost of {sum(rate[mode]) * 2:.0f}", "", ">= 1,000,000/s, 0 lost")
