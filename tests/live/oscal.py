#!/usr/bin/env python3
"""Is what `bulkhead comply -f oscal` writes an assessment result of OSCAL? compliance-trestle (a project of the OpenSSF, from PyPI) reads it with its model of
NIST's schema. Exit code 77: it can't be installed here.

usage: oscal.py BULKHEAD"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "trestle"
TRESTLE = "compliance-trestle==5.2.0"
READ = """import json, sys
from trestle.oscal.assessment_results import AssessmentResults
r = AssessmentResults(**json.load(open(sys.argv[1]))["assessment-results"])
print(len(r.results[0].findings), len(r.results[0].reviewed_controls.control_selections[0].include_controls))
"""


def install():
    python = CACHE / "bin/python"
    if not (CACHE / "installed").exists():
        for command in ([sys.executable, "-m", "venv", CACHE], [python, "-m", "pip", "install", "-q", TRESTLE]):
            r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if r.returncode:
                print(r.stdout.decode()[-500:])
                sys.exit(77)
        (CACHE / "installed").touch()
    return python


def main():
    python, wrong = install(), 0
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run([sys.argv[1], "comply", "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
        for line in listed:
            name, _, count = line.split()[:3]
            document = pathlib.Path(folder) / f"{name}.json"
            subprocess.run([sys.argv[1], "comply", name, "--root", HERE.parent / "corpus/kubeadm", "-f", "oscal", "-o", document], check=False)
            r = subprocess.run([python, "-c", READ, document], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            ok = r.returncode == 0 and r.stdout.decode().split() == [count, count]
            wrong += not ok
            print(f"{name}: {'valid' if ok else r.stdout.decode()[-500:]}")
    return 1 if wrong or not listed else 0


sys.exit(main())
