#!/usr/bin/env python3
"""The oracle of test_tar.c: lists the tar archive on standard input, one line per entry, with Python's tarfile."""
import hashlib
import math
import sys
import tarfile


def escaped(name):
    raw = name.encode("utf-8", "surrogateescape")
    return "".join(chr(c) if 33 <= c <= 126 and c != 92 else "\\x%02x" % c for c in raw)


archive = tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape")
for m in archive:
    kind = "f" if m.isreg() else "d" if m.isdir() else "l" if m.issym() else "h" if m.islnk() else "o"
    size, digest = 0, "-"
    if kind == "f":
        content = archive.extractfile(m).read()
        size, digest = len(content), "sha256:" + hashlib.sha256(content).hexdigest()
    print(kind, "%o" % (m.mode & 0o7777), m.uid, m.gid, math.floor(m.mtime), size, digest, escaped(m.name), escaped(m.linkname), sep="|")
