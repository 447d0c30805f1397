#!/usr/bin/env bats
# `bulkhead check` with policies of Gatekeeper and Kyverno. What is expected is their documentation, and what their own engines answer (tests/live/gatekeeper.py).
load common

# ask MANIFESTS POLICY...: "id severity line: title" per finding, then "? what line: reason" per thing that was not checked.
ask() {
	local manifests=$1 options=()
	shift
	for p; do options+=(-p "$p"); done
	"$BULKHEAD" check --no-schema --no-hardening --pod-security none --fail-on never -f json "${options[@]}" "$manifests" >report.json 2>stderr.txt || [ $? -eq 3 ]
	python3 - <<'END'
import json
r = json.load(open("report.json"))
for f in sorted(r["findings"], key=lambda f: (f["line"], f["id"], f["title"])):
    print(f["id"], f["severity"], f"{f['line']}:", f["title"])
for gap in r["incomplete"]:
    print("?", gap["reason"])
END
}

# template KIND [SCHEMA]: a template in CEL whose source is standard input.
template() {
	printf 'apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: %s}\nspec:\n' "${1,,}"
	printf '  crd: {spec: {names: {kind: %s}, validation: {openAPIV3Schema: %s}}}\n' "$1" "${2:-{\}}"
	printf '  targets:\n  - target: admission.k8s.gatekeeper.sh\n    code:\n    - engine: K8sNativeValidation\n      source:\n'
	sed 's/^/        /'
}

# constraint KIND NAME SPEC
constraint() {
	printf -- '---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: %s\nmetadata: {name: %s}\nspec: %s\n' "$@"
}

# object KIND NAMESPACE NAME [LABELS]: two lines, so that lines tell which it is.
object() {
	local api=v1
	[ "$1" != Deployment ] || api=apps/v1
	printf -- '---\n{apiVersion: %s, kind: %s, metadata: {namespace: "%s", name: %s, labels: %s}}\n' "$api" "$1" "$2" "$3" "${4:-{\}}"
}

never='validations: [{expression: "false", message: "no"}]'

@test "a template asks with the parameters of each constraint, and its schema's defaults" {
	template Labels '{type: object, properties: {prefix: {type: string, default: acme.io/}, deep: {type: object, default: {}, properties: {word: {default: gone}}}}}' >t.yaml <<'END'
variables:
- name: missing
  expression: variables.params.labels.filter(l, !((variables.params.prefix + l) in variables.anyObject.metadata.labels))
validations:
- expression: size(variables.missing) == 0
  messageExpression: "variables.params.deep.word + ': ' + variables.missing.join(', ')"
END
	constraint Labels owner '{parameters: {labels: [owner, cost]}}' >>t.yaml
	constraint Labels team '{enforcementAction: warn, parameters: {labels: [team], prefix: "", deep: {word: lost}}}' >>t.yaml
	constraint Labels later '{enforcementAction: dryrun, parameters: {labels: [later]}}' >>t.yaml
	object Pod shop web '{acme.io/owner: a}' >m.yaml
	object Pod shop ok '{acme.io/owner: a, acme.io/cost: b, team: c, acme.io/later: d}' >>m.yaml
	run ask m.yaml t.yaml
	[ "$output" = "Labels negligible 2: [later] gone: later
Labels medium 2: [owner] gone: cost
Labels low 2: [team] lost: team" ]
}

@test "a constraint matches by kinds, namespaces, names, labels and scope" {
	template Never <<<"$never" >t.yaml
	constraint Never kinds '{match: {kinds: [{apiGroups: [""], kinds: [Pod, Secret]}, {apiGroups: [apps], kinds: ["*"]}]}}' >>t.yaml
	constraint Never spaces '{match: {namespaces: ["shop-*", "*-tools", "*mid*", exact], excludedNamespaces: ["*-b"]}}' >>t.yaml
	constraint Never name '{match: {name: "web-*"}}' >>t.yaml
	constraint Never labels '{match: {labelSelector: {matchLabels: {a: b}}}}' >>t.yaml
	constraint Never cluster '{match: {scope: Cluster}}' >>t.yaml
	constraint Never space '{match: {scope: Namespaced, kinds: [{apiGroups: [rbac.authorization.k8s.io], kinds: []}]}}' >>t.yaml
	object Pod shop-a x >m.yaml                  # 2
	object ConfigMap shop-b web-1 >>m.yaml       # 4
	object Deployment my-tools web '{a: b}' >>m.yaml # 6
	object Namespace "" a-mid-b >>m.yaml         # 8
	object Namespace "" exact >>m.yaml           # 10
	object ConfigMap exactly c >>m.yaml          # 12
	run ask m.yaml t.yaml
	[ "$output" = "Never medium 2: [kinds] no
Never medium 2: [spaces] no
Never medium 4: [name] no
Never medium 6: [kinds] no
Never medium 6: [labels] no
Never medium 6: [spaces] no
Never medium 8: [cluster] no
Never medium 10: [cluster] no
Never medium 10: [spaces] no" ]
}

@test "a namespace selector needs the namespace, and says so when it is not there" {
	template Never <<<"$never" >t.yaml
	constraint Never prod '{match: {kinds: [{apiGroups: [""], kinds: [Pod]}], namespaceSelector: {matchLabels: {env: prod}}}}' >>t.yaml
	object Pod shop web >m.yaml
	object Pod lost web >>m.yaml
	object Namespace "" shop '{env: prod}' >>m.yaml
	run ask m.yaml t.yaml
	[ "${lines[0]}" = "Never medium 2: [prod] no" ]
	[[ "${lines[1]}" = "? line 4: policy Never on Pod lost/web: whether the binding applies depends on labels of a namespace that is not given" ]]
}

@test "the Config keeps namespaces from the webhook, but not when it is among what is checked" {
	template Never <<<"$never" >t.yaml
	constraint Never all '{}' >>t.yaml
	cat >config.yaml <<'END'
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: gatekeeper-system}
spec:
  match:
  - {excludedNamespaces: ["kube-*"], processes: ["*"]}
  - {excludedNamespaces: [shop], processes: [audit]}
END
	object Pod kube-system a >m.yaml
	object Pod shop b >>m.yaml
	run ask m.yaml t.yaml config.yaml
	[ "$output" = "Never medium 4: [all] no" ]
	mkdir both && cp m.yaml config.yaml both
	run ask both t.yaml
	[ "$(grep -c '\[all\] no' <<<"$output")" = 3 ]
}

@test "scoped enforcement counts where requests and files are asked" {
	template Never <<<"$never" >t.yaml
	constraint Never both '{enforcementAction: scoped, scopedEnforcementActions: [{action: warn, enforcementPoints: [{name: validation.gatekeeper.sh}]}, {action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]}' >>t.yaml
	constraint Never none '{enforcementAction: scoped, scopedEnforcementActions: []}' >>t.yaml
	constraint Never typo '{enforcementAction: refuse}' >>t.yaml
	object Pod shop b >m.yaml
	run ask m.yaml t.yaml
	[ "${lines[0]}" = "Never low 2: [both] no" ]
	[ "${lines[1]}" = "? line 21: policy Never none: spec.scopedEnforcementActions: nothing is enforced at any point that is known" ]
	[ "${lines[2]}" = "? line 26: policy Never typo: spec.enforcementAction: refuse is none of deny, warn, dryrun and scoped" ]
	[ "${#lines[@]}" = 3 ]
}

@test "match conditions, failure policies and errors are the template's" {
	template Some >t.yaml <<'END'
failurePolicy: Ignore
matchCondition:
- {name: labelled, expression: "has(object.metadata.labels.a)"}
validations:
- expression: object.metadata.labels.a == "b"
- expression: object.metadata.labels.missing == "b"
END
	constraint Some some '{}' >>t.yaml
	object Pod shop a '{a: c}' >m.yaml
	object Pod shop b '{b: c}' >>m.yaml
	run ask m.yaml t.yaml
	[ "$output" = 'Some medium 2: [some] failed expression: object.metadata.labels.a == "b"' ]
}

@test "Rego, wrong expressions and lonely halves are told, with their lines" {
	cat >t.yaml <<'END'
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: rego}
spec:
  crd: {spec: {names: {kind: Rego}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: package x
---
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: wrong}
spec:
  crd: {spec: {names: {kind: Wrong}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    code:
    - engine: K8sNativeValidation
      source:
        validations:
        - message: never
          expression: 1 + 'a' == 2
---
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: other}
spec: {crd: {spec: {names: {kind: Another}}}}
END
	constraint Lonely here '{}' >>t.yaml
	constraint Wrong w '{}' >>t.yaml
	printf -- '---\napiVersion: mutations.gatekeeper.sh/v1\nkind: Assign\nmetadata: {name: a}\n' >>t.yaml
	object Pod shop a >m.yaml
	run ask m.yaml t.yaml
	[[ "${lines[0]}" = "? line 10: policy ConstraintTemplate wrong: spec.targets[0].code[0].source.validations[0].expression (line 22): ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'"* ]]
	[[ "$output" = *"? line 8: policy ConstraintTemplate rego: Rego is not supported, only CEL (the engine K8sNativeValidation)"* ]]
	[[ "$output" = *"? line 24: policy ConstraintTemplate other: spec.crd.spec.names.kind: has to be the template's name, in upper and lower case, but is 'Another'"* ]]
	[[ "$output" = *"? line 29: policy Lonely here: there is no ConstraintTemplate of its kind"* ]]
	[[ "$output" = *"? line 39: policy Assign a: Assign of mutations.gatekeeper.sh is not supported"* ]]
	run "$BULKHEAD" check --no-schema --no-hardening --pod-security none -p t.yaml m.yaml
	[ "$status" -eq 3 ]
}

@test "names that are Gatekeeper's own and templates without constraints are refused" {
	template Mine >t.yaml <<'END'
variables:
- {name: params, expression: "1"}
- {name: gatekeeper_internal_x, expression: "1"}
validations: [{expression: "true"}]
END
	template Idle <<<"$never" >i.yaml
	object Pod shop a >m.yaml
	run ask m.yaml t.yaml i.yaml
	[ "${lines[0]}" = "? line 12: policy ConstraintTemplate mine: the name params of a variable is Gatekeeper's own" ]
	[ "${lines[1]}" = "? line 13: policy ConstraintTemplate mine: the name gatekeeper_internal_x of a variable is Gatekeeper's own" ]
	[ "${lines[2]}" = "? line 1: policy ConstraintTemplate idle: no constraint (Idle) was given, so it is asked of nothing" ]
}

# validating NAME [MORE]: a ValidatingPolicy of Kyverno about Pods that has the spec of standard input besides; more: fields of metadata.
validating() {
	printf -- '---\napiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: %s%s}\nspec:\n' "$1" "${2:+, $2}"
	printf '  matchConstraints:\n    resourceRules:\n    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}\n'
	sed 's/^/  /'
}

# host KIND NAME [NAMESPACE [IMAGE]]: something with a Pod in the node's network, two lines.
host() {
	local spec="{hostNetwork: true, containers: [{name: a, image: ${4:-x}}]}" api=apps/v1
	case $1 in
	Pod) api=v1 spec="spec: $spec" ;;
	CronJob) api=batch/v1 spec="spec: {jobTemplate: {spec: {template: {metadata: {labels: {}}, spec: $spec}}}}" ;;
	Job) api=batch/v1 spec="spec: {template: {metadata: {labels: {}}, spec: $spec}}" ;;
	*) spec="spec: {template: {metadata: {labels: {}}, spec: $spec}}" ;;
	esac
	printf -- '---\n{apiVersion: %s, kind: %s, metadata: {name: %s, namespace: %s}, %s}\n' "$api" "$1" "$2" "${3:-shop}" "$spec"
}

@test "Kyverno: a policy about Pods is one about what makes them, too" {
	validating host 'annotations: {policies.kyverno.io/severity: high}' >p.yaml <<'END'
variables:
- {name: host, expression: object.spec.?hostNetwork.orValue(false)}
validations:
- expression: "!variables.host"
  messageExpression: "'host in ' + object.metadata.namespace"
END
	host Pod a >m.yaml
	host Deployment b >>m.yaml
	host CronJob c >>m.yaml
	host Job d >>m.yaml
	printf -- '---\n{apiVersion: v1, kind: Pod, metadata: {name: e}, spec: {}}\n' >>m.yaml
	run ask m.yaml p.yaml
	[ "$output" = "host high 2: host in shop
host high 4: host in shop
host high 6: host in shop
host high 8: host in shop" ]
	run "$BULKHEAD" check --no-schema --no-hardening --pod-security none -p p.yaml m.yaml
	[[ "$output" = *"CronJob shop/c: spec.jobTemplate.spec.template.spec.hostNetwork"* ]]
}

@test "Kyverno: autogen names the controllers; policies with selectors have none" {
	validating some >p.yaml <<'END'
autogen: {podControllers: {controllers: [statefulsets, cronjobs, rollouts.v1.argoproj.io]}}
validationActions: [Warn, Audit]
validations: [{expression: "false", message: "no"}]
END
	validating none >>p.yaml <<'END'
autogen: {podControllers: {controllers: []}}
validationActions: [Audit]
validations: [{expression: "false", message: "no"}]
END
	validating labels >>p.yaml <<'END'
validations: [{expression: "false", message: "no"}]
END
	sed -i '$!b; s/$/\n  evaluation: {admission: {enabled: false}}/' p.yaml
	python3 - <<'END'
import re
s = open("p.yaml").read()
i = s.rindex("  matchConstraints:\n")
open("p.yaml", "w").write(s[:i] + "  matchConstraints:\n    objectSelector: {matchLabels: {a: b}}\n" + s[i + len("  matchConstraints:\n"):])
END
	host Pod a >m.yaml
	host Deployment b >>m.yaml
	host StatefulSet c >>m.yaml
	host CronJob d >>m.yaml
	printf -- '---\n{apiVersion: v1, kind: Pod, metadata: {name: e, labels: {a: b}}}\n' >>m.yaml
	run ask m.yaml p.yaml
	[ "$output" = "none negligible 2: no
some low 2: no
some low 6: no
some low 8: no
labels negligible 10: no
none negligible 10: no
some low 10: no
? line 9: policy ValidatingPolicy some: autogen for rollouts.v1.argoproj.io is not supported" ]
}

@test "Kyverno: exceptions exempt from a policy, or allow images and values; not when they are among what is checked" {
	validating host >p.yaml <<'END'
validations:
- expression: "!object.spec.hostNetwork || object.spec.containers.all(c, c.image in exceptions.allowedImages || 'all' in exceptions.allowedValues)"
  message: "no"
END
	cat >e.yaml <<'END'
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: whole, namespace: x}
spec:
  policyRefs: [{name: host, kind: ValidatingPolicy}]
  matchConditions: [{name: a, expression: "object.metadata.name == 'exempt'"}, {name: b, expression: "object.metadata.namespace == 'shop'"}]
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: images, namespace: x}
spec:
  policyRefs: [{name: host, kind: ValidatingPolicy}]
  images: ["it's/good:1"]
  matchConditions: [{name: a, expression: "object.metadata.namespace == 'shop'"}]
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: other, namespace: x}
spec:
  policyRefs: [{name: others, kind: ValidatingPolicy}]
END
	host Pod exempt >m.yaml
	host Pod exempt other >>m.yaml
	host Pod a shop "\"it's/good:1\"" >>m.yaml
	host Pod a other "\"it's/good:1\"" >>m.yaml
	host Pod b >>m.yaml
	run ask m.yaml p.yaml e.yaml
	[ "$output" = "host medium 4: no
host medium 8: no
host medium 10: no" ]
	mkdir both && cp m.yaml e.yaml both
	run ask both p.yaml
	[ "$(grep -c 'host medium' <<<"$output")" = 5 ]
}

@test "Kyverno: a policy of a namespace is asked there only, conditions and failure policies hold" {
	cat >p.yaml <<'END'
apiVersion: policies.kyverno.io/v1beta1
kind: NamespacedValidatingPolicy
metadata: {name: here, namespace: shop}
spec:
  failurePolicy: Ignore
  matchConstraints:
    resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: [configmaps]}]
  matchConditions: [{name: named, expression: object.metadata.name != 'other'}]
  validations:
  - {expression: object.metadata.name == 'x', message: "no"}
  - {expression: object.data.missing == 'x', message: never}
END
	object ConfigMap shop a >m.yaml
	object ConfigMap shop other >>m.yaml
	object ConfigMap stop a >>m.yaml
	run ask m.yaml p.yaml
	[ "$output" = "shop/here medium 2: no" ]
}

@test "Kyverno: what is not plain CEL is refused with the function and its place, other kinds by their name" {
	validating call >p.yaml <<'END'
validations:
- message: "no"
  expression: resource.Get("v1", "configmaps", "a", "b").data.x == object.metadata.name
END
	validating json >>p.yaml <<'END'
evaluation: {mode: JSON}
validations: [{expression: "false"}]
END
	validating wrong >>p.yaml <<'END'
validations: [{expression: "object.spec.replicas + 'a'"}]
END
	printf -- '---\napiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: idle}\nspec: {validations: [{expression: "false"}]}\n' >>p.yaml
	printf -- '---\napiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\nmetadata: {name: signed}\n' >>p.yaml
	printf -- '---\napiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: {name: old}\n' >>p.yaml
	printf -- '---\napiVersion: kyverno.io/v2\nkind: CleanupPolicy\nmetadata: {name: clean}\n' >>p.yaml
	host Pod a >m.yaml
	run ask m.yaml p.yaml
	[[ "$output" != *" no"$'\n'* ]]
	[[ "$output" = *"? line 2: policy ValidatingPolicy call: spec.validations[0].expression (line 11): ERROR: <input>:1:1: undeclared reference to 'resource'"* ]]
	[[ "$output" = *"Kyverno's own functions are not supported, only plain CEL"* ]]
	[ "$(grep -c 'ValidatingPolicy call' <<<"$output")" = 1 ]
	[[ "$output" = *"policy ValidatingPolicy json: spec.evaluation.mode: JSON is not supported"* ]]
	[[ "$output" = *"policy ValidatingPolicy wrong: spec.validations[0].expression (line "*"must evaluate to bool but got"* ]]
	[[ "$output" = *"policy ValidatingPolicy idle: spec.matchConstraints is missing, so Kyverno asks it of nothing"* ]]
	[[ "$output" = *"policy ImageValidatingPolicy signed: ImageValidatingPolicy of policies.kyverno.io is not supported"* ]]
	[[ "$output" = *"policy CleanupPolicy clean: CleanupPolicy of kyverno.io is not supported"* ]]
}

# rules NAME RULE...: a ClusterPolicy that enforces rules; each is a flow mapping without its braces.
rules() {
	printf -- '---\napiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: %s}\nspec:\n  validationFailureAction: Enforce\n  rules:\n' "$1"
	shift
	for rule; do printf '  - {%s}\n' "$rule"; done
}

# rule NAME RESOURCES: one that says no to what it matches.
rule() {
	printf 'name: %s, match: {any: [{resources: {%s}}]}, validate: {message: "no", cel: {expressions: [{expression: "false"}]}}' "$@"
}

@test "Kyverno: rules in CEL match kinds, names, namespaces, labels, annotations and operations" {
	rules p "$(rule kinds 'kinds: [apps/v1/Deployment, v1/Config*, "Pod/exec"]')" \
		"$(rule group 'kinds: [batch/v1/Deployment, v1beta1/Deployment, Deployment.status]')" \
		"$(rule names 'kinds: ["*"], names: ["w?b", "a.b-*"]')" \
		"$(rule name 'name: web')" \
		"$(rule spaces 'kinds: [Pod, Namespace], namespaces: ["sh*p"]')" \
		"$(rule labels 'selector: {matchLabels: {"app/*": "b?"}, matchExpressions: [{key: x, operator: NotIn, values: [ex]}, {key: z, operator: DoesNotExist}]}')" \
		"$(rule listed 'selector: {matchExpressions: [{key: x, operator: In, values: [a, ex]}, {key: app/a, operator: Exists}]}')" \
		"$(rule delete 'kinds: [Pod], operations: [DELETE]')" \
		"$(rule nothing '')" >p.yaml
	object Pod shop web >m.yaml                       # 2
	object Deployment s wb >>m.yaml                   # 4
	object ConfigMap shop a.b-c '{app/a: bc}' >>m.yaml # 6
	object Namespace "" shop >>m.yaml                 # 8
	object Secret s aXb-c '{app/a: bc, x: ex}' >>m.yaml # 10
	object Secret s s '{app/a: bc, z: z}' >>m.yaml    # 12
	run ask m.yaml p.yaml
	[ "$output" = "p/name medium 2: no
p/names medium 2: no
p/spaces medium 2: no
p/kinds medium 4: no
p/kinds medium 6: no
p/labels medium 6: no
p/names medium 6: no
p/spaces medium 8: no
p/listed medium 10: no" ]
}

@test "Kyverno: exclude, all, preconditions, parameters and the rule's own action" {
	cat >p.yaml <<'END'
apiVersion: kyverno.io/v1
kind: Policy
metadata: {name: p, namespace: shop}
spec:
  rules:
  - name: r
    match: {all: [{resources: {kinds: [Pod]}}, {resources: {names: ["a*"]}}]}
    exclude: {any: [{resources: {names: ["ab*"]}}, {resources: {names: ["ac*"]}}]}
    celPreconditions: [{name: n, expression: object.metadata.name != 'ad'}]
    validate:
      failureAction: Enforce
      cel:
        paramKind: {apiVersion: v1, kind: ConfigMap}
        paramRef: {name: params, namespace: shop, parameterNotFoundAction: Deny}
        variables: [{name: word, expression: params.data.word}]
        expressions:
        - {expression: "false", messageExpression: string(variables.word)}
        - {expression: "true"}
END
	for name in a ab ac ad b ae; do object Pod shop $name; done >m.yaml
	object Pod other a >>m.yaml
	printf -- '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: params, namespace: shop}, data: {word: stop}}\n' >>m.yaml
	run ask m.yaml p.yaml
	[ "$output" = "shop/p/r medium 2: stop
shop/p/r medium 12: stop" ]
}

@test "Kyverno: rules about Pods are generated for what makes them, as the annotation and the filters say" {
	local cel='validate: {message: "no", cel: {expressions: [{expression: "!object.spec.hostNetwork"}]}}'
	rules all "name: r, match: {any: [{resources: {kinds: [Pod]}}]}, $cel" >p.yaml
	rules some "name: r, match: {resources: {kinds: [v1/Pod]}}, $cel" | sed 's/name: some/&, annotations: {pod-policies.kyverno.io\/autogen-controllers: "CronJob, Job"}/' >>p.yaml
	rules none "name: r, match: {any: [{resources: {kinds: [Pod]}}]}, $cel" | sed 's/name: none/&, annotations: {pod-policies.kyverno.io\/autogen-controllers: none}/' >>p.yaml
	rules named "name: r, match: {any: [{resources: {kinds: [Pod], names: ['*']}}]}, $cel" >>p.yaml
	host Pod a >m.yaml
	host Deployment b >>m.yaml
	host CronJob c >>m.yaml
	host Job d >>m.yaml
	run ask m.yaml p.yaml
	[ "$output" = "all/r medium 2: no
named/r medium 2: no
none/r medium 2: no
some/r medium 2: no
all/r medium 4: no
all/r medium 6: no
some/r medium 6: no
all/r medium 8: no
some/r medium 8: no" ]
}

@test "Kyverno: what of a rule is not CEL is told, and the others are asked" {
	rules p "$(rule good 'kinds: [Pod]')" \
		'name: pattern, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {x: 1}}}' \
		"$(rule who 'kinds: [Pod]' | sed 's/kinds: \[Pod\]}/&, subjects: [{kind: User, name: a}]/')" \
		"$(rule jmes 'kinds: [Pod]'), preconditions: {all: [{key: a, operator: Equals, value: b}]}" \
		"$(rule wrong 'kinds: [Pod]' | sed 's/"false"/"1"/')" >p.yaml
	object Pod shop a >m.yaml
	run ask m.yaml p.yaml
	[ "${lines[0]}" = "p/good medium 2: no" ]
	[[ "$output" = *"? line 2: policy ClusterPolicy p/wrong: spec.rules[4].validate.cel.expressions[0].expression (line 12): must evaluate to bool but got int"* ]]
	[[ "$output" = *"? line 9: policy ClusterPolicy p: rule pattern has no validate.cel, and only CEL is supported"* ]]
	[[ "$output" = *"? line 10: policy ClusterPolicy p: rule who: subjects is not plain CEL, so the rule is not supported"* ]]
	[[ "$output" = *"? line 11: policy ClusterPolicy p: rule jmes: preconditions is not plain CEL, so the rule is not supported"* ]]
	[ "${#lines[@]}" = 5 ]
}
