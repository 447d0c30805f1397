#!/usr/bin/env python3
"""guard_outputs GUARD: alerts about a real container, brought to real receivers in every format: files, rsyslog over UDP, TCP and a socket, a web hook, a program. Each format is read by somebody else's
library (pip: opentelemetry-proto, py-ocsf-models, pycef, prometheus_client). Then receivers that fail, hang, refuse and come back; a killed agent; a full disk; floods. Prints TAP."""
import collections
import http.server
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from guard_common import *  # noqa: E402,F403

GUARD = os.path.abspath(sys.argv[1])
LIBRARIES = ["opentelemetry-proto", "py-ocsf-models", "pycef", "prometheus_client"]
RULES = """
- rule: Secret read
  desc: Somebody reads what is secret.
  condition: evt.type in (open, openat) and fd.name startswith /tmp/secret
  output: A secret was read | file=%fd.name command=%proc.cmdline user=%user.name parent=%proc.pname
  priority: WARNING
  tags: [host, mitre_credential_access, T1552.001]
- rule: "Odd = one | \\\\ here"
  desc: Connects.
  condition: evt.type = connect and fd.sport = 9099
  output: connected | to=%fd.sip:%fd.sport
  priority: CRITICAL
  tags: [T1071]
"""
HOSTILE = b"/tmp/secret-a|b=c\\d\"e\n\x1b[31mf\xff\xc3\xa9 msg=x"
ODD = "Odd = one | \\ here"
ESCAPED = "Odd = one \\| \\\\ here"
DISK_BYTES = 256 << 10


class Hook(http.server.ThreadingHTTPServer):
    """A web hook that keeps what it took; `status` is what it answers, `hangs` while it does not."""

    daemon_threads = True

    def __init__(self):
        hook = self
        self.taken, self.status, self.hangs, self.lock = [], 200, threading.Event(), threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                while hook.hangs.is_set():
                    time.sleep(0.05)
                with hook.lock:
                    if hook.status == 200:
                        hook.taken.append((self.path, dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def bodies(self, path):
        with self.lock:
            return [body for at, _, body in self.taken if at == path]


class Syslog:
    """Debian's rsyslogd, which writes what it understood of each message as JSON."""

    def __init__(self, top, port):
        self.top, self.port, self.socket, self.out = top, port, top / "log.socket", top / "rsyslog.out"
        config = top / "rsyslog.conf"
        config.write_text(f"""
$MaxMessageSize 1m
module(load="imudp") module(load="imtcp") module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="{port}") input(type="imtcp" address="127.0.0.1" port="{port}") input(type="imuxsock" socket="{self.socket}" createpath="off")
template(name="all" type="string" string="%inputname% %jsonmesg%\\n")
*.* action(type="omfile" file="{self.out}" template="all" fileCreateMode="0644")
""")
        subprocess.run(["dpkg", "-s", "rsyslog"], check=True, capture_output=True)
        self.process = subprocess.Popen(["rsyslogd", "-n", "-f", str(config), "-i", str(top / "rsyslog.pid")], stderr=subprocess.DEVNULL)
        wait(lambda: self.socket.exists())
        self.socket.chmod(0o666)

    def messages(self, kind):
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return [json.loads(line.split(" ", 1)[1]) for line in lines if line.startswith(kind + " ")]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def wait(what, seconds=15):
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.05)
    return what()


def libraries():
    place = CACHE / "python-outputs"
    if not (place / "prometheus_client").is_dir():
        run(sys.executable, "-m", "pip", "install", "-q", "--target", place, *LIBRARIES)
    sys.path.insert(0, str(place))


def lines(path):
    return pathlib.Path(path).read_text(errors="strict").splitlines() if pathlib.Path(path).exists() else []


def values(o):
    """What is in a value of OTLP."""
    return {a.key: a.value.int_value if a.value.WhichOneof("value") == "int_value" else a.value.string_value for a in o}


def check_formats(tap, docker, top, hook, syslog):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding
    import pycef
    secret = top / "hook.target"
    secret.write_text(f"http://127.0.0.1:{hook.port}/secret-path\nAuthorization: Bearer hidden\nX-Team: red\n")
    secret.chmod(0o600)
    guard = Guard(GUARD, "--output", f"{top}/alerts.jsonl", "--output", f"cef={top}/alerts.cef", "--output", f"text={top}/alerts.txt", "--output", f"otlp={top}/alerts.otlp",
                  "--output", f"ocsf=program:cat >{top}/open/program.out; id -u >{top}/open/id", "--output", f"otlp=http://127.0.0.1:{hook.port}/v1/logs", "--output", f"@{secret}",
                  "--output", f"cef=syslog:udp://127.0.0.1:{syslog.port}", "--output", f"json=syslog:tcp://127.0.0.1:{syslog.port}", "--output", f"syslog:{syslog.socket}", "--metrics", top / "guard.prom",
                  "--docker-socket", docker.socket, "--containers-only", top / "rules.yaml")
    processes = [p.name for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and parent_of(p) == guard.process.pid]
    rights = [status_of(p) for p in processes]
    reader = str(guard.reader())
    owners = sorted(r["Uid"].split()[0] for p, r in zip(processes, rights) if p != reader)
    tap.check("each output has a process without capabilities; all but files are nobody's", owners == ["0"] * 4 + ["65534"] * 6 and all(int(r["CapEff"], 16) == int(r["CapPrm"], 16) == 0 and r["NoNewPrivs"] == "1" for p, r in zip(processes, rights) if p != reader), rights)
    docker.start("shop", "--label", "team=red")
    docker.exec("shop", "sh", "-c", "umask 0; echo x >/tmp/secret-token; cat /tmp/secret-token; exit 0", check=True)
    docker.exec("shop", "perl", "-e", "open F, '>', pack('H*', '%s'); close F" % HOSTILE.hex(), check=True)
    docker.exec("shop", "deeds", "connect", "127.0.0.1", "9099")
    expected = 4  # written, read, written with an odd name, connected
    tap.check("JSON into a file", wait(lambda: len(lines(top / "alerts.jsonl")) >= expected), (guard.notices(), lines(top / "alerts.jsonl")))
    alerts = [json.loads(line) for line in lines(top / "alerts.jsonl")]
    tap.check("and what it says", [a["rule"] for a in alerts] == ["Secret read"] * 3 + [ODD], alerts)
    names = [a["output_fields"].get("fd.name") for a in alerts[:3]]
    tap.check("a name with everything in it", names == ["/tmp/secret-token"] * 2 + [HOSTILE.decode(errors="replace")], names)
    tap.check("the file is its owner's only", os.stat(top / "alerts.jsonl").st_mode & 0o777 == 0o600)

    header = "CEF:0|Bulkhead|bulkhead-guard|"  # pycef knows no escapes in headers
    tap.check("text into a file, as on standard output", [re.sub(r".* \[", "[", line) for line in lines(top / "alerts.txt")] == [f"[{a['rule']}]".replace("\\", "\\\\") for a in alerts], lines(top / "alerts.txt"))
    parsed = [pycef.parse(line.replace(ESCAPED, "Odd")) for line in lines(top / "alerts.cef")]
    tap.check("CEF: a name of a rule with its escapes", lines(top / "alerts.cef")[3].startswith(header) and lines(top / "alerts.cef")[3].split("|", 4)[4].startswith(f"{ESCAPED}|{ESCAPED}|9|rt="), lines(top / "alerts.cef"))
    tap.check("CEF: each line is one", len(parsed) == expected and all(parsed), lines(top / "alerts.cef"))
    first, odd, connected = parsed[0], parsed[2], parsed[3]
    tap.check("CEF: the container, the process, the file", (first["DeviceVendor"], first["DeviceEventClassID"], first["DeviceSeverity"], first["containerName"], first["podName"] if "podName" in first else "", first["dproc"], first["filePath"], first["act"]) ==
           ("Bulkhead", "Secret read", "6", "shop", "", "sh", "/tmp/secret-token", "audit"), first)
    tap.check("CEF: a connection", "filePath" not in connected and (connected["dst"], connected["dpt"], connected["DeviceSeverity"]) == ("127.0.0.1", "9099", "9"), connected)
    tap.check("CEF: a name with everything in it is still one value", "\x1b" not in odd["filePath"] and odd["filePath"].startswith("/tmp/secret-a|b"), odd)
    tap.check("CEF: the time", abs(int(first["rt"]) / 1000 - time.time()) < 600, first["rt"])

    out = top / "open/program.out"
    tap.check("a program reads a line for each", wait(lambda: len(lines(out)) >= expected), lines(out))
    raw = [json.loads(line) for line in lines(out)]
    for finding in raw:  # the models want names of techniques, the schema (1.3.0, object technique) one of name and uid
        for attack in finding["finding_info"].get("attacks", []):
            attack["technique"].setdefault("name", attack["technique"]["uid"])
    findings = [DetectionFinding(**finding) for finding in raw]
    one = findings[0]
    tap.check("OCSF: detection findings that the schema's own models take", [f.finding_info.title for f in findings] == [a["rule"] for a in alerts] and one.metadata.version == "1.3.0" and one.type_uid == 200401 and one.severity == "Medium" and findings[3].severity == "Critical", one)
    tap.check("OCSF: the container, the process, the technique", one.resources[0].name == "shop" and json.loads(lines(out)[0])["evidences"][0]["process"]["name"] == "sh" and json.loads(lines(out)[0])["finding_info"]["attacks"][0]["technique"]["uid"] == "T1552.001", lines(out)[0])
    tap.check("OCSF: each has an id of its own", len({f.finding_info.uid for f in findings}) == expected)
    tap.check("a web hook gets the same JSON, one by one and in order", wait(lambda: len(hook.bodies("/secret-path")) >= expected) and [json.loads(b) for b in hook.bodies("/secret-path")] == alerts, hook.taken)
    headers = [h for at, h, _ in hook.taken if at == "/secret-path"]
    tap.check("with the headers of its file", all(h.get("Authorization") == "Bearer hidden" and h.get("X-Team") == "red" and h["Content-Type"] == "application/json" for h in headers), headers)
    command = pathlib.Path(f"/proc/{guard.process.pid}/cmdline").read_text()
    tap.check("which neither the command line tells nor what the agent says", "hidden" not in command and "secret-path" not in command and "secret-path" not in guard.notices() + "\n".join(lines(top / "guard.prom")))

    def records():
        found = []
        for body in hook.bodies("/v1/logs"):
            request = json_format.Parse(body, ExportLogsServiceRequest())
            found += [(values(r.resource.attributes), log) for r in request.resource_logs for s in r.scope_logs for log in s.log_records]
        return found

    tap.check("OTLP: requests that OpenTelemetry's own messages take", wait(lambda: len(records()) >= expected), hook.bodies("/v1/logs"))
    resource, log = records()[0]
    about = values(log.attributes)
    tap.check("OTLP: severity, text and attributes", resource["service.name"] == "bulkhead-guard" and log.severity_number == 13 and log.body.string_value == alerts[0]["output"] and about["container.name"] == "shop" and about["process.command_line"].startswith("sh -c") and
           len(about["container.id"]) == 64 and isinstance(about["process.pid"], int), (resource, log))
    tap.check("OTLP into a file: a request in each line", all(json_format.Parse(line, ExportLogsServiceRequest()) for line in lines(top / "alerts.otlp")) and len(lines(top / "alerts.otlp")) == expected)

    tap.check("rsyslog has them from all three", wait(lambda: all(len(syslog.messages(k)) >= expected for k in ("imudp", "imtcp", "imuxsock"))), [len(syslog.messages(k)) for k in ("imudp", "imtcp", "imuxsock")])
    udp, tcp, local = (syslog.messages(k) for k in ("imudp", "imtcp", "imuxsock"))
    for what, got in (("UDP", udp), ("TCP", tcp)):
        m = got[0]
        tap.check(f"RFC 5424 over {what}: header, facility, severity", (m["app-name"], m["procid"], m["msgid"], m["syslogfacility"], m["syslogseverity"], m["protocol-version"]) == ("bulkhead-guard", str(guard.process.pid), "alert", "10", "4", "1") and got[3]["syslogseverity"] == "2", m)
    tap.check("TCP: the JSON as it is, whatever is in it", [json.loads(m["msg"]) for m in tcp] == alerts, tcp)
    tap.check("UDP: CEF", all(pycef.parse(m["msg"].replace(ESCAPED, "Odd")) for m in udp), udp)
    tap.check("a socket of this machine: as the C library writes", local[0]["programname"] == "bulkhead-guard" and local[0]["procid"] == str(guard.process.pid) and local[0]["syslogseverity"] == "4" and "A secret was read" in local[0]["msg"], local[0])

    (top / "alerts.jsonl").rename(top / "alerts.jsonl.1")
    docker.exec("shop", "cat", "/tmp/secret-token")
    tap.check("a file that was moved away is made anew", wait(lambda: len(lines(top / "alerts.jsonl")) == 1) and len(lines(top / "alerts.jsonl.1")) == expected)
    check_metrics(tap, guard, top)
    tap.check("and it ends", guard.stop() == 0)
    tap.check("the program was nobody's, and ended with it", lines(top / "open/id") == ["65534"], lines(top / "open/id"))


def status_of(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def parent_of(path):
    try:
        return int(re.search(r"\) . (\d+)", (path / "stat").read_text())[1])
    except (OSError, TypeError):
        return 0


def metrics(path):
    from prometheus_client.parser import text_string_to_metric_families
    found = {}
    for family in text_string_to_metric_families(pathlib.Path(path).read_text()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def check_metrics(tap, guard, top):
    odd = ("bulkhead_guard_alerts_total", (("priority", "Critical"), ("rule", ODD)))
    got = wait(lambda: (m := metrics(top / "guard.prom")).get(odd) and m, 25) or metrics(top / "guard.prom")
    tap.check("metrics, as Prometheus' own parser reads them: alerts by rule", got.get(odd) == 1 and got["bulkhead_guard_alerts_total", (("priority", "Warning"), ("rule", "Secret read"))] == 4, got)
    tap.check("events, rules, and when it was written", got["bulkhead_guard_events_total", ()] > 0 and got["bulkhead_guard_rules", ()] == 2 and abs(got["bulkhead_guard_written_time_seconds", ()] - time.time()) < 30, got)
    delivered = {dict(labels)["output"]: n for (name, labels), n in got.items() if name == "bulkhead_guard_output_delivered_total"}
    up = [n for (name, _), n in got.items() if name == "bulkhead_guard_output_up"]
    tap.check("and what each output took", len(delivered) == 10 and set(delivered.values()) == {5} and up == [1] * 10, delivered)


def fire(docker, n, command="for i in $(seq %d); do cat /tmp/secret-$i 2>/dev/null; done; exit 0"):
    docker.exec("shop", "sh", "-c", command % n, check=True)


def check_failures(tap, docker, top, hook):
    """No alert is lost, and none is in the way of anything, while a web hook is away."""
    options = ["--output", f"http://127.0.0.1:{hook.port}/late", "--spool", top / "spool", "--fold", "off", "--docker-socket", docker.socket, "--containers-only", "--policy", top / "policy.yaml", top / "rules.yaml"]
    hook.status = 503
    guard = Guard(GUARD, *options)
    fire(docker, 5)
    tap.check("a web hook that fails is told", wait(lambda: "the web hook: 127.0.0.1" in guard.notices() and "answered 503" in guard.notices()), guard.notices())
    hook.status = 200
    tap.check("what it missed comes when it is back", wait(lambda: len(hook.bodies("/late")) == 5, 30), hook.bodies("/late"))
    tap.check("which is told, too", wait(lambda: "works again" in guard.notices()), guard.notices())
    hook.status = 404
    fire(docker, 2)
    tap.check("what is refused for good is told, and not tried for ever", wait(lambda: "2 were refused for good" in guard.notices(), 20), guard.notices())
    hook.status = 200
    hook.hangs.set()
    began = time.monotonic()
    stopped = docker.exec("shop", "sh", "-c", "cp /usr/bin/deeds /tmp/evil && /tmp/evil mark /tmp/ran")
    tap.check("a web hook that hangs keeps no policy from being held", stopped.returncode != 0 and docker.exec("shop", "test", "-e", "/tmp/ran").returncode == 1 and time.monotonic() - began < 10, stopped)
    fire(docker, 7)
    time.sleep(1.5)
    own = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if parent_of(pathlib.Path(f"/proc/{pid}")) == guard.process.pid]
    guard.process.send_signal(signal.SIGKILL)
    guard.process.wait()
    Guard.running.remove(guard)
    tap.check("when the agent is killed, the processes of its outputs end", len(own) == 2 and wait(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in own), 40), own)
    spool = list((top / "spool").iterdir())
    tap.check("and what waits is in the spool", len(spool) == 1 and spool[0].stat().st_mode & 0o777 == 0o600 and spool[0].stat().st_size > 1000, spool)
    hook.hangs.clear()
    before = len(hook.bodies("/late"))
    guard = Guard(GUARD, *options)
    files = lambda: [json.loads(b)["output_fields"].get("fd.name") for b in hook.bodies("/late")[before:] if json.loads(b)["rule"] == "Secret read"]
    tap.check("the next one delivers it", wait(lambda: set(files()) >= {f"/tmp/secret-{i}" for i in range(1, 8)}, 20), files())
    rules = collections.Counter(json.loads(b)["rule"] for b in hook.bodies("/late")[before:])
    tap.check("and that nobody was told meanwhile is an alert of its own", rules["drift"] >= 1 and wait(lambda: any(json.loads(b)["rule"] == "nobody-was-told" for b in hook.bodies("/late")[before:])), rules)
    other = subprocess.run([GUARD, "outputs", "--output", f"http://127.0.0.1:{hook.port}/late", "--spool", str(top / "spool")], capture_output=True, text=True)
    tap.check("two agents don't share a spool", other.returncode == 4 and "another process has it" in other.stderr, other)
    guard.stop()
    tap.check("an empty queue has nothing left", wait(lambda: spool[0].stat().st_size == 16), spool[0].stat())
    spool[0].write_bytes(b"BHQUEUE1" + (16).to_bytes(8, "little") + (1 << 30).to_bytes(4, "little") + bytes(40))
    bad = subprocess.run([GUARD, "outputs", "--output", f"http://127.0.0.1:{hook.port}/late", "--spool", str(top / "spool")], capture_output=True, text=True)
    tap.check("a damaged one is told with its place", bad.returncode == 2 and "at offset 16: a record of 1073741824 bytes" in bad.stderr, bad)


def check_full_disk(tap, docker, top, hook):
    small = top / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", small)
    hook.status = 503
    guard = Guard(GUARD, "--output", f"http://127.0.0.1:{hook.port}/full", "--spool", small, "--fold", "off", "--docker-socket", docker.socket, "--containers-only", top / "rules.yaml")
    fire(docker, 600)
    tap.check("a disk that is full is told, with what was lost", wait(lambda: "alerts were lost: there was no room to wait" in guard.notices()), guard.notices())
    lost = lambda: int(re.findall(r"(\d+) alerts were lost: there was no room", guard.notices())[-1])  # noqa: E731  (told once a second)
    hook.status = 200
    tap.check("what there was room for is delivered: what is lost and what came are all", wait(lambda: len(hook.bodies("/full")) == 600 - lost(), 90), (lost(), len(hook.bodies("/full"))))
    guard.stop()
    run("umount", small)


def check_floods(tap, docker, top):
    guard = Guard(GUARD, "--fold", "10/3s", "--docker-socket", docker.socket, "--containers-only", top / "rules.yaml")
    fire(docker, 300, "for i in $(seq %d); do cat /tmp/secret-token >/dev/null; done; echo x >/tmp/secret-other; exit 0")
    got = lambda: [a for a in guard.alerts() if a["rule"] == "Secret read"]
    summed = lambda: sum(a.get("folded", 1) for a in got())
    tap.check("alerts that are alike are folded, and none is lost in it", wait(lambda: summed() == 301), [summed(), len(got())])
    folded = [a for a in got() if "folded" in a]
    tap.check("what stands for many says how many and of what", folded and len(got()) - len(folded) < 60 and all(a["output_fields"]["fd.name"] == "/tmp/secret-token" and a["output_fields"]["container.name"] == "shop" and "more alerts like it in 3 s" in a["output"] for a in folded), folded)
    tap.check("another file is not like them", any(a["output_fields"]["fd.name"] == "/tmp/secret-other" for a in got() if "folded" not in a))
    guard.stop()
    guard = Guard(GUARD, "--fold", "off", "--alerts-per-second", "20", "--docker-socket", docker.socket, "--containers-only", top / "rules.yaml")
    fire(docker, 400)
    left_out = lambda: sum(int(re.match(r"(\d+) alerts were left out", a["output"])[1]) for a in guard.alerts() if a["rule"] == "alerts-left-out")
    tap.check("no more alerts than so many in a second; the others are counted", wait(lambda: len(got()) + left_out() == 400) and left_out() > 0, (len(got()), left_out()))
    guard.stop()
    guard = Guard(GUARD, "--fold", "off", "--output", f"program:head -n 2 >>{top}/open/few", "--docker-socket", docker.socket, "--containers-only", top / "rules.yaml")
    for _ in range(3):
        fire(docker, 4)
        time.sleep(0.7)
    tap.check("a program that ends is started again", wait(lambda: len(lines(top / "open/few")) >= 6, 20), lines(top / "open/few"))
    guard.stop()


def main():
    need("dockerd", "skopeo", "gcc", "rsyslogd")
    tap, docker, hook, syslog = Tap(), None, Hook(), None
    libraries()
    try:
        docker = Docker()
        top = docker.top
        top.chmod(0o755)  # nobody is to come through
        (top / "open").mkdir()
        (top / "open").chmod(0o777)
        (top / "rules.yaml").write_text(RULES)
        (top / "policy.yaml").write_text("policies:\n- {name: all, drift: kill}\n")
        syslog = Syslog(top, 20000 + os.getpid() % 10000)
        check_formats(tap, docker, top, hook, syslog)
        check_failures(tap, docker, top, hook)
        check_full_disk(tap, docker, top, hook)
        check_floods(tap, docker, top)
    finally:
        Guard.stop_all()
        run(GUARD, "release", check=False)
        if syslog:
            syslog.stop()
        if docker:
            docker.stop()
    tap.end()


if __name__ == "__main__":
    main()
