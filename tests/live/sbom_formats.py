#!/usr/bin/env python3
"""sbom_formats MAKE_REPORT: are our CycloneDX and SPDX documents valid?

Asked are CycloneDX's own schema (cyclonedx-python-lib) and SPDX's own tools (spdx-tools), from PyPI, kept in a virtual environment in
BULKHEAD_TEST_CACHE (default /var/cache/bulkhead-tests). Exit code 77, with a reason, when they can't be had."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
PACKAGES = ["cyclonedx-python-lib[json-validation]==11.12.0", "spdx-tools==0.8.5"]


def enter_environment():
    """Runs this script again by the Python of the environment, which is made when it is not there."""
    home = CACHE / "sbom-validators"
    python = home / "bin/python"
    if not (home / "complete").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True, timeout=300)
            (home / "complete").touch()
        except (OSError, subprocess.SubprocessError) as e:
            print("skipped: the validators can't be had from PyPI: %s" % e)
            sys.exit(77)
    os.execv(python, [str(python), __file__, *sys.argv[1:], "inside"])


def document(program, *arguments):
    first, second = (subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE).stdout.decode() for _ in range(2))
    return first, ["%s differs from run to run" % arguments[0]] * (first != second)


def check_cyclonedx(text):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    error = validator.validate_str(text)
    errors = ["cyclonedx: %s" % error] if error else []
    bom = json.loads(text)
    bad = {**bom, "components": [{**bom["components"][0], "type": "nonsense"}]}
    if validator.validate_str(json.dumps(bad)) is None:
        errors.append("cyclonedx: the schema accepts a wrong type")
    refs = [c["bom-ref"] for c in bom["components"]] + [bom["metadata"]["component"]["bom-ref"]]
    if len(refs) != len(set(refs)):
        errors.append("cyclonedx: two components have one bom-ref")
    named = {a["ref"] for v in bom.get("vulnerabilities", []) for a in v["affects"]} | set(bom["dependencies"][0]["dependsOn"])
    return errors + ["cyclonedx: %s is named but not there" % ref for ref in sorted(named - set(refs))]


def check_spdx(text):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "report.spdx.json")
        path.write_text(text, encoding="utf-8")
        found = parse_file(str(path))
    errors = ["spdx: %s" % m.validation_message for m in validate_full_spdx_document(found)]
    if len(found.packages) != len(json.loads(text)["packages"]):
        errors.append("spdx: not all packages were read")
    return errors


def main():
    if sys.argv[-1] != "inside":
        enter_environment()
    errors = []
    for form, check in (("cyclonedx", check_cyclonedx), ("spdx", check_spdx)):
        for variant in ([], ["0", "empty"]):
            text, differs = document(sys.argv[1], form, *variant)
            errors += differs + check(text)
    print("\n".join(errors) or "valid: CycloneDX and SPDX, a full and an empty report")
    sys.exit(bool(errors))


main()
