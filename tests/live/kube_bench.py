#!/usr/bin/env python3
"""Compare the verdicts of `bulkhead comply cis-kubernetes` with kube-bench's on the same nodes.

usage: kube_bench.py BULKHEAD

kube-bench runs the checks of its own published configuration, cis-1.11: for sections 1, 2 and 4 its ids are those of 1.12 (which dropped 4.2.15). It looks at
processes and fixed paths, so its commands are pointed at a list of processes and the folder of each node. Nodes: one that complies, kubeadm's, and those with
each change of tests/cli/comply_node.py, three on a node. Where both decide they must agree; what they see differently on purpose stands in DIFFERENT with its reason.
Exit code 77: no go command, no module, or not root (whose files are root's)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
import comply_node  # noqa: E402

ORACLE, KUBEADM = HERE / "oracles/kube_bench", HERE.parent / "corpus/kubeadm"
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")) / "kube-bench"
VERSION = "v0.14.0"
TOGETHER = 3

# control -> why kube-bench may say something else.
DIFFERENT = {
    "1.1.9": "it looks where --cni-conf-dir says, a flag that is no more",
    "1.1.10": "it looks where --cni-conf-dir says, a flag that is no more",
    "1.1.12": "its stat prints the names of this machine, the node has its own user etcd",
    "1.2.20": "it leaves it to people",
    "1.2.28": "it looks at the first provider of the file, whatever it is for",
    "1.3.7": "it passes without --bind-address, whose default is 0.0.0.0",
    "1.4.2": "it passes without --bind-address, whose default is 0.0.0.0",
    "1.3.1": "it wants the flag; the default of 12500 clears pods away too, and 0 does not",
    "2.7": "it has no authority to compare with",
    "4.1.7": "it does not read the kubelet's configuration for the file",
    "4.1.8": "it does not read the kubelet's configuration for the file",
    "4.2.5": "it takes 0s for something else than 0",
    "4.2.8": "it takes a negative rate for a missing one",
    "4.2.9": "it does not know serverTLSBootstrap",
    "4.2.10": "it passes without rotateCertificates, whose default is false",
    "4.2.12": "its path to tlsCipherSuites finds nothing",
    "4.2.13": "it wants the setting; -1, which is no limit, is enough for it",
    "4.2.14": "it wants the setting; false is enough for it",
    "4.3.1": "it looks for kube-proxy's settings in its credentials",
}


def skip(why):
    print(why)
    sys.exit(77)


def go(*command):
    try:
        r = subprocess.run(["go", *command], cwd=CACHE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError as e:
        skip(f"no go command here: {e}")
    if r.returncode:
        skip(f"go {' '.join(command)}: {r.stdout.decode()[-500:]}")
    return r.stdout.decode()


def build():
    """The program and the folder of kube-bench's configuration. Its own go.sum vouches for what it needs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("main.go", "go.mod", "go.sum"):
        shutil.copy(ORACLE / name, CACHE)
    module = pathlib.Path(re.search(r'"Dir": "(.*)"', go("mod", "download", "-json", f"github.com/aquasecurity/kube-bench@{VERSION}")).group(1))
    with open(CACHE / "go.sum", "ab") as f:
        f.write((module / "go.sum").read_bytes())
    requires = (module / "go.mod").read_text()
    (CACHE / "go.mod").write_text(re.sub(r"^module .*", f"module kube_bench\n\nrequire github.com/aquasecurity/kube-bench {VERSION}", requires, flags=re.M))
    go("build", "-mod=mod", "-p", "2", "-o", "oracle", ".")
    return CACHE / "oracle", module / "cfg/cis-1.11"


def processes(root, flags):
    """What ps would show; etcd alone in a list of its own, as kube-bench looks for the word."""
    lines = {p: f"root 1 0 0 00:00 ? 00:00:01 {p} " + " ".join(f"--{k}={v}" for k, v in f.items()) for p, f in flags.items()}
    (root / "ps").write_text("\n".join(v for k, v in lines.items() if k != "etcd") + "\n")
    for program in ("etcd", "kubelet", "kube-proxy"):
        (root / f"ps-{program}").write_text(lines.get(program, "") + "\n")


def point_at(text, root, is_etcd):
    """kube-bench's commands, at the node in a folder."""
    text = re.sub(r"(/bin/)?ps -fC \$(\w+)bin", r"cat @ROOT/ps-$\2bin", text)
    text = re.sub(r"(/bin/)?ps -ef", "cat @ROOT/ps-etcd" if is_etcd else "cat @ROOT/ps", text)
    for name, value in {
            "apiserverbin": "kube-apiserver", "controllermanagerbin": "kube-controller-manager", "schedulerbin": "kube-scheduler", "etcdbin": "etcd",
            "kubeletbin": "kubelet", "proxybin": "kube-proxy", "apiserverconf": "@ROOT/etc/kubernetes/manifests/kube-apiserver.yaml",
            "controllermanagerconf": "@ROOT/etc/kubernetes/manifests/kube-controller-manager.yaml", "schedulerconf": "@ROOT/etc/kubernetes/manifests/kube-scheduler.yaml",
            "etcdconf": "@ROOT/etc/kubernetes/manifests/etcd.yaml", "schedulerkubeconfig": "@ROOT/etc/kubernetes/scheduler.conf",
            "controllermanagerkubeconfig": "@ROOT/etc/kubernetes/controller-manager.conf", "etcddatadir": "@ROOT/var/lib/etcd",
            "kubeletsvc": "@ROOT/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "kubeletconf": "@ROOT/var/lib/kubelet/config.yaml",
            "kubeletkubeconfig": "@ROOT/etc/kubernetes/kubelet.conf", "proxykubeconfig": "@ROOT/etc/kubernetes/proxy.conf",
            "kubeletcafile": "@ROOT/etc/kubernetes/pki/ca.crt"}.items():
        text = re.sub(rf"\${name}\b", value, text)
    text = re.sub(r"(?<![\w@T])/etc/(kubernetes|cni)/", r"@ROOT/etc/\1/", text)
    return text.replace("/var/lib/cni/", "@ROOT/var/lib/cni/").replace("@ROOT", str(root))


def ask_kube_bench(program, config, root):
    files = []
    for name in ("master", "node", "etcd"):
        files.append(root / f"kube-bench-{name}.yaml")
        files[-1].write_text(point_at((config / f"{name}.yaml").read_text(), root, name == "etcd"))
    r = subprocess.run([program, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if r.returncode:
        sys.exit(r.stderr.decode())
    return dict(line.split() for line in r.stdout.decode().splitlines())


def ask_bulkhead(program, root):
    import json
    r = subprocess.run([program, "comply", "cis-kubernetes", "-f", "json", "--control", "1.*,2.*,4.*", "--root", root], stdout=subprocess.PIPE, check=False)
    return {c["id"]: c["verdict"] for c in json.loads(r.stdout)["controls"]}


def compare(name, theirs, ours, counts):
    wrong = [f"{name}: {control}: only one of us has it" for control in set(theirs) ^ set(ours) if control != "4.2.15"]
    for control, verdict in ours.items():
        state = theirs.get(control)
        if verdict not in ("pass", "fail") or state is None:
            continue
        same = (state == "PASS") == (verdict == "pass")
        counts["same" if same else "known" if control in DIFFERENT else "wrong"] += 1
        if not same and control not in DIFFERENT:
            wrong.append(f"{name}: {control}: kube-bench {state}, bulkhead {verdict}")
    return wrong


def kubeadm_flags(root):
    flags = {"kubelet": dict(kubeconfig="/etc/kubernetes/kubelet.conf", config="/var/lib/kubelet/config.yaml")}
    for path in (root / "etc/kubernetes/manifests").glob("*.yaml"):
        words = re.findall(r"^    - (?:--)?(\S+)$", path.read_text(), flags=re.M)
        flags[path.stem] = dict(w.split("=", 1) for w in words if "=" in w)
    return flags


def main():
    if os.geteuid():
        skip("the files of a node are root's, and only root gives files away")
    program, config = build()
    counts, wrong = {"same": 0, "known": 0, "wrong": 0}, []
    singles = [(f"{check} {i}", c) for check, all_ in comply_node.BREAKS.items() for i, c in enumerate(all_)]
    # Three on each node, of settings that stand far from one another: kube-bench needs half a second for a node.
    part = -(-len(singles) // TOGETHER)
    changes = [("a node that complies", [])] + [(" and ".join(name for name, _ in some), [c for _, c in some]) for some in (singles[i::part] for i in range(part))]
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, some) in enumerate(changes):
            node, root = comply_node.Node(), pathlib.Path(scratch) / str(number)
            root.mkdir()
            for change in some:
                change(node)
            node.write(root)
            processes(root, node.flags)
            wrong += compare(name, ask_kube_bench(program, config, root), ask_bulkhead(sys.argv[1], root), counts)
        root = pathlib.Path(scratch) / "kubeadm"
        shutil.copytree(KUBEADM, root)
        processes(root, kubeadm_flags(root))
        wrong += compare("kubeadm", ask_kube_bench(program, config, root), ask_bulkhead(sys.argv[1], root), counts)
    print("\n".join(wrong[:40]))
    print(f"{len(changes) + 1} nodes with {len(singles)} changes: {counts['same']} verdicts alike, {counts['known']} unlike for a known reason, {counts['wrong']} unlike")
    return 1 if wrong or counts["same"] < 5000 else 0


sys.exit(main())
