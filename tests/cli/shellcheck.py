#!/usr/bin/env python3
"""shellcheck BULKHEAD: what `check --shellcheck` says of the shell in Dockerfiles: at the lines where it stands, by the shell that runs it, and what is not asked. Expected are what the wiki of
ShellCheck says of each number, and what ShellCheck itself says of the same scripts. Prints TAP."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

BULKHEAD = os.path.abspath(sys.argv[1])
tap = Tap()


def check(files, *options, path=None):
    """(file, id, line) of what ShellCheck said, what was not checked, and the exit status."""
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in files.items():
            pathlib.Path(tmp, name).write_bytes(text if isinstance(text, bytes) else text.encode())
        r = subprocess.run([BULKHEAD, "check", "--no-hardening", "--fail-on", "never", "-f", "json", "--shellcheck", *options, "."], cwd=tmp, capture_output=True, timeout=120, env=dict(os.environ, PATH=path or os.environ["PATH"]))
    report = json.loads(r.stdout)
    return sorted((f["paths"][0], f["id"], f["line"]) for f in report["findings"] if f["id"].startswith("SC")), [i["reason"] for i in report["incomplete"]], r.returncode, report


def said(name, text, *wanted):
    found, gaps, code, _ = check({"Dockerfile": text})
    tap.ok([(i, line) for _, i, line in found] == sorted(wanted) and code == 0 and not gaps, name, (found, gaps, code))


FROM = "FROM debian:12.5\n"
said("a quiet script", FROM + "RUN set -e; echo \"$HOME\"\n")
said("lines that are joined, comments between them", FROM + "RUN cd /a && \\\n    # here\n    rm -rf $X \\\n    && echo \"$X\" $Y\n", ("SC2086", 4), ("SC2086", 5))
said("characters of several bytes before it", FROM + "RUN echo \u00fc\u20ac\U0001f600 \\\n&& echo \u00fc \\\n$X\n", ("SC2086", 4))
said("tabs before it", FROM + "RUN true && \\\n\t\techo \\\n$X\n", ("SC2086", 4))
said("here-documents", FROM + "RUN <<EOF\necho a\necho $X\nEOF\n", ("SC2086", 4))
said("the shell that SHELL names", FROM + "RUN [[ a = b ]]\nSHELL [\"/bin/bash\", \"-c\"]\nRUN [[ a = \"$B\" ]]\nSHELL [\"/bin/ash\", \"-c\"]\nRUN [[ \"$A\" = b ]]\n", ("SC2050", 2), ("SC3010", 2), ("SC3010", 6))
said("the interpreter of a here-document", FROM + "RUN <<EOF\n#!/usr/bin/env bash\n[[ a = \"$B\" ]]\nEOF\nRUN <<EOF\n#!/usr/bin/env python3\nimport $x\nEOF\n")
said("here-documents of commands", FROM + "RUN cat <<A >a && tr $X <<B\n$Y\nA\n$Z\nB\nRUN cat $V \\\n  >$W <<-EOF\n\t$U\n\tEOF\n", ("SC2086", 2), ("SC2086", 7), ("SC2086", 8))
said("here-documents for a shell", FROM + "RUN bash -eu <<'EOF'\n[[ a = $B ]]\necho $X\nEOF\nRUN bash <<EOF\necho $X\nEOF\nRUN python3 <<'EOF'\nx = $y\nEOF\n", ("SC2053", 3), ("SC2086", 4))
said("exec forms of a shell", FROM + "RUN [\"/bin/sh\", \"-ec\", \"echo $X\"]\nRUN [\"bash\", \\\n  \"-c\", \"echo $X\"]\nRUN [\"env\", \"-c\", \"echo $X\"]\nRUN [\"sh\", \"script\"]\n", ("SC2086", 2), ("SC2086", 3))
said("no shell", FROM + "SHELL [\"pwsh\", \"-c\"]\nRUN $x\nRUN [\"echo\", \"$x\"]\nCMD echo $x\n")
said("what ENV and ARG set is set; only ENV says to what", "ARG OUTER=1\n" + FROM + "ARG name\nENV version=1.2 words=\"a b\"\nRUN echo \"$name\" $version\nRUN echo $words\nRUN echo $name $other\n",
     ("SC2086", 6), ("SC2086", 7), ("SC2086", 7), ("SC2154", 7))
said("a stage takes the shell of the one it is FROM", FROM.strip() + " AS a\nSHELL [\"/bin/bash\", \"-c\"]\nFROM a\nRUN [[ a = \"$B\" ]]\n")
said("what can't be parsed", FROM + "RUN if x\n", ("SC1050", 2), ("SC1072", 2), ("SC1073", 2))

found, gaps, code, report = check({"Dockerfile": FROM + "# bulkhead:allow SC2086 the words are options\nRUN echo $X\nRUN echo $Y\n"})
tap.ok([line for _, _, line in found] == [4] and [f["id"] for f in report["suppressed"]] == ["SC2086"], "a comment accepts what it says, with a reason", (found, report["suppressed"]))
found, gaps, code, report = check({"Dockerfile": FROM + "RUN if x\nRUN cd a; b\nRUN echo $X\n"})
severities = {f["id"]: f["severity"] for f in report["findings"]}
tap.ok(severities.get("SC1072") == "medium" and severities.get("SC2164") == "low" and severities.get("SC2086") == "negligible", "its levels are severities", severities)

found, gaps, code, _ = check({"Dockerfile": FROM + "RUN echo $X\n"}, path="/nonexistent")
tap.ok(code == 3 and not found and any("ShellCheck is not installed" in g for g in gaps), "that it is not installed is told", (code, gaps))
many = {f"a{i}.Dockerfile": FROM + "".join(f"RUN true\nRUN echo $X{i}\n" for _ in range(20)) for i in range(20)}
found, gaps, code, _ = check(many)
tap.ok(code == 0 and len(found) == 400 and all(line % 2 for _, _, line in found), "many scripts, in several runs of it", (code, len(found), gaps))
found, gaps, code, _ = check({"Dockerfile": FROM + "RUN echo " + "a " * 200000 + "\nRUN echo $X\n"})
tap.ok(code == 3 and len(found) == 1 and any("longer" in g for g in gaps), "a script that is too long is told", (code, found, gaps))
found, gaps, code, _ = check({"Dockerfile": FROM.encode() + b"RUN echo \xff\xfe $X\n", "b.Dockerfile": FROM + "RUN echo $X\n"})
tap.ok(code in (0, 3) and (len(found) == 2 or gaps), "bytes that are no text end nothing", (code, found, gaps))
found, gaps, code, _ = check({"Dockerfile": FROM.encode() + b"RUN echo \x00 $X\nRUN . /etc/shadow; source ./nothing\n"})
tap.ok(code in (0, 3) and not any("SC1090" in i or "SC1091" in i for _, i, _ in found), "files that a script reads are not looked for", (code, found, gaps))

script = FROM + "RUN for f in $(ls *.deb); do dpkg -i $f; done; cat x | grep y > z; [ $? -eq 0 ] && read a\n"
direct = subprocess.run([shutil.which("shellcheck"), "-s", "sh", "-f", "json", "-"], input=script.split("RUN ", 1)[1], capture_output=True, text=True)
wanted = sorted(f"SC{c['code']}" for c in json.loads(direct.stdout))
found, gaps, code, _ = check({"Dockerfile": script})
tap.ok(len(wanted) > 3 and [i for _, i, _ in found] == wanted, "the same that ShellCheck says of the script itself", (found, wanted))
print(f"1..{tap.n}")
sys.exit(tap.failed > 0)
