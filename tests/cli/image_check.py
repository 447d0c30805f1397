#!/usr/bin/env python3
"""image_check BULKHEAD: `check` of images by their configuration: layouts and archives written here by the OCI image specification and as docker save does. Each policy's own examples are tried by
explain.py. Prints TAP."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
tap = Tap()
BAD = {"User": "root:root", "Env": ["PATH=/usr/bin::/tmp/x", "SHOP_API_KEY=abcd1234", "LD_PRELOAD=/x.so", "TOKEN=", "PASSWORD=/run/secrets/p"], "ExposedPorts": {"22/tcp": {}, "8080/tcp": {}},
       "Entrypoint": ["/bin/sh", "-c", "/srv/shop"]}
GOOD = {"User": "1000", "Env": ["PATH=/usr/local/bin:/usr/bin", "TOKEN_FILE=/run/x"], "ExposedPorts": {"2222/tcp": {}}, "Entrypoint": ["/srv/shop"], "Healthcheck": {"Test": ["CMD", "/srv/shop", "--ping"]}}
ALL = {"image-user-root", "image-healthcheck", "image-secret-in-env", "image-secret-in-history", "image-expose-ssh", "image-path-writable", "image-preload", "image-shell-form"}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def documents(config, arguments):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        t.addfile(tarfile.TarInfo("a"), io.BytesIO(b""))
    layer = out.getvalue()
    steps = [{"created_by": "ADD file in /"}, {"created_by": f"{arguments}/bin/sh -c npm ci", "empty_layer": True}]
    return layer, json.dumps({"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(layer)]}, "history": steps}).encode()


def layout(folder, config, arguments="", tag="v1"):
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, kind):
        (blobs / sha(data)).write_bytes(data)
        return {"digest": "sha256:" + sha(data), "size": len(data), "mediaType": f"application/vnd.oci.image.{kind}"}
    layer, document = documents(config, arguments)
    manifest = {"schemaVersion": 2, "config": put(document, "config.v1+json"), "layers": [put(gzip.compress(layer), "layer.v1.tar+gzip")]}
    entry = {**put(json.dumps(manifest).encode(), "manifest.v1+json"), "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return folder


def archive(path, config, arguments=""):
    layer, document = documents(config, arguments)
    files = {sha(document) + ".json": document, "x/layer.tar": layer, "manifest.json": json.dumps([{"Config": sha(document) + ".json", "RepoTags": ["shop:v1"], "Layers": ["x/layer.tar"]}]).encode()}
    with tarfile.open(path, "w") as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return path


def check(*paths, options=()):
    r = subprocess.run([BULKHEAD, "check", "--severity", "negligible", "--fail-on", "never", "-f", "json", *options, *map(str, paths)], capture_output=True, text=True)
    report = json.loads(r.stdout) if r.stdout else {"findings": [], "incomplete": []}
    return {(f["id"], f["paths"][0]) for f in report["findings"]}, report["incomplete"], r


with tempfile.TemporaryDirectory() as tmp:
    top = pathlib.Path(tmp)
    secret = "|1 NPM_TOKEN=npm_0123456789 "
    bad, good = layout(top / "bad", BAD, secret), layout(top / "good", GOOD, "|1 VERSION=1.2.3 ")
    saved = archive(top / "bad.tar", BAD, secret)
    found, gaps, r = check(f"oci:{bad}")
    tap.ok({i for i, _ in found} == ALL and not gaps and all(p == f"oci:{bad}" for _, p in found), "a layout with all of it wrong", (found, gaps, r.stderr))
    tap.ok("abcd1234" not in r.stdout and "npm_0123456789" not in r.stdout, "no secret is told")
    found, gaps, r = check(f"oci:{good}:v1")
    tap.ok(not found and not gaps and r.returncode == 0, "a layout with all of it right, by its tag", (found, gaps, r.stderr))
    found, gaps, r = check(f"archive:{saved}", f"oci:{good}", f"oci:{bad}:v1")
    tap.ok({p for _, p in found} == {f"archive:{saved}", f"oci:{bad}:v1"} and len(found) == 2 * len(ALL), "an archive of docker save, and several images", (found, r.stderr))
    found, gaps, r = check(f"oci:{layout(top / 'empty', None)}")
    tap.ok({i for i, _ in found} == {"image-user-root", "image-healthcheck"} and not gaps, "a configuration that says nothing", (found, gaps))
    odd = {"User": 5, "Env": "PATH", "Entrypoint": {"a": 1}, "ExposedPorts": ["22"], "Healthcheck": []}
    found, gaps, r = check(f"oci:{layout(top / 'odd', odd)}")
    tap.ok(r.returncode in (0, 2, 3) and (r.returncode == 0 or gaps or r.stderr), "values of other kinds end nothing", (found, gaps, r))
    for text, path in (("no such file", f"oci:{top}/none"), ("v2", f"oci:{good}:v2"), ("image", f"archive:{bad}/index.json")):
        found, gaps, r = check(path, f"oci:{bad}")
        tap.ok(r.returncode == 3 and len(gaps) == 1 and text in str(gaps).lower() and str(top) in str(gaps) and len(found) == len(ALL), f"{path.replace(tmp, '')}: what is wrong is told, the rest is checked",
               (found, gaps, r))
    policy = top / "own.yaml"
    policy.write_text("""apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: our-images}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [bulkhead.io], apiVersions: [v1], operations: [CREATE], resources: [containerimages]}]
  validations: [{expression: "object.spec.architecture == 'arm64'", message: "not for our machines"}]
""")
    found, gaps, r = check(f"oci:{good}", options=("-p", str(policy), "--no-hardening"))
    tap.ok([i for i, _ in found] == ["our-images"], "a policy of one's own", (found, gaps, r.stderr))
    found, gaps, r = check(f"oci:{bad}", options=("--no-hardening",))
    tap.ok(not found, "--no-hardening leaves them out", found)
    found, gaps, r = check(f"oci:{bad}", options=("--fix",))
    tap.ok("bulkhead harden" in r.stderr and r.stderr.count("not fixed") == 1 and len(found) == len(ALL), "--fix leaves images alone, and says what to do", r.stderr)
print(f"1..{tap.n}")
sys.exit(tap.failed > 0)
