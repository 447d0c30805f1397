"""go_oracle: a program in Go around somebody else's library, made from tests/live/oracles/NAME with modules of the Go proxy, and kept.

As a program, `go_oracle.py NAME`: exit code 0 when that is built, or BULKHEAD_TEST_LONG_BUILDS asks for what takes minutes.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent / "oracles"
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))


def digest(name):
    """Of its sources: what is kept is theirs."""
    h = hashlib.sha256()
    for path in sorted((HERE / name).iterdir()):
        h.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()


def is_built(name):
    kept = CACHE / f"{name}-oracle" / "sources.sha256"
    return kept.exists() and kept.read_text() == digest(name)


def build(name):
    """Its path. Ends the test with 77 where there is no go command or no module."""
    folder = CACHE / f"{name}-oracle"
    program = folder / "oracle"
    if is_built(name):
        return str(program)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / name, folder)
    for command in (["go", "mod", "tidy"], ["go", "build", "-p=2", "-o", program, "."]):
        try:
            r = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as e:
            print(f"no go command here: {e}")
            sys.exit(77)
        if r.returncode:
            print(f"{' '.join(map(str, command))}: {r.stdout.decode()[-500:]}")
            sys.exit(77)
    (folder / "sources.sha256").write_text(digest(name))
    return str(program)


if __name__ == "__main__":
    sys.exit(0 if is_built(sys.argv[1]) or os.environ.get("BULKHEAD_TEST_LONG_BUILDS") else 1)
