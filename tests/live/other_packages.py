#!/usr/bin/env python3
"""Compare the packages that a scan lists with what the package managers themselves say, for the smaller ecosystems.

usage: other_packages.py BULKHEAD

Each package manager that is installed makes a project in a folder of its own, from packages that are written here: no registry is
asked. Then `bulkhead scan` reads the folder, and the packages must be those that the manager lists. What is missing on
this machine is skipped aloud; exit code 77 when nothing could be compared.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WORK = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-packages-"))
ROOT = WORK / "root"
ENV = dict(os.environ, HOME=str(WORK / "home"), LC_ALL="C.UTF-8", COMPOSER_ALLOW_SUPERUSER="1", OPAMYES="1", OPAMROOTISOK="1",
           GIT_CONFIG_GLOBAL="/dev/null")


class Missing(Exception):
    """A tool that is not installed."""


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed")


def run(*args, cwd=None, **env):
    done = subprocess.run([str(a) for a in args], cwd=cwd, env=dict(ENV, **env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="surrogateescape")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(folder):
    for args in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "x"]):
        run("git", *args, cwd=folder)


# ---- the ecosystems: each makes its project in `here` and returns what its manager lists, as (type, name, version) ----

def gemspec(name, version, more=""):
    return (f'Gem::Specification.new do |s|\n  s.name = "{name}"; s.version = "{version}"; s.summary = "x"; s.authors = ["A"]\n'
            f'  s.files = ["lib/{name}.rb"]\n  {more}\nend\n')


def ruby_bundle(here):
    """Gems of a registry, of git and of a folder, locked for several platforms and installed."""
    need("gem", "bundle", "git")
    source, repo = WORK / "gems", WORK / "gem-repo"
    (repo / "gems").mkdir(parents=True)
    gems = [("alpha", "1.2.3", 's.add_dependency "beta", "~> 2.0"; s.add_dependency "native"'), ("beta", "2.0.1", 's.licenses = ["Ruby", "MIT"]'),
            ("native", "0.9", ""), ("native", "0.9", 's.platform = "x86_64-linux"'), ("tool", "3.0.0.pre.2", "")]
    for i, (name, version, more) in enumerate(gems):
        folder = source / str(i)
        write(folder / f"lib/{name}.rb", "")
        write(folder / f"{name}.gemspec", gemspec(name, version, more))
        run("gem", "build", f"{name}.gemspec", cwd=folder)
        for built in folder.glob("*.gem"):
            shutil.move(built, repo / "gems")
    run("gem", "generate_index", cwd=repo)
    write(source / "git/lib/delta.rb", 'module Delta; VERSION = "4.5.6"; end')
    write(source / "git/delta.gemspec", 'require_relative "lib/delta"\n' + gemspec("delta", "#{Delta::VERSION}"))
    git(source / "git")
    write(here / "local/epsilon.gemspec", gemspec("epsilon", "0.0.1"))
    write(here / "Gemfile", f'source "file://{repo}"\ngem "alpha"\ngem "delta", git: "file://{source}/git"\ngem "epsilon", path: "local"\n'
          'group(:development) { gem "tool", ">= 3.0.0.pre" }\n')
    run("bundle", "config", "set", "--local", "path", "vendor", cwd=here)
    run("bundle", "lock", "--add-platform", "ruby", "x86_64-linux", cwd=here)
    run("bundle", "install", cwd=here)
    return {("gem", m[1], m[2]) for m in re.finditer(r"^  \* (\S+) \((\S+?)[ )]", run("bundle", "list", cwd=here), re.M)}


def ruby_system(here):
    """The gems that come with Debian's Ruby."""
    need("gem")
    for folder in run("gem", "environment", "gempath").strip().split(":"):
        specifications = pathlib.Path(folder) / "specifications"
        if specifications.is_dir():
            shutil.copytree(specifications, here / folder.strip("/") / "specifications")
    default = run("ruby", "-e", "puts Gem.default_dir, Gem::BasicSpecification.default_specifications_dir").split()[1]
    shutil.copytree(default, here / default.strip("/"), dirs_exist_ok=True)
    listed = set()
    for line in run("gem", "list", "--local", "--all").splitlines():
        m = re.match(r"(\S+) \((.*)\)", line)
        listed |= {("gem", m[1], v.replace("default: ", "").split()[0]) for v in m[2].split(", ")}
    return listed


def php_composer(here):
    need("composer")
    packages = [{"name": "acme/one", "version": "v1.2.3", "type": "metapackage", "license": ["MIT", "GPL-2.0-or-later"], "require": {"acme/two": "^2"}},
                {"name": "acme/two", "version": "2.0.0-beta1", "type": "metapackage"},
                {"name": "acme/dev", "version": "0.4", "type": "metapackage"}]
    write(here / "composer.json", json.dumps({
        "name": "acme/app", "repositories": [{"packagist.org": False}, {"type": "package", "package": packages}], "minimum-stability": "dev",
        "require": {"acme/one": "*"}, "require-dev": {"acme/dev": "*"}}))
    run("composer", "install", "--no-interaction", cwd=here)
    return {("composer", p["name"], p["version"]) for p in json.loads(run("composer", "show", "--format=json", cwd=here))["installed"]}


def php_pear(here):
    need("pear")
    shutil.copytree("/usr/share/php/.registry", here / "usr/share/php/.registry")
    rows = re.findall(r"^(\w+)\s+(\d\S*)\s+\w+\s*$", run("pear", "list"), re.M)
    return {("composer", f"pear/{name.lower()}", version) for name, version in rows}


def r_library(here):
    need("Rscript")
    package = WORK / "r/rockpaper"
    write(package / "DESCRIPTION", "Package: rockpaper\nTitle: Test Package\nVersion: 0.1.0-2\nAuthor: A\nMaintainer: A <a@example.org>\n"
          "Description: Nothing. Has two\n    lines.\nLicense: MIT + file LICENSE | GPL (>= 2)\n")
    write(package / "NAMESPACE", "export(f)\n")
    write(package / "R/f.R", "f <- function() 1\n")
    write(package / "LICENSE", "x\n")
    (here / "site-library").mkdir(parents=True)
    run("R", "CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", here / "site-library", package)
    base = run("R", "RHOME").strip() + "/library"
    for description in pathlib.Path(base).glob("*/DESCRIPTION"):
        write(here / "library" / description.parent.name / "DESCRIPTION", description.read_text())
    script = f'p <- installed.packages(lib.loc=c("{here}/site-library", "{base}"), noCache=TRUE); cat(paste(p[,"Package"], p[,"Version"]), sep="\\n")'
    listed = {("cran", *line.split()) for line in run("Rscript", "--vanilla", "-e", script).splitlines()}
    # installed.packages() leaves out what is no package to be loaded: R's own translations.
    return listed | {("cran", d.parent.name, re.search(r"^Version: (\S+)", d.read_text(), re.M)[1])
                     for d in (here / "library").glob("*/DESCRIPTION") if d.parent.name == "translations" and "Built:" in d.read_text()}


def perl_carton(here):
    need("carton", "make")
    mirror = WORK / "cpan"
    index = ""
    for name, version, needs in (("Foo::Bar", "1.23", "Zed => 0"), ("Zed", "v2.0.1", "")):
        dist = name.replace("::", "-")
        folder, module = WORK / f"perl/{dist}", f"lib/{name.replace('::', '/')}.pm"
        write(folder / module, f"package {name};\nour $VERSION = '{version}';\n1;\n")
        write(folder / "Makefile.PL", f"use ExtUtils::MakeMaker; WriteMakefile(NAME => '{name}', VERSION => '{version}', PREREQ_PM => {{{needs}}});\n")
        write(folder / "MANIFEST", f"Makefile.PL\nMANIFEST\n{module}\n")
        run("perl", "Makefile.PL", cwd=folder)
        run("make", "dist", cwd=folder)
        path = f"A/AU/AUTH/{dist}-{version}.tar.gz"
        (mirror / "authors/id" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / f"{dist}-{version}.tar.gz", mirror / "authors/id" / path)
        index += f"{name} {version} {path}\n"
    head = "".join(f"{k}: x\n" for k in ("File", "URL", "Description", "Columns", "Intended-For", "Written-By", "Last-Updated"))
    write(mirror / "modules/02packages.details.txt", f"{head}Line-Count: 2\n\n{index}")
    run("gzip", mirror / "modules/02packages.details.txt")
    write(here / "cpanfile", "requires 'Foo::Bar';\n")
    run("carton", "install", cwd=here, PERL_CARTON_MIRROR=f"file://{mirror}", PERL_CPANM_OPT="--notest")
    return {("cpan", *line.rsplit("-", 1)) for line in run("carton", "list", cwd=here).split()}


def lua_rocks(here):
    need("luarocks")
    rock = write(WORK / "lua/penlish-1.13.1-1.rockspec", 'package = "penlish"\nversion = "1.13.1-1"\nsource = { url = "file://x" }\n'
                 'description = {\n   license = "MIT",\n}\nbuild = { type = "builtin", modules = { penlish = "penlish.lua" } }\n')
    write(rock.parent / "penlish.lua", "return {}\n")
    run("luarocks", f"--tree={here}", "make", rock.name, cwd=rock.parent)
    return {("luarocks", *line.split("\t")[:2]) for line in run("luarocks", f"--tree={here}", "list", "--porcelain").splitlines()}


def nix_database(here):
    need("nix-build", "nix-store", "nix-instantiate")
    env = {"NIX_STORE_DIR": f"{here}/nix/store", "NIX_STATE_DIR": f"{here}/nix/var/nix", "NIX_LOG_DIR": str(WORK / "nix-log"),
           "NIX_CONF_DIR": str(write(WORK / "nix-conf/nix.conf", "sandbox = false\nbuild-users-group =\n").parent)}
    (here / "nix/store").mkdir(parents=True)
    names = ["hello-2.12.1", "python3.11-requests-2.28.2", "perl5.36.0-URI-5.12", "nix-2.3-pre1234_abc", "wrapper", "glibc-2.37-45"]
    many = " ".join(map(str, range(40)))
    build = 'derivation {{ name = "{}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "/bin/mkdir -p $out/bin; for i in {}; do echo > $out/bin/$i; done" ]; }}'
    paths = run("nix-build", "--no-out-link", "-E", "[" + " ".join(f"({build.format(n, many)})" for n in names) + "]", **env).split()
    text = " ".join(f'"{pathlib.Path(p).name[33:]}"' for p in paths)
    split = json.loads(run("nix-instantiate", "--eval", "--strict", "--json", "-E", f"map builtins.parseDrvName [{text}]", **env))
    shutil.move(here / "nix/store", WORK / "nix-store")  # the database alone must do
    return {("nix", s["name"], s["version"]) for s in split if s["version"]}


def nix_store(here):
    """The same store without its database."""
    need("nix-build")
    (here / "nix").mkdir()
    shutil.move(WORK / "nix-store", here / "nix/store")
    return EXPECTED["nix_database"]


def opam(here):
    need("opam")
    repo = WORK / "opam-repo"
    for name, more in (("astring.0.8.5", ""), ("ounit2.2.2.6", 'depends: ["astring"]\n')):
        write(repo / "packages" / name.split(".")[0] / name / "opam", f'opam-version: "2.0"\nmaintainer: "a@example.org"\n{more}')
    write(repo / "repo", 'opam-version: "2.0"\n')
    env = {"OPAMROOT": str(here / ".opam")}
    run("opam", "init", "--bare", "--disable-sandboxing", "-n", "-q", "local", repo, **env)
    run("opam", "switch", "create", "sw", "--empty", "-q", **env)
    run("opam", "install", "ounit2", "-q", **env)
    return {("opam", *line.split(".", 1)) for line in run("opam", "list", "-s", "--columns=package", **env).split()}


def elixir(here):
    """A release with a dependency from git; Erlang reads the .app files for us."""
    need("mix", "erl", "git")
    project = ("defmodule {0}.MixProject do\n  use Mix.Project\n  def project, do: [app: :{1}, version: \"{2}\", deps: [{3}]]\n"
               "  def application, do: [extra_applications: [:logger]]\nend\n")
    write(WORK / "mix/dep/mix.exs", project.format("Dep", "dep", "0.3.1", ""))
    write(WORK / "mix/dep/lib/dep.ex", "defmodule Dep do\nend\n")
    git(WORK / "mix/dep")
    app = WORK / "mix/app"
    write(app / "mix.exs", project.format("App", "app", "1.0.0-rc.1", f'{{:dep, git: "file://{WORK}/mix/dep"}}'))
    write(app / "lib/app.ex", "defmodule App do\nend\n")
    run("mix", "do", "deps.get", "+", "release", "--quiet", "--path", here, cwd=app, MIX_ENV="prod")
    script = ('[begin {ok, [{application, N, P}]} = file:consult(F), io:format("~s ~s~n", [N, proplists:get_value(vsn, P)]) end'
              f' || F <- filelib:wildcard("{here}/lib/*/ebin/*.app")], halt().')
    language = {"compiler", "crypto", "elixir", "iex", "kernel", "logger", "sasl", "stdlib", "eex", "mix", "ssl", "public_key", "asn1", "runtime_tools"}
    rows = [line.split() for line in run("erl", "-noshell", "-eval", script).splitlines()]
    # The release brings Erlang's own runtime, a bare program: file:read_file(OTP_VERSION) is how Erlang tells its full version.
    version = ('{ok, V} = file:read_file(filename:join([code:root_dir(), "releases", erlang:system_info(otp_release), "OTP_VERSION"])),'
               ' io:format("~s", [V]), halt().')
    runtime = ("generic", "erlang", run("erl", "-noshell", "-eval", version).strip())
    return {("otp" if name in language else "hex", name, version) for name, version in rows} | {runtime}


def haskell(here):
    """The libraries that come with GHC."""
    need("ghc-pkg")
    database = run("ghc-pkg", "list", "--global").splitlines()[0].rstrip(":").strip()
    shutil.copytree(database, here / "package.conf.d")
    return {("hackage", *p.rsplit("-", 1)) for p in run("ghc-pkg", "list", "--global", "--simple-output").split()}


EXPECTED = {}  # what the managers said, by ecosystem
ECOSYSTEMS = [ruby_bundle, ruby_system, php_composer, php_pear, r_library, perl_carton, lua_rocks, nix_database, nix_store, opam, elixir, haskell]


def scan(bulkhead, folder):
    """What a scan of the folder lists, and what it could not read."""
    out = WORK / "report.json"
    done = subprocess.run([bulkhead, "scan", "--no-cache", "-f", f"json={out}", f"dir:{folder}"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    if not out.exists():
        raise RuntimeError(f"bulkhead scan: exit {done.returncode}: {done.stderr.decode(errors='replace')}")
    report = json.loads(out.read_text())
    out.unlink()
    return {(p["type"], p["name"], p["version"]) for p in report["packages"]}, [i for i in report["incomplete"] if i.get("path")]


def compare(bulkhead, make):
    """True: the same; False: not. Raises Missing."""
    name, here = make.__name__, ROOT / make.__name__
    here.mkdir(parents=True)
    try:
        want = EXPECTED[name] = make(here)
        got, incomplete = scan(bulkhead, here)
    except RuntimeError as why:
        print(f"not ok - {name}: {why}")
        return False
    bad = [f"missing {x}" for x in sorted(want - got)[:10]] + [f"surplus {x}" for x in sorted(got - want)[:10]]
    bad += [f"incomplete: {i}" for i in incomplete[:10]] + ([] if want else ["nothing to compare"])
    print(f"{'not ok' if bad else 'ok'} - {name}: {len(got)} packages as the package manager lists them")
    for line in bad:
        print("   ", line)
    return not bad


def main():
    (WORK / "home").mkdir()
    results = []
    for make in ECOSYSTEMS:
        try:
            results.append(compare(sys.argv[1], make))
        except Missing as why:
            print(f"skip - {make.__name__}: {why}")
    return 77 if not results else int(not all(results))


if __name__ == "__main__":
    try:
        code = main()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(code)
