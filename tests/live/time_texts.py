#!/usr/bin/env python3
"""Compare how policy/cel/time.c reads and prints durations and timestamps with Go's package time, which cel-go uses.

usage: time_texts.py CEL-TIME-PROBE [--texts N] [--seed N]

N durations and N timestamps are made by chance, most of them right, others with borders of ranges, wrong parts and damage. All answers must be the
same, but for sums that wrap in Go. Exit code 77: no go command.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracles", "go_time.go")
UNITS = ["ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"]
NO_UNITS = ["d", "S", "", " s", "sm"]
BORDERS = [9223372036, 9223372036854775807, 9223372036854775808, 9223372036854775809, 2562047, 2562048, 153722867, 18446744073709551616, 10**30]


def number(rng):
    return rng.choice([
        lambda: str(rng.randrange(100)),
        lambda: str(rng.randrange(10 ** rng.randrange(1, 11))),
        lambda: f"{rng.randrange(10000)}.{rng.randrange(10 ** rng.randrange(1, 22))}",
        lambda: f".{rng.randrange(1000)}",
        lambda: f"{rng.randrange(100)}.",
        lambda: str(rng.choice(BORDERS)),
        lambda: f"9223372036.85477580{rng.randrange(10)}",
        lambda: f"00000{rng.randrange(100000)}",
        lambda: rng.choice(["", ".", "1e3"]) if rng.random() < 0.3 else "1",
    ])()


def duration(rng):
    if rng.random() < 0.02:
        return rng.choice(["", "0", "+0", "-0", "00", "+", "-", "0.", "1", "s", ".s", "-.s", "1s "])
    sign = rng.choice(["", "", "", "-", "+", "--"] if rng.random() < 0.1 else ["", "", "-"])
    return sign + "".join(number(rng) + rng.choice(NO_UNITS if rng.random() < 0.05 else UNITS) for _ in range(rng.choice([1, 1, 1, 2, 3])))


def damaged(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(["", "0", " ", "T", "-", ":", ".", "5"]) + text[at + rng.randrange(2):]


def timestamp(rng):
    year = rng.choice([rng.randrange(10000), rng.randrange(1900, 2100), 0, 1, 9999])
    more = 1 if rng.random() < 0.3 else 0  # one too many of each
    text = (f"{year:04}-{rng.randrange(1 - more, 13 + more):02}-{rng.randrange(1 - more, 32 + more):02}"
            f"T{rng.randrange(24 + more):02}:{rng.randrange(60 + more):02}:{rng.randrange(60 + more):02}")
    if rng.random() < 0.5:
        text += rng.choice(".,.") + str(rng.randrange(10 ** rng.randrange(1, 12))).rjust(rng.randrange(1, 14), "0")
    text += rng.choice(["Z", "Z", "+00:00", "-00:00", f"{rng.choice('+-')}{rng.randrange(26):02}:{rng.randrange(62):02}", "z", "", "+1:00"])
    return damaged(text, rng) if rng.random() < 0.2 else text


def wraps(question):
    """Twice 2^63 nanoseconds are none in Go, whose sum wraps at 64 bits; we refuse them."""
    return question.count("9223372036854775808") + question.count("9223372036.854775808") > 1


def answers(command, questions):
    run = subprocess.run(command, input="".join(q + "\n" for q in questions), stdout=subprocess.PIPE, text=True, check=True)
    found = ["error" if a.startswith("error") else a for a in run.stdout.splitlines()]
    if len(found) != len(questions):
        raise SystemExit(f"{len(questions)} questions, {len(found)} answers of {command[0]}")
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("probe")
    p.add_argument("--texts", type=int, default=50000)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    rng = random.Random(args.seed)
    questions = ["duration " + duration(rng) for _ in range(args.texts)] + ["timestamp " + timestamp(rng) for _ in range(args.texts)]
    with tempfile.TemporaryDirectory() as folder:
        oracle = os.path.join(folder, "go_time")
        try:
            built = subprocess.run(["go", "build", "-o", oracle, ORACLE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as e:
            print(f"no go command here: {e}")
            return 77
        if built.returncode:
            print(f"the oracle can't be built: {built.stdout.decode()[-300:]}")
            return 77
        theirs = answers([oracle], questions)
    ours = answers([args.probe], questions)
    wrong = [(q, a, b) for q, a, b in zip(questions, ours, theirs) if a != b and not (a == "error" and wraps(q))]
    for q, a, b in wrong[:20]:
        print(f"  {q!r}: {a}, not {b}")
    print(f"{len(questions)} texts, {theirs.count('error')} of them refused, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
