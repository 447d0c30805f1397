#!/usr/bin/env python3
"""licenses: do our SPDX expressions mean what npm's spdx-expression-parse and spdx-satisfies say?

usage: licenses.py LICENSE-PROBE [COUNT [SEED]]

Random expressions, good and broken, go to both parsers: accepted or not, and how they group. Then random pairs of expression and allow list go
to spdx-satisfies. The packages come from npm; without it the test is skipped."""
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile

PACKAGES = ["spdx-expression-parse@5.0.0", "spdx-satisfies@6.0.0", "spdx-license-ids@3.0.24", "spdx-ranges@2.1.1"]
SCRIPT = """
const parse = require('spdx-expression-parse'), satisfies = require('spdx-satisfies');
const show = n => n.left ? '(' + show(n.left) + ' ' + n.conjunction.toUpperCase() + ' ' + show(n.right) + ')'
                         : n.license + (n.plus ? '+' : '') + (n.exception ? ' WITH ' + n.exception : '');
const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const tree = s => { try { return show(parse(s)); } catch (e) { return '!'; } };
const fits = (s, l) => { try { return String(satisfies(s, l)); } catch (e) { return 'error ' + e.message; } };
console.log(JSON.stringify({ trees: input.texts.map(tree), fits: input.pairs.map(([s, l]) => fits(s, l)),
                             ids: require('spdx-license-ids'), ranges: require('spdx-ranges') }));
"""
OLD_GPL = re.compile(r"^(A?GPL|LGPL|GFDL)-[0-9.]+\+?$")


def leaf(rng, ids):
    text = rng.choice(ids)
    if rng.random() < 0.1 and not text.endswith(("-only", "-or-later")):
        text += "+"
    if rng.random() < 0.1:
        text += " WITH " + rng.choice(["Classpath-exception-2.0", "LLVM-exception", "GCC-exception-3.1"])
    return text


def expression(rng, ids, depth=0):
    if depth > 3 or rng.random() < 0.4:
        return leaf(rng, ids) if rng.random() > 0.05 else "LicenseRef-a.b-1"
    text = f"{expression(rng, ids, depth + 1)} {rng.choice(['AND', 'OR'])} {expression(rng, ids, depth + 1)}"
    return f"({text})" if rng.random() < 0.5 else text


def broken(rng, ids):
    text = expression(rng, ids)
    at = rng.randrange(len(text) + 1)
    return rng.choice([text[:at] + text[at + 1:], text[:at] + rng.choice("()+ x-") + text[at:], text[:at]])


def modern(tree):
    """Old names of the GPL family as ours become: GPL-2.0 -> GPL-2.0-only, GPL-2.0+ -> GPL-2.0-or-later."""
    return re.sub(r"\b((?:A?GPL|LGPL|GFDL)-[0-9]\.[0-9])(\+)?(?![-0-9.A-Za-z])", lambda m: m[1] + ("-or-later" if m[2] else "-only"), tree)


def ask_npm(folder, texts, pairs):
    answer = subprocess.run(["node", "-e", SCRIPT], cwd=folder, input=json.dumps({"texts": texts, "pairs": pairs}), capture_output=True, text=True)
    if answer.returncode:
        sys.exit(answer.stderr)
    return json.loads(answer.stdout)


def ask_us(probe, lines):
    return subprocess.run([probe], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()


def other_case(text, ids):
    """Identifiers in other letters than the list's: the specification takes them, npm doesn't."""
    small = {i.lower(): i for i in ids}
    return any(small.get(w.lower(), w) != w for w in re.findall(r"[A-Za-z0-9.-]+", text))


def flatten(ranges):
    return [i for r in ranges for e in r for i in (e if isinstance(e, list) else [e])]


def main():
    probe = sys.argv[1]
    count, seed = (int(argument) for argument in (sys.argv[2:] + ["4000", "1"][len(sys.argv) - 2:])[:2])
    if not shutil.which("npm"):
        print("SKIP: npm is not here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES], cwd=folder, capture_output=True).returncode:
            print("SKIP: the packages can't be installed from npm")
            return 77
        facts = ask_npm(folder, [], [])
        rng = random.Random(seed)
        ids = facts["ids"]
        # spdx-satisfies orders the versions of some families only; ours orders all, so the families it knows are asked about.
        known = [i for i in flatten(facts["ranges"]) if i in ids and "-or-later" not in i] + ["MIT", "ISC", "GPL-2.0-or-later", "LGPL-2.1-or-later", "GPL-3.0-or-later", "AGPL-3.0-or-later"]
        # Its endsWith() takes names of 8 and of 4 letters for "-or-later" and "-only" (indexOf gives -1, and so does the difference of lengths).
        known = [i for i in known if len(i) not in (8, 4) and not i.endswith("-exception")]
        texts = [expression(rng, ids) for _ in range(count)] + [broken(rng, ids) for _ in range(count)]
        # npm takes "ORMIT" for "OR MIT"; the specification wants a blank.
        texts = [t for t in texts if not re.search(r"(?<![A-Za-z0-9.-])(AND|OR|WITH)[A-Za-z0-9]", t)]
        pairs = []
        for _ in range(count):
            few = rng.sample(known, 8)
            pairs.append((expression(rng, few, 2), [leaf(rng, few) for _ in range(rng.randint(1, 4))]))
        theirs = ask_npm(folder, texts, pairs)
        trees = ask_us(probe, ["P " + t for t in texts])
        fits = ask_us(probe, ["S " + s + "\t" + ",".join(allowed) for s, allowed in pairs])
    bad = [f"{t!r}: {o} instead of {modern(h)}" for t, h, o in zip(texts, theirs["trees"], trees) if o != modern(h) and not (h == "!" and other_case(t, ids))]
    bad += [f"{s!r} in {a}: {o} instead of {h}" for (s, a), h, o in zip(pairs, theirs["fits"], fits) if not h.startswith("error") and o != h]
    print(f"seed {seed}: {len(texts)} expressions ({sum(t == '!' for t in trees)} refused), {len(pairs)} lists ({fits.count('true')} allow), {len(bad)} differences")
    print("\n".join(bad[:20]))
    return 1 if bad else 0


sys.exit(main())
