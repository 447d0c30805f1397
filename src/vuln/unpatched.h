/* unpatched.h: affected versions, for feeds that say which versions are not affected. */
#ifndef BH_VULN_UNPATCHED_H
#define BH_VULN_UNPATCHED_H

#include "version/ranges.h"
#include "vuln/feed.h"

#define VULN_REQUIREMENTS_MAX 256u /* of one record; real ones have below 20 */

/* What a record calls patched, then what it calls unaffected: each a range of versions as the ecosystem writes it. */
struct vuln_unpatched {
	const struct version_range_syntax *syntax; /* "cargo" or "gem" */
	struct bh_slice requirements[VULN_REQUIREMENTS_MAX];
	size_t n_patched, n; /* patched ones come first */
	bool too_many;
};

void vuln_unpatched_add(struct vuln_unpatched *u, struct bh_slice requirement);

/* Fills in row's ranges and state, the versions that no requirement holds, and gives the row to the run. What can't be read is undetermined. */
int vuln_unpatched_row(struct vuln_feed_run *run, const struct vuln_unpatched *u, struct vuln_new_row *row, struct bh_err *err) BH_MUST_CHECK;

#endif
