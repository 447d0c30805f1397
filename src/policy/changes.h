/*
 * changes.h: "what must I change first?" Findings that one step removes together are one change: the base image for what came with
 * it, a package of the distribution, a line of a lockfile.
 */
#ifndef BH_POLICY_CHANGES_H
#define BH_POLICY_CHANGES_H

#include "model/report.h"

/* Which of two versions of a package type is higher: *ret like strcmp. False when that can't be told. */
typedef bool policy_compare_versions(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret);

/* Fills report.changes from report.findings, whose order must be final. compare: NULL = never. */
int policy_changes(struct bh_report *report, policy_compare_versions *compare, struct bh_err *err) BH_MUST_CHECK;

#endif
