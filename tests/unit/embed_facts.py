#!/usr/bin/env python3
"""embed_facts: tables with a mistake stop the build, with file and line; the same tables give the same bytes.

usage: embed_facts.py EMBED_FACTS
"""
import pathlib
import subprocess
import sys
import tempfile

GOOD = {  # small tables in the formats of data/README.md
    "debian-facts.tsv": ["12\tcurl\tCVE-2023-1234\t7.88.1-10+deb12u1", "12\tcurl\t-\t7.88.1-10+deb12u14", "12\tzlib\t+\t1:1.2.13-1"],
    "debian-binaries.tsv": ["12\tcurl\t7.88.1-10+deb12u14\tcurl\t7.88.1-10+deb12u14+b1"],
    "debian-support.tsv": ["12\tgolang.*\tlimited\t-\t-\tstatically linked"],
    "distro-eol.tsv": ["debian\t12\tbookworm\t2023-06-10\t2026-07-11\t2028-06-30\t2033-06-30", "debian\t-\tsid\t1993-08-16\t-\t-\t-"],
    "kev.tsv": ["CVE-2023-1234\t2024-02-29\tyes"],
    "cve-severity.tsv": ["CVE-2023-1234\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t9.8\tcritical",
                         "CVE-2023-1235\tCVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N\t9.3\tcritical"],
}
HEAD = "# a comment\n# Collected: 2026-11-24\n"
# table, what its first row becomes, what the message says behind "TABLE:LINE: "
BAD = [
    ("debian-facts.tsv", "12\tcurl\tCVE-2023-1234", "has 3 columns instead of 4"),
    ("debian-facts.tsv", "12\tcurl\tCVE-2023-1234\t1\t2", "has 5 columns instead of 4"),
    ("debian-facts.tsv", "12\tcurl\tCVE-2023-1234\t", "column 4 is empty"),
    ("debian-facts.tsv", "12\tcurl\tcve-2023-1234\t1", "wants release, source, CVE or - or +, version"),
    ("debian-facts.tsv", "12\tcurl\tCVE-2023-1234\t1:", "wants release"),
    ("debian-facts.tsv", "12\tCurl\tCVE-2023-1234\t1", "wants release"),
    ("debian-facts.tsv", "12 curl CVE-2023-1234 1", "has 1 columns instead of 4"),
    ("debian-facts.tsv", "", "has 1 columns instead of 4"),
    ("debian-facts.tsv", "12\tcurl\tCVE-2023-1234\t1\n12\tcurl\tCVE-2023-1234\t1", "repeats the line before"),
    ("debian-binaries.tsv", "12\tcurl\t1\tcurl\t", "column 5 is empty"),
    ("debian-binaries.tsv", "12\tcurl\t1\tcurl\t-", "wants release, source, source version"),
    ("debian-support.tsv", "12\t(a|b)\tlimited\t-\t-\tnote", "the pattern (a|b) uses more of regular expressions"),
    ("debian-support.tsv", "12\ta\tmaybe\t-\t-\tnote", "wants release, source, ended or limited"),
    ("debian-support.tsv", "12\ta\tended\t-\t2026-02-29\tnote", "wants release, source, ended or limited"),
    ("distro-eol.tsv", "debian\t12\tbookworm\t2023-06-31\t-\t-\t-", "wants distro, version, codename and four dates"),
    ("kev.tsv", "CVE-2023-1234\t2023-02-29\tyes", "wants CVE, date, yes or no"),
    ("kev.tsv", "CVE-2023-1234\t2024-02-29\tKnown", "wants CVE, date, yes or no"),
    ("kev.tsv", "CVE-23-1\t2024-02-29\tno", ""),
    ("cve-severity.tsv", "CVE-2023-1234\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t9.9\tcritical", "the vector's score is 9.8"),
    ("cve-severity.tsv", "CVE-2023-1234\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t9.8\thigh", "severity critical"),
    ("cve-severity.tsv", "CVE-2023-1234\tCVSS:3.1/AV:N\t-\thigh", "severity unknown"),
    ("cve-severity.tsv", "CVE-2023-1234\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t-\tcritical", "the vector's score is 9.8"),
]


def run(tool, folder, tables):
    for name, text in tables.items():
        if text is not None:
            (folder / name).write_text(text)
    done = subprocess.run([tool, folder, folder / "out.bkdb", folder / "out.h"], capture_output=True, text=True)
    return done.returncode, done.stderr


def main():
    tool, number, failed = sys.argv[1], 0, 0
    good = {name: HEAD + "".join(row + "\n" for row in rows) for name, rows in GOOD.items()}

    def ok(fine, what, detail=""):
        nonlocal number, failed
        number += 1
        failed += not fine
        print(f"{'ok' if fine else 'not ok'} {number} - {what}" + (f"\n# {detail}" if not fine else ""))

    def attempt(tables):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            status, text = run(tool, folder, tables)
            made = (folder / "out.bkdb").read_bytes() if (folder / "out.bkdb").exists() else None
            return status, text.strip(), made

    status, text, first = attempt(good)
    ok(status == 0 and text == "" and first, "good tables", text)
    ok(attempt(good)[2] == first, "the same bytes again")
    for table, row, message in BAD:
        rows = good[table].split("\n")
        rows[2] = row
        status, text, made = attempt({**good, table: "\n".join(rows)})
        where = f"embed-facts: {table}:{3 + row.count(chr(10))}: "
        ok(status == 1 and text.startswith(where) and message in text and made is None, f"{table}: {row!r}", text)
    for table in good:
        status, text, made = attempt({**good, table: None})
        ok(status == 1 and table in text and made is None, f"no {table}", text)
        status, text, made = attempt({**good, table: HEAD})
        ok(status == 1 and text == f"embed-facts: {table}: no rows" and made is None, f"{table} without rows", text)
        status, text, made = attempt({**good, table: good[table].replace("# Collected", "# Once")})
        ok(status == 1 and table in text and made is None, f"{table} without its date", text)
        status, text, made = attempt({**good, table: good[table].rstrip("\n")})
        ok(status == 1 and "the last line does not end" in text and made is None, f"{table} cut off", text)
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
