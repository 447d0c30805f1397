/* judging.c: the options that say how bad is bad enough, and how a command on manifests ends. */
#include "cmd/judging.h"

#include "cmd/scanning.h"

#define NEWEST_MINOR 40u

const char *const cmd_severities[] = { "unknown", "negligible", "low", "medium", "high", "critical", NULL };
const char *const cmd_thresholds[] = { "unknown", "negligible", "low", "medium", "high", "critical", "never", NULL };

void cmd_judging_options(const struct cmd_args *args, struct policy_options *ret)
{
	size_t threshold = cmd_choice(args, "fail-on");
	*ret = (struct policy_options){
		.exceptions = cmd_exceptions(args),
		.min_severity = (enum bh_severity)cmd_choice(args, "severity"),
		.fail_never = threshold == CMD_THRESHOLD_NEVER,
		.fail_on = threshold == CMD_THRESHOLD_NEVER ? BH_SEV_CRITICAL : (enum bh_severity)threshold,
	};
}

int cmd_kubernetes_minor(const struct cmd_args *args, const char *command, unsigned *ret, struct bh_err *err)
{
	const char *text = cmd_string(args, "kubernetes");
	struct bh_slice s = bh_slice_str(text), number, rest;
	uint64_t minor;
	if (bh_slice_starts(s, BH_SLICE_LIT("v")))
		s = bh_slice_sub(s, 1, s.len);
	bool is_one = bh_slice_starts(s, BH_SLICE_LIT("1."));
	(void)bh_slice_cut(is_one ? bh_slice_sub(s, 2, s.len) : s, '.', &number, &rest);
	if (!is_one || !bh_slice_u64(number, NEWEST_MINOR, &minor))
		return bh_fail(err, BH_EUSAGE, 0, "%s: --kubernetes: a version from 1.0 to 1.%u was expected, not %s", command, NEWEST_MINOR, text);
	*ret = (unsigned)minor;
	return 0;
}

int cmd_name_manifests(struct bh_report *report, const char *const *paths, size_t n, struct bh_err *err)
{
	struct bh_buf text;
	bh_buf_init(&text, BH_PATH_BYTES_MAX);
	for (size_t i = 0; i < n; i++)
		bh_buf_printf(&text, "%s%s", i ? " " : "", paths[i]);
	bool ok = !text.failed && bh_arena_copy(&report->arena, bh_buf_slice(&text), &report->target.text);
	bh_buf_done(&text);
	report->target.kind = BH_SLICE_LIT("manifests");
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many paths to name them in the report");
}

int cmd_judge(const struct cmd_args *args, struct bh_report *report, struct bh_err *err)
{
	struct policy_options o;
	cmd_judging_options(args, &o);
	int rc = cmd_report_time(&o.now_s, err);
	return rc < 0 ? rc : policy_judge(&o, report, err);
}

int cmd_run_report(const struct cmd_args *args, cmd_fill_report *fill, const void *ctx)
{
	struct bh_report report;
	struct bh_err err = { 0 };
	int code;
	bh_report_init(&report);
	if (fill(args, &report, ctx, &err) < 0)
		code = cmd_no_report(&err);
	else
		code = cmd_write_report(&report, args, &err) < 0 ? cmd_failed(&err) : cmd_verdict_exit(report.verdict);
	bh_report_done(&report);
	return code;
}
