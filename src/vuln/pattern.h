/* pattern.h: names of packages in lists of ended support. */
#ifndef BH_VULN_PATTERN_H
#define BH_VULN_PATTERN_H

#include "base/slice.h"

/*
 * Debian writes them as Perl regular expressions that match the whole name. What is used of that is plain characters and ".",
 * each with or without "*" behind it, so nothing more is understood here: a hostile database can't make it work for long.
 */
bool vuln_pattern_valid(struct bh_slice pattern);

/* A pattern that is not valid matches nothing. */
bool vuln_pattern_matches(struct bh_slice pattern, struct bh_slice name);

#endif
