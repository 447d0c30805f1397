#!/usr/bin/env python3
"""Compare what we read from Cargo.lock and from executables built with cargo-auditable with `cargo metadata` and with the section itself.

usage: rust_packages.py PKG-PROBE

A small program with normal, build and development dependencies and a second member of its workspace. The lock must equal the packages of
`cargo metadata`, the executable those that `cargo tree` says are compiled into it, kinds included; a stripped one gives the same.
Exit code 77: no cargo, or no crates.
"""
import json
import os
import subprocess
import sys
import tempfile
import zlib

CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")
ENV = dict(os.environ, CARGO_HOME=os.path.join(CACHE, "cargo"), CARGO_TERM_COLOR="never")
FILES = {
    "Cargo.toml": '[workspace]\nmembers = ["app", "part"]\nresolver = "2"\n[profile.release]\nopt-level = 0\n',
    "part/Cargo.toml": '[package]\nname = "part"\nversion = "0.2.0"\nedition = "2021"\n',
    "part/src/lib.rs": "pub fn f() -> u32 { 1 }\n",
    "app/Cargo.toml": '[package]\nname = "app"\nversion = "0.3.1"\nedition = "2021"\n[dependencies]\nitoa = "1"\nsemver = "=1.0.20"\nmemchr = "2"\n'
                      'part = { path = "../part" }\n[build-dependencies]\nversion_check = "0.9"\n[dev-dependencies]\neither = "1"\n',
    "app/build.rs": 'fn main() { let _ = version_check::is_min_version("1.0.0"); }\n',
    "app/src/main.rs": 'fn main() { println!("{:?} {} {:?} {}", semver::Version::parse("1.2.3"), itoa::Buffer::new().format(1), memchr::memchr(1, b"a"), part::f()); }\n',
}
failures = []


def check(what, got, want):
    if sorted(got) != sorted(want):
        failures.append(what)
        print(f"FAILED: {what}\n  only ours: {sorted(set(got) - set(want))}\n  only theirs: {sorted(set(want) - set(got))}")
    else:
        print(f"{what}: {len(want)} crates")


def cargo(*args, cwd):
    r = subprocess.run(["cargo", *args], cwd=cwd, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        print(f"cargo {' '.join(args)}: {r.stderr.decode()[-500:]}")
        sys.exit(77 if b"download" in r.stderr or b"resolve host" in r.stderr else 1)
    return r.stdout.decode()


def ours(probe, parser, path, file):
    out = subprocess.run([probe, parser, path, file], check=True, stdout=subprocess.PIPE).stdout.decode()
    rows = [line.split("\t") for line in out.splitlines()]
    return [(r[2], r[3], "development" if "development" in r[11] else "runtime") for r in rows if r[0] == "package"]


def section(file):
    """What the section says, as objcopy and zlib read it."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["objcopy", "-O", "binary", "--only-section=.dep-v0", "--set-section-flags", ".dep-v0=alloc", file, out.name], check=True)
        return json.loads(zlib.decompress(open(out.name, "rb").read()))["packages"]


def main():
    probe = os.path.abspath(sys.argv[1])
    try:
        os.makedirs(ENV["CARGO_HOME"], exist_ok=True)
        subprocess.run(["cargo", "--version"], check=True, stdout=subprocess.DEVNULL)
    except OSError as e:
        print(f"no cargo here: {e}")
        sys.exit(77)
    tools = os.path.join(CACHE, "cargo-auditable")
    if not os.path.exists(f"{tools}/bin/cargo-auditable"):
        cargo("install", "--quiet", "--root", tools, "cargo-auditable", cwd=CACHE)
    ENV["PATH"] = f"{tools}/bin:{ENV['PATH']}"
    with tempfile.TemporaryDirectory() as d:
        for name, text in FILES.items():
            os.makedirs(os.path.dirname(f"{d}/{name}"), exist_ok=True)
            with open(f"{d}/{name}", "w") as f:
                f.write(text)
        cargo("auditable", "build", "--quiet", "--release", cwd=d)
        packages = json.loads(cargo("metadata", "--format-version=1", cwd=d))["packages"]
        check("Cargo.lock", [p[:2] for p in ours(probe, "cargo_lock", "Cargo.lock", f"{d}/Cargo.lock")], [(p["name"], p["version"]) for p in packages])
        app = f"{d}/target/release/app"
        kinds = {"build": "development", "runtime": "runtime"}
        want = [(p["name"], p["version"], kinds[p.get("kind", "runtime")]) for p in section(app)]
        check("cargo auditable", ours(probe, "cargo_auditable", "app", app), want)
        tree = {}
        for edges, kind in (("build,normal", "development"), ("normal", "runtime")):
            for line in cargo("tree", "-p", "app", "-e", edges, "--prefix", "none", "-f", "{p}", cwd=d).splitlines():
                name, version = line.split(" ")[:2]
                tree[name, version.lstrip("v")] = kind
        check("cargo tree", ours(probe, "cargo_auditable", "app", app), [(*k, v) for k, v in tree.items()])
        subprocess.run(["strip", app], check=True)
        check("stripped", ours(probe, "cargo_auditable", "app", app), want)
    return 1 if failures else 0


sys.exit(main())
