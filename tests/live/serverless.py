#!/usr/bin/env python3
"""serverless BULKHEAD: the checks of functions beside cfn-lint (ends of Lambda's runtimes) and Checkov (what it finds in the fixture of CloudFormation).
Both come from PyPI: pip install cfn-lint==1.58.0 checkov. Prints TAP; skips what is not installed."""
import calendar
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import shutil
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


def has_table():
    try:
        return importlib.metadata.version("cfn-lint") == TABLE
    except importlib.metadata.PackageNotFoundError:
        return False


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


def checkov(bulkhead, folder):
    r = subprocess.run([shutil.which("checkov"), "-f", str(FIXTURE), "--framework", "cloudformation", "-o", "json", "--compact", "--quiet"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder)
    report = json.loads(r.stdout)
    report = report[0] if isinstance(report, list) else report
    theirs = {(c["check_id"], c["resource"].split(".")[-1]) for c in report["results"]["failed_checks"] if c["check_id"] in SAME} - KNOWN
    ours = findings(bulkhead, FIXTURE, "2026-11-27")
    missing = [f"{check} {name}: only Checkov objects" for check, name in sorted(theirs) if (SAME[check], name) not in ours]
    return missing or ([] if theirs else ["Checkov said nothing"])


def main():
    parts = [("ends of runtimes as in cfn-lint", runtimes, has_table()), ("what Checkov objects to", checkov, shutil.which("checkov"))]
    if not any(there for _, _, there in parts):
        print(f"1..0 # SKIP neither is installed: pip install cfn-lint=={TABLE} checkov")
        return
    print(f"1..{len(parts)}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, part, there) in enumerate(parts, 1):
            wrong = part(sys.argv[1], folder) if there else []
            print(f"{'not ok' if wrong else 'ok'} {number} {name}{'' if there else ' # SKIP it is not installed'}")
            for w in wrong:
                print(f"# {w}")


main()
