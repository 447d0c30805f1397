/*
 * fleet.h: many targets, one command. Each target is scanned by a worker process of its own, --jobs at a time, so that one that fails
 * or dies takes no other with it; results come in the order of the targets, with one progress bar, a summary, and the worst exit code.
 */
#ifndef BH_CMD_FLEET_H
#define BH_CMD_FLEET_H

#include "cmd/output.h"
#include "cmd/targets.h"
#include "model/report.h"

/* What the summary says about a target. Written by its worker, in memory that both share. */
struct fleet_result {
	int code;                /* exit code */
	bool has_report;
	enum bh_verdict verdict;
	uint64_t by_severity[BH_SEV_CRITICAL + 1];
	uint64_t packages;
	char reason[BH_ERR_TEXT_BYTES]; /* why there is no report */
};

/* In the worker: scans, writes the report to place, fills *ret. */
typedef void fleet_scan(const struct cmd_args *args, const char *target, const struct cmd_place *place, struct fleet_result *ret);

/* Do the outputs fit several targets? For a command's check. */
int cmd_check_fleet(const struct cmd_args *args, struct bh_err *err) BH_MUST_CHECK;

/* Exit code: the worst of all targets'. */
int cmd_fleet_run(const struct cmd_args *args, const struct cmd_target_list *targets, fleet_scan *scan);

#endif
