#!/usr/bin/env bats
# `bulkhead comply`: options, formats, exemptions, precedence. Which control says what of which input: comply.py.
load common
bats_require_minimum_version 1.5.0

pod() { # NAME ARGUMENT...: the static pod of a component
	local name=$1
	shift
	mkdir -p node/etc/kubernetes/manifests
	{
		echo "{apiVersion: v1, kind: Pod, metadata: {name: $name, namespace: kube-system}, spec: {containers: [{name: a, image: a, command: ["
		echo "$name"
		printf ', "%s"\n' "$@"
		echo "]}]}}"
	} >"node/etc/kubernetes/manifests/$name.yaml"
}

# verdict CONTROL ARGUMENT...: of a control of the CIS benchmark.
verdict() {
	local control=$1
	shift
	"$BULKHEAD" comply cis-kubernetes -f json --control "$control" "$@" >report.json 2>stderr.txt || [ $? -ne 2 ] || cat stderr.txt
	python3 -c 'import json; c = json.load(open("report.json"))["controls"][0]; print(c["verdict"], c["reasons"][0]["text"] if c["reasons"] else "")'
}

@test "frameworks are listed with their versions" {
	run -0 bulkhead comply --list
	[[ $output == *"cis-kubernetes       1.12  131 controls"* ]]
	[ "${#lines[@]}" -eq 11 ]
}

@test "wrong words: what is wrong is said" {
	run bulkhead comply
	fails 2 "which framework"
	run bulkhead comply cis-podman --root .
	fails 2 "no framework is called cis-podman"
	run bulkhead comply cis-kubernetes-1.11 --root .
	fails 2 "no framework is called cis-kubernetes-1.11"
	run bulkhead comply cis-kubernetes
	fails 2 "nothing to look at"
	run bulkhead comply cis-kubernetes --root nowhere
	fails 2 "nowhere"
	run bulkhead comply cis-kubernetes nowhere.yaml
	fails 2 "nowhere.yaml"
	run bulkhead comply cis-kubernetes --root . --control 9.9
	fails 2 "no control of cis-kubernetes 1.12 is called 9.9"
	run bulkhead comply cis-kubernetes --kubernetes 2.0 --root .
	fails 2 "a version from 1.0"
	run bulkhead comply cis-kubernetes --report nowhere.json
	fails 2 "nowhere.json"
	echo '{"a": 1}' >other.json
	run bulkhead comply cis-kubernetes --report other.json
	fails 2 "no Bulkhead report"
}

@test "exit status: 1 when a control fails, 3 when something could not be checked, 0 otherwise" {
	pod kube-scheduler --profiling=true --bind-address=127.0.0.1
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*"
	run -0 bulkhead comply cis-kubernetes --root node --control 1.4.2
	run -3 bulkhead comply cis-kubernetes --root node --control "1.4.2,5.1.1"
	[[ $output == *"UNCHECKED  5.1.1"*"no manifests were given"* ]]
}

@test "a document that can't be read makes what policies decide unchecked" {
	pod kube-scheduler
	printf 'a: [\n' >broken.yaml
	cp node/etc/kubernetes/manifests/kube-scheduler.yaml good.yaml
	run -3 bulkhead comply cis-kubernetes --control 5.2.2 good.yaml broken.yaml
	[[ $output == *"not checked: broken.yaml"* ]]
	[[ $output == *"UNCHECKED  5.2.2"* ]]
	run -0 bulkhead comply cis-kubernetes --control 5.2.2 good.yaml
}

@test "pods of the control plane tell its flags without a node; standard input too" {
	pod kube-apiserver --anonymous-auth=true
	run verdict 1.2.1 node/etc/kubernetes/manifests
	[ "$output" = "fail --anonymous-auth is true" ]
	run bash -c '"$BULKHEAD" comply cis-kubernetes --control 1.2.1,5.2.2 - <node/etc/kubernetes/manifests/kube-apiserver.yaml'
	[ "$status" -eq 1 ]
	[[ $output == *"standard input"*"--anonymous-auth is true"*"PASS       5.2.2"* ]]
}

@test "a shell that starts the component, flags with a blank, underscores, one dash" {
	mkdir -p node
	cat >dump.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: kube-system}
spec:
  containers:
  - name: a
    image: a
    command: [/bin/sh, -c, "exec /usr/local/bin/kube-apiserver --anonymous_auth false -profiling=false 1>>/var/log/x 2>&1 --profiling=true"]
END
	[ "$(verdict 1.2.1 dump.yaml)" = "pass --anonymous-auth is false" ]
	[ "$(verdict 1.2.15 dump.yaml)" = "pass --profiling is false" ]
}

@test "flags of the kubelet go before its file, a drop-in before the file, and defaults depend on whether there is one" {
	mkdir -p node/etc/systemd/system node/var/lib/kubelet node/etc/kubelet.d
	printf '[Service]\nExecStart=/usr/bin/kubelet $ARGS\nEnvironmentFile=-/etc/default/kubelet\n' >node/etc/systemd/system/kubelet.service
	[[ $(verdict 4.2.1 --root node) == "fail --anonymous-auth is not set; the default is true" ]]
	mkdir -p node/etc/default
	echo "ARGS='--config /var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d'" >node/etc/default/kubelet
	[[ $(verdict 4.2.1 --root node) == "unchecked --anonymous-auth is not set, and /var/lib/kubelet/config.yaml: "* ]]
	printf 'kind: KubeletConfiguration\n' >node/var/lib/kubelet/config.yaml
	[[ $(verdict 4.2.1 --root node) == "pass --anonymous-auth is not set; the default is false" ]]
	printf 'kind: KubeletConfiguration\nauthentication:\n  anonymous:\n    enabled: true\n' >node/var/lib/kubelet/config.yaml
	[[ $(verdict 4.2.1 --root node) == "fail authentication.anonymous.enabled is true" ]]
	grep -q '"line": 4' report.json
	printf 'kind: KubeletConfiguration\nauthentication: {anonymous: {enabled: false}}\n' >node/etc/kubelet.d/10.conf
	[[ $(verdict 4.2.1 --root node) == "pass authentication.anonymous.enabled is false" ]]
	echo "ARGS='--config /var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d --anonymous-auth'" >node/etc/default/kubelet
	[[ $(verdict 4.2.1 --root node) == "fail --anonymous-auth is true" ]]
}

@test "feature gates of the flag change those of the file, and leave the others" {
	mkdir -p node/etc/systemd/system
	unit() { printf '[Service]\nExecStart=/usr/bin/kubelet --config=/etc/kubelet.yaml --feature-gates=%s\n' "$1" >node/etc/systemd/system/kubelet.service; }
	printf 'kind: KubeletConfiguration\nfeatureGates: {RotateKubeletServerCertificate: false}\n' >node/etc/kubelet.yaml
	unit A=true
	[[ $(verdict 4.2.11 --root node) == "fail "* ]]
	unit A=true,RotateKubeletServerCertificate=true
	[[ $(verdict 4.2.11 --root node) == "pass "* ]]
	printf 'kind: KubeletConfiguration\n' >node/etc/kubelet.yaml
	unit RotateKubeletServerCertificate=true,RotateKubeletServerCertificate=false
	[[ $(verdict 4.2.11 --root node) == "fail "* ]]
}

@test "a file of variables that must not be read makes what it may say unknown" {
	mkdir -p node/etc/systemd/system node/root
	printf '[Service]\nExecStart=/usr/bin/kubelet $ARGS --make-iptables-util-chains\nEnvironmentFile=-/root/secret\n' >node/etc/systemd/system/kubelet.service
	[ "$(verdict 4.2.7 --root node)" = "pass --hostname-override is not set" ]
	echo ARGS=--hostname-override=x >node/root/secret
	[[ $(verdict 4.2.7 --root node) == "unchecked --hostname-override is not set, and /root/secret, which may hold more, was not read: "* ]]
	[ "$(verdict 4.2.6 --root node)" = "pass --make-iptables-util-chains is true" ]
}

@test "a process counts more than what it was started from" {
	mkdir -p node/etc/systemd/system node/proc/812
	printf '[Service]\nExecStart=/usr/bin/kubelet --anonymous-auth=true\n' >node/etc/systemd/system/kubelet.service
	echo kubelet >node/proc/812/comm
	printf '/usr/bin/kubelet\0--anonymous-auth=false\0' >node/proc/812/cmdline
	[ "$(verdict 4.2.1 --root node)" = "pass --anonymous-auth is false" ]
	grep -q '"file": "process 812"' report.json
}

@test "etcd of Debian: a unit and a file of variables; its configuration file makes them void" {
	mkdir -p node/lib/systemd/system node/etc/default
	cat >node/lib/systemd/system/etcd.service <<'END'
[Unit]
Description=etcd - highly-available key value store
After=network.target
Wants=network-online.target

[Service]
Environment=DAEMON_ARGS=
Environment=ETCD_NAME=%H
Environment=ETCD_DATA_DIR=/var/lib/etcd/default
EnvironmentFile=-/etc/default/%p
EnvironmentFile=-/etc/default/etcd
Type=notify
User=etcd
PermissionsStartOnly=true
ExecStart=/usr/bin/etcd $DAEMON_ARGS
Restart=on-abnormal
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
Alias=etcd2.service
END
	[ "$(verdict 2.2 --root node)" = "fail --client-cert-auth is not set; the default is false" ]
	printf '## ETCD_CLIENT_CERT_AUTH="false"\nETCD_CLIENT_CERT_AUTH="true"\nDAEMON_ARGS="--auto-tls"\n' >node/etc/default/etcd
	[ "$(verdict 2.2 --root node)" = "pass --client-cert-auth is true" ]
	[ "$(verdict 2.3 --root node)" = "fail --auto-tls is true" ]
	printf 'ETCD_CLIENT_CERT_AUTH="true"\nDAEMON_ARGS="--config-file=/etc/etcd.yaml"\n' >node/etc/default/etcd
	printf 'client-transport-security:\n  client-cert-auth: false\n' >node/etc/etcd.yaml
	[ "$(verdict 2.2 --root node)" = "fail client-transport-security.client-cert-auth is false" ]
}

@test "kubeadm's own files: what it leaves open is known, and nothing else" {
	cp -r "$BATS_TEST_DIRNAME/../corpus/kubeadm" node
	chmod 600 node/etc/kubernetes/manifests/*
	chmod 644 node/var/lib/kubelet/config.yaml
	failing() { "$BULKHEAD" comply cis-kubernetes -f csv --root node --control "$1" | awk -F, '$5 == "fail" { print $3 }' | sort -uV | tr '\n' ' '; }
	# Of 1 to 3 as kube-bench has them, cis-1.11 (tests/live/kube_bench.py); 1.2.28 and 3.2 follow from what is not there.
	[ "$(failing '1.2.*')" = "1.2.1 1.2.3 1.2.5 1.2.9 1.2.11 1.2.15 1.2.16 1.2.17 1.2.18 1.2.19 1.2.27 1.2.28 1.2.29 1.2.30 " ]
	[ "$(failing '1.3.*,1.4.*,2.*,3.*')" = "1.3.2 1.4.1 3.2.1 3.2.2 " ]
	[ "$(failing '4.2.*')" = "4.2.9 4.2.12 4.2.13 4.2.14 " ]
	[ "$(failing '4.1.9')" = "4.1.9 " ]
}

@test "a file by two paths is one file" {
	mkdir -p node/usr/lib/systemd/system
	ln -s usr/lib node/lib
	printf '[Service]\nExecStart=/usr/bin/kubelet\n' >node/usr/lib/systemd/system/kubelet.service
	chmod 644 node/usr/lib/systemd/system/kubelet.service
	[[ $(verdict 4.1.1 --root node) == "fail mode 644; 600 or stricter is asked" ]]
	[ "$(grep -c '"verdict": "fail", "check"' report.json)" -eq 1 ]
}

@test "what must not be read, or can't, is not absent" {
	pod kube-apiserver --anonymous-auth=false
	chmod 755 node node/etc node/etc/kubernetes
	chmod 000 node/etc/kubernetes/manifests/kube-apiserver.yaml
	run_unprivileged comply cis-kubernetes --root node --control 1.2.1,1.3.2
	[ "$status" -eq 3 ]
	[[ $output == *"UNCHECKED  1.2.1 "*"no kube-apiserver was found, and not everything could be read: /etc/kubernetes/manifests/kube-apiserver.yaml"* ]]
	chmod 000 node/etc/kubernetes/manifests
	run_unprivileged comply cis-kubernetes --root node --control 1.1.1,1.2.1
	[ "$status" -eq 3 ]
	[[ $output == *"UNCHECKED  1.1.1 "*"the rights to look at it are missing"*"UNCHECKED  1.2.1 "*"the rights to list it are missing"* ]]
	chmod 755 node/etc/kubernetes/manifests
	chmod 644 node/etc/kubernetes/manifests/kube-apiserver.yaml
	printf 'kind: Pod\n  a: [' >node/etc/kubernetes/manifests/kube-apiserver.yaml
	[[ $(verdict 1.2.1 --root node) == "unchecked no kube-apiserver was found, and not everything could be read: "* ]]
}

@test "a configuration that is a bomb is not read, and nothing else suffers" {
	mkdir -p node/etc/systemd/system
	printf '[Service]\nExecStart=/usr/bin/kubelet --config=/etc/bomb.yaml --hostname-override=x\n' >node/etc/systemd/system/kubelet.service
	python3 -c 'print("a: &a [" + ",".join("x" * 9) + "]"); [print(f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join(["*" + chr(97 + i)] * 99) + "]") for i in range(9)]' >node/etc/bomb.yaml
	[[ $(verdict 4.2.1 --root node) == "unchecked --anonymous-auth is not set, and /etc/bomb.yaml: "* ]]
	[ "$(verdict 4.2.7 --root node)" = "fail --hostname-override is x" ]
}

@test "links stay within the root; keys are not read" {
	pod kube-apiserver --encryption-provider-config=/etc/kubernetes/pki/secret.yaml --authorization-config=/etc/authz.yaml
	mkdir -p node/etc/kubernetes/pki outside
	printf 'authorizers: [{type: AlwaysAllow}]\n' >outside/authz.yaml
	ln -s "$PWD/outside/authz.yaml" node/etc/authz.yaml
	[[ $(verdict 1.2.6 --root node) == "unchecked "* ]]
	printf 'authorizers: [{type: Node}, {type: RBAC}]\n' >node/authz.yaml
	ln -sf /authz.yaml node/etc/authz.yaml
	[ "$(verdict 1.2.6 --root node)" = "pass authorizers.*.type is Node,RBAC" ]
	echo 'resources: []' >node/etc/kubernetes/pki/secret.yaml
	[[ $(verdict 1.2.28 --root node) == "unchecked "*"it is not read" ]]
}

@test "exemptions: by check, by control, for one file, and run out; attestations" {
	pod kube-scheduler --bind-address=127.0.0.1
	exception() { printf 'exceptions:\n- {id: "%s", reason: because, owner: team, expires: %s%s}\n' "$1" "$2" "${3-}" >bulkhead.yaml; }
	[[ $(verdict 1.4.1 --root node) == "fail "* ]]
	exception scheduler-profiling 2099-12-31
	[[ $(verdict 1.4.1 --root node) == "exempt "* ]]
	grep -q '"exception": { "reason": "because", "owner": "team", "expires": "2099-12-31"' report.json
	run -0 bulkhead comply cis-kubernetes --root node --control 1.4.1
	[[ $output == *"EXEMPT"*"accepted by team until 2099-12-31: because"* ]]
	exception cis-kubernetes:1.4.1 2099-12-31
	[[ $(verdict 1.4.1 --root node) == "exempt "* ]]
	exception scheduler-profiling 2099-12-31 ', path: /etc/other.yaml'
	[[ $(verdict 1.4.1 --root node) == "fail "* ]]
	exception scheduler-profiling 2020-12-31
	run -1 bulkhead comply cis-kubernetes --root node --control 1.4.1
	[[ $output == *"ran out on 2020-12-31"* ]]
	[[ $(verdict 5.4.2 --root node) == "manual "* ]]
	exception cis-kubernetes:5.4.2 2099-12-31
	[[ $(verdict 5.4.2 --root node) == "attested because"* ]]
	exception cis-kubernetes:5.4.2 2020-12-31
	[[ $(verdict 5.4.2 --root node) == "manual "* ]]
}

@test "formats: CSV, Markdown, HTML, OSCAL" {
	pod kube-scheduler "--bind-address==1+1|<b>"
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*" -f csv
	[ "${lines[0]}" = "framework,version,control,title,verdict,reason_verdict,check,text,file,line,evidence,owner,expires,exception" ]
	[[ $output == *"cis-kubernetes,1.12,1.4.2,"*",fail,fail,scheduler-bind,"* ]]
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*" -f markdown
	[[ $output == *"| 1.4.2 | fail |"*"\\|&lt;b&gt;"* ]]
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*" -f html -o page.html
	grep -q '<td class="v fail">fail</td>' page.html
	run ! grep -q '<b>' page.html
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*" -f oscal -o oscal.json
	python3 - <<'END'
import json, re
r = json.load(open("oscal.json"))["assessment-results"]
ids = [r["uuid"], r["results"][0]["uuid"]] + [f["uuid"] for f in r["results"][0]["findings"]]
assert len(set(ids)) == 4
# the patterns of NIST's schema for uuid and token
assert all(re.fullmatch(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}", i) for i in ids)
assert all(re.fullmatch(r"(\w)[\w.-]*", f["target"]["target-id"]) for f in r["results"][0]["findings"])
assert [f["target"]["status"]["state"] for f in r["results"][0]["findings"]] == ["not-satisfied"] * 2
END
	run -1 bulkhead comply cis-kubernetes --root node --control "1.4.*" --show pass
	[[ $output != *"1.4.2"* ]]
}

@test "reports of scans: severities, what was excepted there, incomplete scans" {
	report() { printf '{"schema": "bulkhead.report/1", "target": {}, "findings": [%s], "suppressed": [%s], "incomplete": [%s]}' "$1" "$2" "$3" >scan.json; }
	high='{"class": "vulnerability", "id": "CVE-2023-1", "severity": "high", "state": "affected"}'
	nist() { "$BULKHEAD" comply nist-800-190 --control 4.1.1 --report scan.json "$@" | sed -n 3,4p; }
	report "$high" "" ""
	[[ $(nist) == "FAIL "*"CVE-2023-1"* ]]
	[[ $(nist --vulnerabilities critical) == "PASS "* ]]
	report "" "" ""
	[[ $(nist) == "PASS "* ]]
	report "" "" '{"what": "layer", "reason": "x"}'
	[[ $(nist) == "UNCHECKED "* ]]
	report "$high" "" ""
	printf 'exceptions:\n- {id: CVE-2023-1, reason: because, owner: team, expires: 2099-12-31}\n' >bulkhead.yaml
	[[ $(nist) == "EXEMPT "*"because"* ]]
}

@test "k3s: what it gives its components, what its unit and its files add" {
	mkdir -p node/etc/systemd/system node/etc/rancher/k3s/config.yaml.d node/var/lib/rancher/k3s/server/tls node/var/lib/rancher/k3s/agent/etc/kubelet.conf.d
	printf "[Service]\nExecStart=/usr/local/bin/k3s \\\\\n    server \\\\\n\t'--kube-apiserver-arg=audit-log-maxage=30' \\\\\n\t'--kube-scheduler-arg' 'bind-address=0.0.0.0'\n" >node/etc/systemd/system/k3s.service
	[ "$(verdict 1.2.1 --root node)" = "pass --anonymous-auth is false" ]
	[ "$(verdict 1.2.17 --root node)" = "pass --audit-log-maxage is 30" ]
	[ "$(verdict 1.4.2 --root node)" = "fail --bind-address is 0.0.0.0" ]
	[ "$(verdict 1.2.18 --root node)" = "fail --audit-log-maxbackup is not set; the default is 0" ]
	[[ $(verdict 1.2.27 --root node) == "fail "* ]]
	printf 'secrets-encryption: true\nkube-apiserver-arg:\n- audit-log-maxbackup=5\nprotect-kernel-defaults: true\n' >node/etc/rancher/k3s/config.yaml
	[ "$(verdict 1.2.18 --root node)" = "fail --audit-log-maxbackup is 5" ]
	[[ $(verdict 1.2.27 --root node) == "pass "* ]]
	printf 'kube-apiserver-arg+: audit-log-maxbackup=10\nkubelet-arg: ["pod-max-pids=100"]\n' >node/etc/rancher/k3s/config.yaml.d/10.yaml
	[ "$(verdict 1.2.18 --root node)" = "pass --audit-log-maxbackup is 10" ]
	[ "$(verdict 4.2.13 --root node)" = "pass --pod-max-pids is 100" ]
	[ "$(verdict 4.2.1 --root node)" = "fail --anonymous-auth is not set; the default is true" ]
	printf 'kind: KubeletConfiguration\nauthentication: {anonymous: {enabled: false}}\n' >node/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf
	[ "$(verdict 4.2.1 --root node)" = "pass authentication.anonymous.enabled is false" ]
	[ "$(verdict 2.1 --root node)" = "not-applicable this node has no etcd" ]
	mkdir -p node/var/lib/rancher/k3s/server/db/etcd
	printf 'client-transport-security:\n  cert-file: /a\n  key-file: /b\n' >node/var/lib/rancher/k3s/server/db/etcd/config
	[ "$(verdict 2.1 --root node)" = "pass client-transport-security.cert-file is /a" ]
}

@test "k3s without a unit: what it gives its components is known, the rest is not" {
	mkdir -p node/var/lib/rancher/k3s/server/tls node/var/lib/rancher/k3s/agent
	[ "$(verdict 1.2.1 --root node)" = "pass --anonymous-auth is false" ]
	[[ $(verdict 1.2.16 --root node) == "unchecked --audit-log-path is not set, and what it was started with is not known: "* ]]
	[ "$(verdict 4.2.1 --root node)" = "pass --anonymous-auth is false" ]
}

@test "an application's etcd is not the cluster's" {
	pod etcd --auto-tls=true
	sed -i 's/kube-system/shop/' node/etc/kubernetes/manifests/etcd.yaml
	[[ $(verdict 2.3 node/etc/kubernetes/manifests) == "unchecked nothing was given that tells it"* ]]
	sed -i 's/shop/kube-system/' node/etc/kubernetes/manifests/etcd.yaml
	[ "$(verdict 2.3 node/etc/kubernetes/manifests)" = "fail --auto-tls is true" ]
}

@test "RKE2: the kubelet, of which nothing else tells when it does not run" {
	mkdir -p node/usr/local/lib/systemd/system node/var/lib/rancher/rke2/agent/etc/kubelet.conf.d
	printf '[Service]\nExecStart=/usr/local/bin/rke2 agent\n' >node/usr/local/lib/systemd/system/rke2-agent.service
	printf 'kind: KubeletConfiguration\nseccompDefault: true\n' >node/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf
	[ "$(verdict 4.2.14 --root node)" = "pass seccompDefault is true" ]
	[ "$(verdict 1.2.1 --root node)" = "not-applicable this node has no kube-apiserver" ]
}

@test "EKS's node: configuration and drop-ins of its own" {
	mkdir -p node/etc/eks/kubelet node/etc/kubernetes/kubelet/config.json.d node/etc/systemd/system
	printf '[Service]\nEnvironmentFile=/etc/eks/kubelet/environment\nExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS\n' >node/etc/systemd/system/kubelet.service
	echo 'NODEADM_KUBELET_ARGS="--config=/etc/kubernetes/kubelet/config.json --config-dir=/etc/kubernetes/kubelet/config.json.d"' >node/etc/eks/kubelet/environment
	echo '{"kind": "KubeletConfiguration", "readOnlyPort": 0, "podPidsLimit": -1}' >node/etc/kubernetes/kubelet/config.json
	echo '{"kind": "KubeletConfiguration", "podPidsLimit": 1024}' >node/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf
	[ "$(verdict 4.2.4 --root node)" = "pass readOnlyPort is 0" ]
	[ "$(verdict 4.2.13 --root node)" = "pass podPidsLimit is 1024" ]
}

@test "namespaces to leave out, and what every API server makes itself" {
	cat >dump.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: kube-system}
spec: {hostPID: true, containers: [{name: a, image: a, command: [kube-apiserver, --profiling=false]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin, labels: {kubernetes.io/bootstrapping: rbac-defaults}}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
END
	[[ $(verdict 5.2.3 dump.yaml) == "fail "* ]]
	[[ $(verdict 5.2.3 dump.yaml --exclude-namespace kube-system,other) == "not-applicable nothing that it is about was given" ]]
	grep -q '"of_excluded_namespaces": 1, "made_by_api_server": 1' report.json
	[ "$(verdict 1.2.15 dump.yaml --exclude-namespace kube-system)" = "pass --profiling is false" ]
	[[ $(verdict 5.1.3 dump.yaml) == "not-applicable nothing that it is about was given" ]]
	sed -i 's/name: cluster-admin/name: mine/' dump.yaml
	[[ $(verdict 5.1.3 dump.yaml) == "fail "* ]]
	run -0 bulkhead comply cis-kubernetes --control 5.2.3 --exclude-namespace kube-system dump.yaml
	[[ $output == *"not counted: 1 object of namespaces that were left out (kube-system)"* ]]
}

own() { # LINE...: a framework of one's own; "|" stands for a tab
	printf '#name|acme\n#version|3\n#title|ACME <rules>\nid|title|how|checks|note\n' | tr '|' '\t' >own.tsv
	printf '%s\n' "$@" | tr '|' '\t' >>own.tsv
}

@test "roles that were not given are not roles that there are not" {
	pod kube-apiserver --authorization-mode=Node,RBAC
	[ "$(verdict 5.1.1 node/etc/kubernetes/manifests)" = "unchecked no roles and bindings were given" ]
	run -3 bulkhead comply nsa-kubernetes --control access/rbac node/etc/kubernetes/manifests
	[[ $output == *"UNCHECKED"* ]]
	printf 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a, namespace: b}\nrules: []\n' >role.yaml
	[ "$(verdict 5.1.1 node/etc/kubernetes/manifests role.yaml)" = "not-applicable nothing that it is about was given" ]
	run -0 bulkhead comply nsa-kubernetes --control access/rbac node/etc/kubernetes/manifests role.yaml
}

@test "a framework of one's own, with a policy of one's own" {
	pod kube-scheduler
	cat >policy.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: our-images}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}
  validations:
  - expression: object.spec.containers.all(c, c.image.startsWith('registry.acme/'))
    message: an image of somebody else
END
	own 'P/1|No privileged containers|decided|pss-privileged|' 'P/2|Images are ours|decided|policy:our-images|' 'P/3|Somebody is on call|manual||the roster'
	run -3 bulkhead comply ./own.tsv node/etc/kubernetes/manifests
	[[ $output == *"ACME <rules> 3"* ]]
	[[ $output == *"PASS       P/1 "* ]]
	[[ $output == *"UNCHECKED  P/2 "*"no policy of that name was given"* ]]
	[[ $output == *"Look at: the roster"* ]]
	run -1 bulkhead comply ./own.tsv --policy policy.yaml node/etc/kubernetes/manifests
	[[ $output == *"FAIL       P/2 "*"an image of somebody else"* ]]
	printf 'exceptions:\n- {id: "acme:P/3", reason: because, owner: team, expires: 2099-12-31}\n- {id: our-images, reason: because, owner: team, expires: 2099-12-31}\n' >bulkhead.yaml
	run -0 bulkhead comply own.tsv -p policy.yaml node/etc/kubernetes/manifests
	[[ $output == *"EXEMPT     P/2 "*"ATTESTED   P/3 "* ]]
	run -0 bulkhead comply own.tsv -p policy.yaml -f html node/etc/kubernetes/manifests
	[[ $output == *"<h1>ACME &lt;rules&gt; 3</h1>"* ]]
	run -0 bulkhead comply own.tsv -p policy.yaml -f oscal node/etc/kubernetes/manifests
	[[ $output == *'"acme-3_P_1"'* ]]
}

@test "a framework that is wrong is refused, with its line" {
	refused() {
		own "$1"
		run bulkhead comply ./own.tsv --root .
		fails 2 "own.tsv:5: $2"
	}
	refused 'P1|A|decided|pss-privilege|' "no check is called pss-privilege"
	refused 'P1|A|decided||' "a decided control has checks"
	refused 'P1|A|decided|pss-privileged|n' "a decided control has checks and no note"
	refused 'P1|A|finds|pss-privileged|' "a control that finds"
	refused 'P1|A|manual|pss-privileged|n' "a manual control"
	refused 'P1|A|maybe|pss-privileged|' "decided, finds or manual was expected, not maybe"
	refused 'P1|A|decided|pss-privileged' "five columns"
	refused '|A|manual||n' "a control without id"
	own 'P1|A|manual||n' 'P1|B|manual||n'
	run bulkhead comply ./own.tsv --root .
	fails 2 "own.tsv:6: a second control is called P1"
	own
	run bulkhead comply ./own.tsv --root .
	[ "$status" -eq 2 ]
	run bulkhead comply ./none.tsv --root .
	fails 2 "none.tsv"
}

@test "a record needs a daemon among the paths" {
	run bulkhead comply cis-docker --root . --record host.yaml
	fails 2 "name docker: or podman: among the paths"
	[ ! -e host.yaml ]
}
