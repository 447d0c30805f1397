/* same.h: the same package seen in several files (a lockfile and node_modules, two copies of a jar) is one package with several places. */
#ifndef BH_SCAN_SAME_H
#define BH_SCAN_SAME_H

#include "model/report.h"

/*
 * Packages are sorted. Those of equal type, name, version and architecture become one: the surest evidence speaks, what it does not know
 * is taken from the others, places that are equal are one, and it counts as needed as the most needed of them is. It has an owner only
 * when all of them have one.
 */
bool same_packages_merge(struct bh_report *report) BH_MUST_CHECK; /* false: the report is over its limit */

#endif
