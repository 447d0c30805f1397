"""Lines "A B" -> what rattler, the reading of conda's rules behind pixi, says, one answer a line."""
import sys

from rattler import Version


def order(a, b):
    try:
        a, b = Version(a), Version(b)
        return "<" if a < b else ">" if a > b else "="
    except Exception:  # it has one of its own
        return "?"


for line in sys.stdin.read().split("\n")[:-1]:
    print(order(*line.split(" ")))
