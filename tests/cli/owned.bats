#!/usr/bin/env bats
# Files that a package of the distribution brought: listed once, with their owner, and judged by the distribution's advisories.
load common

# make_root: Debian's python3-requests as dpkg records it, with the dist-info inside it; beside it one that pip installed.
make_root() {
	local dist=usr/lib/python3/dist-packages/requests-2.28.1.egg-info site=usr/local/lib/python3.11/site-packages
	mkdir -p root/etc root/var/lib/dpkg/info "root/$dist" "root/$site/flask-2.0.1.dist-info" "root/$site/pkg_resources/tests/data/my_test.egg-info"
	printf 'ID=debian\nVERSION_ID="12"\n' >root/etc/os-release
	printf 'Package: python3-requests\nStatus: install ok installed\nSource: requests\nArchitecture: all\nVersion: 2.28.1+dfsg-1\n' \
		>root/var/lib/dpkg/status
	printf '/.\n/usr\n/usr/lib/python3/dist-packages\n/%s\n/%s/PKG-INFO\n' "$dist" "$dist" >root/var/lib/dpkg/info/python3-requests.list
	printf 'Metadata-Version: 2.1\nName: requests\nVersion: 2.28.1\n' >"root/$dist/PKG-INFO"
	printf 'Metadata-Version: 2.1\nName: flask\nVersion: 2.0.1\n' >"root/$site/flask-2.0.1.dist-info/METADATA"
	printf 'Metadata-Version: 2.1\nName: my-test-package\nVersion: 1.0\n' >"root/$site/pkg_resources/tests/data/my_test.egg-info/PKG-INFO"
}

# advisories: a database with one flaw of each of the two.
advisories() {
	for name in requests flask; do
		printf '{"id":"PYSEC-%s","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"%s"},"ranges":%s}]}\n' \
			"2026-${#name}" "$name" '[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"9"}]}]' >>python.jsonl
	done
	bulkhead db import --db data.bkdb python.jsonl
}

# ask EXPRESSION: of the report r.
ask() {
	python3 -c 'import json, sys; r = json.load(open("report.json")); print(eval(sys.argv[1]))' "$1"
}

scan() {
	bulkhead scan --db data.bkdb --fail-on never -f json=report.json "$@" dir:root || [ $? -eq 3 ]
}

@test "a Python package of a Debian package is listed with its owner" {
	make_root
	advisories
	scan
	[ "$(ask "sorted((p['name'], p['type']) for p in r['packages'])")" = "[('flask', 'pypi'), ('python3-requests', 'deb'), ('requests', 'pypi')]" ]
	[ "$(ask "[p['owner'] for p in r['packages'] if 'owner' in p]")" = "['pkg:deb/debian/python3-requests@2.28.1%2Bdfsg-1?arch=all&distro=debian-12&upstream=requests']" ]
	[ "$(ask "[p['name'] for p in r['packages'] if 'owner' in p]")" = "['requests']" ]
}

@test "the language's advisories are not asked about it, unless told to" {
	make_root
	advisories
	scan
	[ "$(ask "[f['id'] for f in r['findings']]")" = "['PYSEC-2026-5']" ]
	scan --match-owned
	[ "$(ask "sorted(f['id'] for f in r['findings'])")" = "['PYSEC-2026-5', 'PYSEC-2026-8']" ]
}

@test "when Debian's package is gone, its files are nobody's" {
	make_root
	advisories
	: >root/var/lib/dpkg/status
	scan
	[ "$(ask "sorted(f['id'] for f in r['findings'])")" = "['PYSEC-2026-5', 'PYSEC-2026-8']" ]
	[ "$(ask "[p for p in r['packages'] if 'owner' in p]")" = "[]" ]
}
