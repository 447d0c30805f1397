#!/usr/bin/env python3
"""Compare `bulkhead netpol` with the lists and differences that np-guard's netpol-analyzer is expected to give for its own test folders.

usage: netpol.py BULKHEAD

They lie in ../shared/corpora/netpol (or $BULKHEAD_SHARED/corpora/netpol). Exit code 77: they don't. Prints TAP.
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = pathlib.Path(os.environ.get("BULKHEAD_SHARED", ROOT.parent / "shared")) / "corpora" / "netpol"
FORMATS = {"txt": "text", "json": "json", "csv": "csv", "md": "markdown", "dot": "dot"}
SECONDARY_NETWORKS = ("nad_", "cudn_")  # evaluated with an option of their own there, not looked at here
BAD = ("anp_bad_path_test_4", "banp_bad_path_test_3", "anp_bad_path_test_16", "banp_bad_path_test_10")


def run(bulkhead, *arguments):
    r = subprocess.run([bulkhead, "netpol", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    return r.stdout.rstrip("\n"), r


def lists(bulkhead):
    """(name, does the list agree?) of every expected list."""
    ending = "_connlist_output."
    for path in sorted((CORPUS / "expected/connlist").iterdir()):
        name, _, kind = path.name.partition(ending)
        folder = CORPUS / "tests" / name
        if kind not in FORMATS or not folder.is_dir() or name.startswith(SECONDARY_NETWORKS):
            continue
        out, r = run(bulkhead, "list", "-f", FORMATS[kind], folder)
        yield f"list {name}: {kind}", out == path.read_text().rstrip("\n"), r.stderr


def differences(bulkhead):
    prefix = "diff_between_"
    for path in sorted((CORPUS / "expected/diff").iterdir()):
        new, _, rest = path.name[len(prefix):].partition("_and_")
        # The name of a folder may hold "_and_" itself.
        while not (CORPUS / "tests" / new).is_dir():
            more, _, rest = rest.partition("_and_")
            new += "_and_" + more
        old, _, kind = rest.rpartition(".")
        if kind == "dot":  # a drawing with a legend of its own
            continue
        out, r = run(bulkhead, "diff", "-f", FORMATS[kind], CORPUS / "companions" / old, CORPUS / "tests" / new)
        yield f"diff {new}: {kind}", out == path.read_text().rstrip("\n"), r.stderr


def refusals(bulkhead):
    for name in BAD:
        out, r = run(bulkhead, "list", CORPUS / "tests" / name)
        yield f"refused: {name}", r.returncode == 2 and out == "", r.stderr


def main():
    if not CORPUS.is_dir():
        print(f"1..0 # SKIP no corpus: {CORPUS}")
        return 77
    results = [*lists(sys.argv[1]), *differences(sys.argv[1]), *refusals(sys.argv[1])]
    print(f"1..{len(results)}")
    for i, (name, good, why) in enumerate(results, 1):
        print(f"{'ok' if good else 'not ok'} {i} - {name}")
        if not good:
            print(f"# {why.strip()[:400]}")
    return 0 if all(good for _, good, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
