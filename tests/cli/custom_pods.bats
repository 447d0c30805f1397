#!/usr/bin/env bats
# Pods of custom resources: every row of src/kube/podspecs.def, pods that CustomResourceDefinitions tell of, and whoever asks about pods. What a kind looks like is
# its project's documentation; lines are counted by hand.
load common

# report OPTION...: what baseline says, one "id line evidence: title" per finding.
report() {
	"$BULKHEAD" check --no-hardening --no-schema --pod-security baseline --fail-on never -f json "$@" >report.json 2>stderr.txt || [ $? -eq 3 ]
	python3 - <<'END2'
import json
for f in sorted(json.load(open("report.json"))["findings"], key=lambda f: (f["line"], f["id"], f["evidence"])):
    print(f["id"], f["line"], f["evidence"] + "|" + f["title"])
END2
}

@test "every kind of the table: a privileged container is found at its place" {
	python3 - "$BATS_TEST_DIRNAME/../../src/kube/podspecs.def" <<'END2' >rows.txt
import json, re, sys
BAD = {"name": "c", "image": "x:1", "securityContext": {"privileged": True}}
rows = re.findall(r'^PODS\("([^"]*)", "([^"]*)", "([^"]*)", (\w+), "([^"]*)"\)', open(sys.argv[1]).read(), re.M)
assert len(rows) == open(sys.argv[1]).read().count("\nPODS("), "a row that this does not read"
inner = {"TEMPLATE": ({"spec": {"containers": [BAD]}}, "spec.containers[0]"), "SPEC": ({"containers": [BAD]}, "containers[0]"),
         "TEKTON": ({"steps": [BAD]}, "steps[0]"), "ARGO": ({"name": "e", "container": BAD}, "container")}
for i, (group, kind, path, shape, part) in enumerate(rows):
    value, rest = inner[shape.replace("PART_", "")]
    where = path
    for step in reversed(path.split(".")):
        name = step.rstrip("[]{}")
        value = {name: [value] if step.endswith("[]") else {"e": value} if step.endswith("{}") else value}
    where = path.replace("[]", "[0]").replace("{}", ".e") + "." + rest
    with open(f"{i:03}.json", "w") as f:
        json.dump({"apiVersion": group + "/v1", "kind": kind, "metadata": {"name": f"o{i}", "namespace": "n"}, **value}, f)
    print(f"{kind} n/o{i}: {where}.securityContext.privileged")
END2
	"$BULKHEAD" check --no-hardening --no-schema --pod-security baseline --fail-on never -f json . >report.json
	python3 -c '
import json
for f in json.load(open("report.json"))["findings"]:
    if f["id"] == "pss-privileged": print(f["evidence"])' | sort >found.txt
	sort rows.txt | diff - found.txt
	[ "$(wc -l <rows.txt)" -gt 70 ]
}

@test "a definition tells where pods stand: typed, open, in lists; what is called otherwise is completed by its operator" {
	cat >crd.yaml <<'END2'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: apps.acme.io}
spec:
  group: acme.io
  names: {kind: App, plural: apps}
  scope: Namespaced
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
            properties:
              template: {type: object, x-kubernetes-preserve-unknown-fields: true}
              roles:
                type: array
                items:
                  type: object
                  properties:
                    pod:
                      type: object
                      properties:
                        metadata: {type: object}
                        spec: {type: object, properties: {containers: {type: array, items: {type: object, properties: {name: {type: string}, image: {type: string}}}}}}
END2
	cat >app.yaml <<'END2'
apiVersion: acme.io/v1
kind: App
metadata: {name: a}
spec:
  template: {spec: {hostPID: true, containers: [{name: a, image: x}]}}
  roles:
  - name: leader
    pod:
      spec:
        containers:
        - name: b
          securityContext: {privileged: true}
---
apiVersion: acme.io/v1
kind: Other
metadata: {name: a}
spec:
  template: {spec: {hostPID: true, containers: [{name: a, image: x}]}}
END2
	run report crd.yaml app.yaml
	[ "$output" = "pss-host-namespaces 5 App a: spec.template.spec.hostPID|hostPID shows the processes of the node
pss-privileged 12 App a: spec.roles[0].pod.spec.containers[0].securityContext.privileged|privileged containers: b" ]
	[ "$(report app.yaml)" = "" ]
}

@test "Tekton and Argo: steps have what stepTemplate gives, templates what the workflow gives" {
	cat >t.yaml <<'END2'
apiVersion: tekton.dev/v1
kind: TaskRun
metadata: {name: r}
spec:
  podTemplate: {hostNetwork: true}
  taskSpec:
    stepTemplate:
      securityContext: {procMount: Unmasked}
    steps:
    - image: x
      securityContext: {runAsUser: 1}
    volumes:
    - {name: v, hostPath: {path: /}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: w-}
spec:
  volumes:
  - name: v
    hostPath: {path: /}
  templates:
  - name: run
    script: {image: x}
  - name: all
    dag: {tasks: []}
END2
	run report t.yaml
	[ "$output" = "pss-host-namespaces 5 TaskRun r: spec.podTemplate.hostNetwork|hostNetwork shares the network of the node
pss-proc-mount 8 TaskRun r: spec.taskSpec.stepTemplate.securityContext.procMount|procMount is not Default: unnamed-0
pss-host-path-volumes 13 TaskRun r: spec.taskSpec.volumes[0].hostPath|volumes with hostPath: v
pss-host-path-volumes 21 Workflow w-: spec.volumes[0].hostPath|volumes with hostPath: v" ]
}

@test "what an operator completes is counted, not claimed; what is written is judged" {
	cat >p.yaml <<'END2'
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s, namespace: m}
spec:
  securityContext: {runAsUser: 0}
END2
	run bulkhead check p.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"Prometheus m/k8s: spec.securityContext.runAsUser"* ]]
	[[ $output == *"checks of pods left to what operators add"* ]]
	[[ $output != *"pss-seccomp-set"* ]]
	[[ $output != *"not checked"* ]]
}

@test "network and attack paths see them, one workload for each template" {
	cat >w.yaml <<'END2'
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: r, namespace: shop}
spec:
  headGroupSpec: {template: {spec: {containers: [{name: c, image: x}]}}}
  workerGroupSpecs:
  - groupName: small
    template: {spec: {containers: [{name: c, image: x, securityContext: {privileged: true}}]}}
END2
	run bulkhead netpol list w.yaml
	[[ $output == *"shop/web[Rollout]"* ]]
	[[ $output == *"shop/r-head[RayCluster]"* ]]
	[[ $output == *"shop/r-small[RayCluster]"* ]]
	run bulkhead paths w.yaml --from shop/r-small
	[[ $output == *"a privileged container"* ]]
}
