#!/usr/bin/env python3
"""harden_steps HARDEN_PROBE: does the analysis see the instructions that objdump sees?

The C library and other programs of this machine (none with tables between the functions, which neither has to make sense of) are decoded by both: addresses, lengths, and where jumps and calls lead. Then small programs, assembled
here for x86-64 and AArch64, with known answers: which system calls they make, through which ways of loading the number.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROBE = sys.argv[1]
missing = [p for p in ("objdump", "clang") if not shutil.which(p)]
if missing:
    print("missing: " + " ".join(missing))
    sys.exit(77)
bad = 0


def check(name, ok, told=""):
    global bad
    print(("ok   " if ok else "FAIL ") + name + ("" if ok else f": {told}"))
    bad += not ok


def ours(path):
    out = subprocess.run([PROBE, "steps", path], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in out.split("\n") if line]


def objdump(path):
    """address -> target of a direct jump or call, "" for other instructions; None where objdump sees none."""
    out = subprocess.run(["objdump", "-d", "-w", "--no-show-raw-insn", "-j", ".text", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.split("\n"):
        m = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
        if not m:
            continue
        jump = re.match(r"(?:bnd |notrack |data16 |rex\.W |repz )*(?:j\w+|call\w*|loop\w*)(?:,p[nt])? +([0-9a-f]+)(?: |$)", m[2])
        found[m[1]] = None if "(bad)" in m[2] or m[2].startswith(".byte") else jump[1] if jump else ""
    return found


def compare(path):
    theirs, steps = objdump(path), ours(path)
    known = [s for s in steps if s[1] != "bad" and theirs.get(s[0], "") is not None]
    strange = [s for s in known if s[0] not in theirs]
    wrong = [s for s in known if s[0] in theirs and theirs[s[0]] and s[2] != theirs[s[0]]]
    extra = [s for s in known if theirs.get(s[0]) == "" and s[2] != "0"]
    refused = [s for s in steps if s[1] == "bad" and theirs.get(s[0])]
    check(f"{path}: {len(known)} instructions", len(known) > 1000 and len(strange) + len(refused) + len(wrong) + len(extra) <= len(known) // 20000,
          [len(known), len(strange), strange[:5], len(wrong), wrong[:5], len(extra), extra[:5], len(refused), refused[:5]])


def numbers(source, target, *flags):
    with tempfile.TemporaryDirectory() as folder:
        s, o = pathlib.Path(folder, "a.S"), pathlib.Path(folder, "a.o")
        s.write_text(source)
        subprocess.run(["clang", f"--target={target}", "-c", *flags, "-o", o, s], check=True)
        code = pathlib.Path(folder, "code")
        subprocess.run(["llvm-objcopy-14" if shutil.which("llvm-objcopy-14") else "objcopy", "-O", "binary", "-j", ".text", o, code], check=True)
        image = elf(code.read_bytes(), 183 if target.startswith("aarch64") else 62)
        pathlib.Path(folder, "program").write_bytes(image)
        out = subprocess.run([PROBE, "numbers", f"{folder}/program"], capture_output=True, text=True, check=True).stdout
    return sorted(int(n) for n in re.findall(r"^number (\d+)", out, re.M)), len(re.findall(r"^undecided", out, re.M)), len(re.findall(r"^wrapper", out, re.M))


def elf(code, machine):
    import struct
    size = 120 + len(code)
    return (b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 64, 0, 0) +
            struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 0x1000) + code)


X86 = {
    "a constant": ("mov $39, %eax; syscall; ret", [39], 0, 0),
    "zero by xor": ("xor %eax, %eax; syscall; ret", [0], 0, 0),
    "through another register": ("mov $60, %edx; mov %edx, %eax; syscall; ret", [60], 0, 0),
    "pushed and popped": ("push $59; pop %rax; syscall; ret", [59], 0, 0),
    "kept on the stack": ("sub $24, %rsp; movl $231, 8(%rsp); mov 8(%rsp), %eax; syscall; ret", [231], 0, 0),
    "one of two": ("mov $1, %eax; test %edi, %edi; je 1f; mov $2, %eax; 1: syscall; ret", [1, 2], 0, 0),
    "kept over a call": ("mov $102, %ebx; call 1f; mov %ebx, %eax; syscall; ret; 1: ret", [102], 0, 0),
    "lost in a call": ("mov $102, %eax; call 1f; syscall; ret; 1: ret", [], 1, 0),
    "from memory": ("mov (%rdi), %eax; syscall; ret", [], 1, 0),
    "in a loop": ("mov $35, %eax; 1: mov %eax, %ebx; syscall; mov %ebx, %eax; cmp $4, %edi; jne 1b; ret", [35], 0, 0),
    "a wrapper and its callers": ("mov $12, %edi; call 1f; mov $13, %edi; call 1f; ret; 1: mov %edi, %eax; syscall; ret", [12, 13], 0, 1),
    "a wrapper with an unknown caller": ("mov (%rdi), %edi; call 1f; ret; 1: mov %edi, %eax; syscall; ret", [], 1, 1),
    "a wrapper of a wrapper": ("mov $9, %esi; call 2f; ret; 2: mov %esi, %edi; call 1f; ret; 1: mov %edi, %eax; syscall; ret", [9], 0, 2),
    "a number on the stack of the caller": ("push $77; call 1f; pop %rcx; ret; 1: mov 8(%rsp), %rax; syscall; ret", [77], 0, 1),
    "a syscall inside an immediate is none": ("mov $0x050f, %eax; ret", [], 0, 0),
    "a flag from setcc does not disturb": ("mov $202, %eax; test %edi, %edi; setne %sil; syscall; ret", [202], 0, 0),
    "kept on the stack beside a vector": ("sub $40, %rsp; movq $39, (%rsp); movups %xmm15, 8(%rsp); mov (%rsp), %rax; syscall; ret", [39], 0, 0),
    "overwritten by a vector": ("sub $40, %rsp; movq $39, 8(%rsp); movups %xmm15, (%rsp); mov 8(%rsp), %rax; syscall; ret", [], 1, 0),
    "overwritten by an addition": ("sub $40, %rsp; movq $39, 8(%rsp); addq %rcx, 8(%rsp); mov 8(%rsp), %rax; syscall; ret", [], 1, 0),
    "a slot whose address is given away": ("sub $40, %rsp; movq $39, 8(%rsp); lea 8(%rsp), %rdi; call 1f; mov 8(%rsp), %rax; syscall; ret; 1: ret", [], 1, 0),
    "behind a call that does not return": ("mov $39, %ebx; test %edi, %edi; jne 2f; call 1f; 2: mov %ebx, %eax; syscall; ret; 1: ud2", [39], 0, 0),
    "16 bits written": ("mov $39, %eax; mov %cx, %ax; syscall; ret", [], 1, 0),
    "exchanged": ("mov $39, %eax; xchg %eax, %ecx; syscall; ret", [], 1, 0),
    "multiplied": ("mov $39, %eax; mul %ecx; syscall; ret", [], 1, 0),
}
ARM = {
    "a constant": ("mov x8, #172; svc #0; ret", [172], 0, 0),
    "the zero register": ("mov x8, xzr; svc #0; ret", [0], 0, 0),
    "through another register": ("mov w9, #93; mov w8, w9; svc #0; ret", [93], 0, 0),
    "one of two": ("mov w8, #56; cbz x0, 1f; mov w8, #57; 1: svc #0; ret", [56, 57], 0, 0),
    "kept on the stack": ("sub sp, sp, #16; mov w9, #64; str x9, [sp, #8]; ldr x8, [sp, #8]; svc #0; ret", [64], 0, 0),
    "a wrapper and its callers": ("mov x0, #24; bl 1f; mov x0, #25; bl 1f; ret; 1: mov x8, x0; svc #0; ret", [24, 25], 0, 1),
    "from memory": ("ldr x8, [x0]; svc #0; ret", [], 1, 0),
    "lost in a call": ("mov x8, #24; bl 1f; svc #0; ret; 1: ret", [], 1, 0),
    "changed by an addition": ("mov x8, #24; add x8, x8, x1; svc #0; ret", [], 1, 0),
}
for name, (text, *want) in X86.items():
    got = numbers(text.replace(";", "\n") + "\n", "x86_64-linux-gnu")
    check(f"x86-64: {name}", list(got) == want, (got, want))
for name, (text, *want) in ARM.items():
    got = numbers(text.replace(";", "\n") + "\n", "aarch64-linux-gnu")
    check(f"AArch64: {name}", list(got) == want, (got, want))
for path in ("/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/bin/python3", "/bin/bash", "/usr/bin/git"):
    if pathlib.Path(path).exists():
        compare(path)
sys.exit(bad > 0)
