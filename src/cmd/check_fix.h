/* check_fix.h: `bulkhead check --fix` and `--diff`: what is done about the findings once they are judged. */
#ifndef BH_CMD_CHECK_FIX_H
#define BH_CMD_CHECK_FIX_H

#include "cmd/cmd.h"
#include "kube/fix.h"

struct check_fix {
	const struct cmd_args *args;
	struct kube_review_options *options;
	/* Reviews and judges into an empty report. */
	int (*review)(const struct cmd_args *args, const struct kube_review_options *options, struct bh_report *report, struct bh_err *err);
	enum kube_mend_level level; /* with is_diff, NONE is SAFE */
	const struct kube_resolver *resolver; /* NULL: images are not pinned */
	bool is_diff;
};

/*
 * Mends the findings of a judged report. With --fix, files are written and the report is the one of afterwards; with --diff, differences are printed and the
 * report stays. What was mended and what was not, with the reason, goes to standard error.
 */
int check_fix(const struct check_fix *fix, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
