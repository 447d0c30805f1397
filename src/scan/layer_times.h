/* layer_times.h: what the newest file of each layer tells: one that is newer than the scan, or than the layer itself by the image's history. */
#ifndef BH_SCAN_LAYER_TIMES_H
#define BH_SCAN_LAYER_TIMES_H

#include "base/vec.h"
#include "model/report.h"

struct layer_time {
	uint32_t layer;
	int64_t seconds;      /* since 1970 */
	struct bh_slice path; /* in the report's arena */
};

BH_VEC(layer_time_vec, struct layer_time)

/* now_s: of the scan; 0: it does not count. */
int layer_times_judge(const struct layer_time_vec *times, int64_t now_s, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
