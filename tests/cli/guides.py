#!/usr/bin/env python3
"""guides.py BULKHEAD: README.md and docs/guides/, as they are printed.

A block after `<!-- file: NAME -->` is a file that the guide's reader has; a longer one can stand in the comment, behind the name. Where a command stands behind `$ `, what follows it in its block is
what the program says, line by line; a line of `...` stands for any, and `<!-- not run: WHY -->` before the block says that it is not run. Every other command line is only parsed: the program must know its verbs,
options and values, whatever it then thinks of files that are not there. Nothing has a network.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS_MAX = 20
LAUNCH = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]


def blocks(text):
    """Indented blocks and fenced ones of shells, with the name of the file that they are, or None."""
    fence = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.M | re.S)
    indented = re.compile(r"(?:<!-- (?P<kind>file|not run): (?P<name>.+) -->\n\n)?(?P<body>(?:^    .*\n)(?:^    .*\n|^\n(?=    ))*)", re.M)
    hidden = re.compile(r"^<!-- file: (\S+)\n(.*?)^-->$", re.M | re.S)
    yield from hidden.findall(text)
    for found in fence.finditer(text):
        yield None, found.group(1)
    for found in indented.finditer(hidden.sub("", fence.sub("", text))):
        if found["kind"] != "not run":
            yield found["name"], re.sub(r"^    ", "", found["body"], flags=re.M)


class Reader:
    """A folder with the guide's files, and a program called bulkhead."""

    def __init__(self, bulkhead, folder, guide):
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/bulkhead").symlink_to(bulkhead)
        self.work = folder / "work"
        self.work.mkdir()
        (self.work / "tests").symlink_to(ROOT / "tests")
        self.env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.env |= {key: os.environ[key] for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if key in os.environ}
        self.text = guide.read_text()
        for name, body in blocks(self.text):
            if name:
                (self.work / name).parent.mkdir(parents=True, exist_ok=True)
                (self.work / name).write_text(body)

    def run(self, argv):
        try:
            return subprocess.run(LAUNCH + argv, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None  # it was busy with more than its command line

    def shown(self):
        """(command, what it is said to print) of all blocks."""
        for name, body in blocks(self.text):
            if not name and body.startswith("$ "):
                for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
                    command, _, expected = part.partition("\n")
                    yield command, expected

    def named(self):
        """Words of the command lines of which no output is shown."""
        for name, body in blocks(self.text):
            for line in ([] if name else body.replace("\\\n", " ").splitlines()):
                if not line.startswith("$ "):
                    yield from calls(line)
        for code in re.findall(r"`(bulkhead [^`]+)`", self.text):
            if " -" in code:
                yield from calls(code)


def calls(line):
    """The program's calls in a line of a shell, each as its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:
        return  # not a line of a shell
    call = None
    for word in words + ["|"]:
        if re.fullmatch(r"[|&;<>]+", word):
            if call and len(call) > 1:
                yield call
            call = None
        elif word == "bulkhead" and call is None:
            call = [word]
        elif call is not None:
            call.append(word)
        elif word not in ("sudo", "rc=0"):
            call = None if word != "bulkhead" else call


def squeezed(text):
    """Without the lines' indentation and empty lines, which layout may change."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def differs(got, expected):
    """What is wrong with the output, or None."""
    pattern = "".join("(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n" for line in squeezed(expected))
    text = "".join(line + "\n" for line in squeezed(got))
    return None if re.fullmatch(pattern, text) else text or "nothing"


def judge_shown(reader, command, expected):
    done = reader.run(["bash", "-c", f"exec 2>&1\n{command}"])  # as a terminal shows both
    if done is None:
        return f"$ {command}: took too long"
    wrong = differs(done.stdout, expected)
    return f"$ {command}: printed\n{wrong}" if wrong else None


def judge_named(reader, words):
    done = reader.run(words)
    return f"{shlex.join(words)}: {done.stderr}" if done and "\nsee 'bulkhead" in done.stderr and "no such file" not in done.stderr else None


def judge(bulkhead, guide):
    """(how many commands were tried, what is wrong)"""
    with tempfile.TemporaryDirectory() as scratch:
        reader = Reader(bulkhead, pathlib.Path(scratch), guide)
        wrong = [judge_shown(reader, command, expected) for command, expected in reader.shown()]
        wrong += [judge_named(reader, words) for words in reader.named()]
    return len(wrong), [w for w in wrong if w]


def main():
    bulkhead = pathlib.Path(sys.argv[1]).resolve()
    guides = [ROOT / "README.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
    total = 0
    print(f"1..{len(guides) + 1}")
    for number, guide in enumerate(guides, 1):
        n, wrong = judge(bulkhead, guide)
        total += n
        print(f"{'not ok' if wrong else 'ok'} {number} {guide.name}: {n} commands")
        for w in wrong:
            print("# " + w.rstrip().replace("\n", "\n# "))
    print(f"{'ok' if total >= 80 else 'not ok'} {len(guides) + 1} commands were found in them: {total}")


main()
