/* sboms.h: packages that an SBOM in the image lists, and the image's own databases know too. */
#ifndef BH_SCAN_SBOMS_H
#define BH_SCAN_SBOMS_H

#include "model/report.h"

/*
 * SBOMs name packages by their URLs, which lack the case of a name and often the architecture. A package that an SBOM lists gets the name,
 * version, architecture, scope and owner of the one that something surer knows by the same URL, so that they are the same (scan/same.h).
 * Packages must be sorted and are sorted again.
 */
bool scan_credit_sboms(struct bh_report *report) BH_MUST_CHECK; /* false: out of memory */

#endif
