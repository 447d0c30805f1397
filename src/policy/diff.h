/* diff.h: two judged reports -> what changed. */
#ifndef BH_POLICY_DIFF_H
#define BH_POLICY_DIFF_H

#include "model/diff.h"
#include "policy/changes.h"

/* diff: initialised by the caller, who keeps both reports as long as it. compare: NULL = no order of versions is known. */
int policy_diff(const struct bh_report *before, const struct bh_report *after, policy_compare_versions *compare, struct bh_diff *diff,
		struct bh_err *err)
	BH_MUST_CHECK;

#endif
