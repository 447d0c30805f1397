#!/usr/bin/env bats
# A saved report in another format is what the scan would have written itself; an SBOM becomes another SBOM.
load common
bats_require_minimum_version 1.5.0

formats="table json sarif junit csv gitlab github markdown openvex html cyclonedx spdx spdx_tag"

# make_root: a Debian with a package that has findings, a locked package, and a file that can't be read.
make_root() {
	mkdir -p root/etc root/var/lib/dpkg root/srv root/opt
	printf 'ID=debian\nVERSION_ID="12"\n' >root/etc/os-release
	printf 'Package: libssl3\nStatus: install ok installed\nSource: openssl\nArchitecture: amd64\nVersion: 3.0.9-1\n' >root/var/lib/dpkg/status
	printf '{"lockfileVersion":3,"packages":{"node_modules/ms":{"version":"2.0.0","license":"MIT","dev":true}}}' >root/srv/package-lock.json
	printf '{"lockfileVersion":3,' >root/opt/package-lock.json
}

@test "every format of a saved report equals the scan's own, byte for byte" {
	make_root
	printf 'exceptions:\n- {id: CVE-2023-5363, reason: not reachable, owner: me, expires: 2999-01-01}\n' >bulkhead.yaml
	wanted=() again=()
	for f in $formats; do
		wanted+=(-f "$f=scan.$f")
		again+=(-f "$f=convert.$f")
	done
	run bulkhead scan "${wanted[@]}" dir:root
	[ "$status" -eq 1 ]
	grep -q CVE-2023-5363 scan.html
	rm bulkhead.yaml
	bulkhead convert "${again[@]}" scan.json
	for f in $formats; do
		cmp "scan.$f" "convert.$f"
	done
}

@test "an SBOM becomes another and stays the same list" {
	make_root
	rm root/opt/package-lock.json
	bulkhead sbom dir:root >first.cdx.json
	bulkhead convert -f spdx=second.spdx.json first.cdx.json
	bulkhead convert -f cyclonedx=third.cdx.json second.spdx.json
	python3 - <<-'END'
		import json
		def components(path):
		    return sorted((c.get("purl", ""), c["name"], c["version"], json.dumps(c.get("licenses"))) for c in json.load(open(path))["components"])
		first, third = components("first.cdx.json"), components("third.cdx.json")
		assert len(first) == 3 and first == third, (first, third)
	END
}

@test "standard input is an SBOM, too" {
	make_root
	bulkhead sbom dir:root >bom.json || [ $? -eq 3 ]
	bulkhead convert -f spdx bom.json >named || [ $? -eq 3 ]
	bulkhead convert -f spdx - <bom.json >piped || [ $? -eq 3 ]
	[ "$(grep -c '"SPDXID"' named)" -eq "$(grep -c '"SPDXID"' piped)" ]
}

@test "an SBOM becomes no report of findings" {
	make_root
	bulkhead sbom dir:root >bom.json || [ $? -eq 3 ]
	run bulkhead convert -f sarif bom.json
	fails 2 "bulkhead scan sbom:bom.json"
	run bulkhead convert bom.json
	fails 2 "can't become table"
}

@test "an emptied list of formats is the default" {
	make_root
	rm root/opt/package-lock.json
	bulkhead sbom dir:root >bom.json
	echo 'format: []' >bulkhead.yaml
	run bulkhead scan sbom:bom.json
	[[ $output == *"Target    sbom:bom.json"* ]]
}

@test "what is neither is refused, and nothing is written" {
	echo '{"a": 1}' >a.json
	echo old >out
	run bulkhead convert -f spdx -o out a.json
	[ "$status" -eq 2 ]
	[[ $output == *a.json* ]]
	[ "$(cat out)" = old ]
	run bulkhead convert -f spdx nowhere.json
	fails 2 "nowhere.json"
	run bulkhead convert
	fails 2 "missing argument"
}
