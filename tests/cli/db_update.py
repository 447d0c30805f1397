#!/usr/bin/env python3
"""db_update: `bulkhead db update` and `update --from` against a web server that behaves, and one that does not.

usage: db_update.py BULKHEAD

The server gives files of a folder with ETags, dates and ranges, and can be told to break off, to answer 429 or a web page. What the
database holds afterwards is asked of the program; which requests were made, of the server. Output: TAP.
"""
import sys

sys.path.pop(0)  # http.py beside this file is a test, not the module
import hashlib
import http.server
import io
import json
import lzma
import os
import pathlib
import shutil
import socket
import subprocess
import tarfile
import tempfile
import threading
import zipfile

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
NOW = "1795600000"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.log, self.trouble = folder, [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def requests(self):
        log, self.log = self.log, []
        return log


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.lstrip("/")
        what = self.server.trouble.get(name, [])
        trouble = what.pop(0) if what else None
        path = self.server.folder / name
        self.server.log.append((name, self.headers.get("Range"), "If-None-Match" in self.headers))
        if trouble == "429":
            return self.answer(429, {"Retry-After": "0"})
        if trouble == "page":
            return self.answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in first</html>")
        if not path.is_file():
            return self.answer(404, {})
        data = path.read_bytes()
        etag = '"' + hashlib.sha1(data).hexdigest() + '"'
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, {"ETag": etag})
        start = 0
        if self.headers.get("Range") and self.headers.get("If-Range", etag) == etag:
            start = int(self.headers["Range"].split("=")[1].rstrip("-"))
        headers = {"ETag": etag, "Content-Type": "application/octet-stream"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if trouble == "break":
            self.send_response(206 if start else 200)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:start + (len(data) - start) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        return self.answer(206 if start else 200, headers, data[start:])


count = failed = 0


def check(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    for line in str(why).split("\n") if not good else []:
        print("#", line)


class Place:
    """A home folder, a web server, the program."""

    def __init__(self, folder):
        self.home = folder / "home"
        self.web = folder / "web"
        self.home.mkdir()
        self.web.mkdir()
        self.server = Server(self.web)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "SOURCE_DATE_EPOCH": NOW}

    def run(self, *args, code=0):
        done = subprocess.run([BULKHEAD, "db", *args], capture_output=True, text=True, env=self.env, cwd=self.home, timeout=120)
        self.out = done.stdout + done.stderr
        self.code = done.returncode
        return done.returncode == code

    def sources(self, *options):
        return {s["name"]: s for s in json.loads(subprocess.run([BULKHEAD, "db", "status", "-f", "json", *options], capture_output=True, text=True,
                                                                 env=self.env, check=True).stdout)["sources"]}

    def lookup(self, *words):
        done = subprocess.run([BULKHEAD, "db", "lookup", *words, "-f", "json"], capture_output=True, text=True, env=self.env)
        return json.loads(done.stdout).get("entries", []) if done.returncode == 0 else []


def test_files(p):
    kev = CORPUS / "feed-kev" / "excerpt.json"
    (p.web / "kev.json").write_bytes(kev.read_bytes())
    word = "cisa-kev=kev:" + p.server.url("kev.json")
    check(p.run("update", "--sources", word) and p.sources()["cisa-kev"]["records"] == 18, "a file is fetched and imported", p.out)
    p.server.requests()
    check(p.run("update", "--sources", word) and "cisa-kev: unchanged" in p.out, "the same file is not imported again", p.out)
    check(p.server.requests() == [("kev.json", None, True)], "it was asked for with its ETag")
    changed = json.loads(kev.read_bytes())
    changed["vulnerabilities"].pop()
    changed["count"] -= 1
    (p.web / "kev.json").write_text(json.dumps(changed))
    check(p.run("update", "--sources", word) and p.sources()["cisa-kev"]["records"] == 17, "a changed file replaces the source", p.out)
    other = str(p.home / "other.bkdb")
    check(p.run("update", "--sources", word, "--db", other) and "cisa-kev" in p.sources("--db", other), "another database is filled from the start", p.out)
    p.run("remove", "cisa-kev")
    check(p.run("update", "--sources", word) and p.sources()["cisa-kev"]["records"] == 17, "a source that was removed comes back", p.out)


def test_trouble(p):
    noise = {f"CVE-2024-{i:05}": hashlib.sha256(str(i).encode()).hexdigest() for i in range(10000, 18000)}
    rows = "".join(f"{cve},0.{int(h[:4], 16) % 100000:05},0.5\n" for cve, h in noise.items())
    (p.web / "epss.csv").write_text("#model_version:v2025.03.14,score_date:2026-11-24T00:00:00+0000\ncve,epss,percentile\n" + rows)
    word = "epss=epss:" + p.server.url("epss.csv")
    p.server.trouble["epss.csv"] = ["429", "break"]
    check(p.run("update", "--sources", word) and p.sources()["epss"]["records"] == 8000, "429 and a broken connection are overcome", p.out)
    ranges = [r[1] for r in p.server.requests() if r[1]]
    check(len(ranges) == 1 and ranges[0] != "bytes=0-", "the rest was asked for, not everything", ranges)
    folder = p.home / ".cache" / "bulkhead" / "feeds" / "epss"
    data = (p.web / "epss.csv").read_bytes().replace(b",0.5\n", b",0.75\n")
    (p.web / "epss.csv").write_bytes(data)
    (folder / "0-epss.csv.part").write_bytes(data[:50000])
    (folder / "0-epss.csv.tag").write_text('"' + hashlib.sha1(data).hexdigest() + '"')
    check(p.run("update", "--sources", word) and p.server.requests() == [("epss.csv", "bytes=50000-", False)], "what an earlier run left is continued", p.out)
    (folder / "0-epss.csv.part").write_bytes(b"of another version")
    (folder / "0-epss.csv.tag").write_text('"old"')
    (p.web / "epss.csv").write_bytes(data.replace(b",0.75\n", b",0.25\n"))
    check(p.run("update", "--sources", word) and p.sources()["epss"]["records"] == 8000, "parts of another version are not glued on", p.out)
    p.server.trouble["epss.csv"] = ["page"]
    check(p.run("update", "--sources", word, code=4) and "a web page instead of data" in p.out, "a web page is no data", p.out)
    (p.web / "epss.csv").write_text('cve,epss,percentile\nCVE-2024-1,"')
    check(p.run("update", "--sources", word, code=4) and p.sources()["epss"]["records"] == 8000, "damaged data leave the old", p.out)
    missing = "gone=osv:" + p.server.url("nothing.json")
    kev = "cisa-kev=kev:" + p.server.url("kev.json")
    check(p.run("update", "--sources", missing + "," + kev, code=3) and "gone: " in p.out and "1 of 2 sources" in p.out, "one source failing leaves the others", p.out)
    dead = ["a=osv:http://127.0.0.1:1/a.json", "b=osv:http://127.0.0.1:1/b.json", "c=osv:http://127.0.0.1:1/c.json"]
    check(p.run("update", "--sources", ",".join(dead), code=4) and "no server could be reached" in p.out and "c.json" not in p.out, "without a network: one clear error", p.out)
    check(p.run("update", "--sources", "nonsense", code=2) and "neither the name of a source" in p.out, "a name that is none", p.out)


def osv(ident, fixed, package="left-pad"):
    return json.dumps({"id": ident, "modified": "2026-11-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": package}, "ranges": [
        {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]})


def test_osv(p):
    web = p.web / "npm"
    web.mkdir()
    with zipfile.ZipFile(web / "all.zip", "w") as z:
        for i in range(20):
            z.writestr(f"GHSA-aaaa-bbbb-{i:04}.json", osv(f"GHSA-aaaa-bbbb-{i:04}", "1.0.0"))
    (web / "modified_id.csv").write_text("2026-11-20T10:00:00.5Z,GHSA-aaaa-bbbb-0001\n2026-11-19T10:00:00Z,GHSA-aaaa-bbbb-0002\n")
    word = "npm2=osv:" + p.server.url("npm/")
    p.server.requests()
    check(p.run("update", "--sources", word) and len(p.lookup("npm", "left-pad")) == 20, "OSV: the archive comes first", p.out)
    check([r[0] for r in p.server.requests()] == ["npm/modified_id.csv", "npm/all.zip"], "OSV: after the list")
    (web / "GHSA-aaaa-bbbb-0003.json").write_text(osv("GHSA-aaaa-bbbb-0003", "2.0.0"))
    (web / "GHSA-new.json").write_text(osv("GHSA-new", "3.0.0"))
    (web / "modified_id.csv").write_text("2026-11-21T12:00:00Z,GHSA-gone\n2026-11-21T11:00:00Z,GHSA-new\n2026-11-21T10:00:00Z,GHSA-aaaa-bbbb-0003\n"
                                         + (web / "modified_id.csv").read_text())
    check(p.run("update", "--sources", word), "OSV: changed records", p.out)
    check(sorted(r[0] for r in p.server.requests()) == ["npm/GHSA-aaaa-bbbb-0003.json", "npm/GHSA-gone.json", "npm/GHSA-new.json", "npm/modified_id.csv"],
          "OSV: only they are fetched")
    fixed = {e["id"]: e["ranges"][0]["fixed"] for e in p.lookup("npm", "left-pad")}
    check(len(fixed) == 21 and fixed["GHSA-aaaa-bbbb-0003"] == "2.0.0" and fixed["GHSA-new"] == "3.0.0" and fixed["GHSA-aaaa-bbbb-0004"] == "1.0.0",
          "OSV: they replace those of the archive", fixed)
    check(p.run("update", "--sources", word) and "unchanged" in p.out, "OSV: nothing new", p.out)
    (web / "modified_id.csv").write_text("2026-11-22T12:00:00Z,../../evil\n")
    check(p.run("update", "--sources", word, code=4) and "names no file and time" in p.out, "OSV: a name that leads elsewhere is refused", p.out)


def csaf(cve, state):
    doc = json.loads((CORPUS / "feed-csaf" / "redhat-vex.json").read_bytes())
    doc["document"]["tracking"]["id"] = doc["vulnerabilities"][0]["cve"] = cve
    if state == "none":
        doc["vulnerabilities"][0]["remediations"] = []
    return json.dumps(doc).encode()


def test_csaf(p):
    web = p.web / "vex"
    (web / "2023").mkdir(parents=True)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for cve in ("CVE-2023-1001", "CVE-2023-1002", "CVE-2023-1003"):
            info = tarfile.TarInfo(f"2023/{cve.lower()}.json")
            data = csaf(cve, "all")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    archive = lzma.compress(plain.getvalue())
    (web / "csaf_vex_2026-11-20.tar.xz").write_bytes(archive)
    (web / "csaf_vex_2026-11-20.tar.xz.sha256").write_text(hashlib.sha256(b"another").hexdigest() + "  csaf_vex_2026-11-20.tar.xz\n")
    (web / "archive_latest.txt").write_text("csaf_vex_2026-11-20.tar.xz\n")
    (web / "changes.csv").write_text('"2023/cve-2023-1001.json","2026-11-19T10:00:00+00:00"\n')
    (web / "deletions.csv").write_text("")
    word = "rh=csaf:" + p.server.url("vex/")
    check(p.run("update", "--sources", word, code=4) and "SHA-256" in p.out, "CSAF: an archive that is not the published one is refused", p.out)
    (web / "csaf_vex_2026-11-20.tar.xz.sha256").write_text(hashlib.sha256(archive).hexdigest() + "  csaf_vex_2026-11-20.tar.xz\n")
    p.server.requests()
    check(p.run("update", "--sources", word) and p.sources()["rh"]["records"] == 3, "CSAF: the archive", p.out)

    def states():
        return {e["id"]: e["state"] for e in p.lookup("Red Hat:enterprise_linux:7", "samba")}
    check(states() == {f"CVE-2023-100{i}": "ignored" for i in (1, 2, 3)}, "CSAF: its states", states())
    (web / "2023" / "cve-2023-1002.json").write_bytes(csaf("CVE-2023-1002", "none"))
    (web / "2023" / "cve-2023-1004.json").write_bytes(csaf("CVE-2023-1004", "all"))
    (web / "changes.csv").write_text('"2023/cve-2023-1004.json","2026-11-21T10:00:00+00:00"\n"2023/cve-2023-1002.json","2026-11-21T09:00:00+00:00"\n'
                                     + (web / "changes.csv").read_text())
    (web / "deletions.csv").write_text('"2023/cve-2023-1003.json","2026-11-21T09:30:00+00:00"\n')
    p.server.requests()
    check(p.run("update", "--sources", word), "CSAF: changes and deletions", p.out)
    check("vex/csaf_vex_2026-11-20.tar.xz" not in [r[0] for r in p.server.requests()], "CSAF: the archive is not fetched again")
    check(states() == {"CVE-2023-1001": "ignored", "CVE-2023-1002": "affected", "CVE-2023-1004": "ignored"}, "CSAF: they count", states())


def test_repository(p):
    repo = p.web / "repo"
    (repo / "repodata").mkdir(parents=True)
    data = (CORPUS / "feed-updateinfo" / "amazon2023.xml").read_bytes()
    (repo / "repodata" / "abc-updateinfo.xml").write_bytes(data)
    repomd = """<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary"><location href="repodata/p.xml.gz"/></data>
<data type="updateinfo"><checksum type="sha256">%s</checksum><location href="repodata/abc-updateinfo.xml"/></data></repomd>"""
    (repo / "repodata" / "repomd.xml").write_text(repomd % ("0" * 64))
    word = "amazon=updateinfo:" + p.server.url("repo/")
    check(p.run("update", "--sources", word, code=4) and "SHA-256" in p.out, "a repository whose updateinfo is another file", p.out)
    (repo / "repodata" / "repomd.xml").write_text(repomd % hashlib.sha256(data).hexdigest())
    check(p.run("update", "--sources", word) and len(p.lookup("Amazon Linux:2023", "pcre2")) == 2, "a repository", p.out)


def test_published(p, folder):
    key, public, other = folder / "key.pem", folder / "key.pub", folder / "other.pem"
    for name in (key, other):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", name], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    fleet = p.web / "bulkhead.bkdb"
    check(p.run("export", str(fleet)) and p.run("sign", "--key", str(key), str(fleet)), "export and sign", p.out)
    check(p.run("verify", "--db", str(fleet), "--key", str(public)), "verify", p.out)
    # the manifest's signature, checked by openssl itself
    text = (p.web / "bulkhead.bkdb.manifest").read_bytes()
    cut = text.rindex(b"signature ")
    (folder / "signed").write_bytes(text[:cut])
    (folder / "signature").write_bytes(bytes.fromhex(text[cut:].split()[2].decode()))
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", folder / "signed", "-sigfile", folder / "signature"],
                          capture_output=True, text=True)
    check(done.returncode == 0, "openssl agrees with the signature", done.stdout + done.stderr)
    client = ["--db", str(folder / "client.bkdb"), "--key", str(public)]
    url = p.server.url("")
    p.server.requests()
    check(p.run("update", "--from", url, *client) and (folder / "client.bkdb").read_bytes() == fleet.read_bytes(), "a client fetches all of it", p.out)
    pieces = len([r for r in p.server.requests() if ".pieces/" in r[0]])
    check(p.run("update", "--from", url, *client) and "unchanged" in p.out and len(p.server.requests()) == 1, "and nothing when it has it", p.out)
    old = folder / "old"
    old.mkdir()
    for name in ("bulkhead.bkdb", "bulkhead.bkdb.manifest"):
        shutil.copy(p.web / name, old / name)
    shutil.copytree(p.web / "bulkhead.bkdb.pieces", old / "bulkhead.bkdb.pieces")
    p.run("import", "--source", "more", str(CORPUS / "feed-osv" / "BIT-minio-2024-55949.json"))
    p.run("export", str(fleet))
    check(p.run("sign", "--key", str(key), str(fleet)), "a new version", p.out)
    check(p.run("update", "--from", str(p.web), *client) and (folder / "client.bkdb").read_bytes() == fleet.read_bytes(), "from a folder", p.out)
    fetched = int(p.out.split(": ")[-1].split(" of ")[0])
    check(0 < fetched <= pieces, f"{fetched} of {pieces} pieces were fetched", p.out)
    before = (folder / "client.bkdb").read_bytes()
    check(p.run("update", "--from", str(old), *client, code=2) and "rollback" in p.out, "an older version is refused", p.out)
    check(p.run("update", "--from", url, "--db", str(folder / "client.bkdb"), "--key", str(other), code=2) and "signature" in p.out, "another key is refused", p.out)
    p.env["SOURCE_DATE_EPOCH"] = str(int(NOW) + 40 * 86400)
    check(p.run("update", "--from", url, *client, code=2) and "expired" in p.out, "an expired one is refused", p.out)
    p.env["SOURCE_DATE_EPOCH"] = NOW
    fresh = ["--db", str(folder / "fresh.bkdb"), "--key", str(public)]
    text = (p.web / "bulkhead.bkdb.manifest").read_bytes()
    piece = p.web / "bulkhead.bkdb.pieces" / (text.split(b"\n")[8].split()[0].decode() + ".zst")
    good = piece.read_bytes()
    piece.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    check(p.run("update", "--from", url, *fresh, code=2) and "not the piece that was signed" in p.out, "a forged piece is refused", p.out)
    piece.write_bytes(good)
    manifest = p.web / "bulkhead.bkdb.manifest"
    manifest.write_bytes(text.replace(b"version 1", b"version 2", 1))
    check(p.run("update", "--from", url, *fresh, code=2) and not (folder / "fresh.bkdb").exists(), "a forged manifest is refused", p.out)
    check((folder / "client.bkdb").read_bytes() == before, "none of them touched the database")
    check(p.run("update", "--from", url, code=2) and "wants --key" in p.out, "--from without a key", p.out)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        p = Place(folder)
        test_files(p)
        test_trouble(p)
        test_osv(p)
        test_csaf(p)
        test_repository(p)
        test_published(p, folder)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    BULKHEAD = os.path.abspath(sys.argv[1])
    sys.exit(main())
