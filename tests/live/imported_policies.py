"""imported_policies: `bulkhead check` about objects, by other engines' policies alone."""
import json
import pathlib
import subprocess
import sys
import tempfile


def report(bulkhead, policies, manifests):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, content in (("policies", policies), ("manifests", manifests)):
            paths.append(pathlib.Path(folder, name + ".json"))
            paths[-1].write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": content}))
        r = subprocess.run([bulkhead, "check", "--no-schema", "--no-hardening", "--pod-security", "none", "--severity", "unknown", "-f", "json", "-p", *paths],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if r.returncode not in (0, 1, 3):
            sys.exit(f"exit {r.returncode}: {r.stderr}")
        return json.loads(r.stdout)
