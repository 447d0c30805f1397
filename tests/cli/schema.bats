#!/usr/bin/env bats
# `bulkhead check` against the types of Kubernetes' API. What is expected is Kubernetes' API reference and its changelogs; lines are counted by hand.
load common

# report OPTION...: checks types alone and prints one "id severity line evidence: title" per finding, sorted.
report() {
	"$BULKHEAD" check --no-hardening --pod-security none --fail-on never -f json "$@" >report.json 2>stderr.txt || [ $? -eq 3 ]
	python3 - <<'END'
import json
r = json.load(open("report.json"))
for f in sorted(r["findings"], key=lambda f: (f["line"], f["id"], f["evidence"])):
    print(f["id"].replace("k8s-schema-", ""), f["severity"], f["line"], f["evidence"] + "|" + f["title"])
END
}

@test "every kind of mistake has its line, its field and its severity" {
	cat >d.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {a: true}
spec:
  replicas: "3"
  template:
    spec:
      containers:
      - image: nginx:1.25
        imagePullPolicy: Sometimes
        prots: []
        args: --all
        command: [a, 1]
END
	run report d.yaml
	[ "$output" = "wrong-type high 5 Deployment web: metadata.labels.a|a has to be a text, not a boolean
missing-field high 7 Deployment web: spec.selector|DeploymentSpec has no selector
wrong-type high 7 Deployment web: spec.replicas|replicas has to be an integer, not a text
missing-field high 11 Deployment web: spec.template.spec.containers[0].name|Container has no name
invalid-value high 12 Deployment web: spec.template.spec.containers[0].imagePullPolicy|imagePullPolicy can't be \"Sometimes\", but one of Always|IfNotPresent|Never
unknown-field medium 13 Deployment web: spec.template.spec.containers[0].prots|Container has no field prots
wrong-type high 14 Deployment web: spec.template.spec.containers[0].args|args has to be a list, not a text
wrong-type high 15 Deployment web: spec.template.spec.containers[0].command|command[1] has to be a text, not a number" ]
	[ "$(report --no-schema d.yaml)" = "" ]
}

@test "what an API server takes is no finding: quantities, ports by name, nulls, status, defaults, raw objects" {
	cat >good.yaml <<'END'
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, creationTimestamp: null, annotations: null}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - {name: c, image: "x:1", resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 0.5}}, livenessProbe: {httpGet: {port: http}}, imagePullPolicy: ""}
      - {name: d, image: "x:1", livenessProbe: {tcpSocket: {port: 80}}, args: null}
status: {replicas: 1}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r}
roleRef: {kind: Role, name: r}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {policyTypes: [Ingress]}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.acme.io}
spec:
  group: acme.io
  scope: Namespaced
  names: {plural: foos, kind: Foo}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {a: {type: array, items: {type: string, default: x, enum: [x, y]}, x-kubernetes-list-type: set}}}}
status: {conditions: [], storedVersions: []}
---
apiVersion: v1
kind: List
items: []
END
	[ "$(report good.yaml)" = "" ]
	[ "$(report --kubernetes 1.25 good.yaml)" = "" ]
}

@test "versions: fields and kinds that are not there yet, or no more" {
	cat >v.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    restartPolicyRules: []
---
apiVersion: autoscaling/v2beta2
kind: HorizontalPodAutoscaler
metadata: {name: h}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: v}
---
apiVersion: apps/v1
kind: Deploymnt
metadata: {name: d}
END
	local old="unknown-field medium 7 Pod p: spec.containers[0].restartPolicyRules|restartPolicyRules of Container is known from Kubernetes 1.34 on only"
	local wrong="unknown-kind high 17 Deploymnt d: apiVersion|Kubernetes 1.%s has no kind Deploymnt in apps/v1"
	local gone="unknown-kind high 9 HorizontalPodAutoscaler h: apiVersion|autoscaling/v2beta2 of HorizontalPodAutoscaler was served until Kubernetes 1.25"
	local early="unknown-kind high 13 ValidatingAdmissionPolicy v: apiVersion|admissionregistration.k8s.io/v1 of ValidatingAdmissionPolicy is served from Kubernetes 1.30 on only"
	[ "$(report --kubernetes 1.34 v.yaml)" = "$gone
${wrong/\%s/34}" ]
	[ "$(report --kubernetes 1.25 v.yaml)" = "$old
$early
${wrong/\%s/25}" ]
	[ "$(report --kubernetes 1.40 v.yaml)" = "$(report --kubernetes 1.37 v.yaml)" ]
	[ "$(report --kubernetes 1.24 v.yaml)" = "" ]
}

@test "an API that a policy calls removed is told once; exit status" {
	printf 'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: shop}\n' >b.yaml
	run bulkhead check -f json b.yaml
	[ "$status" -eq 1 ]
	[[ $output == *k8s-removed-api* ]]
	[[ $output != *k8s-schema-unknown-kind* ]]
}

# flat TEXT: without the line ends that the width of a terminal makes.
flat() {
	tr -s '\n ' ' ' <<<"$1"
}

@test "custom resources whose kind nobody defines are counted and named" {
	printf 'apiVersion: acme.io/v1\nkind: Foo\nmetadata: {name: f}\nspec: {a: b}\n---\napiVersion: acme.io/v1\nkind: Foo\nmetadata: {name: g}\n' >f.yaml
	run bulkhead check f.yaml
	[ "$status" -eq 0 ]
	run flat "$output"
	[[ $output == *"2 custom resources not compared with a schema: no CustomResourceDefinition of Foo of acme.io/v1)"* ]]
}

definition() {
	cat >crd.yaml <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.acme.io}
spec:
  group: acme.io
  scope: Cluster
  names: {plural: foos, kind: Foo}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations:
            - {rule: self.size < self.limit, messageExpression: "'the limit is ' + string(self.limit)", fieldPath: .size}
            - {rule: self.size >= oldSelf.size, message: never smaller}
            properties:
              size: {type: integer, minimum: 1}
              limit: {type: integer, default: 10}
              mode: {type: string, enum: [a, b]}
              ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}}}}
  - {name: v1beta1, served: true, storage: false, deprecated: true, deprecationWarning: use v1, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
END
}

@test "custom resources against their CustomResourceDefinition: lines, fields, rules, versions, scope" {
	definition
	cat >foo.yaml <<'END'
apiVersion: acme.io/v1
kind: Foo
metadata: {name: a, labels: {a: 1}}
spec:
  size: 12
---
apiVersion: acme.io/v1
kind: Foo
metadata:
  name: b
  namespace: shop
spec:
  mode: c
  prots: []
  ports:
  - name: x
  - name: x
---
apiVersion: acme.io/v1beta1
kind: Foo
metadata: {name: c}
spec: {anything: 1}
---
apiVersion: acme.io/v1alpha1
kind: Foo
metadata: {name: d}
---
apiVersion: acme.io/v2
kind: Foo
metadata: {name: e}
END
	run report crd.yaml foo.yaml
	[ "$output" = "wrong-type high 3 Foo a: metadata.labels.a|a has to be a text, not a number
rule high 5 Foo a: spec.size|the limit is 10
invalid-value high 11 Foo shop/b: metadata.namespace|Foo is of the scope Cluster: it has no namespace
invalid-value high 13 Foo shop/b: spec.mode|mode can't be \"c\", but one of a|b
missing-field high 13 Foo shop/b: spec.size|spec has no size
unknown-field medium 14 Foo shop/b: spec.prots|spec has no field prots
invalid-value high 17 Foo shop/b: spec.ports[1]|ports[1] has the name of another element: the list is a map
k8s-deprecated-version low 19 Foo c: apiVersion|use v1
unknown-kind high 24 Foo d: apiVersion|acme.io/v1alpha1 of Foo is not served by its CustomResourceDefinition; served: v1, v1beta1
unknown-kind high 28 Foo e: apiVersion|acme.io/v2 of Foo is not defined by its CustomResourceDefinition; served: v1, v1beta1" ]
	[ "$(report --no-schema crd.yaml foo.yaml)" = "" ]
}

@test "a definition that no API server takes is a finding, and its resources are not compared with it" {
	definition
	sed -i 's/minimum: 1}/minimum: 1, $ref: x}/; s/enum: \[a, b\]/pattern: "("/' crd.yaml
	printf 'apiVersion: acme.io/v1\nkind: Foo\nmetadata: {name: f}\nspec: {a: b}\n' >foo.yaml
	run report crd.yaml foo.yaml
	[ "${lines[0]}" = "k8s-crd-invalid high 23 CustomResourceDefinition foos.acme.io: spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.size.\$ref|\$ref: not supported in the schema of a CustomResourceDefinition" ]
	[[ ${lines[1]} == "k8s-crd-invalid high 25 CustomResourceDefinition foos.acme.io: spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.mode.pattern|pattern: "* ]]
	[ "${#lines[@]}" -eq 2 ]
	run bulkhead check --no-hardening --pod-security none --fail-on never crd.yaml foo.yaml
	run flat "$output"
	[[ $output == *"no CustomResourceDefinition of Foo of acme.io/v1 (it is wrong))"* ]]
	definition
	sed -i 's/self.size < self.limit/self.size < self.limits/' crd.yaml
	run report crd.yaml foo.yaml
	[ "$output" = "k8s-crd-invalid high 20 CustomResourceDefinition foos.acme.io: spec.versions[0].schema.openAPIV3Schema.properties.spec.x-kubernetes-validations[0].rule|rule: 1:17: undefined field 'limits'" ]
}

@test "hostile definitions and resources end: patterns, junctors in junctors, rules without end, a hundred thousand mistakes" {
	python3 - <<'END'
import json
def crd(n, spec):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"a{n}.acme.io"}, "spec": {
        "group": "acme.io", "scope": "Namespaced", "names": {"plural": f"a{n}", "kind": f"A{n}"}, "versions": [{"name": "v1", "served": True, "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", **spec}}}}}]}}
def write(n, *documents):
    open(f"{n}.yaml", "w").write("\n---\n".join(json.dumps(d) for d in documents))
def resource(n, spec):
    return {"apiVersion": "acme.io/v1", "kind": f"A{n}", "metadata": {"name": "x", "namespace": "n"}, "spec": spec}
write(1, crd(1, {"properties": {"a": {"type": "string", "pattern": "((a{1000}){1000}){1000}"}}}))
junctor = {"minLength": 1}
for _ in range(12):
    junctor = {"anyOf": [junctor, {"pattern": "^b$"}], "not": {"allOf": [{"pattern": "^c$"}, junctor]}}
write(2, crd(2, {"properties": {"l": {"type": "array", "items": {"type": "string", **junctor}}}}), resource(2, {"l": ["x"] * 20000}))
write(3, crd(3, {"properties": {"l": {"type": "array", "maxItems": 3000, "items": {"type": "integer"}}},
                 "x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))"}]}), resource(3, {"l": [1] * 3000}))
write(4, crd(4, {"properties": {"l": {"type": "array", "items": {"type": "integer"}}}}), resource(4, {"l": ["x"] * 100000}))
write(5, crd(5, {"properties": {"l": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}}), resource(5, {"l": [str(i) for i in range(100000)] + ["7"]}))
END
	[[ "$(report 1.yaml)" == *"k8s-crd-invalid high 1 CustomResourceDefinition a1.acme.io: "*".a.pattern|pattern: "* ]]
	run timeout 60 "$BULKHEAD" check --no-hardening --pod-security none 2.yaml
	[ "$status" -eq 3 ]
	run flat "$output"
	[[ $output == *"NOT CHECKED"*"2.yaml: line 3: comparing it with its schema takes more than "*" steps"* ]]
	[[ "$(timeout 60 "$BULKHEAD" check --no-hardening --pod-security none -f csv 3.yaml)" == *"cost"*"limit exceeded evaluating rule: self.l.all"* ]]
	[ "$(report 4.yaml | wc -l)" -eq 1001 ]
	[[ "$(report 4.yaml | tail -1)" == *"more of this resource is not told"* ]]
	[ "$(report 5.yaml)" = "invalid-value high 3 A5 n/x: spec.l|l[100000] is there twice: the list is a set" ]
}
