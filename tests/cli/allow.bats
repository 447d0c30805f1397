#!/usr/bin/env bats
# allow.bats: comments that accept a finding of `check`: where they count, and where not.
load common

findings() {
	bulkhead check -f json --fail-on never --no-schema "$@" | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(*sorted(f["id"] + ":" + str(f["line"]) for f in r["findings"]), "|", *sorted("%s:%d=%s" % (f["id"], f["line"], f["exception"]["reason"]) for f in r["suppressed"]))'
}

@test "at the end of the line, above it, and above comments above it" {
	printf '%s\n' 'FROM debian:12@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d' '# bulkhead:allow dockerfile-add-url the proxy pins it' '# and another comment' '' \
		'ADD https://a.example/b /c' 'ADD https://a.example/d /e' 'HEALTHCHECK CMD x' 'USER app' >Dockerfile
	run findings Dockerfile
	[[ $output == *"dockerfile-add-url:6"*"| dockerfile-add-url:5=the proxy pins it" && $output != *"dockerfile-add-url:5 "* ]]
	cat >pod.yaml <<-'Y'
		apiVersion: v1
		kind: Pod
		metadata: {name: a, namespace: b}
		spec:
		  hostNetwork: true # bulkhead:allow pss-host-namespaces,k8s-other it is the network's own agent
		  hostPID: true
		  containers:
		  - {name: c, image: r.example/c:1}
	Y
	run findings --pod-security baseline --no-hardening pod.yaml
	[ "$output" = "pss-host-namespaces:6 | pss-host-namespaces:5=it is the network's own agent" ]
}

@test "above the key whose map lacks something" {
	printf '%s\n' 'services:' '  # bulkhead:allow compose-read-only it writes beside itself' '  web:' '    image: r.example/w:1' '  api:' '    image: r.example/a:1' >compose.yaml
	run findings compose.yaml
	[[ $output == *"compose-read-only:6"*"| compose-read-only:4=it writes beside itself" ]]
}

@test "without a reason it does not count, and that is told" {
	printf '%s\n' 'services:' '  web:' '    image: r.example/w:1' '    pid: host # bulkhead:allow compose-host-pid' >compose.yaml
	run findings compose.yaml
	[[ $output == *"compose-host-pid:4"*"|" ]]
	run bulkhead check compose.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"without a reason"* ]]
}

@test "of another check, on another line, or in a text it does not count" {
	printf '%s\n' 'services:' '  web:' '    image: r.example/w:1' '    # bulkhead:allow compose-host-ipc another' '    pid: host' '    # bulkhead:allow compose-host-pid too late' '    labels: {a: "bulkhead:allow compose-host-pid no comment"}' >compose.yaml
	run findings compose.yaml
	[[ $output == *"compose-host-pid:5"*"|" ]]
}

@test "a finding that is accepted is not mended" {
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: a, namespace: b}' 'spec:' '  hostNetwork: true # bulkhead:allow pss-host-namespaces an agent' '  containers:' '  - {name: c, image: r.example/c:1}' >pod.yaml
	run bulkhead check --diff --fix=all --pod-security baseline --no-hardening --no-schema pod.yaml
	[[ $output != *"-  hostNetwork"* ]]
}
