"""Small ELF files for tests: sections and segments with given content, of either width and byte order, with or without section headers.

As a program: elf_file.py SECTION=FILE... > OUT writes one little-endian 64-bit file.
"""
import struct
import sys

BASE = 0x400000


def elf(sections, wide=True, big=False, headers=True, upx=False):
    """sections: (name, bytes). All content lies in one writable loaded segment at BASE, in order, each aligned to 16 bytes."""
    e = ">" if big else "<"
    head, seg = (64, 56) if wide else (52, 32)
    body, places = b"", []
    names = b"\0"
    start = head + seg + (16 if upx else 0)
    start += -start % 16
    for name, content in sections:
        body += b"\0" * (-len(body) % 16)
        places.append((len(names), 1, start + len(body), len(content)))
        names += name.encode() + b"\0"
        body += content
    places.append((len(names), 3, start + len(body), 0))
    names += b".shstrtab\0"
    places[-1] = places[-1][:3] + (len(names),)
    table_at = start + len(body) + len(names) if headers else 0
    n = len(places) + 1 if headers else 0
    word = "Q" if wide else "I"
    out = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + b"\0" * 9
    out += struct.pack(e + "HHI" + word * 3 + "IHHHHHH", 2, 62 if wide else 8, 1, BASE, head, table_at, 0, head, seg, 1, 64 if wide else 40, n, n - 1 if n else 0)
    size = len(body)
    if wide:
        out += struct.pack(e + "IIQQQQQQ", 1, 6, start, BASE, BASE, size, size, 16)
    else:
        out += struct.pack(e + "IIIIIIII", 1, start, BASE, BASE, size, size, 6, 16)
    if upx:
        out += struct.pack("<I", 0) + b"UPX!" + b"\0" * 8
    out += b"\0" * (start - len(out)) + body
    if not headers:
        return out
    out += names
    for name, kind, at, length in [(0, 0, 0, 0)] + places:
        flags, address = (3, BASE + at - start) if kind == 1 else (0, 0)
        out += struct.pack(e + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"), name, kind, flags, address, at, length, 0, 0, 1 if kind else 0, 0)
    return out


def note(owner, kind, content, big=False):
    owner = owner.encode() + b"\0"
    pad = lambda b: b + b"\0" * (-len(b) % 4)
    return struct.pack(">III" if big else "<III", len(owner), len(content), kind) + pad(owner) + pad(content)


MAGIC = b"\xff Go buildinf:"
MARKS = bytes.fromhex("3077af0c9274080241e1c107e6d618e6"), bytes.fromhex("f932433186182072008242104116d8f2")


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def go_inline(version, modules):
    """Build information of Go 1.18 and later: strings behind the header."""
    text = MARKS[0] + modules.encode() + MARKS[1] if modules else b""
    return MAGIC + bytes([8, 2]) + b"\0" * 16 + varint(len(version)) + version.encode() + varint(len(text)) + text


def go_pointers(version, modules, wide=True, big=False):
    """Of Go 1.13 to 1.17: (name, content) of two sections; the header points to strings, which point to text. For elf() as is."""
    e, word = (">" if big else "<"), 8 if wide else 4
    p = lambda n: n.to_bytes(word, "big" if big else "little")
    text = MARKS[0] + modules.encode() + MARKS[1]
    strings = BASE + 32
    data = strings + 4 * word
    content = p(data) + p(len(version)) + p(data + len(version)) + p(len(text)) + version.encode() + text
    header = MAGIC + bytes([word, 1 if big else 0]) + p(strings) + p(strings + 2 * word)
    return [(".go.buildinfo", header.ljust(32, b"\0")), (".data", content)]


if __name__ == "__main__":
    sys.stdout.buffer.write(elf([(s.split("=")[0], open(s.split("=", 1)[1], "rb").read()) for s in sys.argv[1:]]))
