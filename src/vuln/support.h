/* support.h: single packages whose security support ended before their release's, or is limited. */
#ifndef BH_VULN_SUPPORT_H
#define BH_VULN_SUPPORT_H

#include "model/report.h"
#include "vuln/set.h"

/* release: key of the table "support-ended", "debian:12". One finding per source package; see eol.h. */
int vuln_ended_support(const struct vuln_set *set, struct bh_slice release, int32_t today, struct bh_report *report,
		       struct bh_err *err) BH_MUST_CHECK;

/* Cuts the next column off a value of the tables "eol" and "support-ended"; "-" is empty. */
struct bh_slice vuln_table_column(struct bh_slice *row);

#endif
