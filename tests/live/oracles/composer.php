<?php
// Lines "A B" or, with "ranges", "VERSION<tab>CONSTRAINT" -> what Composer\Semver says, one answer a line.
require '/usr/share/php/Composer/Semver/autoload.php';
$parser = new Composer\Semver\VersionParser();
function order($parser, $a, $b) {
    try {
        return '<=>'[1 + version_compare($parser->normalize($a), $parser->normalize($b))];
    } catch (UnexpectedValueException $e) {
        return '?';
    }
}
function holds($parser, $version, $range) {
    try {
        $parser->normalize($version);
        return Composer\Semver\Semver::satisfies($version, $range) ? 'y' : 'n';
    } catch (UnexpectedValueException $e) {
        return '?';
    }
}
while (($line = fgets(STDIN)) !== false) {
    $line = rtrim($line, "\n");
    echo ($argv[1] ?? '') === 'ranges' ? holds($parser, ...explode("\t", $line)) : order($parser, ...explode(' ', $line)), "\n";
}
