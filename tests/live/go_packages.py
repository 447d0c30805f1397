#!/usr/bin/env python3
"""Compare what we read from Go binaries, go.mod and vendor/modules.txt with `go version -m` and `go list -m`.

usage: go_packages.py PKG-PROBE [--all]

A small program with replaced, local and indirect modules is built plain, stripped, with a version set by the linker, and (--all) for
32 bits and big endian; build information of Go before 1.18 is put into ELF files as its linker laid it out, which `go version -m` reads, too.
Exit code 77: no go command, or no modules.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import elf_file  # noqa: E402

CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")
ENV = dict(os.environ, GOPATH=os.path.join(CACHE, "go"), GOCACHE=os.path.join(CACHE, "go-build"), GOFLAGS="-modcacherw", CGO_ENABLED="0")
GO_MOD = """module example.com/app

go 1.21

require (
	github.com/pkg/errors v0.9.1
	golang.org/x/text v0.14.0
	example.com/local v0.0.0
	gopkg.in/yaml.v2 v2.4.0
	github.com/spf13/pflag v1.0.5
)
replace example.com/local => ./local
replace gopkg.in/yaml.v2 v2.4.0 => gopkg.in/yaml.v2 v2.3.0
replace github.com/pkg/errors v0.9.0 => ./nowhere
replace (
	"golang.org/x/text" => golang.org/x/text v0.13.0 // older
)
"""
MAIN = """package main

import (
	"fmt"

	"example.com/local"
	"github.com/pkg/errors"
	"github.com/spf13/pflag"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v2"
)

var Version = "dev"

func main() {
	pflag.Parse()
	b, _ := yaml.Marshal(map[string]int{"a": local.F()})
	fmt.Println(errors.New("x"), language.English, string(b), Version)
}
"""
failures = []


def check(what, got, want):
    if sorted(got) != sorted(want):
        failures.append(what)
        print(f"FAILED: {what}\n  only ours: {sorted(set(got) - set(want))}\n  only Go's: {sorted(set(want) - set(got))}")
    else:
        print(f"{what}: {len(want)} modules")


def go(*args, cwd, **env):
    r = subprocess.run(["go", *args], cwd=cwd, env=dict(ENV, **env), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        print(f"go {' '.join(args)}: {r.stderr.decode()[-500:]}")
        sys.exit(77 if b"dial tcp" in r.stderr or b"lookup " in r.stderr else 1)
    return r.stdout.decode()


def ours(probe, parser, path, file):
    out = subprocess.run([probe, parser, path, file], check=True, stdout=subprocess.PIPE).stdout.decode()
    return [tuple(line.split("\t")[2:4]) for line in out.splitlines() if line.startswith("package\t")]


def version_m(file, cwd, main_version=""):
    """What `go version -m` says, in our words: replaced modules under their new names, folders and "(devel)" without a version."""
    found = []
    for line in go("version", "-m", file, cwd=cwd).splitlines():
        words = line.split("\t")[1:]
        if not words:
            version = line.split(": ")[1].split()[0]
            found.append(("stdlib", version[2:] if version.startswith("go") else ""))
        elif words[0] == "mod":
            found.append((words[1], main_version or words[2].replace("(devel)", "")))
        elif words[0] == "dep":
            found.append((words[1], words[2].replace("(devel)", "")))
        elif words[0] == "=>":
            found[-1] = (found[-1][0], "") if words[1].startswith(".") else (words[1], words[2])
    return found


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)


def version_m_of(d):
    """Modules that the plain build took, without the main one."""
    go("build", "-mod=mod", "-o", "out", ".", cwd=d)
    return [m for m in version_m("out", d) if m[0] != "example.com/app"]


def machine(probe, d):
    """Go programs that this machine has: all but the main module, whose version we may take from the linker's flags."""
    table = go("version", "/usr/bin", cwd=d)
    for file in [line.split(": ")[0] for line in table.splitlines()][:12]:
        want = version_m(file, d)
        mains = {line.split("\t")[2] for line in go("version", "-m", file, cwd=d).splitlines() if line.startswith("\tmod\t")}
        got = ours(probe, "go_binary", "x", file)
        check(file, [m for m in got if m[0] not in mains], [m for m in want if m[0] not in mains])
        if {n for n, _ in got} != {n for n, _ in want}:
            failures.append(file)


def list_all_required(d):
    """Modules that go.mod names: what `go mod edit -json` reads, with `go list -m`'s versions."""
    named = {r["Path"] for r in json.loads(go("mod", "edit", "-json", cwd=d))["Require"]}
    out = go("list", "-mod=mod", "-m", "-f", "{{.Path}} {{with .Replace}}{{.Path}} {{.Version}}{{else}}{{.Path}} {{.Version}}{{end}}", *sorted(named), cwd=d)
    found = []
    for line in out.splitlines():
        path, name, version = (line.split(" ") + [""])[:3]
        found.append((path, "") if name.startswith(".") else (name, version))
    return found


def main():
    probe = os.path.abspath(sys.argv[1])
    try:
        os.makedirs(ENV["GOPATH"], exist_ok=True)
        subprocess.run(["go", "version"], check=True, stdout=subprocess.DEVNULL)
    except OSError as e:
        print(f"no go here: {e}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as d:
        write(f"{d}/go.mod", GO_MOD)
        write(f"{d}/main.go", MAIN)
        write(f"{d}/local/go.mod", "module example.com/local\n\ngo 1.21\n")
        write(f"{d}/local/l.go", "package local\n\nfunc F() int { return 1 }\n")
        go("mod", "tidy", cwd=d)
        builds = [
            ("plain", [], {}, ""),
            ("stripped", ["-ldflags=-s -w"], {}, ""),
            ("with a version", ["-trimpath=false", "-ldflags=-s -w -X main.Version=1.2.3"], {}, "v1.2.3"),
            ("32 bits", [], {"GOARCH": "386"}, ""),
            ("big endian", [], {"GOARCH": "s390x"}, ""),
        ]
        for name, flags, env, main_version in builds:
            if env and "--all" not in sys.argv:
                continue  # another architecture compiles the standard library again: half a minute
            go("build", *flags, "-o", "out", ".", cwd=d, **env)
            check(name, ours(probe, "go_binary", "out", f"{d}/out"), version_m("out", d, main_version))
        modules = "path\tx\nmod\texample.com/x\tv1.0.0\th1:x=\ndep\tgithub.com/pkg/errors\tv0.9.1\th1:y=\n=>\t../errors\t(devel)\t\ndep\tc\tv2.0.0\th1:z=\n"
        for wide in (True, False):
            for big in (False, True):
                write(f"{d}/old", elf_file.elf(elf_file.go_pointers("go1.13.15", modules, wide, big), wide=wide, big=big))
                os.chmod(f"{d}/old", 0o755)
                check(f"Go 1.13's layout, {64 if wide else 32} bits, {'big' if big else 'little'} endian", ours(probe, "go_binary", "old", f"{d}/old"),
                      version_m("old", d))
        write(f"{d}/new", elf_file.elf([(".data", b"x" * 50), ("b", elf_file.go_inline("go1.22.3", modules))], headers=False))
        os.chmod(f"{d}/new", 0o755)
        check("without sections", ours(probe, "go_binary", "new", f"{d}/new"), version_m("new", d))
        go("mod", "vendor", cwd=d)
        check("vendor/modules.txt", ours(probe, "go_vendor", "vendor/modules.txt", f"{d}/vendor/modules.txt"), [m for m in version_m_of(d) if m[0] != "stdlib"])
        check("go.mod", ours(probe, "go_mod", "go.mod", f"{d}/go.mod"), list_all_required(d))
        commands = [os.path.join(go("env", "GOROOT", cwd=d).strip(), "bin", "go"), os.path.join(go("env", "GOTOOLDIR", cwd=d).strip(), "link")]
        for command in [c for c in commands if os.path.exists(c)]:
            check(os.path.basename(command), ours(probe, "go_binary", "x", command), version_m(command, d))
        machine(probe, d)
    return 1 if failures else 0


sys.exit(main())
