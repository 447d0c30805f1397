/* diff.c: owning a comparison. */
#include "model/diff.h"

#define DIFF_BYTES_MAX (256u << 20)
#define CHANGES_MAX 4000000u

void bh_diff_init(struct bh_diff *d)
{
	*d = (struct bh_diff){ .packages.max = CHANGES_MAX, .findings.max = CHANGES_MAX };
	bh_arena_init(&d->arena, DIFF_BYTES_MAX);
}

void bh_diff_done(struct bh_diff *d)
{
	bh_package_diff_vec_done(&d->packages);
	bh_finding_diff_vec_done(&d->findings);
	bh_arena_done(&d->arena);
}

const char *bh_diff_name(enum bh_diff_kind k)
{
	switch (k) {
	case BH_DIFF_ADDED: return "added";
	case BH_DIFF_REMOVED: return "removed";
	case BH_DIFF_UPGRADED: return "upgraded";
	case BH_DIFF_DOWNGRADED: return "downgraded";
	case BH_DIFF_CHANGED: return "changed";
	}
	return "changed";
}
