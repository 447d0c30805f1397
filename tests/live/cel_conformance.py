#!/usr/bin/env python3
"""Compare policy/cel with the conformance suite of the CEL specification.

usage: cel_conformance.py CEL-PROBE [--list] [--only TEXT]

The suite is the npm package @bufbuild/cel-spec: cel-spec's own tests, and those of cel-go's parser, checker and macros, each with what
cel-go makes of it: the tree, the tree with types and overloads, the type, the value or that it is an error. A case that needs protobuf messages
other than those that JSON maps to is left out and counted; every other must agree. Exit code 77: no npm here.
"""
import argparse
import base64
import json
import os
import re
import subprocess
import sys
import unicodedata

PACKAGE = "@bufbuild/cel-spec"
VERSION = "0.6.1"
CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")

# Messages, enumerations and extensions of the test protos: not offered (README of policy/cel says so).
PROTOBUF = re.compile(r"TestAllTypes|cel\.expr\.conformance\.proto|google\.expr\.proto|GlobalEnum|NestedEnum|google\.protobuf\.(Any|Empty|FieldMask)"
                      r"|objectValue|messageType|\"enumValue\"|TestRequired")

# Where we differ on purpose: name or expression of the case, and why.
DIFFERS = {
    ("conformance/optionals/optionals/none_optMap_hasValue", "types"): "the target of optMap is checked once, cel-go checks two copies",
}

# The one case that switches comparisons across kinds of numbers on.
CROSS_TYPE = {"lists.filter(x, x > 1.5)"}

# What cel-go's checker tests declare by default (checker_test.go, testEnvs).
DEFAULTS = {"is": "string", "ii": "int", "iu": "uint", "iz": "bool", "ib": "bytes", "id": "double", "ix": "null"}
DEFAULT_FUNCTIONS = [["fg_s", "fg_s_0", "() -> string"], ["fi_s_s", "fi_s_s_0", "string.() -> string"]]


def suite():
    folder = os.path.join(CACHE, "cel-spec-" + VERSION)
    done = os.path.join(folder, "cases.json")
    if not os.path.exists(done):
        os.makedirs(folder, exist_ok=True)
        try:
            r = subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, f"{PACKAGE}@{VERSION}"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as e:
            print(f"no npm here: {e}")
            sys.exit(77)
        data = os.path.join(folder, "node_modules", PACKAGE, "dist/esm/testdata")
        if r.returncode or not os.path.isdir(data):
            print(f"{PACKAGE} can't be had: {r.stdout.decode()[-300:]}")
            sys.exit(77)
        script = """
            import {writeFileSync, renameSync} from 'fs';
            const out = [];
            const walk = (s, path) => {
                for (const t of s.tests ?? []) out.push({path: [...path, s.name].join('/'), ...t});
                for (const c of s.suites ?? []) walk(c, [...path, s.name]);
            };
            for (const f of ['conformance', 'parsing', 'comprehension', 'checking'])
                walk((await import(process.argv[1] + '/' + f + '.js')).tests, []);
            writeFileSync(process.argv[2] + '.tmp', JSON.stringify(out));
            renameSync(process.argv[2] + '.tmp', process.argv[2]);
        """
        subprocess.run(["node", "--input-type=module", "-e", script, data, done], check=True)
    with open(done, encoding="utf-8", errors="surrogatepass") as f:
        return json.load(f)


# ---- types and values of the suite to our text ----

PRIMITIVES = {"INT64": "int", "UINT64": "uint", "BOOL": "bool", "STRING": "string", "BYTES": "bytes", "DOUBLE": "double"}


def type_text(t):
    kind, v = next(iter(t.items()))
    if kind == "primitive":
        return PRIMITIVES[v]
    if kind == "wellKnown":
        return v.lower()
    if kind == "wrapper":
        return f"wrapper({PRIMITIVES[v]})"
    if kind == "listType":
        return f"list({type_text(v['elemType'])})" if v else "list(dyn)"
    if kind == "mapType":
        return f"map({type_text(v['keyType'])}, {type_text(v['valueType'])})" if v else "map(dyn, dyn)"
    if kind == "abstractType":
        params = v.get("parameterTypes", [])
        return v["name"] + (f"({', '.join(map(type_text, params))})" if params else "")
    if kind == "type":
        return f"type({type_text(v)})" if v else "type"
    if kind == "typeParam":
        return v
    return {"null": "null", "dyn": "dyn", "error": "error"}[kind]


def double(v):
    return float(v) if not isinstance(v, str) else float(v.replace("Infinity", "inf"))


def literal(v):
    """An expression with the value."""
    if not v:
        return "null"
    kind, x = next(iter(v.items()))
    if kind == "int64Value":
        return x if x != "-9223372036854775808" else "-9223372036854775808"
    if kind == "uint64Value":
        return x + "u"
    if kind == "doubleValue":
        return f"double('{x}')"
    if kind == "boolValue":
        return str(x).lower()
    if kind == "stringValue":
        return json.dumps(x)
    if kind == "bytesValue":
        return "b'" + "".join(f"\\x{b:02x}" for b in base64.b64decode(x)) + "'"
    if kind == "listValue":
        return "[" + ", ".join(literal(i) for i in x.get("values", [])) + "]"
    if kind == "mapValue":
        return "{" + ", ".join(f"{literal(e['key'])}: {literal(e['value'])}" for e in x.get("entries", [])) + "}"
    if kind == "typeValue":
        return x
    return "null"


TYPES = {"null": "null_type", "google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}


def expected(v):
    """The value as the probe prints it."""
    if not v:
        return None
    kind, x = next(iter(v.items()))
    if kind == "int64Value":
        return {"int": x}
    if kind == "uint64Value":
        return {"uint": x}
    if kind == "doubleValue":
        return {"double": double(x)}
    if kind == "boolValue":
        return x
    if kind == "stringValue":
        return x
    if kind == "bytesValue":
        return {"bytes": base64.b64decode(x).hex()}
    if kind == "listValue":
        return [expected(i) for i in x.get("values", [])]
    if kind == "mapValue":
        return {"map": [[expected(e["key"]), expected(e["value"])] for e in x.get("entries", [])]}
    if kind == "typeValue":
        return {"type": TYPES.get(x, x)}
    return None


def normal(v):
    """Comparable: maps in any order, doubles by value, NaN as itself, type names without parameters."""
    if isinstance(v, list):
        return [normal(i) for i in v]
    if isinstance(v, dict):
        kind, x = next(iter(v.items()))
        if kind == "double":
            d = float(x)
            return ("double", "nan" if d != d else repr(d or 0.0))
        if kind == "map":
            return ("map", sorted((repr(normal(k)), normal(w)) for k, w in x))
        if kind == "type":
            name = re.sub(r"\(.*", "", x)
            return ("type", TYPES.get(name, name))
        if kind == "optional":
            return ("optional", [normal(i) for i in x])
        return (kind, x if not isinstance(x, list) else tuple(x))
    return ("plain", type(v).__name__, v)


# ---- trees as cel-go prints them ----

ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def is_printable(c):
    return c == " " or unicodedata.category(c)[0] in "LNSP" or unicodedata.category(c) == "Cs"


def quote_text(s):
    out = ""
    for i, c in enumerate(s):
        if ord(c) in ESCAPES:
            out += ESCAPES[ord(c)]
        elif is_printable(c) or (i and unicodedata.combining(c) and len(unicodedata.normalize("NFC", s[i - 1] + c)) == 1):
            out += c
        elif ord(c) < 0x80:
            out += f"\\x{ord(c):02x}"
        else:
            out += f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
    return '"' + out + '"'


def quote_bytes(b):
    out, i = "", 0
    while i < len(b):
        for n in (1, 2, 3, 4):
            try:
                c = b[i:i + n].decode()
            except UnicodeDecodeError:
                continue
            break
        else:
            c = ""
        if len(c) == 1 and c != "\ufffd" and is_printable(c) and ord(c) < 0x10000 and ord(c) not in ESCAPES:
            out += c
            i += n
        else:
            out += ESCAPES.get(b[i], f"\\x{b[i]:02x}")
            i += 1
    return 'b"' + out + '"'


def const_text(v):
    if v is None:
        return "null", "Null"
    if isinstance(v, bool):
        return str(v).lower(), "Bool"
    if isinstance(v, str):
        return quote_text(v), "String"
    kind, x = next(iter(v.items()))
    if kind == "int":
        return x, "Int64"
    if kind == "uint":
        return x + "u", "Uint64"
    if kind == "bytes":
        return quote_bytes(bytes.fromhex(x)), "Bytes"
    d = float(x)
    if abs(d) < 1e6:
        text = repr(d)
        text = text[:-2] if text.endswith(".0") else text
    else:
        text = repr(d)
        mantissa, exponent = f"{d:e}".split("e")
        for digits in range(17):
            text = f"{d:.{digits}e}"
            if float(text) == d:
                break
    return re.sub(r"e([+-])(\d)$", r"e\g<1>0\2", text), "Double"


NODES = {"ident": "IdentExpr", "select": "SelectExpr", "call": "CallExpr", "list": "ListExpr", "map": "StructExpr", "record": "StructExpr",
         "fold": "ComprehensionExpr"}


class Writer:
    """toDebugString of the package, over the probe's tree. checked: types and references behind the nodes, else the kinds of nodes."""

    def __init__(self, checked):
        self.checked, self.out, self.indent, self.fresh = checked, "", 0, True

    def put(self, s):
        if self.fresh:
            self.fresh = False
            self.out += "  " * self.indent
        self.out += s

    def line(self):
        self.out += "\n"
        self.fresh = True

    def adorn(self, e):
        if not self.checked:
            kind = const_text(e["value"])[1] if e["kind"] == "const" else None
            self.put(f"^#*expr.Constant_{kind}Value#" if kind else f"^#*expr.Expr_{NODES[e['kind']]}#")
            return
        self.put("~" + e["type"])
        if e.get("ids"):
            self.put("^" + "|".join(sorted(e["ids"])))
        elif e["kind"] in ("ident", "record", "select") and e.get("name"):
            self.put("^" + e["name"])

    def items(self, items):
        for i, put in enumerate(items):
            if i:
                self.put(",")
                self.line()
            put()
        self.indent -= 1
        self.line()

    def node(self, e):
        getattr(self, e["kind"])(e)
        self.adorn(e)

    def const(self, e):
        self.put(const_text(e["value"])[0])

    def ident(self, e):
        self.put(e["name"] if self.checked and e.get("name") else e["ident"])

    def select(self, e):
        if self.checked and e.get("name"):
            self.put(e["name"])
            return
        self.node(e["operand"])
        self.put("." + e["field"] + ("~test-only~" if e["test"] else ""))

    def call(self, e):
        name = e["function"]
        if self.checked and (e.get("namespaced") or "target" not in e):
            name = e.get("name", name)
        elif "target" in e:
            self.node(e["target"])
            self.put(".")
        self.put(name + "(")
        if e["args"]:
            self.indent += 1
            self.line()
            self.items([lambda a=a: self.node(a) for a in e["args"]])
        self.put(")")

    def list(self, e):
        self.put("[")
        if e["items"]:
            self.line()
            self.indent += 1
            self.items([lambda a=a: self.node(a) for a in e["items"]])
        self.put("]")

    def pair(self, p):
        self.put("?" if p["optional"] else "")
        if "key" in p:
            self.node(p["key"])
        else:
            self.put(p["field"])
        self.put(":")
        self.node(p["value"])
        if not self.checked:
            self.put("^#*expr.Expr_CreateStruct_Entry#")

    def pairs(self, e, name):
        self.put(name + "{")
        if e["pairs"]:
            self.line()
            self.indent += 1
            self.items([lambda p=p: self.pair(p) for p in e["pairs"]])
        self.put("}")

    def map(self, e):
        self.pairs(e, "")

    def record(self, e):
        self.pairs(e, e["name"] if self.checked and e.get("name") else e["record"])

    def fold(self, e):
        self.put("__comprehension__(")
        self.indent += 1
        self.line()
        parts = (("Variable", "iter"), ("Target", "range"), ("Accumulator", "accu"), ("Init", "init"), ("LoopCondition", "condition"),
                 ("LoopStep", "step"), ("Result", "result"))
        for title, key in parts:
            self.put("// " + title)
            self.line()
            if isinstance(e[key], str):
                self.put(e[key])
            else:
                self.node(e[key])
            if key != "result":
                self.put(",")
                self.line()
        self.put(")")
        self.indent -= 1


def tree_text(tree, checked):
    w = Writer(checked)
    w.node(tree)
    return w.out


# ---- the comparison ----


class Probe:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the probe died on {request}")
        return json.loads(line)


def request_of(t):
    o = t["original"]
    variables, functions = [], []
    for d in o.get("typeEnv", []):
        if "ident" in d:
            variables.append([d["name"], type_text(d["ident"]["type"])])
        for f in d.get("function", {}).get("overloads", []):
            params = [type_text(p) for p in f.get("params", [])]
            result = type_text(f["resultType"])
            signature = f"{params[0]}.({', '.join(params[1:])}) -> {result}" if f.get("isInstanceFunction") else f"({', '.join(params)}) -> {result}"
            functions.append([d["name"], f["overloadId"], signature])
    if t["path"] == "checking":
        variables += [[k, v] for k, v in DEFAULTS.items()]
        functions += DEFAULT_FUNCTIONS
    declared = {v[0] for v in variables}
    bindings = [[k, literal(v.get("value"))] for k, v in o.get("bindings", {}).items()]
    variables += [[k, "dyn"] for k, _ in bindings if k not in declared]
    return {"expr": o["expr"], "container": o.get("container", ""), "variables": variables, "functions": functions, "bindings": bindings,
            "check": not o.get("disableCheck", False), "without": "" if o["expr"] in CROSS_TYPE else "cross_type"}


def judge_value(o, answer):
    if "evalError" in o:
        return None if "error" in answer or "issues" in answer else f"an error was expected, not {answer.get('value')}"
    if "issues" in answer:
        return "does not compile: " + answer["issues"]
    if "error" in answer:
        return "error: " + answer["error"]
    want = o.get("value", o.get("typedResult", {}).get("result", {"boolValue": True}))
    if normal(answer["value"]) != normal(expected(want)):
        return f"{answer['value']} instead of {expected(want)}"
    return None


def judge(t, probe):
    """[(what is compared, complaint or None)]"""
    o, found = t["original"], []
    request = request_of(t)
    is_conformance = t["path"].startswith("conformance/")
    is_evaluated = (is_conformance and not o.get("checkOnly")) or (t["path"] == "comprehensions" and "issues" not in t)
    answer = probe.ask(**request, evaluate=is_evaluated)
    if is_conformance and not o.get("checkOnly"):
        found.append(("value", judge_value(o, answer)))
    if "checkedAst" in t and request["check"]:
        if "issues" in answer:
            found.append(("types", "does not compile: " + answer["issues"]))
        else:
            mine = tree_text(answer["tree"], True)
            found.append(("types", None if mine == t["checkedAst"] else f"\n{mine}\n-- instead of\n{t['checkedAst']}"))
            found.append(("type", None if answer["type"] == t["type"] else f"{answer['type']} instead of {t['type']}"))
    if "ast" in t:
        parsed = probe.ask(expr=o["expr"], parse=True)
        if "issues" in parsed:
            found.append(("tree", "does not parse: " + parsed["issues"]))
        else:
            mine = tree_text(parsed["tree"], False)
            found.append(("tree", None if mine == t["ast"] else f"\n{mine}\n-- instead of\n{t['ast']}"))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("--list", action="store_true", help="every disagreement in full")
    parser.add_argument("--only", default="", help="cases whose path, name or expression has this text")
    options = parser.parse_args()
    probe = Probe(options.probe)
    cases = suite()
    score, left_out, bad = {}, 0, []
    for t in cases:
        o = t["original"]
        name = f"{t['path']}/{o.get('name', o['expr'].strip())}"
        if options.only and options.only not in name and options.only not in o["expr"]:
            continue
        if PROTOBUF.search(json.dumps(o)):
            left_out += 1
            continue
        for what, complaint in judge(t, probe):
            agree, all_ = score.get(what, (0, 0))
            score[what] = (agree + (complaint is None), all_ + 1)
            if complaint is not None and (name, what) not in DIFFERS:
                bad.append(f"{name} [{what}]: {o['expr']}\n    {complaint}")
    for b in bad:
        print(b if options.list else b[:400])
    for what, (agree, all_) in sorted(score.items()):
        print(f"{what}: {agree} of {all_} agree")
    print(f"{len(cases)} cases, {left_out} need protobuf messages and are left out, {len(bad)} disagreements")
    if not cases:
        raise SystemExit("no case at all")
    sys.exit(1 if bad else 0)


main()
