#!/usr/bin/env python3
"""bkdb_read.py: a second reader of advisory databases, written from docs/formats/bkdb.md and nothing else.

usage: bkdb_read.py BKDB-TOOL FACTS     makes a database with bkdb-tool and compares what both readers see in it
       bkdb_read.py DATABASE            prints it
"""
import datetime
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile

SIZES = {"SRCE": 72, "ECOS": 24, "BUCK": 4, "PACK": 24, "ROWS": 24, "QUAL": 16, "RANG": 12, "VERS": 4, "ADVS": 44, "ALIA": 4, "CVSS": 4, "NAME": 8,
         "KEVS": 12, "EPSS": 16, "ENTR": 16, "HIDE": 28, "FACT": 44, "STRS": 1, "TEXT": 1}
SEVERITIES = ["unknown", "negligible", "low", "medium", "high", "critical"]
STATES = ["affected", "fixed", "not_affected", "ignored", "postponed", "end_of_life", "undetermined"]
ENDS = ["<", "<", "<=", "^"]
NO_DAY = -2**31
NO_SOURCE = 65535
MASK = 2**64 - 1


def name_hash(name):
    h = 0xcbf29ce484222325
    for c in name:
        h = (h ^ c) * 0x100000001b3 & MASK
    h ^= h >> 32
    h = h * 0xd6e8feb86659fd93 & MASK
    return h ^ h >> 32


def day(n):
    return "" if n == NO_DAY else (datetime.date(1970, 1, 1) + datetime.timedelta(days=n)).isoformat()


def cve(packed):
    return f"CVE-{1990 + (packed >> 24)}-{packed & 0xffffff:04}"


class Database:
    def __init__(self, data):
        self.data = data
        magic, major, _, size, n = struct.unpack_from("<4sHHQI", data, 0)
        assert magic == b"BKDB" and major == 1 and size == len(data) and n <= 256
        head = data[:64 + 64 * n]
        assert hashlib.sha256(head[:32] + bytes(32) + head[64:]).digest() == head[32:64]
        self.sections, end = {}, len(head)
        for i in range(n):
            letters, item, offset, length, _, digest = struct.unpack_from("<4sIQQQ32s", data, 64 + 64 * i)
            assert offset % 8 == 0 and 0 <= offset - end < 8 and not any(data[end:offset]) and length % item == 0
            end = offset + length
            assert end <= len(data) and hashlib.sha256(data[offset:end]).digest() == digest
            self.sections[letters.decode()] = (item, offset, length // item)
        assert end == len(data)
        for letters, size in SIZES.items():
            assert self.sections[letters][0] >= size

    def count(self, section):
        return self.sections[section][2]

    def item(self, section, index, form, skip=0):
        size, offset, n = self.sections[section]
        assert 0 <= index < n, (section, index, n)
        return struct.unpack_from("<" + form, self.data, offset + index * size + skip)

    def text(self, ref, section="STRS"):
        _, offset, n = self.sections[section]
        assert ref < n
        length, at = self.data[offset + ref], offset + ref + 1
        if length == 255:
            (length,), at = struct.unpack_from("<H", self.data, at), at + 2
            assert length >= 255
        assert at + length <= offset + n
        return self.data[at:at + length]

    def string(self, ref, section="STRS"):
        return self.text(ref, section).decode()

    def strings(self, section, first, n):
        return [self.string(self.item(section, first + i, "I")[0]) for i in range(n)]

    def source_name(self, index):
        return self.string(self.item("SRCE", index, "I")[0])

    # ---- what the C reader prints as well ----

    def sources(self):
        for i in range(self.count("SRCE")):
            name, feed, url, licence, note, date, records, precedence, flags, _, digest = self.item("SRCE", i, "5IiQHHI32s")
            texts = [self.string(x) for x in (feed, url, licence, note)]
            yield ["source", self.string(name), precedence, flags, day(date), *texts, records, digest.hex()]

    def ecosystems(self):
        for i in range(self.count("ECOS")):
            name, packages, rows, flags, _, _ = self.item("ECOS", i, "6I")
            yield ["ecosystem", self.string(name), packages, rows, flags & 1]

    def package(self, index):
        _, ecosystem, name, first, n = self.item("PACK", index, "Q4I")
        return self.string(self.item("ECOS", ecosystem, "I")[0]), self.string(name), first, n

    def row(self, section, index, skip, ecosystem, package):
        advisory, qualifier, first_range, first_version, n_ranges, n_versions, both, flags, name = self.item(section, index, "4IHHBBH", skip)
        source, erratum, arch, module = self.item("QUAL", qualifier, "4I")
        ident, first_alias, n_aliases = self.item("ADVS", advisory, "3I")
        assert name <= n_aliases
        called = self.strings("ALIA", first_alias + name - 1, 1)[0] if name else self.string(ident)
        ranges = []
        for i in range(n_ranges):
            start, end, kind = self.item("RANG", first_range + i, "3I")
            assert (kind == 0) == (end == 0)
            ranges.append(self.string(start) + ENDS[kind] + self.string(end))
        versions = self.strings("VERS", first_version, n_versions)
        return ["hidden" if skip else "row", self.source_name(source), ecosystem, package, self.string(ident), called, STATES[both & 15],
                SEVERITIES[both >> 4], flags, ",".join(ranges), ",".join(versions), self.string(erratum), self.string(arch), self.string(module)]

    def rows(self):
        for i in range(self.count("PACK")):
            ecosystem, package, first, n = self.package(i)
            for k in range(n):
                yield self.row("ROWS", first + k, 0, ecosystem, package)
        for i in range(self.count("HIDE")):
            yield self.row("HIDE", i, 4, *self.package(self.item("HIDE", i, "I")[0])[:2])

    def advisories(self):
        for section, word in (("ADVS", "advisory"), ("FACT", "fact")):
            for i in range(self.count(section)):
                (ident, first_alias, n_aliases, first_cvss, title, published, modified, withdrawn, n_cvss, flags, score, severity, source,
                 _) = self.item(section, i, "5I3i6H")
                yield [word, "" if source == NO_SOURCE else self.source_name(source), self.string(ident),
                       ",".join(self.strings("ALIA", first_alias, n_aliases)), ",".join(self.strings("CVSS", first_cvss, n_cvss)),
                       SEVERITIES[severity], score, flags, day(published), day(modified), day(withdrawn), self.string(title, "TEXT")]

    def names(self):
        for i in range(self.count("NAME")):
            name, advisory = self.item("NAME", i, "2I")
            yield ["name", self.string(name), self.string(self.item("ADVS", advisory, "I")[0])]

    def exploitation(self):
        for i in range(self.count("KEVS")):
            packed, date, source, flags = self.item("KEVS", i, "IiHH")
            yield ["kev", self.source_name(source), cve(packed), day(date), flags & 1]
        for i in range(self.count("EPSS")):
            packed, date, score, percentile, source, _ = self.item("EPSS", i, "Ii4H")
            yield ["epss", self.source_name(source), cve(packed), score, percentile, day(date)]

    def entries(self):
        for i in range(self.count("ENTR")):
            *texts, source = self.item("ENTR", i, "4I")
            yield ["entry", self.source_name(source), *map(self.string, texts)]

    def dump(self):
        parts = (self.sources, self.ecosystems, self.rows, self.advisories, self.names, self.exploitation, self.entries)
        return "".join("|".join(map(str, line)) + "\n" for part in parts for line in part())

    # ---- looking up ----

    def find(self, ecosystem, package):
        """The span of rows, as the section "Looking up" says."""
        lo, hi = 0, self.count("ECOS")
        while lo < hi:
            mid = (lo + hi) // 2
            if self.text(self.item("ECOS", mid, "I")[0]) < ecosystem:
                lo = mid + 1
            else:
                hi = mid
        if lo == self.count("ECOS") or self.text(self.item("ECOS", lo, "I")[0]) != ecosystem:
            return None
        _, packages, _, _, first_package, first_bucket = self.item("ECOS", lo, "6I")
        bits = 0
        while bits < 24 and packages >> bits > 4:
            bits += 1
        want = name_hash(package)
        bucket = first_bucket + (want >> 64 - bits if bits else 0)
        for i in range(self.item("BUCK", bucket, "I")[0], self.item("BUCK", bucket + 1, "I")[0]):
            assert first_package <= i < first_package + packages
            found, _, name, first, n = self.item("PACK", i, "Q4I")
            if found == want and self.text(name) == package:
                return first, n
        return 0, 0

    def check_lookups(self):
        for i in range(self.count("PACK")):
            ecosystem, package, first, n = self.package(i)
            assert self.find(ecosystem.encode(), package.encode()) == (first, n), package
            assert self.find(ecosystem.encode(), package.encode() + b"?") == (0, 0)
        assert self.find(b"no such ecosystem", b"bash") is None


def main():
    if len(sys.argv) == 2:
        print(Database(pathlib.Path(sys.argv[1]).read_bytes()).dump(), end="")
        return 0
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tool, facts = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "bkdb"
        made = subprocess.run([tool, "make"], input=pathlib.Path(facts).read_bytes(), check=True, stdout=subprocess.PIPE).stdout
        path.write_bytes(made)
        theirs = subprocess.run([tool, "dump", path], check=True, stdout=subprocess.PIPE).stdout.decode()
    database = Database(made)
    ours = database.dump()
    database.check_lookups()
    for a, b in zip(ours.split("\n"), theirs.split("\n")):
        if a != b:
            print(f"this reader: {a}\nC reader:    {b}", file=sys.stderr)
    print(f"{len(ours.splitlines())} lines, {'the same' if ours == theirs else 'which differ'}")
    return ours != theirs


if __name__ == "__main__":
    sys.exit(main())
