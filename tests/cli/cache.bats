#!/usr/bin/env bats
# What is kept of layers: used again, never believed when damaged, bounded, safe with several processes.
load common

# make_image FILE VERSION: a docker-archive with one layer that holds one package. The same version gives the same layer,
# whenever it is made.
make_image() {
	rm -rf tree image
	mkdir -p tree/etc tree/var/lib/dpkg image
	printf 'ID=debian\nVERSION_ID="12"\n' >tree/etc/os-release
	printf 'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n' "$2" >tree/var/lib/dpkg/status
	tar -cf image/layer.tar --mtime=@0 --sort=name -C tree .
	digest=$(sha256sum image/layer.tar)
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "${digest%% *}" >image/config.json
	printf '[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}]' >image/manifest.json
	tar -cf "$1" -C image manifest.json config.json layer.tar
}

# versions ARGUMENT...: what a scan finds, one "name version" a line.
versions() {
	"$BULKHEAD" scan --fail-on never -f json "$@" >report.json || [ $? -eq 3 ]
	python3 -c 'import json; [print(p["name"], p["version"]) for p in json.load(open("report.json"))["packages"]]'
}

entries() {
	find "$HOME/.cache/bulkhead/layers" -name '*.entry' | wc -l
}

@test "a second scan does not read the layer again; --no-cache does" {
	make_image a.tar 3.0.9-1
	[ "$(versions archive:a.tar)" = "openssl 3.0.9-1" ]
	cp report.json first.json
	[ "$(entries)" -eq 1 ]
	# The same size and place, another byte in the layer: only whoever reads it can notice.
	sed -i 's/Version: 3.0.9-1/Version: 3.0.8-1/' a.tar
	[ "$(versions archive:a.tar)" = "openssl 3.0.9-1" ]
	cmp <(sed '/"generated"/d' first.json) <(sed '/"generated"/d' report.json)
	run bulkhead scan --no-cache archive:a.tar
	fails 2 "diffID"
}

@test "two images share what they share" {
	make_image a.tar 3.0.9-1
	make_image b.tar 3.0.9-1
	versions archive:a.tar
	versions archive:b.tar
	[ "$(entries)" -eq 1 ]
	make_image c.tar 3.0.8-1
	[ "$(versions archive:c.tar)" = "openssl 3.0.8-1" ]
	[ "$(entries)" -eq 2 ]
}

@test "other options that change what is read have other results" {
	make_image a.tar 3.0.9-1
	versions archive:a.tar
	versions --owned-files archive:a.tar
	[ "$(entries)" -eq 2 ]
}

@test "a damaged, truncated or empty entry is made again" {
	make_image a.tar 3.0.9-1
	versions archive:a.tar
	entry=$(find "$HOME/.cache/bulkhead/layers" -name '*.entry')
	cp "$entry" whole
	for damage in "printf x | dd of=$entry bs=1 seek=60 conv=notrunc status=none" "truncate -s 50 $entry" "truncate -s 0 $entry" "printf 'BHCACHE1' >$entry"; do
		eval "$damage"
		[ "$(versions archive:a.tar)" = "openssl 3.0.9-1" ]
		cmp "$entry" whole
	done
}

@test "an entry with a right checksum and a wrong content is not believed" {
	make_image a.tar 3.0.9-1
	versions archive:a.tar
	entry=$(find "$HOME/.cache/bulkhead/layers" -name '*.entry')
	python3 - "$entry" <<'END'
import hashlib, sys
body = open(sys.argv[1], "rb").read()[40:]
for cut in (len(body) // 2, 3):
    bad = body[:cut]
    open(sys.argv[1], "wb").write(b"BHCACHE1" + hashlib.sha256(bad).digest() + bad)
END
	[ "$(versions archive:a.tar)" = "openssl 3.0.9-1" ]
}

@test "many processes at once: the same result from each, one entry left, nothing half-written" {
	make_image a.tar 3.0.9-1
	for i in 1 2 3 4 5 6 7 8; do
		"$BULKHEAD" scan --fail-on never -f "json=out.$i" archive:a.tar &
	done
	for job in $(jobs -p); do wait "$job" || [ $? -eq 3 ]; done
	for i in 2 3 4 5 6 7 8; do cmp <(sed '/"generated"/d' out.1) <(sed '/"generated"/d' "out.$i"); done
	[ "$(find "$HOME/.cache/bulkhead/layers" -type f | wc -l)" -eq 2 ]
}

@test "the cache does not outgrow its size: what was not used for longest goes" {
	for i in 1 2 3 4; do
		make_image "$i.tar" "3.0.$i-1"
		versions "archive:$i.tar"
		touch -d "2020-01-0$i" "$HOME/.cache/bulkhead/layers"/*.entry
		[ "$i" -gt 1 ] || one=$(find "$HOME/.cache/bulkhead/layers" -name '*.entry')
	done
	[ "$(entries)" -eq 4 ]
	size=$(stat -c %s "$one")
	make_image 5.tar 3.0.5-1
	touch -d 2020-02-01 "$one"
	versions --cache-size $((size * 3)) archive:5.tar
	[ "$(entries)" -eq 2 ]
	[ -f "$one" ]
}

@test "status and clear" {
	make_image a.tar 3.0.9-1
	run bulkhead cache status
	[ "$output" = "$HOME/.cache/bulkhead/layers: 0 layers, 0 bytes" ]
	versions archive:a.tar
	echo mine >"$HOME/.cache/bulkhead/layers/notes.txt"
	run bulkhead cache status
	[[ $output == "$HOME/.cache/bulkhead/layers: 1 layers, "* ]]
	run bulkhead cache clear
	[ "$status" -eq 0 ]
	[[ $output == *"removed 1 layers"* ]]
	[ "$(entries)" -eq 0 ]
	[ -f "$HOME/.cache/bulkhead/layers/notes.txt" ]
	run bulkhead cache frobnicate
	[ "$status" -eq 2 ]
}

@test "a folder that others may write to is not used: an error when it was named, else a scan without it" {
	make_image a.tar 3.0.9-1
	mkdir -p open/layers "$HOME/.cache/bulkhead/layers"
	chmod 777 open/layers "$HOME/.cache/bulkhead/layers"
	run bulkhead scan --cache-dir "$PWD/open" archive:a.tar
	[[ $output == *"others may write to it"* ]]
	[ "$status" -ne 0 ]
	[ "$(versions archive:a.tar)" = "openssl 3.0.9-1" ]
	[ "$(entries)" -eq 0 ]
}

@test "no home, a home that can't be written to: scans without a cache" {
	make_image a.tar 3.0.9-1
	chmod 666 a.tar
	HOME=/nonexistent run_unprivileged scan --fail-on never archive:a.tar
	[[ $output == *"openssl"* ]]
	unset HOME
	run "$BULKHEAD" scan --no-cache --fail-on never archive:a.tar
	[[ $output == *"openssl"* ]]
}
