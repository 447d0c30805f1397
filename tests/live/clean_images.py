#!/usr/bin/env python3
"""clean_images BULKHEAD: an image of Debian with Node.js, npm, Python and packages of PyPI holds no secret; what is put into them is found, in the place of a package's file, too.
The image is made once, minutes, and kept. Prints TAP."""
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BULKHEAD = os.path.abspath(sys.argv[1])
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
PACKAGES = "ca-certificates,nodejs,python3,nginx-light,openssh-client"
count = failed = 0


def check(good, what, detail=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        print("\n".join("# " + line for line in str(detail).split("\n")[:20]))


def scan(image):
    r = subprocess.run([BULKHEAD, "scan", "--scanners", "secret", "--no-cache", "--fail-on", "never", "-f", "json", f"oci:{image}"], stdout=subprocess.PIPE)
    return json.loads(r.stdout)


def clean_image():
    """A layer of Debian's packages, one of what npm and pip install: what the usual base images are."""
    image = CACHE / "image-clean-2"
    if (image / "index.json").exists():
        return image
    CACHE.mkdir(parents=True, exist_ok=True)
    mirror = subprocess.run([ROOT / "tools/debian-mirror"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(dir=CACHE) as top:
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg", "bookworm", f"{top}/debian.tar",
                        f"deb {mirror} bookworm main"], check=True)
        subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", f"{top}/own/usr/local/lib", "npm@10", "yarn@1"], check=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", f"{top}/own/usr/local/lib/python3.11/site-packages", "pip", "setuptools", "wheel", "requests",
                        "cryptography", "django"], check=True)
        subprocess.run(["tar", "-C", f"{top}/own", "-cf", f"{top}/own.tar", "."], check=True)
        subprocess.run(["umoci", "init", "--layout", f"{top}/image"], check=True)
        subprocess.run(["umoci", "new", "--image", f"{top}/image:latest"], check=True)
        for layer in ("debian", "own"):
            subprocess.run(["umoci", "raw", "add-layer", "--image", f"{top}/image:latest", f"{top}/{layer}.tar"], check=True)
        os.rename(f"{top}/image", image)
    return image


def add_layer(image, files, top):
    out = f"{top}/layer.tar"
    with tarfile.open(out, "w") as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    copy = f"{top}/image"
    subprocess.run(["cp", "-r", image, copy], check=True)
    subprocess.run(["umoci", "raw", "add-layer", "--image", f"{copy}:latest", out], check=True)
    return copy


def main():
    if subprocess.run([ROOT / "tools/debian-mirror"], stdout=subprocess.DEVNULL).returncode or os.geteuid():
        print("1..0 # SKIP no Debian mirror, or not root")
        return 0
    image = clean_image()
    report = scan(image)
    found = [(f["id"], f["paths"][0], f["evidence"]) for f in report["findings"]]
    check(found == [], "no secret in Debian, npm and packages of PyPI", "\n".join(map(str, found)))
    public = {(f["id"], f["paths"][0]) for f in report["suppressed"]}
    check(any(i == "ftp-url" and path.startswith("usr/share/man/") for i, path in public), "an example in a manual page is listed with its package", public)
    check(all(f["exception"]["reason"].startswith("the file is as package ") for f in report["suppressed"]), "and with the reason", report["suppressed"][:3])
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519"], check=True, stdout=subprocess.PIPE).stdout
    url = ("https://deploy:" + "".join(random.Random(2).choices("abcdefghkmnpqrstuvwxyz23456789", k=12)) + "@repo.internal/\n").encode()
    owned = "usr/share/doc/ca-certificates/copyright"
    with tempfile.TemporaryDirectory() as top:
        report = scan(add_layer(image, [("usr/share/doc/own/key.pem", key), (owned, key), ("etc/ca-certificates.conf", url), ("srv/app/config.ini", url)], top))
    found = sorted((f["id"], f["paths"][0]) for f in report["findings"])
    wanted = sorted([("private-key-pem", "usr/share/doc/own/key.pem"), ("private-key-pem", owned), ("basic-auth-url", "etc/ca-certificates.conf"), ("basic-auth-url", "srv/app/config.ini")])
    check(found == wanted, "what a later layer brings is found, also in place of a package's file", found)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
