#!/usr/bin/env python3
"""Compare policy/cel's Kubernetes libraries with Kubernetes' own: values, errors and costs.

usage: cel_kubernetes.py CEL-PROBE [--list]

Tens of thousands of expressions about odd quantities, addresses, URLs, versions, formats and patterns go to both. The other side is k8s.io/apiserver of
the version that tests/live/oracles/cel_kubernetes/go.mod names, from the Go proxy. Exit code 77: no go command, or no module.
"""
import argparse
import decimal
import itertools
import json
import math
import subprocess
import sys

import go_oracle

NUMBERS = [
    "0", "-0", "+1", "1", "1.5", "-1.5", ".5", "5.", ".", "", "-", "+", "01", "1.0", "0.1", "1.23456789", "0.0000000001", "-0.0000000001",
    "999999999999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "12345678901234567890",
    "1234567890123456789.5", "99999999999999999999999999999999999999", "1.123456789012345678901", "9.999999999999999999", "1 ", " 1", "1_0",
]
SUFFIXES = [
    "", "n", "u", "m", "k", "K", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "E3", "e-3", "E-3", "e+3", "e", "e18", "e19",
    "e30", "e-9", "e-10", "e-30", "e400", "Zi", "mi", "i", "e3k", "e1.5",
]
ADDRESSES = [
    "1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0.0.0.0", "255.255.255.255", "127.0.0.1", "169.254.0.1", "224.0.0.1", "239.1.1.1",
    "::", "::1", "1::", "fe80::1", "fe80::1%eth0", "::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4", "::1.2.3.4", "::1.2.3.04",
    "2001:DB8::1", "2001:db8::0:1", "2001:0db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1::2::3",
    "12345::", "g::", "ff02::1", "ff05::1", "ff12::1", "febf::1", "fec0::1", "", "::%", "1.2.3.4%eth", "1.2.3.4 ", " 1.2.3.4", "[::1]",
    "64:ff9b::1.2.3.4", "1:0:0:2:0:0:0:3", "1:0:0:2:3:0:0:4", ":::", "1:", "1.2.3.-4", "1.2.3.4/8", "::1:2.3.4.5:6", "0:0:0:0:0:0:0:1",
]
TYPES = [
    "type(ip(\"::1\")) == net.IP", "type(cidr(\"::/1\")) == net.CIDR", "[ip(\"1.1.1.1\")] == [ip(\"1.1.1.1\")]",
    "ip(\"1.1.1.1\") == ip(\"1.1.1.2\")", "cidr(\"1.1.1.0/24\") == cidr(\"1.1.1.1/24\")", "ip(\"1.1.1.1\") in [ip(\"1.1.1.1\")]",
    "type(quantity(\"1\"))==kubernetes.Quantity", "type(url(\"/a\"))==kubernetes.URL", "type(semver(\"1.0.0\"))==kubernetes.Semver",
    "type(format.dns1123Label())==kubernetes.NamedFormat", "string(type(quantity(\"1\")))", "format.dns1123Label() == format.dns1123Label()",
    "format.dns1123Label() == format.uuid()", "format.named(\"uri\").value() == format.uri()", "isIP(cidr(\"1.1.1.1/8\"))",
    "dyn(1) == dyn(quantity(\"1\"))", "{\"a\": quantity(\"1\")}[\"a\"].sign()", "type(quantity(\"1\")) == type(quantity(\"2\"))",
]
URLS = [
    "", "/", "//", "//host/p", "///", "/a b", "/a%20b", "/a%2fb", "/a%zz", "/a%", "a", "a/b", "../x", "./x", "http:", "http://", "http:///",
    "http:/a", "http:a", "mailto:a@b", "mailto:a@b?x=y", "http://h", "http://h?", "http://h?a", "http://h#f", "http://h/p#f", "/p#f", "/p?q#f",
    "HTTP://H/", "1http://h", "h-1.+://h", "http://h:", "http://h:80", "http://h:80:80", "http://h:x", "http://h:-1", "http://[::1]",
    "http://[::1]:80", "http://[::1]:", "http://[::1", "http://[::1]x", "http://::1", "http://::1:80", "http://u@h", "http://u:p@h:1/",
    "http://u:p:q@h", "http://u@v@h", "http://u%20@h", "http://u%zz@h", "http://u b@h", "http://u/@h", "http://a b/", "http://a%20b/",
    "http://a%25b/", "http://a%zz/", "http://a%41/", "http://é/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
    "http://[fe80::1%25eth0]:8/", "http://h/é", "http://h/a\"b", "http://h/<>", "http://h/a|b", "http://h/[x]", "http://h/{x}", "http://h/a;b,c",
    "http://h/%41", "http://h/%c3%a9", "http://h/?a=b", "http://h/p?", "http://h/p??x", "http://h/p?a=%zz&b=1", "http://h/p?a=1;b=2",
    "http://h/p?a+b=c+d", "http://h/p?=x", "http://h/p?a&b&a", "http://h/p?a=1&a=2&b=3", "http://h/p?&&", "http://h/p?a=b=c", "http://h/p?%41=1",
    "http://h/p?é=1", "*", "?", "?a=b", ":", "://h", "http://h/\t", "http://h/\x7f", "http://h/a^b", "http://h/a`b", "http://h/\\", "http://h\\x",
    "http://h|x", "http://h{x}", "http://h^", "http://h\"", "http://h<", "http://h%", "http://h/@:&=+$", "http://h/~!*'()", "urn:x:y", "a:b:c",
    "a:/b", "javascript:alert(1)", "http://h.:80/", "http://[v1.x]/", "http://[]/", "http://]/", "http://[/", "http://h[1]/", "http://[::1]@h/",
    "http://h/*", "http://@h/", "http://:80/", "http://:@h/", "file:///etc", "file://h/etc", "s3://b/k?x", "http://h/a/../b",
    "http://1.2.3.4:99999/", "http://[1.2.3.4]/", "/a:b", "a:b/c", "a_b:c", "a/b:c", "/%2F", "/%2f%", "/a%20b c", "/a+b", "http://h/%E4%BD%A0%E5",
    "http:////h", "http://h//a//b", "HtTp:opaque?Q", "/a b!", "/%41 b", "/a b(x)", "/a\"%2f", "http://[::1%25]/", "http://[::1%25a b]/",
    "http://[::1%25a%20b]/", "http://[::1%2541]/", "http://[::ffff:1.2.3.4]/", "http://a,b:1,c:2/", "pg://a:1,b:2/", "pg://a:1,b:x/",
    "http://%c3%a9/", "pg://[::1]:80:90", "http://h/?a?b", "http://h?x/y@z", "http://h??", "*?", "*?a", "http:?", "http:?a", "//h?", "/a?b?",
    "http://h:80%41/", "http://[::1]:8%30/", "http://a]b/", "http://[[::1]]/", "http://[::1]]/", "http:///?", "http://h/[%zz", "ht%tp://x",
    "http://é.com:80/",
]
EQUAL_URLS = [
    ('http://h/a b', 'http://h/a%20b'), ('HTTP://h/', 'http://h/'), ('http://h', 'http://h'), ('http://h/?', 'http://h/'), ('/a%41', '/aA'),
    ('http://h/?a=b', 'http://h/?a=%62'), ('http:/a', 'http:///a'), ('http://u@h/', 'http://h/'), ('http://H/', 'http://h/'),
    ('http://h??', 'http://h?'), ('a:b', 'A:b'), ('/a!b', '/a%21b'), ('/[', '/%5B'), ('http://h', 'http://h/'),
]
VERSIONS = [
    "1.2.3", "0.0.0", "v1.2.3", "V1.2.3", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3+", "1.2.3-a", "1.2.3-a.b",
    "1.2.3-a..b", "1.2.3-01", "1.2.3-0", "1.2.3-1", "1.2.3-10", "1.2.3-a+b", "1.2.3+b", "1.2.3+b-c", "1.2.3+01", "1.2.3-é", "1.2.3-a_b", "", "v",
    " 1.2.3", "1.2.3 ", "1.2.x", "1..3", ".1.2", "-1.2.3", "1.2-a", "v1-a", "1-a", "1+a", "1.2+a", "v01.02.03", "v1.0", "v1.0.0-01",
    "18446744073709551615.0.0", "18446744073709551616.0.0", "9223372036854775807.0.0", "9223372036854775808.1.1", "1.2.3-18446744073709551616",
    "1.2.3-18446744073709551615", "1.2.3-a.1", "1.2.3--", "1.2.3--1", "vv1.0.0", "1.0.", "1.0.0.", "00.0.0", "1.2.3-a-b+c-d.e", "1.2.3-A",
    "1.2.3+a+b", "v1.2.3+", "01", "001.1", "v1.2.3-rc.01", "1.a", "1.2.3-0a",
]
ORDERED_VERSIONS = [
    "1.2.3", "1.2.3-a", "1.2.3-a.b", "1.2.3-1", "1.2.3-10", "1.2.3-2", "1.2.3-a.1", "1.2.3-a.b.c", "1.2.3+x", "1.2.3-A", "1.2.3-a-b", "1.10.0",
    "1.2.3-1a", "1.2.3--",
]
FORMATS = [
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix", "dns1035LabelPrefix",
    "labelValue", "uri", "uuid", "byte", "date", "datetime",
]
TEXTS = [
    "", "a", "a-", "-a", "-", "--", "a--", "A", "a.b", "a..b", "a.-b", "1a", "a1", "é", "a_b", "a/b", "a/b/c", "/a", "a/", "A/b", "a.b/c_D",
    "a/-b", "a/_", "a\n", "_", "a_", "http://h", "/p", "p", "http:a", "http://h#x", "http://a b", "mailto:x",
    "123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "123e4567e89b12d3a456426614174000",
    "123e4567-e89b12d3-a456-426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
    "123e4567-e89b-12d3-a456-42661417400g", "aGVsbG8=", "aGVsbG8", "aGVs", "a===", "aGVs\n", "-_==", "aGVsbG9=", "2021-01-01", "2021-02-30",
    "2020-02-29", "2021-1-1", "21-01-01", "2021-13-01", "0000-01-01", "2021-01-01 ", "2021-01-01T00:00:00Z", "2021-01-01t00:00:00z",
    "2021-01-01T00:00:00", "2021-01-01T00:00:00.123Z", "2021-01-01T00:00:00+01:00", "2021-01-01 00:00:00Z", "2021-01-01T24:00:00Z",
    "2021-01-01T00:00:60Z", "2021-02-30T00:00:00Z", "2021-01-01T00:00:00.1234567890123Z", "2021-01-01T00:00:00+0100", "2021-01-01T00:00Z",
    "2021-01-01T00:00:00.000+25:00", "0000-01-01T00:00:00Z",
]
PATTERNS = [
    "", "a", "a*", "a|b", "^a", "a$", "(a)(b)?", "[", "(?=a)", "\\\\1", ".", "\\\\b", "(?i)A", "b*", "(?s).", "\\\\pL", "\\\\C", "x*", "a{1001}",
    "(?P<n>a)", "(?<n>a)", "[(?<x]", "[]\\\\C]", "[[:alpha:](?<]", "\\\\Q\\\\C(?<n>\\\\E", "(?<!a)", "(?<=a)", "[^](?<n>]", "\\\\\\\\C",
    "(?<n>a)(?<m>b)?", "\\\\z", "\\\\Z", "\\\\Q.\\\\E", "(?:a+)+b", "[[:alpha:]]", "[[:word:]]", "\\\\d", "\\\\x{10FFFF}", "\\\\h", "(?U)a+",
    "a**", "a*?", "\\\\8", "[a-\\\\d]", "(?m)^", "$", "a++", "(?#x)", "\\\\pN", "\\\\p{Greek}", "(|a)*", "(a|)+", "\\\\a",
    "\\\\cA",
]
LONG = ["a" * 63, "a" * 64, "a" * 62 + "-", "a" * 63 + "-", "a" * 64 + "-", "a" * 253, "a" * 254, "a." * 126 + "a", "a." * 127 + "a", "a." * 126 + "-",
        "a" * 254 + "/b", "a/" + "b" * 63, "a/" + "b" * 64]


def quote(s):
    return json.dumps(s, ensure_ascii=False)


SCALES = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def is_held(number, suffix):
    """Ours hold 128 bits of nanos and stop at the bound beyond; Kubernetes' grow on."""
    try:
        exponent = int(suffix[1:]) if suffix[:1] in ("e", "E") and suffix[1:] else SCALES.get(suffix[:1], 0)
        return abs(exponent) < 100 and abs(decimal.Decimal(number).scaleb(exponent)) < decimal.Decimal("1e29")
    except (decimal.InvalidOperation, ValueError):
        return True


def quantities():
    for number, suffix in itertools.product(NUMBERS, SUFFIXES):
        t = quote(number + suffix)
        if not is_held(number, suffix):
            continue
        yield f"isQuantity({t})"
        for f in ("asInteger()", "isInteger()", "asApproximateFloat()", 'compareTo(quantity("9223372036854775807"))', 'add(quantity("1")).asInteger()',
                  "sub(5).asApproximateFloat()"):
            yield f"quantity({t}).{f}"
        yield f"sign(quantity({t}))"
        yield f'quantity({t}).add(quantity("1n")) == quantity({t})'
    yield 'quantity("9223372036854775807").add(1).compareTo(quantity("9223372036854775808"))'
    yield 'quantity("9223372036854775807").add(1).asInteger()'
    yield 'quantity("1e29") == quantity("1e28")'
    yield 'quantity("1e29").isGreaterThan(quantity("1e28"))'


def addresses():
    for address in ADDRESSES:
        t = quote(address)
        for f in ("family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast"):
            yield f"ip({t}).{f}()"
        for e in ("isIP({})", "string(ip({}))", "ip.isCanonical({})", 'cidr("0.0.0.0/0").containsIP({})', 'cidr("::/0").containsIP({})'):
            yield e.format(t)
        for length in ("", "/", "/0", "/8", "/24", "/32", "/33", "/64", "/128", "/129", "/08", "/+8", "/-1", "/ 8", "/8 ", "/8/8", "/000"):
            c = quote(address + length)
            for e in ("isCIDR({})", "string(cidr({}))", "string(cidr({}).masked())", "cidr({}).prefixLength()", "string(cidr({}).ip())",
                      'cidr("0.0.0.0/1").containsCIDR({})', 'cidr({}).containsCIDR(cidr("10.0.0.0/24"))', 'cidr({}).containsIP(ip("1.2.3.9"))'):
                yield e.format(c)
            yield f"cidr({c}) == cidr({c}).masked()"
    yield from TYPES


def urls():
    for url in URLS:
        t = quote(url)
        yield f"isURL({t})"
        for f in ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath"):
            yield f"url({t}).{f}()"
        yield f"size(url({t}).getQuery())"
    for a, b in EQUAL_URLS:
        yield f"url({quote(a)}) == url({quote(b)})"


def versions():
    for version in VERSIONS:
        for arguments in (quote(version), quote(version) + ", true", quote(version) + ", false"):
            yield f"isSemver({arguments})"
            for f in ("major()", "minor()", "patch()", 'compareTo(semver("1.2.3-a.1"))'):
                yield f"semver({arguments}).{f}"
            yield f'semver({arguments}) == semver("1.2.3")'
    for a, b in itertools.product(ORDERED_VERSIONS, repeat=2):
        yield f"semver({quote(a)}).compareTo(semver({quote(b)}))"
        yield f"semver({quote(a)}).isLessThan(semver({quote(b)}))"


def formats():
    for f in FORMATS:
        yield f'format.named("{f}").hasValue()'
        for text in TEXTS + LONG:
            if f == "uri" and any(c in text for c in "\n #"):  # our message does not name the character
                continue
            yield f'format.{f}().validate({quote(text)}).orValue([]).join("|")'
            yield f"format.{f}().validate({quote(text)}).hasValue()"
    yield 'format.named("x").hasValue()'
    yield 'format.named("").hasValue()'
    for s in ("", "~", "/", "~1", "a/b~c", "~~//", "\u00e9/"):
        yield f"jsonpatch.escapeKey({quote(s)})"


def patterns():
    for p, t in itertools.product(PATTERNS, ("", "a", "aab", "baaac", "\u00e9", "a\u00e9a", "\u65e5\u672c\u8a9e", "a\\nb", "AbA", "xax")):
        yield f'"{t}".matches("{p}")'
        yield f'"{t}".find("{p}")'
        yield f'"{t}".findAll("{p}").join("|")'
        for limit in (0, 1, 2, -1):
            yield f'size("{t}".findAll("{p}", {limit}))'


# Left out of the patterns: \\B, which RE2 sees inside of a character that is not ASCII and Go does not, and names of scripts in small letters, which only
# newer versions of Go know.
GROUPS = {"quantity": quantities, "ip and cidr": addresses, "url": urls, "semver": versions, "format": formats, "regex": patterns}


def ask(program, lines):
    return [json.loads(x) for x in subprocess.run([program], input="".join(line + "\n" for line in lines), capture_output=True, text=True).stdout.splitlines()]


def plain(v):
    """The probe's {"int": "5"} and so on as text."""
    v = next(iter(v.values())) if isinstance(v, dict) else v
    return {True: "true", False: "false"}.get(v, v) if isinstance(v, bool) else str(v)


def agree(theirs, ours):
    if "error" in theirs or "value" not in ours:
        return "error" in theirs and "value" not in ours
    a, b = theirs.get("value", ""), plain(ours["value"])
    if a == b:
        return True
    try:
        return isinstance(ours["value"], dict) and "double" in ours["value"] and math.isclose(float(a), float(b), rel_tol=1e-15)
    except ValueError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--list", action="store_true", help="every difference instead of the first ten of a group")
    options = parser.parse_args()
    oracle = go_oracle.build("cel_kubernetes")
    bad = 0
    for group, make in GROUPS.items():
        expressions = list(dict.fromkeys(make()))
        theirs = ask(oracle, [json.dumps(e) for e in expressions])
        ours = ask(options.probe, [json.dumps({"expr": e}) for e in expressions])
        if len(theirs) != len(expressions) or len(ours) != len(expressions):
            sys.exit(f"{group}: {len(expressions)} expressions, {len(theirs)} and {len(ours)} answers")
        values = [(e, a, b) for e, a, b in zip(expressions, theirs, ours) if not agree(a, b)]
        costs = [(e, a, b) for e, a, b in zip(expressions, theirs, ours) if "error" not in a and "value" in b and a.get("cost") != b.get("cost")]
        print(f"{group:12} {len(expressions):6} expressions, {len(values)} other values, {len(costs)} other costs")
        for e, a, b in (values + costs)[:None if options.list else 10]:
            told = {k: b[k] for k in ("value", "error", "issues", "cost") if k in b}
            print(f"  {e[:150]}: {json.dumps(a)[:200]}, ours {json.dumps(told)[:200]}")
        bad += len(values) + len(costs)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
