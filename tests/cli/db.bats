#!/usr/bin/env bats
# `bulkhead db`: importing, looking, damaged input. Samples: tests/corpus/feed.md.
load common
bats_require_minimum_version 1.5.0

setup_file() {
	export CORPUS="$BATS_TEST_DIRNAME/../corpus"
}

db() {
	bulkhead db "$@" --db "$PWD/my.bkdb"
}

@test "import makes a database, and says what came in" {
	run --separate-stderr db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	[ "$status" -eq 0 ]
	[[ $output == *"cisa-kev: 18 records in 1 document, data of 2026-07-23"* ]]
	[ -f my.bkdb ]
	run db verify
	[ "$status" -eq 0 ]
	[[ $output == *"my.bkdb: sound" ]]
}

@test "sources stand beside each other, and one of the same name is replaced" {
	db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	db import --source two "$CORPUS/feed-osv/list.json" || [ $? -eq 3 ]
	run db status
	[[ $output == *"cisa-kev "* && $output == *"two "* ]]
	db import --source two --replace "$CORPUS/feed-osv/BIT-minio-2024-55949.json"
	run db status
	[[ $output == *"cisa-kev "* && $output == *"Bitnami"* && $output != *"npm"* ]]
	db remove two
	run db status
	[[ $output == *"cisa-kev "* && $output != *"Bitnami"* ]]
	run db remove two
	fails 2 "no source is named two"
}

@test "a jar that says nothing about itself gets its name from an imported index" {
	mkdir -p root/opt
	tail -n +2 "$CORPUS/pkg-java_archive/no-name-in-pom" >root/opt/x.jar
	db import --no-embedded "$CORPUS/feed-java_index/both.sha1sum"
	run --separate-stderr bulkhead scan --db my.bkdb --format json dir:root
	[[ $output == *'"purl": "pkg:maven/com.example/x@1.5"'* ]]
	(cd root && sha1sum opt/x.jar | grep -q 664d2eda86f11e033fed7a482def4b5a4156583d)
}

@test "an import that would lose an ecosystem is refused" {
	db import --no-embedded "$CORPUS/feed-osv/BIT-minio-2024-55949.json"
	cp my.bkdb before
	run db import "$CORPUS/feed-osv/GO-2021-0067.json"
	fails 2 "source osv has 1 entries for Bitnami"
	run db import --source osv "$CORPUS/feed-epss/official.csv"
	fails 2 "source osv holds data of feed osv, not of epss"
	cmp my.bkdb before
}

@test "the same files give the same bytes, whatever their order and packing" {
	mkdir one two
	cp "$CORPUS"/feed-osv/{GO,PYSEC,BIT,ALSA}-* one
	tar -cJf all.tar.xz -C one .
	(cd one && python3 -m zipfile -c ../all.zip *)
	local date=2026-09-01
	bulkhead -q db import --no-embedded --date $date --db a.bkdb one
	bulkhead -q db import --no-embedded --date $date --db b.bkdb $(printf '%s\n' one/* | sort -r)
	bulkhead -q db import --no-embedded --date $date --db c.bkdb - <all.tar.xz || true
	bulkhead -q db import --no-embedded --date $date --db d.bkdb all.zip
	cmp a.bkdb b.bkdb
	for f in a c d; do bulkhead db status -f json --db $f.bkdb | grep -v sha256 | grep -v '"path"' >$f.json; done
	diff a.json c.json
	diff a.json d.json
}

@test "status and lookup speak JSON" {
	db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	db import --source o "$CORPUS/feed-osv/list.json" || [ $? -eq 3 ]
	db status -f json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["schema"] == "bulkhead.db-status/1" and d["kev"] == 18
assert [s["name"] for s in d["sources"]] == ["cisa-kev", "o"]
assert {e["name"] for e in d["ecosystems"]} >= {"npm", "Debian:12", "Ubuntu:22.04:LTS"}'
	db lookup npm left-pad -f json | python3 -c '
import json, sys
e = [x for x in json.load(sys.stdin)["entries"] if not x["withdrawn"]]
assert [(x["id"], x["severity"], x["ranges"]) for x in e] == [("CVE-2019-9999", "critical",
    [{"introduced": "0", "fixed": "1.3.1"}, {"introduced": "2.0.0", "last_affected": "2.0.3"}])], e'
	db lookup GHSA-2m96-52r3-2f3g -f json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["id"] == "CVE-2019-9999" and d["score"] == 9.8 and len(d["entries"]) == 1'
}

@test "lookup compares versions, and knows announcements" {
	db import --no-embedded "$CORPUS/feed-osv/list.json" || [ $? -eq 3 ]
	run db lookup Debian:12 openssl 3.0.11-1~deb12u1
	[[ $output == *"CVE-2023-5363"*" affected "* ]]
	run db lookup Debian:12 openssl 3.0.11-1~deb12u2
	[[ $output == *"CVE-2023-5363"*"not affected"* ]]
	run db lookup DSA-5532-1
	[[ $output == *"openssl"*"before 3.0.11-1~deb12u2"* ]]
	run db lookup Debian:12 bash
	[ "$status" -eq 0 ]
	[[ $output == "no entry about bash in the data of Debian:12" ]]
	run db lookup Debian:13 bash
	fails 2 "no data for Debian:13"
	run db lookup CVE-1999-0001
	fails 2 "know nothing of CVE-1999-0001"
}

@test "records that can't be read are told, and the rest is imported" {
	run --separate-stderr db import --no-embedded "$CORPUS/feed-osv/list-with-damage.json"
	[ "$status" -eq 3 ]
	[[ $output == *"could not be read:"*"1  records that are no JSON"* ]]
	[[ $stderr == *"the rest was imported"* ]]
	run db lookup npm evil
	[[ $output == *"MAL-2024-1"* ]]
}

@test "the functions that a Go record names are looked up, and told in findings" {
	db import --no-embedded "$CORPUS/feed-osv/GO-2021-0067.json"
	run db lookup GO-2021-0067
	[[ $output == *"concerns who uses archive/zip: toValidName"* ]]
	cat >go.json <<-'END'
		{"id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-1"],"affected":[{"package":{"ecosystem":"Go","name":"example.com/m"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/m/a","symbols":["Do","T.Run"]},{"path":"example.com/m/b"}]}},
		{"package":{"ecosystem":"Go","name":"example.com/other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/other/x","symbols":["No"]}]}}]}
	END
	db import --source go go.json
	mkdir -p root/srv
	printf 'module example.com/app\n\ngo 1.22\n\nrequire example.com/m v1.1.0\n' >root/srv/go.mod
	bulkhead scan --db my.bkdb --fail-on never -f json=report.json dir:root || [ $? -eq 3 ]
	run python3 -c 'import json; print([f["evidence"] for f in json.load(open("report.json"))["findings"]])'
	[ "$output" = "['package example.com/m v1.1.0 < 1.2.0; concerns who uses example.com/m/a: Do, T.Run; example.com/m/b']" ]
}

@test "what is no feed, not there or not readable is refused, and the database stays" {
	db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	cp my.bkdb before
	echo hello >hello.txt
	run db import hello.txt
	fails 2 "hello.txt: not recognised as data of any feed"
	run db import --feed osv "$CORPUS/feed-kev/excerpt.json"
	fails 2 "nothing to import as osv"
	run db import --feed kev hello.txt
	fails 2 "hello.txt: JSON byte"
	run db import "$CORPUS/feed-kev/truncated.json"
	fails 2 "ends too early"
	run db import "$CORPUS/feed-kev/count-mismatch.json"
	fails 2 "says that it has 99 records, it has 2"
	run db import nothing.json
	fails 2 "nothing.json: no such file or folder"
	mkfifo pipe
	run db import pipe
	fails 2 "pipe is a FIFO"
	run db import /dev/null
	fails 2 "character device"
	mkdir empty
	run db import empty
	fails 2 "no advisories in this folder"
	head -c 300 "$CORPUS/feed-kev/excerpt.json" | gzip | head -c 100 >cut.json.gz
	run db import cut.json.gz
	fails 2 "cut.json.gz"
	run db import "$CORPUS/feed-epss/over-one.csv"
	fails 2 "line 2: not"
	python3 -c 'print("{\"id\": " + "[" * 100000)' >deep.json
	run db import deep.json
	fails 2 "nested deeper than 64 levels"
	cmp my.bkdb before
}

@test "control characters in names don't come in" {
	run --separate-stderr db import --no-embedded "$CORPUS/feed-osv/control-bytes.json"
	[ "$status" -eq 3 ]
	[[ $output == *"1 entry about packages"*"2  entries with an id, name or version"* ]]
}

@test "a file that may not be read is an error of the user" {
	cp "$CORPUS/feed-kev/excerpt.json" secret.json
	chmod 0 secret.json
	run_unprivileged db import --no-embedded --db my.bkdb secret.json
	fails 2 "secret.json: Permission denied"
}

@test "a damaged database is not changed" {
	db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	printf '\377' | dd of=my.bkdb bs=1 seek=1500 conv=notrunc status=none
	cp my.bkdb before
	run db verify
	[ "$status" -eq 2 ]
	run db import --source more "$CORPUS/feed-osv/BIT-minio-2024-55949.json"
	[ "$status" -eq 2 ]
	[[ $output == *"move it away to begin anew"* ]]
	cmp my.bkdb before
	head -c 100 before >my.bkdb
	run db status
	[ "$status" -eq 2 ]
}

@test "an interrupted import leaves the old database and no other file" {
	db import --no-embedded "$CORPUS/feed-kev/excerpt.json"
	cp my.bkdb before
	mkfifo slow
	bulkhead db import --db "$PWD/my.bkdb" - <slow &
	local import=$!
	exec 7>slow
	head -c 300 "$CORPUS/feed-kev/excerpt.json" >&7
	sleep 0.5
	run db import "$CORPUS/feed-epss/official.csv"
	fails 2 "another bulkhead is changing"
	kill -INT "$import"
	run wait "$import"
	exec 7>&-
	[ "$status" -ne 0 ]
	cmp my.bkdb before
	[ "$(find . -maxdepth 1 -name 'my.bkdb*' | wc -l)" -eq 1 ]
	db import "$CORPUS/feed-epss/official.csv"
}

@test "words that are off are told" {
	run db import
	fails 2 "usage: bulkhead db import FILE|FOLDER|- ..."
	run db status more
	fails 2 "usage: bulkhead db status"
	run db import --date tomorrow x
	fails 2 "--date tomorrow: not a date"
	run db import --release forky x
	fails 2 "not NAME=ECOSYSTEM"
	run db import --feed nvdx x
	fails 2 "nvdx"
	run bulkhead db imprt x
	fails 2 "import"
	run bulkhead db status --db nothing.bkdb
	fails 2 "nothing.bkdb: no such file"
}

@test "only the ecosystems asked for come in" {
	db import --no-embedded --ecosystem npm,Debian "$CORPUS/feed-osv/list.json" || [ $? -eq 3 ]
	db status -f json | python3 -c '
import json, sys
assert [e["name"] for e in json.load(sys.stdin)["ecosystems"]] == ["Debian:12", "npm"]'
}

@test "Debian's states are kept, and the highest of Alpine's fixes counts" {
	db import --no-embedded --source d "$CORPUS/feed-debian_tracker/states.json"
	db lookup CVE-2026-54371 -f json | python3 -c '
import json, sys
got = {e["ecosystem"]: e["state"] for e in json.load(sys.stdin)["entries"]}
assert got == {"Debian:10": "ignored", "Debian:11": "postponed", "Debian:12": "affected", "Debian:13": "postponed", "Debian:14": "undetermined"}, got'
	db import "$CORPUS"/feed-alpine_secdb/{v3.10-main.yaml,v3.15-main.json,wolfi.json}
	run db lookup Alpine:v3.10 busybox 1.30.0-r0
	[[ $output == *"CVE-2019-5747"*"affected"*"before 1.30.1-r2"* ]]
	run db lookup Alpine:v3.15 busybox 1.0
	[[ $output == *"CVE-2021-42373"*"not_affected"*"never affected"* ]]
	run db lookup CVE-2022-41717
	[[ $output == *"Wolfi"*"before 1.19.4-r0"* ]]
	run db import --source x "$CORPUS/feed-alpine_secdb/unknown-distribution.json"
	fails 2 "--release mine=ECOSYSTEM"
	db import --source x --release mine=Mine "$CORPUS/feed-alpine_secdb/unknown-distribution.json"
}

@test "the first import starts from the built-in facts" {
	export XDG_DATA_HOME="$PWD/data"
	bulkhead db status -f json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["path"] is None and "cisa-kev" in [s["name"] for s in d["sources"]]' || skip "built without facts"
	bulkhead -q db import "$CORPUS/feed-kev/excerpt.json"
	bulkhead -q db import "$CORPUS/feed-osv/BIT-minio-2024-55949.json"
	bulkhead db status -f json | python3 -c '
import json, os, sys
d = json.load(sys.stdin)
by_name = {s["name"]: s for s in d["sources"]}
assert d["path"] == os.environ["XDG_DATA_HOME"] + "/bulkhead/bulkhead.bkdb"
assert by_name["cisa-kev"]["records"] == 18 and not by_name["cisa-kev"]["embedded"]  # replaced
assert by_name["debian-changelogs"]["embedded"] and by_name["osv"]["records"] == 1
assert "Debian:12" in [e["name"] for e in d["ecosystems"]] and "Bitnami" in [e["name"] for e in d["ecosystems"]]'
	run bulkhead db verify
	[ "$status" -eq 0 ]
}

@test "a scan matches what was imported" {
	mkdir -p root/etc root/var/lib/dpkg
	printf 'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n' >root/etc/os-release
	printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n' \
		chromium 98.0.4758.70-1 attr 1:2.5.1-4 >root/var/lib/dpkg/status
	db import --no-embedded "$CORPUS"/feed-debian_tracker/{excerpt,states}.json
	db import "$CORPUS/feed-kev/excerpt.json"
	run bulkhead scan --db "$PWD/my.bkdb" --fail-on low -f json -o report.json "rootfs:$PWD/root"
	python3 -c '
import json
r = json.load(open("report.json"))
got = {(f["id"], f["state"], tuple(f.get("fixed", []))) for f in r["findings"] if f["class"] == "vulnerability"}
assert got == {("CVE-2022-0456", "fixed", ("98.0.4758.80-1",)), ("CVE-2026-54371", "affected", ()), ("TEMP-0290435-0B57B5", "affected", ())}, got
assert {"debian-tracker"} <= {d["source"] for d in r["data"]}, r["data"]'
}

@test "scores and weaknesses of the NVD are looked up, and match nothing" {
	db import --no-embedded "$CORPUS/feed-nvd/nvdcve-2.0.json"
	run db lookup CVE-2023-38545
	[ "$status" -eq 0 ]
	[[ $output == *"critical 9.8"* && $output == *"weaknesses CWE-122, CWE-787"* && $output == *"no entry about a package"* ]]
	db lookup CVE-2023-38545 -f json | python3 -c 'import json, sys; assert json.load(sys.stdin)["weaknesses"] == ["CWE-122", "CWE-787"]'
}
