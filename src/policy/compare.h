/*
 * compare.h: which findings of two reports are the same? Same class, an id or alias in common, and the same package by type and name,
 * or the same file where there is no package. Versions may differ: an upgrade that fixes nothing leaves the finding as it was. Where
 * a package is there several times, findings are paired one by one, those of the same version first.
 */
#ifndef BH_POLICY_COMPARE_H
#define BH_POLICY_COMPARE_H

#include "model/report.h"

#define POLICY_NO_PAIR UINT32_MAX

/* Pairs by index. old_of[i]: of the new report's finding i; new_of[i]: of the old one's. POLICY_NO_PAIR: there is none. */
struct policy_pairs {
	uint32_t *old_of, *new_of;
};

/* Suppressed findings of the new report take their partners too, so that these don't count as gone. */
int policy_compare(const struct bh_report *before, const struct bh_report *after, struct policy_pairs *ret, struct bh_err *err) BH_MUST_CHECK;
void policy_pairs_done(struct policy_pairs *pairs);

/* What is worse now: "severity was medium", "not known to be exploited before"; NULL when nothing is. In the arena; a full one gives "worse". */
const char *policy_what_is_worse(const struct bh_finding *before, const struct bh_finding *after, struct bh_arena *arena);

#endif
