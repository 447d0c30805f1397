#!/usr/bin/env python3
"""eol_dates: does a scan call a release ended on the day after its last one, and not on that day?

usage: eol_dates.py BULKHEAD

The dates are those of this machine's distro-info-data, which is older or newer than the built-in facts: a release whose dates
differ there is listed, not failed. Each release is a folder with an os-release; SOURCE_DATE_EPOCH sets the day. Output: TAP.
"""
import csv
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = pathlib.Path("/usr/share/distro-info")


def facts():
    """(distro, version) -> (eol, lts_eol) of data/."""
    rows = (line.rstrip("\n").split("\t") for line in (ROOT / "data/distro-eol.tsv").open() if not line.startswith("#"))
    return {(r[0], r[1]): (r[4], r[5]) for r in rows}


def releases(distro):
    """(version, last day of free support, its columns as data/ has them) of distro-info."""
    with (DATA / f"{distro}.csv").open() as f:
        for row in csv.DictReader(f):
            version = (row["version"] or "").removesuffix(" LTS")
            eol, lts = row["eol"] or "-", row.get("eol-lts" if distro == "debian" else "eol-esm") or "-"
            if version and eol != "-":
                yield version, max(eol, lts) if distro == "debian" and lts != "-" else eol, (eol, lts)


def ended(bulkhead, root, day):
    epoch = int(datetime.datetime.fromisoformat(day + "T12:00:00+00:00").timestamp())
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(epoch), BULKHEAD_DB="", XDG_DATA_HOME="/nonexistent")
    done = subprocess.run([bulkhead, "scan", "-f", "json", f"rootfs:{root}"], capture_output=True, text=True, env=env)
    report = json.loads(done.stdout)
    return [f["id"] for f in report["findings"] if f["class"] == "end-of-life"]


def main():
    bulkhead = sys.argv[1]
    if not DATA.is_dir():
        print("distro-info-data is not installed")
        return 77
    known, bad, checked, other = facts(), [], 0, []
    for distro in ("debian", "ubuntu"):
        for version, last, dates in releases(distro):
            if known.get((distro, version)) != dates:
                other.append(f"{distro} {version}: here {dates}, data {known.get((distro, version))}")
                continue
            with tempfile.TemporaryDirectory() as root:
                etc = pathlib.Path(root) / "etc"
                etc.mkdir()
                (etc / "os-release").write_text(f'ID={distro}\nVERSION_ID="{version}"\n')
                after = (datetime.date.fromisoformat(last) + datetime.timedelta(days=1)).isoformat()
                on, then = ended(bulkhead, root, last), ended(bulkhead, root, after)
                checked += 1
                if on or then != [f"eol-{distro}-{version}"]:
                    bad.append(f"{distro} {version}, last day {last}: {on} on it, {then} on the next")
    print(f"{'not ok' if bad or checked < 40 else 'ok'} 1 - {checked} releases end on the day after their last one")
    for line in bad:
        print(f"# {line}")
    for line in other:
        print(f"# other dates: {line}")
    print("1..1")
    return 1 if bad or checked < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
