#!/usr/bin/env bats
# `bulkhead netpol`: who may connect to whom. What decides is the API's reference (NetworkPolicy, AdminNetworkPolicy); expected lines are worked out by
# hand from it, or are another tool's (tests/table/netpol/SOURCE.txt).
bats_require_minimum_version 1.5.0
load common

TABLE="$BATS_TEST_DIRNAME/../table/netpol"

# pods NAME...: pods of namespace shop, each with the label app=NAME and the ports web (TCP 80) and dns (UDP 53).
pods() {
	for name in "$@"; do
		cat <<END
---
{apiVersion: v1, kind: Pod, metadata: {name: $name, namespace: shop, labels: {app: $name}},
 spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}]}}
END
	done
}

# policy NAME SPEC: a NetworkPolicy of namespace shop.
policy() {
	printf -- '---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: %s, namespace: shop}, spec: %s}\n' "$1" "$2"
}

# admin NAME PRIORITY SPEC: an AdminNetworkPolicy.
admin() {
	printf -- '---\n{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: %s}, spec: {priority: %s, %s}}\n' "$1" "$2" "$3"
}

baseline() {
	printf -- '---\n{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {%s}}\n' "$1"
}

# allowed FROM TO: the ports of that line of the list of all.yaml, nothing when there is none.
allowed() {
	"$BULKHEAD" netpol list all.yaml | sed -n "s|^$1 => $2 : ||p"
}

# cluster NAME TIER PRIORITY SPEC: a ClusterNetworkPolicy of all namespaces.
cluster() {
	printf -- '---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: %s}, spec: {tier: %s, priority: %s, subject: {namespaces: {}}, %s}}\n' \
		"$1" "$2" "$3" "$4"
}

a="shop/a\[Pod\]" b="shop/b\[Pod\]" world="0.0.0.0-255.255.255.255\[External\]"

@test "lists in all formats are another tool's" {
	declare -A endings=([text]=txt [json]=json [csv]=csv [markdown]=md [dot]=dot)
	n=0
	for folder in "$TABLE"/*/; do
		name=$(basename "$folder")
		for format in "${!endings[@]}"; do
			expected="$TABLE/expected/${name}_connlist_output.${endings[$format]}"
			[ -f "$expected" ] || continue
			diff <("$BULKHEAD" netpol list -f "$format" "$folder") <(cat "$expected" && [ -z "$(tail -c 1 "$expected")" ] || echo)
			n=$((n + 1))
		done
	done
	[ "$n" -ge 20 ]
}

@test "without policies everybody may connect to everybody" {
	pods a b >all.yaml
	[ "$(allowed "$a" "$b")" = "All Connections" ]
	[ "$(allowed "$a" "$world")" = "All Connections" ]
	[ "$(allowed "$world" "$b")" = "All Connections" ]
	[ "$("$BULKHEAD" netpol list all.yaml | wc -l)" -eq 6 ]
}

@test "a policy isolates what it selects in its directions only" {
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "" ]
	[ "$(allowed "$b" "$a")" = "All Connections" ]
	[ "$(allowed "$b" "$world")" = "All Connections" ]
	[ "$(allowed "$world" "$b")" = "" ]
}

@test "policyTypes: Ingress always, Egress when there are egress rules" {
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, egress: []}'; } >all.yaml
	[ "$(allowed "$b" "$a")" = "All Connections" ]
	[ "$(allowed "$a" "$b")" = "" ]
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, egress: [{ports: [{port: 80}]}]}'; } >all.yaml
	[ "$(allowed "$b" "$a")" = "TCP 80" ]
	[ "$(allowed "$a" "$b")" = "" ]
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, policyTypes: [Egress], ingress: [{}]}'; } >all.yaml
	[ "$(allowed "$b" "$a")" = "" ]
	[ "$(allowed "$a" "$b")" = "All Connections" ]
}

@test "absent, null and empty lists of rules allow nothing; an empty rule allows all" {
	for rules in 'policyTypes: [Ingress]' 'ingress: [], policyTypes: [Ingress]' 'ingress: null, policyTypes: [Ingress]'; do
		{ pods a b; policy p "{podSelector: {}, $rules}"; } >all.yaml
		[ "$(allowed "$a" "$b")" = "" ]
	done
	{ pods a b; policy p '{podSelector: {}, ingress: [{}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "All Connections" ]
	[ "$(allowed "$world" "$b")" = "All Connections" ]
}

@test "peers: selectors in one element must both hold, elements add" {
	{
		pods a b c
		printf -- '---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: x}}}\n'
		policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: a}}}]}]}'
	} >all.yaml
	[ "$(allowed "$a" "$b")" = "All Connections" ]
	[ "$(allowed 'shop/c\[Pod\]' "$b")" = "" ]
	{
		pods a b c
		policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}, {podSelector: {matchExpressions: [{key: app, operator: In, values: [c]}]}}]}]}'
	} >all.yaml
	[ "$(allowed "$a" "$b")" = "" ]
	[ "$(allowed 'shop/c\[Pod\]' "$b")" = "All Connections" ]
}

@test "ports: numbers, ranges, protocols, names of the destination" {
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: 8000, endPort: 8080}, {protocol: UDP, port: 53}, {port: web}, {protocol: SCTP}]}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "SCTP 1-65535,TCP 80,8000-8080,UDP 53" ]
	# A name must be there with the protocol; the outside has none.
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: dns}, {port: nobody}]}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "" ]
	{ pods a b; policy p '{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{ports: [{port: dns, protocol: UDP}]}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "UDP 53" ]
	[ "$(allowed "$a" "$world")" = "" ]
}

@test "blocks and what is taken out of them cut the outside" {
	{ pods a; policy p '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 443}]}]}'; } >all.yaml
	run bulkhead netpol list all.yaml
	[ "$output" = "0.0.0.0-255.255.255.255[External] => shop/a[Pod] : All Connections
shop/a[Pod] => 10.0.0.0-10.0.255.255[External] : TCP 443
shop/a[Pod] => 10.2.0.0-10.255.255.255[External] : TCP 443" ]
}

@test "tiers: administrators' rules by priority, then NetworkPolicies, then the baseline" {
	local subject='subject: {namespaces: {}}' from='from: [{namespaces: {}}]'
	{
		pods a b
		admin low 20 "$subject, ingress: [{action: Allow, $from}]"
		admin high 10 "$subject, ingress: [{action: Deny, $from, ports: [{portNumber: {protocol: TCP, port: 22}}]}, {action: Pass, $from, ports: [{portRange: {start: 1, end: 1023}}]}]"
		policy p '{podSelector: {}, ingress: [{ports: [{port: 80}, {port: 2000}]}]}'
	} >all.yaml
	# 22 is denied; 1-1023 passed to the policy, which allows 80; the rest is allowed by the lower priority.
	[ "$(allowed "$a" "$b")" = "SCTP 1-65535,TCP 80,1024-65535,UDP 1-65535" ]
	{ pods a b; baseline "$subject, ingress: [{action: Allow, $from, ports: [{namedPort: web}]}, {action: Deny, $from}]"; } >all.yaml
	[ "$(allowed "$a" "$b")" = "TCP 80" ]
	[ "$(allowed "$world" "$b")" = "All Connections" ]
	# A policy that isolates ends it before the baseline; one of the other direction does not.
	{ pods a b; baseline "$subject, ingress: [{action: Deny, $from}]"; policy p '{podSelector: {}, ingress: [{}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "All Connections" ]
	{ pods a b; baseline "$subject, ingress: [{action: Deny, $from}]"; policy p '{podSelector: {}, policyTypes: [Egress], egress: [{}]}'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "" ]
}

@test "an Ingress exposes what its services select, as far as policies let it" {
	{
		pods a b
		cat <<'END'
---
{apiVersion: v1, kind: Service, metadata: {name: front, namespace: shop}, spec: {selector: {app: a}, ports: [{name: http, port: 8080, targetPort: web}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop},
 spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {name: http}}}}]}}]}}
END
	} >all.yaml
	[ "$(allowed '{ingress-controller}' "$a")" = "TCP 80" ]
	[ "$(allowed '{ingress-controller}' "$b")" = "" ]
	policy p '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}' >>all.yaml
	[ "$(allowed '{ingress-controller}' "$a")" = "" ]
	sed -i '$d' all.yaml
	policy p '{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}' >>all.yaml
	[ "$(allowed '{ingress-controller}' "$a")" = "TCP 80" ]
}

@test "routes of the Gateway API expose services, those of other namespaces where that is granted" {
	{
		pods a b
		cat <<'END'
---
{apiVersion: v1, kind: Service, metadata: {name: front, namespace: shop}, spec: {selector: {app: a}, ports: [{port: 8080, targetPort: 80}, {port: 9090}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: edge},
 spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: front, namespace: shop, port: 8080}]}]}}
END
	} >all.yaml
	[ "$(allowed '{gateway-controller}' "$a")" = "" ]
	cat >>all.yaml <<'END'
---
{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: g, namespace: shop},
 spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}], to: [{group: "", kind: Service}]}}
END
	[ "$(allowed '{gateway-controller}' "$a")" = "TCP 80" ]
	[ "$(allowed '{gateway-controller}' "$b")" = "" ]
	# Of its own namespace; a mesh's route lets nobody in.
	sed -i 's/namespace: edge}/namespace: shop}/; s/kind: HTTPRoute, metadata/kind: TLSRoute, metadata/; /ReferenceGrant/,$d' all.yaml
	[ "$(allowed '{gateway-controller}' "$a")" = "TCP 80" ]
	sed -i 's/parentRefs: \[{name: g}\]/parentRefs: [{group: "", kind: Service, name: front}]/' all.yaml
	[ "$(allowed '{gateway-controller}' "$a")" = "" ]
}

@test "services that let the outside in are sources with --exposure" {
	{
		pods a b
		cat <<'END'
---
{apiVersion: v1, kind: Service, metadata: {name: front, namespace: shop}, spec: {type: LoadBalancer, selector: {app: a}, ports: [{port: 443, targetPort: web}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: node, namespace: shop}, spec: {type: NodePort, selector: {app: b}, ports: [{port: 53, protocol: UDP}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: inner, namespace: shop}, spec: {selector: {app: b}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: old, namespace: shop}, spec: {externalIPs: [192.0.2.1], selector: {app: b}, ports: [{port: 80}]}}
END
		policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}], ports: [{port: 53, protocol: UDP}]}]}'
	} >all.yaml
	[ "$("$BULKHEAD" netpol list all.yaml | grep -c '^{')" -eq 0 ]
	run bulkhead netpol list --exposure all.yaml
	[ "$(grep '^{' <<<"$output")" = "{LoadBalancer shop/front} => shop/a[Pod] : TCP 80
{NodePort shop/node} => shop/b[Pod] : UDP 53" ]
}

@test "ClusterNetworkPolicy: tiers and priorities, Accept, Deny and Pass, protocols" {
	local peers='from: [{namespaces: {}}]'
	{
		pods a b
		cluster second Admin 20 "ingress: [{action: Accept, $peers, protocols: [{tcp: {destinationPort: {range: {start: 1, end: 1023}}}}, {destinationNamedPort: dns}]}]"
		cluster first Admin 10 "ingress: [{action: Deny, $peers, protocols: [{tcp: {destinationPort: {number: 22}}}]}, {action: Pass, $peers, protocols: [{udp: {destinationPort: {number: 53}}}]}]"
		cluster last Baseline 5 "ingress: [{action: Deny, $peers}]"
	} >all.yaml
	# 53 is passed on to the baseline, which denies it; with a policy that isolates, that one decides.
	[ "$(allowed "$a" "$b")" = "TCP 1-21,23-1023" ]
	policy p '{podSelector: {}, ingress: [{ports: [{port: 53, protocol: UDP}, {port: 22}]}]}' >>all.yaml
	[ "$(allowed "$a" "$b")" = "TCP 1-21,23-1023,UDP 53" ]
	# The baseline has priorities too, and is no longer alone.
	{
		pods a b
		cluster two Baseline 2 "ingress: [{action: Deny, $peers}]"
		cluster one Baseline 1 "ingress: [{action: Accept, $peers, protocols: [{tcp: {destinationPort: {number: 80}}}]}]"
	} >all.yaml
	[ "$(allowed "$a" "$b")" = "TCP 80" ]
}

@test "a peer with an unknown field fails closed; domain names are told" {
	{ pods a b; cluster p Admin 1 'ingress: [{action: Deny, from: [{clusters: {}}]}]'; } >all.yaml
	run --separate-stderr bulkhead netpol list all.yaml
	[ "$status" -eq 3 ]
	[ "$output" = "shop/a[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections
shop/b[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections" ]
	{ pods a b; cluster p Admin 1 'ingress: [{action: Accept, from: [{clusters: {}}]}, {action: Deny, from: [{namespaces: {}}]}]'; } >all.yaml
	[ "$(allowed "$a" "$b")" = "" ]
	{ pods a; cluster p Admin 1 'egress: [{action: Accept, to: [{domainNames: ["*.example.com"]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]'; } >all.yaml
	run bulkhead netpol list all.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"all.yaml:5: domain names: "* ]]
}

@test "what no API server would take is refused with its place" {
	refused() { { pods a; "${@:2}"; } >all.yaml; run bulkhead netpol list all.yaml; fails 2 "$1"; }
	local peers='from: [{namespaces: {}}]'
	refused "spec.tier must be Admin or Baseline" cluster p Middle 1 "ingress: []"
	refused "spec.ingress[0]: an action that is none of Accept, Deny and Pass" cluster p Admin 1 "ingress: [{action: Allow, $peers}]"
	refused "spec.ingress[0].protocols[0]: exactly one of tcp, udp, sctp" cluster p Admin 1 "ingress: [{action: Deny, $peers, protocols: [{icmp: {}}]}]"
	refused "a range of ports whose start is not less than its end" cluster p Admin 1 "ingress: [{action: Deny, $peers, protocols: [{tcp: {destinationPort: {range: {start: 9, end: 9}}}}]}]"
	refused "have no named ports" cluster p Admin 1 "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: web}]}]"
	refused "domainNames in a rule that does not accept" cluster p Admin 1 "egress: [{action: Deny, to: [{domainNames: [example.com]}]}]"
	refused "networks with what is no prefix" cluster p Admin 1 "egress: [{action: Deny, to: [{networks: [10.0.0.0]}]}]"
	refused "more than 25 rules of one direction" cluster p Admin 1 "ingress: [$(printf "{action: Deny, $peers},%.0s" {1..26})]"
	refused "spec.ingress[0].ports[0]: endPort needs a port that is a number" policy p '{podSelector: {}, ingress: [{ports: [{port: web, endPort: 90}]}]}'
	refused "an endPort that is less than port" policy p '{podSelector: {}, ingress: [{ports: [{port: 91, endPort: 90}]}]}'
	refused "a port that is no number from 1 to 65535" policy p '{podSelector: {}, ingress: [{ports: [{port: 65536}]}]}'
	refused "none of TCP, UDP and SCTP" policy p '{podSelector: {}, ingress: [{ports: [{port: 1, protocol: ICMP}]}]}'
	refused "a peer with both ipBlock and a selector" policy p '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}'
	refused "spec.ingress[0].from[0]: a peer without podSelector" policy p '{podSelector: {}, ingress: [{from: [{}]}]}'
	refused "an ipBlock whose except is not inside its cidr" policy p '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}'
	refused "neither Ingress nor Egress" policy p '{podSelector: {}, policyTypes: [ingress]}'
}

@test "addresses of version 6 are cut and listed when a policy names some" {
	{ pods a; policy p '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "2001:db8::/32", except: ["2001:db8:1::/48"]}}]}]}'; } >all.yaml
	run bulkhead netpol list all.yaml
	[ "$output" = "0.0.0.0-255.255.255.255[External] => shop/a[Pod] : All Connections
::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff[External] => shop/a[Pod] : All Connections
shop/a[Pod] => 2001:db8:2::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff[External] : All Connections
shop/a[Pod] => 2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff[External] : All Connections" ]
	{ pods a; policy p '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "::/0"}}], ports: [{port: 80}]}]}'; } >all.yaml
	[ "$(allowed '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\[External\]' "$a")" = "TCP 80" ]
	[ "$(allowed "$world" "$a")" = "" ]
}

@test "drawings: SVG is well-formed whatever the names, the same each time; namespaces collapse" {
	{ pods a b; pods c | sed 's/shop/bank/'; pods '"<x>&amp;"' | sed 's/app: [^}]*/app: x/'; policy p '{podSelector: {}, ingress: [{ports: [{port: 80}]}]}'; } >all.yaml
	bulkhead netpol list -f svg -o one.svg all.yaml
	bulkhead netpol list -f svg all.yaml >two.svg
	cmp one.svg two.svg
	python3 - one.svg <<'END'
import sys, xml.etree.ElementTree as ET
root = ET.parse(sys.argv[1]).getroot()
ns = "{http://www.w3.org/2000/svg}"
groups = [g.get("class") for g in root.iter(ns + "g")]
assert sum(c.startswith("node") for c in groups) == 5, groups
assert sum(c.startswith("edge") for c in groups) == 4 * 3 + 2 * 4, groups
assert any("<x>&amp;" in (t.text or "") for t in root.iter(ns + "text"))
END
	run bulkhead netpol list -f dot --collapse all.yaml
	[ "$status" -eq 0 ]
	[[ $output == *'"shop" -> "bank" [label="All Connections"'* ]]
	[[ $output == *'"bank" -> "shop" [label="TCP 80"'* ]]
	[[ $output != *'"shop" -> "shop"'* ]]
	bulkhead netpol list -f svg --collapse all.yaml | grep -q '>bank</text>'
}

@test "explain names every rule that is asked, in its order, and why" {
	local subject='subject: {namespaces: {}}' from='from: [{namespaces: {}}]'
	{
		pods a b c
		admin first 5 "$subject, ingress: [{action: Pass, $from, ports: [{portNumber: {protocol: TCP, port: 80}}]}, {action: Deny, $from, ports: [{portNumber: {protocol: TCP, port: 22}}]}]"
		policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: {app: c}}}]}, {ports: [{port: web}]}]}'
	} >all.yaml
	run bulkhead netpol explain a b 80 all.yaml
	[ "$status" -eq 0 ]
	[ "$output" = "shop/a[Pod] => shop/b[Pod] : TCP 80: allowed
egress: allowed: no policy selects shop/a[Pod] for egress, so nothing isolates it
ingress: allowed by spec.ingress[1] of NetworkPolicy shop/p; isolated for ingress by NetworkPolicy shop/p
  all.yaml:11 spec.ingress[0]: admin 5: AdminNetworkPolicy first: leaves it to the next tier TCP 80
  all.yaml:11 spec.ingress[1]: admin 5: AdminNetworkPolicy first: deny: not this: other ports
  all.yaml:13 spec.ingress[0]: policy: NetworkPolicy shop/p: allow: not this: other sources
  all.yaml:13 spec.ingress[1]: policy: NetworkPolicy shop/p: allows TCP 80" ]
	run bulkhead netpol explain shop/a 'shop/b[Pod]' 22/tcp all.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"ingress: denied by spec.ingress[1] of AdminNetworkPolicy first"* ]]
	[[ $output == *"needed: an administrator's rule that allows it before this one, or this one without it (AdminNetworkPolicy first, all.yaml:11)"* ]]
	run bulkhead netpol explain a b --port dns all.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"shop/a[Pod] => shop/b[Pod] : UDP 53: denied"* ]]
	[[ $output == *"isolated for ingress by NetworkPolicy shop/p, no rule of which matches"* ]]
	[[ $output == *"needed: a rule under spec.ingress: {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{protocol: UDP, port: 53}]} (NetworkPolicy shop/p, all.yaml:13)"* ]]
	run bulkhead netpol explain a b all.yaml
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "shop/a[Pod] => shop/b[Pod] : All Connections: only TCP 80" ]]
}

@test "what explain says is needed is enough" {
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress]}'; } >all.yaml
	rule=$("$BULKHEAD" netpol explain 192.0.2.7 b 80 all.yaml | sed -n 's/.*under spec.ingress: \(.*\) (NetworkPolicy.*/\1/p')
	sed -i "s|policyTypes: \[Ingress\]|ingress: [$rule]|" all.yaml
	run bulkhead netpol explain 192.0.2.7 b 80 all.yaml
	[ "$status" -eq 0 ]
	run bulkhead netpol explain 192.0.2.8 b 80 all.yaml
	[ "$status" -eq 1 ]
}

@test "explain: names that are nobody's or several's, and formats" {
	{ pods a b; pods a | sed 's/shop/bar/'; } >all.yaml
	run bulkhead netpol explain a b all.yaml
	fails 2 "a may be any of: bar/a[Pod], shop/a[Pod]"
	run bulkhead netpol explain shop/a nobody all.yaml
	fails 2 "nobody: no such workload, address or controller"
	run bulkhead netpol explain shop/a shop/a all.yaml
	fails 2 "shop/a[Pod] is both ends"
	run bulkhead netpol explain 10.0.0.1 10.0.0.2 all.yaml
	fails 2 "both ends are outside"
	run bulkhead netpol explain shop/a b nothing all.yaml
	fails 2 "nothing: no port"
	run bulkhead netpol explain shop/a all.yaml
	fails 2 "usage: bulkhead netpol explain A B [PORT] PATH..."
	run bulkhead netpol explain -f dot shop/a b all.yaml
	fails 2 "draws nothing"
	run bulkhead netpol explain -f json shop/a b 80 all.yaml
	[ "$status" -eq 0 ]
	python3 -c 'import json, sys; assert [r["what"] for r in json.load(sys.stdin)] == ["verdict", "why", "why"]' <<<"$output"
}

@test "diff lists what a change adds, removes and changes; another tool says the same" {
	diff <("$BULKHEAD" netpol diff "$TABLE/semanticDiff-same-topologies-old1" "$TABLE/semanticDiff-same-topologies-new1a") \
		"$TABLE/expected/diff_between_semanticDiff-same-topologies-new1a_and_semanticDiff-same-topologies-old1.txt"
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}]}'; } >old.yaml
	{ pods a c; pods b; policy p '{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/9}}], ports: [{port: 80}, {port: 81}]}, {from: [{podSelector: {}}]}]}'; } >new.yaml
	run bulkhead netpol diff -f csv old.yaml new.yaml
	[ "$status" -eq 0 ]
	[ "$(grep -v shop/c <<<"$output")" = 'diff-type,source,destination,ref1,ref2,workloads-diff-info
changed,10.0.0.0-10.127.255.255[External],shop/b[Pod],TCP 80,TCP 80-81,
added,shop/a[Pod],shop/b[Pod],No Connections,All Connections,
removed,10.128.0.0-10.255.255.255[External],shop/b[Pod],TCP 80,No Connections,' ]
	[ "$(grep -c 'workload shop/c\[Pod\] added' <<<"$output")" -eq 6 ]
	run bulkhead netpol diff --fail-on-new old.yaml new.yaml
	[ "$status" -eq 1 ]
	# Less is not more; nothing is nothing.
	{ pods a b; policy p '{podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress]}'; } >less.yaml
	run bulkhead netpol diff --fail-on-new old.yaml less.yaml
	[ "$status" -eq 0 ]
	run bulkhead netpol diff --fail-on-new old.yaml old.yaml
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	run bulkhead netpol diff old.yaml
	fails 2 "usage: bulkhead netpol diff OLD NEW"
	run bulkhead netpol diff old.yaml nothing.yaml
	fails 2 "nothing.yaml"
}

@test "lint: each oddity has its line, and what is in order has none" {
	# ids POLICY...: the ids of what lint says of pods a and b in order, with those policies.
	ids() {
		{
			pods a b
			policy deny '{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}'
			"$@"
		} >all.yaml
		"$BULKHEAD" netpol lint -f json all.yaml | python3 -c 'import json, sys; print(*sorted(r["id"][7:] + "".join(r["evidence"].partition(": ")[1:]).replace(": ", ":") for r in json.load(sys.stdin)["findings"]))'
	}
	[ "$(ids true)" = "" ]
	[ "$(ids policy p '{podSelector: {matchLabels: {app: x}}}')" = "selects-nothing:spec" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{}]}')" = "empty-rule:spec.ingress[0]" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{ports: [{port: 80}]}]}')" = "world:spec.ingress[0]" ]
	[ "$(ids policy p '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}')" = "world:spec.egress[0].to[0]" ]
	[ "$(ids policy p '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]}')" = "" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 81}]}]}')" = "port-unused:spec.ingress[0].ports" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: metrics}]}]}')" = "port-name:spec.ingress[0].ports[0]" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}')" = "peer-nobody:spec.ingress[0]" ]
	[ "$(ids policy p '{podSelector: {}, policyTypes: [Ingress], egress: [{to: [{podSelector: {}}]}]}')" = "rules-ignored:spec.egress" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}, {podSelector: {matchLabels: {app: a}}}]}]}')" = "selectors-apart:spec.ingress[0].from[1]" ]
	[ "$(ids policy p '{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}, {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 80}]}]}')" = "redundant:spec.ingress[1]" ]
	local s='subject: {namespaces: {}}' f='from: [{namespaces: {}}]'
	[ "$(ids admin p 1 "$s, ingress: [{action: Pass, $f}, {action: Deny, $f, ports: [{portNumber: {port: 80, protocol: TCP}}]}]")" = "shadowed:spec.ingress[1]" ]
	two() { cluster one Admin 1 "ingress: [{action: Pass, $f}]"; cluster two Admin 1 "egress: [{action: Pass, to: [{namespaces: {}}]}]"; }
	[ "$(ids two)" = "priority-tied:spec" ]
	host() { pods h | sed 's/spec: {cont/spec: {hostNetwork: true, cont/'; }
	[ "$(ids host)" = "host-network:spec.hostNetwork" ]
}

@test "lint: namespaces that are open, pods that can't resolve names; exit codes" {
	# said: id, severity, place, message of each finding
	said() {
		"$BULKHEAD" netpol lint -f json "$@" | python3 -c 'import json, sys
for f in json.load(sys.stdin)["findings"]: print(f["id"], f["severity"], f["paths"][0] + ":" + str(f["line"]), f["title"])'
	}
	pods a b >all.yaml
	run said all.yaml
	[ "${lines[0]}" = "netpol-no-default-deny medium all.yaml:2 2 workloads are open for ingress, as no policy selects them: a, b" ]
	[ "${lines[1]}" = "netpol-no-default-deny low all.yaml:2 2 workloads are open for egress, as no policy selects them: a, b" ]
	run bulkhead netpol lint all.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"Namespace shop"* ]]
	run bulkhead netpol lint --fail-on high all.yaml
	[ "$status" -eq 0 ]
	policy p '{podSelector: {}, policyTypes: [Ingress, Egress]}' >>all.yaml
	run said all.yaml
	[[ ${lines[0]} == "netpol-no-dns medium all.yaml:8 shop/a[Pod] can't resolve names"* ]]
	run bulkhead netpol lint all.yaml
	[ "$status" -eq 1 ]
	policy q '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}], to: [{namespaceSelector: {}}]}]}' >>all.yaml
	run bulkhead netpol lint all.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"no findings"* ]]
	run bulkhead netpol lint -f csv all.yaml
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "class,id,"* ]]
}

@test "lint: every format of check; exceptions have an owner, a reason and an end" {
	pods a b >all.yaml
	run bulkhead netpol lint -f sarif=lint.sarif -f text -f junit=lint.xml all.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"netpol-no-default-deny"* ]]
	python3 - <<-'END'
		import json
		run = json.load(open("lint.sarif"))["runs"][0]
		assert [r["ruleId"] for r in run["results"]] == ["netpol-no-default-deny"] * 2, run["results"]
		where = run["results"][0]["locations"][0]["physicalLocation"]
		assert where["artifactLocation"]["uri"] == "all.yaml" and where["region"]["startLine"] == 2, where
	END
	grep -q netpol-no-default-deny lint.xml
	cat >bulkhead.yaml <<-'END'
		exceptions:
		- id: netpol-no-default-deny
		  path: all.yaml
		  owner: net@example.org
		  reason: policies come from the platform
		  expires: 2026-12-31
	END
	SOURCE_DATE_EPOCH=1795737600 run bulkhead netpol lint all.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	SOURCE_DATE_EPOCH=1795737600 run bulkhead netpol lint -f json all.yaml
	[[ $output == *"policies come from the platform"* && $output == *"net@example.org"* ]]
	SOURCE_DATE_EPOCH=1806537600 run bulkhead netpol lint all.yaml # 2027-04-01
	[ "$status" -eq 1 ]
	run bulkhead netpol lint -f svg all.yaml
	fails 2 "only list makes drawings"
	run bulkhead netpol list -f sarif all.yaml
	fails 2 "netpol list writes one format"
	run bulkhead netpol diff -f json -f csv all.yaml all.yaml
	fails 2 "this verb writes one format"
}

@test "generate: a demo's policies are those that its authors' tool made, from its manifests alone" {
	bulkhead netpol generate "$TABLE/online_boutique_workloads_no_ns/kubernetes-manifests.yaml" >made.yaml
	bulkhead netpol list "$TABLE/online_boutique_workloads_no_ns/kubernetes-manifests.yaml" made.yaml | sort >ours
	{ cat "$TABLE/expected/online_boutique_workloads_no_ns_connlist_output.txt" && echo; } | grep . | sort >theirs
	# Theirs leave the database open to the world, and forget the load balancer that lets the world into the front end.
	[ "$(comm -13 ours theirs)" = "0.0.0.0-255.255.255.255[External] => default/redis-cart[Deployment] : All Connections
default/redis-cart[Deployment] => 0.0.0.0-255.255.255.255[External] : All Connections" ]
	[ "$(comm -23 ours theirs)" = "0.0.0.0-255.255.255.255[External] => default/frontend[Deployment] : TCP 8080
default/cartservice[Deployment] => default/redis-cart[Deployment] : TCP 6379" ]
}

@test "generate: services in environment, arguments and ConfigMaps; what lets the outside in" {
	cat >all.yaml <<'END'
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: data}, spec: {selector: {app: db}, ports: [{port: 5432, targetPort: pg}, {port: 9187}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: data, labels: {app: db}}, spec: {containers: [{name: c, image: i, ports: [{name: pg, containerPort: 15432}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: cache, namespace: shop}, spec: {selector: {app: cache}, ports: [{port: 6379}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cache, namespace: shop, labels: {app: cache}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i,
  args: [--db, "postgres://u:p@db.data.svc.cluster.local:5432/x"], env: [{name: MODE, value: cached and cache less}], envFrom: [{configMapRef: {name: web}}]}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data:
  CACHE: cache
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}}
END
	bulkhead netpol generate all.yaml >made.yaml
	grep -q '^  # db.data.svc.cluster.local in args at all.yaml:10$' made.yaml
	grep -q '^  # cache in ConfigMap web at all.yaml:16$' made.yaml
	grep -q '^  # {NodePort shop/web}$' made.yaml
	grep -q '^  # {ingress-controller}$' made.yaml
	[ "$("$BULKHEAD" netpol list all.yaml made.yaml)" = "0.0.0.0-255.255.255.255[External] => shop/web[Pod] : TCP 8080
shop/web[Pod] => data/db[Pod] : TCP 15432
shop/web[Pod] => shop/cache[Pod] : TCP 6379
{ingress-controller} => shop/web[Pod] : TCP 8080" ]
	# All addresses stay one block, though a flow names one of them.
	printf '192.0.2.1,shop/web,22\n' >flows.csv
	bulkhead netpol generate --flows flows.csv all.yaml | grep -A1 'NodePort shop/web' | grep -qF '  - from: [{ipBlock: {cidr: 0.0.0.0/0}}]'
	# Policies that are there don't count.
	policy p '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}' >>all.yaml
	bulkhead netpol generate all.yaml | cmp - made.yaml
	run bulkhead netpol generate -f json all.yaml
	fails 2 "netpol generate writes YAML"
}

@test "generate: every observed flow is allowed, and nothing beyond" {
	for seed in 1 2 3 4 5 6 7 8; do
		python3 - "$seed" <<'END'
import random, sys
r = random.Random(int(sys.argv[1]))
names = [f"n{i % 3}/w{i}" for i in range(9)]
with open("all.yaml", "w") as f:
    for n in names:
        ns, name = n.split("/")
        print(f"---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {ns}, labels: {{app: {name}, pod-template-hash: x}}}}, spec: {{containers: []}}}}", file=f)
outside = ["192.0.2.1", "192.0.2.2", "198.51.100.9", "2001:db8::1"]
flows = set()
for _ in range(r.randrange(1, 40)):
    a, b = r.choice(names + outside), r.choice(names + outside)
    if a != b and not (a in outside and b in outside):
        flows.add((a, b, r.choice([80, 443, 53]), r.choice(["TCP", "UDP", "SCTP"])))
with open("flows.csv", "w") as f:
    for flow in sorted(flows):
        print(*flow, sep=",", file=f)
END
		bulkhead netpol generate --flows flows.csv all.yaml >made.yaml
		bulkhead netpol test --flows flows.csv all.yaml made.yaml
		bulkhead netpol list -f csv all.yaml made.yaml >list.csv
		python3 - <<'END'
import csv
def name(text):
    return text.split("-")[0] if "External" in text else text.split("[")[0]
got = set()
for row in list(csv.DictReader(open("list.csv"))):
    protocol = None
    for part in row["conn"].split(","):
        protocol, _, port = part.rpartition(" ") if " " in part else (protocol, "", part)
        got.add((name(row["src"]), name(row["dst"]), port, protocol))
want = {tuple(line.strip().split(",")) for line in open("flows.csv")}
assert got == want, (got - want, want - got)
END
	done
}

@test "generate: pods without labels are told; names that must be quoted are" {
	cat >all.yaml <<'END'
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: "1e3", namespace: "true", labels: {"no": "yes", x/y: "a: b # c"}}, spec: {containers: []}}
END
	printf 'true/1e3,192.0.2.1,443\nshop/a,192.0.2.1,443\n' >flows.csv
	run --separate-stderr bulkhead netpol generate --flows flows.csv all.yaml
	[ "$status" -eq 3 ]
	# shellcheck disable=SC2154
	[[ $stderr == *"all.yaml:1: a workload whose pods have no labels"* ]]
	echo "$output" >made.yaml
	[ "$("$BULKHEAD" netpol list all.yaml made.yaml)" = "true/1e3[Pod] => 192.0.2.1-192.0.2.1[External] : TCP 443" ]
}

@test "test: recorded flows that policies would block, from CSV and from Hubble" {
	{
		pods web db | sed 's/kind: Pod, metadata: {name: web/kind: Pod, metadata: {name: web-5d4f8c-abcde, ownerReferences: [{kind: Deployment, name: web}]/'
		policy p '{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}'
		policy q '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}'
	} >all.yaml
	cat >flows.csv <<'END'
src,dst,port,proto
shop/web,shop/db,5432,TCP
shop/web,shop/db,5432,TCP
shop/web,shop/db,53,UDP
shop/web,192.0.2.1,443,TCP
192.0.2.1,shop/web,443,TCP
END
	run bulkhead netpol test --flows flows.csv all.yaml
	[ "$status" -eq 1 ]
	[ "$output" = "blocked: shop/web[Deployment] => 192.0.2.1-192.0.2.1[External] : TCP 443 (1 at flows.csv:5)
    egress: denied: isolated for egress by NetworkPolicy shop/q, no rule of which matches
blocked: shop/web[Deployment] => shop/db[Pod] : UDP 53 (1 at flows.csv:4)
    ingress: denied: isolated for ingress by NetworkPolicy shop/p, no rule of which matches
2 of 4 different flows would be blocked" ]
	run bulkhead netpol test -f csv --flows flows.csv all.yaml
	[[ $output == *"allowed,shop/web[Deployment],shop/db[Pod],TCP 5432,2,flows.csv:2,"* ]]
	# Hubble: a workload, a pod of it, labels; replies, dropped flows and the node's are none.
	run --separate-stderr bulkhead netpol test -f csv --flows "$BATS_TEST_DIRNAME/../corpus/kube_flows/hubble.jsonl" all.yaml
	[ "$status" -eq 1 ]
	[ "$(cut -d, -f1-5 <<<"$output")" = "verdict,src,dst,port,count
blocked,shop/web[Deployment],192.0.2.1-192.0.2.1[External],TCP 443,2
allowed,shop/web[Deployment],shop/db[Pod],TCP 5432,1" ]
	# shellcheck disable=SC2154
	[[ $stderr == *"hubble.jsonl:8: 1 line is no flow"* ]]
}

@test "test: nobody blocked is 0; flows of nobody are told; no flows are wrong usage" {
	pods a b >all.yaml
	printf 'shop/a,shop/b,80\n' >good.csv
	printf 'shop/a,shop/gone,80\nshop/a,shop/gone,81\nshop/a\n' >odd.csv
	run bulkhead netpol test --flows good.csv all.yaml
	[ "$status" -eq 0 ]
	[ "$output" = "0 of 1 different flows would be blocked" ]
	run bulkhead netpol test --flows good.csv --flows odd.csv all.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"odd.csv:1: shop/gone: no workload of these manifests"* ]]
	[[ $output != *"odd.csv:2"* ]]
	[[ $output == *"odd.csv:3: 1 line is no flow"* ]]
	run bulkhead netpol test all.yaml
	fails 2 "which flows? --flows FILE"
	run bulkhead netpol test --flows nothing.csv all.yaml
	fails 2 "nothing.csv"
}

@test "a document that can't be read is told beside the list of the others" {
	{ pods a b; printf -- '---\nkind: [\n'; } >all.yaml
	run --separate-stderr bulkhead netpol list all.yaml
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 6 ]
	# shellcheck disable=SC2154 # bats sets it
	[[ $stderr == "bulkhead: not checked: all.yaml:"* ]]
}

@test "a policy that breaks its API ends the command" {
	{ pods a b; admin p 1001 'subject: {namespaces: {}}'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "all.yaml:8: AdminNetworkPolicy p: spec.priority must be a number from 0 to 1000"
	{ pods a; admin p 5 'subject: {namespaces: {}, pods: {}}'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "exactly one field must be set in spec.subject"
	{ pods a; admin p 5 'subject: {namespaces: {}}, ingress: [{action: Deny}]'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "a rule's from must be defined and hold at least one item"
	{ pods a; admin p 5 'subject: {namespaces: {}}, egress: [{action: Deny, to: [{}]}]'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "exactly one field must be set in a rule's peer"
	{ pods a; baseline 'subject: {namespaces: {}}'; baseline 'subject: {namespaces: {}}'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "only one BaselineAdminNetworkPolicy may be there"
	{ pods a; policy p '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}'; } >all.yaml
	run bulkhead netpol list all.yaml
	fails 2 "an ipBlock whose cidr is no prefix"
}

@test "what is missing or unreadable is an error, what has no objects too" {
	run bulkhead netpol list nothing.yaml
	fails 2 "nothing.yaml"
	run bulkhead netpol list
	fails 2 "netpol"
	run bulkhead netpol draw all.yaml
	fails 2 "draw"
	: >empty.yaml
	run bulkhead netpol list empty.yaml
	fails 2 "no Kubernetes object in empty.yaml"
	pods a >all.yaml
	run bulkhead netpol list -f svgz all.yaml
	fails 2 "svgz"
	run bulkhead netpol list -o no/folder/list.txt all.yaml
	fails 4 "no/folder"
}

@test "works as any user; files that may not be read are told" {
	pods a b >all.yaml
	pods c >secret.yaml
	chmod 644 all.yaml
	chmod 600 secret.yaml
	run_unprivileged netpol list all.yaml
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 6 ]
	if [ "$(id -u)" -eq 0 ]; then
		run_unprivileged netpol list all.yaml secret.yaml
		[ "$status" -eq 3 ]
		[[ $output == *"secret.yaml: "* ]]
	fi
}
