/* diff.h: what changed between two images (bulkhead.diff/1, docs/formats/diff.md). Points into both reports. */
#ifndef BH_MODEL_DIFF_H
#define BH_MODEL_DIFF_H

#include "model/report.h"

enum bh_diff_kind {
	BH_DIFF_ADDED,      /* packages; findings that are new */
	BH_DIFF_REMOVED,    /* packages; findings that are fixed */
	BH_DIFF_UPGRADED,   /* packages */
	BH_DIFF_DOWNGRADED, /* packages */
	BH_DIFF_CHANGED,    /* packages whose versions can't be ordered; findings of another severity or state */
};

struct bh_package_diff {
	enum bh_diff_kind kind;
	const struct bh_package *before, *after; /* NULL where it is not there */
};

struct bh_finding_diff {
	enum bh_diff_kind kind;
	const struct bh_finding *before, *after;
	struct bh_slice note;                    /* "severity was medium"; may be empty */
};

BH_VEC(bh_package_diff_vec, struct bh_package_diff)
BH_VEC(bh_finding_diff_vec, struct bh_finding_diff)

struct bh_diff {
	struct bh_arena arena;
	const struct bh_report *before, *after;
	struct bh_package_diff_vec packages; /* by type, name */
	struct bh_finding_diff_vec findings; /* new, changed, fixed; each worst first */
	uint64_t same_packages, same_findings;
};

void bh_diff_init(struct bh_diff *d);
void bh_diff_done(struct bh_diff *d);

const char *bh_diff_name(enum bh_diff_kind k); /* "added", "removed", "upgraded", "downgraded", "changed" */

#endif
