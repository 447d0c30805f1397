#!/usr/bin/env python3
"""guard_rules BULKHEAD [FALCO-RULES REFERENCE]: `bulkhead guard rules`. What is accepted and what is refused, where, and what rules become, in small files; with two more arguments
Falco's own files and a table of their rules' priorities, events and sizes that another program made of them (reference/runtime.md, section 2.5). Prints TAP."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
tap = Tap()

RULE = "- rule: R\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n"


def run(*args, text=None):
    return subprocess.run([BULKHEAD, "guard", "rules", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=text, encoding="utf-8")


def check(text):
    """(exit code, errors, warnings) as (line, column, text)."""
    done = run("check", "-f", "json", "-", text=text)
    if not done.stdout:
        return done.returncode, [(0, 0, done.stderr)], []
    problems = json.loads(done.stdout)["problems"]
    told = {kind: [(p.get("line"), p.get("column"), p["text"]) for p in problems if p["severity"] == kind] for kind in ("error", "warning")}
    return done.returncode, told["error"], told["warning"]


def explain(text, rule="R"):
    """The condition with lists and macros in place, on one line."""
    done = run("explain", rule, "-", text=text)
    condition = done.stdout.split("in place:\n\n")[-1]
    return re.sub(r"\s+", " ", condition).replace("( ", "(").replace(" )", ")").strip() if done.returncode == 0 else done.stderr


# (what it is, file, line and column of the error, a part of its text)
WRONG = [
    ("YAML", "- rule: [\n", None, None, "line 2"),
    ("no list", "rule: R\n", None, None, "a file of rules is a list"),
    ("an entry that is no mapping", "- R\n", 1, 3, "is a mapping"),
    ("a rule without output", "- rule: R\n  desc: d\n  condition: evt.num > 0\n  priority: info\n", 1, 9, "it has no 'output'"),
    ("an empty condition", "- rule: R\n  desc: d\n  condition: ''\n  output: o\n  priority: info\n", 3, 14, "'condition' is not a text"),
    ("a priority", RULE.format("evt.type=open").replace("INFO", "high"), 5, 13, "'high' is no priority"),
    ("enabled", RULE.format("evt.type=open") + "  enabled: perhaps\n", 6, 12, "neither true nor false"),
    ("tags", RULE.format("evt.type=open") + "  tags: a\n", 6, 9, "'tags' is not a list"),
    ("an action", RULE.format("evt.type=open") + "  action: explode\n", 6, 11, "is no action"),
    ("an unclosed parenthesis", RULE.format("evt.type=open and (proc.name=a"), 3, None, "'and', 'or' or ) is expected where the condition ends"),
    ("a second operator", RULE.format("evt.type=open proc.name=a"), 3, 28, "'and' or 'or' is expected, not 'proc.name'"),
    ("no operator", RULE.format("evt.type open"), 3, 23, "an operator"),
    ("an operator without a value", RULE.format("evt.type="), 3, None, "a text is expected where the condition ends"),
    ("not at the end", RULE.format("evt.type=open and not"), 3, 32, "is expected, not 'not'"),
    ("and twice", RULE.format("evt.type=open and and proc.name=a"), 3, 32, "is expected, not 'and'"),
    ("an unclosed text", RULE.format("evt.type=open and proc.name=\"a"), 3, 42, "begins with \" and does not end"),
    ("an escape", RULE.format("'evt.type=open and proc.name=\"a\\q\"'"), 3, 45, "a backslash stands in front of one of"),
    ("a text where a number has to be", RULE.format("evt.type=open and fd.num>=a"), 3, 40, "a number is expected, not 'a'"),
    ("two lines further", "- macro: m\n  condition: >\n    evt.type=open\n    and evt.foo=1\n" + RULE.format("m"), 4, 9, "there is no field 'evt.foo'"),
    ("a field", RULE.format("evt.type=open and proc.nam=a"), 3, 32, "there is no field 'proc.nam'; is 'proc.name' meant?"),
    ("a field's argument", RULE.format("evt.type=open and proc.name[1]=a"), 3, 32, "proc.name has no argument"),
    ("an argument that is missing", RULE.format("evt.type=open and container.mount.dest=a"), 3, 32, "wants an argument"),
    ("an argument that is no number", RULE.format("evt.type=open and proc.aname[x]=a"), 3, 32, "is a number"),
    ("evt.arg alone", RULE.format("evt.type=open and evt.arg=a"), 3, 32, "wants one argument"),
    ("a field of outputs", RULE.format("evt.type=open and evt.outputtime=a"), 3, 32, "in outputs only"),
    ("an event", RULE.format("evt.type=opne"), 3, 23, "there is no event 'opne'"),
    ("an event of a list", RULE.format("evt.type in (open, opne)"), 3, 33, "there is no event 'opne'"),
    ("a number", RULE.format("evt.type=open and fd.num=a"), 3, 39, "'a' is no number"),
    ("true or false", RULE.format("evt.type=open and fd.connected=yes"), 3, 45, "'yes' is no true or false"),
    ("an address", RULE.format("evt.type=open and fd.sip=1.2.3"), 3, 39, "'1.2.3' is no address"),
    ("a network", RULE.format("evt.type=open and fd.snet in (10.0.0.0/40)"), 3, 44, "is no network"),
    ("a port", RULE.format("evt.type=open and fd.sport=70000"), 3, 41, "is no port"),
    ("contains of a number", RULE.format("evt.type=open and fd.num contains 1"), 3, 32, "contains can't be used with fd.num"),
    ("bytes", RULE.format("evt.type=read and evt.buffer bcontains xy"), 3, 53, "pairs of hex digits"),
    ("bytes of a text", RULE.format("evt.type=read and proc.name bcontains 00"), 3, 32, "bcontains can't be used"),
    ("a regular expression", RULE.format("evt.type=open and fd.name regex 'a['"), 3, 46, "regular expression"),
    ("a transformer's arguments", RULE.format("evt.type=open and tolower(proc.name, proc.exe)=a"), 3, 32, "tolower has 1 arguments, not 2"),
    ("a field in a transformer", RULE.format("evt.type=open and tolower(proc.foo)=a"), 3, 40, "there is no field 'proc.foo'"),
    ("a field on the right", RULE.format("evt.type=open and proc.name=val(proc.foo)"), 3, 46, "there is no field 'proc.foo'"),
    ("a macro", RULE.format("evt.type=open and m"), 3, 32, "there is no macro 'm'"),
    ("a macro of itself", "- macro: m\n  condition: evt.type=open and m\n" + RULE.format("m"), 2, 32, "defined further below"),
    ("macros of each other", "- macro: a\n  condition: evt.type=open\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n" + RULE.format("a"), 4, 14, "refers to itself"),
    ("a macro defined later", "- macro: a\n  condition: b\n- macro: b\n  condition: evt.type=open\n" + RULE.format("a"), 2, 14, "is defined further below"),
    ("a macro's name", "- macro: a-b\n  condition: evt.num>0\n", 1, 10, "the name of a macro"),
    ("a list's name", "- list: a b\n  items: []\n", 1, 9, "the name of a list"),
    ("a list without items", "- list: a\n", 1, 9, "it has no 'items'"),
    ("a list of lists", "- list: a\n  items: [[b]]\n", 2, 11, "an entry that is not a text"),
    ("append to nothing", "- list: a\n  items: [b]\n  append: true\n", 1, 9, "was not defined before"),
    ("override of nothing", "- rule: R\n  condition: and evt.num>0\n  override: {condition: append}\n", 1, 9, "was not defined before"),
    ("override of what is not there", RULE.format("evt.type=open") + "- rule: R\n  override: {condition: append}\n", 7, 14, "but no 'condition'"),
    ("override and append", RULE.format("evt.type=open") + "- rule: R\n  condition: and evt.num>0\n  append: true\n  override: {condition: append}\n", 8, 11, "can't stand in one item"),
    ("a priority that is appended", RULE.format("evt.type=open") + "- rule: R\n  priority: info\n  override: {priority: append}\n", 8, 24, "can be replaced, not appended"),
    ("a key without override", RULE.format("evt.type=open") + "- rule: R\n  priority: info\n  desc: e\n  override: {priority: replace}\n", 8, 3, "'desc' has no entry in 'override'"),
    ("an unknown override", RULE.format("evt.type=open") + "- rule: R\n  priority: info\n  override: {priority: add}\n", 8, 24, "an override is 'append' or 'replace'"),
    ("exceptions without fields", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n", 7, 11, "has 'fields'"),
    ("values of another length", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n    values:\n    - [a]\n", 10, 7, "a list of 2"),
    ("operators of another length", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n    comps: [=]\n", 9, 12, "lists of the same length"),
    ("an operator of one field", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: proc.name\n    comps: =\n    values: [a]\n", 9, 12, "is in, pmatch or intersects"),
    ("a field of an exception", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.nam]\n    values:\n    - [a]\n", 8, 14, "there is no field 'proc.nam'"),
    ("a field of an output", RULE.format("evt.type=open").replace("output: o", "output: p=%proc.nam"), 4, 11, "output: there is no field 'proc.nam'"),
    ("a percent sign", RULE.format("evt.type=open").replace("output: o", "output: 100% sure"), 4, 11, "stands in front of a field"),
    ("a version", "- required_engine_version: 0.99.0\n", 1, 28, "the rules want the language of engine 0.99.0"),
    ("a version that is none", "- required_engine_version: new\n", 1, 28, "is no version"),
    ("a plug-in", "- required_plugin_versions:\n  - name: json\n    version: 0.7.0\n", 2, 5, "the plug-in json 0.7.0 is not here"),
]

RIGHT = [
    ("operators", " and ".join(["evt.type=open", "proc.name exists", "fd.num<=3", "fd.num < 0x10", "fd.num>=-1", "fd.num > 1", "proc.name==a", "proc.name!=b", "fd.name glob '/e*'", "fd.name iglob /E*", "fd.name contains x",
                               "fd.name icontains X", "fd.name startswith /", "fd.name endswith y", "fd.name regex '/a.*'", "proc.name in (a, \"b c\")", "proc.args intersects (a,b)", "fd.name pmatch (/etc, /usr/*/lib)"])),
    ("bytes", "evt.type=read and evt.buffer contains abc and evt.buffer bcontains 00ff and evt.buffer bstartswith 7f45"),
    ("quantifiers", "evt.type=open and fd.name startswith oneof (/a, /b) and proc.name contains anyof (x) and proc.name endswith allof (y,z)"),
    ("a text that looks like a quantifier", "evt.type=open and proc.name = oneof"),
    ("transformers", "evt.type=open and tolower(proc.name)=a and len(proc.args)>3 and basename(fd.name)=x and toupper(tolower(proc.name))=A and concat(proc.name, \"-\", fd.name)=a-b and join(\",\", (proc.name, fd.name)) contains x"),
    ("fields on the right", "evt.type=open and proc.name=val(proc.pname) and proc.exe in val(proc.aexe[2]) and proc.name=tolower(proc.pname)"),
    ("not", "evt.type=open and not not proc.name=a and not (proc.name=b) and not(proc.name=c)"),
    ("parentheses without blanks", "(evt.type=open)and(proc.name=a)or(evt.type=close)"),
    ("odd texts", "evt.type=open and proc.name in (runc:[0:PARENT], /proc/*/environ, <NA>, '\"a\"') and proc.env[LD_PRELOAD]=x and container.mount.dest['/run/a b']!=N/A"),
    ("networks, ports, addresses", "evt.type=connect and fd.snet in (\"10.0.0.0/8\", fe80::/10, 127.0.0.1) and fd.sport in (80, ssh) and fd.sip=::1 and fd.ip != 10.0.0.1"),
    ("events", "evt.type in (open, openat2, execve, umount, umount2, procexit, container, socketcall)"),
    ("our own fields", "evt.type=execve and proc.exe_class=new and proc.exe_sha256 exists and fd.path startswith /etc"),
]

# (what it is, file, the condition that comes of it)
BECOMES = [
    ("and binds tighter than or", RULE.format("evt.type=open or evt.type=close and evt.type=read"), "(evt.type = open or (evt.type = close and evt.type = read))"),
    ("an even number of nots", RULE.format("not not evt.type=open"), "evt.type = open"),
    ("not of not", RULE.format("not (not evt.type=open) and not (not not(proc.name=a))"), "(evt.type = open and not proc.name = a)"),
    ("a list", "- list: l\n  items: [a, b c, '\"d\"']\n" + RULE.format("evt.type=open and proc.name in (x, l, y)"), "(evt.type = open and proc.name in (x, a, \"b c\", d, y))"),
    ("an empty list at the end", "- list: l\n  items: []\n" + RULE.format("evt.type=open and proc.name in (x, l)"), "(evt.type = open and proc.name in (x))"),
    ("an empty list in front", "- list: l\n  items: []\n" + RULE.format("evt.type=open and proc.name in (l, x)"), "(evt.type = open and proc.name in (x))"),
    ("nothing but an empty list", "- list: l\n  items: []\n" + RULE.format("evt.type=open and proc.name in (l)"), "(evt.type = open and proc.name in ())"),
    ("a list in a list", "- list: a\n  items: [x]\n- list: b\n  items: [a, y]\n" + RULE.format("evt.type=open and proc.name in (b)"), "(evt.type = open and proc.name in (x, y))"),
    ("a list with a later one", "- list: a\n  items: [b, y]\n- list: b\n  items: [x]\n" + RULE.format("evt.type=open and proc.name in (a)"), "(evt.type = open and proc.name in (x, y))"),
    ("a list that names itself", "- list: a\n  items: [a, y]\n" + RULE.format("evt.type=open and proc.name in (a)"), "(evt.type = open and proc.name in (a, y))"),
    ("a list's name as a part of a word", "- list: etc\n  items: [x]\n" + RULE.format("evt.type=open and fd.name in (/etc, etc)"), "(evt.type = open and fd.name in (/etc, x))"),
    ("a list of one behind =", "- list: shell\n  items: [bash]\n" + RULE.format("evt.type=open and proc.name=shell"), "(evt.type = open and proc.name = bash)"),
    ("lists appended and replaced", "- list: a\n  items: [x]\n- list: a\n  items: [y]\n  override: {items: append}\n- list: b\n  items: [x]\n- list: b\n  items: [z]\n" + RULE.format("evt.type=open and proc.name in (a, b)"), "(evt.type = open and proc.name in (x, y, z))"),
    ("a macro", "- macro: m\n  condition: proc.name=a or proc.name=b\n" + RULE.format("evt.type=open and m"), "(evt.type = open and (proc.name = a or proc.name = b))"),
    ("a macro appended", "- macro: m\n  condition: proc.name=a\n- macro: m\n  condition: or proc.name=b\n  append: true\n" + RULE.format("evt.type=open and m"), "(evt.type = open and (proc.name = a or proc.name = b))"),
    ("a macro replaced behind its user", "- macro: m\n  condition: proc.name=a\n" + RULE.format("evt.type=open and m") + "- macro: m\n  condition: proc.name=b\n", "(evt.type = open and proc.name = b)"),
    ("a rule's condition appended", RULE.format("evt.type=open") + "- rule: R\n  condition: and proc.name=a\n  override: {condition: append}\n", "(evt.type = open and proc.name = a)"),
    ("a rule's condition replaced", RULE.format("evt.type=open") + "- rule: R\n  condition: evt.type=close\n  override: {condition: replace}\n", "evt.type = close"),
    ("a rule defined twice", RULE.format("evt.type=open") + RULE.format("evt.type=close"), "evt.type = close"),
    ("exceptions", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n    comps: [=, startswith]\n    values:\n    - [a, /x]\n    - ['b c', /y]\n",
     "(evt.type = open and not ((proc.name = a and fd.name startswith /x) or (proc.name = \"b c\" and fd.name startswith /y)))"),
    ("exceptions of one field", RULE.format("evt.type=open or evt.type=close") + "  exceptions:\n  - name: e\n    fields: proc.name\n    values: [a, b]\n", "((evt.type = open or evt.type = close) and not proc.name in (a, b))"),
    ("exceptions with lists", "- list: l\n  items: [x, y]\n" + RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n    comps: [in, in]\n    values:\n    - [l, [a, b]]\n",
     "(evt.type = open and not (proc.name in (x, y) and fd.name in (a, b)))"),
    ("exceptions without values", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: [proc.name]\n", "evt.type = open"),
    ("values of an exception appended", RULE.format("evt.type=open") + "  exceptions:\n  - name: e\n    fields: proc.name\n    values: [a]\n- rule: R\n  exceptions:\n  - name: e\n    values: [b]\n  override: {exceptions: append}\n",
     "(evt.type = open and not proc.name in (a, b))"),
    ("escapes", RULE.format("'evt.type=open and proc.name=\"a\\x41\\\"\\\\\"'"), "(evt.type = open and proc.name = \"aA\\\"\\\\\")"),
]

WARNS = [
    ("a key", RULE.format("evt.type=open") + "  colour: red\n", 6, "the key 'colour' is not known"),
    ("append", "- list: a\n  items: [x]\n- list: a\n  items: [y]\n  append: true\n" + RULE.format("evt.type=open and proc.name in (a)"), 5, "'append' is deprecated"),
    ("another source", RULE.format("evt.type=open") + "  source: k8s_audit\n", 6, "the source 'k8s_audit' is not here"),
    ("every event", RULE.format("proc.name=a"), 1, "looks at every kind of event"),
    ("no event", RULE.format("evt.type=open and evt.type=close"), 1, "no event can be"),
    ("no event, by De Morgan", RULE.format("not (evt.type!=open or evt.type=open)"), 1, "no event can be"),
    ("an unused macro", "- macro: m\n  condition: evt.num>0\n" + RULE.format("evt.type=open"), 1, "nobody uses the macro 'm'"),
    ("an unused list", "- list: l\n  items: []\n" + RULE.format("evt.type=open"), 1, "nobody uses the list 'l'"),
    ("an unknown field that may be", RULE.format("evt.type=open and proc.foo=a") + "  skip-if-unknown-filter: true\n", 3, "there is no field 'proc.foo'"),
    ("an unknown entry", "- thing: x\n" + RULE.format("evt.type=open"), 1, "is passed over"),
]

EVENTS = [
    ("evt.type in (open, openat) and proc.name=a", ["open", "openat"]), ("evt.type=open and evt.type=close", []), ("(evt.type=open and proc.name=a) or evt.type=close", ["close", "open"]),
    ("evt.type=open and not evt.type=open", []), ("not (not evt.type=open or proc.name=a)", ["open"]), ("evt.type=open and evt.num=0", []), ("evt.type=open or evt.num=0", ["open"]),
    ("evt.type=open and not evt.num=0", ["open"]), ("evt.type in (open, close) and evt.type!=close", ["open"]), ("syscall.type=open", ["open"]),
]


def check_tables():
    for what, text, line, column, said in WRONG:
        code, errors, _ = check(text)
        hit = [e for e in errors if said in e[2] and (line is None or e[0] == line) and (column is None or e[1] == column)]
        tap.ok(code == 1 and hit, f"refused: {what}", (code, errors))
    for what, condition in RIGHT:
        code, errors, _ = check(RULE.format("|\n    " + condition))
        tap.ok(code == 0 and not errors, f"taken: {what}", errors)
    for what, text, becomes in BECOMES:
        got = explain(text)
        tap.ok(got == becomes, f"becomes: {what}", got)
    for what, text, line, said in WARNS:
        code, errors, warnings = check(text)
        tap.ok(code == 0 and not errors and any(w[0] == line and said in w[2] for w in warnings), f"warns: {what}", (code, errors, warnings))
    for condition, events in EVENTS:
        done = run("list", "-f", "json", "-", text=RULE.format(condition))
        rule = json.loads(done.stdout)[0]
        tap.ok(sorted(rule["events"]) == events and not rule["all_events"], f"events of: {condition}", rule)


# (condition, event beside its type, is it true?); what is said of each operator stands in reference/runtime.md, section 2.2
TRUE = [
    ("proc.name=a", {"proc.name": "a"}, True), ("proc.name=a", {"proc.name": "A"}, False), ("proc.name=a", {}, False), ("proc.name!=a", {}, False), ("not proc.name=a", {}, True), ("not proc.name!=a", {}, True),
    ("proc.name exists", {}, False), ("proc.name exists", {"proc.name": ""}, True), ("proc.name exists", {"proc.name": None}, False), ("proc.args=\"\"", {"proc.args": ""}, True),
    ("proc.name in (a, b)", {"proc.name": "b"}, True), ("proc.name in ()", {"proc.name": "b"}, False), ("not proc.name in (a, b)", {}, True), ("proc.args intersects (-l, -V)", {"proc.args": "-V"}, True),
    ("fd.name contains tc", {"fd.name": "/etc"}, True), ("fd.name contains TC", {"fd.name": "/etc"}, False), ("fd.name icontains TC", {"fd.name": "/etc"}, True), ("fd.name contains \"\"", {"fd.name": "/etc"}, True),
    ("fd.name startswith /e", {"fd.name": "/etc"}, True), ("fd.name endswith tc", {"fd.name": "/etc"}, True), ("fd.name endswith /etcx", {"fd.name": "/etc"}, False),
    ("fd.name glob '/e*c'", {"fd.name": "/e/x/c"}, True), ("fd.name glob '/e?c'", {"fd.name": "/etc"}, True), ("fd.name glob '/e[a-s]c'", {"fd.name": "/etc"}, False), ("fd.name glob '/e[!a-s]c'", {"fd.name": "/etc"}, True),
    ("fd.name glob '/e*'", {"fd.name": "/E"}, False), ("fd.name iglob '/e*'", {"fd.name": "/E"}, True), ("fd.name glob '*a*b*c'", {"fd.name": "xaxxbxxbxc"}, True), ("fd.name glob '/etc'", {"fd.name": "/etc/"}, False),
    ("fd.name regex '/e.c'", {"fd.name": "/etc"}, True), ("fd.name regex '/e.'", {"fd.name": "/etc"}, False), ("fd.name regex 'a|b'", {"fd.name": "ab"}, False),
    ("fd.name pmatch (/var/run)", {"fd.name": "/var/run/x"}, True), ("fd.name pmatch (/var/run)", {"fd.name": "/var/run"}, True), ("fd.name pmatch (/var/run)", {"fd.name": "/var/runx"}, False),
    ("fd.name pmatch (/var/run/)", {"fd.name": "/var/run/x"}, True), ("fd.name pmatch (/usr/*/lib)", {"fd.name": "/usr/local/lib/x"}, True), ("fd.name pmatch (/usr/*/lib)", {"fd.name": "/usr/a/b/lib"}, False),
    ("fd.num>=10", {"fd.num": 9}, False), ("fd.num>=10", {"fd.num": 10}, True), ("fd.num<0x10", {"fd.num": 15}, True), ("fd.num=010", {"fd.num": 10}, True), ("evt.rawres < 0", {"evt.rawres": -2}, True),
    ("proc.pid.ts > 1700000000000000001", {"proc.pid.ts": 1700000000000000002}, True), ("proc.pid.ts > 1700000000000000001", {"proc.pid.ts": 1700000000000000001}, False), ("user.loginuid=-1", {"user.loginuid": -1}, True),
    ("fd.connected=true", {"fd.connected": True}, True), ("fd.connected=true", {"fd.connected": False}, False), ("fd.connected=false", {}, False),
    ("fd.ip=10.0.0.1", {"fd.cip": "10.0.0.2", "fd.sip": "10.0.0.1"}, True), ("fd.ip!=10.0.0.1", {"fd.cip": "10.0.0.2", "fd.sip": "10.0.0.1"}, False), ("fd.ip!=10.0.0.3", {"fd.cip": "10.0.0.2", "fd.sip": "10.0.0.1"}, True),
    ("fd.net=10.0.0.0/8", {"fd.cip": "192.0.2.1", "fd.sip": "10.9.9.9"}, True), ("fd.net!=127.0.0.0/8", {"fd.cip": "127.0.0.1", "fd.sip": "10.0.0.1"}, False), ("fd.snet in (10.0.0.0/8, fe80::/10)", {"fd.sip": "fe80::1"}, True),
    ("fd.snet in (10.0.0.0/9)", {"fd.sip": "10.128.0.1"}, False), ("fd.sip=::1", {"fd.sip": "0:0:0:0:0:0:0:1"}, True), ("fd.snet=0.0.0.0/0", {"fd.sip": "8.8.8.8"}, True), ("fd.snet=0.0.0.0/0", {"fd.sip": "::1"}, False),
    ("fd.port in (80)", {"fd.cport": 4000, "fd.sport": 80}, True), ("fd.port!=80", {"fd.cport": 4000, "fd.sport": 80}, False), ("fd.sport=80", {"fd.cport": 80, "fd.sport": 443}, False),
    ("proc.aname=sshd", {"proc.aname": ["cat", "bash", "sshd"]}, True), ("proc.aname=cat", {"proc.aname": ["cat", "bash", "sshd"]}, False), ("proc.aname[0]=cat", {"proc.aname": ["cat", "bash"]}, True),
    ("proc.aname[2]=sshd", {"proc.aname": ["cat", "bash", "sshd"]}, True), ("proc.aname[3]=sshd", {"proc.aname": ["cat", "bash", "sshd"]}, False), ("proc.pname=bash", {"proc.aname": ["cat", "bash"]}, True),
    ("proc.aname in (x, bash)", {"proc.aname": ["cat", "bash", "sshd"]}, True), ("not proc.aname=sshd", {"proc.aname": ["cat", "bash", "sshd"]}, False), ("proc.aname endswith sh", {"proc.aname": ["x", "bash"]}, True),
    ("fd.types in (file, pipe)", {"fd.types": ["file", "pipe"]}, True), ("fd.types in (file, pipe)", {"fd.types": ["file", "ipv4"]}, False), ("fd.types intersects (file, pipe)", {"fd.types": ["file", "ipv4"]}, True),
    ("proc.env[LD_PRELOAD] exists", {"proc.env": {"LD_PRELOAD": "/x"}}, True), ("proc.env[LD_PRELOAD]=/x", {"proc.env[LD_PRELOAD]": "/x"}, True), ("proc.env[PATH]=/x", {"proc.env": {"LD_PRELOAD": "/x"}}, False),
    ("evt.arg.flags contains O_CREAT", {"evt.arg.flags": "O_WRONLY|O_CREAT"}, True), ("evt.arg.flags contains O_CREAT", {"evt.arg": {"flags": "O_CREAT"}}, True), ("container.mount.dest[/proc*] exists", {"container.mount.dest": {"/proc*": "/x"}}, True),
    ("fd.directory=/etc and fd.filename=x", {"fd.name": "/etc/x"}, True), ("fd.directory=/", {"fd.name": "/x"}, True), ("evt.type.is.open=true and evt.type.is.close=false", {}, True),
    ("evt.buffer bcontains 00ff", {"evt.buffer": "a\u0000b"}, False), ("evt.buffer bcontains 6263", {"evt.buffer": "abcd"}, True), ("evt.buffer bstartswith 6162", {"evt.buffer": "abcd"}, True), ("evt.buffer bstartswith 6263", {"evt.buffer": "abcd"}, False),
    ("tolower(proc.name)=abc", {"proc.name": "AbC"}, True), ("toupper(proc.name)=ABC", {"proc.name": "abC"}, True), ("b64(proc.args) contains secret", {"proc.args": "dGhlIHNlY3JldA=="}, True), ("basename(proc.exe)=sh", {"proc.exe": "/bin/sh"}, True),
    ("len(proc.args)>3", {"proc.args": "abcd"}, True), ("len(fd.types)=2", {"fd.types": ["a", "b"]}, True), ("concat(proc.name, \"-\", proc.exe)=a-b", {"proc.name": "a", "proc.exe": "b"}, True), ("join(\":\", fd.types)=a:b", {"fd.types": ["a", "b"]}, True),
    ("getopt(proc.args, \"c:\")=x", {"proc.args": "-v -c x"}, True), ("getopt(proc.args, \"c:\")=x", {"proc.args": "-cx"}, True), ("getopt(proc.args, \"v\") exists", {"proc.args": "-x"}, False), ("tolower(proc.name)=a", {}, False),
    ("proc.name=val(proc.pname)", {"proc.name": "a", "proc.pname": "a"}, True), ("proc.name=val(proc.pname)", {"proc.name": "a"}, False), ("proc.exe endswith tolower(proc.name)", {"proc.exe": "/bin/sh", "proc.name": "SH"}, True),
    ("proc.args contains anyof (x, b)", {"proc.args": "abc"}, True), ("proc.args contains allof (a, x)", {"proc.args": "abc"}, False), ("proc.args contains allof (a, b)", {"proc.args": "abc"}, True), ("proc.args contains oneof (a, b)", {"proc.args": "abc"}, False),
    ("(proc.name=a or proc.name=b) and fd.num=1", {"proc.name": "b", "fd.num": 1}, True), ("proc.name=a or proc.name=b and fd.num=1", {"proc.name": "a"}, True), ("evt.num>0", {}, True),
]


def check_truth(top):
    events = top / "events"
    rules = top / "truth.yaml"
    for number, (condition, event, wanted) in enumerate(TRUE):
        rules.write_text(json.dumps([{"rule": "R", "desc": "d", "condition": "evt.type=open and (" + condition + ")", "output": "o", "priority": "INFO"}]))
        events.write_text(json.dumps({"evt.type": "open"} | event))
        done = run("test", "--events", str(events), str(rules))
        tap.ok(done.returncode == 0 and bool(done.stdout) == wanted, f"{'true' if wanted else 'false'}: {condition} {number}", (event, done.stdout, done.stderr))


def check_replay(top):
    rules = top / "replay.yaml"
    rules.write_text("- list: shells\n  items: [sh, bash]\n"
                     "- rule: First\n  desc: d\n  condition: evt.type=execve and proc.name in (shells)\n  output: \"shell %proc.name of %proc.pname, user %user.name %toupper(proc.name) %evt.arg[0]\"\n  priority: CRITICAL\n  tags: [a]\n  action: kill\n"
                     "- rule: Second\n  desc: d\n  condition: evt.type=execve\n  output: \"any\"\n  priority: INFO\n"
                     "- rule: Off\n  desc: d\n  condition: evt.type=execve\n  output: \"off\"\n  priority: INFO\n  enabled: false\n")
    events = top / "replay.jsonl"
    events.write_text('# recorded\n{"evt.type": "execve", "evt.time": "12:00:00.5", "proc.name": "sh\\u001b[31m", "proc.aname": ["sh", "nginx"]}\n\n{"expect": ["First"], "evt.type": "execve", "proc.name": "sh", "proc.aname": ["sh", "nginx"]}\n'
                      '{"expect": ["First"], "evt.type": "execve", "proc.name": "ls"}\n{"expect": [], "evt.type": "open"}\n')
    done = run("test", "--events", str(events), str(rules))
    tap.ok(done.returncode == 1 and done.stdout.splitlines() == ["12:00:00.5: Informational any [Second]", "00:00:00.000000000: Critical shell sh of nginx, user <NA> SH <NA> [First]", "00:00:00.000000000: Informational any [Second]"],
           "the first rule that matches, fields and missing ones", done.stdout)
    tap.ok("replay.jsonl:5: not expected, but fired: 'Second'" in done.stderr and "4 events, 3 alerts of 3 rules; 2 of 3 events did what they were expected to" in done.stderr, "expectations", done.stderr)
    alerts = [json.loads(line) for line in run("test", "--all-rules", "-f", "json", "--events", str(events), str(rules)).stdout.splitlines()]
    tap.ok([a["rule"] for a in alerts] == ["Second", "First", "Second", "Second"] and alerts[1]["action"] == "kill" and alerts[1]["output_fields"]["proc.pname"] == "nginx" and alerts[1]["output_fields"]["user.name"] is None, "all rules, as JSON", alerts)
    done = run("test", "--all-rules", "-f", "cef", "--events", str(events), str(rules))
    tap.ok(len(done.stdout.splitlines()) == len(alerts) and all(line.startswith("CEF:0|Bulkhead|bulkhead-guard|") for line in done.stdout.splitlines()), "alerts of recorded events in another format")
    for text, said in (("{", "bad.jsonl:1"), ("[1]", "an event is a JSON object")):
        (top / "bad.jsonl").write_text(text)
        done = run("test", "--events", str(top / "bad.jsonl"), str(rules))
        tap.ok(done.returncode == 2 and said in done.stderr, f"an event that is none: {text}", (done.returncode, done.stderr))
    tap.ok(run("test", str(rules)).returncode == 2, "no events")
    events.write_text('{"evt.type": "open", "proc.nam": "x", "evt.arg.flags": "y", "evt.arg": {"z": "1"}, "proc.aname[2]": "a", "expect": []}\n')
    done = run("test", "--events", str(events), str(rules))
    tap.ok(done.returncode == 0 and done.stderr.count("there is no field") == 1 and "replay.jsonl:1: warning: there is no field 'proc.nam'" in done.stderr, "a misspelt name in an event", done.stderr)
    long = top / "long.yaml"
    long.write_text(json.dumps([{"rule": "R", "desc": "d", "condition": "evt.type=open and (fd.name glob '" + "*a" * 200 + "b' or fd.name regex '(a*)*b' or fd.name pmatch (/" + "*a" * 100 + "b))", "output": "o", "priority": "INFO"}]))
    events.write_text(json.dumps({"evt.type": "open", "fd.name": "/" + "a" * 4095}) + "\n")
    tap.ok(run("test", "--events", str(events), str(long)).returncode == 0, "patterns that invite to try everything end")


def check_command(top):
    (top / "rules").mkdir()
    (top / "rules/20-b.yaml").write_text("- list: l\n  items: [b]\n  override: {items: append}\n")
    (top / "rules/10-a.yml").write_text("- list: l\n  items: [a]\n" + RULE.format("evt.type=open and proc.name in (l)"))
    (top / "rules/no.txt").write_text("no rules")
    done = run("explain", "r", str(top / "rules"))
    tap.ok(done.returncode == 0 and "proc.name in (a, b)" in done.stdout, "a folder, in the order of names", done.stdout + done.stderr)
    done = run("check", str(top / "rules/20-b.yaml"), str(top / "rules/10-a.yml"))
    tap.ok(done.returncode == 1 and "20-b.yaml:1:9: error: it changes a list that was not defined before\n     1 | - list: l\n       |         ^" in done.stderr, "the order in which files are named, and the line with a caret", done.stderr)
    tap.ok("1 of 1 rules can be used" in done.stdout and "1 errors" in done.stdout, "rules without errors are loaded nevertheless", done.stdout)
    done = run("list", str(top / "rules"), "-o", str(top / "out"))
    tap.ok(done.returncode == 0 and (top / "out").read_text() == "Informational enabled    R  (open)\n" and not done.stdout, "a list, to a file", (top / "out").read_text())
    done = run("list", "-f", "cef", "-", text=RULE.format("evt.type=open"))
    tap.ok(done.returncode == 2 and "cef is a format of alerts" in done.stderr, "which what is no alert has not")
    done = run("check")
    tap.ok(done.returncode == 0 and "18 of 18 rules can be used" in done.stdout and not done.stderr, "the agent's own rules, where none are named", done.stdout + done.stderr)
    tap.ok("runtime-memory-program" in run("explain", "memory-program").stdout and "runtime-ptrace" in run("list").stdout, "they are listed and explained")
    done = run("fields", "-f", "json")
    names = [f["name"] for f in json.loads(done.stdout)]
    tap.ok(done.returncode == 0 and len(names) == len(set(names)) > 250, "fields, each once")
    for args, said in ((["explode", "x"], "is not known"), (["explain", "R"], "18 rules have 'R' in their names"), (["explain"], "usage: bulkhead guard rules explain RULE [PATH...]"), (["check", str(top / "missing")], "No such file"),
                       (["check", str(top)], "no file in this folder"), (["explain", "nothing", str(top / "rules")], "0 rules are called 'nothing'"), (["fields", "x"], "usage")):
        done = run(*args)
        tap.ok(done.returncode == 2 and said in done.stderr, f"wrong: {args[0]} {len(args)}", (done.returncode, done.stderr))
    switched = RULE.format("evt.type=open") + "- rule: R\n  enabled: false\n"
    tap.ok(json.loads(run("list", "-f", "json", "-", text=switched).stdout)[0]["state"] == "disabled", "a rule is switched off by its name")
    two = RULE.format("evt.type=open") + RULE.format("evt.foo=1").replace("rule: R", "rule: S")
    tap.ok([r["state"] for r in json.loads(run("list", "-f", "json", "-", text=two).stdout)] == ["enabled", "not loaded"], "an error takes its own rule only")


def check_hostile():
    """Bombs are refused, in time and memory that others have."""
    macros = "".join(f"- macro: m{i}\n  condition: m{i - 1} or m{i - 1}\n" for i in range(1, 60))
    code, errors, _ = check("- macro: m0\n  condition: evt.type=open\n" + macros + RULE.format("m59"))
    tap.ok(code == 1 and any("checks once its macros are in place" in e[2] for e in errors), "macros that double", errors[:2])
    lists = "".join(f"- list: l{i:02}\n  items: [l{i + 1:02}, l{i + 1:02}, l{i + 1:02}]\n" for i in range(40))
    code, errors, _ = check(lists + "- list: l40\n  items: [x]\n" + RULE.format("evt.type=open and proc.name in (l00)"))
    tap.ok(code == 1 and any("once its lists are in place" in e[2] for e in errors), "lists that treble", errors[:2])
    code, errors, _ = check(RULE.format("(" * 5000 + "evt.type=open" + ")" * 5000))
    tap.ok(code == 1 and any("parentheses in each other" in e[2] for e in errors), "parentheses", errors[:2])
    code, errors, _ = check(RULE.format("not(" * 5000 + "evt.type=open" + ")" * 5000))
    tap.ok(code == 1 and any("parentheses in each other" in e[2] for e in errors), "not, not, not", errors[:2])
    code, errors, _ = check(RULE.format("not " * 100000 + "evt.type=open"))
    tap.ok(code == 0, "not and a blank, a hundred thousand times", errors[:2])
    code, errors, _ = check(RULE.format(" or ".join(["evt.type=open"] * 50000)))
    tap.ok(code == 0, "fifty thousand checks", errors[:2])
    noisy = "".join(f"- list: l{i}\n  items: []\n  colour: red\n" for i in range(1500)) + RULE.format("evt.foo=1")
    done = run("check", "-", text=noisy)
    tap.ok(done.returncode == 1 and "; 1 errors, 3000 warnings" in done.stdout and "and 2001 more that are not listed, 1 of them errors" in done.stderr, "an error behind more problems than are listed", done.stdout + done.stderr[-200:])
    chain = "- macro: m0\n  condition: evt.type=open\n" + "".join(f"- macro: m{i}\n  condition: m{i - 1}\n" for i in range(1, 3000))
    code, errors, _ = check(chain + RULE.format("m2999"))
    tap.ok(code == 1 and any("deep in each other" in e[2] for e in errors), "macros in macros", errors[:2])
    names = [f"m{i}" for i in range(3000)]
    turned = "".join(f"- macro: {n}\n  condition: evt.type=open\n" for n in names) + "".join(f"- macro: {a}\n  condition: {b}\n" for a, b in zip(names, names[1:]))
    code, errors, _ = check(turned + RULE.format("m0"))
    tap.ok(code == 1 and any("deep in each other" in e[2] for e in errors), "macros that are redefined by later ones", errors[:2])


def check_falco(folder, reference):
    listed = {}
    for line in pathlib.Path(reference).read_text().splitlines():
        m = re.fullmatch(r"- (.*) \[(\w+)\] (.*); (\d+) checks", line)
        if m:
            listed[m[1]] = (m[2], sorted(m[3].split(", ")), int(m[4]))
    got = {}
    for name in ("falco_rules.yaml", "falco-incubating_rules.yaml"):
        done = run("check", str(folder / name))
        tap.ok(done.returncode == 0 and "0 errors, 0 warnings" in done.stdout, f"{name}: unmodified", done.stdout + done.stderr)
        for r in json.loads(run("list", "-f", "json", str(folder / name)).stdout):
            got[r["rule"]] = (r["priority"].lower().replace("informational", "info"), sorted(r["events"]), r["checks"])
    wrong = {k: (v, got.get(k)) for k, v in listed.items() if got.get(k) != v}
    tap.ok(len(listed) == len(got) == 56 and not wrong, f"{len(listed)} rules: priority, events and size", wrong)
    done = run("check", str(folder))
    tap.ok(done.returncode == 0 and "56 of 56 rules can be used" in done.stdout, "both files together", done.stdout + done.stderr)


def main():
    if len(sys.argv) > 3:
        check_falco(pathlib.Path(sys.argv[2]), sys.argv[3])
    else:
        check_tables()
        with tempfile.TemporaryDirectory() as tmp:
            check_command(pathlib.Path(tmp))
        with tempfile.TemporaryDirectory() as tmp:
            check_truth(pathlib.Path(tmp))
            check_replay(pathlib.Path(tmp))
        check_hostile()
    print(f"1..{tap.n}")
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
