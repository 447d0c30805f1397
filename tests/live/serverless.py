#!/usr/bin/env python3
"""serverless BULKHEAD: the checks of functions beside cfn-lint (ends of Lambda's runtimes) and Checkov (what it finds in the fixture of CloudFormation).
Both are installed from PyPI into /var/cache/bulkhead-tests/functions-venv once (BULKHEAD_TEST_CACHE: another folder). Prints TAP; skips where PyPI is not
there."""
import calendar
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests/corpus/serverless/cloudformation.json"
# Checkov's id -> ours. CKV_AWS_116 does not know AWS::Lambda::EventInvokeConfig; CKV_AWS_364 names the permission, not the function.
SAME = {"CKV_AWS_50": "fn-tracing", "CKV_AWS_115": "fn-limits", "CKV_AWS_116": "fn-failure-target", "CKV_AWS_173": "fn-env-key", "CKV_AWS_363": "fn-runtime-end-of-life"}
KNOWN = {("CKV_AWS_116", "GoodDestination")}


TABLE = "1.58.0"  # of cfn-lint, which src/serverless/runtimes.def was made from: AWS moves ends, other versions have others
VENV = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "functions-venv"


def move_in():
    """Goes on in an environment that has both."""
    if sys.prefix == str(VENV):
        return
    if not (VENV / "installed-2").exists():
        for command in ([sys.executable, "-m", "venv", VENV], [VENV / "bin/python", "-m", "pip", "install", "-q", f"cfn-lint=={TABLE}", "checkov", "aws-sam-translator"]):
            r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if r.returncode:
                print(f"1..0 # SKIP {r.stdout.decode()[-200:].strip()!r}")
                sys.exit(0)
        (VENV / "installed-2").touch()
    os.execv(VENV / "bin/python", [VENV / "bin/python", __file__, *sys.argv[1:]])


def findings(bulkhead, path, day):
    epoch = calendar.timegm(time.strptime(day, "%Y-%m-%d"))
    r = subprocess.run([bulkhead, "check", "--fail-on", "never", "-f", "json", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, SOURCE_DATE_EPOCH=str(epoch)))
    return {(f["id"], f["evidence"].split(":")[0].split(" ")[-1]) for f in json.loads(r.stdout)["findings"]}


def runtimes(bulkhead, folder):
    """Which runtimes are past their end, on a few days, by cfn-lint's own table."""
    spec = importlib.util.find_spec("cfnlint")
    table = json.loads((pathlib.Path(spec.origin).parent / "data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text())
    names = {f"F{i}": runtime for i, runtime in enumerate(table)}
    path = pathlib.Path(folder) / "runtimes.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {
        n: {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": r}} for n, r in names.items()}}))
    wrong = []
    for day in ["2020-01-01", "2023-12-04", "2024-10-13", "2024-10-14", "2026-11-27", "2030-01-01"]:
        ours = {names[n] for check, n in findings(bulkhead, path, day) if check == "fn-runtime-end-of-life"}
        theirs = {r for r, v in table.items() if v["deprecated"] <= day}
        wrong += [f"{day}: {r}" for r in sorted(ours ^ theirs)]
    return wrong


# What can be bounded by a resource that the template has none of: a custom model of Comprehend or Rekognition, a view of bills, a data set of metrics.
OPTIONAL = ("comprehend:", "rekognition:", "ce:", "cloudwatch:ListMetrics", "cloudwatch:PutMetricData")


def sam_templates(bulkhead, folder):
    """Which of SAM's policy templates allow on all resources what could be bounded: by SAM's own definitions, and by what cfn-lint knows of actions."""
    templates = importlib.util.find_spec("samtranslator")
    definitions = json.loads((pathlib.Path(templates.origin).parent / "policy_templates_data/policy_templates.json").read_text())["Templates"]
    services = json.loads((pathlib.Path(importlib.util.find_spec("cfnlint").origin).parent / "data/AdditionalSpecs/Policies.json").read_text())

    def is_wide(action):
        service, _, name = action.partition(":")
        known = services.get(service, {}).get("Actions", {}).get(name.lower(), {})
        # Describe... of EC2 is about lists, whatever it names.
        return name == "*" or bool(known.get("Resources")) and not action.startswith(OPTIONAL) and not action.startswith("ec2:Describe")

    own = "ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses".split()  # of Lambda itself
    theirs, names = set(), {}
    for i, (name, template) in enumerate(sorted(definitions.items())):
        names[f"F{i}"] = (name, template)
        for statement in template["Definition"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if statement["Resource"] == "*" and any(is_wide(a) and a not in own for a in actions):
                theirs.add(name)
    path = pathlib.Path(folder) / "sam.json"
    path.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        n: {"Type": "AWS::Serverless::Function", "Properties": {"Policies": [{name: {p: "x" for p in template["Parameters"]}}]}}
        for n, (name, template) in names.items()}}))
    ours = {names[n][0] for check, n in findings(bulkhead, path, "2026-11-27") if check == "fn-role-wildcard"}
    return [f"{name}: {'only ours' if name in ours else 'only theirs'}" for name in sorted(ours ^ theirs)]


def checkov(bulkhead, folder):
    r = subprocess.run([VENV / "bin/checkov", "-f", str(FIXTURE), "--framework", "cloudformation", "-o", "json", "--compact", "--quiet"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
    report = json.loads(r.stdout)
    report = report[0] if isinstance(report, list) else report
    theirs = {(c["check_id"], c["resource"].split(".")[-1]) for c in report["results"]["failed_checks"] if c["check_id"] in SAME} - KNOWN
    ours = findings(bulkhead, FIXTURE, "2026-11-27")
    missing = [f"{check} {name}: only Checkov objects" for check, name in sorted(theirs) if (SAME[check], name) not in ours]
    return missing or ([] if theirs else ["Checkov said nothing"])


def main():
    move_in()
    parts = [("ends of runtimes as in cfn-lint", runtimes), ("what Checkov objects to", checkov), ("SAM's policy templates that are wide", sam_templates)]
    print(f"1..{len(parts)}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, part) in enumerate(parts, 1):
            wrong = part(sys.argv[1], folder)
            print(f"{'not ok' if wrong else 'ok'} {number} {name}")
            for w in wrong:
                print(f"# {w}")


main()
