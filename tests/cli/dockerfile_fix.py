#!/usr/bin/env python3
"""dockerfile_fix BULKHEAD: Dockerfiles before and after `check --fix` (tests/table/dockerfile/fixes.txt), with LF and CRLF, with and without an end of the last line and a byte
order mark; a second run changes nothing, `patch` makes the same of the difference, and every cure of src/dockerfile/mends.def is in the table. What BuildKit's parser makes of
mended files tells tests/live/dockerfile.py. Prints TAP."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from tap import Tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
BULKHEAD = os.path.abspath(sys.argv[1])
TABLE = (ROOT / "tests/table/dockerfile/fixes.txt").read_text()
MENDS = re.findall(r'^MEND\("([^"]+)", \w+, \w+, (NULL|")', (ROOT / "src/dockerfile/mends.def").read_text(), re.M)
GUIDE = (ROOT / "docs/guides/dockerfile.md").read_text()
tap = Tap()


def blocks():
    for block in TABLE.split("\n==== ")[1:]:
        head, text = block.split("\n", 1)
        what, level = head.rsplit(" ", 1)
        before, _, after = (text.rstrip("\n") + "\n").partition("----\n")
        yield what, level, without_notes(before), without_notes(after or before), re.findall(r"^#! (.*)$", before, re.M)


def without_notes(text):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#! "))


def check(folder, *options):
    return subprocess.run([BULKHEAD, "check", "--fail-on", "never", "--severity", "negligible", *options, "Dockerfile"], cwd=folder, capture_output=True, timeout=60)


def mended(text, level):
    """The file behind --fix, what standard error said, the file behind a second run, and what patch makes of --diff."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "Dockerfile")
        path.write_bytes(text)
        difference = check(folder, f"--fix={level}", "--diff").stdout
        assert path.read_bytes() == text, "--diff writes"
        said = check(folder, f"--fix={level}").stderr.decode()
        once = path.read_bytes()
        check(folder, f"--fix={level}")
        twice = path.read_bytes()
        path.write_bytes(text)
        subprocess.run(["patch", "-s", "-p0", "--binary"], cwd=folder, input=difference, check=True)
        return once, said, twice, path.read_bytes()


def try_block(what, level, before, after, notes):
    for name, change in (("", lambda t: t), (", CRLF", lambda t: t.replace("\n", "\r\n")), (", without an end", lambda t: t[:-1])):
        if name and "<<" in before:
            continue  # a here-document needs its last line; \r in one is tried below
        once, said, twice, by_patch = mended(change(before).encode(), level)
        wrong = [] if once == change(after).encode() else [once.decode()]
        wrong += [f"a second run changes it to {twice.decode()}"] if twice != once else []
        wrong += [f"patch makes {by_patch.decode()}"] if by_patch != once else []
        wrong += [f"not said: {n}: {said}" for n in notes if n not in said]
        tap.ok(not wrong, what + name, "\n".join(wrong))


def other():
    once, _, _, _ = mended(b"\xef\xbb\xbfFROM debian:12\nRUN apt-get install x\n", "safe")
    tap.ok(once == b"\xef\xbb\xbfFROM debian:12\nRUN apt-get install -y x\n", "behind a byte order mark", once)
    once, said, _, _ = mended(b"FROM debian:12\r\nRUN <<EOF\r\napt-get install x\r\nEOF\r\n", "safe")
    tap.ok(b"-y" not in once and "not fixed" in said, "a here-document with CR is not changed", (once, said))
    once, _, _, _ = mended(b"FROM debian:12\nRUN <<-EOF\n\tapt-get install x\n\tEOF\n", "safe")
    tap.ok(b"-y" not in once, "nor one whose tabs are taken off", once)
    once, said, _, _ = mended(b"FROM debian:12\nNONSENSE\nRUN apt-get install x\n", "safe")
    tap.ok(once == b"FROM debian:12\nNONSENSE\nRUN apt-get install -y x\n", "beside an instruction that is none", (once, said))
    gone = set().union(*map(findings_gone, blocks()))
    left = [check for check, _ in MENDS if check not in gone and check != "dockerfile-base-digest"]  # asks a registry: tests/live/pin.py
    tap.ok(not left, "each cure has something to mend in the table", left)
    left = [check for check, breaks in MENDS if f"| `{check}` | {'safe' if breaks == 'NULL' else 'all'} |" not in GUIDE]
    tap.ok(MENDS and not left, "each stands in the guide, with its level", left)


def health_check():
    """What the check of the port runs tells a socket that listens from one that does not, in IPv4 and IPv6, by both greps."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as s:
            s.bind((address, 0))
            port = s.getsockname()[1]
            once, _, _, _ = mended(f"FROM debian:12\nUSER 1\nEXPOSE {port}/tcp\n".encode(), "all")
            command = json.loads(re.search(rb"^HEALTHCHECK CMD (.*)$", once, re.M)[1])
            for program in ([], ["busybox"]):
                shut = subprocess.run(program + command).returncode
                s.listen()
                tap.ok((shut, subprocess.run(program + command).returncode) == (1, 0), f"the health check tells whether {address} is listened on {' '.join(program)}", (command, shut))
                s.close()
                s = socket.socket(family)
                s.bind((address, port))


def findings_gone(block):
    """The checks with fewer findings in the second file."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        for text in block[2:4]:
            pathlib.Path(folder, "Dockerfile").write_text(text)
            ids = re.findall(r'"id": "([^"]+)"', check(folder, "-f", "json").stdout.decode())
            counts.append({i: ids.count(i) for i in ids})
    return {i for i, n in counts[0].items() if counts[1].get(i, 0) < n}


for each in blocks():
    try_block(*each)
other()
health_check()
print(f"1..{tap.n}")
sys.exit(tap.failed > 0)
