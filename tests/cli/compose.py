#!/usr/bin/env python3
"""compose BULKHEAD: services of Compose in `check`: their forms, variables, what they extend, override files, and what is wrong with a file. That every policy objects to a bad example and not
to a good one is told by tests/cli/explain.py; what Compose's own reader makes of the same files by tests/live/compose.py. Prints TAP."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
tap = Tap()


def check(files, *options, target=None):
    """Findings as (id, line, service), gaps as texts, and the exit status."""
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in files.items():
            path = pathlib.Path(tmp, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        r = subprocess.run([BULKHEAD, "check", "--fail-on", "never", "-f", "json", *options, str(pathlib.Path(tmp, target or next(iter(files))))], capture_output=True, text=True, timeout=60)
    if r.returncode not in (0, 3):
        return r.stderr, [], r.returncode
    report = json.loads(r.stdout)
    return {(f["id"], f["line"]) for f in report["findings"]}, [i["reason"] for i in report["incomplete"]], r.returncode


def service(*lines, head=""):
    return {"compose.yaml": head + "services:\n  web:\n    image: r.example/web:1\n" + "".join(f"    {line}\n" for line in lines)}


def found(name, files, *wanted, absent=(), **kw):
    findings, gaps, code = check(files, **kw)
    tap.ok(code == 0 and set(wanted) <= set(findings) and not {i for i, _ in findings} & set(absent), name, (sorted(findings) if isinstance(findings, set) else findings, gaps))


def unknown(name, files, text, rule=None):
    findings, gaps, code = check(files)
    tap.ok(code == 3 and any(text in g for g in gaps) and not any(i == rule for i, _ in findings), name, (code, gaps, findings))


PORT, SOCKET, TAG, SECRET, HOST = "compose-port-everywhere", "compose-runtime-socket", "compose-image-tag", "compose-secret-in-environment", "compose-host-path"


def forms():
    for text, bad in (('"5432:5432"', True), ("5432", True), ('"127.0.0.1:5432:5432"', False), ('"[::1]:5432:5432"', False), ('"[::]:5432:5432"', True), ('"0.0.0.0:15432:5432/tcp"', True), ('"8080:80"', False),
                      ("{target: 5432, published: 5432}", True), ("{target: 5432, published: \"5432\", host_ip: 127.0.0.1}", False), ('":5432"', True)):
        found(f"port {text}", service("ports:", f"  - {text}"), *([(PORT, 4)] if bad else []), absent=[] if bad else [PORT])
    for text, bad in (("/var/run/docker.sock:/s", True), ("/run/podman/podman.sock:/s:ro", True), ("{type: bind, source: /var/run/docker.sock, target: /s}", True), ("./docker.socket:/s", False), ("data:/data", False)):
        found(f"mount {text}", service("volumes:", f"  - {text}"), *([(SOCKET, 4)] if bad else []), absent=[] if bad else [SOCKET])
    for text, bad in (("/:/host:ro", True), ("/etc/localtime:/etc/localtime:ro", False), ("~/.ssh:/k", False), ("/root/.ssh:/k", True), ("{type: volume, source: etc, target: /etc}", False), ("/srv/web:/srv", False)):
        found(f"host path {text}", service("volumes:", f"  - {text}"), *([(HOST, 4)] if bad else []), absent=[] if bad else [HOST])
    for text, bad in (("- DB_PASSWORD=k2f9Tq", True), ("DB_PASSWORD: k2f9Tq", True), ("- DB_PASSWORD", False), ("- DB_PASSWORD=${PW}", False), ("DB_PASSWORD_FILE: /run/secrets/x", False), ("- DB_PASSWORD=", False),
                      ("GITHUB_TOKEN: 12345678", True), ("MAX_TOKENS: 4096", False)):
        found(f"variable {text}", service("environment:", f"  {text}"), *([(SECRET, 4)] if bad else []), absent=[] if bad else [SECRET])
    found("capabilities in any form", service("cap_add: [cap_sys_admin]"), ("compose-capabilities", 4))
    found("options in both forms", service("security_opt: [\"apparmor=unconfined\"]"), ("compose-unconfined", 4))
    found("a user that is a number", service("user: 0"), ("compose-user-root", 4))
    found("anchors and merge keys", service("<<: *all", head="x-all: &all {privileged: true}\n"), ("compose-privileged", 4))


def variables():
    found("a default", {"compose.yaml": "services:\n  web:\n    image: r.example/web:${TAG:-latest}\n"}, (TAG, 3))
    found("a default in a default", {"compose.yaml": "services:\n  web:\n    image: ${A:-${B:-r.example/web}}\n"}, (TAG, 3))
    found("two dollars are one", service("environment:", "  DB_PASSWORD: a$$b"), absent=[TAG])
    found("another value when it is set", {"compose.yaml": "services:\n  web:\n    image: r.example/web:1${X:+-latest}\n"}, absent=[TAG])
    unknown("nobody knows it: not guessed", {"compose.yaml": "services:\n  web:\n    image: r.example/web:${TAG}\n"}, "policy compose-image-tag", TAG)
    unknown("nor where an error is asked for", {"compose.yaml": "services:\n  web:\n    image: r.example/web:${TAG:?no tag}\n"}, "policy compose-image-tag", TAG)
    env = "# tags\nexport TAG='latest'\nEMPTY=\n"
    found(".env beside", {"compose.yaml": "services:\n  web:\n    image: r.example/web:${TAG}\n", ".env": env}, (TAG, 3))
    found("an empty value is one without a colon only", {"compose.yaml": "services:\n  web:\n    image: r.example/web:1${EMPTY-x}\n  api:\n    image: r.example/web${EMPTY:-:latest}\n", ".env": env}, (TAG, 5))


def env_files():
    first = {"first.env": "# c\nexport DB_PASSWORD=\"hunter22\"\nA=b\n", "second.env": "DB_PASSWORD=/run/secrets/db\n"}
    found("what a file of variables brings stands in the environment", {**service("env_file: first.env"), **first}, (SECRET, 3))
    found("of several files the last one counts", {**service("env_file: [first.env, {path: second.env}]"), **first}, absent=[SECRET])
    found("and the service's own more than all", {**service("env_file: first.env", "environment: {DB_PASSWORD: \"${PW:-}\"}"), **first}, absent=[SECRET])
    found("a file that is not there brings nothing", service("env_file: [none.env, {path: other.env, required: false}]"), absent=[SECRET])
    found("no file outside of the folder is opened", {"a/compose.yaml": "services:\n  web:\n    image: r.example/web:1\n    env_file: ../first.env\n", **first}, absent=[SECRET], target="a")
    found("nor one of another file's service", {**service("extends: {file: sub/c.yaml, service: base}"), "sub/c.yaml": "services: {base: {env_file: first.env}}\n", **first}, absent=[SECRET])


def joined():
    base = "services:\n  base:\n    image: r.example/base:1\n    cap_add: [SYS_ADMIN]\n    privileged: true\n    environment: {A_TOKEN: abcdefgh}\n"
    findings, gaps, code = check({"compose.yaml": base + "  web:\n    extends: base\n    privileged: false\n    cap_add: [NET_RAW]\n    environment: {B: c}\n"})
    tap.ok(code == 0 and {("compose-capabilities", 4), ("compose-capabilities", 10), ("compose-privileged", 5), (SECRET, 6), (SECRET, 11)} <= findings and ("compose-privileged", 9) not in findings,
           "what a service extends is put in: lists joined, maps field by field, the own value counts", (sorted(findings), gaps))
    unknown("a file that is not there is told", service("extends: {file: common.yaml, service: base}"), "can't be read")
    unknown("nor is one outside of the folder opened", {"a/compose.yaml": "services:\n  web:\n    extends: {file: ../common.yaml, service: base}\n", "common.yaml": "services: {base: {privileged: true}}"}, "lies outside")
    unknown("a name with a variable", service("extends: {file: \"${X}.yaml\", service: base}"), "not known here")
    unknown("a file that is none", {**service("extends: {file: common.yaml, service: base}"), "common.yaml": "services: [\n"}, "can't be read")
    unknown("a service that the file has not", {**service("extends: {file: common.yaml, service: base}"), "common.yaml": "services: {}\n"}, "not in the file")
    unknown("a circle through files ends", {**service("extends: {file: common.yaml, service: base}"), "common.yaml": "services: {base: {extends: {file: compose.yaml, service: web}}}\n"}, "in a circle")
    found("what services of other files bring stands at the one that extends them",
          {**service("extends: {file: sub/common.yaml, service: base}"), "sub/common.yaml": "services:\n  base: {extends: {file: ../third.yaml, service: x}, privileged: true}\n", "third.yaml": "services: {x: {ipc: host}}\n"},
          ("compose-privileged", 3), ("compose-host-ipc", 3))
    found("the variables are those of the file that extends", {**service("extends: {file: sub/common.yaml, service: base}"), ".env": "KEY=host\n", "sub/common.yaml": "services: {base: {pid: \"$KEY\"}}", "sub/.env": "KEY=x\n"}, ("compose-host-pid", 3))
    unknown("a circle ends", {"compose.yaml": "services:\n  a:\n    extends: b\n  b:\n    extends: a\n"}, "in a circle")
    unknown("a service that is not there", service("extends: nobody"), "not in the file")
    unknown("an include that is not there is told", {"compose.yaml": "include: [other.yaml]\nservices:\n  web:\n    image: r.example/web:1\n"}, "includes other.yaml, which can't be read")
    included = {"compose.yaml": "include:\n- sub/db.yaml\n- path: [./b.yaml, b.yaml]\n", "sub/db.yaml": "include: [../compose.yaml, ../b.yaml]\n\n\n\nservices:\n  db: {privileged: true}\n", "b.yaml": "services:\n  b: {pid: host}\n"}
    for target in ("compose.yaml", "."):
        with tempfile.TemporaryDirectory() as tmp:
            for name, text in included.items():
                pathlib.Path(tmp, name).parent.mkdir(exist_ok=True)
                pathlib.Path(tmp, name).write_text(text)
            r = subprocess.run([BULKHEAD, "check", "--fail-on", "never", "--severity", "high", "-f", "json", target], capture_output=True, text=True, cwd=tmp)
            told = sorted((os.path.normpath(f["paths"][0]), f["id"], f["line"]) for f in json.loads(r.stdout)["findings"])
            tap.ok(r.returncode == 0 and told == [("b.yaml", "compose-host-pid", 2), ("sub/db.yaml", "compose-privileged", 6)], f"included files are checked once, also in a circle: {target}", (told, r.stderr))
    many = {f"c{i}.yaml": f"include: [c{i + 1}.yaml, c{i + 2}.yaml]\nservices: {{s{i}: {{pid: host}}}}\n" for i in range(300)}
    findings, gaps, code = check({"compose.yaml": "include: [c0.yaml]\n", **many})
    tap.ok(code == 3 and len(gaps) == 2, "a long chain of included files ends where it does", (code, gaps))
    text = "services:\n  web:\n    privileged: true\n"
    found("an override lacks nothing", {"compose.override.yaml": text}, ("compose-privileged", 3), absent=["compose-read-only", "compose-memory-limit", "compose-cap-drop", TAG])
    found("a folder", {"deploy/compose.yaml": text, "deploy/Dockerfile": "FROM debian:12\nUSER app\n"}, ("compose-privileged", 3), target="deploy")


def wrong():
    findings, gaps, code = check({"compose.yaml": "services:\n  web: nginx\n  api:\n    privileged: true\n    image: r.example/a:1\n"})
    tap.ok(code == 3 and ("compose-privileged", 4) in findings and any("no map" in g for g in gaps), "a service that is none is told, the others are checked", (findings, gaps))
    for name, lines in (("ports that are none", ["ports: {a: b}"]), ("a list of nothing", ["ports: [null, [], {}]", "volumes: [null, {}]", "environment: [1, null]"]), ("numbers as texts", ["cap_add: [1, 2]"]),
                        ("an unclosed variable", ["command: ${X"]), ("a name that is a number", ["environment: {1: 2}"])):
        findings, gaps, code = check(service(*lines))
        tap.ok(isinstance(findings, set), name, (findings, gaps, code))
    bomb = "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(f"x-{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}" + f",*{chr(97 + i)}" * 9 + "]\n" for i in range(9)) + "services:\n  web:\n    command: *j\n"
    findings, gaps, code = check({"compose.yaml": bomb})
    tap.ok(code in (2, 3), "anchors that grow without end are refused", (code, gaps))
    deep = "services:\n  web:\n    command: " + "[" * 200 + "]" * 200 + "\n"
    findings, gaps, code = check({"compose.yaml": deep})
    tap.ok(code in (0, 2, 3), "depth is bounded", (code, gaps))
    many = "services:\n" + "".join(f"  s{i}:\n    image: r.example/web:1\n    extends: s{i + 1}\n" for i in range(200))
    findings, gaps, code = check({"compose.yaml": many})
    tap.ok(code == 3 and any("too deep" in g for g in gaps), "a long chain of services ends", (code, gaps[:3]))


for part in (forms, variables, env_files, joined, wrong):
    part()
print(f"1..{tap.n}")
sys.exit(1 if tap.failed else 0)
