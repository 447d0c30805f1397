"""go_oracle: a program in Go around somebody else's library, made from tests/live/oracles/NAME with modules of the Go proxy, and kept."""
import os
import shutil
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracles")
CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")


def build(name, minutes=0):
    """Its path. Ends the test with 77 where there is no go command or no module, and where it would build for minutes and nobody asked for that."""
    source, folder = os.path.join(HERE, name), os.path.join(CACHE, name + "-oracle")
    program = os.path.join(folder, "oracle")
    if minutes and not os.path.exists(program) and not os.environ.get("BULKHEAD_TEST_LONG_BUILDS"):
        print(f"{name} builds for {minutes} minutes: run the test once by itself with BULKHEAD_TEST_LONG_BUILDS=1")
        sys.exit(77)
    newest = max(os.path.getmtime(os.path.join(source, f)) for f in os.listdir(source))
    if os.path.exists(program) and os.path.getmtime(program) > newest:
        return program
    os.makedirs(folder, exist_ok=True)
    for f in os.listdir(source):
        shutil.copy(os.path.join(source, f), folder)
    for command in (["go", "mod", "tidy"], ["go", "build", "-p=2", "-o", program, "."]):
        try:
            r = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as e:
            print(f"no go command here: {e}")
            sys.exit(77)
        if r.returncode:
            print(f"{' '.join(command)}: {r.stdout.decode()[-500:]}")
            sys.exit(77)
    return program
