#include "cmd/asking.h"

#include <stdio.h>

#include "kube/origin.h"
#include "report/describe.h"
#include "report/layout.h"

#define GAP_BYTES_MAX (1u << 20)
#define COLUMN_MAX 44u /* characters; a longer cell pushes those behind it to the right */

int cmd_ask(const struct cmd_args *args, const struct kube_question *question, struct kube_answer *ret, struct bh_err *err)
{
	struct kube_question q = *question;
	struct kube_rendering rendering;
	int rc = cmd_rendering(args, NULL, &rendering, err);
	q.rendering = &rendering;
	return rc < 0 ? rc : kube_ask(&q, ret, err);
}

int cmd_place_finding(struct bh_report *report, struct bh_finding *f, struct bh_err *err)
{
	if (!kube_is_rendered(f->path, &f->path))
		return 0;
	const char *evidence = bh_arena_printf(&report->arena, "%.*s" KUBE_RENDERED_LINE, BH_SLICE_FMT(f->evidence), f->line);
	f->evidence = bh_slice_str(evidence);
	f->line = 0;
	return evidence ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for the report");
}

void cmd_report_gaps(struct bh_report *report, const struct kube_answer *answer)
{
	for (size_t i = 0; i < answer->gaps.len; i++) {
		const struct kube_gap *g = &answer->gaps.ptr[i];
		if (g->line)
			bh_report_incomplete(report, "object", g->file, BH_NO_LAYER, "line %u: %.*s", g->line, BH_SLICE_FMT(g->text));
		else
			bh_report_incomplete(report, "object", g->file, BH_NO_LAYER, "%.*s", BH_SLICE_FMT(g->text));
	}
}

int cmd_report_objects(struct bh_report *report, uint64_t objects, struct bh_err *err)
{
	const char *contents = bh_arena_printf(&report->arena, "%llu object%s", (unsigned long long)objects, objects == 1 ? "" : "s");
	report->target.contents = bh_slice_str(contents);
	return contents ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for the report");
}

void cmd_tell_gaps(const struct kube_answer *answer)
{
	for (size_t i = 0; i < answer->gaps.len; i++) {
		const struct kube_gap *gap = &answer->gaps.ptr[i];
		struct bh_buf line;
		bh_buf_init(&line, GAP_BYTES_MAX);
		bh_buf_add_str(&line, "bulkhead: not checked: ");
		bh_buf_add_escaped(&line, gap->file);
		if (gap->line)
			bh_buf_printf(&line, ":%u", gap->line);
		if (gap->file.len)
			bh_buf_add_str(&line, ": ");
		bh_buf_add_escaped(&line, gap->text);
		bh_buf_add_byte(&line, '\n');
		fwrite(line.ptr, 1, line.len, stderr);
		bh_buf_done(&line);
	}
}

int cmd_want_objects(const struct kube_answer *answer, const char *where, struct bh_err *err)
{
	if (answer->objects == 0 && answer->gaps.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "no Kubernetes object in %s", where);
	return 0;
}

/* What would end the cell, or make code, markup or a link of a name. */
static void add_markdown(struct bh_buf *out, struct bh_slice cell)
{
	struct bh_buf plain;
	bh_buf_init(&plain, 16 * cell.len + 16);
	describe_markup(&plain, cell);
	for (size_t i = 0; i < plain.len; i++) {
		uint8_t c = plain.ptr[i];
		if (c == '|' || c == '`' || c == '(' || c == '\\')
			bh_buf_add_byte(out, '\\');
		bh_buf_add_byte(out, c == '\n' || c == '\r' ? ' ' : c);
	}
	bh_buf_done(&plain);
}

void cmd_add_markdown_row(struct bh_buf *out, const struct bh_slice *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, "| ");
		add_markdown(out, cells[i]);
		bh_buf_add_byte(out, ' ');
	}
	bh_buf_add_str(out, "|\n");
}

void cmd_add_csv_row(struct bh_buf *out, const struct bh_slice *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, i ? "," : "");
		describe_csv(out, cells[i]);
	}
	bh_buf_add_byte(out, '\n');
}

/* ---- rows as a whole ---- */

bool cmd_rows_format(const char *name, enum cmd_rows_format *ret)
{
	static const char *const names[] = { "table", "json", "csv", "markdown" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum cmd_rows_format)i;
			return true;
		}
	return false;
}

static size_t characters(struct bh_slice text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += (text.ptr[i] & 0xc0) != 0x80;
	return n;
}

static void add_table_cell(struct bh_buf *out, struct bh_slice escaped, size_t width)
{
	size_t n = characters(escaped);
	bh_buf_add(out, escaped);
	layout_spaces(out, width > n ? width - n : 0);
}

/* What a terminal shows of a cell; an empty one as "-", so that columns can be told apart. */
static struct bh_slice shown(struct bh_buf *scratch, struct bh_slice cell)
{
	bh_buf_clear(scratch);
	bh_buf_add_escaped(scratch, cell.len ? cell : BH_SLICE_LIT("-"));
	return bh_buf_slice(scratch);
}

static bool is_of(const struct kube_row *row, const struct cmd_columns *c)
{
	return c->kind == CMD_ROWS_ANY || row->kind == c->kind;
}

static void add_table(struct bh_buf *out, const struct kube_answer *a, const struct cmd_columns *c)
{
	size_t width[KUBE_ASK_CELLS_MAX] = { 0 };
	struct bh_buf scratch;
	bh_buf_init(&scratch, 4 * KUBE_ASK_CELL_BYTES_MAX);
	for (size_t k = 0; k < c->n; k++)
		width[k] = strlen(c->names[k]);
	for (size_t i = 0; i < a->rows.len; i++)
		for (size_t k = 0; k < c->n && is_of(&a->rows.ptr[i], c); k++) {
			size_t n = characters(shown(&scratch, kube_cell(&a->rows.ptr[i], k)));
			if (n > width[k] && n <= COLUMN_MAX)
				width[k] = n;
		}
	for (size_t k = 0; k < c->n; k++) {
		bh_buf_add_str(out, k ? "  " : "");
		add_table_cell(out, bh_slice_str(c->names[k]), k + 1 < c->n ? width[k] : 0);
	}
	bh_buf_add_byte(out, '\n');
	for (size_t i = 0; i < a->rows.len; i++) {
		if (!is_of(&a->rows.ptr[i], c))
			continue;
		for (size_t k = 0; k < c->n; k++) {
			bh_buf_add_str(out, k ? "  " : "");
			add_table_cell(out, shown(&scratch, kube_cell(&a->rows.ptr[i], k)), k + 1 < c->n ? width[k] : 0);
		}
		bh_buf_add_byte(out, '\n');
	}
	bh_buf_done(&scratch);
}

static void add_json_row(struct bh_buf *out, const struct kube_row *row, const struct cmd_columns *c)
{
	bh_buf_add_str(out, "  {");
	for (size_t k = 0; k < c->n; k++) {
		bh_buf_add_str(out, k ? ", " : "");
		bh_buf_add_json(out, bh_slice_str(c->names[k]));
		bh_buf_add_str(out, ": ");
		bh_buf_add_json(out, kube_cell(row, k));
	}
	bh_buf_add_str(out, "}");
}

static void add_headings(struct bh_buf *out, const struct cmd_columns *c, bool markdown)
{
	struct bh_slice names[KUBE_ASK_CELLS_MAX] = { 0 };
	for (size_t k = 0; k < c->n; k++)
		names[k] = bh_slice_str(c->names[k]);
	if (!markdown) {
		cmd_add_csv_row(out, names, c->n);
		return;
	}
	cmd_add_markdown_row(out, names, c->n);
	for (size_t k = 0; k < c->n; k++) {
		bh_buf_add_byte(out, '|');
		for (size_t i = 0; i < names[k].len + 2; i++)
			bh_buf_add_byte(out, '-');
	}
	bh_buf_add_str(out, "|\n");
}

void cmd_add_rows(struct bh_buf *out, const struct kube_answer *a, const struct cmd_columns *c, enum cmd_rows_format format)
{
	bool more = false;
	if (format == CMD_ROWS_TABLE) {
		add_table(out, a, c);
		return;
	}
	if (format == CMD_ROWS_JSON)
		bh_buf_add_str(out, "[");
	else
		add_headings(out, c, format == CMD_ROWS_MARKDOWN);
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		if (!is_of(row, c))
			continue;
		switch (format) {
		case CMD_ROWS_JSON:
			bh_buf_add_str(out, more ? ",\n" : "\n");
			add_json_row(out, row, c);
			break;
		case CMD_ROWS_CSV: cmd_add_csv_row(out, row->cells, row->n < c->n ? row->n : c->n); break;
		case CMD_ROWS_MARKDOWN: cmd_add_markdown_row(out, row->cells, row->n < c->n ? row->n : c->n); break;
		case CMD_ROWS_TABLE: break;
		}
		more = true;
	}
	if (format == CMD_ROWS_JSON)
		bh_buf_add_str(out, more ? "\n]\n" : "]\n");
}
