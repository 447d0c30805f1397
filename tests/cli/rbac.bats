#!/usr/bin/env bats
# `bulkhead rbac`: what a role allows is Kubernetes' (tests/live/rbac_authorizer.py compares); here: the words of the command, and bad input.
load common

# binding KIND NAME NAMESPACE ROLEKIND ROLE SUBJECT: a document; an empty NAMESPACE for ClusterRoleBindings.
binding() {
	printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s%s}\n' "$1" "$2" "${3:+, namespace: $3}"
	printf 'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\nsubjects: [%s]\n' "$4" "$5" "$6"
}

# role KIND NAME NAMESPACE RULE...
role() {
	printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s%s}\nrules:\n' "$1" "$2" "${3:+, namespace: $3}"
	shift 3
	printf -- '- %s\n' "$@"
}

shop() {
	binding RoleBinding deployer shop ClusterRole edit '{kind: ServiceAccount, name: deployer}'
	role Role reader shop '{apiGroups: [""], resources: [secrets], resourceNames: [tls, key], verbs: [get, create]}' \
		'{apiGroups: [apps], resources: [deployments/scale], verbs: [update]}'
	binding RoleBinding readers shop Role reader '{kind: Group, name: devs}'
	role ClusterRole probe '' '{nonResourceURLs: ["/metrics*"], verbs: [get]}'
	binding ClusterRoleBinding probes '' ClusterRole probe '{kind: User, name: alice}'
}

@test "who-can: subjects, scopes, names and places" {
	shop >rbac.yaml
	run bulkhead rbac who-can get secrets -f csv rbac.yaml
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "subject,scope,names,role,binding,where" ]
	[[ $output == *"group:devs,shop,\"tls, key\",Role shop/reader,RoleBinding shop/readers,rbac.yaml:15"* ]]
	[[ $output == *"sa:shop/deployer,shop,,ClusterRole edit,RoleBinding shop/deployer,rbac.yaml:2"* ]]
	[[ $output == *"group:system:masters,,,ClusterRole cluster-admin,ClusterRoleBinding cluster-admin,default"* ]]
	run bulkhead rbac who-can get secrets --name other -f csv rbac.yaml
	[[ $output != *devs* && $output == *deployer* ]]
	run bulkhead rbac who-can get secrets -n dev -f csv rbac.yaml
	[[ $output != *devs* && $output != *deployer* ]]
	# A name can't be told of what is created.
	run bulkhead rbac who-can create secrets -f csv rbac.yaml
	[[ $output != *devs* ]]
	run bulkhead rbac who-can update deployments.apps/scale -f csv rbac.yaml
	[[ $output == *"group:devs,shop,,"* ]]
	run bulkhead rbac who-can get /metrics/cadvisor -f json rbac.yaml
	[[ $output == *'"subject": "user:alice"'* ]]
	python3 -c 'import json,sys; assert len(json.loads(sys.argv[1])) == 3' "$output"
}

@test "can: rules of a subject and its groups; one question has a yes or no" {
	shop >rbac.yaml
	run bulkhead rbac can user:alice --group devs -f csv rbac.yaml
	[ "$status" -eq 0 ]
	[[ $output == *",get,/metrics*,,user:alice,ClusterRole probe,ClusterRoleBinding probes,rbac.yaml:25"* ]]
	[[ $output == *"shop,update,deployments.apps/scale,,group:devs,Role shop/reader,"* ]]
	[[ $output == *",group:system:authenticated,ClusterRole system:basic-user,"* ]]
	run bulkhead rbac can user:alice --defaults no -f csv rbac.yaml
	[ "${#lines[@]}" -eq 2 ]
	run bulkhead rbac can sa:shop/deployer --verb create --resource pods -n shop rbac.yaml
	[ "$status" -eq 0 ]
	[[ ${lines[1]} == "yes "*"ClusterRole edit"*"RoleBinding shop/deployer"* ]]
	run bulkhead rbac can sa:shop/deployer --verb create --resource pods rbac.yaml
	[ "$status" -eq 1 ]
	[[ ${lines[1]} == "no "* ]]
	run bulkhead rbac can system:serviceaccount:shop:deployer --verb create --resource pods -n shop rbac.yaml
	[ "$status" -eq 0 ]
	run bulkhead rbac can x --group system:masters --verb create --resource pods rbac.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"system:masters"* ]]
}

@test "custom resources have the group of their definition" {
	shop >rbac.yaml
	run bulkhead rbac who-can get gadgets rbac.yaml
	fails 2 "write gadgets.GROUP"
	cat >>rbac.yaml <<'END'
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.shop.example}
spec: {group: shop.example, scope: Namespaced, names: {plural: gadgets, kind: Gadget}}
END
	role Role g shop '{apiGroups: [shop.example], resources: [gadgets], verbs: [get]}' >>rbac.yaml
	binding RoleBinding g shop Role g '{kind: User, name: bob}' >>rbac.yaml
	run bulkhead rbac who-can get gadgets -f csv rbac.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"user:bob,shop,"* ]]
}

@test "aggregation: selected rules count, those of the file don't, cycles end" {
	for n in a b; do
		other=$([ $n = a ] && echo b || echo a)
		printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s, labels: {to-%s: "true"}}\n' $n $other
		printf 'aggregationRule: {clusterRoleSelectors: [{matchLabels: {to-%s: "true"}}]}\nrules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]\n' $n
	done >rbac.yaml
	printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: leaf, labels: {to-b: "true"}}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n' >>rbac.yaml
	binding ClusterRoleBinding x '' ClusterRole a '{kind: User, name: alice}' >>rbac.yaml
	run bulkhead rbac can alice --defaults no -f csv rbac.yaml
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == ",get,pods,,user:alice,ClusterRole a,ClusterRoleBinding x,rbac.yaml:17" ]]
}

@test "bad input: what is no role or binding is told, and nothing is guessed" {
	{
		binding RoleBinding gone shop Role missing '{kind: User, name: alice}'
		binding ClusterRoleBinding wrong '' Role reader '{kind: User, name: alice}'
		binding ClusterRoleBinding who '' ClusterRole view '{kind: Robot, name: r2}, {kind: ServiceAccount, name: web}, {kind: User, name: carol}'
		role ClusterRole broken '' 7 '{verbs: get, resources: [1, pods], apiGroups: [""]}'
		printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Rolebinding\nmetadata: {name: typo}\n'
		printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {}\n'
	} >rbac.yaml
	run bulkhead rbac who-can get pods -f csv rbac.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"a roleRef that is no ClusterRole"* ]]
	[[ $output == *"rbac.yaml:12: ClusterRoleBinding who: a subject that is no User"* || $output == *"ClusterRoleBinding who: a subject that is no User"* ]]
	[[ $output == *"an unknown kind of rbac.authorization.k8s.io"* ]]
	[[ $output == *"a rule that is not made of lists of texts"* ]]
	[[ $output == *"it has no name"* ]]
	[[ $output == *"user:carol,,,ClusterRole view"* ]]
	[[ $output != *"user:alice"* && $output != *"sa:"*"/web"* ]]
}

@test "wrong words and files" {
	shop >rbac.yaml
	run bulkhead rbac who-can get secrets
	fails 2 "usage: bulkhead rbac who-can VERB RESOURCE PATH"
	run bulkhead rbac frobnicate x y
	fails 2 "who-can"
	run bulkhead rbac can sa:web rbac.yaml
	fails 2 "sa:NAMESPACE/NAME"
	run bulkhead rbac can alice --verb get rbac.yaml
	fails 2 "--verb and --resource go together"
	run bulkhead rbac can alice -f sarif rbac.yaml
	fails 2 "table, json, csv or markdown"
	run bulkhead rbac can alice missing.yaml
	fails 2 "missing.yaml"
	: >empty.yaml
	run bulkhead rbac can alice empty.yaml
	fails 2 "no Kubernetes object"
}

# risks OPTION... FILE: one "id severity" per finding, sorted.
risks() {
	"$BULKHEAD" rbac risks --severity negligible --fail-on never -f json "$@" >report.json || [ $? -eq 3 ]
	python3 -c 'import json; print("\n".join(sorted(f["id"] + " " + f["severity"] for f in json.load(open("report.json"))["findings"])))'
}

# given SCOPE RULE...: the risks of a ClusterRole with these rules for sa:NAMESPACE/x; SCOPE: a namespace, or - for all.
given() {
	{
		role ClusterRole r '' "${@:2}"
		if [ "$1" = - ]; then
			binding ClusterRoleBinding b '' ClusterRole r '{kind: ServiceAccount, namespace: shop, name: x}'
		else
			binding RoleBinding b "$1" ClusterRole r '{kind: ServiceAccount, namespace: shop, name: x}'
		fi
		[ ! -f more.yaml ] || cat more.yaml
	} >r.yaml
	risks r.yaml
}

# core VERBS RESOURCES, of GROUP VERBS RESOURCES: a rule
core() { of '""' "$@"; }
of() { echo "{apiGroups: [$1], verbs: [$2], resources: [$3]}"; }

# expect TEXT SCOPE RULE...
expect() {
	run given "${@:2}"
	[ "$output" = "$1" ] || { echo "for ${*:2}: wanted '$1', got '$output'"; return 1; }
}

# Severities by reference section 6 of the catalogue: in all namespaces, and in one that nothing privileged lives in.
@test "risks: the catalogue, everywhere and in a namespace" {
	local r=rbac.authorization.k8s.io c=certificates.k8s.io
	expect "rbac-wildcard critical" - "$(of '"*"' '"*"' '"*"')"
	expect "rbac-wildcard high" shop "$(of '"*"' '"*"' '"*"')"
	expect "rbac-escalate critical" - "$(of $r escalate clusterroles)"
	expect "" - "$(of $r bind clusterroles)"
	expect "rbac-bind critical" - "$(of $r bind clusterroles)" "$(of $r create clusterrolebindings)"
	expect "rbac-impersonate critical" - "$(core impersonate users)"
	expect "rbac-impersonate critical" - "$(of authentication.k8s.io impersonate userextras)"
	expect "rbac-impersonate high" shop "$(core impersonate serviceaccounts)"
	expect "rbac-certificate-approval high" - "$(of $c update certificatesigningrequests/approval)" "$(of $c approve signers)"
	expect "rbac-certificate-issue critical" - "$(of $c update certificatesigningrequests/approval)" "$(of $c approve signers)" "$(of $c create certificatesigningrequests)"
	expect "" - "$(of $c create certificatesigningrequests)"
	expect "rbac-secrets critical" - "$(core list secrets)"
	expect "rbac-secrets high" shop "$(core get secrets)"
	expect "rbac-secrets-write high" shop "$(core create secrets)"
	expect "rbac-token-request high" shop "$(core create serviceaccounts/token)"
	expect "rbac-pod-create critical" - "$(of apps patch deployments)"
	expect "rbac-pod-create high" shop "$(of batch create cronjobs)"
	expect "rbac-pod-exec high" shop "$(core create pods/exec)"
	expect "rbac-pod-exec high" shop "$(core get '"*/exec"')"
	expect "rbac-ephemeral-containers high" shop "$(core patch pods/ephemeralcontainers)"
	expect "rbac-port-forward medium" shop "$(core create pods/portforward)"
	expect "rbac-node-proxy critical" - "$(core get nodes/proxy)"
	expect "" shop "$(core get nodes/proxy)"
	expect "rbac-nodes medium" - "$(core patch nodes/status)"
	expect "rbac-nodes medium" - "$(core 'delete, patch' nodes)"
	expect "rbac-traffic medium" shop "$(core update services/status)"
	expect "rbac-traffic medium" shop "$(of discovery.k8s.io update endpointslices)"
	expect "rbac-admission-write high" - "$(of admissionregistration.k8s.io delete validatingadmissionpolicybindings)"
	expect "rbac-api-extension high" - "$(of apiextensions.k8s.io update customresourcedefinitions)"
	expect "rbac-persistent-volumes high" - "$(core create persistentvolumes)"
	expect "rbac-namespace-labels high" - "$(core patch namespaces)"
	expect "rbac-network-policies low" shop "$(of networking.k8s.io delete networkpolicies)"
	expect "rbac-system-configmaps medium" kube-system "$(core update configmaps)"
	expect "" shop "$(core update configmaps)"
	expect "rbac-cover-tracks low" shop "$(core delete events)"
	expect "rbac-wildcard-verbs low" shop "$(of shop.example '"*"' gadgets)"
	expect "" - "$(core 'get, list, watch' 'pods, pods/log, services, nodes, configmaps')"
}

@test "risks: what lives in the namespace, admission, names and exposure weigh" {
	expect "rbac-secrets critical" kube-system "$(core get secrets)"
	expect "rbac-secrets medium" shop '{apiGroups: [""], verbs: [get], resources: [secrets], resourceNames: [tls]}'
	expect "" shop '{apiGroups: [""], verbs: [create], resources: [pods], resourceNames: [a]}'
	for level in restricted baseline privileged; do
		printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: %s}}\n' $level >more.yaml
		expect "rbac-pod-create $([ $level = privileged ] && echo high || echo medium)" shop "$(core create pods)"
	done
	# An account of the namespace that can take over the cluster makes the namespace worth as much, and admission is no help then.
	{
		cat more.yaml
		role ClusterRole strong '' "$(core get nodes/proxy)"
		binding ClusterRoleBinding strong '' ClusterRole strong '{kind: ServiceAccount, namespace: shop, name: agent}'
	} >strong.yaml
	mv strong.yaml more.yaml
	expect "$(printf 'rbac-node-proxy critical\nrbac-pod-create critical')" shop "$(core create pods)"
	cat >more.yaml <<'END'
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: x, containers: []}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ClusterIP, selector: {app: web}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}
END
	expect "rbac-secrets critical" shop "$(core get secrets)"
	grep -q "raised: its token is in a pod that the outside reaches: Deployment shop/web through Ingress shop/front" report.json
	sed -i 's/serviceAccountName: x/serviceAccountName: x, automountServiceAccountToken: false/' more.yaml
	expect "rbac-secrets high" shop "$(core get secrets)"
	printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: aws-auth, namespace: kube-system}\ndata: {mapRoles: "- groups: [system:masters]"}\n' >more.yaml
	expect "$(printf 'rbac-system-configmaps critical\nrbac-system-masters critical')" kube-system "$(core update configmaps)"
}

# vap NAME ACTION EXPRESSION [MATCH]: a policy of pods and its binding
vap() {
	local only=''
	[ $# -lt 4 ] || only=", matchResources: {namespaceSelector: {matchLabels: $4}}"
	cat <<END
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $1}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: '$3'}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: $1}
spec: {policyName: $1, validationActions: [$2]$only}
END
}

@test "risks: admission policies weigh as they would decide about pods that take the node" {
	local shop='---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: shop}}\n'
	local none='!has(object.spec.hostPID) && !has(object.spec.volumes) && object.spec.containers.all(c, !has(c.securityContext.privileged) && !has(c.securityContext.capabilities.add))'
	# One that leaves ways open is told, and does not lower.
	{ printf -- "$shop"; vap no-privileged Deny 'object.spec.containers.all(c, !has(c.securityContext.privileged))'; } >more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	grep -q 'not lowered: ValidatingAdmissionPolicy no-privileged denies privileged containers, no policy denies folders of the node, nor the node.s processes, nor capabilities' report.json
	{ printf -- "$shop"; vap shut Deny "$none"; } >more.yaml
	expect "rbac-pod-create medium" shop "$(core create pods)"
	grep -q 'lowered: ValidatingAdmissionPolicy shut denies privileged containers, folders of the node, the node.s processes, capabilities like SYS_ADMIN' report.json
	{ printf -- "$shop"; vap shut Deny "$none" '{team: shop}'; } >more.yaml
	expect "rbac-pod-create medium" shop "$(core create pods)"
	# Not bound, bound to warn, bound to other namespaces, or about something that every pod may lack: they count for nothing.
	{ printf -- "$shop"; vap shut Deny "$none" | sed '/^kind: .*Binding/,$d; $d'; } >more.yaml
	sed -i '$d' more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	{ printf -- "$shop"; vap shut Warn "$none"; } >more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	{ printf -- "$shop"; vap shut Deny "$none" '{team: other}'; } >more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	{ printf -- "$shop"; vap label Deny 'has(object.metadata.annotations)'; } >more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	# Who asks is not known here.
	{ printf -- "$shop"; vap who Deny "request.userInfo.username == \"x\" || $none"; } >more.yaml
	expect "rbac-pod-create high" shop "$(core create pods)"
	grep -q 'ValidatingAdmissionPolicy who depends on what is not known here' report.json
	# Kubernetes' own baseline level as policies, as they are shipped.
	{
		printf -- "$shop"
		for f in pss-privileged pss-host-path-volumes pss-host-namespaces pss-capabilities; do
			printf -- '---\n'
			cat "$BATS_TEST_DIRNAME/../../rules/kubernetes/$f.yaml"
			printf -- '---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: %s}\n' "$f"
			printf 'spec: {policyName: %s, validationActions: [Deny]}\n' "$(sed -n 's/^  name: //p' "$BATS_TEST_DIRNAME/../../rules/kubernetes/$f.yaml")"
		done
	} >more.yaml
	expect "rbac-pod-create medium" shop "$(core create pods)"
	# A policy that can't be read is told.
	{ printf -- "$shop"; vap broken Deny 'object.spec.('; } >more.yaml
	{ role Role r shop "$(core create pods)"; binding RoleBinding b shop Role r '{kind: User, name: x}'; cat more.yaml; } >r.yaml
	run bulkhead rbac risks --fail-on never r.yaml
	[ "$status" -eq 3 ]
}

@test "risks: subjects that everybody is, roles that are not there, rights beside roles" {
	local view='{apiGroups: [""], verbs: [get], resources: [pods]}'
	for s in '{kind: User, name: "system:anonymous"}|rbac-anonymous critical' '{kind: Group, name: "system:unauthenticated"}|rbac-anonymous critical' \
		'{kind: Group, name: "system:authenticated"}|rbac-all-authenticated high' '{kind: Group, name: "system:masters"}|rbac-system-masters critical' \
		'{kind: ServiceAccount, name: default, namespace: shop}|rbac-default-service-account medium' '{kind: User, name: alice}|'; do
		{ role Role r shop "$view"; binding RoleBinding b shop Role r "${s%|*}"; } >r.yaml
		run risks r.yaml
		[ "$output" = "${s#*|}" ] || { echo "$s: $output"; return 1; }
	done
	{ role Role alone shop "$view"; binding RoleBinding b shop Role gone '{kind: ServiceAccount, name: web}'; } >r.yaml
	printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/x"}}\n' >>r.yaml
	run risks r.yaml
	[ "$output" = "$(printf 'rbac-cloud-role negligible\nrbac-missing-role negligible\nrbac-missing-subject negligible\nrbac-unused-role negligible')" ]
	{ role Role r shop "$view"; for i in 1 2 3 4 5 6 7 8 9 10; do binding RoleBinding "b$i" shop Role r '{kind: User, name: alice}'; done; } >r.yaml
	run risks r.yaml
	[ "$output" = "rbac-many-bindings negligible" ]
}

@test "risks: verdict, exceptions, formats; what the API server makes is no finding" {
	{ role ClusterRole r '' "$(core get secrets)"; binding ClusterRoleBinding b '' ClusterRole r '{kind: User, name: alice}'; } >r.yaml
	run bulkhead rbac risks r.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"critical    r.yaml:8: user:alice may read secrets"* ]]
	[[ $output == *"ClusterRoleBinding b of ClusterRole r: get secrets (r.yaml:6)"* ]]
	run bulkhead rbac risks --fail-on never -f sarif r.yaml
	[ "$status" -eq 0 ]
	[[ $output == *'"ruleId": "rbac-secrets"'* ]]
	printf 'exceptions:\n- {id: rbac-secrets, path: r.yaml, reason: a test, owner: me, expires: 2099-01-01}\n' >bulkhead.yaml
	run bulkhead rbac risks r.yaml
	[ "$status" -eq 0 ]
	printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' >none.yaml
	run risks --defaults yes none.yaml
	[ -z "$output" ]
	printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x, namespace: shop}\nroleRef: {kind: Pod, name: x}\n' >bad.yaml
	run bulkhead rbac risks bad.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"a roleRef that is no Role"* ]]
}

# event USER VERB URI REF [CODE] [MORE]: a line of a log.
event() {
	printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","requestReceivedTimestamp":"2026-11-0%sT10:00:00.000000Z","user":{"username":"%s","groups":["system:authenticated"]},"verb":"%s","requestURI":"%s"%s,"responseStatus":{"code":%s}%s}\n' \
		"${DAY:-1}" "$1" "$2" "$3" "${4:+,\"objectRef\":$4}" "${5:-200}" "${6:-}"
}

@test "least: strict roles, proven by replay; names only where the authorizer saw them" {
	{
		event alice get /api/v1/namespaces/shop/secrets/a '{"resource":"secrets","namespace":"shop","name":"a"}'
		event alice get /api/v1/namespaces/shop/secrets/a '{"resource":"secrets","namespace":"shop","name":"a"}'
		event alice get /api/v1/namespaces/shop/secrets/b '{"resource":"secrets","namespace":"shop","name":"b"}'
		event alice create /api/v1/namespaces/shop/pods '{"resource":"pods","namespace":"shop","name":"p1"}' 201
		event alice create /api/v1/namespaces/shop/pods/p1/exec '{"resource":"pods","subresource":"exec","namespace":"shop","name":"p1"}' 101
		event alice list /apis/apps/v1/deployments '{"resource":"deployments","apiGroup":"apps"}'
		event alice list /apis/apps/v1/namespaces/shop/deployments '{"resource":"deployments","apiGroup":"apps","namespace":"shop"}'
		event alice list /apis/batch/v1/jobs '{"resource":"jobs","apiGroup":"batch"}'
		event alice get '/metrics?x=1' ''
		event alice get /version ''
		event alice delete /api/v1/nodes/n '{"resource":"nodes","name":"n"}' 403
		event alice update /api/v1/namespaces/shop/pods/x '{"resource":"pods","namespace":"shop","name":"x"}' 403 ',"annotations":{"authorization.k8s.io/decision":"allow"}'
		DAY=9 event alice delete /api/v1/nodes/n '{"resource":"nodes","name":"n"}'
		event system:kube-scheduler get /api/v1/nodes/n '{"resource":"nodes","name":"n"}'
	} >audit.log
	"$BULKHEAD" rbac least --until 2026-11-05 audit.log >roles.yaml 2>proof.txt
	grep -q "user:alice: 9 of 9 requests allowed, 0 rights beyond them; 1 requests every user may make, 1 were denied in the log" proof.txt
	grep -q "the log: 13 events, 2026-11-01T10:00:00 to 2026-11-01T10:00:00; 1 events lie outside the time asked for" proof.txt
	! grep -q '\*\|scheduler\|delete' roles.yaml
	python3 - <<'END'
import yaml
rules = {(o["kind"], o["metadata"].get("namespace")): o["rules"] for o in yaml.safe_load_all(open("roles.yaml")) if o["kind"].endswith("Role")}
key = lambda r: sorted(r.items())
assert sorted(rules["ClusterRole", None], key=key) == sorted([
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}, {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list"]},
    {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}], key=key), rules
assert sorted(rules["Role", "shop"], key=key) == sorted([
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]}, {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["pods/exec"], "resourceNames": ["p1"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"], "verbs": ["update"]}], key=key), rules
END
	# The roles answer as the log did, by themselves.
	run bulkhead rbac can alice --verb create --resource pods/exec --name p1 -n shop --defaults no roles.yaml
	[ "$status" -eq 0 ]
	gzip audit.log
	"$BULKHEAD" rbac least --until 2026-11-05 audit.log.gz | cmp - roles.yaml
}

@test "least: logs that are broken, empty or none" {
	{ event alice get /metrics ''; echo '{"kind":"Event"'; echo '[1]'; } >audit.log
	run bulkhead rbac least audit.log
	[ "$status" -eq 3 ]
	[[ $output == *"audit.log: 2 lines are no audit events"* && $output == *"1 of 1 requests allowed"* ]]
	: >empty.log
	run bulkhead rbac least empty.log
	fails 2 "no audit event"
	run bulkhead rbac least missing.log
	fails 2 "missing.log"
	run bulkhead rbac least --subject group:x audit.log
	fails 2 "user:NAME or sa:NAMESPACE/NAME"
}

@test "diff: rights, not texts" {
	{ role Role r shop '{apiGroups: [""], resources: [pods, secrets], verbs: [get, list]}'; binding RoleBinding b shop Role r '{kind: User, name: alice}'; } >old.yaml
	{
		role Role s shop '{apiGroups: [""], resources: [secrets], verbs: [get, list], resourceNames: [a]}' '{apiGroups: [""], resources: [pods], verbs: [list, get, delete]}'
		binding RoleBinding c shop Role s '{kind: User, name: alice}'
	} >new.yaml
	run bulkhead rbac diff -f csv old.yaml new.yaml
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "gained,user:alice,shop,delete,pods,,Role shop/s,RoleBinding shop/c" ]
	[ "${lines[2]}" = 'lost,user:alice,shop,"get, list",secrets,,Role shop/r,RoleBinding shop/b' ]
	[ "${#lines[@]}" -eq 3 ]
	run bulkhead rbac diff -f csv old.yaml old.yaml
	[ "${#lines[@]}" -eq 1 ]
	run bulkhead rbac diff old.yaml
	fails 2 "usage: bulkhead rbac diff OLD NEW"
}

@test "graph: an SVG of subjects and roles" {
	shop >rbac.yaml
	"$BULKHEAD" rbac graph -o rbac.svg rbac.yaml
	python3 -c 'import xml.etree.ElementTree as e; t = "".join(e.parse("rbac.svg").getroot().itertext()); assert "sa:shop/deployer" in t and "ClusterRole edit" in t, t'
}

@test "unused: what the objects alone show, with places" {
	cat >r.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods, secrets], verbs: [get, list, bind]}
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [apps], resources: [deployments], resourceNames: [a], verbs: [create]}
- {apiGroups: [apps], resources: ["*", deployments], verbs: [get]}
- {nonResourceURLs: [/healthz], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {kind: Role, name: reader}
subjects:
- {kind: User, name: alice}
- {kind: ServiceAccount, name: gone}
- {kind: User, name: alice}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: missing, namespace: shop}
roleRef: {kind: Role, name: nothing}
subjects: [{kind: User, name: bob}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: viewer, namespace: shop}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: User, name: carol}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: editor}
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: User, name: carol}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: alone, labels: {rbac.authorization.k8s.io/aggregate-to-nothing: "true"}}
rules: [{apiGroups: [x], resources: [gadgets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: more-to-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [x], resources: [gadgets], verbs: [get]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: idle, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operated, namespace: shop}
---
apiVersion: shop.example/v1
kind: Gadget
metadata: {name: g, namespace: shop}
spec: {pod: {serviceAccountName: operated}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {serviceAccountName: nobody, containers: [{name: x, image: y}]}
END
	run bulkhead rbac unused -f csv r.yaml
	[ "$status" -eq 0 ]
	python3 - "$output" <<'END'
import csv, sys
rows = [(r["what"], r["object"], r["at"], r["where"]) for r in csv.DictReader(sys.argv[1].splitlines())]
wanted = [("missing-subject", "RoleBinding shop/readers", "subjects[1]", "r.yaml:17"), ("shadowed-subject", "RoleBinding shop/readers", "subjects[2]", "r.yaml:18"),
          ("missing-role", "RoleBinding shop/missing", "roleRef", "r.yaml:20"), ("shadowed-subject", "RoleBinding shop/viewer", "subjects[0]", "r.yaml:30"),
          ("shadowed-rule", "Role shop/reader", "rules[1]", "r.yaml:6"), ("void-rule", "Role shop/reader", "rules[2]", "r.yaml:7"),
          ("shadowed-word", "Role shop/reader", "rules[3].resources[1]", "r.yaml:8"), ("void-rule", "Role shop/reader", "rules[4]", "r.yaml:9"),
          ("unbound-role", "ClusterRole alone", "", "r.yaml:38"), ("unused-account", "ServiceAccount shop/idle", "", "r.yaml:48"),
          ("missing-account", "Pod shop/p", "serviceAccountName", "r.yaml:61")]
assert rows == wanted, rows
END
	printf 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\nrules: []\n---\n' >two.yaml
	cat two.yaml two.yaml >twice.yaml
	run bulkhead rbac unused -f csv twice.yaml
	[[ $output == *"same-object,Role shop/r,,,,another one of that name counts: twice.yaml:6,twice.yaml:1"* ]]
	[[ $output == *"not judged: no service account is among the objects"* ]]
}

@test "unused: what a log shows, and what no log or this one can't" {
	{
		role Role r shop '{apiGroups: [""], resources: ["*"], verbs: [get, list, bind]}' '{apiGroups: [apps], resources: [deployments], verbs: [delete]}' \
			'{apiGroups: [""], resources: [events], verbs: [create]}' '{apiGroups: [""], resources: [configmaps], resourceNames: [a, b], verbs: [patch]}'
		binding RoleBinding b shop Role r '{kind: User, name: alice}, {kind: User, name: bob}, {kind: Group, name: devs}'
		binding ClusterRoleBinding e '' ClusterRole edit '{kind: User, name: carol}, {kind: User, name: alice}'
		role ClusterRole idle '' '{apiGroups: [""], resources: [nodes], verbs: [get]}'
		binding ClusterRoleBinding i '' ClusterRole idle '{kind: ServiceAccount, namespace: shop, name: web}'
	} >r.yaml
	{
		event alice get /x '{"resource":"pods","namespace":"shop","name":"a"}'
		event alice get /x '{"resource":"pods","subresource":"log","namespace":"shop","name":"a"}'
		event alice patch /x '{"resource":"configmaps","namespace":"shop","name":"a"}'
		event carol list /x '{"resource":"secrets","namespace":"dev"}'
		event bob delete /x '{"resource":"nodes","name":"n"}' 403
	} >audit.log
	run bulkhead rbac unused --log audit.log -f json r.yaml
	[ "$status" -eq 0 ]
	cat >check.py <<'END'
import json, sys
a = json.loads(sys.argv[1])
got = {(r["what"], r["object"], r["at"], r["value"], r["instead"]) for r in a["unused"]}
wanted = {("subject", "RoleBinding shop/b", "subjects[1]", "user:bob", ""), ("subject", "RoleBinding shop/b", "subjects[2]", "group:devs", ""),
          ("wildcard", "Role shop/r", "rules[0].resources[0]", "*", "pods, pods/log"), ("verb", "Role shop/r", "rules[0].verbs[1]", "list", ""),
          ("rule", "Role shop/r", "rules[1]", "", ""), ("name", "Role shop/r", "rules[3].resourceNames[1]", "b", ""),
          ("server-role", "ClusterRoleBinding e", "roleRef", "edit", "get pods, get pods/log, patch configmaps, list secrets"),
          ("binding", "ClusterRoleBinding i", "", "", ""), ("role", "ClusterRole idle", "", "", ""), ("identity", "group:devs", "", "", ""),
          ("identity", "sa:shop/web", "", "", "")}
if len(sys.argv) == 2:
    wanted.add(("rule", "Role shop/r", "rules[2]", "", ""))
assert got == wanted, (got - wanted, wanted - got)
assert a["log"] == {"events": 5, "first": "2026-11-01T10:00:00", "last": "2026-11-01T10:00:00", "notes": ""}, a["log"]
texts = [n["text"] + " " + n["where"] for n in a["not_judged"]]
assert any("rules[0], verb bind: no request in a log shows its use r.yaml:6" in t for t in texts), texts
assert any("no audit policy" in t for t in texts) == (len(sys.argv) == 2), texts
assert len(sys.argv) == 2 or any("rules[2]: the audit policy keeps it out of the log policy.yaml:5" in t for t in texts), texts
END
	python3 check.py "$output"
	# With the policy: events are not logged, what comes behind a rule that logs them is.
	cat >policy.yaml <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: Metadata, resources: [{group: apps}]}
- {level: None, resources: [{group: "", resources: [events]}]}
- {level: None, users: ["system:kube-proxy"], verbs: [watch]}
- {level: Request}
END
	run bulkhead rbac unused --log audit.log -f json r.yaml policy.yaml
	python3 check.py "$output" policy
	run bulkhead rbac unused --log audit.log r.yaml
	[[ $output == *"the log: 5 events, 2026-11-01T10:00:00 to"* && $output == *"not judged: r.yaml:6: Role r, rules[0], verb bind"* ]]
}

@test "unused: logs and paths that are none" {
	shop >rbac.yaml
	run bulkhead rbac unused --log missing.log rbac.yaml
	fails 2 "missing.log"
	: >empty.log
	run bulkhead rbac unused --log empty.log rbac.yaml
	fails 2 "no audit event"
	{ event alice get /metrics ''; echo '[1]'; } >audit.log
	run bulkhead rbac unused --log audit.log rbac.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"audit.log: 1 lines are no audit events"* ]]
	run bulkhead rbac can alice --log audit.log rbac.yaml
	fails 2 "--log is for unused only"
	run bulkhead rbac unused -f sarif rbac.yaml
	fails 2 "one format"
	printf 'apiVersion: v1\nkind: List\nitems: []\n' >none.yaml
	run bulkhead rbac unused none.yaml
	[ "$status" -ne 0 ]
}
