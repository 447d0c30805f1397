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
