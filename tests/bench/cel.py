"""cel.py: CEL beside two evaluators in JavaScript, on the same expressions and the same pod, and the cost of the built-in admission policies."""
import json
import subprocess
import sys

PEERS = {"@bufbuild/cel": "0.4.0", "@marcbachmann/cel-js": "7.0.0"}
EXPRESSIONS = {
    "privilege escalation, 5 containers": "object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation)"
                                          " && c.securityContext.allowPrivilegeEscalation == false)",
    "select and compare": "object.metadata.name == 'web' && object.kind == 'Pod'",
    "arithmetic": "1 + 2 * 3 - 4 == 3 && 7 % 4 == 3",
    "map and in": "'c:1' in object.spec.containers.map(c, c.image)",
    "text": "object.spec.containers.exists(c, c.image.startsWith('e') && c.image.endsWith(':1'))",
}
SCRIPT = """
import { readFileSync } from 'fs';
const [name, expressions] = [process.argv[1], JSON.parse(process.argv[2])];
const names = ['a', 'b', 'c', 'd', 'e'];
const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { app: 'web' } }, spec: { containers:
    names.map(n => ({ name: n, image: n + ':1', securityContext: { allowPrivilegeEscalation: false } })) } };
const lib = await import(name);
let compile;
if (name === '@bufbuild/cel') {
    const env = lib.celEnv();
    compile = text => { const f = lib.plan(env, lib.parse(text)); return () => f({ object }); };
} else {
    const env = new lib.Environment({ unlistedVariablesAreDyn: true });
    compile = text => { const f = env.parse(text); return () => f({ object }); };
}
const out = {};
for (const [label, text] of Object.entries(expressions)) {
    try {
        const run = compile(text);
        if (run() !== true) throw new Error('not true: ' + run());
        for (let i = 0; i < 20000; i++) run();
        const n = 50000, began = process.hrtime.bigint();
        for (let i = 0; i < n; i++) run();
        out[label] = Number(process.hrtime.bigint() - began) / n;
    } catch (e) {
        console.error(name + ': ' + label + ': ' + e.message);
    }
}
console.log(JSON.stringify(out));
"""


def peers(cache):
    folder = cache / "cel-peers"
    if not (folder / "node_modules").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, *PEERS],
                       stdout=subprocess.DEVNULL, check=True)
    found = {}
    for name in PEERS:
        r = subprocess.run(["node", "--input-type=module", "-e", SCRIPT, name, json.dumps(EXPRESSIONS)], cwd=folder, stdout=subprocess.PIPE)
        found[name] = json.loads(r.stdout) if r.returncode == 0 and r.stdout else {}
    return found


def cel(root, cache, row):
    text = "".join(f"{label}\t{expr}\n" for label, expr in EXPRESSIONS.items())
    r = subprocess.run([root / "build/tests/bench/bench_cel"], input=text, stdout=subprocess.PIPE, check=True, text=True)
    lines = [line.split("\t") for line in r.stdout.splitlines()]
    try:
        beside = peers(cache)
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"cel: no peers here: {e}", file=sys.stderr)
        beside = {}
    for label, evaluated, compiled in (line for line in lines if line[0] != "review"):
        ours = float(evaluated)
        for name, times in beside.items():
            if label in times:
                row(f"CEL: {label}", f"{ours:.0f} ns", f"{name.split('/')[1]} {times[label]:.0f} ns", f"{times[label] / ours:.1f}x", "")
        if not beside:
            row(f"CEL: {label}", f"{ours:.0f} ns", "", "", "")
        row(f"CEL: compiling: {label}", f"{float(compiled) / 1e3:.1f} us", "", "", "")
    for _, n, median, high in (line for line in lines if line[0] == "review"):
        row(f"{n} policies on one pod, median", f"{float(median) / 1e3:.0f} us", f"p99 {float(high) / 1e3:.0f} us", f"{1e9 / float(median):,.0f}/s",
            "p99 <= 2 ms, >= 8,000 reviews/s on two cores")
