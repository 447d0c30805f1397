/* diff.c: `bulkhead diff BEFORE AFTER`: what changed from one image to another: packages and findings. */
#include "report/diff.h"

#include "cmd/judging.h"
#include "cmd/scanning.h"
#include "policy/compare.h"
#include "policy/diff.h"

#include <unistd.h>

#define TEXT_BYTES_MAX (1024u << 20)

static const char *const formats[] = { "table", "json", NULL };
static const struct report_diff_writer *const writers[] = { &report_diff_table, &report_diff_json }; /* in the order of formats */

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = formats, .default_text = "table",
	  .help = "table, for people, or json" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write to FILE, - is standard output" },
	{ .name = "width", .kind = CMD_UINT, .argument = "COLUMNS", .min = 40, .max = 200, .help = "width of the table; default: the terminal's, else 100" },
	{ .name = "fail-on", .kind = CMD_CHOICE, .argument = "SEVERITY", .choices = cmd_thresholds, .default_text = "never",
	  .help = "exit 1 for findings at or above this that are new or worse" },
	{ .name = "vex", .kind = CMD_LIST, .argument = "FILE|DIR", .help = "VEX statements to honour in both; may be repeated" },
	CMD_SCANNING_OPTIONS,
	{ 0 },
};

static int write_diff(const struct bh_diff *d, const struct cmd_args *args, struct bh_err *err)
{
	const char *path = cmd_string(args, "output");
	bool to_stdout = !path || strcmp(path, "-") == 0;
	size_t width = (size_t)cmd_uint(args, "width");
	const struct report_style style = {
		.width = width || !to_stdout ? width : cmd_columns(STDOUT_FILENO),
		.colour = to_stdout && cmd_colour(args, STDOUT_FILENO),
		.tool_version = BH_VERSION,
	};
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	int rc = writers[cmd_choice(args, "format")]->write(d, &style, &text, err);
	if (rc == 0)
		rc = cmd_write_document(args, &text, err);
	bh_buf_done(&text);
	return rc;
}

/* As the verdict of a scan with a baseline: unknown counts as high, and what could not be checked is never clean. */
static int exit_code(const struct bh_diff *d, const struct cmd_args *args)
{
	size_t threshold = cmd_choice(args, "fail-on");
	for (size_t i = 0; threshold != CMD_THRESHOLD_NEVER && i < d->findings.len; i++) {
		const struct bh_finding_diff *c = &d->findings.ptr[i];
		struct bh_arena scratch;
		bh_arena_init(&scratch, 4096);
		bool counts = c->kind == BH_DIFF_ADDED || (c->kind == BH_DIFF_CHANGED && policy_what_is_worse(c->before, c->after, &scratch));
		bh_arena_done(&scratch);
		enum bh_severity s = c->after && c->after->severity == BH_SEV_UNKNOWN ? BH_SEV_HIGH : c->after ? c->after->severity : BH_SEV_UNKNOWN;
		if (counts && s >= (enum bh_severity)threshold)
			return EXIT_FINDINGS;
	}
	return d->before->incomplete.len || d->after->incomplete.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

static int compare(const struct cmd_args *args, const struct bh_report *before, const struct bh_report *after)
{
	struct bh_diff d;
	struct bh_err err = { 0 };
	bh_diff_init(&d);
	int rc = policy_diff(before, after, cmd_compare_versions, &d, &err);
	rc = rc < 0 ? rc : write_diff(&d, args, &err);
	int code = rc < 0 ? cmd_failed(&err) : exit_code(&d, args);
	bh_diff_done(&d);
	return code;
}

static int run(const struct cmd_args *args)
{
	const char *const *targets;
	struct scan_options o;
	struct bh_report reports[2];
	struct bh_err err = { 0 };
	(void)cmd_targets(args, &targets);
	cmd_scanning_options(args, &o);
	o.policy = (struct policy_options){ .exceptions = cmd_exceptions(args), .compare_versions = cmd_compare_versions };
	o.policy.n_vex = cmd_list(args, "vex", &o.policy.vex);
	int rc = cmd_report_time(&o.policy.now_s, &err);
	if (rc < 0)
		return cmd_failed(&err);
	bh_report_init(&reports[0]);
	bh_report_init(&reports[1]);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		o.target = targets[i];
		rc = cmd_scan_or_read(&o, &reports[i], &err);
	}
	int code = rc < 0 ? cmd_no_report(&err) : compare(args, &reports[0], &reports[1]);
	bh_report_done(&reports[0]);
	bh_report_done(&reports[1]);
	return code;
}

const struct cmd_command cmd_command_diff = {
	.name = "diff",
	.usage = "[options] BEFORE AFTER",
	.summary = "Compare two images or reports: packages and findings",
	.options = options,
	.min_targets = 2,
	.max_targets = 2,
	.run = run,
};
