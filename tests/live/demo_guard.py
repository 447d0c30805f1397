#!/usr/bin/env python3
"""demo_guard GUARD: `make demo-guard` as a test: within a minute it shows five attacks on a container and what became of each. Prints TAP."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from guard_common import *  # noqa: E402,F403

need("busybox", "gcc", "unshare")
tap = Tap()
began = time.monotonic()
done = run(ROOT / "tools/demo-guard", os.path.abspath(sys.argv[1]), check=False)
if done.returncode == 3:
    tap.skip("the demo", done.stderr.strip())
else:
    tap.check("five attacks, none missed, in less than a minute", done.returncode == 0 and "MISSED" not in done.stdout and time.monotonic() - began < 60, done.stdout + done.stderr)
    for rule in ("drift", "Reverse shell", "forbidden", "Escape by release agent", "connect"):
        tap.check(f"{rule}: with the processes that led to it", sum(f"[{rule}]" in line and ("unshare" in line) for line in done.stdout.splitlines()) == 1, done.stdout)
    tap.check("what was brought in did not run", "it did not run" in done.stdout, done.stdout)
tap.end()
