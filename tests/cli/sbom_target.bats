#!/usr/bin/env bats
# SBOMs instead of images. What the formats hold is the business of tests/table/pkg/sbom.tsv and tests/live/sboms.py.
load common

# A Debian 12 with an old openssl, of which the built-in facts know flaws.
prepare() {
	mkdir -p root/etc root/var/lib/dpkg
	printf 'ID=debian\nVERSION_ID="12"\n' >root/etc/os-release
	printf 'Package: libssl3\nStatus: install ok installed\nVersion: 3.0.9-1\nArchitecture: amd64\nSource: openssl\nMaintainer: x\n' >root/var/lib/dpkg/status
	# Written otherwise than its URL has it, and owned by the package above.
	mkdir -p root/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info root/var/lib/dpkg/info
	printf 'Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\nLicense: The MIT\n' >root/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA
	echo /usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA >root/var/lib/dpkg/info/libssl3.list
}

# packages FILE: what a JSON report says about each.
packages() {
	python3 -c 'import json, sys; print([[p.get(k) for k in ("type", "name", "version", "arch", "source", "paths", "licenses", "owner")] for p in json.load(open(sys.argv[1]))["packages"]])' "$1"
}

# findings FILE: id, package and state of each, of a JSON report.
findings() {
	python3 -c 'import json, sys; print(sorted((f["id"], f["package"].split("?")[0], f["state"]) for f in json.load(open(sys.argv[1]))["findings"]))' "$1"
}

@test "an SBOM has the findings of what it was made from, in each of our formats" {
	prepare
	bulkhead scan --fail-on never -f json=image.json -f cyclonedx=a -f spdx=b dir:root
	[[ $(findings image.json) == *"CVE-"*"libssl3@3.0.9-1"* ]]
	for sbom in a b; do
		run bulkhead scan --fail-on never -f table -f json=report.json "sbom:$sbom"
		[ "$status" -eq 0 ]
		[[ $output == *"Target    sbom:$sbom (sbom, "*" JSON)"*"only what the SBOM lists"*"System    "*"Packages  2"* ]]
		[ "$(findings report.json)" = "$(findings image.json)" ]
		[ "$(packages report.json)" = "$(packages image.json)" ]
	done
	run bash -c "'$BULKHEAD' scan --fail-on never -f json=report.json sbom:- <a"
	[ "$status" -eq 0 ]
	[ "$(findings report.json)" = "$(findings image.json)" ]
	run bulkhead scan sbom:a
	[ "$status" -eq 1 ]
}

@test "an SBOM in the image is credited: nothing is listed twice" {
	prepare
	bulkhead scan --fail-on never -f json=image.json -f cyclonedx=root/app.cdx.json -f spdx=root/app.spdx.json dir:root
	bulkhead scan --fail-on never -f json=report.json dir:root
	[ "$(findings report.json)" = "$(findings image.json)" ]
	run python3 -c 'import json; print([(p["name"], p["evidence"], p["paths"]) for p in json.load(open("report.json"))["packages"] if p["type"] == "deb" or p.get("owner")])'
	[ "$output" = "[('libssl3', 'database', ['var/lib/dpkg/status', 'app.cdx.json', 'app.spdx.json']), ('PyYAML', 'database', ['usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA', 'app.cdx.json', 'app.spdx.json'])]" ]
}

@test "the file that the SBOM names is the place of a package" {
	printf '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "a", "purl": "pkg:npm/a@1", "evidence": {"occurrences": [{"location": "/srv/package-lock.json"}]}}, {"type": "library", "name": "b", "purl": "pkg:npm/b@1"}]}' >x
	bulkhead scan --fail-on never -f json=report.json sbom:x || true
	run python3 -c 'import json; print([p["paths"] for p in json.load(open("report.json"))["packages"]])'
	[ "$output" = "[['srv/package-lock.json'], ['x']]" ]
}

@test "what is no SBOM, or none that is read, is an error that says so" {
	run bulkhead scan sbom:absent
	fails 2 "absent: no such file or folder"
	run bulkhead scan sbom:
	fails 2 "sbom: needs a path behind it"
	run bulkhead scan sbom:.
	fails 2 "is a folder, not an SBOM"
	: >empty
	run bulkhead scan sbom:empty
	fails 2 "empty"
	echo hello >x
	run bulkhead scan sbom:x
	fails 2 "not an SBOM of a known format"
	printf '{"bomFormat": "CycloneDX", "specVersion": "1.3", "components": []}' >x
	run bulkhead scan sbom:x
	fails 2 "CycloneDX 1.3 is not read; 1.4 to 1.7 are"
	printf '{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}' >x
	run bulkhead scan sbom:x
	fails 2 "SPDX 3 is not read"
	printf '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "a"' >x
	run bulkhead scan sbom:x
	fails 2 "JSON ends too early, at byte 76"
	printf '<!DOCTYPE bom [<!ENTITY a "b">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>' >x
	run bulkhead scan sbom:x
	fails 2 "entities"
	python3 -c 'print("{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": " + "[{\"components\": " * 10000)' >x
	run bulkhead scan sbom:x
	fails 2 "nested deeper than 64 levels"
}

@test "components without a package URL are told, and not taken for checked" {
	printf '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "a", "version": "1"}, {"type": "file", "name": "b"}]}' >x
	run bulkhead scan sbom:x
	[ "$status" -eq 3 ]
	[[ $output == *"Packages  1"*"components without a package URL: 1 (\"a\" first)"* ]]
}
