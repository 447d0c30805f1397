#!/usr/bin/env bats
# harden.bats: targets from which no profile can be made, and small ones from which it can. Real services: tests/live/harden.py.
load common

# A root with a static program; corpus/harden has programs made by hand.
root() {
	mkdir -p root/bin root/etc
	cp "$BATS_TEST_DIRNAME/../corpus/harden/$1" root/bin/tool
	chmod 755 root/bin/tool
}

allowed() {
	python3 -c 'import json, sys; print(" ".join(sorted(n for s in json.load(open(sys.argv[1]))["syscalls"] if s["action"] == "SCMP_ACT_ALLOW" for n in s["names"])))' "$1/seccomp.json"
}

@test "a static program: its calls, those of the runtime, and no others" {
	root x86_64-static
	run bulkhead harden rootfs:root --program tool --profile out
	[ "$status" -eq 0 ]
	[[ $output == *"1 programs and 0 libraries"* ]]
	run allowed out
	[[ " $output " == *" getpid "* && " $output " == *" execve "* && " $output " != *" socket "* && " $output " != *" chmod "* ]]
	grep -q '^--user 65532:65532$' out/docker-run.txt
	grep -q '^--read-only$' out/docker-run.txt
	grep -q 'runAsNonRoot: true' out/securitycontext.yaml
	grep -q 'read_only: true' out/compose.yaml
}

@test "another architecture: its numbers, its names" {
	root aarch64-static
	run bulkhead harden rootfs:root --program /bin/tool --profile out
	[ "$status" -eq 0 ]
	grep -q SCMP_ARCH_AARCH64 out/seccomp.json
	grep -q 'getpid .*bin/tool' out/report.txt
}

@test "a call that can't be decided opens the default set, and says so" {
	root x86_64-wrapper
	printf '\x8b\x07\x0f\x05\xc3' >>root/bin/tool # mov (%rdi), %eax; syscall
	python3 - <<-'P'
		import struct
		b = bytearray(open("root/bin/tool", "rb").read())
		struct.pack_into("<QQ", b, 64 + 32, len(b), len(b))
		open("root/bin/tool", "wb").write(b)
	P
	run bulkhead harden rootfs:root --program tool --profile out
	[ "$status" -eq 3 ]
	[[ $output == *"could not be decided"* ]]
	grep -q 'could not decide at bin/tool+0x' out/report.txt
	run allowed out
	[[ " $output " == *" socket "* && " $output " != *" mount "* && " $output " != *" clone3 "* ]]
}

@test "a damaged program is told" {
	root x86_64-cut
	run bulkhead harden rootfs:root --program tool --profile out
	[ "$status" -eq 3 ]
	grep -q 'bin/tool: damaged' out/report.txt
}

@test "nothing to start, no such program, no binary, an architecture that is not analysed" {
	root x86_64-static
	run bulkhead harden rootfs:root --profile out
	fails 2 "name what runs in it with --program"
	run bulkhead harden rootfs:root --program other --profile out
	fails 2 "there is no such program"
	printf '#!/bin/none\n' >root/bin/script
	chmod 755 root/bin/script
	run bulkhead harden rootfs:root --program script --profile out
	fails 2 "nothing to analyse"
	cp "$BATS_TEST_DIRNAME/../corpus/harden/other-machine" root/bin/odd
	chmod 755 root/bin/odd
	run bulkhead harden rootfs:root --program odd --profile out
	fails 2 "nothing to analyse"
	[ ! -e out ]
}

@test "options that make no sense" {
	root x86_64-static
	run bulkhead harden rootfs:root --program tool
	fails 2 "--profile DIR"
	run bulkhead harden rootfs:root --program tool --profile out --allow nosuchcall
	fails 2 "no system call"
	run bulkhead harden rootfs:root --program tool --profile out --user nobody
	fails 2 "neither a number nor"
}

@test "user and calls that are asked for" {
	root x86_64-static
	echo 'svc:x:77:78::/:/bin/none' >root/etc/passwd
	run bulkhead harden rootfs:root --program tool --profile out --user svc --allow socket,bpf --pids 9 --memory 64M
	[ "$status" -eq 0 ]
	run allowed out
	[[ " $output " == *" bpf "* && " $output " == *" socket "* ]]
	grep -q '^--user 77:78$' out/docker-run.txt
	grep -q '^--pids-limit 9$' out/docker-run.txt
	grep -q '^--memory 64m$' out/docker-run.txt
}

@test "an image's own command, user, volumes and ports" {
	root x86_64-static
	tar -C root -cf layer.tar .
	python3 - <<-'P'
		import hashlib, json, os
		os.makedirs("image/blobs/sha256")
		def put(data):
		    digest = hashlib.sha256(data).hexdigest()
		    open("image/blobs/sha256/" + digest, "wb").write(data)
		    return {"digest": "sha256:" + digest, "size": len(data)}
		layer = put(open("layer.tar", "rb").read())
		config = put(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}, "config": {
		    "Entrypoint": ["/bin/tool"], "User": "1000:2000", "Volumes": {"/data": {}}, "ExposedPorts": {"8080/tcp": {}}}}).encode())
		manifest = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
		    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer}]}).encode())
		open("image/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
		json.dump({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}]}, open("image/index.json", "w"))
	P
	run bulkhead harden oci:image --platform linux/amd64 --profile out
	[ "$status" -eq 0 ]
	grep -q '^--user 1000:2000$' out/docker-run.txt
	grep -q '^--volume data1:/data$' out/docker-run.txt
	! grep -q sysctl out/docker-run.txt
	grep -q "the image's entry point" out/report.txt
}

@test "no shell words or YAML come out of an image's paths" {
	root x86_64-static
	mkdir -p "root/var/lib/it's; rm -rf"
	chown 77:77 "root/var/lib/it's; rm -rf" 2>/dev/null || skip "not root"
	run bulkhead harden rootfs:root --program tool --profile out --user 77
	[ "$status" -eq 0 ]
	run python3 -c 'import shlex; print([w for w in shlex.split(open("out/docker-run.txt").read()) if "rm" in w])'
	[[ $output == *"data1:/var/lib/it's; rm -rf"* ]]
	python3 -c 'import yaml; d = yaml.safe_load(open("out/compose.yaml")); assert d["services"]["app"]["volumes"][0]["target"] == "/var/lib/it'"'"'s; rm -rf", d; yaml.safe_load(open("out/securitycontext.yaml"))'
}
