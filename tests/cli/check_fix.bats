#!/usr/bin/env bats
# `bulkhead check --fix` and `--diff`: what is written, what is not, and what is said about it. What each rule mends: fix_rules.py.
load common
bats_require_minimum_version 1.5.0

# A pod that only lacks what is safe to add.
pod() {
	cat >"$1" <<'END'
# the shop
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 7}  # not root
  containers:
  - name: a
    image: nginx:1.25
END
}

mended() {
	cat <<'END'
# the shop
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 7, seccompProfile: {type: RuntimeDefault}}  # not root
  containers:
  - name: a
    image: nginx:1.25
    securityContext:
      capabilities:
        drop:
        - ALL
      allowPrivilegeEscalation: false
END
}

check() {
	"$BULKHEAD" check --no-hardening "$@"
}

@test "--fix writes what is safe and reports what is left; again it changes nothing" {
	pod a.yaml
	run check a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"(--fix)"* ]]
	run check --fix a.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"fixed: a.yaml: 3 findings"* && $output == *"PASS"* ]]
	mended | diff - a.yaml
	touch -d 2020-01-01 a.yaml
	run check --fix a.yaml
	[ "$status" -eq 0 ]
	[[ $output != *"fixed"* ]]
	[ "$(stat -c %Y a.yaml)" -eq "$(date -d 2020-01-01 +%s)" ]
}

@test "--diff writes nothing and prints what patch and git apply take; the exit status is that of the files as they are" {
	pod a.yaml
	cp a.yaml before.yaml
	run --separate-stderr check --diff a.yaml
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "--- a.yaml" ]
	[[ $stderr == *"would be fixed: a.yaml: 3 findings"* ]]
	cmp a.yaml before.yaml
	check --diff a.yaml >change.diff 2>/dev/null || true
	if command -v git >/dev/null; then
		git apply -p0 change.diff
		mended | diff - a.yaml
		cp before.yaml a.yaml
	fi
	if ! command -v patch >/dev/null; then return; fi
	patch -p0 <change.diff
	mended | diff - a.yaml
	run --separate-stderr check --diff a.yaml
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a name with spaces and a quote, a file without a last newline, CRLF and a byte order mark" {
	if ! command -v patch >/dev/null; then skip "patch is not installed"; fi
	pod 'a b.yaml'
	printf '\xef\xbb\xbf' >bom.yaml
	pod rest.yaml
	sed 's/$/\r/' rest.yaml >>bom.yaml
	head -c -1 rest.yaml >open.yaml
	pod 'q"uote.yaml'
	check --diff . >change.diff 2>/dev/null || true
	mkdir patched
	cp ./*.yaml patched/
	(cd patched && patch --binary -p0 <../change.diff)
	check --fix . >/dev/null
	for file in *.yaml; do cmp "$file" "patched/$file"; done
	[ "$(head -c 3 bom.yaml)" = $'\xef\xbb\xbf' ]
	mended | sed 's/$/\r/' | cmp - <(tail -c +4 bom.yaml)
	mended | head -c -1 | cmp - open.yaml
}

@test "mode is kept; a link stays one, its target is written; links out of the folder and hard links are not followed" {
	pod a.yaml
	chmod 640 a.yaml
	check --fix a.yaml
	[ "$(stat -c %a a.yaml)" = 640 ]
	pod a.yaml
	ln -s a.yaml link.yaml
	check --fix link.yaml
	[ -L link.yaml ]
	mended | diff - a.yaml
	mkdir elsewhere sub
	pod elsewhere/a.yaml
	ln -s ../elsewhere/a.yaml sub/out.yaml
	run check --fix sub/out.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"not fixed: sub/out.yaml: "*"out of its folder (3 findings)"* ]]
	pod b.yaml
	ln b.yaml c.yaml
	run check --fix b.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"not fixed: b.yaml: "*"hard links"* ]]
}

@test "a read-only file stays, and its findings count; the others are mended" {
	pod a.yaml
	pod b.yaml
	chmod 444 a.yaml
	run check --fix a.yaml b.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"fixed: b.yaml: 3 findings"* && $output == *"not fixed: a.yaml: a.yaml: it is read-only (3 findings)"* ]]
	mended | diff - b.yaml
	[ -z "$(find . -name '*.yaml.*')" ]
}

@test "a file that is missing, a document that can't be read" {
	run check --fix missing.yaml
	[ "$status" -eq 2 ]
	[[ $output == *"missing.yaml"* ]]
	pod a.yaml
	printf -- '---\nkind: [\n' >>a.yaml
	cp a.yaml before.yaml
	run check --fix a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"a document of its file can't be read"* && $output == *"NOT CHECKED"* ]]
	cmp a.yaml before.yaml
}

@test "what an exception, a severity or a level leaves out is not mended" {
	pod a.yaml
	printf 'exceptions:\n- {id: pss-privilege-escalation, reason: sudo, owner: me, expires: 2099-01-01}\n' >bulkhead.yaml
	check --fix a.yaml
	grep -q RuntimeDefault a.yaml
	run grep -q allowPrivilegeEscalation a.yaml
	[ "$status" -eq 1 ]
	pod a.yaml
	run check --fix --severity critical a.yaml
	[[ $output != *"fixed"* ]]
	pod b.yaml
	cmp a.yaml b.yaml
	run check --fix --pod-security baseline a.yaml
	[ "$status" -eq 0 ]
	cmp a.yaml b.yaml
}

@test "why something stays: it may break programs, it needs a word from its owner, the text is in the way" {
	cat >a.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  hostNetwork: true
  containers:
  - &first
    name: a
    image: nginx
    securityContext: {runAsUser: 7}
  - <<: *first
    name: b
END
	cp a.yaml before.yaml
	run "$BULKHEAD" check --fix a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"pss-privilege-escalation: the text can't be changed: line 11: what a merge key (<<), or another service, brings can't be changed alone"* ]]
	[[ $output == *"pss-host-namespaces: only --fix=all mends it"* ]]
	# What stands beside the anchor is mended all the same.
	{ cat before.yaml; printf '  securityContext:\n    runAsNonRoot: true\n    seccompProfile:\n      type: RuntimeDefault\n'; } | diff - a.yaml
	pod b.yaml
	sed -i 's/containers:/hostNetwork: true\n  containers:/; s/nginx:1.25/nginx/' b.yaml
	run "$BULKHEAD" check --fix b.yaml
	[[ $output == *"not fixed: b.yaml:7: pss-host-namespaces: only --fix=all mends it, which may break what looks at the node"* ]]
	[[ $output == *"k8s-image-tag: it needs something from you: the image's version"* ]]
	run "$BULKHEAD" check --fix=all b.yaml
	[[ $output != *"pss-host-namespaces"* ]]
	run grep -q hostNetwork b.yaml
	[ "$status" -eq 1 ]
}

@test "standard input, charts and Kustomize folders are told, not written" {
	pod a.yaml
	run check --fix - <a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"not fixed: standard input: standard input can't be written to; give the file's name (3 findings)"* ]]
	run check --fix - a.yaml <a.yaml
	[ "$status" -eq 2 ]
	[[ $output == *"check it apart"* ]]
	mkdir chart bin
	printf 'apiVersion: v2\nname: a\nversion: 1.0.0\n' >chart/Chart.yaml
	printf '#!/bin/sh\ncat <<"END"\n%s\nEND\n' "$(cat a.yaml)" >bin/helm
	chmod +x bin/helm
	PATH=$PWD/bin:$PATH run check --fix chart
	if [[ $output == *"NOT CHECKED"* ]]; then skip "nothing can be rendered here"; fi
	[[ $output == *"not fixed: chart (rendered): mend the template or its values, the base or the overlay (3 findings)"* ]]
}

@test "several documents, Lists and JSON; a file named twice is written once" {
	pod a.yaml
	{ echo ---; sed 's/name: web/name: second/' a.yaml; } >>a.yaml
	run check --fix a.yaml ./a.yaml
	[ "$status" -eq 0 ]
	[ "$(grep -c RuntimeDefault a.yaml)" -eq 2 ]
	cat >l.json <<'END'
{
  "apiVersion": "v1",
  "kind": "List",
  "items": [
    {
      "apiVersion": "v1",
      "kind": "Pod",
      "metadata": {"name": "web"},
      "spec": {
        "securityContext": {"runAsNonRoot": true, "runAsUser": 7},
        "containers": [{"name": "a", "image": "a:1", "securityContext": null}]
      }
    }
  ]
}
END
	check --fix l.json
	python3 - <<'END'
import json
pod = json.load(open("l.json"))["items"][0]
assert pod["spec"]["securityContext"] == {"runAsNonRoot": True, "runAsUser": 7, "seccompProfile": {"type": "RuntimeDefault"}}, pod
assert pod["spec"]["containers"][0]["securityContext"] == {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}, pod
END
}

@test "policies of one's own: for a check, and for all objects; one that never ends changing and one that is wrong" {
	mkdir policies
	cat >policies/p.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: team
  annotations: {bulkhead.io/severity: high}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations:
  - {expression: "'team' in object.metadata.?labels.orValue({})", message: whose is it}
---
apiVersion: admissionregistration.k8s.io/v1beta1
kind: MutatingAdmissionPolicy
metadata:
  name: give-team
  labels: {bulkhead.io/check: team}
spec:
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{metadata: Object.metadata{labels: {"team": object.metadata.namespace}}}
END
	pod a.yaml
	run check --pod-security none --fix -p policies a.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"fixed: a.yaml: 1 finding"* ]]
	pod expected.yaml
	sed -i 's/namespace: shop}/namespace: shop, labels: {team: shop}}/' expected.yaml
	cmp a.yaml expected.yaml
	sed -i '/labels: {bulkhead.io/d; /^---/,$!d' policies/p.yaml # without the label, and without the check
	pod a.yaml
	run check --pod-security none --fix -p policies a.yaml
	[ "$status" -eq 0 ]
	cmp a.yaml expected.yaml
	sed -i 's/ApplyConfiguration/JSONPatch/; s/applyConfiguration/jsonPatch/; s/Object{metadata.*/[JSONPatch{op: "add", path: "\/spec\/containers\/-", value: {"name": "x"}}]/' policies/p.yaml
	cp a.yaml before.yaml
	run check --fix -p policies a.yaml
	[[ $output == *"change the object each time they are asked"* ]]
	cmp a.yaml before.yaml
	sed -i 's/JSONPatch{op/JSONPath{op/' policies/p.yaml
	run check --pod-security none --fix -p policies a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"NOT CHECKED"*"give-team"* ]]
	cmp a.yaml before.yaml
}

@test "a null is a field that is not there, and stays where it is" {
	pod a.yaml
	printf '    securityContext:\n    resources: null  # to do\n' >>a.yaml
	check -f json --fail-on never a.yaml >r.json
	python3 -c 'import json; assert sorted(f["id"] for f in json.load(open("r.json"))["findings"]) == ["pss-capabilities-dropped", "pss-privilege-escalation", "pss-seccomp-set"]'
	run check --fix a.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"fixed: a.yaml: 3 findings"* ]]
	mended >expected.yaml
	echo '    resources: null  # to do' >>expected.yaml
	diff expected.yaml a.yaml
}

@test "a pod with very many containers" {
	pod a.yaml
	for i in $(seq 3000); do printf '  - {name: c%s, image: "a:1"}\n' "$i"; done >>a.yaml
	run check --fix a.yaml
	[ "$status" -eq 0 ]
	[ "$(grep -c ALL a.yaml)" -eq 3001 ]
}

@test "reports have the patch and its level" {
	pod a.yaml
	check -f json -f sarif=r.sarif --fail-on never a.yaml >r.json
	python3 - <<'END'
import json
found = {f["id"]: f for f in json.load(open("r.json"))["findings"]}
assert json.loads(found["pss-seccomp-set"]["patch"]) == [{"op": "add", "path": "/spec/securityContext/seccompProfile", "value": {"type": "RuntimeDefault"}}], found
assert {f["patch_level"] for f in found.values()} == {"safe"}, found
results = json.load(open("r.sarif"))["runs"][0]["results"]
assert {r["ruleId"]: r["properties"] for r in results} == {i: {"patchLevel": "safe", "patch": f["patch"]} for i, f in found.items()}, results
END
}

@test "wrong usage" {
	pod a.yaml
	run check --fix=some a.yaml
	[ "$status" -eq 2 ]
	[[ $output == *"'some' is not one of no, safe, all"* ]]
	run check --diff -f json a.yaml
	[ "$status" -eq 2 ]
	[[ $output == *"--diff prints a difference instead of the report"* ]]
	run check --fix=no a.yaml
	[ "$status" -eq 1 ]
	[[ $output != *"fixed"* ]]
}
