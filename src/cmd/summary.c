/* summary.c: see summary.h. */
#include "cmd/summary.h"

#include "base/cleanup.h"
#include "cmd/fleet.h"

#include <unistd.h>

#define TEXT_BYTES_MAX (256u << 20)

struct summary summary_of(const struct cmd_args *args)
{
	const char *const *formats, *output = cmd_string(args, "output");
	size_t n = cmd_list(args, "format", &formats);
	struct summary s = { .style = SUMMARY_FILES };
	for (size_t i = 0; i < (n ? n : 1); i++) {
		struct bh_slice name, file;
		bool has_file = bh_slice_cut(bh_slice_str(n ? formats[i] : "table"), '=', &name, &file);
		const char *path = has_file ? (const char *)file.ptr : output;
		if (!path || strcmp(path, "-") == 0)
			s.style = bh_slice_eq_str(name, "json") ? SUMMARY_JSON : SUMMARY_TABLE;
	}
	return s;
}

static int put(const char *text, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf b = { 0 };
	bh_buf_init(&b, strlen(text) + 1);
	bh_buf_add_str(&b, text);
	return cmd_write(STDOUT_FILENO, &b, err);
}

int summary_begin(const struct summary *s, struct bh_err *err)
{
	return s->style == SUMMARY_JSON ? put("{\"schema\":\"bulkhead.reports/1\",\"reports\":[\n", err) : 0;
}

int summary_report(struct summary *s, const struct bh_buf *text, struct bh_err *err)
{
	int rc = s->style == SUMMARY_JSON && s->written ? put(",\n", err) : 0;
	s->written++;
	rc = rc < 0 ? rc : cmd_write(STDOUT_FILENO, text, err);
	return rc < 0 || s->style != SUMMARY_TABLE ? rc : put("\n", err);
}

/* ---- the end ---- */

static size_t count(const struct fleet_result *r, size_t n, bool has_report, enum bh_verdict verdict)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += r[i].has_report == has_report && (!has_report || r[i].verdict == verdict);
	return found;
}

static void add_json(struct bh_buf *b, const struct cmd_target_list *targets, const struct fleet_result *r)
{
	size_t n = targets->all.len, told = 0;
	bh_buf_add_str(b, "],\n\"failed\":[");
	for (size_t i = 0; i < n; i++) {
		if (r[i].has_report)
			continue;
		bh_buf_add_str(b, told++ ? ",\n{\"target\":" : "\n{\"target\":");
		bh_buf_add_json(b, bh_slice_str(targets->all.ptr[i]));
		bh_buf_add_str(b, ",\"reason\":");
		bh_buf_add_json(b, bh_slice_str(r[i].reason));
		bh_buf_add_byte(b, '}');
	}
	bh_buf_printf(b, "],\n\"summary\":{\"targets\":%zu,\"pass\":%zu,\"fail\":%zu,\"incomplete\":%zu,\"failed\":%zu}}\n", n,
		      count(r, n, true, BH_VERDICT_PASS), count(r, n, true, BH_VERDICT_FAIL), count(r, n, true, BH_VERDICT_INCOMPLETE),
		      count(r, n, false, BH_VERDICT_PASS));
}

static void add_row(struct bh_buf *b, const char *target, const struct fleet_result *r)
{
	if (r->has_report) {
		const uint64_t *s = r->by_severity;
		bh_buf_printf(b, "  %-10s %8ju %8ju %8ju %8ju %8ju %9ju  ", bh_verdict_name(r->verdict), (uintmax_t)s[BH_SEV_CRITICAL],
			      (uintmax_t)s[BH_SEV_HIGH], (uintmax_t)s[BH_SEV_MEDIUM], (uintmax_t)(s[BH_SEV_LOW] + s[BH_SEV_NEGLIGIBLE]),
			      (uintmax_t)s[BH_SEV_UNKNOWN], (uintmax_t)r->packages);
	} else {
		bh_buf_printf(b, "  %-10s %8s %8s %8s %8s %8s %9s  ", "no report", "-", "-", "-", "-", "-", "-");
	}
	bh_buf_add_escaped(b, bh_slice_str(target));
	bh_buf_add_byte(b, '\n');
}

static void add_table(struct bh_buf *b, const struct cmd_target_list *targets, const struct fleet_result *r)
{
	size_t n = targets->all.len;
	bh_buf_printf(b, "Summary of %zu targets\n  %-10s %8s %8s %8s %8s %8s %9s  %s\n", n, "VERDICT", "CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN",
		      "PACKAGES", "TARGET");
	for (size_t i = 0; i < n; i++)
		add_row(b, targets->all.ptr[i], &r[i]);
	bh_buf_printf(b, "\n%zu pass, %zu fail, %zu incomplete, %zu without a report\n", count(r, n, true, BH_VERDICT_PASS),
		      count(r, n, true, BH_VERDICT_FAIL), count(r, n, true, BH_VERDICT_INCOMPLETE), count(r, n, false, BH_VERDICT_PASS));
}

int summary_end(const struct summary *s, const struct cmd_args *args, const struct cmd_target_list *targets, const struct fleet_result *results,
		struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf b = { 0 };
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (s->style == SUMMARY_JSON)
		add_json(&b, targets, results);
	else
		add_table(&b, targets, results);
	if (s->style == SUMMARY_FILES && cmd_flag(args, "quiet"))
		return 0;
	return cmd_write(s->style == SUMMARY_FILES ? STDERR_FILENO : STDOUT_FILENO, &b, err);
}
