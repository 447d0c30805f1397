#!/usr/bin/env python3
"""Does a scan of a virtual environment list what `pip list` lists?

usage: python_packages.py BULKHEAD

pip installs Django, numpy and others with their dependencies into /var/cache/bulkhead-tests/python-venv once (BULKHEAD_TEST_CACHE: another folder).
Packages that lie inside others (setuptools/_vendor) are none to pip: a scan lists them too, and they are printed. Exit code 77: pip can't install.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import venv

VENV = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "python-venv"
PACKAGES = ["Django==4.2.1", "numpy==1.26.4", "requests[socks]==2.31.0", "Flask-SQLAlchemy==3.1.1", "zope.interface==6.0", "PyYAML==6.0.1",
            "setuptools==75.6.0", "cryptography==41.0.0", "boto3==1.28.0"]
INSTALLED = VENV / "complete"


def install():
    if INSTALLED.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True)
    subprocess.run([VENV / "bin/pip", "install", "-q", "--only-binary", ":all:", *PACKAGES], check=True)
    INSTALLED.touch()


def normal(name):
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pip_list(site):
    done = subprocess.run([VENV / "bin/pip", "list", "--path", site, "--format", "json", "--disable-pip-version-check"], stdout=subprocess.PIPE, check=True)
    return {(normal(p["name"]), p["version"]) for p in json.loads(done.stdout)}


def scan(bulkhead, site):
    """(packages that lie directly in the folder, packages inside of others, what was not read)"""
    with tempfile.TemporaryDirectory(prefix="bulkhead-python-") as work:
        out = pathlib.Path(work) / "report.json"
        subprocess.run([bulkhead, "scan", "--no-cache", "-f", f"json={out}", f"dir:{VENV}"], stdout=subprocess.DEVNULL, check=False)
        report = json.loads(out.read_text())
    here = str(site.relative_to(VENV))
    direct, inside = set(), set()
    for package in (p for p in report["packages"] if p["type"] == "pypi"):
        own = any(re.fullmatch(re.escape(here) + r"/[^/]+(/METADATA|/PKG-INFO)?", path) for path in package["paths"])
        (direct if own else inside).add((normal(package["name"]), package["version"]))
    return direct, inside, [i for i in report["incomplete"] if i.get("path")]


def main():
    try:
        install()
    except subprocess.CalledProcessError as why:
        print(f"skip - pip can't install: {why}")
        return 77
    site = next(VENV.glob("lib/python*/site-packages"))
    want = pip_list(site)
    direct, inside, incomplete = scan(sys.argv[1], site)
    bad = [f"missing {x}" for x in sorted(want - direct)] + [f"surplus {x}" for x in sorted(direct - want)] + [f"incomplete: {i}" for i in incomplete]
    print(f"{'not ok' if bad else 'ok'} - {len(direct)} packages, pip lists {len(want)}; inside of others: {sorted(inside)}")
    for line in bad:
        print("   ", line)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
