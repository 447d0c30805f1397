#!/usr/bin/env python3
"""feeds: does the database hold what the feeds say, read independently?

usage: feeds.py BULKHEAD BKDB_TOOL

Every sample of tests/corpus/feed-* that can be imported is read here once more, by Python's own parsers and by rules written down
from the formats' descriptions, and compared fact by fact with what `bulkhead db import` made of it. Where ../shared/corpora/advisories
exists, its databases are compared too, whole; and their rows with core.tsv.xz, a third reading by other hands. Output: TAP.
"""
import collections
import csv
import datetime
import gzip
import io
import json
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree

import packaging.version
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = pathlib.Path(os.environ.get("BULKHEAD_SHARED", ROOT.parent / "shared")) / "corpora" / "advisories"
CORPUS = ROOT / "tests" / "corpus"
CVE = re.compile(r"CVE-(\d{4})-(\d{4,})$")
ANNOUNCEMENT = re.compile(r"(AL[SBE]A|RH[SBE]A|RL[SBE]A|RXSA|EL[SB]A|ALAS|DSA|DLA|DTSA|ELA|USN|LSN|(open)?SUSE-[SRFO]U|MGASA|FEDORA|OESA|GLSA|ASA|BELL-SA|AZL)")
MAINTENANCE = re.compile(r"(AL[BE]A|RH[BE]A|RL[BE]A|ELBA|(open)?SUSE-[RFO]U)-")
SEVERITY = {"critical": "critical", "high": "high", "important": "high", "medium": "medium", "moderate": "medium", "low": "low", "minor": "low",
            "negligible": "negligible", "unimportant": "negligible"}
RELEASES = {"wheezy": 7, "jessie": 8, "stretch": 9, "buster": 10, "bullseye": 11, "bookworm": 12, "trixie": 13, "forky": 14, "duke": 15}

Row = collections.namedtuple("Row", "ecosystem package id state flags ranges versions erratum module")


def text(value):
    """A scalar as the file has it: YAML dates and numbers are loaded as strings below, so this only drops null."""
    return value if isinstance(value, str) else ""


class Plain(yaml.SafeLoader):
    """Scalars stay text: version 6.10 is not 6.1."""


Plain.yaml_implicit_resolvers = {k: [(t, r) for t, r in v if t in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")]
                                 for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


# ---- what each feed says ----

def osv_names(record):
    """(ids that its entries are about, erratum)."""
    ident, aliases = record["id"], record.get("aliases") or []
    cves = list(dict.fromkeys(i for i in aliases + (record.get("upstream") or []) if CVE.match(i)))
    if record.get("withdrawn") or CVE.match(ident):
        return [ident], ""
    if ANNOUNCEMENT.match(ident):
        cves = list(dict.fromkeys(cves + [i for i in record.get("related") or [] if CVE.match(i)]))
        if not cves and MAINTENANCE.match(ident):
            return [], ""
        return cves or [ident], ident
    if len(cves) > 1:
        return cves, ident
    return [ident], ""


def osv_ranges(affected):
    out = []
    for span in affected.get("ranges") or []:
        if span.get("type") not in ("SEMVER", "ECOSYSTEM"):
            continue
        start, is_open, found, seen = "", False, [], False
        for event in span.get("events") or []:
            if "introduced" in event and not is_open:
                start, is_open, seen = ("" if event["introduced"] == "0" else event["introduced"]), True, True
            for key, sign in (("fixed", "<"), ("last_affected", "<="), ("limit", "^")):
                if key in event and not (key == "limit" and event[key] == "*"):
                    found.append((start + sign + event[key]) if seen else None)
                    is_open = False
        if is_open:
            found.append(start + "<")
        if None not in found:
            out += found
    return out


# Where our program can order versions, listed ones that lie in a range are left out.
DPKG = re.compile(r"(Debian|Ubuntu|Alpine|AlmaLinux|Rocky Linux|Red Hat|SUSE|openSUSE|Wolfi|Chainguard)\b")


def order(ecosystem, a, b):
    """Negative, 0 or positive; None where one of the two has no order. Lists of others than Python's have plain numbers only."""
    if DPKG.match(ecosystem):
        return next(sign for sign, op in ((-1, "lt"), (0, "eq"), (1, "gt")) if subprocess.run(["dpkg", "--compare-versions", a, op, b]).returncode == 0)
    try:
        read = packaging.version.Version if ecosystem == "PyPI" else lambda v: tuple(int(n) for n in v.split("."))
        a, b = read(a), read(b)
    except ValueError:
        return None
    return (a > b) - (a < b)


def holds(ecosystem, interval, version):
    """Is a version in "A<B", "A<=B" or "A<"?"""
    start, op, end = re.fullmatch(r"([^<]*)(<=?)(.*)", interval).groups()
    low, high = order(ecosystem, version, start or version), order(ecosystem, version, end) if end else -1
    return low is not None and high is not None and low >= 0 and (high <= 0 if op == "<=" else high < 0)


def filed(ecosystem, name):
    """The spelling that the ecosystem's rows stand under."""
    if ecosystem == "PyPI":
        return re.sub(r"[-_.]+", "-", name).lower()
    return name.lower() if ecosystem in ("NuGet", "Packagist") else name


def osv_rows(record):
    names, erratum = osv_names(record)
    specific = record.get("database_specific") or {}
    flags = 2 if specific.get("review_status") == "UNREVIEWED" or specific.get("github_reviewed") is False else 0
    for affected in record.get("affected") or []:
        package = affected.get("package")
        if not package or not package.get("ecosystem") or not package.get("name"):
            continue
        ranges, versions = osv_ranges(affected), affected.get("versions") or []
        versions = [v for v in versions if not any(holds(package["ecosystem"], r, v) for r in ranges)]
        if "<" in ranges and (affected.get("ecosystem_specific") or {}).get("custom_ranges"):
            ranges, versions = [], []
        state = "undetermined" if not ranges and not versions else "affected"
        if any(re.search(r"(?<!\^)<[^=]", r) for r in ranges):
            state = "fixed"
        module = "?" if any(re.search(r"\.module[_+]el", r) for r in ranges) else ""
        mod = re.search(r"[?&]rpmmod=([^&#]+)", package.get("purl") or "")
        if mod:
            module = mod.group(1).replace("%3A", ":")
        for name in names:
            if any(re.search(r"[\0-\x1f\x7f]", t) for t in [package["ecosystem"], package["name"], *versions, *ranges]):
                continue
            yield Row(package["ecosystem"], filed(package["ecosystem"], package["name"]), name, state, flags, frozenset(ranges), frozenset(versions), erratum, module)


def osv_records(data):
    if data.lstrip()[:1] not in (b"{", b"["):
        return [yaml.load(data, Plain)]
    try:
        whole = json.loads(data)
    except json.JSONDecodeError:
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    if isinstance(whole, list):
        return whole
    return whole["vulns"] if "vulns" in whole else [whole]


def debian_rows(data):
    for package, issues in json.loads(data).items():
        for ident, issue in issues.items():
            releases = issue.get("releases") or {}
            for codename, r in releases.items() if isinstance(releases, dict) else []:
                if codename not in RELEASES:
                    continue
                status, fixed, ranges = r["status"], r.get("fixed_version", ""), ["<"]
                if status == "resolved":
                    state, ranges = ("not_affected", []) if fixed == "0" else ("fixed", ["<" + fixed])
                elif status == "open":
                    state = "end_of_life" if r.get("urgency") == "end-of-life" else "ignored" if r.get("nodsa_reason") == "ignored" else \
                        "postponed" if "nodsa" in r else "affected"
                else:
                    state, ranges = "undetermined", []
                yield Row(f"Debian:{RELEASES[codename]}", package, ident, state, 0, frozenset(ranges), frozenset(), "", "")


def alpine_rows(data):
    root = json.loads(data) if data.lstrip()[:1] == b"{" else yaml.load(data, Plain)
    where = root.get("urlprefix", "")
    ecosystem = "Alpine:" + root["distroversion"] if "distroversion" in root else {"packages.wolfi.dev": "Wolfi", "libraries.cgr.dev": "Chainguard"}[
        where.split("/")[2]]
    for item in root["packages"] or []:
        fixes = {}
        for version, entries in (item["pkg"].get("secfixes") or {}).items():
            for entry in entries or []:
                words = [w for w in entry.split() if re.match(r"[A-Z][A-Za-z0-9._:]*-[A-Za-z0-9._:-]*$", w)]
                for word in [w for w in words if CVE.match(w)] or words:
                    fixes.setdefault(word, []).append(version)
        for ident, versions in fixes.items():
            real = [v for v in versions if v != "0"]
            best = max(real, key=lambda v: [int(n) for n in re.findall(r"\d+", v)]) if real else "0"
            state, ranges = ("fixed", ["<" + best]) if real else ("not_affected", [])
            yield Row(ecosystem, item["pkg"]["name"], ident, state, 0, frozenset(ranges), frozenset(), "", "")


def evr(text):
    return text[2:] if text.startswith("0:") else text


def plain_xml(data):
    """The tree without namespaces."""
    root = ElementTree.fromstring(data)
    for e in root.iter():
        e.tag = e.tag.split("}")[-1]
    return root


def by_tag(ident, release):
    """The ecosystem that a build's release string and the erratum's id tell."""
    families = {"AL": "AlmaLinux", "RL": "Rocky Linux", "EL": "Oracle Linux"}
    for tag, name in ((r"\.azl(\d+)", "Azure Linux"), (r"\.amzn(\d+)", "Amazon Linux"), (r"\.fc(\d+)", "Fedora"),
                      (r"[._+]el(\d+)", "" if ident.startswith("ALAS") else families.get(ident[:2], ""))):
        m = re.search(tag, release)
        if m and name:
            return f"{name}:{'2018.03' if (name, m.group(1)) == ('Amazon Linux', '1') else m.group(1)}"
    return ""


def updateinfo_rows(data):
    for update in plain_xml(data).iter("update"):
        ident = update.findtext("id").strip()
        cves = []
        for ref in update.iter("reference"):
            cves += [ref.get("id")] if CVE.match(ref.get("id", "")) else re.findall(r"CVE-\d+-\d+", re.match(r"(CVE-\d+-\d+[,:]?\s*)*", ref.get("title") or "").group())
        if update.get("status") in ("testing", "pending") or (not cves and update.get("type") != "security"):
            continue
        for collection in update.iter("collection"):
            mod = collection.find("module")
            stream = f"{mod.get('name')}:{mod.get('stream')}" if mod is not None else ""
            for p in collection.iter("package"):
                ecosystem = by_tag(ident, p.get("release"))
                if p.get("arch") == "src" or not ecosystem:
                    continue
                version = evr(f"{p.get('epoch', '0')}:{p.get('version')}-{p.get('release')}")
                for name in dict.fromkeys(cves or [ident]):
                    module = stream or ("?" if ".module" in version else "")
                    yield Row(ecosystem, p.get("name"), name, "fixed", 0, frozenset(["<" + version]), frozenset(), ident if cves else "", module)


PRODUCTS = ((r"Oracle Linux (\d+)", "Oracle Linux:{}"), (r"Red Hat Enterprise Linux (\d+)", "Red Hat:enterprise_linux:{}"), (r"SUSE (.+)", "SUSE:{}"),
            (r"openSUSE (.+)", "openSUSE:{}"), (r"Ubuntu (\d+\.04)\b", "Ubuntu:{}:LTS"))


def product(name):
    for pattern, ecosystem in PRODUCTS:
        m = re.match(pattern, name)
        if m:
            return ecosystem.format(m.group(1))
    return ""


def oval_paths(node, above):
    """Each criterion with all that an AND over it says of releases and modules."""
    if node.tag != "criteria":
        yield node, above
        return
    if node.get("negate") == "true":
        return
    if node.get("operator", "AND") == "AND":
        own = [leaf.get("comment", "") for child in node for leaf in ([child] if child.tag != "criteria" else child)
               if re.search(r" is installed\.?$", leaf.get("comment", "")) and product(leaf.get("comment"))]
        modules = [m.group(1) for child in node for m in [re.match(r"Module (.*) is enabled", child.get("comment", ""))] if m]
        above = ([product(re.sub(r" is installed\.?$", "", c)) for c in own] or above[0], modules[0] if modules else above[1])
    for child in node:
        yield from oval_paths(child, above)


def oval_rows(data):
    root = plain_xml(data)
    find = {e.get("id"): e for part in ("tests", "objects", "states") for e in root.find(part)}
    for d in root.find("definitions"):
        cves = list(dict.fromkeys(m.group() for r in d.iter("reference") for m in [re.search(r"CVE-\d+-\d+", r.get("ref_id"))] if m))
        errata = [r.get("ref_id") for r in d.iter("reference") if not CVE.search(r.get("ref_id"))] if d.get("class") == "patch" else []
        fates = {c.text: r.get("state") for r in d.iter("resolution") for c in r.iter("component")}
        for leaf, (releases, module) in oval_paths(d.find("criteria"), ([], "")):
            test, comment = find.get(leaf.get("test_ref")), leaf.get("comment", "")
            if test is None or "info_" not in test.tag or not cves or "signed with" in comment or product(comment):
                continue
            name = find[test.find("object").get("object_ref")].findtext("name") if test.find("object").get("object_ref") in find else ""
            source = re.search(r"(\S+) package in ", comment)
            name = source.group(1) if source else name
            state = find.get(test.find("state").get("state_ref")) if test.find("state") is not None else None
            limit = state.find("evr") if state is not None else None
            ranges = {"<"}
            if limit is not None and limit.get("operation") == "less than":
                fate, ranges = "fixed", {"<" + evr(limit.text)}
            elif "is not affected" in comment:
                fate, ranges = "not_affected", set()
            elif "to defer" in comment:
                fate = "postponed"
            elif "is affected" in comment or "need fixing" in comment or "needs fixing" in comment or comment.endswith(" is installed"):
                fate = {"Will not fix": "ignored"}.get(fates.get(name), "affected")
            else:
                continue
            modular = module or ("?" if ".module" in "".join(ranges) else "")
            for ecosystem in releases or [by_tag("", "".join(ranges))]:
                for cve in cves:
                    yield Row(ecosystem, name, cve, fate, 0, frozenset(ranges), frozenset(), errata[0] if errata else "", modular)


def csaf_products(tree):
    products, parts = {}, {}

    def walk(branches):
        for b in branches:
            if "product" in b:
                products[b["product"]["product_id"]] = b["product"]
            walk(b.get("branches") or [])
    walk(tree.get("branches") or [])
    for r in tree.get("relationships") or []:
        parts[r["full_product_name"]["product_id"]] = (r["product_reference"], r["relates_to_product_reference"])
    return products, parts


def csaf_place(ident, products, parts):
    """(ecosystem, package, version, is it the source, module), or nothing for what is no rpm of a release."""
    if ident not in parts:
        return None
    component, whole = parts[ident]
    module = ""
    if whole in parts:
        module = ":".join(parts[whole][0].split(":")[:2])
        whole = parts[whole][1]
    cpe = re.match(r"cpe:/[oa]:redhat:(.+)", products[whole]["product_identification_helper"].get("cpe", "") if "product_identification_helper" in products[whole] else "")
    ecosystem = "Red Hat:" + cpe.group(1) if cpe else product(products[whole]["name"])
    purl = products.get(component, {}).get("product_identification_helper", {}).get("purl", "")
    nevra = re.fullmatch(r"(.+)-(?:0:)?([^-]+-[^-]+)\.(\w+)", component)
    if not ecosystem or (purl and not purl.startswith("pkg:rpm/")) or (not purl and not nevra and "/" in component and ":" not in component):
        return None
    if nevra:
        return ecosystem, nevra.group(1), evr(nevra.group(2)), nevra.group(3) == "src", module
    if "/" in component:
        module, component = component.split("/")
    return ecosystem, component, "", cpe is not None, module


def csaf_rows(data):
    doc = json.loads(data)
    products, parts = csaf_products(doc.get("product_tree") or {})
    for v in doc["vulnerabilities"]:
        fixes, fates, seen = {}, {}, set()
        for r in v.get("remediations") or []:
            for ident in r["product_ids"]:
                if r["category"] == "vendor_fix":
                    fixes[ident] = r.get("url", "").rpartition("/")[2]
                elif r["category"] != "workaround":
                    fates[ident] = {"Out of support scope": "end_of_life", "Will not fix": "ignored", "Fix deferred": "postponed"}.get(r["details"], "affected")
        for status, state in (("fixed", "fixed"), ("recommended", "fixed"), ("known_affected", "affected"), ("known_not_affected", "not_affected"),
                              ("under_investigation", "undetermined")):
            for ident in v["product_status"].get(status) or []:
                place = csaf_place(ident, products, parts)
                if ident in seen or not place or re.search(r"-debug(info|source)$", place[1]) or (state == "fixed" and place[3]):
                    continue
                seen.add(ident)
                ecosystem, package, version, _, module = place
                erratum = "" if state != "fixed" else doc["document"]["tracking"]["id"] if "advisory" in doc["document"]["category"] else fixes.get(ident, "")
                fate = fates.get(ident, "affected") if state == "affected" else state
                ranges = ["<" + version] if state == "fixed" else ["<"] if state == "affected" else []
                yield Row(ecosystem, package, v["cve"], fate, 0, frozenset(ranges), frozenset(), erratum, module)


def arch_rows(data):
    for group in json.loads(data):
        fate, ranges = {"Not affected": ("not_affected", []), "Unknown": ("undetermined", [])}.get(group["status"], ("affected", ["<"]))
        if group["fixed"]:
            fate, ranges = "fixed", ["<" + group["fixed"]]
        for package in group["packages"]:
            for issue in group["issues"]:
                yield Row("Arch Linux", package, issue, fate, 0, frozenset(ranges), frozenset(), "".join(group["advisories"][:1]), "")


def photon_rows(data):
    for r in json.loads(data):
        release = re.search(r"\.ph(\d)", r["res_ver"] + r["aff_ver"])
        if release:
            fixed = r["res_ver"] != "NA"
            yield Row(f"Photon OS:{release.group(1)}.0", r["pkg"], r["cve_id"], "fixed" if fixed else "affected", 0,
                      frozenset(["<" + (evr(r["res_ver"]) if fixed else "")]), frozenset(), "", "")


def debian_list_rows(data):
    for part in re.split(r"(?m)^(?=\[)", data.decode()):
        head = re.match(r"\[\d\d \w{3} \d{4}\] (D[SL]A-\S+)", part)
        cves = re.findall(r"CVE-\S+?(?=[\s}])", (re.search(r"\{(.*)\}", part) or [""])[0])
        for release, package, version in re.findall(r"(?m)^\t\[(\w+)\] - (\S+) (\S+)", part) if head else []:
            fate, ranges = {"<not-affected>": ("not_affected", []), "<end-of-life>": ("end_of_life", ["<"])}.get(version, ("fixed", ["<" + version]))
            for ident in cves or [head.group(1)] if release in RELEASES else []:
                yield Row(f"Debian:{RELEASES[release]}", package, ident, fate, 0, frozenset(ranges), frozenset(), head.group(1) if cves else "", "")


UBUNTU = {"xenial": "16.04:LTS", "focal": "20.04:LTS", "jammy": "22.04:LTS", "mantic": "23.10", "noble": "24.04:LTS"}


def openvex_rows(data):
    for s in json.loads(data)["statements"]:
        for p in s["products"] if isinstance(s["vulnerability"], dict) else []:
            m = re.fullmatch(r"pkg:deb/ubuntu/(.+)@(.+)\?arch=source&distro=(?:(esm-infra)/)?(\w+)", p["@id"])
            if m:
                version = m.group(2).replace("%2B", "+")
                fate, ranges = {"fixed": ("fixed", ["<" + version]), "affected": ("affected", ["<"]), "not_affected": ("not_affected", [])}.get(
                    s["status"], ("undetermined", []))
                yield Row("Ubuntu:" + ("Pro:" if m.group(3) else "") + UBUNTU[m.group(4)], m.group(1), s["vulnerability"]["name"], fate, 0,
                          frozenset(ranges), frozenset(), "", "")


# ---- what the database says ----

class Database:
    def __init__(self, paths, *options):
        with tempfile.TemporaryDirectory() as folder:
            db = os.path.join(folder, "db")
            done = subprocess.run([BULKHEAD, "db", "import", "--no-embedded", "--db", db, *options, *map(str, paths)], capture_output=True, text=True,
                                  env=dict(os.environ, SOURCE_DATE_EPOCH="1795000000"))
            self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
            self.lines = []
            if os.path.exists(db):
                dump = subprocess.run([TOOL, "dump", db], capture_output=True, text=True, check=True)
                self.lines = [line.split("|") for line in dump.stdout.split("\n")]

    def rows(self):
        """Row.id is the id as the feed gave it."""
        for f in self.lines:
            if f[0] == "row":
                f += [""] * (14 - len(f))
                yield Row(f[2], f[3], f[5], f[6], int(f[8]), frozenset(filter(None, f[9].split(","))), frozenset(filter(None, f[10].split(","))), f[11], f[13])

    def facts(self, kind):
        return [f[1:] for f in self.lines if f[0] == kind]


# ---- TAP ----

count = failed = 0


def check(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name)
    for line in str(why).split("\n") if not good else []:
        print("#", line)


def compare(name, expected, got):
    expected, got = set(expected), set(got)
    missing, more = sorted(map(str, expected - got)), sorted(map(str, got - expected))
    check(bool(expected) and not missing and not more, f"{name}: {len(expected)} entries",
          f"{len(missing)} missing, {len(more)} too many\n" + "\n".join(["- " + m for m in missing[:5]] + ["+ " + m for m in more[:5]]))


def test_rows(feed, reader):
    for path in sorted((CORPUS / ("feed-" + feed)).iterdir()):
        try:
            expected = list(reader(path.read_bytes()))
        except (ValueError, KeyError, AttributeError, TypeError, yaml.YAMLError, ElementTree.ParseError):  # damaged on purpose
            expected = []
        db = Database([path], "--feed", feed)
        if expected:
            compare(f"{feed} {path.name}", expected, db.rows())
        else:
            # All-damaged or empty input: nothing may come in, and it must be said.
            check(db.code in (2, 3) and (db.code == 3 or not db.lines), f"{feed} {path.name}: refused or told", f"exit {db.code}: {db.out}{db.err}")


def osv_reader(data):
    return [row for record in osv_records(data) for row in osv_rows(record)]


def test_kev(path, name):
    catalogue = json.loads(path.read_bytes())
    expected = {(v["cveID"], v["dateAdded"], "1" if v["knownRansomwareCampaignUse"] == "Known" else "0") for v in catalogue["vulnerabilities"]}
    db = Database([path])
    got = {tuple(f[1:4]) for f in db.facts("kev")}
    check(expected == got, f"kev {name}: {len(expected)} records", f"{sorted(expected ^ got)[:5]}")
    check(db.facts("source")[0][3] == catalogue["dateReleased"][:10], f"kev {name}: dated {catalogue['dateReleased'][:10]}", db.facts("source"))


def test_epss(data, name, day):
    lines = [line for line in io.StringIO(data) if not line.startswith(("#", "cve,"))]
    expected = {}
    for cve, score, percentile in csv.reader(lines, delimiter=";" if ";" in lines[0] else ","):
        expected[cve] = (round(float(score) * 65535), round(float(percentile) * 65535))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "epss_scores-2026-11-24.csv.gz"
        path.write_bytes(gzip.compress(data.encode()))
        db = Database([path])
    got = {f[1]: (int(f[2]), int(f[3])) for f in db.facts("epss")}
    check(expected == got, f"epss {name}: {len(expected)} scores", {k: (expected.get(k), got.get(k)) for k in expected if expected[k] != got.get(k)})
    check({f[4] for f in db.facts("epss")} == {day}, f"epss {name}: of {day}", db.facts("epss")[:2])


def test_severity():
    db = Database([CORPUS / "feed-osv" / "list.json", CORPUS / "feed-osv" / "BIT-minio-2024-55949.json", CORPUS / "feed-osv" / "ALSA-2023-2367.json"])
    advisories = {f[1]: f for f in db.facts("advisory")}
    check(advisories["CVE-2019-9999"][4:6] == ["critical", "98"], "a GHSA record: word of the database, score of the CVSS 3 vector", advisories["CVE-2019-9999"])
    check(advisories["CVE-2024-55949"][4] == "critical", "a record with CVSS 4 only: word of the database", advisories["CVE-2024-55949"])
    check(advisories["MAL-2024-1"][6] == "2" and advisories["RUSTSEC-2020-0036"][6] == "4" and advisories["GHSA-aaaa-bbbb-cccc"][6] == "1",
          "malware, informational and withdrawn are told apart")
    check("GHSA-aaaa-bbbb-cccc" not in advisories["CVE-2019-9999"][2], "a withdrawn duplicate does not name the flaw that lives on")
    rows = {(f[2], f[4]): f[6] for f in db.facts("row")}
    check(rows[("containernetworking-plugins", "CVE-2022-41717")] == "medium", "an announcement: the word before its summary", rows)
    check(rows[("openssl", "UBUNTU-CVE-2023-0286")] == "high" and rows[("nodejs", "CVE-2023-44487")] == "high", "vendors' own ratings stand at the entries", rows)


def test_symbols():
    paths = sorted((CORPUS / "feed-osv").glob("GO-*.json"))
    expected = set()
    for path in paths:
        record = json.loads(path.read_bytes())
        for affected in record["affected"]:
            for i in affected.get("ecosystem_specific", {}).get("imports", []):
                value = f"{affected['package']['name']} {i['path']}" + (": " + ", ".join(i["symbols"]) if i.get("symbols") else "")
                expected.add((record["id"], value))
    db = Database(paths)
    check({tuple(f[2:4]) for f in db.facts("entry") if f[1] == "symbols"} == expected, f"osv: functions of {len(paths)} records of Go, {len(expected)} packages",
          db.facts("entry"))


def test_enrichment():
    path = CORPUS / "feed-nvd" / "nvdcve-2.0.json"
    expected, weak = {}, set()
    for v in json.loads(path.read_bytes())["vulnerabilities"]:
        if v["cve"]["vulnStatus"] != "Rejected":
            expected[v["cve"]["id"]] = (",".join(m["cvssData"]["vectorString"] for ms in v["cve"]["metrics"].values() for m in ms), v["cve"]["published"][:10])
            weak |= {(v["cve"]["id"], d["value"]) for w in v["cve"].get("weaknesses", []) for d in w["description"] if re.match(r"CWE-\d", d["value"])}
    db = Database([path])
    check({f[1]: (f[3], f[7]) for f in db.facts("advisory")} == expected, f"nvd: {len(expected)} CVEs with their vectors", db.facts("advisory"))
    check({tuple(f[2:4]) for f in db.facts("entry")} == weak and not list(db.rows()), "nvd: weaknesses, and nothing to match by", db.facts("entry"))
    db = Database([CORPUS / "feed-cve5" / "CVE-2023-38545.json"])
    check(db.facts("advisory")[0][3].count("CVSS:3.1") == 2 and db.facts("advisory")[0][5] == "98", "cve5: vectors of both containers", db.facts("advisory"))
    check(db.facts("kev")[0][1:3] == ["CVE-2023-38545", "2023-11-02"] and db.facts("entry")[0][3] == "CWE-787", "cve5: exploitation and weakness", db.lines)
    items = {i["id"]: i for i in json.loads((CORPUS / "feed-kubernetes/index.json").read_bytes())["items"] if CVE.fullmatch(i["id"])}
    db = Database([CORPUS / "feed-kubernetes" / "index.json"])
    expected = {k: ("".join(re.findall(r"\[(CVSS:\S+)\]", i["content_text"])), i["date_published"][:10]) for k, i in items.items()}
    check({f[1]: (f[3], f[7]) for f in db.facts("advisory")} == expected and not list(db.rows()), "kubernetes: scores, and nothing to match by", db.facts("advisory"))
    check(all(f[-1] and f[-1] in items[f[1]]["summary"] and not f[-1].startswith("CVE-") for f in db.facts("advisory")), "kubernetes: titles", db.facts("advisory"))
    db = Database([CORPUS / "feed-endoflife" / "full.json"])
    check({f[2]: f[3].split("\\t")[2] for f in db.facts("entry")} == {"alpine:3.19": "2025-11-01", "alpine:3.4": "2018-05-01", "rhel:9": "2032-05-31", "rhel:11": "-"},
          "endoflife: dates of distributions", db.facts("entry"))


# ---- whole databases ----

def read_tar(name):
    with tarfile.open(SHARED / "native" / name / (name + ".tar.xz")) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((".json", ".yaml")):
                yield tar.extractfile(member).read()


def core_rows():
    with lzma.open(SHARED / "core.tsv.xz", "rt", encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def split_range(text_range):
    if text_range.startswith("="):
        return frozenset(), frozenset(filter(None, text_range[1:].split(",")))
    return frozenset(text_range.split(",")), frozenset()


def compare_core(name, core_name, records, db, all_core):
    """core.tsv.xz has one row for each package of a record; ours one for each flaw. Compared by the record's id."""
    ids = {r["id"]: r for r in records}
    skipped = {i for i, r in ids.items() if not osv_names(r)[0]}
    elsewhere, here = set(), set()  # packages with ranges in another numbering, and without
    for r in records:
        for a in r.get("affected") or []:
            place = (r["id"], (a.get("package") or {}).get("name"))
            if (a.get("ecosystem_specific") or {}).get("custom_ranges"):
                elsewhere.add(place)
            elif osv_ranges(a) == ["<"]:
                here.add(place)
    expected = set()
    for f in all_core:
        f += [""] * (8 - len(f))
        if f[0] != core_name or f[3] not in ids or f[3] in skipped:
            continue
        ranges, versions = split_range(f[5])
        if ranges != {"<"} or (f[3], f[2]) in here:
            expected.add((f[1], f[2], f[3], ranges, versions))
        if ranges == {"<"} and (f[3], f[2]) in elsewhere:
            expected.add((f[1], f[2], f[3], frozenset(), versions))
    got = {(r.ecosystem, r.package, r.erratum or r.id, r.ranges, r.versions if not r.ranges else frozenset()) for r in db.rows()}  # core has no lists beside ranges
    if core_name == "almalinux":  # core has the releases of one file each
        covered = {g[0] for g in got}
        expected = {e for e in expected if e[0] in covered}
    compare(f"{name}: as core.tsv.xz", expected, got)


def test_shared():
    all_core = list(core_rows())
    test_kev(SHARED / "kev.json", "whole catalogue")
    for name, core_name in (("go-vulndb", "go-vulndb"), ("almalinux9", "almalinux"), ("pypa", "pypa"), ("bitnami", "bitnami")):
        records = [r for data in read_tar(name) for r in osv_records(data)]
        db = Database([SHARED / "native" / name / (name + ".tar.xz")])
        check(db.code == 0, f"{name}: imported", db.err)
        compare(f"{name}: {len(records)} records", [row for r in records for row in osv_rows(r)], db.rows())
        compare_core(name, core_name, records, db, all_core)
        today = datetime.date.fromtimestamp(1795000000).isoformat()
        days = [max([d for d in (text(r.get("modified"))[:10], text(r.get("published"))[:10]) if "1990" < d <= today], default="") for r in records]
        dated = [d for d in days if d]
        if len(dated) * 2 >= len(days):
            check(db.facts("source")[0][3] == max(dated), f"{name}: of {max(dated)}", db.facts("source"))
        with tempfile.TemporaryDirectory() as folder:  # unpacked, it is the same
            with tarfile.open(SHARED / "native" / name / (name + ".tar.xz")) as tar:
                tar.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(folder)
            check(set(Database([folder]).rows()) == set(db.rows()), f"{name}: a folder gives the same as the archive")


def main():
    test_rows("osv", osv_reader)
    test_rows("debian_tracker", debian_rows)
    test_rows("alpine_secdb", alpine_rows)
    test_rows("updateinfo", updateinfo_rows)
    test_rows("oval", oval_rows)
    test_rows("csaf", csaf_rows)
    test_rows("arch", arch_rows)
    test_rows("photon", photon_rows)
    test_rows("debian_list", debian_list_rows)
    test_rows("openvex", openvex_rows)
    test_symbols()
    test_enrichment()
    test_kev(CORPUS / "feed-kev" / "excerpt.json", "excerpt")
    test_epss((CORPUS / "feed-epss" / "official.csv").read_text(), "official", "2026-11-24")
    test_epss((CORPUS / "feed-epss" / "semicolons.csv").read_text(), "a copy without a date", "2026-11-24")
    test_severity()
    if SHARED.exists():  # more of the same where the whole databases are at hand
        test_shared()
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    BULKHEAD, TOOL = sys.argv[1:3]
    sys.exit(main())
