/*
 * table_judgement.c: the parts of the table that say what to do and what was decided: fix first, suppressed findings, exceptions,
 * base image, baseline.
 */
#include "report/table.h"

#include "report/layout.h"

#define CHANGES_SHOWN 5u
#define SUPPRESSED_SHOWN 20u
#define INSTRUCTION_COLUMNS 100u /* of an instruction: its start is enough to find it */

void table_add_instruction(struct table *t, struct bh_buf *b, const struct bh_layer *l)
{
	struct bh_slice text = l->instruction.len ? l->instruction : l->created_by;
	struct bh_slice start = bh_slice_sub(text, 0, INSTRUCTION_COLUMNS);
	while (start.len < text.len && start.len && (text.ptr[start.len] & 0xc0) == 0x80) /* not within a character */
		start.len--;
	bh_buf_add_escaped(b, start);
	bh_buf_add_str(b, start.len < text.len ? "…" : "");
	if (l->dockerfile_line) {
		bh_buf_add_str(b, " (");
		bh_buf_add_escaped(b, t->report->dockerfile);
		bh_buf_printf(b, ":%u)", l->dockerfile_line);
	}
}

/* ---- header lines ---- */

static struct bh_slice base_text(struct table *t)
{
	const struct bh_report *r = t->report;
	const struct bh_base_image *base = &r->base;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (base->evidence.len == 0)
		return bh_buf_slice(b);
	bh_buf_add_escaped(b, base->name.len ? base->name : BH_SLICE_LIT("an image without a name"));
	if (base->n_layers) {
		bh_buf_printf(b, ", %u of %zu layers: ", base->n_layers, r->layers.len);
		layout_number(b, bh_report_base_findings(r));
		bh_buf_add_str(b, " of ");
		table_add_count(b, r->findings.len, "finding comes", "findings come");
		bh_buf_add_str(b, " from it");
	}
	bh_buf_add_str(b, " (known by ");
	bh_buf_add_escaped(b, base->evidence);
	bh_buf_add_byte(b, ')');
	return bh_buf_slice(b);
}

static struct bh_slice baseline_text(struct table *t)
{
	const struct bh_baseline_summary *s = &t->report->baseline;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (s->text.len == 0)
		return bh_buf_slice(b);
	bh_buf_add_escaped(b, s->text);
	bh_buf_add_str(b, ": ");
	layout_number(b, s->added);
	bh_buf_add_str(b, " new, ");
	layout_number(b, s->worse);
	bh_buf_add_str(b, " worse, ");
	layout_number(b, s->unchanged);
	bh_buf_add_str(b, " unchanged, ");
	layout_number(b, s->gone);
	bh_buf_add_str(b, " gone");
	return bh_buf_slice(b);
}

void table_write_origin(struct table *t)
{
	table_header_line(t, "Base", base_text(t));
	table_header_line(t, "Baseline", baseline_text(t));
}

/* ---- fix first ---- */

static void add_severities(struct bh_buf *b, const uint64_t *by_severity, uint64_t exploited)
{
	const char *before = "";
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--) {
		if (by_severity[s] == 0)
			continue;
		bh_buf_add_str(b, before);
		table_add_count(b, by_severity[s], bh_severity_name((enum bh_severity)s), bh_severity_name((enum bh_severity)s));
		before = ", ";
	}
	if (exploited) {
		bh_buf_add_str(b, "; ");
		layout_number(b, exploited);
		bh_buf_add_str(b, " known to be exploited (!)");
	}
}

static void under(struct table *t, struct bh_slice text)
{
	layout_spaces(t->out, 2 * MARGIN + 1);
	layout_paragraph(t->out, text, 2 * MARGIN + 1, 3 * MARGIN + 1, t->width);
}

/* "in srv/package-lock.json:33", "layer 2: RUN make (Dockerfile:3)" */
static void write_place(struct table *t, const struct bh_change *c)
{
	const struct bh_layer *l = bh_report_layer(t->report, c->layer);
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (c->path.len) {
		bh_buf_add_str(b, "in ");
		bh_buf_add_escaped(b, c->path);
		if (c->line)
			bh_buf_printf(b, ":%u", c->line);
	}
	if (l) {
		bh_buf_printf(b, "%slayer %u", c->path.len ? ", " : "", c->layer + 1);
		if (l->instruction.len || l->created_by.len) {
			bh_buf_add_str(b, ": ");
			table_add_instruction(t, b, l);
		}
	}
	if (b->len)
		under(t, bh_buf_slice(b));
}

static void write_change(struct table *t, const struct bh_change *c, size_t number)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	bh_buf_add_escaped(b, c->action);
	bh_buf_printf(t->out, "%*zu. ", (int)MARGIN + 1, number);
	if (t->style->colour)
		bh_buf_add_str(t->out, "\x1b[1m");
	layout_paragraph(t->out, bh_buf_slice(b), 2 * MARGIN + 1, 2 * MARGIN + 1, t->width);
	if (t->style->colour)
		bh_buf_add_str(t->out, "\x1b[0m");
	b = table_cell(t, CELL_OTHER);
	bh_buf_add_str(b, "removes ");
	add_severities(b, c->by_severity, c->kev);
	under(t, bh_buf_slice(b));
	write_place(t, c);
}

void table_write_changes(struct table *t)
{
	const struct bh_report *r = t->report;
	if (r->changes.len == 0)
		return;
	table_heading(t, "Fix first", "1");
	size_t left = 0;
	for (size_t i = 0; i < r->changes.len; i++) {
		if (i < CHANGES_SHOWN)
			write_change(t, &r->changes.ptr[i], i + 1);
		else
			left += r->changes.ptr[i].n_findings;
	}
	if (r->changes.len <= CHANGES_SHOWN)
		return;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	table_add_count(b, r->changes.len - CHANGES_SHOWN, "more change removes ", "more changes remove ");
	table_add_count(b, left, "finding", "findings");
	under(t, bh_buf_slice(b));
}

/* ---- what does not count ---- */

static void add_exception(struct bh_buf *b, const struct bh_ruling *r)
{
	bool somebodys = r->who.len || r->until.len; /* else what the image itself says */
	bh_buf_add_escaped(b, r->reason);
	bh_buf_add_str(b, somebodys ? " (exception" : " (");
	bh_buf_add_str(b, r->who.len ? " of " : "");
	bh_buf_add_escaped(b, r->who);
	bh_buf_add_str(b, r->until.len ? " until " : "");
	bh_buf_add_escaped(b, r->until);
	bh_buf_add_str(b, somebodys ? ", " : "");
	bh_buf_add_escaped(b, r->from);
	bh_buf_add_byte(b, ')');
}

static void add_vex(struct bh_buf *b, const struct bh_ruling *r)
{
	bh_buf_add_str(b, bh_slice_eq_str(r->status, "fixed") ? "fixed" : "not affected");
	if (r->justification.len) {
		bh_buf_add_str(b, ", ");
		bh_buf_add_escaped(b, r->justification);
	}
	if (r->reason.len) {
		bh_buf_add_str(b, ": ");
		bh_buf_add_escaped(b, r->reason);
	}
	bh_buf_add_str(b, " (VEX");
	bh_buf_add_str(b, r->who.len ? " of " : "");
	bh_buf_add_escaped(b, r->who);
	bh_buf_add_str(b, ", ");
	bh_buf_add_escaped(b, r->from);
	bh_buf_add_byte(b, ')');
}

static void write_suppressed(struct table *t, const struct bh_finding *f)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	bh_buf_add_escaped(b, f->id);
	if (f->package) {
		bh_buf_add_byte(b, ' ');
		bh_buf_add_escaped(b, f->package->name);
	}
	bh_buf_add_str(b, ": ");
	if (f->ruling.kind == BH_RULING_EXCEPTION)
		add_exception(b, &f->ruling);
	else
		add_vex(b, &f->ruling);
	layout_spaces(t->out, MARGIN);
	layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
}

static void write_unused(struct table *t)
{
	for (size_t i = 0; i < t->report->exceptions.len; i++) {
		const struct bh_exception *e = &t->report->exceptions.ptr[i];
		if (e->matched || e->expired)
			continue; /* those that ran out are findings */
		struct bh_buf *b = table_cell(t, CELL_OTHER);
		bh_buf_add_str(b, "~ the exception for ");
		bh_buf_add_escaped(b, e->id);
		bh_buf_add_str(b, " (");
		bh_buf_add_escaped(b, e->from);
		bh_buf_add_str(b, ") matches nothing: it can be deleted");
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
	}
}

static bool has_unused(const struct bh_report *r)
{
	for (size_t i = 0; i < r->exceptions.len; i++)
		if (r->exceptions.ptr[i].matched == 0 && !r->exceptions.ptr[i].expired)
			return true;
	return false;
}

void table_write_suppressed(struct table *t)
{
	const struct bh_report *r = t->report;
	if (r->suppressed.len == 0 && !has_unused(r))
		return;
	table_heading(t, "Suppressed", "1");
	for (size_t i = 0; i < r->suppressed.len && i < SUPPRESSED_SHOWN; i++)
		write_suppressed(t, &r->suppressed.ptr[i]);
	if (r->suppressed.len > SUPPRESSED_SHOWN) {
		struct bh_buf *b = table_cell(t, CELL_OTHER);
		bh_buf_add_str(b, "and ");
		layout_number(b, r->suppressed.len - SUPPRESSED_SHOWN);
		bh_buf_add_str(b, " more, which stand in the JSON report");
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
	}
	write_unused(t);
}
