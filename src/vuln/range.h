/* range.h: does a range of versions hold one? */
#ifndef BH_VULN_RANGE_H
#define BH_VULN_RANGE_H

#include "version/version.h"
#include "vuln/db.h"

enum vuln_holds {
	VULN_HOLDS_NO,
	VULN_HOLDS_YES,
	VULN_HOLDS_UNKNOWN, /* one of the range's ends can't be ordered */
};

/* version: one that scheme->valid accepts. */
enum vuln_holds vuln_range_holds(const struct version_scheme *scheme, const struct vuln_range *range, struct bh_slice version);

#endif
