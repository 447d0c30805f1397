/*
 * markdown.c: a summary for merge requests and job pages (GitHub flavoured Markdown): the verdict, what to fix first, the findings as a table,
 * what was not checked. Names come from the image: what means something in Markdown or HTML is escaped.
 */
#include "report/describe.h"
#include "report/writer.h"

#include <inttypes.h>

#define TEXT_BYTES_MAX (64u << 10)
#define ROWS_MAX 200u    /* services cut long texts; the rest is counted */
#define CHANGES_MAX 10u

static void escaped(struct bh_buf *out, struct bh_slice text)
{
	struct bh_buf plain;
	bh_buf_init(&plain, 16 * text.len + 16);
	describe_markup(&plain, text);
	for (size_t i = 0; i < plain.len; i++) {
		uint8_t c = plain.ptr[i];
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		if (strchr("\\`*_{}[]()#+!|~", c) && c)
			bh_buf_add_byte(out, '\\');
		bh_buf_add_byte(out, c);
	}
	bh_buf_done(&plain);
}

static void write_head(const struct bh_report *r, struct bh_buf *out)
{
	uint64_t by_severity[BH_SEV_CRITICAL + 1] = { 0 };
	for (size_t i = 0; i < r->findings.len; i++)
		by_severity[r->findings.ptr[i].severity]++;
	bh_buf_printf(out, "# %s: ", r->verdict == BH_VERDICT_PASS ? "Pass" : r->verdict == BH_VERDICT_FAIL ? "Fail" : "Incomplete");
	escaped(out, r->target.text);
	if (r->target.format.len) {
		bh_buf_add_str(out, ", an SBOM (");
		escaped(out, r->target.format);
		bh_buf_add_byte(out, ')');
	}
	bh_buf_add_str(out, "\n\n");
	escaped(out, r->verdict_reason);
	bh_buf_add_str(out, ".\n\n");
	if (r->target.contents.len)
		escaped(out, r->target.contents);
	else
		bh_buf_printf(out, "%zu packages", r->packages.len);
	bh_buf_printf(out, ", %zu findings", r->findings.len);
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--)
		if (by_severity[s])
			bh_buf_printf(out, ", %" PRIu64 " %s", by_severity[s], bh_severity_name((enum bh_severity)s));
	if (r->suppressed.len)
		bh_buf_printf(out, "; %zu excepted", r->suppressed.len);
	if (bh_report_filtered(r))
		bh_buf_printf(out, "; %" PRIu64 " hidden by filters", bh_report_filtered(r));
	bh_buf_add_str(out, ".\n");
}

static void write_changes(const struct bh_report *r, struct bh_buf *out)
{
	if (r->changes.len == 0)
		return;
	bh_buf_add_str(out, "\n## Fix first\n\n");
	for (size_t i = 0; i < r->changes.len && i < CHANGES_MAX; i++) {
		const struct bh_change *c = &r->changes.ptr[i];
		bh_buf_printf(out, "%zu. ", i + 1);
		escaped(out, c->action);
		bh_buf_printf(out, " (removes %zu findings%s)\n", c->n_findings, c->kev ? ", known to be exploited" : "");
	}
	if (r->changes.len > CHANGES_MAX)
		bh_buf_printf(out, "\n%zu more changes are in the full report.\n", r->changes.len - CHANGES_MAX);
}

static void write_row(const struct bh_finding *f, struct bh_buf *out, struct bh_buf *text)
{
	describe_uri(text, f->id);
	bh_buf_printf(out, "| %s%s | ", bh_severity_name(f->severity), f->kev ? " (exploited)" : "");
	if (text->len)
		bh_buf_add_byte(out, '[');
	escaped(out, f->id);
	if (text->len) {
		bh_buf_add_str(out, "](");
		bh_buf_add(out, bh_buf_slice(text));
		bh_buf_add_byte(out, ')');
	}
	bh_buf_clear(text);
	bh_buf_add_str(out, " | ");
	if (f->package) {
		escaped(out, f->package->name);
		bh_buf_add_byte(out, ' ');
		escaped(out, f->package->version);
	} else if (f->path.len) {
		escaped(out, f->path);
		if (f->line)
			bh_buf_printf(out, ":%u", f->line);
	}
	bh_buf_add_str(out, " | ");
	escaped(out, f->fix.len || f->package ? f->fix : f->title);
	bh_buf_add_str(out, " |\n");
}

static void write_findings(const struct bh_report *r, struct bh_buf *out)
{
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	if (r->findings.len)
		bh_buf_add_str(out, "\n## Findings\n\n| Severity | Id | Package or place | To do |\n|---|---|---|---|\n");
	for (size_t i = 0; i < r->findings.len && i < ROWS_MAX; i++)
		write_row(&r->findings.ptr[i], out, &text);
	if (r->findings.len > ROWS_MAX)
		bh_buf_printf(out, "\n%zu more findings are in the full report.\n", r->findings.len - ROWS_MAX);
	bh_buf_done(&text);
}

static void write_unchecked(const struct bh_report *r, struct bh_buf *out)
{
	if (r->incomplete.len || r->not_covered.len)
		bh_buf_add_str(out, "\n## Not checked\n\n");
	for (size_t i = 0; i < r->incomplete.len; i++) {
		bh_buf_add_str(out, "- ");
		escaped(out, r->incomplete.ptr[i].path.len ? r->incomplete.ptr[i].path : r->incomplete.ptr[i].what);
		bh_buf_add_str(out, ": ");
		escaped(out, r->incomplete.ptr[i].reason);
		bh_buf_add_byte(out, '\n');
	}
	for (size_t i = 0; i < r->not_covered.len; i++) {
		const struct bh_not_covered *n = &r->not_covered.ptr[i];
		bh_buf_add_str(out, "- ");
		escaped(out, n->ecosystem);
		bh_buf_printf(out, ", %" PRIu64 " %s: ", n->packages, n->packages == 1 ? "package" : "packages");
		escaped(out, describe_note(n));
		bh_buf_add_byte(out, '\n');
	}
}

static int markdown_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	(void)style;
	write_head(report, out);
	write_changes(report, out);
	write_findings(report, out);
	write_unchecked(report, out);
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_markdown = { .name = "markdown", .title = "a summary for merge requests", .write = markdown_write };
