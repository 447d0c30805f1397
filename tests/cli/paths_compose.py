#!/usr/bin/env python3
"""paths_compose: attack paths through docker-compose files, written down by hand, and what closes them in the file.

usage: paths_compose.py BULKHEAD COMPOSE_YAML

What a service reaches is by the compose specification: a network in common, ports published elsewhere than on the loopback address, mounts. Output: TAP.
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
from sources_common import Tap  # noqa: E402

BULKHEAD, SHOP = sys.argv[1], sys.argv[2]
top = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-compose-"))
tap = Tap()
DOCUMENT = yaml.safe_load(pathlib.Path(SHOP).read_text())


def ask(*args, path=SHOP):
    """(exit code, {target: [rules of each way]}, {target: {cuts}}, stderr)"""
    r = subprocess.run([BULKHEAD, "paths", "-f", "json", "--ways", "20", *map(str, args), str(path)], capture_output=True, text=True, timeout=120)
    ways, cuts, now = {}, {}, None
    for row in json.loads(r.stdout) if r.stdout.startswith("[") else []:
        if row["row"] == "target":
            now = row["to"]
            ways[now], cuts[now] = {}, {}
        elif row["row"] == "step":
            ways[now].setdefault(row["way"], []).append(row)
        elif row["row"] == "cut":
            cuts[now].setdefault(row["cut"], []).append(row["fact"])
    return r.returncode, {t: list(w.values()) for t, w in ways.items()}, {t: list(c.values()) for t, c in cuts.items()}, r.stderr


def reaches(target, document, *args):
    """None: no clear answer."""
    path = top / "compose.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    code, _, _, _ = ask("--to", target, *args, path=path)
    return {0: False, 1: True}.get(code)


def changed(edit):
    document = copy.deepcopy(DOCUMENT)
    edit(document["services"], document)
    return document


# ---- the file as it is ----
code, ways, cuts, err = ask("--to", "node")
node = ways["node:the host"]
tap.check("the internet reaches the host by the proxy's socket, through the api", code == 1 and [s["concludes"] for s in node[0]] ==
          ["code shop/web", "reached shop/api", "code shop/api", "reached shop/proxy", "code shop/proxy", "node the host"], err)
tap.check("steps name file, line and field", "compose.yaml:24: Compose shop services.proxy.volumes" in node[0][-1]["places"], node[0][-1]["places"])
SINGLE = {"escape shop/proxy the runtime's socket in the host path /var/run/docker.sock", "exposed shop/web", "link shop/web shop/api", "exploitable shop/web",
          "exploitable shop/api", "exploitable shop/proxy"}
tap.check("the single changes that close it are those found by hand", {c[0] for c in cuts["node:the host"] if len(c) == 1} == SINGLE, str(cuts))
for cut in cuts["node:the host"]:
    code, after, _, err = ask("--to", "node", *[a for fact in cut for a in ("--without", fact)])
    tap.check(f"closed: {' and '.join(cut)[:90]}", code == 0, err)
    for fact in cut if len(cut) > 1 else []:
        code, after, _, err = ask("--to", "node", *[a for other in cut if other != fact for a in ("--without", other)])
        tap.check(f"needed: {fact[:60]}", code == 1, err)
for target, reached in (("secret:shop/signing-key", 1), ("secret:shop/DB_PASSWORD", 1), ("secret:shop/LOG_LEVEL", 0), ("volume:shop/data", 1), ("cluster-admin", 0), ("cloud", 1),
                        ("workload:shop/backup", 1)):
    code, _, _, err = ask("--to", target)
    tap.check(f"{target}: {'reached' if reached else 'not reached'}", code == reached, err)
code, _, _, err = ask("--from", "shop/db", "--to", "workload:shop/web", "--without", "escape shop/proxy the runtime's socket in the host path /var/run/docker.sock")
tap.check("from the database the way to web goes through the api", code == 1, err)

# ---- changes in the file ----
node_by = {
    "the socket taken away": (lambda s, d: s["proxy"].pop("volumes"), False),
    "another socket in the shell's default": (lambda s, d: s["proxy"].update(volumes=["${X:-/run/podman/podman.sock}:/s"]), True),
    "a harmless folder": (lambda s, d: s["proxy"].update(volumes=["./conf:/etc/proxy:ro"]), False),
    "/etc, writable": (lambda s, d: s["proxy"].update(volumes=["/etc:/host"]), True),
    "/var/log, read-only": (lambda s, d: s["proxy"].update(volumes=[{"type": "bind", "source": "/var/log", "target": "/l", "read_only": True}]), False),
    "published on the loopback address": (lambda s, d: s["web"].update(ports=["127.0.0.1:80:8080"]), False),
    "... of IPv6": (lambda s, d: s["web"].update(ports=["[::1]:80:8080"]), False),
    "... in the long form": (lambda s, d: s["web"].update(ports=[{"target": 8080, "published": "80", "host_ip": "127.0.0.1"}]), False),
    "a port alone gets one on the host": (lambda s, d: s["web"].update(ports=[8080]), True),
    "expose publishes nothing": (lambda s, d: (s["web"].pop("ports"), s["web"].update(expose=["8080"])), False),
    "api leaves the front": (lambda s, d: s["api"].update(networks=["back"]), False),
    "web uses api's network": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="service:api")), False),
    "... which publishes": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="service:api"), s["api"].update(ports=["80:80"])), True),
    "privileged web": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(privileged=True)), True),
    "SYS_ADMIN": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(cap_add=["SYS_ADMIN"])), True),
    "NET_ADMIN": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(cap_add=["NET_ADMIN"])), False),
    "SYS_PTRACE alone": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(cap_add=["SYS_PTRACE"])), False),
    "SYS_PTRACE and the host's processes": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(cap_add=["SYS_PTRACE"], pid="host")), True),
    "a disk": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(devices=["/dev/sda:/dev/xvda"])), True),
    "a sound card": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(devices=["/dev/snd"])), False),
    "the API's socket by its own word": (lambda s, d: (s["proxy"].pop("volumes"), s["web"].update(use_api_socket=True)), True),
    "web on the host's network: where no service is": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="host")), True),
}
for name, (edit, reached) in node_by.items():
    got = reaches("node", changed(edit))
    tap.check(f"{name}: {'reached' if reached else 'not reached'}", got is reached, str(got))
inside = changed(lambda s, d: d["networks"].update(front={"internal": True}))
tap.check("from internal networks nobody asks the cloud's metadata service", reaches("cloud", inside) is False)
apart = {"name": "a", "services": {"x": {"image": "x", "ports": ["80:80"]}}}
other = {"name": "b", "services": {"y": {"image": "y", "privileged": True}}}
(top / "two").mkdir()
for shared in (False, True):
    for n, d in (("a", copy.deepcopy(apart)), ("b", copy.deepcopy(other))):
        if shared:
            d["networks"] = {"default": {"name": "common", "external": True}}
        (top / "two" / f"{n}.yaml").write_text(yaml.safe_dump(d))
    code, _, _, err = ask("--to", "node", path=top / "two")
    tap.check(f"two projects {'with a network of one name' if shared else 'with networks of their own'}", code == int(shared), err)

# ---- networks of containers, files of variables ----
for name, (edit, reached) in {
    "web uses the container of api": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="container:shop-api-1"), s["api"].update(ports=["80:80"])), True),
    "... by its old name": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="container:shop_api_1"), s["api"].update(ports=["80:80"])), True),
    "... that it was given": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="container:front"), s["api"].update(ports=["80:80"], container_name="front")), True),
    "... which publishes nothing": (lambda s, d: (s["web"].pop("networks"), s["web"].update(network_mode="container:shop-api-1")), False),
}.items():
    got = reaches("node", changed(edit))
    tap.check(f"{name}: {'reached' if reached else 'not reached'}", got is reached, str(got))
path = top / "elsewhere.yaml"
path.write_text("services:\n  a:\n    image: a\n    ports: ['80:80']\n    network_mode: container:vpn\n  b:\n    image: b\n    network_mode: service:vpn\n")
code, _, _, err = ask("--to", "node", path=path)
tap.check("containers and services that are not here are said", code == 3 and "elsewhere.yaml:5: services.a.network_mode: container:vpn is none of the services here" in err
          and "elsewhere.yaml:8: services.b.network_mode: service:vpn" in err, err)
env = top / "env"
(env / "sub").mkdir(parents=True)
(env / ".env").write_text("# comment PASSWORD=x\nLOG_LEVEL=info\nexport STRIPE_API_KEY = sk\nEMPTY_TOKEN=\n")
(env / "sub" / "db.env").write_text("POSTGRES_PASSWORD=hunter2\n")
text = "name: shop\nservices:\n  web:\n    image: w\n    ports: ['80:80']\n    env_file: %s\n"
for entry, secrets, code_wanted in (("./.env", {"STRIPE_API_KEY"}, 1), ("[.env, {path: sub/db.env}]", {"STRIPE_API_KEY"}, 1), ("[{path: gone.env, required: false}]", set(), 0),
                                    ("gone.env", set(), 3)):
    (env / "compose.yaml").write_text(text % entry)
    for secret in ("STRIPE_API_KEY", "LOG_LEVEL", "EMPTY_TOKEN", "PASSWORD"):
        code, ways, _, err = ask("--to", f"secret:shop/{secret}", path=env / "compose.yaml")
        wanted = 1 if secret in secrets else 3 if "gone.env" == entry or "sub" in entry else 0
        tap.check(f"env_file {entry}: {secret} {'falls' if secret in secrets else 'does not'}", code == wanted, f"{code} {err}")
tap.check("... what was not read is said", "compose.yaml:6: services.web.env_file: gone.env was not read" in err, err)
(env / "compose.yaml").write_text(text % "sub/db.env")
code, ways, _, err = ask("--to", "secret:shop/POSTGRES_PASSWORD", path=env)
tap.check("in a folder files of variables further down are found, with their places", code == 1 and "sub/db.env:1: POSTGRES_PASSWORD" in ways["secret:shop/POSTGRES_PASSWORD"][0][-1]["places"],
          f"{ways} {err}")

# ---- the page ----
evil = changed(lambda s, d: s.update({"<script>x": s.pop("proxy")}))
(top / "evil.yaml").write_text(yaml.safe_dump(evil))
r = subprocess.run([BULKHEAD, "paths", "-f", "html", "--to", "node", top / "evil.yaml"], capture_output=True, text=True, timeout=60)
tap.check("a page with drawing, steps, techniques and what stops it", r.returncode == 1 and r.stdout.startswith("<!doctype html>") and r.stdout.endswith("</body></html>\n")
          and all(w in r.stdout for w in ("<svg", "Way 1", "T1611", "What stops it")), r.stderr)
tap.check("names are escaped there", "<script" not in r.stdout and "&lt;script&gt;" in r.stdout)
opened = {t: r.stdout.count(f"<{t}>") - r.stdout.count(f"</{t}>") for t in ("ol", "ul", "h2", "h3", "figure", "svg", "body")}
tap.check("what is opened is closed", not any(n for t, n in opened.items() if t not in ("svg", "body")), str(opened))
r = subprocess.run([BULKHEAD, "paths", "-f", "html", "--blast", SHOP], capture_output=True, text=True, timeout=60)
tap.check("a page of what falls with each", "shop/web" in r.stdout and r.stdout.count("<li>") == 5, r.stderr)

# ---- what is not looked at is said ----
path = top / "extends.yaml"
path.write_text("services:\n  a:\n    image: a\n    extends: {service: b, file: c.yaml}\ninclude: [d.yaml]\n")
code, _, _, err = ask("--to", "node", path=path)
tap.check("extends and include are said, and the answer is not whole", code == 3 and "extends.yaml:4: services.a.extends is not followed" in err and "include" in err, err)
r = subprocess.run([BULKHEAD, "netpol", "list", SHOP], capture_output=True, text=True, timeout=60)
tap.check("to other questions a file of Compose is no manifest", r.returncode in (2, 3) and "kind is missing" in r.stderr, r.stderr)
report = top / "report.json"
report.write_text(json.dumps({"schema": "bulkhead.report/1", "target": {"text": "registry.example/shop/web:1"}, "findings": []}))
code, _, _, err = ask("--to", "node", "--report", report)
tap.check("a report without findings closes the way through its image", code == 0, err)
tap.end()
