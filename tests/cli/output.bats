#!/usr/bin/env bats
# Where reports go and how they look there. What is found is the business of other tests.
load common

# A root file system with two packages.
make_root() {
	mkdir -p root/etc root/var/lib/dpkg
	printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >root/etc/os-release
	printf 'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.9-1\nDescription: x\n\n' >root/var/lib/dpkg/status
	printf 'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\nDescription: x\n' >>root/var/lib/dpkg/status
}

# scan ARGUMENTS...: there is a report, whatever was found.
scan() {
	make_root
	"$BULKHEAD" scan --fail-on never "$@" rootfs:root
}

# The command in a terminal of 70 columns; "^M" at the ends of lines taken away.
in_terminal() {
	script -qec "stty cols 70; $1" /dev/null | tr -d '\r'
}

@test "a table on standard output, without colour in a pipe" {
	run scan
	[[ $output == *"Target    rootfs:root"*"Packages  2"* ]]
	[[ $output != *$'\e'* ]]
}

@test "colour on a terminal, at its width; none with NO_COLOR, TERM=dumb or --colour=never" {
	command -v script >/dev/null || skip "script(1) is not installed"
	make_root
	run in_terminal "TERM=xterm '$BULKHEAD' scan rootfs:root"
	[[ $output == *$'\e[1'* ]]
	run in_terminal "TERM=xterm NO_COLOR=1 '$BULKHEAD' -q scan --list-all-packages rootfs:root"
	[[ $output == *"Packages  2"* ]]
	[[ $output != *$'\e[1'* ]]
	for line in "${lines[@]}"; do
		[ "${#line}" -le 70 ] || { echo "too wide: $line"; false; }
	done
	run in_terminal "TERM=dumb '$BULKHEAD' -q scan rootfs:root"
	[[ $output != *$'\e[1'* ]]
	run in_terminal "TERM=xterm '$BULKHEAD' -q scan --color never rootfs:root"
	[[ $output != *$'\e[1'* ]]
}

@test "--colour=always colours a pipe, too; NO_COLOR does not overrule the command line" {
	NO_COLOR=1 run scan --colour always
	[[ $output == *$'\e[1'* ]]
}

@test "-f json is one JSON document that names both packages" {
	scan -f json >report.json
	python3 -c 'import json; r = json.load(open("report.json")); assert [p["name"] for p in r["packages"]] == ["openssl", "zlib1g"], r'
}

@test "the same report twice, byte by byte" {
	SOURCE_DATE_EPOCH=1700000000 scan -f json >first.json
	SOURCE_DATE_EPOCH=1700000000 scan -f json >second.json
	cmp first.json second.json
	grep -q '"generated": "2023-11-14T22:13:20Z"' first.json
}

@test "several formats, each to its place" {
	run scan -f table -f json=report.json
	[[ $output == *"Packages  2"* ]]
	python3 -m json.tool report.json >/dev/null
}

@test "-o writes a file and nothing else" {
	run scan -q -o report.txt
	[ -z "$output" ]
	grep -q 'Packages  2' report.txt
	[ "$(find . -name 'report.txt*' | wc -l)" -eq 1 ]
}

@test "senseless combinations are refused before the work starts" {
	run bulkhead scan -f json -f table nothing.tar
	fails 2 "-f json and -f table both go to standard output"
	run bulkhead scan -o x -f json -f table nothing.tar
	fails 2 "-o goes with one -f FORMAT"
	run bulkhead scan -f jsn nothing.tar
	fails 2 "did you mean json?"
	run bulkhead scan --width 39 nothing.tar
	fails 2 "--width: 39 is out of range, 40 to 200"
}

@test "a full disk, a closed stdout and a folder that is not there are exit 4 and leave nothing" {
	make_root
	run bash -c '"$BULKHEAD" scan rootfs:root >/dev/full'
	fails 4 "No space left on device"
	run bash -c '"$BULKHEAD" scan rootfs:root >&-'
	fails 4 "writing the output"
	run bulkhead scan -o no/such/folder/r.txt rootfs:root
	fails 4 "no/such/folder/r.txt"
	[ ! -e no ]
}

@test "configuration and environment choose the format" {
	printf 'scan:\n  format: [json]\n' >bulkhead.yaml
	scan >report.json
	python3 -m json.tool report.json >/dev/null
	BULKHEAD_FORMAT=table run scan
	[[ $output == *"Packages  2"* ]]
}

@test "SARIF has the whole text of explain for ids of our own, and a terminal is told of it" {
	printf 'FROM debian:12.5\nUSER 1\nRUN apt-get install curl\n' >Dockerfile
	"$BULKHEAD" check -f sarif Dockerfile >report.sarif || true
	"$BULKHEAD" explain -f markdown dockerfile-apt-yes >text.md
	python3 - <<'END'
import json
rules = {r["id"]: r["help"] for r in json.load(open("report.sarif"))["runs"][0]["tool"]["driver"]["rules"]}
assert rules["dockerfile-apt-yes"]["markdown"].strip() == open("text.md").read().strip(), rules["dockerfile-apt-yes"]
assert rules["dockerfile-apt-yes"]["text"] == "Add -y."
END
	run script -qec "$BULKHEAD check --fail-on never Dockerfile" /dev/null
	[[ $output == *"bulkhead explain dockerfile-apt-yes tells why"* ]]
	run "$BULKHEAD" check --fail-on never Dockerfile
	[[ $output != *"bulkhead explain"* ]]
}
