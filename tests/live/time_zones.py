#!/usr/bin/env python3
"""Compare policy/cel/zone.c and time.c with Python's zoneinfo and datetime.

usage: time_zones.py CEL-TIME-PROBE [--instants N] [--seed N]

For every zone of the system: instants of the years 1901 to 2500, near every change of the clock that Python shows in some years and at random. Then the
calendar for the years 1 to 9999. Exit code 77: no zone files here.
"""
import argparse
import os
import random
import subprocess
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

FOLDER = "/usr/share/zoneinfo"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
YEARS = (1901, 1919, 1942, 1970, 1985, 2007, 2024, 2037, 2038, 2100, 2400)


def at(seconds):
    return EPOCH + timedelta(seconds=seconds)


def offset(zone, seconds):
    return int(at(seconds).astimezone(zone).utcoffset().total_seconds())


def change(zone, low, high):
    """The first second of a new offset between two instants that have different ones."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(zone, middle) == offset(zone, low) else (low, middle)
    return high


def instants(zone, count, rng):
    first, last = (int((datetime(y, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds()) for y in (1901, 2501))
    found = [rng.randrange(first, last) for _ in range(count)] + [-2**31, -2**31 - 1, 2**31 - 1, 2**31]
    for year in YEARS:
        start = int((datetime(year, 1, 1, tzinfo=timezone.utc) - EPOCH).total_seconds())
        weeks = [start + week * 7 * 86400 for week in range(-1, 54)]
        for a, b in zip(weeks, weeks[1:]):
            if offset(zone, a) != offset(zone, b):
                moment = change(zone, a, b)
                found += [moment - 1, moment]
    return found


def ask(probe, questions):
    run = subprocess.run([probe], input="".join(q + "\n" for q in questions), stdout=subprocess.PIPE, text=True, check=True)
    answers = run.stdout.splitlines()
    if len(answers) != len(questions):
        raise SystemExit(f"{len(questions)} questions, {len(answers)} answers")
    return answers


def compare(what, probe, cases):
    """cases: question -> answer. The number of those that differ."""
    answers = ask(probe, list(cases))
    wrong = [(q, want, got) for (q, want), got in zip(cases.items(), answers) if got != want]
    for q, want, got in wrong[:20]:
        print(f"  {q}: {got}, not {want}")
    print(f"{what}: {len(cases)} answers, {len(wrong)} differ")
    return len(wrong)


def zones(count, rng):
    cases = {}
    for name in sorted(zoneinfo.available_timezones()):
        if name == "localtime" or not os.path.exists(os.path.join(FOLDER, name)):
            continue
        zone = zoneinfo.ZoneInfo(name)
        for moment in instants(zone, count, rng):
            cases[f"zone {name} {moment}"] = str(offset(zone, moment))
    return cases


def calendar(rng):
    cases = {}
    first, last = -62135596800, 253402300799
    for moment in [first, last] + [rng.randrange(first, last) for _ in range(20000)]:
        t = at(moment)
        cases[f"calendar {moment}"] = (f"{t.year} {t.month} {t.day} {t.isoweekday() % 7} {t.timetuple().tm_yday - 1} {t.hour} {t.minute} {t.second}")
        text = t.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
        cases[f"timestamp {text}"] = f"{moment} 0 {text}"
    return cases


def main():
    p = argparse.ArgumentParser()
    p.add_argument("probe")
    p.add_argument("--instants", type=int, default=60)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    if not os.path.exists(os.path.join(FOLDER, "Europe/Berlin")):
        print(f"no zone files in {FOLDER}")
        return 77
    zoneinfo.reset_tzpath([FOLDER])  # not those of Python's package tzdata
    rng = random.Random(args.seed)
    wrong = compare("zones", args.probe, zones(args.instants, rng))
    wrong += compare("calendar", args.probe, calendar(rng))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
