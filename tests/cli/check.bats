#!/usr/bin/env bats
# `bulkhead check --no-hardening`: manifests against policies. What a policy decides is Kubernetes' API reference; expected lines are counted by hand.
load common

# report OPTION...: checks and prints one "id severity file:line evidence" per finding, sorted.
report() {
	"$BULKHEAD" check --no-hardening --fail-on never -f json "$@" >report.json 2>stderr.txt || [ $? -eq 3 ]
	python3 - <<'END'
import json
r = json.load(open("report.json"))
for f in r["findings"]:
    print(f["id"], f["severity"], f"{f['paths'][0]}:{f['line']}", f["evidence"])
END
}

pod() {
	cat >"$1" <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: a
    image: nginx:1.25
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
END
}

policy() {
	cat >"$1" <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: no-latest
  annotations:
    bulkhead.io/severity: high
    bulkhead.io/fix: Name a version.
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}
  variables:
  - name: images
    expression: object.spec.containers.map(c, c.image)
  validations:
  - expression: variables.images.all(i, i.contains(':') && !i.endsWith(':latest'))
    messageExpression: "'images without a version: ' + variables.images.filter(i, !i.contains(':')).join(', ')"
END
}

@test "a pod that meets the restricted level passes; each that does not has its line and field" {
	pod good.yaml
	run bulkhead check --no-hardening good.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"PASS"* ]]
	sed 's/allowPrivilegeEscalation: false/allowPrivilegeEscalation: true, privileged: true/' good.yaml >bad.yaml
	run bulkhead check --no-hardening bad.yaml
	[ "$status" -eq 1 ]
	run report bad.yaml
	[ "${lines[0]}" = "pss-privileged critical bad.yaml:12 Pod shop/web: spec.containers[0].securityContext.privileged" ]
	[ "${lines[1]}" = "pss-privilege-escalation medium bad.yaml:12 Pod shop/web: spec.containers[0].securityContext.allowPrivilegeEscalation" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "levels and versions" {
	pod a.yaml
	sed -i '/seccompProfile/d' a.yaml
	[ "$(report --pod-security baseline a.yaml)" = "" ]
	[ "$(report a.yaml | cut -d' ' -f1 | tr '\n' ' ')" = "pss-run-as-non-root pss-seccomp-set " ]
	[ "$(report --kubernetes 1.18 a.yaml | cut -d' ' -f1)" = "pss-run-as-non-root" ]
	[ "$(report --pod-security none a.yaml)" = "" ]
	run bulkhead check --no-hardening --kubernetes 2.0 a.yaml
	fails 2 "1.0 to 1."
	run bulkhead check --no-hardening --pod-security strict a.yaml
	fails 2 "baseline"
}

@test "own policies: message, severity, fix; YAML, JSON and standard input; pod templates are other kinds" {
	pod a.yaml
	policy p.yaml
	sed -i 's/nginx:1.25/nginx/' a.yaml
	[ "$(report --pod-security none -p p.yaml a.yaml)" = "no-latest high a.yaml:11 Pod shop/web: spec.containers[0].image" ]
	[[ $(cat report.json) == *'"title": "images without a version: nginx"'* ]]
	[[ $(cat report.json) == *'"fix": "Name a version."'* ]]
	python3 -c 'import json, yaml; print(json.dumps({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(open("a.yaml"))]}, indent=1))' >a.json
	[[ $(report --pod-security none -p p.yaml a.json) == "no-latest high a.json:"*"spec.containers[0].image" ]]
	[[ $(report --pod-security none -p p.yaml - <a.yaml) == "no-latest high standard input:11"* ]]
	sed 's/kind: Pod/kind: Secret/' a.yaml >s.yaml
	[ "$(report --no-schema --pod-security none -p p.yaml s.yaml)" = "" ]
}

@test "bindings: selectors, parameters, actions" {
	pod a.yaml
	mkdir p
	cat >p/policy.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: ["*"]}
  validations:
  - expression: size(object.spec.containers) <= int(params.data.most)
    message: too many containers
END
	run bulkhead check --no-hardening --width 200 --pod-security none -p p a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"wants parameters"* ]]
	cat >p/rest.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few}
spec:
  policyName: few
  validationActions: [Warn]
  paramRef: {name: limits, namespace: default, parameterNotFoundAction: Deny}
  matchResources: {objectSelector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: limits, namespace: default}
data: {most: "0"}
END
	[ "$(report --pod-security none -p p a.yaml)" = "few low a.yaml:9 Pod shop/web: spec.containers" ]
	sed -i 's/app: web}}/app: other}}/' p/rest.yaml
	[ "$(report --pod-security none -p p a.yaml)" = "" ]
	sed -i 's/app: other}}/app: web}}/; s/most: "0"/most: "9"/' p/rest.yaml
	[ "$(report --pod-security none -p p a.yaml)" = "" ]
	sed -i 's/name: limits, namespace: default}/name: gone, namespace: default}/' p/rest.yaml
	run bulkhead check --no-hardening --fail-on low --pod-security none -p p a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"no params found"* ]]
}

@test "what only a cluster knows is not known: incomplete, never a pass" {
	pod a.yaml
	policy p.yaml
	sed -i "s/^  - expression: variables.images.*/  - expression: request.userInfo.username == 'admin'/; /messageExpression/d" p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"depends on what is not known here"* ]]
	sed -i "s/request.userInfo.username == 'admin'/authorizer.group('').resource('pods').check('create').allowed()/" p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 3 ]
	sed -i "s/authorizer.*/request.operation == 'CREATE' \\&\\& request.namespace == 'shop' \\&\\& request.resource.resource == 'pods' \\&\\& oldObject == null/" p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 0 ]
}

@test "a recorded AdmissionReview is reviewed as it was asked" {
	policy p.yaml
	sed -i "s/^  - expression: variables.images.*/  - expression: request.userInfo.username == 'admin' \\&\\& request.operation == 'UPDATE' \\&\\& oldObject.metadata.name == 'w'/; /messageExpression/d" p.yaml
	cat >review.json <<'END'
{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
 "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "w", "namespace": "n", "operation": "UPDATE", "userInfo": {"username": "admin"},
 "object": {"metadata": {"name": "w"}, "spec": {"containers": []}}, "oldObject": {"metadata": {"name": "w"}}}}
END
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml review.json
	[ "$status" -eq 0 ]
	sed -i 's/"username": "admin"/"username": "eve"/' review.json
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml review.json
	[ "$status" -eq 1 ]
	sed -i 's/"operation": "UPDATE"/"operation": "LOOK"/' review.json
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml review.json
	[ "$status" -eq 3 ]
	[[ $output == *"request.operation"* ]]
}

@test "a wrong policy is refused aloud, with the place in its expression; the others are asked" {
	pod a.yaml
	policy p.yaml
	sed 's/no-latest/wrong/; s/contains(/contans(/' p.yaml >wrong.yaml
	sed -i 's/nginx:1.25/nginx/' a.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml -p wrong.yaml a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"undeclared reference to 'contans'"* ]]
	[[ $output == *"images without a version"* ]]
	printf 'apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: x}\nspec: {validations: [{expression: "1 + 1"}]}\n' >type.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p type.yaml a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"must evaluate to bool but got int"* ]]
	sed -i 's/1 + 1/semver("1.0.0").major() == 1/; s/"semver("1.0.0")/"semver('"'1.0.0'"')/' type.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p type.yaml a.yaml
	[ "$status" -eq 0 ]
	run bulkhead check --no-hardening --width 200 --kubernetes 1.30 --pod-security none -p type.yaml a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"undeclared reference to 'semver'"* ]]
}

@test "expressions that the API server of the version would not store are refused: its functions, literals of one type, literals that can be read" {
	pod a.yaml
	# expression, first version that takes it (0: none), what is said before; from k8s.io/apiserver (tests/live/cel_versions.py)
	while IFS='|' read -r expression since said; do
		printf 'apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: x}\nspec: {validations: [{expression: %s}]}\n' \
			"$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1]))' "$expression")" >p.yaml
		run bulkhead check --no-hardening --no-schema --width 200 --kubernetes "1.$((since ? since - 1 : 40))" --pod-security none -p p.yaml a.yaml
		[ "$status" -eq 3 ]
		[[ $output == *"$said"* ]]
		[ "$since" -eq 0 ] && continue
		run bulkhead check --no-hardening --no-schema --width 200 --kubernetes "1.$since" --pod-security none -p p.yaml a.yaml
		[ "$status" -eq 0 ]
	done <<-'END'
		optional.of(1).hasValue()|29|undeclared reference to 'optional'
		"%s".format(["a"]) == "a"|30|undeclared reference to 'format'
		[1, 2].includes(1)|38|undeclared reference to 'includes'
		[1].slice(0, 1) == [1]|35|undeclared reference to 'slice'
		[1].all(i, v, v == 1)|33|undeclared reference to 'all'
		"ab".reverse() == "ba"|0|no matching overload for 'reverse'
		[object.metadata.name, "a"].size() == 2|0|expected type 'dyn' but found 'string'
		"%d".format(["a"]) == "a"|0|decimal clause can only be used on integers
		"%s %s".format(["a"]) == "a"|0|index 1 out of range
		"%s".format(["a", "b"]) == "a"|0|too many arguments
		duration("1x") == duration("1s")|0|invalid duration argument
		timestamp("1") == timestamp("2")|0|invalid timestamp argument
		"a".matches("(")|0|invalid matches argument
	END
}

@test "failurePolicy decides about errors; an endless policy is ended by its cost" {
	pod a.yaml
	policy p.yaml
	sed -i "s/^  - expression: variables.images.*/  - expression: object.spec.nothing == 1/; /messageExpression/d" p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"resulted in error: no such key: nothing"* ]]
	sed -i 's/failurePolicy: Fail/failurePolicy: Ignore/' p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 0 ]
	sed -i 's/failurePolicy: Ignore/failurePolicy: Fail/; s/expression: object.spec.nothing == 1/expression: "[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, [0,1,2,3,4,5,6,7,8,9].all(f, f >= 0))))))"/' p.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml a.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"cost limit exceeded"* ]]
}

@test "a broken document is told with its line and hides no other" {
	pod a.yaml
	sed -i 's/nginx:1.25/nginx/' a.yaml
	{
		echo 'apiVersion: v1'
		echo 'kind: Pod'
		echo 'metadata: {name: x'
		echo '---'
		cat a.yaml
		echo '---'
		printf 'apiVersion: v1\nkind: Pod\nkind: Pod\n'
		echo '---'
		echo '- a list'
		echo '---'
		echo 'metadata: {name: no-kind}'
	} >all.yaml
	policy p.yaml
	run report --pod-security none -p p.yaml all.yaml
	[ "${lines[0]}" = "no-latest high all.yaml:15 Pod shop/web: spec.containers[0].image" ]
	[ "${#lines[@]}" -eq 1 ]
	python3 - <<'END'
import json
got = [i["reason"] for i in json.load(open("report.json"))["incomplete"]]
assert len(got) == 4, got
assert got[0].startswith("line 4:"), got
assert "kind" in got[1] and got[1].startswith("line 20:") and "line 19" in got[1], got
assert "not an object" in got[2], got
assert "kind is missing" in got[3], got
END
}

@test "YAML as kubectl reads it: yes is true, numbers, merge keys, byte order mark" {
	cat >p.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: types}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}
  validations:
  - expression: object.a == true && object.b == 8 && object.c == 15 && object.d == 1 && object.e == 'yes' && object.f == null && object.g == '1.2.3'
  - expression: >-
      object.m == {'x': 1, 'y': 2} && type(object.h) == double && object.i == '010' && object.j == 1000
END
	printf '\xef\xbb\xbfapiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\na: yes\nb: 010\nc: 0x0f\nd: 1.0\ne: "yes"\nf: ~\ng: 1.2.3\nbase: &base {x: 1, y: 1}\nm:\n  <<: *base\n  y: 2\nh: 1.5\ni: "010"\nj: 1_000\n' >t.yaml
	run bulkhead check --no-hardening --width 200 --pod-security none -p p.yaml t.yaml
	[ "$status" -eq 0 ]
}

@test "bombs, depth, cycles of nothing: an answer, not a hang" {
	python3 - <<'END'
bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12))
open("bomb.yaml", "w").write("apiVersion: v1\nkind: Pod\n" + bomb)
open("deep.yaml", "w").write("apiVersion: v1\nkind: Pod\nspec: " + "[" * 50000)
open("list.yaml", "w").write("apiVersion: v1\nkind: List\nitems:\n" + "- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}\n" * 100)
open("many.yaml", "w").write("---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\n" for i in range(20000)))
END
	run bulkhead check --no-hardening bomb.yaml
	[ "$status" -eq 3 ]
	run bulkhead check --no-hardening deep.yaml
	[ "$status" -eq 3 ]
	run bulkhead check --no-hardening list.yaml
	[ "$status" -eq 2 ]
	run bulkhead check --no-hardening many.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"20000 objects"* ]]
}

@test "what is not there, what is empty, what can't be read" {
	run bulkhead check --no-hardening nowhere.yaml
	fails 2 "nowhere.yaml"
	mkdir empty
	run bulkhead check --no-hardening empty
	fails 2 "no *.yaml"
	: >nothing.yaml
	run bulkhead check --no-hardening nothing.yaml
	[ "$status" -eq 2 ]
	pod a.yaml
	run bulkhead check --no-hardening -p nowhere a.yaml
	fails 2 "nowhere"
	mkdir d d/.hidden
	pod d/a.yaml
	echo '{' >d/.hidden/b.yaml
	echo 'not yaml: [' >d/notes.txt
	ln -s /etc/passwd d/link.yaml
	run bulkhead check --no-hardening d
	[ "$status" -eq 0 ]
	[[ $output == *"1 object in 1 file,"* ]]
	run bulkhead check --no-hardening
	fails 2 "PATH"
	chmod 600 a.yaml
	run_unprivileged check a.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"Permission denied"* ]]
}

@test "exceptions of bulkhead.yaml hold here; other formats name file and line" {
	pod a.yaml
	sed -i '/runAsNonRoot/s/runAsNonRoot: true, //' a.yaml
	run bulkhead check --no-hardening a.yaml
	[ "$status" -eq 1 ]
	bulkhead check --no-hardening --fail-on never -f sarif a.yaml >a.sarif 2>/dev/null
	python3 - <<'END'
import json
r = json.load(open("a.sarif"))["runs"][0]["results"]
assert [x["ruleId"] for x in r] == ["pss-run-as-non-root"], r
where = r[0]["locations"][0]["physicalLocation"]
assert where["artifactLocation"]["uri"] == "a.yaml" and where["region"]["startLine"] >= 8, where
END
	printf 'exceptions:\n  - id: pss-run-as-non-root\n    path: a.yaml\n    reason: legacy\n    owner: me\n    expires: 2999-01-01\n' >bulkhead.yaml
	run bulkhead check --no-hardening a.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"1 suppressed"* ]]
}

# A PATH with the programs of the system that are needed, and those of $PWD/bin.
narrow_path() {
	mkdir -p bin
	for program in timeout sh cat ls env; do
		ln -sf "$(command -v $program)" bin/
	done
}

@test "a Helm chart that nothing here renders is told as not checked, and its templates are not read as YAML" {
	mkdir -p all/chart/templates
	pod all/a.yaml
	printf 'apiVersion: v2\nname: c\nversion: 1.0.0\n' >all/chart/Chart.yaml
	printf '{{- if .Values.x }}\nkind: Pod\n{{- end }}\n' >all/chart/templates/p.yaml
	narrow_path
	for path in all all/chart; do
		PATH=$PWD/bin run "$BULKHEAD" check --no-hardening "$path"
		[ "$status" -eq 3 ]
		[[ $output == *"all/chart: is a Helm chart: install helm, or check the output of helm template"* ]]
		[[ $output != *"p.yaml"* ]]
	done
}

@test "what helm makes of a chart is checked, without network and with its complaints" {
	mkdir -p chart
	printf 'apiVersion: v2\nname: c\nversion: 1.0.0\n' >chart/Chart.yaml
	pod pod.yaml
	echo '  hostNetwork: true' >>pod.yaml
	narrow_path
	printf '#!/bin/sh\n[ "$*" = "template --include-crds -- release-name ./chart" ] || exit 9\ncat pod.yaml\n' >bin/helm
	chmod +x bin/helm
	PATH=$PWD/bin run "$BULKHEAD" check -f csv --no-hardening chart
	[ "$status" -eq 1 ]
	[[ $output == *"pss-host-namespaces"*",chart,"* ]]
	PATH=$PWD/bin run "$BULKHEAD" check --no-hardening chart
	[[ $output == *"spec.hostNetwork (rendered line "* ]]
	printf '#!/bin/sh\necho "parse error at c/templates/p.yaml:3" >&2; exit 1\n' >bin/helm
	PATH=$PWD/bin run "$BULKHEAD" check --no-hardening chart
	[ "$status" -eq 3 ]
	[[ $output == *"helm: parse error at c/templates/p.yaml:3"* ]]
	# Of the network's devices it sees the loopback alone.
	printf '#!/bin/sh\nwhile read -r name rest; do case $name in *:) seen="$seen $name" ;; esac; done </proc/self/net/dev; echo "devices:$seen." >&2; exit 1\n' >bin/helm
	PATH=$PWD/bin run "$BULKHEAD" check --no-hardening chart
	[[ $output == *"helm: devices: lo:."* ]]
}

# A helm that writes its arguments, one a line, and the values that it was given, and then a manifest with a comment as helm's.
recording_helm() {
	cat >bin/helm <<-'END'
		#!/bin/sh
		printf '%s\n' "$@" >arguments
		for a; do case $a in --values=*) cat "${a#--values=}" >>values ;; esac; done
		printf -- '---\n# Source: shop/templates/a.yaml\n'
		cat pod.yaml
		printf -- '---\n# Source: shop/charts/db/templates/b.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {hostNetwork: true, containers: [{name: a, image: b}]}\n'
		printf -- '---\n# Source: shop/templates/broken.yaml\nkind: [\n'
	END
	chmod +x bin/helm
}

@test "charts get values, --set, a release and its namespace as helm's own; no value can become an option" {
	mkdir -p charts/-x
	printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\n' >charts/-x/Chart.yaml
	pod pod.yaml
	narrow_path
	recording_helm
	echo 'first: 1' >'a,b.yaml'
	echo 'second: 2' >'--post-renderer=evil'
	PATH=$PWD/bin run "$BULKHEAD" check --no-hardening charts/-x --values a,b.yaml '--values=--post-renderer=evil' --set '--post-renderer=x' --set 'b={1,2}' \
		--release=--debug --namespace -n --kubernetes 1.30
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	run sed -E 's,/proc/self/fd/[0-9]+,FD,' arguments
	[ "$output" = "template
--include-crds
--values=FD
--values=FD
--set=--post-renderer=x
--set=b={1,2}
--namespace=-n
--kube-version=1.30
--
--debug
./charts/-x" ]
	[ "$(cat values)" = "first: 1
second: 2" ]
}

@test "findings in a chart name the template, whatever the chart is called, and the line of what was rendered" {
	mkdir -p web
	printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\n' >web/Chart.yaml
	pod pod.yaml
	echo '  hostNetwork: true' >>pod.yaml
	narrow_path
	recording_helm
	PATH=$PWD/bin run "$BULKHEAD" check -f csv --no-hardening web/
	[[ $output == *"pss-host-namespaces"*",web/templates/a.yaml,"* ]]
	[[ $output == *"pss-host-namespaces"*",web/charts/db/templates/b.yaml,"* ]]
	PATH=$PWD/bin run "$BULKHEAD" check --no-hardening web
	[[ $output == *"web/templates/broken.yaml (rendered): line "* ]]
	[[ $output == *"Pod db: spec.hostNetwork (rendered line "* ]]
	PATH=$PWD/bin run "$BULKHEAD" rbac can sa:default/x web
	[[ $output == *"not checked: web/templates/broken.yaml (rendered):"* ]]
}

@test "options about charts say when they can mean nothing" {
	pod pod.yaml
	run bulkhead check --values none.yaml pod.yaml
	fails 2 "--values: none.yaml: no such file"
	run bulkhead check --values . pod.yaml
	fails 2 "--values: "
	run bulkhead check --set a pod.yaml
	fails 2 "--set: KEY=VALUE was expected, not a"
	for command in "check" "netpol list" "rbac risks" "paths" "comply pod-security"; do
		run bulkhead $command pod.yaml --set a=b
		fails 2 "no Helm chart is among the paths"
	done
	run bulkhead rbac who-can get pods pod.yaml --namespace shop
	[ "$status" -eq 0 ]
	# In a configuration they are for whatever charts there are.
	echo 'release: shop' >bulkhead.yaml
	run bulkhead check --pod-security none --no-hardening pod.yaml
	[ "$status" -eq 0 ]
}

@test "what Kustomize makes of a folder is checked instead of its parts" {
	command -v kubectl >/dev/null || command -v kustomize >/dev/null || skip "neither kubectl nor kustomize is installed"
	mkdir -p base prod
	pod base/pod.yaml
	printf 'resources: [pod.yaml]\n' >base/kustomization.yaml
	cat >prod/kustomization.yaml <<-'END'
		resources: [../base]
		namespace: shop
		patches:
		- target: {kind: Pod}
		  patch: |-
		    - op: add
		      path: /spec/hostNetwork
		      value: true
	END
	run bulkhead check -f csv --no-hardening --pod-security baseline prod
	[ "$status" -eq 1 ]
	[[ $output == *"pss-host-namespaces"*",prod/kustomization.yaml,"* ]]
	echo 'buildMetadata: [originAnnotations]' >>prod/kustomization.yaml
	run bulkhead check -f csv --no-hardening --pod-security baseline prod
	[ "$status" -eq 1 ]
	[[ $output == *"pss-host-namespaces"*",base/pod.yaml,"* ]]
	printf 'resources: [none.yaml]\n' >prod/kustomization.yaml
	run bulkhead check --no-hardening prod
	[ "$status" -eq 3 ]
	[[ $output == *"NOT CHECKED"* ]]
}
