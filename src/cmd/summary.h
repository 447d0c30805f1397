/*
 * summary.h: what stands around and behind the reports of several targets.
 *
 *   tables    one after the other, then a table with a line for each target
 *   JSON      {"schema": "bulkhead.reports/1", "reports": [...], "failed": [{"target", "reason"}], "summary": {...}}
 *   neither goes to standard output: the table of targets goes to standard error, unless --quiet
 */
#ifndef BH_CMD_SUMMARY_H
#define BH_CMD_SUMMARY_H

#include "base/buf.h"
#include "cmd/targets.h"

enum summary_style { SUMMARY_FILES, SUMMARY_TABLE, SUMMARY_JSON };

struct fleet_result;

struct summary {
	enum summary_style style;
	size_t written; /* reports so far */
};

struct summary summary_of(const struct cmd_args *args);
int summary_begin(const struct summary *s, struct bh_err *err) BH_MUST_CHECK;
int summary_report(struct summary *s, const struct bh_buf *text, struct bh_err *err) BH_MUST_CHECK;
int summary_end(const struct summary *s, const struct cmd_args *args, const struct cmd_target_list *targets, const struct fleet_result *results,
		struct bh_err *err) BH_MUST_CHECK;

#endif
