/*
 * uninstalled.h: a lockfile names what could be installed: the development dependencies that `npm ci --omit=dev` left out, the builds for other
 * systems. Where node_modules lies beside it, it is known what was.
 */
#ifndef BH_SCAN_UNINSTALLED_H
#define BH_SCAN_UNINSTALLED_H

#include "model/report.h"

/*
 * Packages are merged (same.h). JavaScript packages that nothing but lockfiles name go, when packages are installed in node_modules beside each of
 * these lockfiles and they are not among them. How many is told in report.not_covered. False: the report is over its limit.
 */
bool uninstalled_drop(struct bh_report *report) BH_MUST_CHECK;

#endif
