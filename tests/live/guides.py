#!/usr/bin/env python3
"""guides BULKHEAD: the pipeline examples of docs/guides/pipeline.md, run as they are printed.

Shell blocks run whole. Of the services' files the commands are taken out as the service would do it: `script:` of GitLab and `run:` of GitHub
by a YAML reader, the script of Jenkins' sh step by its quotes. Each runs in an empty folder that holds image.tar, an image with known
findings, with the program in PATH; afterwards every file that the example names as a report must be there and hold what it is named for.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/guides/pipeline.md"


def blocks():
    """(kind, text) of each block that says it can be run."""
    for kind, text in re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        yield kind, text


def commands(kind, text):
    if kind == "shell":
        return [text]
    if kind == "gitlab":
        return ["set -e\n" + "\n".join(job["script"]) for job in yaml.safe_load(text).values()]
    if kind == "github":
        steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
        return ["set -e -o pipefail\n" + step["run"] for step in steps if "run" in step]
    if kind == "jenkins":
        return re.findall(r"script: '(.*?)'", text)
    raise SystemExit(f"guides: what is a {kind} block?")


def make_image(folder):
    """A docker-archive with one layer: Debian 12 with an openssl that lacks updates."""
    tree = folder / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    (tree / "var/lib/dpkg/status").write_text("Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.20-1~deb12u2\n")
    image = folder / "image"
    image.mkdir()
    subprocess.run(["tar", "-cf", image / "layer.tar", "-C", tree, "."], check=True)
    digest = subprocess.run(["sha256sum", image / "layer.tar"], capture_output=True, text=True, check=True).stdout.split()[0]
    (image / "config.json").write_text(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}))
    (image / "manifest.json").write_text(json.dumps([{"Config": "config.json", "RepoTags": ["shop:ci"], "Layers": ["layer.tar"]}]))
    subprocess.run(["tar", "-cf", folder / "image.tar", "-C", image, "manifest.json", "config.json", "layer.tar"], check=True)


def holds_findings(path):
    """Does the report hold the finding that the image has? Its own format's reader says so."""
    if path.suffix == ".xml":
        return any("CVE-2026-35189" in ET.tostring(case, encoding="unicode") for case in ET.parse(path).getroot().iter("testcase"))
    text = path.read_text()
    if path.suffix in (".json", ".sarif"):
        json.loads(text)
        return path.name == "sbom.cdx.json" and '"openssl"' in text or "CVE-2026-35189" in text
    return "CVE-2026-35189" in text


def run(number, kind, text, bulkhead, image):
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "bin").mkdir()
        (folder / "bin/bulkhead").symlink_to(bulkhead)
        work = folder / "work"
        work.mkdir()
        shutil.copy(image, work / "image.tar")
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "GITHUB_STEP_SUMMARY": str(folder / "summary"), "LC_ALL": "C.UTF-8"}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if key in os.environ:
                env[key] = os.environ[key]
        for command in commands(kind, text):
            done = subprocess.run(["bash", "-c", command], cwd=work, env=env, capture_output=True, text=True)
            wanted = 1 if "--fail-on high" in command and "--baseline" not in command else 0  # unknown severity counts as high
            if done.returncode != wanted:
                failures.append(f"ended with {done.returncode}, not {wanted}: {done.stdout[-600:]}{done.stderr[-600:]}")
            for report in re.findall(r"-f \w+=(\S+)", command):
                path = work / report
                if not path.exists() and wanted == 1 and "sbom" in report:
                    continue  # behind the exit that the findings caused
                if not path.exists() or not holds_findings(path):
                    failures.append(f"{report}: not there, or without the finding")
        if kind == "github" and "CVE-2026-35189" not in (folder / "summary").read_text():
            failures.append("the step summary is empty")
    print(f"{'not ok' if failures else 'ok'} {number} - {kind} example {number}")
    for failure in failures:
        print("# " + failure.replace("\n", "\n# "))
    return not failures


def main():
    bulkhead = pathlib.Path(sys.argv[1]).resolve()
    examples = list(blocks())
    print(f"1..{len(examples)}")
    with tempfile.TemporaryDirectory() as scratch:
        make_image(pathlib.Path(scratch))
        good = [run(i + 1, kind, text, bulkhead, pathlib.Path(scratch) / "image.tar") for i, (kind, text) in enumerate(examples)]
    return 0 if examples and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
