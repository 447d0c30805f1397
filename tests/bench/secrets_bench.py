"""The search for secrets over a real tree: end to end beside the bare pass of vectorscan, gitleaks and secretlint, in bytes per second of processor time."""
import json
import os
import pathlib
import shutil
import subprocess

GITLEAKS = "github.com/zricethezav/gitleaks/v8@v8.30.0"
SECRETLINT = ["secretlint@13", "@secretlint/secretlint-rule-preset-recommend@13"]
NODE_MODULES = ["webpack@5", "react@18", "typescript@5", "aws-sdk@2", "googleapis@140", "@babel/core@7", "eslint@8", "next@14"]


def size(folder):
    return sum(p.lstat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file() and not p.is_symlink())


def tree(cache):
    """Installed packages of npm and this machine's /usr/share and /usr/lib/python3: what images are made of."""
    folder = cache / "secrets-tree"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "node").mkdir(parents=True)
        subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", *NODE_MODULES], cwd=folder / "node", check=True)
        for part in ("usr/share/doc", "usr/share/perl", "usr/lib/python3", "usr/include", "usr/bin", "usr/sbin"):
            if os.path.isdir("/" + part):
                shutil.copytree("/" + part, folder / "debian" / part, symlinks=True, ignore_dangling_symlinks=True)
        (folder / "done").touch()
    return folder


def gitleaks(cache):
    program = cache / "gitleaks-8.30.0"
    if not program.exists():
        made = subprocess.run(["go", "mod", "download", "-json", GITLEAKS], check=True, stdout=subprocess.PIPE, cwd="/tmp", env=dict(os.environ, GOFLAGS="-mod=mod"))
        subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=json.loads(made.stdout)["Dir"])
    return program


def secretlint(cache):
    folder = cache / "secretlint-13"
    if not (folder / "node_modules/.bin/secretlint").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *SECRETLINT], cwd=folder, check=True)
    (folder / ".secretlintrc.json").write_text(json.dumps({"rules": [{"id": "@secretlint/secretlint-rule-preset-recommend"}]}))
    return folder


def run(row, cpu, bulkhead, floor, cache):
    """cpu(command) -> wall and processor seconds; floor: the program that searches the same files in memory with vectorscan alone."""
    folder = tree(cache)
    total = size(folder)

    def rate(seconds):
        return f"{total / seconds / 1e9:.2f} GB/s"

    _, ours = cpu([bulkhead, "scan", "--scanners", "secret", "--no-cache", "--fail-on", "never", "-f", "json", f"rootfs:{folder}"])
    bare = json.loads(subprocess.run([floor, folder], check=True, stdout=subprocess.PIPE).stdout)
    row(f"secrets, {total / 1e9:.2f} GB in files, end to end", rate(ours), f"vectorscan alone {rate(bare['seconds'])}", f"{ours / bare['seconds']:.2f}x", ">= 0.5 GB/s per core")
    try:
        program = gitleaks(cache)
        _, theirs = cpu([program, "dir", folder, "--no-banner", "--exit-code", "0", "-l", "error", "-r", "/dev/null", "-f", "json"])
        row("  the same tree", rate(ours), f"gitleaks 8.30 {rate(theirs)}", f"{theirs / ours:.1f}x", "")
    except (OSError, subprocess.CalledProcessError) as why:
        print(f"gitleaks can't be had here: {why}")
    try:
        lint = secretlint(cache)
        part = folder / "node/node_modules/typescript"
        _, theirs = cpu(["sh", "-c", f"cd {lint} && node_modules/.bin/secretlint --no-gitignore '{part}/**/*' >/dev/null 2>&1; true"])
        _, small = cpu([bulkhead, "scan", "--scanners", "secret", "--no-cache", "--fail-on", "never", "-f", "json", f"rootfs:{part}"])
        row(f"  typescript alone, {size(part) / 1e6:.0f} MB", f"{small:.2f} s", f"secretlint 13 {theirs:.2f} s", f"{theirs / small:.1f}x", "")
    except (OSError, subprocess.CalledProcessError) as why:
        print(f"secretlint can't be had here: {why}")
