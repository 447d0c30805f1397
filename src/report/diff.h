/* diff.h: a comparison for people and for programs (bulkhead.diff/1). Apart from the writers: it is no report. */
#ifndef BH_REPORT_DIFF_H
#define BH_REPORT_DIFF_H

#include "model/diff.h"
#include "report/writer.h"

struct report_diff_writer {
	const char *name; /* "table", "json" */
	int (*write)(const struct bh_diff *diff, const struct report_style *style, struct bh_buf *out, struct bh_err *err);
};

extern const struct report_diff_writer report_diff_table, report_diff_json;

#endif
