"""tap: results of a test in Python, counted and printed as TAP. Modules that tests here share, like this one, are imported from beside them."""


class Tap:
    n = failed = 0

    def ok(self, good, name, detail=""):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}")
        if not good:
            print("\n".join("# " + line for line in str(detail).split("\n")[:30]))
        return good
