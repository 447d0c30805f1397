#!/usr/bin/env python3
"""dockerfile_lines: are layers of an image that podman built traced back to the right lines of its Dockerfile, and to its base image?

usage: dockerfile_lines.py BULKHEAD

Needs root, podman and a static busybox; without them the test is skipped. Two images are built, one on the other, from a Dockerfile whose lines
are known; nothing is pulled."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

DOCKERFILE = """\
ARG BASE=base
FROM localhost/bulkhead-test-${BASE}:1 AS build
RUN echo built > /out.txt

FROM localhost/bulkhead-test-${BASE}:1
ARG WHO=you
ENV X=1
# a comment
RUN echo one && \\
    # inside
    echo two > /two.txt
WORKDIR /srv
COPY --from=build /out.txt /srv/out.txt
COPY package.json ./
RUN echo three > /three.txt
CMD ["/bin/sh"]
"""
WANTED = [None, 9, 13, 14, 15]  # the base's layer, then one for each RUN and COPY


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def podman(storage, *arguments, cwd=None):
    command = ["podman", "--root", f"{storage}/root", "--runroot", f"{storage}/run", "--storage-driver", "vfs", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100)
    if done.returncode:
        skip(f"podman can't build here: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")


def scan(bulkhead, folder, *options):
    done = subprocess.run([bulkhead, "scan", "--no-cache", "-f", "json", *options, f"archive:{folder}/app.tar"], capture_output=True, text=True, cwd=folder)
    return json.loads(done.stdout)


def main():
    bulkhead, busybox = os.path.abspath(sys.argv[1]), shutil.which("busybox")
    if os.geteuid() or not shutil.which("podman") or not busybox:
        skip("root, podman and busybox are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "base/rootfs/bin").mkdir(parents=True)
        shutil.copy(busybox, folder / "base/rootfs/bin/sh")
        (folder / "base/Dockerfile").write_text('FROM scratch\nCOPY rootfs /\nCMD ["/bin/sh"]\n')
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "package.json").write_text("{}")
        podman(folder / "storage", "build", "--isolation", "chroot", "-q", "-t", "localhost/bulkhead-test-base:1", ".", cwd=folder / "base")
        podman(folder / "storage", "build", "--isolation", "chroot", "--layers", "-q", "-t", "localhost/bulkhead-test-app:1", ".", cwd=folder)
        podman(folder / "storage", "save", "-q", "--format", "docker-archive", "-o", str(folder / "app.tar"), "localhost/bulkhead-test-app:1")
        with_file, without = scan(bulkhead, folder, "--dockerfile", "Dockerfile"), scan(bulkhead, folder)
    lines = [layer.get("dockerfile", {}).get("line") for layer in with_file["layers"]]
    base = [(r["base_image"]["name"], r["base_image"]["layers"], r["base_image"]["evidence"]) for r in (with_file, without)]
    print("lines", lines, "base", base)
    good = lines == WANTED and base == [("localhost/bulkhead-test-base:1", 1, "dockerfile"), ("localhost/bulkhead-test-base:1", 1, "history")]
    good = good and without["layers"][1]["instruction"] == "RUN echo one && echo two > /two.txt"
    return 0 if good else 1


sys.exit(main())
