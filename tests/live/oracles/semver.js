// Lines "A B" or, with "ranges", "VERSION<tab>RANGE" -> what npm's own semver says, one answer a line. Its folder: the first argument.
const semver = require(process.argv[2]);
const ranges = process.argv[3] === 'ranges';
const lines = require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1);
const order = (a, b) => {
  try {
    return '<=>'[1 + semver.compare(a, b, true)];
  } catch {
    return '?';
  }
};
const holds = (version, range) => {
  try {
    return new semver.Range(range).test(new semver.SemVer(version, true)) ? 'y' : 'n';
  } catch {
    return '?';
  }
};
console.log(lines.map((line) => (ranges ? holds(...line.split('\t')) : order(...line.split(' ')))).join('\n'));
