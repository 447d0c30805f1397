#!/usr/bin/env python3
"""Does a scan of a large JavaScript application list what `npm ls` lists?

usage: npm.py BULKHEAD

npm installs more than a thousand packages into /var/cache/bulkhead-tests/npm-app once (BULKHEAD_TEST_CACHE: another folder). The scan of the
folder, and of an image with it as a layer, must list the same packages, both ways. What lies in a node_modules of its own inside a
package is no part of npm's tree: a scan lists it as found by content, and it is printed. Exit code 77: npm or the registry are not there.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

APP = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "npm-app"
PACKAGES = ["express@4.17.1", "lodash@4.17.15", "next@12.0.0", "react@17.0.2", "react-dom@17.0.2", "webpack@5.60.0", "jest@27.0.0", "eslint@8.0.0",
            "aws-sdk@2.1000.0", "@angular/cli@13.0.0", "gatsby-cli@4.0.0", "lodash4@npm:lodash@4.17.20"]
INSTALLED = APP / "complete"


def install():
    if INSTALLED.exists():
        return
    shutil.rmtree(APP, ignore_errors=True)
    APP.mkdir(parents=True)
    (APP / "package.json").write_text('{"name": "app", "version": "1.0.0", "private": true}\n')
    subprocess.run(["npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-package-lock", "--no-audit", "--no-fund", "--silent", *PACKAGES],
                   cwd=APP, check=True)
    INSTALLED.touch()


def image(work):
    """An archive as `docker save` writes it, with the application as its only layer."""
    subprocess.run(["tar", "-cf", work / "layer.tar", "-C", APP.parent, APP.name], check=True)
    with open(work / "layer.tar", "rb") as layer:
        digest = hashlib.file_digest(layer, "sha256").hexdigest()
    (work / "config.json").write_text(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}))
    (work / "manifest.json").write_text(json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": ["layer.tar"]}]))
    subprocess.run(["tar", "-cf", work / "image.tar", "-C", work, "manifest.json", "config.json", "layer.tar"], check=True)
    return str(work / "image.tar")


def npm_list():
    """Every (name, version) of npm's tree; --long gives the true name of packages that are installed under another one."""
    done = subprocess.run(["npm", "ls", "--all", "--json", "--long"], cwd=APP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    found, todo = set(), [json.loads(done.stdout)]
    while todo:
        for entry in todo.pop().get("dependencies", {}).values():
            if "version" in entry:  # else: optional, and not for this system
                found.add((entry["name"], entry["version"]))
            todo.append(entry)
    return found


def scan(bulkhead, target, work):
    """Packages by npm's tree, and those found by content only."""
    out = pathlib.Path(work) / "report.json"
    subprocess.run([bulkhead, "scan", "--no-cache", "-f", f"json={out}", target], stdout=subprocess.DEVNULL, check=False)
    report = json.loads(out.read_text())
    out.unlink()
    packages = [p for p in report["packages"] if p["type"] == "npm"]
    vendored = {(p["name"], p["version"]) for p in packages if p["evidence"] == "content"}
    return {(p["name"], p["version"]) for p in packages} - vendored, vendored, report["incomplete"]


def check(title, want, got):
    packages, vendored, incomplete = got
    bad = [f"missing {x}" for x in sorted(want - packages)[:20]] + [f"surplus {x}" for x in sorted(packages - want)[:20]]
    bad += [f"incomplete: {i}" for i in incomplete if i.get("path")][:20]
    print(f"{'not ok' if bad else 'ok'} - {title}: {len(packages)} packages, npm lists {len(want)}; found by content besides: {sorted(vendored)}")
    for line in bad:
        print("   ", line)
    return not bad


def main():
    if not shutil.which("npm"):
        print("skip - npm is not installed")
        return 77
    try:
        install()
    except subprocess.CalledProcessError as why:
        print(f"skip - npm can't install: {why}")
        return 77
    want = npm_list()
    with tempfile.TemporaryDirectory(prefix="bulkhead-npm-") as work:
        ok = check("folder", want, scan(sys.argv[1], f"dir:{APP}", work)) and len(want) > 1000
        ok = check("image", want, scan(sys.argv[1], image(pathlib.Path(work)), work)) and ok
    return int(not ok)


if __name__ == "__main__":
    sys.exit(main())
