#!/usr/bin/env python3
"""Compare which expressions `bulkhead check --kubernetes VERSION` takes in a policy with what the API server of that version takes.

usage: cel_versions.py BULKHEAD

An expression per function and feature, right and wrong ones. And whether the policies that come with the program can be applied to the oldest clusters
that know their kind. The other side is k8s.io/apiserver, as in cel_kubernetes.py. Exit code 77: no go command, or no module.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

import go_oracle

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST, LAST = 26, 38
OLDEST = {"ValidatingAdmissionPolicy": 30, "MutatingAdmissionPolicy": 36}
EXPRESSIONS = """
[1].sum() == 1
[1, 2].isSorted()
[1].max() + [1].min() + [1].indexOf(1) + [1].lastIndexOf(1) == 4
url("http://a").getHost() == ""
isURL("a")
"a".find("a") == "" && "a".findAll("a") == []
"a".charAt(0) == ""
"a".indexOf("a") + "a".lastIndexOf("a") == 0
"a".lowerAscii() + "a".upperAscii() + "a".replace("a", "b") + "a".substring(1) + "a".trim() == ""
"a,b".split(",") == []
["a"].join() == ""
["a"].join(",") == ""
strings.quote("a") == ""
"%s".format(["a"]) == ""
"a".reverse() == ""
sets.contains([1], [1]) || sets.equivalent([1], [1]) || sets.intersects([1], [1])
quantity("1").isGreaterThan(quantity("1"))
quantity("1").sign() == 1
isQuantity("1")
ip("1.1.1.1").family() == 4
isIP("1")
ip.isCanonical("1.1.1.1")
cidr("1.0.0.0/8").prefixLength() == 8
isCIDR("1")
format.named("uri").hasValue()
format.dns1123Label().validate("a").hasValue()
semver("1.2.3").major() == 1
semver("1", true).major() == 1
isSemver("1")
[1].slice(0, 1) == []
[1].first().hasValue() && [1].last().hasValue()
[1].reverse() == []
lists.range(3) == []
[[1]].flatten() == []
[2, 1].sort() == []
[2, 1].sortBy(x, x) == []
[1, 1].distinct() == []
[1].includes(1)
"a".includes("a")
1 < 1.5
1 == dyn(1.0)
dyn(1) < dyn(1.5)
optional.of(1).hasValue()
optional.none().orValue(1) == 1
optional.of(1).optMap(x, x + 1).hasValue()
optional.of(1).optFlatMap(x, optional.of(x)).hasValue()
{"a": 1}[?"a"].hasValue()
{"a": 1}.?a.hasValue()
[?optional.of(1)] == [1]
[1].all(i, v, v == 1)
[1].exists(i, v, v == 1)
[1].existsOne(i, v, v == 1)
[1].exists_one(i, v, v == 1)
[1].transformList(i, v, v) == []
{"a": 1}.transformMap(k, v, v) == {}
{"a": 1}.transformMapEntry(k, v, {k: v}) == {}
[1].all(v, v == 1) && [1].exists(v, v == 1) && [1].exists_one(v, v == 1) && [1].map(v, v) == [] && [1].filter(v, v == 1) == []
[1].map(v, v == 1, v) == []
authorizer.group("").resource("pods").check("get").allowed()
authorizer.path("/healthz").check("get").reason() == ""
authorizer.serviceAccount("a", "b").group("").resource("pods").subresource("log").namespace("a").name("b").check("get").allowed()
authorizer.group("").resource("pods").fieldSelector("a=b").check("get").allowed()
authorizer.group("").resource("pods").labelSelector("a=b").check("get").allowed()
authorizer.group("").resource("pods").check("get").errored()
math.abs(1) == 1
math.greatest(1, 2) == 1
base64.encode(b"a") == ""
cel.bind(x, 1, x == 1)
jsonpatch.escapeKey("a") == ""
duration("1x") == duration("1s")
duration("1s") == duration("1s")
timestamp("x") == timestamp("y")
timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-01T00:00:00Z")
timestamp("2026-01-01T00:00:00Z").getFullYear() == 1
"a".matches("(")
"a".matches("a")
[1, "a"] == []
[dyn(1), "a"] == []
{"a": 1, "b": "c"} == {}
{"a": 1, 2: 3} == {}
[[1], ["a"]] == []
[1, 1.0] == []
[1, null] == []
["a".charAt(0) == "a" ? dyn(1) : dyn("a"), 1] == []
[dyn(1), dyn("a")] == []
["a", dyn(1)] == []
{"a": dyn(1), "b": 2} == {}
{dyn(1): 1, "a": 2} == {}
[[], [1]] == []
[{}, {"a": 1}] == []
[null, "a"] == []
[duration("1s"), null] == []
[optional.of(1), optional.none()] == []
[?optional.of(1), 1] == []
[?optional.of("a"), 1] == []
{?"a": optional.of(1), "b": 1} == {}
{?"a": optional.of("a"), "b": 1} == {}
["a", ip("1.1.1.1")] == []
"%s %d".format(["a", 1]) == ""
"%s".format([[1, "a"]]) == ""
"%s".format([["a"].map(x, [1, x])]) == ""
"%d".format(["a"]) == ""
"%d".format([dyn("a")]) == ""
"%d %s".format([1]) == ""
"%s".format([1, 2]) == ""
"%".format([]) == ""
"%%".format([]) == ""
"%z".format([1]) == ""
"%.3f %e".format([1.0, 2.0]) == ""
"%f".format([1]) == ""
"%f".format(["NaN"]) == ""
"%b".format([true]) == "" && "%x".format(["a"]) == "" && "%X".format([b"a"]) == "" && "%o".format([1u]) == ""
"%b".format(["a"]) == ""
"%x".format([1.0]) == ""
"%o".format([true]) == ""
"%s".format([optional.of(1)]) == ""
"%s".format([ip("1.1.1.1")]) == ""
"%s".format([null]) == "" && "%s".format([type(1)]) == "" && "%s".format([timestamp("2026-01-01T00:00:00Z")]) == ""
"%s".format([{"a": ip("1.1.1.1")}]) == ""
["a"].all(x, x.matches("("))
matches("(", "a")
matches("a", "(")
"a".find("(") == ""
duration(string("1x")) == duration("1s")
duration("") == duration("1s")
timestamp("2026-01-01") == timestamp("2026-01-01T00:00:00Z")
semver("x").major() == 1
has({"a": 1}.a)
"a" + 1 == ""
nothing == 1
size("a") + size([1]) + size({}) == 1
"a".contains("a") && "a".startsWith("a") && "a".endsWith("a")
int("1") + int(1.0) == 2 && uint(1) == 1u && double("1") == 1.0 && string(1) == "" && bytes("a") == b"a" && bool("true")
type(1) == int
1 in [1] && "a" in {"a": 1}
""".strip().split("\n")


def policies():
    return "---\n".join(json.dumps({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": f"e{number}"},
        "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
                 "validations": [{"expression": e}]}}) + "\n" for number, e in enumerate(EXPRESSIONS))


def ours(bulkhead):
    """By expression: the versions in which it is taken."""
    taken = {e: [] for e in EXPRESSIONS}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "p.yaml").write_text(policies())
        (folder / "pod.yaml").write_text('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "b:1"}]}}')
        for minor in range(FIRST, LAST + 1):
            r = subprocess.run([bulkhead, "check", "--pod-security", "none", "--no-hardening", "--no-schema", "--kubernetes", f"1.{minor}", "-f", "json", "-p",
                                folder / "p.yaml", folder / "pod.yaml"], stdout=subprocess.PIPE, text=True)
            refused = {int(re.search(r"policy e(\d+): spec.validations", gap["reason"])[1]) for gap in json.loads(r.stdout)["incomplete"]
                       if gap["what"] == "policy"}
            for number, e in enumerate(EXPRESSIONS):
                if number not in refused:
                    taken[e].append(minor)
    return taken


def theirs():
    oracle = go_oracle.build("cel_kubernetes")
    lines = "".join(json.dumps(e) + "\n" for e in EXPRESSIONS)
    answers = subprocess.run([oracle, "versions", str(FIRST), str(LAST)], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(zip(EXPRESSIONS, map(json.loads, answers)))


def refused_rules():
    """What an API server refuses of our policies, and how many there are."""
    oracle = go_oracle.build("cel_kubernetes")
    bad, n = [], 0
    documents = [(path, d) for path in sorted(ROOT.glob("rules/*/*.yaml")) if path.parent.name != "runtime" for d in yaml.safe_load_all(path.read_text()) if d["kind"] in OLDEST]
    for kind, minor in OLDEST.items():
        own = [(path, d) for path, d in documents if d["kind"] == kind]
        for m in (minor, LAST):
            answers = subprocess.run([oracle, "policies", str(m)], input="".join(json.dumps(d) + "\n" for _, d in own), capture_output=True, text=True, check=True)
            for (path, _), refusals in zip(own, map(json.loads, answers.stdout.splitlines())):
                bad += [f"{path.relative_to(ROOT)}: refused by Kubernetes 1.{m}: {r}" for r in refusals]
        n += len(own)
    return bad, n


def spans(minors):
    return ", ".join(f"1.{m}" for m in minors) or "none"


def main():
    other, own = theirs(), ours(sys.argv[1])
    bad = [e for e in EXPRESSIONS if other[e] != own[e]]
    for e in bad:
        print(f"{e}\n  Kubernetes: {spans(other[e])}\n  ours:       {spans(own[e])}")
    print(f"{len(EXPRESSIONS)} expressions in the versions 1.{FIRST} to 1.{LAST}, {len(bad)} differences")
    refused, n = refused_rules()
    print("\n".join(refused + [f"{n} policies of ours, {len(refused)} expressions refused"]))
    return bool(bad or refused or n < 100)


if __name__ == "__main__":
    sys.exit(main())
