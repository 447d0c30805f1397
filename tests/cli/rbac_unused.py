#!/usr/bin/env python3
"""What `bulkhead rbac unused --log` names can go, all of it at once, and every request of the log is still allowed.

usage: rbac_unused.py BULKHEAD RBAC-PROBE [--sets N] [--seed N]

Sets of roles and bindings and requests are made by chance. The authorizer (rbac-probe, which tests/live/rbac_authorizer.py compares with Kubernetes')
says what of them is allowed; that is the log. Then everything that the rows name is taken away here, and the authorizer is asked again. A second look
at what is left must find nothing more that the log shows to be unused.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

API = "rbac.authorization.k8s.io/v1"
VERBS = ["get", "list", "create", "delete", "*"]
GROUPS = ["", "apps", "*"]
RESOURCES = ["pods", "pods/log", "*/log", "deployments", "secrets", "nodes/proxy", "*"]
NAMES = ["a", "b"]
URLS = ["/api", "/api/*", "/healthz", "/logs", "/*"]
PATHS = ["/api", "/api/v1", "/healthz", "/logs"]
NAMESPACES = ["shop", "dev"]
USERS = ["alice", "bob", "system:serviceaccount:shop:web", "system:serviceaccount:dev:web", "system:node:n1", "carol"]
TEAMS = ["devs", "ops"]
OBJECT_ONLY = {"missing-role", "unbound-role", "no-subjects", "no-rules", "void-rule", "shadowed-rule", "shadowed-word", "shadowed-subject", "missing-subject"}
BY_LOG = {"binding", "subject", "role", "rule", "verb", "group", "resource", "name", "url", "wildcard"}
LISTS = {"verb": "verbs", "group": "apiGroups", "resource": "resources", "name": "resourceNames", "url": "nonResourceURLs"}


def some(rng, words, most=3):
    return [rng.choice(words) for _ in range(rng.randrange(1, most + 1))]


def rule(rng):
    if rng.random() < 0.3:
        return {"verbs": ["get"] + some(rng, VERBS, 1), "nonResourceURLs": some(rng, URLS[:4], 5)}
    r = {"verbs": some(rng, VERBS), "apiGroups": some(rng, GROUPS), "resources": some(rng, RESOURCES)}
    if rng.random() < 0.3:
        r["resourceNames"] = some(rng, NAMES)
    return r


def subject(rng):
    kind = rng.choice(["User", "Group", "ServiceAccount"])
    if kind == "ServiceAccount":
        return {"kind": kind, "name": "web", "namespace": rng.choice(NAMESPACES)}
    return {"kind": kind, "name": rng.choice(USERS if kind == "User" else TEAMS + ["system:authenticated", "system:serviceaccounts:shop"])}


def make(rng):
    out = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}]

    def add(kind, name, namespace, **more):
        meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
        out.append({"apiVersion": API, "kind": kind, "metadata": meta, **more})

    for i in range(rng.randrange(2, 4)):
        more = {"meta": {"labels": {"to": rng.choice(["all", "none"])}}}
        if rng.random() < 0.2:
            more["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]}
        add("ClusterRole", f"c{i}", "", rules=[rule(rng) for _ in range(rng.randrange(4))], **more)
    for i in range(rng.randrange(3)):
        add("Role", f"r{i}", rng.choice(NAMESPACES), rules=[rule(rng) for _ in range(rng.randrange(1, 4))])
    for i in range(rng.randrange(1, 5)):
        kind = rng.choice(["Role", "ClusterRole"])
        name = "edit" if kind == "ClusterRole" and rng.random() < 0.2 else f"{kind[0].lower()}{rng.randrange(3)}"
        wide = kind == "ClusterRole" and rng.random() < 0.6
        add("ClusterRoleBinding" if wide else "RoleBinding", f"b{i}", "" if wide else rng.choice(NAMESPACES),
            subjects=[subject(rng) for _ in range(rng.choice([0, 1, 2, 2, 3]))], roleRef={"apiGroup": API.split("/")[0], "kind": kind, "name": name})
    if rng.random() < 0.5:
        out.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}})
    return out


def request(rng):
    user, teams = rng.choice(USERS[:-1]), [t for t in TEAMS if rng.random() < 0.4]
    if rng.random() < 0.25:
        return user, teams, ["get", "", "", "", "", "", rng.choice(PATHS[:3])]
    resource, _, sub = rng.choice(["pods", "pods/log", "deployments", "secrets", "deployments/log", "nodes/proxy"]).partition("/")
    verb = rng.choice(VERBS[:-1])
    return user, teams, [verb, rng.choice(GROUPS[:-1]), resource, sub, rng.choice(NAMESPACES + [""]), "" if verb in ("create", "list") and not sub else rng.choice(NAMES), ""]


def ask(probe, path, requests):
    lines = "".join("\t".join([u, ",".join(t)] + q) + "\n" for u, t, q in requests)
    return subprocess.run([probe, path, "yes"], input=lines, capture_output=True, text=True, check=True).stdout.split()


def event(user, teams, q, allowed):
    verb, group, resource, sub, namespace, name, path = q
    e = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "requestReceivedTimestamp": "2026-11-01T10:00:00.000000Z", "verb": verb,
         "user": {"username": user, "groups": teams + ["system:authenticated"]}, "requestURI": path or "/x", "responseStatus": {"code": 200 if allowed else 403}}
    if not path:
        e["objectRef"] = {"resource": resource, "apiGroup": group, "subresource": sub, "namespace": namespace, "name": name}
    return json.dumps(e) + "\n"


def unused(bulkhead, folder):
    r = subprocess.run([bulkhead, "rbac", "unused", "--defaults", "yes", "-f", "json", "--log", f"{folder}/log", f"{folder}/rbac.json"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def write(folder, objects):
    with open(f"{folder}/rbac.json", "w", encoding="utf-8") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)


def named(objects, text):
    kind, _, name = text.partition(" ")
    namespace, _, name = name.rpartition("/")
    return next(o for o in objects if (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]) == (kind, namespace, name))


def take_away(objects, rows):
    """The objects without what the rows name. Words and rules are marked first, as all rows count places in the original."""
    gone, drop, instead = [], {}, {}
    for row in rows:
        if row["what"] in ("binding", "role", "missing-role", "unbound-role", "no-subjects", "no-rules"):
            gone.append(id(named(objects, row["object"])))
        elif row["what"] in OBJECT_ONLY | BY_LOG:
            o = named(objects, row["object"])
            path = [int(p) if p.isdigit() else p for p in row["at"].replace("]", "").replace("[", ".").split(".")]
            here = o
            for p in path[:-1]:
                here = here[p]
            if row["what"] == "wildcard":
                instead.setdefault(id(here), (here, {}))[1][path[-1]] = ["" if w == '""' else w for w in row["instead"].split(", ")]
            else:
                if row["value"] and row["what"] in LISTS:
                    assert here[path[-1]] == row["value"] and path[-2] == LISTS[row["what"]], row
                drop.setdefault(id(here), (here, set()))[1].add(path[-1])
    lists = {k: v[0] for k, v in list(drop.items()) + list(instead.items())}
    for k, here in lists.items():
        out = []
        for i, item in enumerate(here):
            if i not in drop.get(k, (None, ()))[1]:
                out += instead.get(k, (None, {}))[1].get(i, [item])
        here[:] = out
    return [o for o in objects if id(o) not in gone]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bulkhead")
    p.add_argument("probe")
    p.add_argument("--sets", type=int, default=150)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    seen, checked = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for n in range(a.sets):
            rng = random.Random(a.seed * 100000 + n)
            objects = make(rng)
            write(folder, objects)
            requests = [request(rng) for _ in range(rng.choice([3, 15, 60]))]
            before = ask(a.probe, f"{folder}/rbac.json", requests)
            with open(f"{folder}/log", "w", encoding="utf-8") as f:
                f.writelines(event(*r, b == "1") for r, b in zip(requests, before))
            rows = unused(a.bulkhead, folder)["unused"]
            for row in rows:
                seen[row["what"]] = seen.get(row["what"], 0) + 1
            whole = json.dumps(objects)
            write(folder, take_away(objects, rows))
            after = ask(a.probe, f"{folder}/rbac.json", requests)
            for r, x, y in zip(requests, before, after):
                checked += x == "1"
                assert x == "0" or y == "1", f"set {n}: {r} is denied without {json.dumps(rows, indent=1)}\nof {whole}"
                assert x == "1" or y == "0", f"set {n}: {r} is allowed by less"
            left = [row for row in unused(a.bulkhead, folder)["unused"] if row["what"] in BY_LOG]
            # What was used twice over is used once now, and the other way may have been wider.
            shadowed = any(row["what"] in ("shadowed-subject", "shadowed-rule") for row in rows)
            assert shadowed or not left, f"set {n}: still {left}\nof {whole}"
    missing = (OBJECT_ONLY | BY_LOG | {"identity", "server-role"}) - set(seen)
    assert not missing or a.sets < 100, f"never said: {missing}"
    print(f"{a.sets} sets, {checked} allowed requests still allowed, rows: {dict(sorted(seen.items()))}")


if __name__ == "__main__":
    main()
