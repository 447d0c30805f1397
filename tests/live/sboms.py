#!/usr/bin/env python3
"""sboms BULKHEAD: are SBOMs of other programs read as they are?

npm writes CycloneDX and SPDX for a project, cyclonedx-py JSON and XML for a virtual environment; where tests/bench has left Trivy, it writes
CycloneDX, SPDX JSON and tag-value for a root file system. cyclonedx-python-lib turns JSON into XML of versions 1.4 to 1.7. Each file's package
URLs, read here by json and ElementTree and taken apart by packageurl-python, must be those of the scan, with scopes and source packages;
the same list in another format must give the same scan. Exit code 77, with a reason, when npm or PyPI can't be had.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import peer  # noqa: E402  where Trivy comes from

CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
PACKAGES = ["cyclonedx-bom==7.5.0", "cyclonedx-python-lib==11.12.0", "packageurl-python==0.17.6"]
PROJECT = {"name": "shop", "version": "1.0.0", "dependencies": {"express": "4.17.1", "@babel/code-frame": "7.16.0"}, "devDependencies": {"mocha": "9.0.0"}}


def skip(why):
    print("skipped: %s" % why)
    sys.exit(77)


def enter_environment():
    """Runs this script again by the Python of an environment with PACKAGES, which is made when it is not there."""
    home = CACHE / "sbom-makers"
    python = home / "bin/python"
    if not (home / "complete").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True, timeout=300)
            (home / "complete").touch()
        except (OSError, subprocess.SubprocessError) as e:
            skip("cyclonedx-bom can't be had from PyPI: %s" % e)
    os.execv(python, [str(python), __file__, *sys.argv[1:], "inside"])


# ---- makers ----

def run(command, **kw):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **kw).stdout


def npm_sbom(form, project):
    """`npm sbom` came with npm 10; Debian 12 has 9, which can fetch a newer one."""
    try:
        return run(["npm", "sbom", "--sbom-format", form], cwd=project)
    except subprocess.CalledProcessError:
        return run(["npx", "--yes", "npm@10.8.2", "sbom", "--sbom-format", form], cwd=project, timeout=300)


def npm(work):
    project = work / "project"
    project.mkdir()
    (project / "package.json").write_text(json.dumps(PROJECT))
    try:
        run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=project, timeout=300)
        for form, name in (("cyclonedx", "npm.cdx.json"), ("spdx", "npm.spdx.json")):
            (work / name).write_bytes(npm_sbom(form, project))
    except (OSError, subprocess.SubprocessError) as e:
        skip("npm or its registry can't be had: %s" % e)
    return ["npm.cdx.json", "npm.spdx.json"]


def cyclonedx_py(work):
    maker = pathlib.Path(sys.executable).parent / "cyclonedx-py"
    for form, name in (("JSON", "python.cdx.json"), ("XML", "python.cdx.xml")):
        run([maker, "environment", sys.executable, "--of", form, "-o", work / name])
    return ["python.cdx.json", "python.cdx.xml"]


def trivy(work):
    if not pathlib.Path("/var/lib/dpkg/status").exists():
        skip("no Debian for Trivy to read")
    root = work / "root"
    for path in ("etc/os-release", "etc/debian_version", "var/lib/dpkg/status"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(pathlib.Path("/", path).read_bytes())
    return [ask_trivy(work, root, form, name) for form, name in
            (("cyclonedx", "trivy.cdx.json"), ("spdx-json", "trivy.spdx.json"), ("spdx", "trivy.spdx"))]


def ask_trivy(work, root, form, name):
    run([peer.peer_program(CACHE), "--cache-dir", work / "cache", "rootfs", "--format", form, "--offline-scan", "--skip-java-db-update", "-o", work / name, root])
    return name


def other_distributions(work):
    """Root file systems with the corpus' databases of rpm and apk: epochs, modules, source packages."""
    made = []
    for name, database, sample, release in (
            ("rpm", "var/lib/rpm/rpmdb.sqlite", "pkg-rpm_sqlite/small", {"etc/os-release": 'ID="rhel"\nVERSION_ID="9.3"\n',
                                                                        "etc/redhat-release": "Red Hat Enterprise Linux release 9.3 (Plow)\n"}),
            ("apk", "lib/apk/db/installed", "pkg-apk/alpine-3.19", {"etc/os-release": "ID=alpine\nVERSION_ID=3.19.1\n", "etc/alpine-release": "3.19.1\n"})):
        root = work / name
        for path, text in release.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / database).parent.mkdir(parents=True)
        (root / database).write_bytes((CORPUS / sample).read_bytes())
        made.append((name, ask_trivy(work, root, "spdx-json", name + ".spdx.json")))
    return made


def as_xml(work, name, *versions):
    """The same in XML of these versions; what a version can't hold (licences' texts, evidence) is not compared."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion
    made = []
    for version in map(SchemaVersion.from_version, versions):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bom = Bom.from_json(json.loads((work / name).read_text()))
            made.append("%s-%s.xml" % (name, version.to_version()))
            make_outputter(bom, OutputFormat.XML, version).output_to_file(str(work / made[-1]), indent=1)
    return made


# ---- independent readings: (package URL, scope) ----

def read_json(text):
    document, found = json.loads(text), []

    def walk(components):
        for c in components:
            developed = any(p.get("name") == "cdx:npm:package:development" and p.get("value") == "true" for p in c.get("properties", []))
            found.append((c.get("purl"), "excluded" if developed else c.get("scope")))
            walk(c.get("components", []))

    if "bomFormat" in document:
        walk([document["metadata"].get("component", {}), *document.get("components", [])])
    for package in document.get("packages", []):
        found.append((next((r["referenceLocator"] for r in package.get("externalRefs", []) if r["referenceType"] == "purl"), None), None))
    return found


def read_xml(text):
    root, found = ET.fromstring(text), []
    ns = root.tag[:root.tag.index("}") + 1]

    def walk(holder):
        for c in [] if holder is None else holder.findall(ns + "component"):
            developed = any(p.get("name") == "cdx:npm:package:development" and p.text == "true" for p in c.iterfind(ns + "properties/" + ns + "property"))
            found.append((c.findtext(ns + "purl"), "excluded" if developed else c.findtext(ns + "scope")))
            walk(c.find(ns + "components"))

    walk(root.find(ns + "metadata"))
    walk(root.find(ns + "components"))
    return found


def read_tags(text):
    return [(purl, None) for purl in re.findall(r"(?m)^ExternalRef: PACKAGE-MANAGER purl (\S+)$", text.decode())]


def parts(purl):
    from packageurl import PackageURL
    u = PackageURL.from_string(purl)
    name = u.name.replace(".", "-") if u.type == "pypi" else u.name  # purl-spec since 2025, packageurl-python not yet
    epoch = u.qualifiers.pop("epoch", "0") if u.type == "deb" else "0"  # Trivy's way to say it
    version = u.version if epoch == "0" else "%s:%s" % (epoch, u.version)
    return u.type, u.namespace, name, version, tuple(sorted(u.qualifiers.items()))


# ---- comparing ----

def scan(bulkhead, target, work):
    out = work / "report.json"
    done = subprocess.run([bulkhead, "scan", "-q", "--fail-on", "never", "-f", "json=%s" % out, target], stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1, 3):
        return None, ["%s: %s" % (target, done.stderr.decode())]
    return json.loads(out.read_text()), []


def check_list(work, name, report):
    """The package URLs and scopes that somebody else reads in the file."""
    text = (work / name).read_bytes()
    theirs = read_xml(text) if name.endswith("xml") else read_json(text) if name.endswith("json") else read_tags(text)
    scopes = {"excluded": "development", "optional": "optional"}
    theirs = {(parts(p), scopes.get(s)) for p, s in theirs if p}
    ours = {(parts(p["purl"]), p.get("scope")) for p in report["packages"]}
    if "spdx" in name:  # scopes are in relationships
        theirs, ours = {k for k, _ in theirs}, {k for k, _ in ours}
    errors = ["%s: not listed: %s" % (name, k) for k in sorted(map(str, theirs - ours))[:5]]
    errors += ["%s: listed but not there: %s" % (name, k) for k in sorted(map(str, ours - theirs))[:5]]
    print("%s (%s): %d packages" % (name, report["target"]["format"], len(ours)))
    return errors if ours else errors + ["%s: nothing was listed" % name]


def gist(report):
    return sorted((p["type"], p["name"], p["version"], p.get("arch", ""), json.dumps(p["source"])) for p in report["packages"])


def findings(report):
    return sorted((f["id"], f["package"].split("?")[0], f["state"]) for f in report["findings"])


def check_family(bulkhead, work, names):
    """All of them hold the same list."""
    errors, reports = [], []
    for name in names:
        report, wrong = scan(bulkhead, "sbom:%s" % (work / name), work)
        errors += wrong
        if report:
            errors += check_list(work, name, report)
            reports.append((name, report))
    for name, report in reports[1:]:
        if gist(report) != gist(reports[0][1]) or findings(report) != findings(reports[0][1]):
            errors.append("%s says something else than %s" % (name, reports[0][0]))
    return errors


def check_source(bulkhead, work, folder, name):
    """Of the root file system itself: the same packages, source packages and findings as by its SBOM."""
    root, wrong = scan(bulkhead, "dir:%s" % (work / folder), work)
    sbom, also_wrong = scan(bulkhead, "sbom:%s" % (work / name), work)
    if wrong or also_wrong:
        return wrong + also_wrong
    print("%s: %d packages, %d findings; the root file system: %d, %d" %
          (name, len(sbom["packages"]), len(sbom["findings"]), len(root["packages"]), len(root["findings"])))
    errors = [] if findings(root) == findings(sbom) else ["%s: findings differ from the root file system's" % name]
    return errors if gist(root) == gist(sbom) else errors + ["%s: packages differ from the root file system's" % name]


def main():
    if sys.argv[-1] != "inside":
        enter_environment()
    errors = []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        bulkhead = sys.argv[1]
        made = npm(work)
        errors += check_family(bulkhead, work, [made[0], made[1]])
        errors += check_family(bulkhead, work, as_xml(work, made[0], "1.4", "1.5", "1.6", "1.7"))
        errors += check_family(bulkhead, work, cyclonedx_py(work))
        made = trivy(work)
        if made:
            errors += check_family(bulkhead, work, made + as_xml(work, made[0], "1.6"))
            errors += check_source(bulkhead, work, "root", made[0])
            for folder, name in other_distributions(work):
                errors += check_source(bulkhead, work, folder, name)
    print("\n".join(errors))
    sys.exit(bool(errors))


main()
