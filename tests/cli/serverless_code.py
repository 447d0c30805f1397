#!/usr/bin/env python3
"""serverless_code BULKHEAD: the code of functions in folders and archives beside their templates: what is seen in it, where that is told, and that nothing is
opened which is none of the template's. Prints TAP."""
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

KEY = "AKIA" + "Q" * 16
APP = '''import boto3, subprocess
s3 = boto3.client("s3")
def handler(event, context):
    s3.get_object(Bucket="b", Key="k")
'''
# What the rules have to see: language, code of one file, check, line; None: nothing of these checks.
SEEN = [
    ("a.py", 'import os\ndef handler(event, context):\n    name = event["n"]\n    os.system("convert " + name)\n', "fn-code-injection", 4),
    ("a.py", 'import os, shlex\ndef handler(event, context):\n    name = event["n"]\n    os.system("convert " + shlex.quote(name))\n', None, 0),
    ("a.py", 'import subprocess\ndef handler(event, context):\n    subprocess.run(["ls", event["n"]])\n', None, 0),
    ("a.py", 'import subprocess\ndef handler(event, context):\n    subprocess.run("ls " + event["n"], shell=True)\n', "fn-code-injection", 3),
    ("a.py", 'def handler(event, context):\n    # os.system(event)\n    n = int(event["n"])\n    open(n)\n', None, 0),
    ("a.py", 'def handler(event, context):\n    db.execute(f"SELECT * FROM t WHERE a = {event}")\n', "fn-code-injection", 2),
    ("a.py", 'def handler(event, context):\n    db.execute("SELECT * FROM t WHERE a = %s", (event["a"],))\n', None, 0),
    ("a.mjs", 'export const handler = async (event) => {\n  const { file, b } = event;\n  return fs.readFileSync("/data/" + file);\n};\n', "fn-code-injection", 3),
    ("a.ts", 'import { exec } from "child_process";\nexport const h = (event: any) => {\n  const x: string = event.body;\n  exec("ls " + x);\n};\n', "fn-code-injection", 4),
    ("a.js", 'exports.h = async (event) => { return event.body; };\n', None, 0),
    ("a.rb", 'def handler(event:, context:)\n  system("ls #{event["a"]}")\nend\n', "fn-code-injection", 2),
    ("main.go", 'func h(event E) {\n\tq := event.Body\n\texec.Command("sh", "-c", "ls "+q)\n}\n', "fn-code-injection", 3),
    ("main.go", 'func h(event E) {\n\texec.Command("ls", event.Body)\n}\n', None, 0),
    ("A.java", 'class A {\n  void h(Map event) throws Exception {\n    Runtime.getRuntime().exec("ls " + event.get("a"));\n  }\n}\n', "fn-code-injection", 3),
    ("A.cs", 'class A {\n  void H(string request) {\n    File.ReadAllText("/d/" + request);\n  }\n}\n', "fn-code-injection", 3),
    ("a.php", '<?php\nreturn function ($event) {\n  return shell_exec("ls " . $event["a"]);\n};\n', "fn-code-injection", 3),
    ("a.php", '<?php\nreturn function ($event) {\n  return shell_exec("ls " . escapeshellarg($event["a"]));\n};\n', None, 0),
    ("a.sh", 'EVENT_DATA="$1"\neval "$EVENT_DATA"\n', "fn-code-injection", 2),
    ("a.py", f'x = 1\nKEY = "{KEY}"\n', "fn-secret-in-code", 2),
    ("a.js", 'const config = {\n  password: "correct-horse",\n};\n', "fn-secret-in-code", 2),
    ("main.go", 'package main\nvar apiKey = ""\napiKey := "0123456789abc"\n', "fn-secret-in-code", 3),
    ("a.js", 'const password = process.env.PASSWORD;\n', None, 0),
    ("a.py", 'x = 1\nopen("/tmp/token.json", "w").write(t)\n', "fn-temporary-secret", 2),
    ("a.py", 'open("/tmp/picture.png", "w").write(t)\n', None, 0),
]
CODE_CHECKS = {"fn-code-injection", "fn-secret-in-code", "fn-temporary-secret", "fn-unseen-action"}


class Bench:
    def __init__(self, bulkhead):
        self.bulkhead, self.number, self.root = bulkhead, 0, pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-functions-"))

    def say(self, ok, what, *details):
        self.number += 1
        print(f"{'ok' if ok else 'not ok'} {self.number} {what}")
        for d in details if not ok else ():
            print(f"# {d}")

    def folder(self, files):
        """A new folder with {path: text or bytes}."""
        at = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        for name, content in files.items():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return at

    def check(self, at, *paths):
        """{check: [(function, line, message, evidence)]}, the reasons of what was not checked, the target's line."""
        r = subprocess.run([self.bulkhead, "check", "--fail-on", "never", "-f", "json", *(paths or ["template.yaml"])], cwd=at, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=dict(os.environ, SOURCE_DATE_EPOCH="1795737600"))
        if r.returncode not in (0, 3):
            return {}, [r.stderr.decode()], ""
        report = json.loads(r.stdout)
        found = {}
        for f in report["findings"]:
            found.setdefault(f["id"], []).append((f["evidence"].split(":")[0].split(" ")[-1], f.get("line"), f["title"], f["evidence"]))
        return found, [i["reason"] for i in report.get("incomplete", [])], report["target"].get("contents", "")


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out.getvalue()


def sam(code, actions="s3:GetObject", more="", layers=""):
    return ("Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.13\n"
            f"      CodeUri: {code}\n{layers}      Policies:\n      - Statement:\n        - {{Effect: Allow, Action: [{actions}], Resource: 'arn:aws:s3:::b/*'}}\n{more}")


def seen(b):
    for name, text, check, line in SEEN:
        for kind in ("folder", "archive"):
            files = {f"lib/{name}": text}
            at = b.folder({"template.yaml": sam("code"), **{f"code/{n}": t for n, t in files.items()}} if kind == "folder" else
                          {"template.yaml": sam("code.zip"), "code.zip": archive(files)})
            found, incomplete, _ = b.check(at)
            ids = {i for i in CODE_CHECKS - {"fn-unseen-action"} if i in found}
            ok = ids == ({check} if check else set()) and not incomplete
            if check and ok:
                function, at_line, message, evidence = found[check][0]
                ok = function == "F" and at_line == 7 and f": lib/{name}:{line}" in message and evidence.endswith("Resources.F.Properties.CodeUri") and KEY not in message
            b.say(ok, f"{kind} {name}: {check}", found.get(check), sorted(ids), incomplete)


def actions(b):
    package = {"package.json": "{}", "index.js": "exports.x = (c) => c.send(new DeleteItemCommand({}));\n"}
    sdk = {"index.js": "class PutBucketPolicyCommand {}\nexports.P = PutBucketPolicyCommand;\nfoo.putBucketPolicy({});\n"}
    for what, files, wanted in [
        ("what is called is seen", {"code/app.py": APP}, None),
        ("what is not called is told", {"code/app.py": APP.replace("get_object", "put_object")}, "s3:GetObject"),
        ("calls in dependencies count", {"code/index.mjs": "import x from 'dep';\nx(new GetObjectCommand({}));\n", **{f"code/node_modules/dep/{n}": t for n, t in package.items()}}, None),
        ("an SDK's own names don't", {"code/index.mjs": "x(new GetObjectCommand({}));\n", **{f"code/node_modules/@aws-sdk/client-s3/{n}": t for n, t in sdk.items()}},
         "s3:PutBucketPolicy"),
    ]:
        names = {None: "s3:GetObject", "s3:GetObject": "s3:GetObject", "s3:PutBucketPolicy": "s3:GetObject, s3:PutBucketPolicy"}[wanted]
        if "dependencies" in what:
            names += ", dynamodb:DeleteItem"
        found, incomplete, contents = b.check(b.folder({"template.yaml": sam("code/", names), **files}))
        told = [m for _, _, m, _ in found.get("fn-unseen-action", [])]
        b.say(not incomplete and "not read" not in contents and (not told if wanted is None else len(told) == 1 and told[0].endswith(": " + wanted)), what, told, incomplete)
    # Of dependencies nothing else is judged: in node_modules, in vendor/, where pip put them, in a layer.
    bad = 'import os\ndef run(event):\n    os.system(event)\nPASSWORD = "correct-horse"\n'
    files = {"app.py": APP, "node_modules/x/a.py": bad, "vendor/y.py": bad, "requests/api.py": bad, "six.py": bad,
             "requests-2.0.dist-info/RECORD": "requests/api.py,sha256=x,1\nrequests-2.0.dist-info/RECORD,,\n", "six-1.dist-info/RECORD": "six.py,,\n"}
    for code, there in (("code/", {f"code/{n}": t for n, t in files.items()}), ("code.zip", {"code.zip": archive(files)})):
        found, incomplete, _ = b.check(b.folder({"template.yaml": sam(code), **there}))
        b.say(not CODE_CHECKS & set(found) and not incomplete, f"{code}: dependencies are not judged", found, incomplete)
    layer = "  Lib:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {ContentUri: layer/}\n"
    found, incomplete, _ = b.check(b.folder({"template.yaml": sam("code/", more=layer, layers="      Layers: [!Ref Lib]\n"), "code/app.py": APP, "layer/python/own.py": bad}))
    b.say("own.py:4" in str(found.get("fn-secret-in-code")) and not incomplete, "a layer's code is judged", found, incomplete)


def refused(b):
    secret = b.root / "outside.py"
    secret.write_text(f'KEY = "{KEY}"\n')
    (b.root / "outside").mkdir()
    (b.root / "outside/x.py").write_text(f'KEY = "{KEY}"\n')
    for code, why in [("../outside.py", "outside of the folder"), (str(secret), "outside of the folder"), ("a/../../outside", "outside of the folder"), ("/etc/shadow", "outside of the folder"),
                      ("link.py", "not there|leads out"), ("linked", "not there|leads out"), ("absolute", "not there|leads out"), ("s3://b/k.zip", "lies elsewhere, at s3://b/k.zip"),
                      ("gone.zip", "gone.zip is not there"), ("!Ref Which", "not known here"), ("fifo.zip", "FIFO"), ("notes/", "no source of a language"),
                      ("notes.txt", "no source of a language")]:
        at = b.folder({"template.yaml": sam(code, more="Parameters: {Which: {Type: String}}\n"), "notes/readme.txt": "x", "notes.txt": "x"})
        (at / "link.py").symlink_to("../outside.py")
        (at / "linked").symlink_to("../outside")
        (at / "absolute").symlink_to("/etc")
        os.mkfifo(at / "fifo.zip")
        found, incomplete, contents = b.check(at)
        reasons = [i for i in incomplete if "the code of function F" in i]
        b.say("fn-secret-in-code" not in found and len(reasons) == 1 and re.search(why, reasons[0]) and "code of 1 function not read" in contents,
              f"{code} is not read, and that is said", incomplete, contents, found)
    at = b.folder({"template.yaml": sam("code/"), "code/app.py": APP})
    (at / "code/extra.py").symlink_to(secret)
    found, incomplete, _ = b.check(at)
    b.say("fn-secret-in-code" not in found and len(incomplete) == 1 and "1 symbolic link was not followed" in incomplete[0], "a link in a folder is not followed", found, incomplete)
    at = b.folder({"infra/template.yaml": sam("../code"), "code/app.py": APP + f'KEY = "{KEY}"\n'})
    beside, inside = b.check(at, "infra/template.yaml"), b.check(at, ".")
    b.say("fn-secret-in-code" not in beside[0] and "outside" in str(beside[1]) and "fn-secret-in-code" in inside[0] and not inside[1],
          "a folder that the command line names is open to templates below it", beside, inside)


def hostile(b):
    bad = f'KEY = "{KEY}"\n'
    def damaged(data, name):
        """A byte in the content of an entry is another one."""
        at = data.find(name) + len(name) + 2
        return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]

    def with_flag(data):
        """Marks all entries as encrypted."""
        data = bytearray(data)
        for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            at = data.find(mark)
            while at >= 0:
                data[at + offset] |= 1
                at = data.find(mark, at + 4)
        return bytes(data)
    for what, data, shown, why in [
        ("names that lead out are names", archive({"../../../etc/cron.d/x.py": bad, "/abs.py": "x = 1\n"}), "../../../etc/cron.d/x.py:1", None),
        ("a source that unpacks to much", archive({"app.py": bad, "bomb.py": "a" * (64 << 20)}), "app.py:1", "1 source is larger than 2 MiB"),
        ("an encrypted archive", with_flag(archive({"app.py": bad})), None, "1 file could not be read (app.py: an encrypted entry)"),
        ("one that was cut off", archive({"app.py": bad})[:-30], None, "not a zip archive, or one that was cut off"),
        ("a damaged entry", damaged(archive({"app.py": bad, "b.py": "x = 1\n" * 99}), b"b.py"), "app.py:1", "1 file could not be read (b.py: "),
        ("bytes that are no text", archive({"app.py": b"\xff\xfe" + bad.encode(), "\u00e4\x01.py": "x = 1\n"}), "app.py:1", None),
        ("a minified line", archive({"app.js": "x=1;" * 5000 + 'password="correct-horse";\n'}), None, "1 line is more than 4096 bytes long and not judged"),
    ]:
        found, incomplete, _ = b.check(b.folder({"template.yaml": sam("code.zip"), "code.zip": data}))
        text = str(found.get("fn-secret-in-code"))
        b.say((shown in text if shown else "fn-secret-in-code" not in found) and (why in str(incomplete) if why else not incomplete), what, text, incomplete)
    # Many files, many findings, many names: what is left out is said.
    many = archive({f"m{i}.py": bad for i in range(150)})
    found, incomplete, _ = b.check(b.folder({"template.yaml": sam("code.zip"), "code.zip": many}))
    b.say(len(found["fn-secret-in-code"]) == 1 and "holds more than is told" in str(incomplete), "more findings than are told", incomplete)
    big = archive({f"p{i}.py": "\n".join(f"call_number_{i}_{k}(event)" for k in range(300)) for i in range(400)})
    found, incomplete, _ = b.check(b.folder({"template.yaml": sam("code.zip"), "code.zip": big}))
    b.say(len(found.get("fn-unseen-action", [])) == 1 and not incomplete, "120,000 names fit into the limits of a policy", found.get("fn-unseen-action"), incomplete)


def formats(b):
    bad = f'KEY = "{KEY}"\n'
    head = "service: s\nprovider: {name: aws, runtime: python3.13}\nfunctions:\n  f: {handler: app.handler}\n"
    plan = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        {"address": "aws_lambda_function.f", "type": "aws_lambda_function", "name": "f", "mode": "managed", "values": {"function_name": "f", "filename": "fn.zip"}}]}}}
    built = dict(plan, prior_state={"values": {"root_module": {"child_modules": [{"resources": [
        {"address": "data.archive_file.z", "mode": "data", "type": "archive_file", "name": "z", "values": {"output_path": "fn.zip", "source_dir": "./src"}}]}]}}})
    google = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        {"address": "google_cloudfunctions_function.f", "type": "google_cloudfunctions_function", "name": "f", "values": {"source_archive_object": "o.zip", "runtime": "python313"}},
        {"address": "google_storage_bucket_object.o", "type": "google_storage_bucket_object", "name": "o", "values": {"name": "o.zip", "source": "fn.zip"}}]}}}
    azure = {"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        {"address": "azurerm_linux_function_app.f", "type": "azurerm_linux_function_app", "name": "f", "values": {"name": "f", "zip_deploy_file": "fn.zip"}}]}}}
    faas = "version: 1.0\nprovider: {name: openfaas, gateway: 'http://x'}\nfunctions:\n  f: {lang: python3, handler: ./f, image: 'f:1'}\n"
    cfn = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: python3.13, Code: ./src}\n"
    for what, name, document, files, field in [
        ("CloudFormation before package", "t.yaml", cfn, {"src/app.py": bad}, "Resources.F.Properties.Code"),
        ("serverless.yml: the service's folder", "serverless.yml", head, {"app.py": bad}, "functions.f.handler"),
        ("serverless.yml: patterns", "serverless.yml", head + "package: {patterns: ['!skip/**', 'skip/keep.py']}\n", {"app.py": "x = 1\n", "skip/a.py": bad, "skip/keep.py": "y = 1\n" + bad}, "functions.f.handler"),
        ("serverless.yml: an artifact", "serverless.yml", head + "package: {artifact: fn.zip}\n", {"fn.zip": archive({"app.py": bad})}, "package.artifact"),
        ("Terraform: filename", "plan.json", json.dumps(plan), {"fn.zip": archive({"app.py": bad})}, "filename"),
        ("Terraform: what the archive is made of", "plan.json", json.dumps(built), {"src/app.py": bad}, "filename"),
        ("Terraform: Google's bucket", "plan.json", json.dumps(google), {"fn.zip": archive({"main.py": bad})}, "source"),
        ("Terraform: Azure's zip", "plan.json", json.dumps(azure), {"fn.zip": archive({"main.py": bad})}, "zip_deploy_file"),
        ("OpenFaaS: the handler's folder", "stack.yml", faas, {"f/handler.py": bad}, "functions.f.handler"),
    ]:
        found, incomplete, contents = b.check(b.folder({name: document, **files}), name)
        hits = found.get("fn-secret-in-code", [])
        one = len(hits) == 1 and hits[0][3].endswith(field) and ("keep.py:2" in hits[0][2] if "patterns" in what else ".py:1" in hits[0][2])
        b.say(one and "skip/a.py" not in str(hits) and "not read" not in contents and not [i for i in incomplete if "the code of" in i], what, hits, incomplete, contents)
        found, incomplete, _ = b.check(b.folder({name: document, **{n: (archive({"app.py": "x = 1\n"}) if n.endswith(".zip") else "x = 1\n") for n in files}}), name)
        b.say(not CODE_CHECKS & set(found), f"{what}: nothing wrong", found)
    found, incomplete, contents = b.check(b.folder({"plan.json": json.dumps(plan)}), "plan.json")
    b.say("nor what it is made of" in str(incomplete) and "code of 1 function not read" in contents, "Terraform: not built yet", incomplete, contents)
    policy = ("apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: own}\nspec:\n  matchConstraints:\n    resourceRules:\n"
              "    - {apiGroups: [bulkhead.io], apiVersions: [v1], operations: [CREATE], resources: [functions]}\n  validations:\n"
              "  - expression: \"!('getobject' in object.spec.code.calls) || object.spec.code.files.exists(f, f.path == 'app.py' && f.language == 'go')\"\n"
              "    messageExpression: \"string(object.spec.code.calls['getobject'])\"\n")
    found, incomplete, _ = b.check(b.folder({"template.yaml": sam("code/"), "code/app.py": APP, "own.yaml": policy}), "--no-hardening", "-p", "own.yaml", "template.yaml")
    b.say(len(found.get("own", [])) == 1 and found["own"][0][2] == "app.py:4" and not incomplete, "an own policy asks of code", found, incomplete)
    found, incomplete, contents = b.check(b.folder({"template.yaml": sam("gone/")}), "--no-hardening", "template.yaml")
    b.say(not incomplete and "code of 1 function not read" in contents, "without policies about code none is looked for", incomplete, contents)


def main():
    b = Bench(os.path.abspath(sys.argv[1]))
    try:
        for part in (seen, actions, refused, hostile, formats):
            part(b)
        print(f"1..{b.number}")
    finally:
        shutil.rmtree(b.root)


main()
