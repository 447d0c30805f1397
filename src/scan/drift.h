/*
 * drift.h: what a container changed since its image, as findings. Loud is what can be run and what packages own; the rest is counted,
 * as every container writes logs and caches:
 *
 *   high        programs and shared objects that are new or changed; packages that were installed in the container
 *   medium      other files of packages, changed or deleted
 *   negligible  one finding that counts everything else
 */
#ifndef BH_SCAN_DRIFT_H
#define BH_SCAN_DRIFT_H

#include "image/image.h"
#include "scan/inventory.h"

struct scan_drift {
	struct bh_arena *arena; /* where paths are kept: the report's */
	struct image_change_vec list;
	bool cut;
	uint32_t layer;
};

/* image_request.changes, with a struct scan_drift as its ctx. */
int scan_drift_keep(void *ctx, const struct image_change *list, size_t n, bool cut, uint32_t layer, struct bh_err *err);

/* After inventory_finish. */
int scan_drift_report(const struct scan_drift *d, const struct inventory *inv, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;
void scan_drift_done(struct scan_drift *d);

#endif
