/* licenses.h: packages' licences as SPDX expressions, and which of them are not allowed. */
#ifndef BH_SCAN_LICENSES_H
#define BH_SCAN_LICENSES_H

#include "license/license.h"
#include "model/report.h"

/* Fills spdx of every package that declares something and has none yet. */
int scan_licenses(struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/*
 * A finding of class license for each package whose licence the lists don't allow. With an allow list, how many packages declare nothing
 * is told in report.not_covered: they can't be judged. Both lists empty: nothing is judged.
 */
int scan_licenses_judge(struct bh_report *report, const struct license_list *allow, const struct license_list *deny,
			struct bh_err *err) BH_MUST_CHECK;

#endif
