/*
 * diff_table.c: a comparison for people:
 *
 *     Packages: 1 added, 1 upgraded; 87 are the same
 *       + curl 7.88.1-10 (deb)
 *       ↑ openssl 3.0.9-1 → 3.0.11-1 (deb)
 */
#include "report/diff.h"

#include "report/layout.h"

#include <string.h>

#define WIDTH_DEFAULT 100u
#define WIDTH_MIN 40u
#define MARGIN 2u
#define LINE_BYTES_MAX (1u << 20)

struct printer {
	const struct report_style *style;
	struct bh_buf *out;
	struct bh_buf line;
	size_t width;
};

static const char *const marks[] = {
	[BH_DIFF_ADDED] = "+", [BH_DIFF_REMOVED] = "-", [BH_DIFF_UPGRADED] = "↑", [BH_DIFF_DOWNGRADED] = "↓", [BH_DIFF_CHANGED] = "~",
};

static void end_line(struct printer *p, size_t first, size_t indent)
{
	layout_paragraph(p->out, bh_buf_slice(&p->line), first, indent, p->width);
	bh_buf_clear(&p->line);
}

static void heading(struct printer *p, const char *title)
{
	bh_buf_printf(p->out, p->style->colour ? "\n\x1b[1m%s\x1b[0m: " : "\n%s: ", title);
}

static void mark(struct printer *p, enum bh_diff_kind kind, const char *colour)
{
	layout_spaces(p->out, MARGIN);
	if (p->style->colour)
		bh_buf_printf(p->out, "\x1b[%sm%s\x1b[0m ", colour, marks[kind]);
	else
		bh_buf_printf(p->out, "%s ", marks[kind]);
}

static void side(struct printer *p, const char *label, const struct bh_report *r)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_buf_add_escaped(&p->line, r->target.text);
	if (r->target.digest.kind != BH_DIGEST_NONE)
		bh_buf_printf(&p->line, ", %.19s", bh_digest_text(&r->target.digest, text));
	if (r->incomplete.len)
		bh_buf_printf(&p->line, ", NOT COMPLETE: %zu things could not be checked", r->incomplete.len);
	bh_buf_printf(p->out, "  %-8s", label);
	end_line(p, 10, 10);
}

/* "1 added, 2 removed; 3 are the same"; names: of the kinds, NULL = none such. */
static void counts(struct printer *p, const uint64_t n[BH_DIFF_CHANGED + 1], const char *const names[BH_DIFF_CHANGED + 1], uint64_t same)
{
	const char *before = "";
	for (int k = BH_DIFF_ADDED; k <= BH_DIFF_CHANGED; k++) {
		if (n[k] == 0)
			continue;
		bh_buf_add_str(&p->line, before);
		layout_number(&p->line, n[k]);
		bh_buf_printf(&p->line, " %s", names[k]);
		before = ", ";
	}
	bh_buf_add_str(&p->line, before[0] ? "; " : "no difference; ");
	layout_number(&p->line, same);
	bh_buf_add_str(&p->line, same == 1 ? " is the same" : " are the same");
	end_line(p, 10, MARGIN);
}

static void write_package(struct printer *p, const struct bh_package_diff *c)
{
	static const char *const colours[] = { "32", "31", "36", "33", "36" };
	const struct bh_package *any = c->after ? c->after : c->before;
	mark(p, c->kind, colours[c->kind]);
	bh_buf_add_escaped(&p->line, any->name);
	if (c->before) {
		bh_buf_add_byte(&p->line, ' ');
		bh_buf_add_escaped(&p->line, c->before->version);
	}
	if (c->after) {
		bh_buf_add_str(&p->line, c->before ? " → " : " ");
		bh_buf_add_escaped(&p->line, c->after->version);
	}
	bh_buf_add_str(&p->line, " (");
	bh_buf_add_escaped(&p->line, any->type);
	bh_buf_add_byte(&p->line, ')');
	end_line(p, 2 * MARGIN, 3 * MARGIN);
}

static void write_packages(struct printer *p, const struct bh_diff *d)
{
	static const char *const names[] = { "added", "removed", "upgraded", "downgraded", "changed" };
	uint64_t n[BH_DIFF_CHANGED + 1] = { 0 };
	for (size_t i = 0; i < d->packages.len; i++)
		n[d->packages.ptr[i].kind]++;
	heading(p, "Packages");
	counts(p, n, names, d->same_packages);
	for (size_t i = 0; i < d->packages.len; i++)
		write_package(p, &d->packages.ptr[i]);
}

static void write_finding(struct printer *p, const struct bh_finding_diff *c)
{
	static const char *const colours[] = { [BH_DIFF_ADDED] = "31", [BH_DIFF_REMOVED] = "32", [BH_DIFF_CHANGED] = "33" };
	const struct bh_finding *f = c->after ? c->after : c->before;
	mark(p, c->kind, colours[c->kind]);
	bh_buf_printf(&p->line, "%s ", bh_severity_name(f->severity));
	bh_buf_add_escaped(&p->line, f->id);
	bh_buf_add_str(&p->line, f->kev ? "! " : " ");
	bh_buf_add_escaped(&p->line, f->package ? f->package->name : f->path.len ? f->path : f->title);
	if (f->package) {
		bh_buf_add_byte(&p->line, ' ');
		bh_buf_add_escaped(&p->line, f->package->version);
	}
	if (c->after && f->n_fixed) {
		bh_buf_add_str(&p->line, " → ");
		bh_buf_add_escaped(&p->line, f->fixed[0]);
	}
	if (c->note.len) {
		bh_buf_add_str(&p->line, ", ");
		bh_buf_add_escaped(&p->line, c->note);
	}
	end_line(p, 2 * MARGIN, 3 * MARGIN);
}

static void write_findings(struct printer *p, const struct bh_diff *d)
{
	static const char *const names[] = { [BH_DIFF_ADDED] = "new", [BH_DIFF_REMOVED] = "fixed", [BH_DIFF_UPGRADED] = "", [BH_DIFF_DOWNGRADED] = "",
					     [BH_DIFF_CHANGED] = "changed" };
	uint64_t n[BH_DIFF_CHANGED + 1] = { 0 };
	for (size_t i = 0; i < d->findings.len; i++)
		n[d->findings.ptr[i].kind]++;
	heading(p, "Findings");
	counts(p, n, names, d->same_findings);
	for (size_t i = 0; i < d->findings.len; i++)
		write_finding(p, &d->findings.ptr[i]);
}

static int write(const struct bh_diff *d, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	size_t width = style->width ? style->width : WIDTH_DEFAULT;
	struct printer p = { .style = style, .out = out, .width = width < WIDTH_MIN ? WIDTH_MIN : width };
	bh_buf_init(&p.line, LINE_BYTES_MAX);
	side(&p, "Before", d->before);
	side(&p, "After", d->after);
	write_packages(&p, d);
	write_findings(&p, d);
	bool failed = out->failed || p.line.failed;
	bh_buf_done(&p.line);
	return failed ? bh_fail(err, BH_ELIMIT, 0, "the table is larger than %zu bytes", out->max_bytes) : 0;
}

const struct report_diff_writer report_diff_table = { .name = "table", .write = write };
