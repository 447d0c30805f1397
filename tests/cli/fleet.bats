#!/usr/bin/env bats
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
load common.bash

# image FOLDER NAME VERSION: a layout of one small Debian image, by hand.
image() {
	mkdir -p "$1/blobs/sha256" rootfs/etc rootfs/var/lib/dpkg
	printf 'ID=debian\nVERSION_ID="12"\n' >rootfs/etc/os-release
	printf 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n' "$3" >rootfs/var/lib/dpkg/status
	tar --sort=name --mtime=@0 -C rootfs -cf layer.tar .
	layer=$(blob "$1" layer.tar)
	printf '{"os":"linux","architecture":"amd64","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "${layer%% *}" >config.json
	config=$(blob "$1" config.json)
	printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
		"${config%% *}" "${config##* }" "${layer%% *}" "${layer##* }" >manifest.json
	manifest=$(blob "$1" manifest.json)
	printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
	descriptor=$(printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}' \
		"${manifest%% *}" "${manifest##* }" "$2")
	more=""
	[ ! -f "$1/entries" ] || more=",$(cat "$1/entries")"
	printf '{"schemaVersion":2,"manifests":[%s%s]}' "$descriptor" "$more" >"$1/index.json"
	printf '%s' "$descriptor$more" >"$1/entries"
}

# blob LAYOUT FILE: puts it there; "digest size".
blob() {
	sum=$(sha256sum "$2")
	cp "$2" "$1/blobs/sha256/${sum%% *}"
	echo "${sum%% *} $(stat -c %s "$2")"
}

json() {
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($2)" "$1"
}

@test "several targets: tables in order, then a summary" {
	image a v1 5.1
	image b v1 5.2
	run bulkhead scan --fail-on never oci:a oci:b
	[ "$status" -eq 0 ]
	[[ $output == *"Target    oci:a"*"Target    oci:b"*"Summary of 2 targets"*"pass"*"oci:a"*"pass"*"oci:b"*"2 pass, 0 fail"* ]]
}

@test "several targets: one JSON document" {
	image a v1 5.1
	image b v1 5.2
	run bulkhead scan --fail-on never -f json oci:b oci:missing oci:a
	[ "$status" -eq 2 ]
	bulkhead scan --fail-on never -f json oci:b oci:missing oci:a >all.json 2>errors || true
	[ "$(json all.json 'd["schema"], [r["target"]["text"] for r in d["reports"]]')" = "bulkhead.reports/1 ['oci:b', 'oci:a']" ]
	[[ "$(json all.json 'd["failed"]')" == *"oci:missing"*"no such file"* ]]
	[ "$(json all.json 'd["summary"]')" = "{'targets': 3, 'pass': 2, 'fail': 0, 'incomplete': 0, 'failed': 1}" ]
	[[ "$(cat errors)" == *"missing: no such file"* ]]
}

@test "%s in the name of a file: one for each target, also when their names look the same" {
	image a v1 5.1
	image a_v1 v1 5.2
	run bulkhead scan --fail-on never -f json=out/%s.json oci:a:v1 oci:a_v1
	[ "$status" -eq 4 ]
	mkdir out
	run bulkhead scan --fail-on never -f json=out/%s.json oci:a:v1 oci:a_v1
	[ "$status" -eq 0 ]
	[ "$(json out/oci_a_v1.json 'd["packages"][0]["version"]')" = 5.1 ]
	[ "$(json out/oci_a_v1-2.json 'd["packages"][0]["version"]')" = 5.2 ]
	[[ $output == *"Summary of 2 targets"* ]]
	run bulkhead scan -q --fail-on never -f json=out/%s.json oci:a:v1 oci:a_v1
	[ "$output" = "" ]
}

@test "outputs that don't fit several targets" {
	run bulkhead scan -f json=one.json oci:a oci:b
	fails 2 "write %s into the name of the file"
	run bulkhead scan -o one.txt oci:a oci:b
	fails 2 "write %s into the name of the file"
}

@test "--targets-file, from a file and from standard input" {
	image a v1 5.1
	image b v1 5.2
	printf '# ours\n\n  oci:a\noci:b  \n' >list
	run bulkhead scan --fail-on never --targets-file list
	[ "$status" -eq 0 ]
	[[ $output == *"Summary of 2 targets"* ]]
	run bash -c "\"$BULKHEAD\" scan --fail-on never --targets-file - oci:b <list"
	[[ $output == *"Summary of 3 targets"* ]]
	echo "# nothing" >list
	run bulkhead scan --targets-file list
	fails 2 "list names no target"
	run bulkhead scan --targets-file absent
	fails 2 "absent: no such file"
	run bulkhead scan
	fails 2 "a target is missing"
}

@test "images: every layout, every image in it, every archive, below too" {
	mkdir -p all/below
	image all/a v1 5.1
	image all/a v2 5.2
	image all/below/b v1 5.3
	tar -C all/below/b -cf all/below/c.tar .
	echo text >all/readme.txt
	ln -s . all/below/circle
	run bulkhead scan --fail-on never --jobs 3 images:all
	[ "$status" -eq 0 ]
	[[ $output == *"Summary of 4 targets"*"oci:all/a:v2"*"oci:all/a:v1"*"oci:all/below/b:v1"*"archive:all/below/c.tar"*"4 pass"* ]]
	mkdir none
	run bulkhead scan images:none
	fails 2 "neither archives"
	run bulkhead scan images:absent
	fails 2 "images:absent: no such folder"
}

@test "the exit code is the worst: findings before incomplete, wrong input before both" {
	image a v1 5.1
	mkdir empty
	run bulkhead scan --fail-on never oci:a dir:empty
	[ "$status" -eq 3 ]
	run bulkhead scan --fail-on never oci:a dir:empty oci:absent
	[ "$status" -eq 2 ]
}

@test "a reader that goes away ends it" {
	image a v1 5.1
	run bash -c "\"$BULKHEAD\" scan --fail-on never oci:a oci:a oci:a 2>errors | head -1; exit \${PIPESTATUS[0]}"
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
	[[ "$(cat errors)" == "" || "$(cat errors)" == *"writing the output"* ]]
}
