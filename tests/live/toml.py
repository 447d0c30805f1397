#!/usr/bin/env python3
"""Compare format/toml.c with Python's tomllib and with the toml-test suite.

usage: toml.py TOML-PROBE [--documents N] [--seed N]

First every valid document of the suite for TOML 1.0 must give the suite's values and every invalid one an error; the suite comes as a
Go module. Then N documents, made by mixing and damaging those of the suite, must be taken or refused as tomllib does, with the same
values. Known differences: we take the year 0, second 60 and a byte order mark, as the specification's RFC 3339 and UTF-8 do.
Exit code 77: no go command, or no module.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

MODULE = "github.com/toml-lang/toml-test/v2@v2.2.0"
CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")


def suite():
    """Folder of the suite's documents."""
    env = dict(os.environ, GOPATH=os.path.join(CACHE, "go"), GOFLAGS="-modcacherw")
    try:
        os.makedirs(env["GOPATH"], exist_ok=True)
        out = subprocess.run(["go", "mod", "download", "-json", MODULE], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=CACHE)
    except OSError as e:
        print(f"no Go modules here: {e}")
        sys.exit(77)
    if out.returncode:
        print(f"{MODULE} can't be had: {(out.stderr or out.stdout).decode()[-300:]}")
        sys.exit(77)
    return os.path.join(json.loads(out.stdout)["Dir"], "tests")


def ours(probe, text):
    """The tree, or a complaint (str)."""
    r = subprocess.run([probe], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode not in (0, 1):
        raise SystemExit(f"the probe died with {r.returncode} on {text!r}")
    return json.loads(r.stdout) if r.returncode == 0 else r.stderr.decode().strip()


def word(kind, text):
    """A comparable value of one word."""
    if kind == "float":
        value = float(text.replace("_", ""))
        return "nan" if value != value else repr(value)
    if kind == "datetime":
        return repr(tomllib.loads("x = " + text)["x"])
    if kind == "integer":
        return int(text.replace("_", ""), 0 if text.lstrip("+-")[:1] == "0" else 10)
    return text


def same_as_suite(mine, want):
    if isinstance(want, dict) and set(want) == {"type", "value"} and isinstance(want["value"], str):
        kind = "datetime" if want["type"].startswith(("date", "time")) else want["type"]
        return mine["type"] == kind and word(kind, mine["value"]) == word(kind, want["value"])
    if isinstance(want, dict):
        return isinstance(mine, dict) and set(mine) == set(want) and all(same_as_suite(mine[k], want[k]) for k in want)
    return isinstance(mine, list) and len(mine) == len(want) and all(map(same_as_suite, mine, want))


def same_as_python(mine, want):
    if isinstance(want, dict):
        return isinstance(mine, dict) and set(mine) == set(want) and all(same_as_python(mine[k], want[k]) for k in want)
    if isinstance(want, list):
        return isinstance(mine, list) and len(mine) == len(want) and all(map(same_as_python, mine, want))
    if not isinstance(mine, dict) or set(mine) != {"type", "value"}:
        return False
    kind, text = mine["type"], mine["value"]
    if isinstance(want, bool):
        return kind == "bool" and text == str(want).lower()
    if isinstance(want, int):
        return kind == "integer" and word(kind, text) == want
    if isinstance(want, float):
        return kind == "float" and word(kind, text) == ("nan" if want != want else repr(want))
    if isinstance(want, str):
        return kind == "string" and text == want
    return kind == "datetime" and word(kind, text) == repr(want)


def python(text):
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as e:
        return str(e)


def known_difference(text, complaint):
    """Why Python refuses what we take."""
    return "is out of range" in complaint or "second must be in" in complaint or text.startswith(b"\xef\xbb\xbf") or "Exceeds the limit" in complaint


PIECES = [b'"', b"'", b'"""', b"'''", b"\\", b"\\u00e9", b"\\U0001f600", b"\\\n", b"\n", b"\r\n", b"[", b"]", b"[[", b"]]", b"{", b"}", b",", b".", b"=",
          b" ", b"\t", b"#", b"a", b"b", b"a.b", b"[a]\n", b"[a.b]\n", b"[[a]]\n", b"[[a.b]]\n", b"a = 1\n", b"a.b = 1\n", b"b = {a = 1}\n", b"b = [{a.b = 1}]\n",
          b"1", b"0x1F", b"-0", b"1_0", b"1e5", b"+inf", b"nan", b"1979-05-27", b"1979-05-27 07:32:00Z", b"07:32:00.5", b"true", b"\xc3\xa9", b"\x00", b"\x7f", b"\xff",
          b"[a.b.c]\n", b"[b.a]\n", b'"a".b = 2\n', b"c = [1, 2]\n"]


def make(rng, bases):
    """A document: lines of real ones and small pieces, then damage."""
    if rng.random() < 0.5:
        text = bytearray(b"".join(rng.choice(PIECES) for _ in range(rng.randint(1, 9))))
    else:
        text = bytearray(rng.choice(bases))
        if rng.random() < 0.3:
            lines = text.splitlines(True) + rng.choice(bases).splitlines(True)
            text = bytearray(b"".join(rng.choice(lines) for _ in range(rng.randint(1, 12))) if lines else b"")
    for _ in range(rng.choice([0, 0, 0, 1, 1, 3])):
        at = rng.randint(0, len(text))
        if rng.random() < 0.6:
            text[at:at] = rng.choice(PIECES)
        else:
            del text[at:at + rng.randint(1, 3)]
    return bytes(text)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("probe")
    ap.add_argument("--documents", type=int, default=4000)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    tests = suite()
    failures, bases = [], []
    valid = invalid = 0
    for name in open(os.path.join(tests, "files-toml-1.0.0")).read().split():
        if not name.endswith(".toml"):
            continue
        text = open(os.path.join(tests, name), "rb").read()
        got = ours(args.probe, text)
        if name.startswith("invalid"):
            bases += [text] if invalid % 4 == 0 else []
            invalid += 1
            if not isinstance(got, str):
                failures.append(f"{name} was taken")
            continue
        valid += 1
        bases.append(text)
        if isinstance(got, str) or not same_as_suite(got, json.load(open(os.path.join(tests, name[:-4] + "json")))):
            failures.append(f"{name}: {got}")
    taken = refused = 0
    rng = random.Random(args.seed)
    documents = [make(rng, bases) for _ in range(args.documents)]
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda t: (t, ours(args.probe, t)), documents)
        for text, got in results:
            want = python(text)
            if isinstance(want, str):
                refused += 1
                if not isinstance(got, str) and not known_difference(text, want):
                    failures.append(f"Python refuses ({want}), we take {text!r}")
            else:
                taken += 1
                if isinstance(got, str) or not same_as_python(got, want):
                    failures.append(f"{text!r}\n  Python: {want}\n  ours:   {got}")
    for f in failures[:20]:
        print("FAILED:", f)
    print(f"toml-test: {valid} valid and {invalid} invalid documents; tomllib: {taken} taken and {refused} refused; {len(failures)} differ")
    return 1 if failures or valid < 100 or invalid < 100 or taken < args.documents // 10 else 0


sys.exit(main())
