"""peers.py: programs of others to measure beside, got from PyPI and the Go module proxy when they are first needed, and kept in the cache.

peers/NAME holds small programs in Go around libraries that have no command of their own. Whatever is not to be had raises Missing: a section then prints
its own figures, says what is missing and why, and goes on.
"""
import os
import pathlib
import resource
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent / "peers"


class Missing(Exception):
    pass


def must(command, **kw):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    except OSError as e:
        raise Missing(f"{command[0]}: {e.strerror}") from None
    if done.returncode:
        raise Missing(f"{' '.join(map(str, command[:3]))}: {done.stdout.decode(errors='replace').strip()[-300:]}")


def go_program(cache, name):
    """The program made from peers/NAME."""
    source, folder = HERE / name, cache / f"{name}-peer"
    program = folder / "peer"
    if program.exists() and program.stat().st_mtime > max(f.stat().st_mtime for f in source.iterdir()):
        return program
    shutil.copytree(source, folder, dirs_exist_ok=True)
    must(["go", "mod", "tidy"], cwd=folder)
    must(["go", "build", "-o", "peer.new", "."], cwd=folder)
    (folder / "peer.new").rename(program)
    return program


def go_command(cache, package, version):
    program = cache / f"go-{version}" / package.rsplit("/", 1)[-1]
    if not program.exists():
        must(["go", "install", f"{package}@{version}"], env=dict(os.environ, GOBIN=str(program.parent)))
    return program


def python(cache, package, version):
    """A Python that has the package."""
    folder = cache / f"{package}-{version}"
    if not (folder / "done").exists():
        must(["python3", "-m", "venv", folder])
        must([folder / "bin/pip", "install", "-q", f"{package}=={version}"])
        (folder / "done").touch()
    return folder / "bin/python"


class Measured:
    """One run of a program: wall and CPU seconds, and what it wrote. Some say with their exit code that they found something."""

    def __init__(self, command, codes=(0, 1), **kw):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.out = done.stdout.decode(errors="replace")
        if done.returncode not in codes:
            raise SystemExit(f"bench: {command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")
