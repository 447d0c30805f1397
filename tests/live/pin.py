#!/usr/bin/env python3
"""pin BULKHEAD: `check --fix --pin`: images of Dockerfiles, Compose and Kubernetes get the digest that a real registry (Debian's docker-registry) has for them; skopeo tells which that is.
Prints TAP."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from sources_common import *  # noqa: E402,F403

need("docker-registry", "skopeo")
tap, top = Tap(), pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-pin-"))
BULKHEAD = os.path.abspath(sys.argv[1])
FILES = {
    "Dockerfile": "ARG V=1\n# the base\nFROM --platform=linux/amd64 {r}/team/app:v1 AS build\nFROM build AS next\nFROM {r}/team/both:v1\nFROM {r}/team/app:v$V\nFROM {r}/team/gone:v1\nUSER 1\n",
    "compose.yaml": "services:\n  web:\n    image: {r}/team/app:v1   # ours\n  db: {{image: \"{r}/team/both:v1\"}}\n  var:\n    image: {r}/team/app:${{V:-v1}}\n  own:\n    build: .\n    image: {r}/team/app:v1\n",
    "web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: a}}}}\n  template:\n    metadata: {{labels: {{app: a}}}}\n    spec:\n"
                "      initContainers:\n      - name: i\n        image: '{r}/team/both:v1'\n      containers:\n      - {{name: a, image: {r}/team/app:v1}}\n      - name: b  # pinned\n"
                "        image: {r}/team/app@sha256:0123456789012345678901234567890123456789012345678901234567890123\n",
}


def run(folder, *options, home=None):
    return subprocess.run([BULKHEAD, "check", "--fail-on", "never", "--severity", "negligible", "-o", "/dev/null", *options, "."], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={"PATH": os.environ["PATH"], "HOME": str(home or top)})


def digest(name):
    return sha(subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"], capture_output=True, check=True).stdout)


def check_of(folder, check):
    r = subprocess.run([BULKHEAD, "check", "-f", "json", "--fail-on", "never", str(folder)], capture_output=True, text=True)
    return [f for f in json.loads(r.stdout)["findings"] if f["id"] == check]


def main():
    port = free_port()
    r, daemon = f"127.0.0.1:{port}", registry(top / "registry", port)
    try:
        image, other = debian(("bash", "5.2.15-2+b2")), Image()
        both = Image()
        both.index(*({**both.manifest([{"a": arch}], arch), "platform": {"os": "linux", "architecture": arch}} for arch in ("amd64", "arm64")))
        for made, name in ((image, "app"), (both, "both")):
            subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "--all", "--dest-tls-verify=false", f"oci:{made.layout(top / name, 'v1')}:v1", f"docker://{r}/team/{name}:v1"], check=True)
        told = subprocess.run([BULKHEAD, "check", "--fail-on", "never", "--severity", "negligible", "-f", "json", f"registry:{r}/team/app:v1", f"registry:{r}/team/gone:v1"], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "HOME": str(top)})
        report = json.loads(told.stdout)
        tap.check("the configuration of an image in a registry is checked; of one that is not there that is told", [f["id"] for f in report["findings"]] == ["image-user-root", "image-healthcheck"]
                  and len(report["incomplete"]) == 1 and "team/gone" in str(report["incomplete"]), (told.stderr, told.stdout[-800:]))
        app, index = digest(f"{r}/team/app:v1"), digest(f"{r}/team/both:v1")
        tap.check("the registry has what was made", (app, index) == (image.top, both.top), (app, index))
        folder = top / "work"
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text.format(r=r))
        before = {n: (folder / n).read_text() for n in FILES}
        told = run(folder, "--fix")
        tap.check("without --pin nobody is asked, and that is told", {n: (folder / n).read_text().count("@sha256") for n in FILES} == {"Dockerfile": 0, "compose.yaml": 0, "web.yaml": 1}
                  and told.stderr.count("--pin asks the registry") == 3 and not any("patch_level" in f for f in check_of(folder, "dockerfile-base-digest")), told.stderr)
        for n in FILES:
            (folder / n).write_text(before[n])
        told = run(folder, "--fix", "--pin")
        dockerfile = (folder / "Dockerfile").read_text()
        wanted = before["Dockerfile"].replace(f"{r}/team/app:v1 AS", f"{r}/team/app:v1@{app} AS").replace(f"{r}/team/both:v1\n", f"{r}/team/both:v1@{index}\n")
        tap.check("a Dockerfile: an index has the digest of the index, stages and variables stay", dockerfile == wanted, dockerfile)
        tap.check("why one stays is told", "dockerfile-base-digest: " in told.stderr, told.stderr)
        compose = (folder / "compose.yaml").read_text()
        tap.check("Compose: comments and quotes stay, a value with a variable is not replaced", f"image: {r}/team/app:v1@{app}   # ours" in compose and f'"{r}/team/both:v1@{index}"' in compose
                  and "app:${V:-v1}\n" in compose and compose.count("@sha256") == 2, compose)
        web = (folder / "web.yaml").read_text()
        tap.check("Kubernetes: all containers", f"'{r}/team/both:v1@{index}'" in web and f"image: \"{r}/team/app:v1@{app}\"" in web and "@sha256:0123" in web and web.count("@sha256") == 3, web)
        again = run(folder, "--fix", "--pin")
        tap.check("a second run changes nothing", {n: (folder / n).read_text() for n in FILES} == {"Dockerfile": dockerfile, "compose.yaml": compose, "web.yaml": web}, again.stderr)
        check = subprocess.run([BULKHEAD, "check", "-f", "json", "--fail-on", "never", str(folder / "web.yaml")], capture_output=True, text=True)
        tap.check("the finding is gone", "k8s-image-digest" not in check.stdout, check.stdout[-400:])
    finally:
        daemon.stop()
    for n in FILES:
        (folder / n).write_text(before[n])
    told = run(folder, "--fix", "--pin")
    tap.check("a registry that is not there is told, and changes nothing", all((folder / n).read_text().count("@sha256") == (n == "web.yaml") for n in FILES) and "not fixed" in told.stderr, told.stderr)
    told = run(folder, "--pin")
    tap.check("--pin alone is a mistake", told.returncode == 2 and "--pin is about" in told.stderr, told.stderr)
    tap.end()


main()
