#!/usr/bin/env python3
"""Compare kube/rbac.h with Kubernetes' own RBAC authorizer.

usage: rbac_authorizer.py RBAC-PROBE [--sets N] [--requests N] [--seed N]

N sets of roles and bindings are made by chance, with aggregation in cycles, roles that are not there, names, subresources, URLs and broken words;
each gets requests by chance, and so do the roles that an API server makes at its start. Every answer must be the same. The authorizer is
k8s.io/kubernetes of the version that tests/live/oracles/rbac/go.mod names, from the Go proxy. Exit code 77: no go command, or no module.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import go_oracle

API = "rbac.authorization.k8s.io/v1"

VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "escalate", "*"]
GROUPS = ["", "apps", "batch", "rbac.authorization.k8s.io", "*"]
RESOURCES = ["pods", "pods/log", "pods/exec", "*/log", "*/scale", "deployments", "deployments/scale", "secrets", "namespaces", "nodes/proxy", "*", "*/", "pods/*", "*/*"]
NAMES = ["a", "b", "web", "*", ""]
URLS = ["/api", "/api/*", "/healthz", "*", "/api**", "/*", "/logs/*", "/api*/x", ""]
PATHS = ["/api", "/api/", "/api/v1", "/api*/x", "/healthz", "/healthz/x", "/logs", "/logs/a", "/apis", "/"]
NAMESPACES = ["shop", "kube-system", "dev"]
USERS = ["alice", "bob", "system:serviceaccount:shop:web", "system:serviceaccount:dev:web", "system:serviceaccount:shop:a:b", "system:node:n1"]
DEFAULT_USERS = ["system:anonymous", "system:kube-scheduler", "system:kube-controller-manager", "system:kube-proxy"] + [
    f"system:serviceaccount:kube-system:{c}" for c in ("generic-garbage-collector", "namespace-controller", "node-controller", "bootstrap-signer", "token-cleaner",
                                                      "deployment-controller", "horizontal-pod-autoscaler", "cloud-provider", "cronjob-controller")]
TEAMS = ["devs", "ops", "system:nodes"]


def some(rng, words, most=2):
    return rng.sample(words, rng.randrange(1, most + 1))


def rule(rng):
    if rng.random() < 0.2:
        return {"verbs": some(rng, VERBS), "nonResourceURLs": some(rng, URLS)}
    r = {"verbs": some(rng, VERBS), "apiGroups": some(rng, GROUPS), "resources": some(rng, RESOURCES)}
    if rng.random() < 0.3:
        r["resourceNames"] = some(rng, NAMES)
    if rng.random() < 0.05:
        del r[rng.choice(["verbs", "apiGroups", "resources"])]
    return r


def subject(rng):
    kind = rng.choice(["User", "Group", "ServiceAccount"])
    if kind == "User":
        return {"kind": kind, "name": rng.choice(USERS)}
    if kind == "Group":
        return {"kind": kind, "name": rng.choice(TEAMS + ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:shop"])}
    s = {"kind": kind, "name": rng.choice(["web", "a", "a:b"])}
    if rng.random() < 0.7:
        s["namespace"] = rng.choice(NAMESPACES)
    return s


def make(rng):
    p = {"Roles": [], "RoleBindings": [], "ClusterRoles": [], "ClusterRoleBindings": []}
    for i in range(rng.randrange(1, 7)):
        labels = {f"to-{k}": rng.choice(["true", "false"]) for k in rng.sample("abc", rng.randrange(0, 3))}
        o = {"metadata": {"name": f"c{i}", "labels": labels}, "rules": [rule(rng) for _ in range(rng.randrange(1, 4))]}
        if rng.random() < 0.4:
            selector = {"matchLabels": {f"to-{rng.choice('abc')}": "true"}}
            if rng.random() < 0.3:
                selector = {"matchExpressions": [{"key": f"to-{rng.choice('abc')}", "operator": rng.choice(["Exists", "DoesNotExist"])}]}
            o["aggregationRule"] = {"clusterRoleSelectors": [selector]}
        p["ClusterRoles"].append(o)
    for i in range(rng.randrange(4)):
        p["Roles"].append({"metadata": {"name": f"r{i}", "namespace": rng.choice(NAMESPACES)}, "rules": [rule(rng) for _ in range(rng.randrange(1, 4))]})
    for i in range(rng.randrange(1, 6)):
        p["ClusterRoleBindings"].append({"metadata": {"name": f"x{i}"}, "subjects": [subject(rng) for _ in range(rng.randrange(1, 4))],
                                         "roleRef": {"apiGroup": API.split("/")[0], "kind": "ClusterRole", "name": f"c{rng.randrange(8)}"}})
    for i in range(rng.randrange(1, 6)):
        kind = rng.choice(["Role", "ClusterRole"])
        p["RoleBindings"].append({"metadata": {"name": f"y{i}", "namespace": rng.choice(NAMESPACES)},
                                  "subjects": [subject(rng) for _ in range(rng.randrange(1, 4))],
                                  "roleRef": {"apiGroup": API.split("/")[0], "kind": kind, "name": f"{kind[0].lower()}{rng.randrange(7)}"}})
    return p


def implicit(user):
    """The groups that authentication adds; the probe adds them itself."""
    groups = ["system:unauthenticated" if user == "system:anonymous" else "system:authenticated"]
    parts = user.split(":")
    if user.startswith("system:serviceaccount:") and len(parts) == 4:
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{parts[2]}"]
    if user.startswith("system:node:"):
        groups.append("system:nodes")
    return groups


def request(rng, users, resources, groups):
    user = rng.choice(users)
    teams = [g for g in TEAMS[:2] if rng.random() < 0.3]
    if rng.random() < 0.15:
        q = [rng.choice(VERBS), "", "", "", "", "", rng.choice(PATHS)]
    else:
        resource, _, sub = rng.choice(resources).partition("/")
        q = [rng.choice(VERBS), rng.choice(groups), resource, sub, rng.choice(NAMESPACES + [""]), rng.choice(NAMES), ""]
    return user, teams, q


def default_rules():
    with open(os.path.join(go_oracle.HERE, "..", "..", "..", "src", "kube", "rbac_bootstrap.def")) as f:
        return [[part.split(",") for part in line[6:-3].split('", "')] for line in f if line.startswith("RULE(")]


def default_request(rng, user, rules):
    """What one of the rules allows, or nearly."""
    verbs, groups, resources, names, urls = rng.choice(rules)
    if urls[0]:
        return user, [], [rng.choice(verbs), "", "", "", "", "", rng.choice(urls).replace("*", rng.choice(["", "x"])) or "/x"]
    resource, _, sub = rng.choice(resources).partition("/")
    namespace = rng.choice(["", "kube-system", "kube-public", "shop"])
    return user, rng.choice([[], ["devs"], ["system:monitoring"]]), [rng.choice(verbs), rng.choice(groups), resource, sub, namespace, rng.choice(names), ""]


def compare(probe, oracle, objects, answer_for, mode, requests):
    asked = "".join("\t".join([u, ",".join(t), *q]) + "\n" for u, t, q in requests)
    with_all = "".join("\t".join([u, ",".join(t + implicit(u)), *q]) + "\n" for u, t, q in requests)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = os.path.join(folder, "ours.json"), os.path.join(folder, "theirs.json")
        with open(ours, "w") as f:
            f.write("\n---\n".join(json.dumps(o) for o in objects))
        with open(theirs, "w") as f:
            json.dump(answer_for, f)
        a = subprocess.run([probe, ours, mode], input=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout.split()
        b = subprocess.run([oracle, theirs if objects else "bootstrap"], input=with_all, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert len(a) == len(b) == len(requests), (len(a), len(b), len(requests))
    for x, y, q in zip(a, b, requests):
        if x != y:
            print(f"differs: {q}: ours {x}, Kubernetes {y}\n{json.dumps(answer_for)}")
            sys.exit(1)
    return b.count("1")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("probe")
    args.add_argument("--sets", type=int, default=100)
    args.add_argument("--requests", type=int, default=200)
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    rng = random.Random(args.seed)
    oracle = go_oracle.build("rbac")
    n = allowed = 0
    for _ in range(args.sets):
        p = make(rng)
        objects = [dict(o, apiVersion=API, kind=kind[:-1]) for kind, list_ in p.items() for o in list_]
        requests = [request(rng, USERS, RESOURCES, GROUPS) for _ in range(args.requests)]
        allowed += compare(args.probe, oracle, objects, p, "no", requests)
        n += len(requests)
    rules = default_rules()
    for user in USERS + DEFAULT_USERS:
        requests = [default_request(rng, user, rules) for _ in range(1500)]
        allowed += compare(args.probe, oracle, [], {}, "yes", requests)
        n += len(requests)
    print(f"{n} requests, {allowed} of them allowed: all answers are Kubernetes'")


if __name__ == "__main__":
    main()
