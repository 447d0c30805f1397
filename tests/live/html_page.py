#!/usr/bin/env python3
"""html_page BULKHEAD: the HTML report of a scan and of an image full of markup, read in Debian's Chromium (html_page.mjs)."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
PLAYWRIGHT = "1.49.1"  # the last that Debian 12's Node.js 18 runs: later ones want 20
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def browser_modules():
    folder = CACHE / f"browser-{PLAYWRIGHT}"
    if not (folder / "node_modules/playwright-core").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", f"playwright-core@{PLAYWRIGHT}"], capture_output=True, text=True)
        if done.returncode != 0:
            skip("playwright-core can't be had from the npm registry: " + done.stderr.strip()[-200:].replace("\n", " "))
    return folder


def make_image(folder):
    """A docker-archive of two layers: Debian 12 with packages that lack updates; names of files and of the author made of markup."""
    layers = []
    for number, packages in enumerate((["openssl 3.0.20-1~deb12u2", "zlib1g 1:1.2.13.dfsg-1"], ["nginx 1.22.1-9+deb12u1 nginx", "perl 5.36.0-7 perl"])):
        tree = folder / f"tree{number}"
        (tree / "var/lib/dpkg/status.d").mkdir(parents=True)
        (tree / "etc").mkdir()
        (tree / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian <b>12</b>"\n')
        for package in packages:
            name, version = package.split()[:2]
            (tree / "var/lib/dpkg/status.d" / name).write_text(f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
                                                              f"Maintainer: {HOSTILE}\n")
        tar = folder / f"layer{number}.tar"
        subprocess.run(["tar", "-cf", tar, "--sort=name", "-C", tree, "."], check=True)
        layers.append(tar)
    return docker_archive(folder, layers)


def docker_archive(folder, layers):
    digests = [subprocess.run(["sha256sum", tar], capture_output=True, text=True, check=True).stdout.split()[0] for tar in layers]
    history = [{"created_by": f"RUN echo {HOSTILE} {i}"} for i in range(len(layers))]
    (folder / "config.json").write_text(json.dumps({"architecture": "amd64", "os": "linux", "history": history,
                                                    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in digests]}}))
    (folder / "manifest.json").write_text(json.dumps([{"Config": "config.json", "RepoTags": ["shop:1"], "Layers": [t.name for t in layers]}]))
    image = folder / "image.tar"
    subprocess.run(["tar", "-cf", image, "-C", folder, "manifest.json", "config.json", *[t.name for t in layers]], check=True)
    return image


def main():
    bulkhead = pathlib.Path(sys.argv[1]).resolve()
    if not pathlib.Path("/usr/bin/chromium").exists():
        skip("Chromium is not installed")
    modules = browser_modules()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        image = make_image(folder)
        page = folder / "report.html"
        done = subprocess.run([bulkhead, "scan", "--no-cache", "--fail-on", "never", "-f", f"html={page}", image], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            print(f"Bail out! the scan ended with {done.returncode}: {done.stderr}")
            return 1
        return subprocess.run(["node", HERE / "html_page.mjs", page], env=dict(os.environ, BROWSER_MODULES=str(modules))).returncode


if __name__ == "__main__":
    sys.exit(main())
