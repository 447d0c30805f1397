/*
 * semver_parts.h: the parts of a semantic version (semver.org) and their order, for all ecosystems that build on it. Each reads them a
 * little differently: that is what the flags say. Private to version/.
 */
#ifndef BH_VERSION_SEMVER_PARTS_H
#define BH_VERSION_SEMVER_PARTS_H

#include "base/slice.h"

#define SEMVER_NUMBERS 3

struct semver {
	struct bh_slice numbers[SEMVER_NUMBERS]; /* digits; those that are missing are empty, which is 0 */
	size_t n_numbers;                        /* written ones */
	struct bh_slice pre, build;              /* without their sign; empty: none */
};

enum semver_flags {
	SEMVER_STRICT = 0,
	SEMVER_PREFIX_V = 1, /* "v1.2.3" */
	SEMVER_SHORT = 2,    /* "1" and "1.2"; only without anything behind them, but with: */
	SEMVER_SHORT_PRE = 4, /* "1.2-rc.1" */
	SEMVER_ZEROS = 8,    /* numbers may begin with zeros */
	SEMVER_GLUED = 16,   /* "1.2.3rc1": a pre-release may begin without "-" */
	SEMVER_NO_BUILD = 32,
};

bool semver_parse(struct bh_slice s, unsigned flags, struct semver *ret);

/* The numbers, then the pre-releases. Build metadata count for nothing. */
int semver_compare(const struct semver *a, const struct semver *b);
int semver_compare_numbers(const struct semver *a, const struct semver *b);

/* Identifiers between dots: numbers before texts, the shorter list first. */
int semver_compare_identifiers(struct bh_slice a, struct bh_slice b);

/* [0-9A-Za-z-]+ between dots */
bool semver_are_identifiers(struct bh_slice s);
bool semver_are_strict_identifiers(struct bh_slice s); /* and numbers without leading zeros */

#endif
