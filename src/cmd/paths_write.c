#include "cmd/paths_write.h"

#include "cmd/asking.h"
#include "kube/paths.h"

static void add(struct bh_buf *out, const struct kube_row *row, size_t cell)
{
	bh_buf_add_escaped(out, kube_cell(row, cell));
}

static bool is_reached(const struct kube_row *target)
{
	return bh_slice_eq_str(kube_cell(target, PATHS_TARGET_REACHED), "yes");
}

/* ---- text ---- */

static void text_target(struct bh_buf *out, const struct kube_row *row)
{
	bh_buf_add_byte(out, '\n');
	add(out, row, PATHS_TARGET_FROM);
	bh_buf_add_str(out, " -> ");
	add(out, row, PATHS_TARGET_TO);
	if (!is_reached(row)) {
		bh_buf_add_str(out, ": not reached\n");
		return;
	}
	bh_buf_add_str(out, ": ");
	add(out, row, PATHS_TARGET_WAYS);
	bh_buf_add_str(out, bh_slice_eq_str(kube_cell(row, PATHS_TARGET_WAYS), "1") ? " way\n" : " ways, the shortest first\n");
}

static void text_step(struct bh_buf *out, const struct kube_row *row)
{
	if (bh_slice_eq_str(kube_cell(row, PATHS_STEP_NUMBER), "1")) {
		bh_buf_add_str(out, "\n  way ");
		add(out, row, PATHS_STEP_WAY);
		bh_buf_add_byte(out, '\n');
	}
	bh_buf_printf(out, "  %3.*s. ", BH_SLICE_FMT(kube_cell(row, PATHS_STEP_NUMBER)));
	add(out, row, PATHS_STEP_SENTENCE);
	if (kube_cell(row, PATHS_STEP_TECHNIQUE).len) {
		bh_buf_add_str(out, "  [");
		add(out, row, PATHS_STEP_TECHNIQUE);
		bh_buf_add_byte(out, ']');
	}
	bh_buf_add_byte(out, '\n');
	if (kube_cell(row, PATHS_STEP_PLACES).len) {
		bh_buf_add_str(out, "         by ");
		add(out, row, PATHS_STEP_PLACES);
		bh_buf_add_byte(out, '\n');
	}
}

/* Changes that do it alone have a line each; those that do it together begin with "and". */
static void text_cut(struct bh_buf *out, const struct kube_row *row, const struct kube_row *before)
{
	bool is_first = !before || before->kind != PATHS_ROW_CUT;
	bool goes_on = !is_first && bh_slice_eq(kube_cell(before, PATHS_CUT_NUMBER), kube_cell(row, PATHS_CUT_NUMBER));
	if (is_first)
		bh_buf_add_str(out, "\n  what stops it, each for itself or together with the lines that begin with \"and\":\n");
	bh_buf_add_str(out, goes_on ? "      and " : "    - ");
	add(out, row, PATHS_CUT_REMEDY);
	bh_buf_add_str(out, "\n          since ");
	add(out, row, PATHS_CUT_SENTENCE);
	if (kube_cell(row, PATHS_CUT_PLACE).len) {
		bh_buf_add_str(out, " (");
		add(out, row, PATHS_CUT_PLACE);
		bh_buf_add_byte(out, ')');
	}
	bh_buf_add_str(out, "\n          try it: --without \"");
	add(out, row, PATHS_CUT_FACT);
	bh_buf_add_str(out, "\"\n");
}

static void text_blast(struct bh_buf *out, const struct kube_row *row)
{
	bh_buf_printf(out, "%3.*s  ", BH_SLICE_FMT(kube_cell(row, PATHS_BLAST_SCORE)));
	add(out, row, PATHS_BLAST_WORKLOAD);
	bh_buf_add_str(out, ": ");
	add(out, row, PATHS_BLAST_SENTENCE);
	bh_buf_add_byte(out, '\n');
}

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		switch ((enum paths_row)row->kind) {
		case PATHS_ROW_NOTE:
			bh_buf_add_str(out, "note: ");
			add(out, row, PATHS_NOTE_TEXT);
			bh_buf_add_byte(out, '\n');
			break;
		case PATHS_ROW_TARGET: text_target(out, row); break;
		case PATHS_ROW_STEP: text_step(out, row); break;
		case PATHS_ROW_REST: break; /* the cuts say what can be done; the rest is for programs */
		case PATHS_ROW_CUT: text_cut(out, row, i ? &a->rows.ptr[i - 1] : NULL); break;
		case PATHS_ROW_BLAST: text_blast(out, row); break;
		}
	}
}

/* ---- tables ---- */

struct table {
	enum paths_row kind;
	const char *name;
	size_t n;
	const char *columns[KUBE_ASK_CELLS_MAX];
};

/* Index = enum paths_row. */
static const struct table tables[] = {
	{ PATHS_ROW_NOTE, "note", PATHS_NOTE_CELLS, { "text" } },
	{ PATHS_ROW_TARGET, "target", PATHS_TARGET_CELLS, { "from", "to", "reached", "ways", "cuts" } },
	{ PATHS_ROW_STEP, "step", PATHS_STEP_CELLS, { "way", "step", "rule", "technique", "sentence", "concludes", "needs", "places" } },
	{ PATHS_ROW_REST, "rest", PATHS_REST_CELLS, { "way", "fact", "sentence", "remedy", "place" } },
	{ PATHS_ROW_CUT, "cut", PATHS_CUT_CELLS, { "cut", "fact", "sentence", "remedy", "place" } },
	{ PATHS_ROW_BLAST, "blast", PATHS_BLAST_CELLS, { "workload", "score", "workloads", "secrets", "service_accounts", "nodes", "cluster_admin", "sentence" } },
};

static void json_row(struct bh_buf *out, const struct kube_row *row)
{
	const struct table *t = &tables[row->kind];
	bh_buf_printf(out, "{\"row\": \"%s\"", t->name);
	for (size_t i = 0; i < t->n; i++) {
		bh_buf_printf(out, ", \"%s\": ", t->columns[i]);
		bh_buf_add_json(out, kube_cell(row, i));
	}
	bh_buf_add_byte(out, '}');
}

/* One line per row, in the order of the answer: what follows a target is about it. */
static void write_json(const struct kube_answer *a, struct bh_buf *out)
{
	bh_buf_add_str(out, "[");
	for (size_t i = 0; i < a->rows.len; i++) {
		bh_buf_add_str(out, i ? ",\n  " : "\n  ");
		json_row(out, &a->rows.ptr[i]);
	}
	bh_buf_add_str(out, a->rows.len ? "\n]\n" : "]\n");
}

/* The steps, or the blast radii: a table has one kind of rows. */
static enum paths_row main_kind(const struct kube_answer *a)
{
	for (size_t i = 0; i < a->rows.len; i++)
		if (a->rows.ptr[i].kind == PATHS_ROW_BLAST)
			return PATHS_ROW_BLAST;
	return PATHS_ROW_STEP;
}

typedef void row_writer(struct bh_buf *out, const struct bh_slice *cells, size_t n);

/* Of steps the target is the first cell. */
static void write_table(const struct kube_answer *a, struct bh_buf *out, row_writer *line, bool ruled)
{
	const struct table *t = &tables[main_kind(a)];
	struct bh_slice cells[KUBE_ASK_CELLS_MAX + 1] = { BH_SLICE_LIT("to") }, target = { 0 };
	size_t first = t->kind == PATHS_ROW_STEP ? 0 : 1;
	for (size_t i = 0; i < t->n; i++)
		cells[i + 1] = bh_slice_str(t->columns[i]);
	line(out, cells + first, t->n + 1 - first);
	for (size_t i = first; ruled && i < t->n + 1; i++)
		bh_buf_add_str(out, i == t->n ? "|---|\n" : "|---");
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		if (row->kind == PATHS_ROW_TARGET)
			target = kube_cell(row, PATHS_TARGET_TO);
		if (row->kind != t->kind)
			continue;
		cells[0] = target;
		for (size_t k = 0; k < t->n; k++)
			cells[k + 1] = kube_cell(row, k);
		line(out, cells + first, t->n + 1 - first);
	}
}

void paths_write(enum paths_format format, const struct kube_answer *a, struct bh_buf *out)
{
	switch (format) {
	case PATHS_TEXT: write_text(a, out); break;
	case PATHS_JSON: write_json(a, out); break;
	case PATHS_CSV: write_table(a, out, cmd_add_csv_row, false); break;
	case PATHS_MARKDOWN: write_table(a, out, cmd_add_markdown_row, true); break;
	case PATHS_SVG: break;  /* paths_draw */
	case PATHS_HTML: break; /* paths_page */
	}
}
