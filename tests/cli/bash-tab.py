#!/usr/bin/env python3
"""bash-tab.py BULKHEAD LINE...: types each LINE and a tabulator into an interactive bash; prints what the line became."""
import os
import pty
import select
import sys
import time


def read_until(fd, mark, seconds=10):
    text, end = b"", time.monotonic() + seconds
    while mark not in text and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            text += os.read(fd, 65536)
    return text


pid, fd = pty.fork()
if pid == 0:
    os.environ.update(BULKHEAD=sys.argv[1], PATH=os.path.dirname(sys.argv[1]) + ":" + os.environ["PATH"], TERM="dumb", PS1="")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
os.write(fd, b"PS1=; bind 'set enable-bracketed-paste off'; bind -x '\"\\C-x\":printf \"<<%s>>\\n\" \"$READLINE_LINE\"'\n")
os.write(fd, b"source <(\"$BULKHEAD\" completion bash); echo rea''dy\n")
read_until(fd, b"ready")
for line in sys.argv[2:]:
    os.write(fd, b"\x15" + line.encode() + b"\t\x18")
    text = read_until(fd, b">>")
    print(text.rsplit(b"<<", 1)[-1].split(b">>")[0].decode())
os.write(fd, b"\x15exit\n")
os.waitpid(pid, 0)
