#!/usr/bin/env python3
"""guard GUARD SUITE [short]: the agent on the kernel of a suite of Debian's, in a machine that QEMU makes: a small first file system with the agent, busybox and tests/vm/init, which tells what it found as TAP."""
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests"))
SECONDS = 600
MODULES = ["overlay"]


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def run(*argv, **kw):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True, **kw).stdout


class Apt:
    """apt over a suite of the machine's own mirror, with lists of its own: nothing is installed, nothing of the machine's changes."""

    def __init__(self, suite, folder):
        mirror = run(ROOT / "tools/debian-mirror").strip()
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb {mirror} {suite} main\n")
        self.options = ["-qq"] + [part for option in (f"Dir::State={folder}/state", f"Dir::Cache={folder}/cache", f"Dir::Etc::SourceList={folder}/sources.list", "Dir::Etc::SourceParts=/dev/null",
                                                      "Dir::State::status=/dev/null", "APT::Sandbox::User=root") for part in ("-o", option)]
        self("apt-get", "update")

    def __call__(self, program, *argv, **kw):
        return run(program, *self.options, *argv, **kw)


def kernel(suite):
    """The kernel that a suite's linux-image-amd64 stands for, unpacked."""
    known = CACHE / "kernels" / suite
    if not (known / "boot").exists():
        known.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=known.parent) as work:
            apt = Apt(suite, pathlib.Path(work) / "apt")
            package = re.search(r"Depends: (linux-image-\d\S+)", apt("apt-cache", "depends", "linux-image-amd64")).group(1)
            apt("apt-get", "download", package, cwd=work)
            run("dpkg-deb", "-x", next(pathlib.Path(work).glob("*.deb")), f"{work}/x")
            os.rename(f"{work}/x", known)
    return known


def libraries(program):
    return re.findall(r"(/\S+) \(0x", run("ldd", program))


def first_files(guard, kernel_folder, work):
    top = work / "first"
    for folder in ("bin", "modules"):
        (top / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), top / "bin/busybox")
    shutil.copy(guard, top / "bin/bulkhead-guard")
    run("gcc", "-static", "-O1", "-o", top / "bin/deeds", ROOT / "tests/live/guard/deeds.c")
    for library in libraries(guard):
        to = top / library.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, to)
    for name in MODULES:
        module = next(kernel_folder.glob(f"lib/modules/*/kernel/**/{name}.ko*"))
        data = module.read_bytes()
        (top / "modules" / f"{name}.ko").write_bytes(lzma.decompress(data) if module.suffix == ".xz" else data)
    for name in ("init", "rules.yaml", "policies.yaml", "monitor.yaml"):
        shutil.copy(HERE / name, top / name)
    (top / "init").chmod(0o755)
    archive = work / "first.cpio"
    run("bsdtar", "-c", "-f", archive, "--format", "newc", "--uid", "0", "--gid", "0", "-C", top, ".")
    return archive


def main():
    guard = os.path.abspath(sys.argv[1])
    if os.uname().machine != "x86_64":
        skip("the test machine is x86-64")
    for program in ("qemu-system-x86_64", "busybox", "bsdtar", "gcc"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    try:
        folder = kernel(sys.argv[2])
    except (subprocess.CalledProcessError, AttributeError) as e:
        skip(f"no kernel of {sys.argv[2]} to be had: {str(getattr(e, 'stderr', e))[-200:]}".replace("\n", " "))
    with tempfile.TemporaryDirectory(prefix="bh-vm-") as work:
        archive = first_files(guard, folder, pathlib.Path(work))
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024", "-smp", "2", "-nographic", "-no-reboot", "-net", "none", "-kernel", next(folder.glob("boot/vmlinuz-*")), "-initrd", archive,
                "-append", "console=ttyS0 quiet panic=-1 lsm=landlock,lockdown,yama,bpf " + " ".join(sys.argv[3:])]
        try:
            done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace", timeout=SECONDS, stdin=subprocess.DEVNULL)
            out = done.stdout + done.stderr
        except subprocess.TimeoutExpired as e:
            out = (e.stdout or b"").decode(errors="replace") + f"\nnot ok 999 - the machine is done within {SECONDS} s\n"
    lines = [line.strip("\r") for line in out.replace("\r\n", "\n").split("\n")]
    told = [line for line in lines if re.match(r"(not )?ok \d+ - |1\.\.\d+$|# ", line)]
    print("\n".join(told))
    if not any(line.startswith("1..") for line in told):
        print("\n".join("# " + line for line in lines[-40:]))
        print("Bail out! the machine did not come to its end")


if __name__ == "__main__":
    main()
