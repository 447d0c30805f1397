#!/usr/bin/env bats
# Exceptions, VEX, states, Dockerfile lines, baselines, differences, licences: from the command line to the report.
load common

# A Debian 12 with an old openssl, of which the built-in facts know flaws.
prepare() {
	mkdir -p root/etc root/var/lib/dpkg
	printf 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n' >root/etc/os-release
	package libssl3 3.0.9-1 openssl >root/var/lib/dpkg/status
}

package() {
	printf 'Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\nSource: %s\nMaintainer: x\n\n' "$@"
}

# report EXPRESSION [options]: the Python expression over the JSON report r of a new scan; ask EXPRESSION: of the last one.
report() {
	local expression=$1
	shift
	bulkhead scan dir:root -f json "$@" >report.json || true
	ask "$expression"
}

ask() {
	python3 -c 'import json, sys; r = json.load(open("report.json")); print(eval(sys.argv[1]))' "$1"
}

# found ID: how many findings have it.
found() {
	ask "sum(f['id'] == '$1' for f in r['findings'])"
}

@test "except writes an exception that the next scan honours" {
	prepare
	report 1 && [ "$(found CVE-2023-5363)" = 1 ]
	echo '# ours' >bulkhead.yaml
	run bulkhead except CVE-2023-5363 --package openssl --until 2099-12-31 --reason "no such ciphers" --owner team
	[ "$status" -eq 0 ]
	[ "$output" = "CVE-2023-5363 is excepted until 2099-12-31 in bulkhead.yaml" ]
	[ "$(head -1 bulkhead.yaml)" = "# ours" ]
	[ "$(report '[(f["id"], f["exception"]["owner"], f["exception"]["from"]) for f in r["suppressed"]]')" = "[('CVE-2023-5363', 'team', 'bulkhead.yaml:4')]" ]
	[ "$(ask 'r["summary"]["suppressed"], r["summary"]["hidden_by"]["exception"]')" = "(1, 1)" ]
	[ "$(found CVE-2023-5363)" = 0 ]
	run bulkhead except cve-2023-5363 --package openssl --until 2099-12-31 --reason again
	fails 2 "is excepted there already, until 2099-12-31"
}

@test "except asks for what is missing" {
	run bulkhead except CVE-1 --reason x
	fails 2 "an exception needs --until DATE and --reason TEXT"
	run bulkhead except CVE-1 --reason x --until tomorrow
	fails 2 "--until must be a day like 2026-12-31, not 'tomorrow'"
	run bulkhead except CVE-1 --reason x --until 2020-01-01
	fails 2 "--until 2020-01-01 is over already"
	[ ! -e bulkhead.yaml ]
}

@test "an exception that ran out is a finding, one that matches nothing is named" {
	prepare
	cat >bulkhead.yaml <<-EOF
		exceptions:
		  - {id: CVE-2023-5363, reason: r, owner: bob, expires: 2020-01-01}
		  - {id: CVE-1999-0001, reason: r, owner: bob, expires: 2099-01-01}
	EOF
	[ "$(report '[f["title"] for f in r["findings"] if f["id"] == "exception-expired"][0]')" = \
		"The exception for CVE-2023-5363 (bulkhead.yaml:2, owner bob) ran out on 2020-01-01" ]
	run bulkhead scan dir:root
	[[ $output == *"the exception for CVE-1999-0001 (bulkhead.yaml:3) matches nothing: it can be deleted"* ]]
}

@test "a damaged exception is an error with its line, for every command" {
	prepare
	printf 'exceptions:\n  - id: X\n    owner: o\n    expires: 2099-01-01\n' >bulkhead.yaml
	run bulkhead scan dir:root
	fails 2 "bulkhead.yaml:2:5: the exception has no reason 'X'"
	run bulkhead config
	fails 2 "bulkhead.yaml:2:5: the exception has no reason 'X'"
}

@test "VEX from a file and from a folder" {
	prepare
	mkdir -p vex/deep
	cat >vex/deep/a.json <<-EOF
		{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/1", "author": "Me", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
		 "statements": [{"vulnerability": {"name": "CVE-2023-5363"}, "products": [{"@id": "pkg:deb/debian/libssl3"}], "status": "not_affected",
		                 "justification": "vulnerable_code_not_present"}]}
	EOF
	echo '{"some": "JSON"}' >vex/other.json
	for place in vex vex/deep/a.json; do
		[ "$(report '[(f["id"], f["vex"]["justification"], f["vex"]["from"]) for f in r["suppressed"]]' --vex "$place")" = \
			"[('CVE-2023-5363', 'vulnerable_code_not_present', 'vex/deep/a.json')]" ]
		[ "$(ask 'r["vex"][0]["matched"]')" = 1 ]
	done
	run bulkhead scan dir:root --vex vex/other.json
	fails 2 "vex/other.json: neither OpenVEX nor CSAF nor CycloneDX"
	run bulkhead scan dir:root --vex nowhere
	fails 2 "--vex nowhere: No such file or directory"
}

@test "states are filtered and counted" {
	prepare
	[ "$(report '{f["state"] for f in r["findings"]}' --state fixed)" = "{'fixed'}" ]
	[ "$(report '{f["state"] for f in r["findings"]}' --state postponed,ignored)" = "set()" ]
	[ "$(ask 'r["summary"]["hidden_by"]["state"] > 40')" = True ]
	run bulkhead scan dir:root --state broken
	fails 2 "broken"
}

@test "the table says first what to change" {
	prepare
	run bulkhead scan dir:root
	[ "$status" -eq 1 ]
	[[ $output == *"Fix first"*"1. upgrade openssl (libssl3) 3.0.9-1 to 3.0."*"PACKAGE"* ]]
	[ "$(report 'r["changes"][0]["kind"], r["changes"][0]["what"]')" = "('package', 'openssl')" ]
	[ "$(ask 'len(r["changes"][0]["findings"]) == sum("fixed" in f for f in r["findings"])')" = True ]
}

# second: a later version of the root, with another openssl and one package more.
second() {
	cp -r root new
	{
		package libssl3 3.0.15-1~deb12u1 openssl
		package curl 7.88.1-10 curl
	} >new/var/lib/dpkg/status
}

@test "with a baseline only what is new or worse counts" {
	prepare
	second
	run bulkhead scan --baseline dir:root dir:root
	[ "$status" -eq 0 ]
	[[ $output == *"Baseline  dir:root: 0 new, 0 worse, "*" unchanged, 0 gone"* ]]
	run bulkhead scan --baseline dir:new dir:root
	[ "$status" -eq 1 ]
	[[ $output == *"new or worse findings at or above high"* ]]
	report "sorted({f['baseline'] for f in r['findings']})" --baseline dir:new >out
	[ "$(cat out)" = "['new', 'unchanged']" ]
	[ "$(ask "r['baseline']['new'] + r['baseline']['unchanged'] == len(r['findings'])")" = True ]
	[ "$(ask "r['baseline']['text']")" = dir:new ]
}

@test "diff tells packages and findings apart" {
	prepare
	second
	run bulkhead diff dir:root dir:new
	[ "$status" -eq 0 ]
	[[ $output == *"Packages: 1 added, 1 upgraded; 0 are the same"*"+ curl 7.88.1-10 (deb)"*"↑ libssl3 3.0.9-1 → 3.0.15-1~deb12u1 (deb)"* ]]
	[[ $output == *"- unknown CVE-2023-5363 libssl3 3.0.9-1"* ]]
	mkdir -p root/opt/six-1.9.0.dist-info new/opt/six-1.16.0.dist-info
	printf 'Name: six\nVersion: 1.9.0\n' >root/opt/six-1.9.0.dist-info/METADATA
	printf 'Name: six\nVersion: 1.16.0\n' >new/opt/six-1.16.0.dist-info/METADATA
	run bulkhead diff dir:root dir:new
	[[ $output == *"↑ six 1.9.0 → 1.16.0 (pypi)"* ]]
	rm -r root/opt new/opt
	bulkhead diff -f json -o report.json dir:new dir:root
	[ "$(ask "[(p['change'], p['name']) for p in r['packages']]")" = "[('removed', 'curl'), ('downgraded', 'libssl3')]" ]
	[ "$(ask "r['summary']['new_findings'] == sum(f['change'] == 'new' for f in r['findings']) > 0")" = True ]
	run bulkhead diff --fail-on high dir:new dir:root
	[ "$status" -eq 1 ]
	run bulkhead diff --fail-on critical dir:root dir:root
	[ "$status" -eq 0 ]
	run bulkhead diff dir:root
	[ "$status" -eq 2 ]
}

# npm_package NAME VERSION LICENSE
npm_package() {
	mkdir -p "root/srv/node_modules/$1"
	echo "{\"name\": \"$1\", \"version\": \"$2\", \"license\": \"$3\"}" >"root/srv/node_modules/$1/package.json"
}

@test "licences are normalised, listed, allowed and denied" {
	npm_package a 1.0.0 "Apache 2.0"
	npm_package b 1.0.0 "GPL-2.0+"
	npm_package c 1.0.0 "MIT OR GPL-3.0"
	npm_package d 1.0.0 "BSD"
	[ "$(report "[p['spdx'] for p in r['packages']]")" = "['Apache-2.0', 'GPL-2.0-or-later', 'MIT OR GPL-3.0-only', 'LicenseRef-BSD']" ]
	[ "$(report "[f['package'] for f in r['findings'] if f['class'] == 'license']" --license-deny 'GPL-*')" = "['pkg:npm/b@1.0.0']" ]
	[ "$(report "[f['package'] for f in r['findings'] if f['class'] == 'license']" --license-allow MIT,Apache-2.0)" = "['pkg:npm/b@1.0.0', 'pkg:npm/d@1.0.0']" ]
	[ "$(report "[f['package'] for f in r['findings'] if f['class'] == 'license']" --license-allow 'MIT,Apache-2.0,GPL-3.0-only,LicenseRef-BSD')" = "[]" ]
	run bulkhead scan dir:root --licenses
	[[ $output == *"Licences"*"Apache-2.0  1: a"*"LicenseRef-BSD  1: d"* ]]
}

@test "VEX that a scan writes says to the next one what the first was told" {
	prepare
	cat >in.json <<-EOF
		{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/1", "author": "Me", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
		 "statements": [{"vulnerability": {"name": "CVE-2023-5363"}, "products": [{"@id": "pkg:deb/debian/libssl3"}], "status": "not_affected",
		                 "justification": "vulnerable_code_not_present"}]}
	EOF
	bulkhead scan dir:root --vex in.json -f openvex=out.json || true
	[ "$(report "[(f['id'], f['vex']['justification']) for f in r['suppressed']]" --vex out.json)" = "[('CVE-2023-5363', 'vulnerable_code_not_present')]" ]
	[ "$(ask "all(f['vex']['status'] in ('affected', 'under_investigation') for f in r['findings'] if f['class'] == 'vulnerability')")" = True ]
}

@test "an earlier report is a baseline, and can be compared" {
	prepare
	second
	bulkhead scan dir:root -f json -o old.json || true
	run bulkhead scan --baseline old.json dir:root
	[ "$status" -eq 0 ]
	[[ $output == *"Baseline  old.json: 0 new, 0 worse, "*" unchanged, 0 gone"* ]]
	run bulkhead diff old.json dir:new
	[ "$status" -eq 0 ]
	[[ $output == *"Before  old.json"*"Packages: 1 added, 1 upgraded; 0 are the same"* ]]
	bulkhead diff -f json -o a.json dir:root dir:new
	bulkhead diff -f json -o b.json old.json dir:new
	python3 - <<-EOF
		import json
		a, b = json.load(open("a.json")), json.load(open("b.json"))
		assert a["summary"] == b["summary"] and a["findings"] == b["findings"] and a["packages"] == b["packages"]
	EOF
	printf '{"schema": "bulkhead.report/1", "target": ' >cut.json
	run bulkhead scan --baseline cut.json dir:root
	[ "$status" -eq 2 ]
}
