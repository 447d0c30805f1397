"""Lines "A B" or, with "ranges", "VERSION<tab>SPECIFIERS" -> what `packaging` says, one answer a line."""
import sys

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version


def order(a, b):
    try:
        a, b = Version(a), Version(b)
        return "<" if a < b else ">" if a > b else "="
    except InvalidVersion:
        return "?"


def holds(version, specifiers):
    try:
        return "y" if SpecifierSet(specifiers).contains(Version(version), prereleases=True) else "n"
    except (InvalidVersion, InvalidSpecifier):
        return "?"


for line in sys.stdin.read().split("\n")[:-1]:
    print(holds(*line.split("\t")) if sys.argv[1:] == ["ranges"] else order(*line.split(" ")))
