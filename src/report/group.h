/*
 * group.h: vulnerable packages as a reader thinks of them. Binary packages of one source that have the same version and the
 * same findings are one group ("openssl: libssl3, openssl"), which is upgraded in one step.
 */
#ifndef BH_REPORT_GROUP_H
#define BH_REPORT_GROUP_H

#include "report/writer.h"

/* What can be done about a finding; the order is the order of rows. */
enum group_remedy { REMEDY_UPGRADE, REMEDY_NONE_YET, REMEDY_LATER, REMEDY_IGNORED, REMEDY_END_OF_LIFE, REMEDY_UNDETERMINED, REMEDY_COUNT };

struct group {
	const struct bh_package *const *packages; /* the binary packages, in the report's order, names once */
	size_t n_packages;
	const struct bh_finding *const *findings; /* sorted by remedy, then worst first */
	size_t n_findings;
	struct bh_slice upgrade; /* the one version that fixes all that can be fixed; empty when nothing can or it can't be told */
	uint32_t layer;          /* BH_NO_LAYER unless grouped by layer */
	bool kev;
	size_t by_severity[BH_SEV_CRITICAL + 1];
};

struct groups {
	struct bh_arena arena;
	struct group *ptr;
	size_t len;
	size_t n_packages; /* in all groups, each architecture counted */
};

enum group_remedy group_remedy_of(const struct bh_finding *f);

/* All vulnerabilities that are about a package, worst group first (within its layer when style->by_layer). */
int groups_make(const struct bh_report *report, const struct report_style *style, struct groups *ret, struct bh_err *err) BH_MUST_CHECK;
void groups_done(struct groups *g);

#endif
