#!/usr/bin/env python3
"""
The samples of secrets: tests/corpus/secret/samples.txt holds templates, so that no file in the repository looks like a secret; this expands them.

    secret_samples.load() -> [(id, sign, path, bytes)]      sign "+": the detector of that id must find it; "-": it must not
    secret_samples.py > out                                 the same for other programs: "ID SIGN PATH LENGTH\\n", the bytes, "\\n"
    secret_samples.py check BULKHEAD                        does the program find what it must, and nothing else?

A sample is the lines behind "+ " or "- " (further lines of it: "  "). <path NAME> names the file, else it is "file.txt". All other <words> are drawn, each from
a seed of its own (id, number of the sample, place), so that a sample is the same everywhere. Keys are made by the programs that make them elsewhere (openssl,
ssh-keygen, puttygen, gpg, age-keygen, htpasswd), once in a run, and are different each time; checksums by zlib.
"""
import base64
import functools
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "corpus", "secret", "samples.txt")

UPPER, LOWER, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
BASE36, BASE62 = DIGITS + LOWER, DIGITS + UPPER + LOWER
ALPHABETS = {
    "digits": DIGITS, "hex": DIGITS + "abcdef", "HEX": DIGITS + "ABCDEF", "az": LOWER, "AZ": UPPER, "letters": UPPER + LOWER, "az09": LOWER + DIGITS,
    "AZ09": UPPER + DIGITS, "alnum": UPPER + LOWER + DIGITS, "b64": UPPER + LOWER + DIGITS + "+/", "b64url": UPPER + LOWER + DIGITS + "-_", "b32": UPPER + "234567",
    "az27": LOWER + "234567", "crypt64": "./" + DIGITS + UPPER + LOWER, "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
}


class Drawn:
    """Bytes from a seed: SHA-256 in counter mode."""

    def __init__(self, seed):
        self.seed, self.n, self.left = seed, 0, b""

    def take(self, count):
        while len(self.left) < count:
            self.left += hashlib.sha256(f"{self.seed}/{self.n}".encode()).digest()
            self.n += 1
        out, self.left = self.left[:count], self.left[count:]
        return out

    def text(self, alphabet, count):
        return "".join(alphabet[int.from_bytes(self.take(4), "big") % len(alphabet)] for _ in range(count))


def digits_of(value, alphabet, width):
    out = ""
    while value:
        value, rest = divmod(value, len(alphabet))
        out = alphabet[rest] + out
    return out.rjust(width, alphabet[0])


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- tokens with a checksum ----

def github_token(draw, prefix):
    body = draw.text(ALPHABETS["alnum"], 30)
    return f"{prefix}_{body}{digits_of(zlib.crc32(body.encode()), BASE62, 6)}"


def gitlab_token(draw, prefix):
    payload = b64url(b"o:1\nu:" + digits_of(int.from_bytes(draw.take(3), "big"), BASE36, 1).encode() + b"\n" + draw.take(16))
    token = f"{prefix}-{payload}.01.{digits_of(len(payload), BASE36, 2)}"
    return token + digits_of(zlib.crc32(token.encode()), BASE36, 7)


def grafana_token(draw):
    head = "glsa_" + draw.text(ALPHABETS["alnum"], 32)
    return head + "_" + zlib.crc32(head.encode()).to_bytes(4, "little").hex()


def matrix_token(draw):
    head = "syt_" + base64.b64encode(b"alice").decode().rstrip("=") + "_" + draw.text(ALPHABETS["letters"], 20)
    return head + "_" + digits_of(zlib.crc32(head.encode()), DIGITS + LOWER + UPPER, 6)


def pypi_token(draw):
    return "pypi-" + b64url(b"\x02\x01\x08pypi.org\x02\x24" + str(uuid.UUID(bytes=draw.take(16))).encode() + b"\x00\x02\x2a[3,\"" + draw.take(60).hex().encode()[:36] + b"\"]" + b"\x00\x00\x06\x20" + draw.take(32))


def aws_key_id(draw, prefix="AKIA"):
    """Account 123456789012, as in AWS' own documentation."""
    head = ((123456789012 << 7) | (1 << 47) | 5).to_bytes(6, "big") + draw.take(4)
    return prefix + base64.b32encode(head).decode()


def jwt(draw, claims):
    head = b64url(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    text = head + "." + b64url(json.dumps(json.loads(claims), separators=(",", ":")).encode())
    return text + "." + b64url(hmac.new(draw.take(32), text.encode(), hashlib.sha256).digest())


def kubernetes_token(draw):
    head = b64url(json.dumps({"alg": "RS256", "kid": draw.text(ALPHABETS["b64url"], 43)}, separators=(",", ":")).encode())
    claims = {"aud": ["https://kubernetes.default.svc.cluster.local"], "exp": 1900000000, "iat": 1868464000, "iss": "https://kubernetes.default.svc.cluster.local",
              "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "build", "uid": str(uuid.UUID(bytes=draw.take(16)))}}, "sub": "system:serviceaccount:default:build"}
    return head + "." + b64url(json.dumps(claims, separators=(",", ":")).encode()) + "." + b64url(draw.take(256))


def bech32(draw, human, count):
    """BIP 173, as its reference implementation computes it."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        sum_ = 1
        for value in values:
            top = sum_ >> 25
            sum_ = (sum_ & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                sum_ ^= generator if top >> i & 1 else 0
        return sum_

    data = [byte & 31 for byte in draw.take(int(count))]
    low = human.lower()
    head = [ord(c) >> 5 for c in low] + [0] + [ord(c) & 31 for c in low]
    rest = polymod(head + data + [0] * 6) ^ 1
    return human + "1" + "".join(alphabet[v] for v in data + [rest >> 5 * (5 - i) & 31 for i in range(6)]).upper()


# ---- keys, by the programs that make them ----

def need(program):
    if not shutil.which(program):
        sys.exit(f"secret_samples: {program} is not installed: tools/setup")


def run(*command, given=b"", folder=None, env=None):
    need(command[0])
    done = subprocess.run(command, input=given, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"secret_samples: {' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


@functools.lru_cache(None)
def pem(kind):
    if kind == "rsa":
        return run("openssl", "genrsa", "-traditional", "2048").decode()
    if kind == "rsa-encrypted":
        return run("openssl", "rsa", "-traditional", "-aes128", "-passout", "pass:correct-horse", given=pem("rsa").encode()).decode()
    if kind == "ec":
        return run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout").decode()
    if kind == "pkcs8":
        return run("openssl", "genpkey", "-algorithm", "ed25519").decode()
    if kind == "pkcs8-rsa":
        return run("openssl", "genpkey", "-algorithm", "rsa").decode()
    if kind == "encrypted":
        return run("openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:correct-horse").decode()
    sys.exit(f"secret_samples: no PEM of kind {kind}")


def dsa():
    """OpenSSL 3 writes PKCS #8; the old form is its numbers in a sequence."""
    text = run("openssl", "dsa", "-noout", "-text", given=run("openssl", "dsaparam", "-genkey", "-noout", "1024")).decode()
    numbers = {name: int("".join(re.search(rf"^{name}:\s*((?:\n?\s+[0-9a-f:]+)+)", text, re.M).group(1).split()).replace(":", ""), 16) for name in ("priv", "pub", "P", "Q", "G")}
    body = b"".join(der_integer(n) for n in (0, numbers["P"], numbers["Q"], numbers["G"], numbers["pub"], numbers["priv"]))
    return armour("DSA PRIVATE KEY", b"\x30" + der_length(len(body)) + body)


def der_length(n):
    return bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")


def der_integer(n):
    body = n.to_bytes(n.bit_length() // 8 + 1, "big")
    return b"\x02" + der_length(len(body)) + body


def armour(label, data):
    text = base64.b64encode(data).decode()
    return f"-----BEGIN {label}-----\n" + "".join(text[i:i + 64] + "\n" for i in range(0, len(text), 64)) + f"-----END {label}-----\n"


@functools.lru_cache(None)
def openssh(kind, passphrase=""):
    with tempfile.TemporaryDirectory() as folder:
        run("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "sample", "-f", os.path.join(folder, "key"))
        return open(os.path.join(folder, "key"), encoding="ascii").read()


@functools.lru_cache(None)
def putty(version):
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "key")
        with open(name, "w", encoding="ascii") as f:
            f.write(openssh("ed25519"))
        os.chmod(name, 0o600)
        run("puttygen", name, "-o", name + ".ppk", "--ppk-param", f"version={version}")
        return open(name + ".ppk", encoding="ascii").read()


@functools.lru_cache(None)
def pgp():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        env = dict(os.environ, GNUPGHOME=folder)
        run("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key", "sample@example.org", "ed25519", env=env)
        text = run("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--armor", "--export-secret-keys", env=env).decode()
        subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False)
        return text


def java_keystore(certificate, with_key):
    """JKS, version 2, password "changeit": entries, then a SHA-1 of password, the words "Mighty Aphrodite" and all before. keytool -list reads it."""
    def text(value):
        return len(value).to_bytes(2, "big") + value

    def blob(value):
        return len(value).to_bytes(4, "big") + value

    date = (1700000000000).to_bytes(8, "big")
    chain = text(b"X.509") + blob(certificate)
    if with_key:
        body = b"\x00\x00\x00\x01" + text(b"key") + date + blob(Drawn("jks").take(700)) + b"\x00\x00\x00\x01" + chain
    else:
        body = b"\x00\x00\x00\x02" + text(b"ca") + date + chain
    store = b"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01" + body
    return store + hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()


@functools.lru_cache(None)
def keystore(kind):
    """PKCS #12 by openssl, JKS by its format; "trust-": certificates only."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key, name = (os.path.join(folder, n) for n in ("cert.pem", "key.pem", "store"))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=sample", "-days", "9000")
        if kind == "pkcs12":
            run("openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-passout", "pass:changeit", "-out", name)
        elif kind == "trust-pkcs12":
            run("openssl", "pkcs12", "-export", "-nokeys", "-in", certificate, "-passout", "pass:changeit", "-out", name)
        else:
            return java_keystore(run("openssl", "x509", "-in", certificate, "-outform", "DER"), kind == "jks")
        with open(name, "rb") as f:
            return f.read()


@functools.lru_cache(None)
def age():
    return re.search(r"AGE-SECRET-KEY-1\w+", run("age-keygen").decode()).group(0)


def crypt_hash(method):
    return run("openssl", "passwd", f"-{method}", "-salt", "saltsalt", "-stdin", given=b"correct-horse-battery\n").decode().strip()


@functools.lru_cache(None)
def bcrypt():
    return run("htpasswd", "-nbB", "alice", "correct-horse-battery").decode().split(":", 1)[1].strip()


def minisign(draw):
    """Layout of minisign's documentation: algorithm, KDF, checksum algorithm, salt, limits, key id, secret key, checksum."""
    return base64.b64encode(b"EdScB2" + draw.take(32) + (33554432).to_bytes(8, "little") + (1073741824).to_bytes(8, "little") + draw.take(8 + 64 + 32)).decode()


def as_json(text):
    return json.dumps(text)[1:-1]


MADE = {
    "github": github_token, "gitlab": gitlab_token, "grafana": grafana_token, "matrix": matrix_token, "pypi": pypi_token, "aws": aws_key_id, "jwt": jwt, "k8s-jwt": kubernetes_token,
    "minisign": minisign, "bech32": bech32,
    "uuid": lambda draw: str(uuid.UUID(bytes=draw.take(16), version=4)),
    "b64bytes": lambda draw, n: base64.b64encode(draw.take(int(n))).decode(),
    "b64of": lambda draw, text: base64.b64encode(text.encode()).decode(),
    "b64urlof": lambda draw, text: b64url(text.encode()),
    "lines": lambda draw, n, alphabet, width: "\n".join(draw.text(ALPHABETS[alphabet], int(width)) for _ in range(int(n))),
    "pem": lambda draw, kind: dsa() if kind == "dsa" else pem(kind),
    "pem-json": lambda draw, kind: as_json(pem(kind)),
    "pem-empty": lambda draw, label: f"-----BEGIN {label.replace('_', ' ')}-----\n-----END {label.replace('_', ' ')}-----\n",
    "pem-random": lambda draw, label: armour(label.replace("_", " "), draw.take(96)),
    "pem-begin": lambda draw, label: f"-----BEGIN {label.replace('_', ' ')}-----",
    "pem-b64": lambda draw, kind: base64.b64encode(pem(kind).encode()).decode(),
    "openssh": lambda draw, kind: openssh(kind),
    "openssh-encrypted": lambda draw, kind: openssh(kind, "correct-horse"),
    "putty": lambda draw, version: putty(version),
    "pgp": lambda draw: pgp(),
    "age": lambda draw: age(),
    "keystore": lambda draw, kind: keystore(kind).decode("latin-1"),
    "crypt": lambda draw, method: crypt_hash(method),
    "bcrypt": lambda draw: bcrypt(),
    "byte": lambda draw, value: chr(int(value, 16)),
    "split": lambda draw: "",
}


def expand(template, seed):
    """The innermost <...> first, so that words nest: <b64of user:<alnum 12>>."""
    place = 0
    while True:
        match = next((m for m in re.finditer(r"<([A-Za-z0-9-]+)((?: [^<>]*)?)>", template) if m.group(1) in ALPHABETS or m.group(1) in MADE), None)
        if not match:
            return template
        draw, name, given = Drawn(f"{seed}/{place}"), match.group(1), match.group(2)[1:]
        if name in ALPHABETS:
            value = draw.text(ALPHABETS[name], int(given))
        elif name in ("jwt", "b64of", "b64urlof"):
            value = MADE[name](draw, given)
        else:
            value = MADE[name](draw, *given.split())
        template = template[:match.start()] + value + template[match.end():]
        place += 1


def bytes_of(text):
    """Keystores are bytes in Latin 1; the rest is ASCII or UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def templates(name=SAMPLES):
    """[(id, sign, template)]"""
    out, which = [], None
    with open(name, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("== "):
                which = line[3:]
            elif line[:2] in ("+ ", "- "):
                out.append([which, line[0], line[2:]])
            elif line.startswith("  ") and out:
                out[-1][2] += "\n" + line[2:]
            elif line and not line.startswith("#"):
                sys.exit(f"{name}:{number}: neither a comment nor a sample: {line}")
    return out


def load(name=SAMPLES):
    out = []
    counts = {}
    for which, sign, template in templates(name):
        counts[which] = counts.get(which, 0) + 1
        path = "file.txt"
        named = re.match(r"<path ([^<>]+)> ?", template)
        if named:
            path, template = named.group(1), template[named.end():]
        template = template.replace("\\n", "\n").replace("\\t", "\t")
        out.append((which, sign, path, bytes_of(expand(template, f"{which}/{counts[which]}") + "\n") if not template.startswith("<keystore") else bytes_of(expand(template, which))))
    return out


def found(program, folder):
    """{first folder of the path: ids}: what the program finds under folder."""
    done = subprocess.run([program, "scan", "--scanners", "secret", "--no-cache", "-f", "json", f"dir:{folder}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if not done.stdout:
        sys.exit(done.stderr.decode(errors="replace"))
    report, out = json.loads(done.stdout), {}
    for finding in report["findings"]:
        for path in finding["paths"]:
            out.setdefault(path.strip("/").split("/")[0], set()).add(finding["id"])
    return out


def check(program):
    """Every detector has samples of both signs, and finds those that it must only; ids are in order. The templates themselves look like no secret."""
    with open(os.path.join(HERE, "..", "..", "src", "secret", "detectors.def"), encoding="utf-8") as f:
        ids = re.findall(r'^DETECTOR\("([a-z0-9-]+)", ', f.read(), re.M)
    samples = load()
    known = {(which, sign) for which, sign, _, _ in samples}
    wrong = [f"{name}: not in order, or twice" for name, last in zip(ids[1:], ids) if name <= last]
    wrong += [f"{name}: no sample with {sign}" for name in ids for sign in "+-" if (name, sign) not in known]
    wrong += [f"{name}: samples of no detector" for name in sorted({which for which, _ in known}) if name not in ids]
    wrong += ["fewer than 200 detectors"] if len(ids) < 200 else []
    with tempfile.TemporaryDirectory() as folder:
        for number, (_, _, path, data) in enumerate(samples):
            name = os.path.join(folder, str(number), path)
            os.makedirs(os.path.dirname(name))
            with open(name, "wb") as f:
                f.write(data)
        seen = found(program, folder)
    wrong += [f"{which} {sign}: found {sorted(seen.get(str(n), []))} in {data[:120]!r}" for n, (which, sign, _, data) in enumerate(samples) if (which in seen.get(str(n), ())) != (sign == "+")]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(SAMPLES, folder)
        wrong += [f"the templates themselves: {ids}" for ids in found(program, folder).values()]
    print("\n".join(wrong) or f"{len(ids)} detectors, {len(samples)} samples")
    return 1 if wrong else 0


def main():
    if sys.argv[1:2] == ["check"]:
        sys.exit(check(os.path.abspath(sys.argv[2])))
    for which, sign, path, data in load():
        sys.stdout.buffer.write(f"{which} {sign} {path} {len(data)}\n".encode() + data + b"\n")


if __name__ == "__main__":
    main()
