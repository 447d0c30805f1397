#!/usr/bin/env python3
"""compose BULKHEAD: are services of Compose read as Compose's own library (compose-go) reads them? The files of its own tests, and services made by chance in every form of ports, volumes,
environment and variables. A policy tells what Bulkhead made of each service. Prints TAP."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import go_oracle  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from tap import Tap  # noqa: E402

BULKHEAD = os.path.abspath(sys.argv[1])
SERVICES = 400
PARTS = {
    "Ports": "object.spec.portList.map(p, p.hostIP + '|' + p.published + '|' + p.target + '|' + p.protocol)",
    "Mounts": "object.spec.mounts.map(m, m.type + '|' + m.target + '|' + string(m.readOnly))",
    "Env": "object.spec.env.filter(e, !has(e.file)).map(e, e.name + (has(e.value) ? '=' + e.value : ''))",
    "FileEnv": "object.spec.env.filter(e, has(e.file)).map(e, e.name + '=' + e.value)",
    "Caps": "object.spec.caps", "Drops": "object.spec.drops", "Options": "object.spec.options",
    "Image": "[has(object.spec.image) ? object.spec.image : '']", "User": "[has(object.spec.user) ? object.spec.user : '']", "Network": "[has(object.spec.network_mode) ? object.spec.network_mode : '']",
    "Privileged": "[string(has(object.spec.privileged) && object.spec.privileged == true)]", "ReadOnly": "[string(has(object.spec.read_only) && object.spec.read_only == true)]",
}
POLICY = "".join(f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: tell-{name.lower()}}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [bulkhead.io], apiVersions: [v1], operations: [CREATE], resources: [composeservices]}}]
  validations:
  - expression: "false"
    messageExpression: >-
      '{name}\\t' + object.metadata.name + '\\t' + ({what}).join('\\t')
---""" for name, what in PARTS.items())


def by_chance(rng):
    port, name = lambda: rng.choice(["80", "443", "5432", "8080"]), lambda: rng.choice(["A", "B_C", "DB_PASSWORD", "X1"])
    value = lambda: rng.choice(["1", "yes it is", "a=b", "", "${SET}", "${NOT_SET:-d}", "x${SET}y", "$$5", "${EMPTY-e}", "${EMPTY:-e}", "${SET:+s}", "${NOT_SET+n}z", "${A:-${SET}}"])  # noqa: E731
    ip = lambda: rng.choice(["127.0.0.1", "0.0.0.0", "[::1]", "10.1.2.3"])  # noqa: E731
    ports = [rng.choice([port(), f"{port()}:{port()}", f"{ip()}:{port()}:{port()}", f"{port()}:{port()}/udp", f"{ip()}::{port()}"]) for _ in range(rng.randrange(4))]
    long_ports = [{"target": int(port()), "published": rng.choice([port(), int(port())]), "host_ip": "127.0.0.1", "protocol": "tcp"} for _ in range(rng.randrange(2))]
    mounts = [rng.choice(["data:/data", "/srv/x:/x:ro", "./y:/y:rw,z", "/only", "~/h:/h", "data:/d:ro,nocopy", {"type": "bind", "source": "/b", "target": "/b", "read_only": True}, {"type": "tmpfs", "target": "/t"}])
              for _ in range(rng.randrange(4))]
    pairs = {name(): value() for _ in range(rng.randrange(4))}
    env = rng.choice([pairs, [f"{k}={v}" for k, v in pairs.items()], [*pairs][:1]])
    made = {"image": rng.choice(["r.example/a:1", "r.example/a:${SET}", "${NOT_SET:-r.example/b}"]), "ports": ports + long_ports, "volumes": mounts, "environment": env,
            "cap_add": rng.sample(["NET_ADMIN", "SYS_TIME", "KILL"], rng.randrange(3)), "cap_drop": rng.choice([[], ["ALL"]]), "security_opt": rng.choice([[], ["no-new-privileges:true"], ["seccomp:unconfined"]])}
    made.update(rng.choice([{}, {"env_file": "one.env"}, {"env_file": ["one.env", {"path": "two.env"}]}]))
    made.update(rng.choice([{}, {"privileged": True}, {"read_only": True, "user": "1000"}, {"network_mode": "host"}]))
    return made


def ours(path, policy):
    """What the policies told: service -> part -> values; and whether everything was known."""
    r = subprocess.run([BULKHEAD, "check", "--no-hardening", "--fail-on", "never", "-p", str(policy), "-f", "json", str(path)], capture_output=True, text=True)
    if r.returncode not in (0, 3):
        return None, r.stderr
    report, told = json.loads(r.stdout), {}
    for f in report["findings"]:
        part, service, *values = f["title"].split("\t")
        told.setdefault(service, {})[part] = sorted({v for v in values if v})
    return told, [i["reason"] for i in report["incomplete"]]


def theirs(service):
    """Once each: of mounts at the same place Compose keeps the last."""
    lists = {part: service[part] or [] if part == "FileEnv" else service[part] if isinstance(service[part], list) else [str(service[part]).lower() if isinstance(service[part], bool) else service[part]] for part in PARTS}
    return {part: sorted({v for v in values if v}) for part, values in lists.items()}


def main():
    tap, oracle, rng = Tap(), go_oracle.build("compose"), random.Random(5)
    modules = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/compose-spec/compose-go/v2"], cwd=pathlib.Path(oracle).parent, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp)
        policy = top / "policy.yaml"
        policy.write_text(POLICY)
        (top / ".env").write_text("SET=s1\nEMPTY=\nA='q'\n")
        (top / "one.env").write_text("# a file\n\nX1=one\nexport DB_PASSWORD = 'q u o'\nFILE_A=\"dq\"\nFILE_B=a=b\nFILE_C=\n")
        (top / "two.env").write_text("FILE_A=two\r\nFILE_D=4\n")
        chance = [top / f"compose-{i}.yaml" for i in range(8)]
        for i, path in enumerate(chance):
            path.write_text(json.dumps({"services": {f"s{i}x{k}": by_chance(rng) for k in range(SERVICES // 8)}}))
        released = sorted(pathlib.Path(modules).rglob("*.y*ml"))
        answers = subprocess.run([oracle], input="\n".join(map(str, chance + released)) + "\n", capture_output=True, text=True).stdout.splitlines()
        compared = refused = unknown = 0
        wrong = []
        for path, line in zip(chance + released, answers):
            answer = json.loads(line)
            told, gaps = ours(path, policy) if "services" in answer else (None, "")
            if told is None or (path in released and gaps):
                refused += "services" not in answer
                unknown += "services" in answer
                continue
            for name, service in answer["services"].items():
                wanted, got = theirs(service), told.get(name, {})
                for part in PARTS:
                    if part == "FileEnv" and (service[part] is None or (path.name, name) == ("compose-test-extends.yaml", "importer")):
                        continue  # a file that is not there, or of a service in another file
                    targets = [v.split("|")[2] for v in got.get("Ports", [])]
                    if part == "Ports" and (len(set(targets)) < len(targets) or any("-" in v for v in targets)):
                        continue  # of one target Compose keeps some; ranges it takes apart
                    compared += 1
                    if wanted[part] != got.get(part):
                        wrong.append((path.name, name, part, wanted[part], got.get(part), gaps[:2]))
        print(f"# {len(chance)} files made by chance, {len(released)} of compose-go's: {compared} parts of services compared; {refused} files refused by Compose, {unknown} not wholly known here")
        tap.ok(not wrong, "services are what Compose makes of them", "\n".join(map(str, wrong[:25])))
        tap.ok(compared > SERVICES * 8, "and they were compared", compared)
    print(f"1..{tap.n}")
    sys.exit(1 if tap.failed else 0)


main()
