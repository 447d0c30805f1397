/* judge.h: from matched findings to a verdict: VEX, exceptions, filters, order, what to fix first, threshold. */
#ifndef BH_POLICY_JUDGE_H
#define BH_POLICY_JUDGE_H

#include "model/report.h"
#include "policy/changes.h"

#define POLICY_STATE(s) (1u << (s)) /* for policy_options.states */

#define POLICY_VEX_ATTACHED "attached" /* instead of a file: report.attached */

struct policy_options {
	const struct bh_exception_vec *exceptions; /* NULL = none */
	const char *const *vex;        /* files and folders */
	size_t n_vex;
	const char *dockerfile;        /* that the image was built from; NULL = not given */
	const struct bh_report *base;  /* its base image; NULL = not given */
	policy_compare_versions *compare_versions; /* lent by who knows the version orders; NULL = never */
	const struct bh_report *baseline; /* only what is new or worse counts; NULL = none. Judged without filters */
	bool ignore_unfixed;           /* hide (and count) findings without a fix */
	enum bh_severity min_severity; /* hide (and count) findings below; unknown counts as high */
	unsigned states;               /* hide (and count) vulnerabilities in other states; 0 = show all */
	bool fail_never;
	enum bh_severity fail_on;
	int64_t now_s;                 /* seconds since 1970: does an exception still hold? */
};

/* After matching, with report->packages and report->findings filled. An error means that there is no verdict. */
int policy_judge(const struct policy_options *options, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
