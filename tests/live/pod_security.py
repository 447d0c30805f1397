#!/usr/bin/env python3
"""Compare `bulkhead check` with Kubernetes' own fixtures of the Pod Security Standards.

usage: pod_security.py BULKHEAD

The Go module k8s.io/pod-security-admission brings a pod per check, level and version of Kubernetes that must pass, and those that must not. Every one of
them is checked at its level and version. Exit code 77: no go command, or no module.
"""
import json
import os
import pathlib
import subprocess
import sys

MODULE = "k8s.io/pod-security-admission@v0.37.2"
CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")


def fixtures():
    env = dict(os.environ, GOPATH=os.path.join(CACHE, "go"), GOFLAGS="-modcacherw")
    try:
        os.makedirs(env["GOPATH"], exist_ok=True)
        out = subprocess.run(["go", "mod", "download", "-json", MODULE], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=CACHE)
    except OSError as e:
        print(f"skip: no Go modules here: {e}")
        sys.exit(77)
    if out.returncode:
        print(f"skip: {MODULE} can't be had: {(out.stderr or out.stdout).decode()[-300:]}")
        sys.exit(77)
    return pathlib.Path(json.loads(out.stdout)["Dir"]) / "test" / "testdata"


def refused(bulkhead, folder, level, version):
    """Files with findings, and what was not checked."""
    r = subprocess.run([bulkhead, "check", "--no-hardening", "-f", "json", "--pod-security", level, "--kubernetes", version, str(folder)], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    if r.returncode not in (0, 1):
        raise SystemExit(f"{folder}: exit {r.returncode}: {r.stderr.decode()}")
    report = json.loads(r.stdout)
    found = {}
    for f in report["findings"]:
        found.setdefault(f["paths"][0], []).append(f["id"])
    return found, report["incomplete"]


def main():
    bulkhead = sys.argv[1]
    root = fixtures()
    n = bad = 0
    versions = sorted({p.name for p in root.glob("*/v1.*")}, key=lambda v: int(v.split(".")[1]))
    for version in versions:
        for level in ("baseline", "restricted"):
            for verdict in ("pass", "fail"):
                folder = root / level / version / verdict
                if not folder.is_dir():
                    continue
                found, incomplete = refused(bulkhead, folder, level, version[1:])
                for i in incomplete:
                    print(f"{folder.relative_to(root)}: not checked: {i}")
                    bad += 1
                for file in sorted(folder.glob("*.yaml")):
                    n += 1
                    if (str(file) in found) != (verdict == "fail"):
                        bad += 1
                        print(f"{file.relative_to(root)}: {found.get(str(file), 'no finding')}")
    print(f"{n} pods of {len(versions)} versions, {bad} disagreements")
    sys.exit(1 if bad or n < 1000 else 0)


main()
