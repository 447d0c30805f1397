#!/usr/bin/env bats
# What `bulkhead sbom` writes: the same bytes each time, the same packages as a scan lists, and what it could not read.
load common
bats_require_minimum_version 1.5.0

# make_tree FOLDER: a Debian with one package, a Python package and a locked one.
make_tree() {
	mkdir -p "$1/etc" "$1/var/lib/dpkg" "$1/opt/six-1.16.0.dist-info" "$1/srv"
	printf 'ID=debian\nVERSION_ID="12"\n' >"$1/etc/os-release"
	printf 'Package: libssl3\nStatus: install ok installed\nSource: openssl\nArchitecture: amd64\nVersion: 3.0.9-1\n' >"$1/var/lib/dpkg/status"
	printf 'Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\nLicense: MIT\n' >"$1/opt/six-1.16.0.dist-info/METADATA"
	printf '{"lockfileVersion":3,"packages":{"":{"name":"a"},"node_modules/ms":{"version":"2.0.0"}}}' >"$1/srv/package-lock.json"
}

# purls FILE: the package URLs of a CycloneDX or SPDX document or of a report, sorted.
purls() {
	python3 - "$1" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		if "bomFormat" in d:
		    found = [c["purl"] for c in d["components"] if "purl" in c]
		elif "spdxVersion" in d:
		    found = [r["referenceLocator"] for p in d["packages"] for r in p.get("externalRefs", []) if r["referenceType"] == "purl"]
		else:
		    found = [p["purl"] for p in d["packages"]]
		print("\n".join(sorted(found)))
	END
}

@test "both formats list what a scan lists" {
	make_tree root
	bulkhead scan -f json=report.json --fail-on never dir:root || [ $? -eq 3 ]
	bulkhead sbom dir:root >bom.json
	bulkhead sbom -f spdx -o spdx.json dir:root
	purls report.json >wanted
	grep -q 'pkg:deb/debian/libssl3@3.0.9-1' wanted
	grep -q 'pkg:pypi/six@1.16.0' wanted
	grep -q 'pkg:npm/ms@2.0.0' wanted
	[ "$(wc -l <wanted)" -eq 3 ]
	cmp wanted <(purls bom.json)
	cmp wanted <(purls spdx.json)
	bulkhead sbom -f spdx_tag dir:root >tags.spdx
	cmp wanted <(sed -n 's/^ExternalRef: PACKAGE-MANAGER purl //p' tags.spdx | sort)
	bulkhead convert -f cyclonedx tags.spdx >again.json
	cmp wanted <(purls again.json)
}

@test "the same bytes run after run, from the cache or not" {
	make_tree root
	tar -cf layer.tar -C root .
	sum=$(sha256sum <layer.tar)
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "${sum%% *}" >config.json
	printf '[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}]' >manifest.json
	tar -cf image.tar manifest.json config.json layer.tar
	for format in cyclonedx spdx spdx_tag; do
		bulkhead sbom -f $format --no-cache archive:image.tar >first
		bulkhead sbom -f $format archive:image.tar >second
		bulkhead sbom -f $format archive:image.tar >third
		[ -s first ]
		cmp first second
		cmp first third
	done
}

@test "no advisories are asked: no list of vulnerabilities, though a scan writes one" {
	make_tree root
	bulkhead sbom dir:root >bom.json
	[ "$(python3 -c 'import json; print("vulnerabilities" in json.load(open("bom.json")))')" = False ]
	bulkhead scan -f cyclonedx=scan.json --fail-on never dir:root || [ $? -eq 3 ]
	[ "$(python3 -c 'import json; print("vulnerabilities" in json.load(open("scan.json")))')" = True ]
}

@test "an SBOM of an SBOM lists the same" {
	make_tree root
	bulkhead sbom dir:root >bom.json
	bulkhead sbom -f spdx sbom:bom.json >spdx.json
	cmp <(purls bom.json) <(purls spdx.json)
}

@test "what can't be read is told in the document and by the exit status" {
	make_tree root
	printf '{"lockfileVersion":3,"packages":{' >root/srv/package-lock.json
	run --separate-stderr bulkhead sbom dir:root
	[ "$status" -eq 3 ]
	[[ $stderr == *"not read: "*"srv/package-lock.json"* ]]
	printf '%s\n' "$output" >bom.json
	python3 - <<-'END'
		import json
		d = json.load(open("bom.json"))
		assert d["compositions"][0]["aggregate"] == "incomplete", d["compositions"]
		assert len(d["components"]) == 3, d["components"]
	END
}

@test "a folder without packages is no complete list" {
	mkdir empty
	run bulkhead sbom dir:empty
	[ "$status" -eq 3 ]
	[[ $output == *"no package database"* ]]
}

@test "wrong words are told before anything is read" {
	run bulkhead sbom
	fails 2 "missing argument"
	run bulkhead sbom -f table dir:.
	fails 2 "cyclonedx"
	run bulkhead sbom dir:nowhere
	fails 2 "nowhere"
	run bulkhead sbom --db x dir:.
	fails 2 "db"
}

@test "a file is written as a whole or not at all" {
	make_tree root
	mkdir folder
	run bulkhead sbom -o folder/none/bom.json dir:root
	fails 4 "none/bom.json"
	echo old >bom.json
	run bulkhead sbom -o bom.json dir:nowhere
	[ "$(cat bom.json)" = old ]
	bulkhead sbom -o bom.json dir:root
	purls bom.json | grep -q libssl3
	[ "$(find . -name '*bom.json*' | wc -l)" -eq 1 ]
}
