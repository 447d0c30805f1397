/*
 * table.c: the report for people.
 *
 *   header        what was scanned
 *   fix first     the few changes that remove most                     (table_judgement.c)
 *   findings      about the image as a whole, then packages, worst first; the fix stands in the row
 *   suppressed    what exceptions and VEX took out                     (table_judgement.c)
 *   not checked   loud, as silence would read as "clean"
 *   data, summary, verdict
 *
 * From 96 columns on packages are rows of five columns; in narrower terminals the same things stand below each other.
 * Everything that comes from the image is escaped before it is measured and printed.
 */
#include "report/table.h"

#include "report/describe.h"
#include "report/group.h"
#include "report/layout.h"

#include "base/utf8.h"

#define WIDTH_DEFAULT 100u /* where there is no terminal */
#define WIDTH_MIN 40u
#define WIDTH_MAX 200u     /* the eye loses longer lines */
#define WIDTH_COLUMNS 96u  /* narrower: stacked, as columns would break versions and leave one id per line */
#define LABEL_COLUMNS 10u  /* "Platform  " */
#define SEVERITY_COLUMNS 10u /* "negligible" */
#define BINARIES_SHOWN 8u  /* binary packages named per source; the JSON report has all */
#define CELL_BYTES_MAX (16u << 20)

const char *table_severity_colour(const struct table *t, enum bh_severity s)
{
	if (!t->style->colour)
		return NULL;
	switch (s) {
	case BH_SEV_CRITICAL: return "1;31";
	case BH_SEV_HIGH: return "31";
	case BH_SEV_MEDIUM: return "33";
	case BH_SEV_LOW: return "36";
	case BH_SEV_NEGLIGIBLE: return "2";
	case BH_SEV_UNKNOWN: return "35";
	}
	return NULL;
}

void table_coloured(struct table *t, const char *sgr, const char *text)
{
	if (t->style->colour)
		bh_buf_printf(t->out, "\x1b[%sm%s\x1b[0m", sgr, text);
	else
		bh_buf_add_str(t->out, text);
}

/* The cell's buffer, emptied. */
struct bh_buf *table_cell(struct table *t, size_t i)
{
	t->cell_failed = t->cell_failed || t->cells[i].failed; /* clearing forgets it */
	bh_buf_clear(&t->cells[i]);
	return &t->cells[i];
}

struct bh_slice table_escaped(struct table *t, struct bh_slice s)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	bh_buf_add_escaped(b, s);
	return bh_buf_slice(b);
}

/* ---- header ---- */

void table_header_line(struct table *t, const char *label, struct bh_slice text)
{
	if (text.len == 0)
		return;
	layout_spaces(t->out, MARGIN);
	bh_buf_add_str(t->out, label);
	layout_spaces(t->out, LABEL_COLUMNS - strlen(label));
	layout_paragraph(t->out, text, MARGIN + LABEL_COLUMNS, MARGIN + LABEL_COLUMNS, t->width);
}

static bool short_digest(struct bh_buf *b, const struct bh_digest *d)
{
	char text[BH_DIGEST_TEXT_BYTES];
	return d->kind != BH_DIGEST_NONE && bh_buf_printf(b, "%.19s", bh_digest_text(d, text)); /* "sha256:" and 12 digits */
}

static void add_size(struct bh_buf *b, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10 / 1024;
	size_t unit = 0;
	for (; tenths >= 10240 && unit < 3; unit++)
		tenths /= 1024;
	bh_buf_printf(b, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10), units[unit]);
}

/* The system itself is past its end: a finding about the image as a whole. */
static bool is_end_of_life(const struct bh_report *r)
{
	for (size_t i = 0; i < r->findings.len; i++)
		if (r->findings.ptr[i].class == BH_CLASS_END_OF_LIFE && !r->findings.ptr[i].package)
			return true;
	return false;
}

static struct bh_slice system_text(struct table *t)
{
	const struct bh_distro *d = &t->report->target.distro;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (d->name.len) {
		bh_buf_add_escaped(b, d->name);
	} else if (d->id.len) {
		bh_buf_add_escaped(b, d->id);
		bh_buf_add_byte(b, ' ');
		bh_buf_add_escaped(b, d->version_id);
	} else {
		bh_buf_add_str(b, "unknown");
	}
	if (is_end_of_life(t->report))
		bh_buf_add_str(b, ", END OF LIFE");
	return bh_buf_slice(b);
}

static struct bh_slice platform_text(struct table *t)
{
	const struct bh_target *g = &t->report->target;
	const struct bh_slice parts[] = { g->os, g->architecture, g->variant };
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	for (size_t i = 0; i < 3; i++) {
		if (parts[i].len && b->len)
			bh_buf_add_byte(b, '/');
		bh_buf_add_escaped(b, parts[i]);
	}
	return bh_buf_slice(b);
}

static struct bh_slice layers_text(struct table *t)
{
	uint64_t stored = 0, unpacked = 0;
	for (size_t i = 0; i < t->report->layers.len; i++) {
		stored += t->report->layers.ptr[i].size_bytes;
		unpacked += t->report->layers.ptr[i].unpacked_bytes;
	}
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (t->report->layers.len == 0)
		return bh_buf_slice(b);
	layout_number(b, t->report->layers.len);
	bh_buf_add_str(b, ", ");
	add_size(b, stored);
	bh_buf_add_str(b, " stored, ");
	add_size(b, unpacked);
	bh_buf_add_str(b, " unpacked");
	return bh_buf_slice(b);
}

static struct bh_slice target_text(struct table *t)
{
	const struct bh_target *g = &t->report->target;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	bh_buf_add_escaped(b, g->text);
	bh_buf_add_str(b, " (");
	bh_buf_add_escaped(b, g->kind);
	if (g->format.len) {
		bh_buf_add_str(b, ", ");
		bh_buf_add_escaped(b, g->format);
	}
	if (g->reference.len) {
		bh_buf_add_str(b, ", ");
		bh_buf_add_escaped(b, g->reference);
	}
	if (g->contents.len) {
		bh_buf_add_str(b, ", ");
		bh_buf_add_escaped(b, g->contents);
	}
	bh_buf_add_byte(b, ')');
	return bh_buf_slice(b);
}

/* What nobody can see who has only a list. */
static struct bh_slice limits_text(const struct table *t)
{
	return t->report->target.format.len ? BH_SLICE_LIT("only what the SBOM lists: no files, layers or executables were seen") : (struct bh_slice){ 0 };
}

static struct bh_slice digest_text(struct table *t)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	(void)short_digest(b, &t->report->target.digest);
	return bh_buf_slice(b);
}

static struct bh_slice packages_text(struct table *t)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	layout_number(b, t->report->packages.len);
	return bh_buf_slice(b);
}

/* Manifests are neither a system nor do they hold packages. */
static bool is_about_packages(const struct table *t)
{
	return !bh_slice_eq_str(t->report->target.kind, "manifests");
}

static void write_header(struct table *t)
{
	table_header_line(t, "Target", target_text(t));
	if (!is_about_packages(t))
		return;
	table_header_line(t, "Checked", limits_text(t));
	table_header_line(t, "Digest", digest_text(t));
	table_header_line(t, "Platform", platform_text(t));
	table_header_line(t, "System", system_text(t));
	table_header_line(t, "Layers", layers_text(t));
	table_header_line(t, "Packages", packages_text(t));
	table_write_origin(t);
}

void table_heading(struct table *t, const char *title, const char *sgr)
{
	bh_buf_add_byte(t->out, '\n');
	table_coloured(t, sgr, title);
	bh_buf_add_byte(t->out, '\n');
}

/* ---- packages ---- */

static void source_text(struct table *t, const struct group *g)
{
	bh_buf_add_escaped(table_cell(t, CELL_PACKAGE), bh_package_source_name(g->packages[0]));
}

/* "(libssl3, openssl)"; nothing when the only binary package is called like its source. */
static void binaries_text(struct table *t, const struct group *g)
{
	struct bh_buf *b = table_cell(t, CELL_BINARIES);
	if (g->n_packages == 1 && bh_slice_eq(bh_package_source_name(g->packages[0]), g->packages[0]->name))
		return;
	size_t shown = g->n_packages <= BINARIES_SHOWN + 1 ? g->n_packages : BINARIES_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		bh_buf_add_str(b, i ? ", " : "(");
		bh_buf_add_escaped(b, g->packages[i]->name);
	}
	if (shown < g->n_packages)
		bh_buf_printf(b, " and %zu more", g->n_packages - shown);
	bh_buf_add_byte(b, ')');
}

static void fix_text(struct table *t, const struct group *g, enum group_remedy remedy)
{
	struct bh_buf *b = table_cell(t, CELL_FIX);
	switch (remedy) {
	case REMEDY_UPGRADE:
		if (g->upgrade.len) {
			bh_buf_add_str(b, "→ ");
			bh_buf_add_escaped(b, g->upgrade);
		} else {
			bh_buf_add_str(b, "upgrade, see the JSON report");
		}
		return;
	case REMEDY_NONE_YET: bh_buf_add_str(b, "no fix yet"); return;
	case REMEDY_LATER: bh_buf_add_str(b, "fix postponed"); return;
	case REMEDY_IGNORED: bh_buf_add_str(b, "won't be fixed"); return;
	case REMEDY_END_OF_LIFE: bh_buf_add_str(b, "no more support"); return;
	case REMEDY_UNDETERMINED: bh_buf_add_str(b, "undetermined"); return;
	case REMEDY_COUNT: return;
	}
}

/* A row is a run of findings of one remedy and one severity. Returns its end. */
static size_t row_end(const struct group *g, size_t start)
{
	size_t end = start + 1;
	while (end < g->n_findings && g->findings[end]->severity == g->findings[start]->severity &&
	       group_remedy_of(g->findings[end]) == group_remedy_of(g->findings[start]))
		end++;
	return end;
}

static void ids_text(struct table *t, const struct group *g, size_t start, size_t end)
{
	struct bh_buf *b = table_cell(t, CELL_IDS);
	for (size_t i = start; i < end; i++) {
		bh_buf_add_escaped(b, g->findings[i]->id);
		if (g->findings[i]->kev)
			bh_buf_add_byte(b, '!');
		if (i + 1 < end)
			bh_buf_add_str(b, ", ");
	}
}

/* Widths of the columns that hold texts of any length. */
struct columns {
	size_t package, installed, severity, ids, fix;
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Source and binary packages on one line, when that is not too long; else the source. */
static size_t package_width(struct table *t, const struct group *g)
{
	enum { ONE_LINE_MOST = 36 };
	source_text(t, g);
	binaries_text(t, g);
	size_t source = bh_utf8_width(bh_buf_slice(&t->cells[CELL_PACKAGE])), binaries = bh_utf8_width(bh_buf_slice(&t->cells[CELL_BINARIES]));
	return binaries && source + 1 + binaries <= ONE_LINE_MOST ? source + 1 + binaries : source;
}

static struct columns natural_widths(struct table *t, const struct groups *groups)
{
	struct columns c = { .package = strlen("PACKAGE"), .installed = strlen("INSTALLED"), .severity = strlen("SEVERITY"),
			     .fix = strlen("won't be fixed") };
	for (size_t i = 0; i < groups->len; i++) {
		const struct group *g = &groups->ptr[i];
		c.package = larger(c.package, package_width(t, g));
		c.installed = larger(c.installed, bh_utf8_width(table_escaped(t, g->packages[0]->version)));
		fix_text(t, g, REMEDY_UPGRADE);
		if (g->upgrade.len)
			c.fix = larger(c.fix, bh_utf8_width(bh_buf_slice(&t->cells[CELL_FIX])));
		if (g->by_severity[BH_SEV_NEGLIGIBLE])
			c.severity = SEVERITY_COLUMNS;
	}
	return c;
}

/* Takes from *width what is too much, down to `least`. */
static void shrink(size_t *width, size_t least, size_t *too_much)
{
	size_t n = *width > least ? *width - least : 0;
	n = n < *too_much ? n : *too_much;
	*width -= n;
	*too_much -= n;
}

/*
 * The ids get what the others leave, at least two side by side. Names of packages give way first: they are made of words;
 * versions that are broken can't be read or copied.
 */
static struct columns fit_columns(struct table *t, const struct groups *groups)
{
	enum { IDS_WANTED = 31 };
	static const struct columns least[] = { { .package = 18, .installed = 16, .fix = 22 }, { .package = 14, .installed = 16, .fix = 20 },
						{ .package = 12, .installed = 14, .fix = 18 }, { .package = 12, .installed = 12, .fix = 14 } };
	struct columns c = natural_widths(t, groups);
	size_t room = t->width - MARGIN - c.severity - 4 * 2; /* four gaps */
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		size_t used = c.package + c.installed + c.fix + IDS_WANTED, too_much = used > room ? used - room : 0;
		shrink(&c.package, least[i].package, &too_much);
		shrink(&c.installed, least[i].installed, &too_much);
		shrink(&c.fix, least[i].fix, &too_much);
	}
	c.ids = room - c.package - c.installed - c.fix;
	return c;
}

enum { COLUMN_SOURCE, COLUMN_INSTALLED, COLUMN_SEVERITY, COLUMN_IDS, COLUMN_FIX, COLUMNS };

static void column_titles(struct table *t, const struct columns *c)
{
	const char *bold = t->style->colour ? "1" : NULL;
	struct layout_cell cells[COLUMNS] = {
		{ .rest = BH_SLICE_LIT("PACKAGE"), .width = c->package, .colour = bold },
		{ .rest = BH_SLICE_LIT("INSTALLED"), .width = c->installed, .colour = bold },
		{ .rest = BH_SLICE_LIT("SEVERITY"), .width = c->severity, .colour = bold },
		{ .rest = BH_SLICE_LIT("VULNERABILITIES"), .width = c->ids, .colour = bold },
		{ .rest = BH_SLICE_LIT("FIX"), .width = c->fix, .colour = bold },
	};
	layout_line(t->out, MARGIN, cells, COLUMNS);
}

/* What a group prints; the binary packages stand below source and installed version together. */

struct group_cells {
	struct layout_cell cell[COLUMNS];
	struct layout_cell binaries;
};

/* One line. When name and version have been printed, the binary packages take their place. */
static void group_line(struct table *t, struct group_cells *g)
{
	if (g->cell[COLUMN_SOURCE].rest.len || g->cell[COLUMN_INSTALLED].rest.len || g->binaries.rest.len == 0) {
		layout_line(t->out, MARGIN, g->cell, COLUMNS);
		return;
	}
	struct layout_cell line[] = { g->binaries, g->cell[COLUMN_SEVERITY], g->cell[COLUMN_IDS], g->cell[COLUMN_FIX] };
	layout_line(t->out, MARGIN, line, 4);
	g->binaries = line[0];
	memcpy(&g->cell[COLUMN_SEVERITY], &line[1], 3 * sizeof(line[0]));
}

static void start_group(struct table *t, const struct group *g, const struct columns *c, struct group_cells *ret)
{
	source_text(t, g);
	binaries_text(t, g);
	struct bh_buf *package = &t->cells[CELL_PACKAGE], *binaries = &t->cells[CELL_BINARIES], *installed = table_cell(t, CELL_INSTALLED);
	bh_buf_add_escaped(installed, g->packages[0]->version);
	if (bh_utf8_width(bh_buf_slice(package)) + 1 + bh_utf8_width(bh_buf_slice(binaries)) <= c->package && binaries->len) {
		bh_buf_add_byte(package, ' ');
		bh_buf_add(package, bh_buf_slice(binaries));
		bh_buf_clear(binaries);
	}
	*ret = (struct group_cells){
		.cell = { [COLUMN_SOURCE] = { .rest = bh_buf_slice(package), .width = c->package, .indent = 2, .colour = t->style->colour ? "1" : NULL },
			  [COLUMN_INSTALLED] = { .rest = bh_buf_slice(installed), .width = c->installed, .indent = 1 },
			  [COLUMN_SEVERITY] = { .width = c->severity },
			  [COLUMN_IDS] = { .width = c->ids },
			  [COLUMN_FIX] = { .width = c->fix, .indent = 2 } },
		.binaries = { .rest = bh_buf_slice(binaries), .width = c->package + 2 + c->installed, .indent = 2, .started = true },
	};
}

/* Name, version and binary packages run down beside all rows, the fix beside the rows of its remedy; severity and ids are a row. */
static void write_group_columns(struct table *t, const struct group *g, const struct columns *c)
{
	struct group_cells cells;
	struct layout_cell *fix = &cells.cell[COLUMN_FIX];
	start_group(t, g, c, &cells);
	for (size_t start = 0, end; start < g->n_findings; start = end) {
		enum group_remedy remedy = group_remedy_of(g->findings[start]);
		enum bh_severity severity = g->findings[start]->severity;
		end = row_end(g, start);
		if (start == 0 || remedy != group_remedy_of(g->findings[start - 1])) {
			while (fix->rest.len)
				group_line(t, &cells);
			fix_text(t, g, remedy);
			fix->rest = bh_buf_slice(&t->cells[CELL_FIX]);
			fix->started = false;
			fix->colour = t->style->colour ? (remedy == REMEDY_UPGRADE ? "32" : "2") : NULL;
		}
		ids_text(t, g, start, end);
		cells.cell[COLUMN_SEVERITY].rest = bh_slice_str(bh_severity_name(severity));
		cells.cell[COLUMN_SEVERITY].colour = table_severity_colour(t, severity);
		cells.cell[COLUMN_IDS].rest = bh_buf_slice(&t->cells[CELL_IDS]);
		while (cells.cell[COLUMN_IDS].rest.len)
			group_line(t, &cells);
	}
	while (cells.cell[COLUMN_SOURCE].rest.len || cells.cell[COLUMN_INSTALLED].rest.len || fix->rest.len || cells.binaries.rest.len)
		group_line(t, &cells);
}

/* Narrow: "openssl 3.0.9-1 (libssl3)", then "→ 3.0.18-1", then severity and ids per row. */
static void write_group_stacked(struct table *t, const struct group *g)
{
	source_text(t, g);
	binaries_text(t, g);
	struct bh_buf *head = table_cell(t, CELL_INSTALLED);
	bh_buf_add(head, bh_buf_slice(&t->cells[CELL_PACKAGE]));
	bh_buf_add_byte(head, ' ');
	bh_buf_add_escaped(head, g->packages[0]->version);
	bh_buf_add_str(head, t->cells[CELL_BINARIES].len ? "  " : "");
	bh_buf_add(head, bh_buf_slice(&t->cells[CELL_BINARIES]));
	layout_paragraph(t->out, bh_buf_slice(head), 0, 2 * MARGIN, t->width);
	for (size_t start = 0, end; start < g->n_findings; start = end) {
		enum group_remedy remedy = group_remedy_of(g->findings[start]);
		end = row_end(g, start);
		if (start == 0 || remedy != group_remedy_of(g->findings[start - 1])) {
			fix_text(t, g, remedy);
			layout_spaces(t->out, MARGIN);
			layout_paragraph(t->out, bh_buf_slice(&t->cells[CELL_FIX]), MARGIN, 2 * MARGIN, t->width);
		}
		ids_text(t, g, start, end);
		struct layout_cell cells[2] = {
			{ .rest = bh_slice_str(bh_severity_name(g->findings[start]->severity)), .width = SEVERITY_COLUMNS,
			  .colour = table_severity_colour(t, g->findings[start]->severity) },
			{ .rest = bh_buf_slice(&t->cells[CELL_IDS]), .width = t->width - SEVERITY_COLUMNS - 2 * MARGIN - 2 },
		};
		layout_flush(t->out, 2 * MARGIN, cells, 2);
	}
}

static void layer_heading(struct table *t, uint32_t layer)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	if (layer >= t->report->layers.len) {
		bh_buf_add_str(b, "no layer");
	} else {
		const struct bh_layer *l = &t->report->layers.ptr[layer];
		bh_buf_printf(b, "Layer %u  ", layer + 1);
		(void)short_digest(b, l->digest.kind != BH_DIGEST_NONE ? &l->digest : &l->diff_id);
		bh_buf_add_str(b, "  ");
		table_add_instruction(t, b, l);
	}
	bh_buf_add_byte(t->out, '\n');
	struct bh_slice text = bh_buf_slice(b);
	struct layout_cell one = { .rest = layout_take_line(&text, t->width), .width = t->width, .colour = t->style->colour ? "1" : NULL };
	layout_line(t->out, 0, &one, 1);
}

static int write_vulnerabilities(struct table *t, size_t *ret_packages, struct bh_err *err)
{
	struct groups groups;
	int rc = groups_make(t->report, t->style, &groups, err);
	if (rc < 0)
		return rc;
	bool columns = t->width >= WIDTH_COLUMNS;
	struct columns c = { 0 };
	if (groups.len)
		bh_buf_add_byte(t->out, '\n');
	if (groups.len && columns) {
		c = fit_columns(t, &groups);
		column_titles(t, &c);
	}
	for (size_t i = 0; i < groups.len; i++) {
		if (t->style->by_layer && (i == 0 || groups.ptr[i].layer != groups.ptr[i - 1].layer))
			layer_heading(t, groups.ptr[i].layer);
		if (columns)
			write_group_columns(t, &groups.ptr[i], &c);
		else
			write_group_stacked(t, &groups.ptr[i]);
	}
	*ret_packages = groups.n_packages;
	groups_done(&groups);
	return 0;
}

/* ---- findings that are not a vulnerable package ---- */

static bool is_row(const struct bh_finding *f)
{
	return f->class == BH_CLASS_VULNERABILITY && f->package;
}

static void add_layer_name(struct table *t, struct bh_buf *b, uint32_t layer)
{
	if (layer >= t->report->layers.len)
		return;
	if (t->report->layers.ptr[layer].container)
		bh_buf_add_str(b, " (container)");
	else
		bh_buf_printf(b, " (layer %u)", layer + 1);
}

/* "path:12 (layer 3)", the package, or nothing. */
static void add_where(struct table *t, struct bh_buf *b, const struct bh_finding *f)
{
	if (f->path.len) {
		bh_buf_add_escaped(b, f->path);
		if (f->line)
			bh_buf_printf(b, ":%u", f->line);
		add_layer_name(t, b, f->layer);
		bh_buf_add_str(b, ": ");
	} else if (f->package) {
		bh_buf_add_escaped(b, f->package->name);
		bh_buf_add_byte(b, ' ');
		bh_buf_add_escaped(b, f->package->version);
		bh_buf_add_str(b, ": ");
	}
}

static void item_line(struct table *t, const char *label, const char *sgr, struct bh_slice text)
{
	struct layout_cell cells[2] = {
		{ .rest = bh_slice_str(label), .width = SEVERITY_COLUMNS, .colour = sgr },
		{ .rest = text, .width = t->width - SEVERITY_COLUMNS - 2 - MARGIN },
	};
	layout_flush(t->out, MARGIN, cells, 2);
}

/* What to do is said below the last one of those that it is said of. */
static void write_item(struct table *t, const struct bh_finding *f, const struct bh_finding *next)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	add_where(t, b, f);
	bh_buf_add_escaped(b, f->title.len ? f->title : f->evidence);
	bh_buf_add_str(b, " [");
	bh_buf_add_escaped(b, f->id);
	bh_buf_add_byte(b, ']');
	if (f->kev)
		bh_buf_add_byte(b, '!');
	item_line(t, bh_severity_name(f->severity), table_severity_colour(t, f->severity), bh_buf_slice(b));
	bool shown = f->class == BH_CLASS_MISCONFIGURATION || f->class == BH_CLASS_SECRET || f->class == BH_CLASS_MALWARE;
	if (shown && f->title.len && f->evidence.len)
		item_line(t, "", NULL, table_escaped(t, f->evidence));
	bool repeated = next && f->class == BH_CLASS_SECRET && bh_slice_eq(next->id, f->id) && bh_slice_eq(next->fix, f->fix);
	if (f->fix.len == 0 || repeated)
		return;
	b = table_cell(t, CELL_OTHER);
	bh_buf_add_str(b, "→ ");
	bh_buf_add_escaped(b, f->fix);
	if (f->patch_level != BH_PATCH_NONE)
		bh_buf_add_str(b, f->patch_level == BH_PATCH_SAFE ? " (--fix)" : " (--fix=all)");
	struct layout_cell cells[2] = { { .width = SEVERITY_COLUMNS },
					{ .rest = bh_buf_slice(b), .width = t->width - SEVERITY_COLUMNS - 2 - MARGIN, .indent = 2,
					  .colour = t->style->colour ? "32" : NULL } };
	layout_flush(t->out, MARGIN, cells, 2);
}

static void write_other_findings(struct table *t)
{
	static const struct {
		enum bh_finding_class class;
		const char *title;
	} sections[] = {
		{ BH_CLASS_END_OF_LIFE, "End of life" },
		{ BH_CLASS_MALWARE, "Malware" },
		{ BH_CLASS_SECRET, "Secrets" },
		{ BH_CLASS_VULNERABILITY, "Vulnerabilities outside packages" },
		{ BH_CLASS_MISCONFIGURATION, "Configuration" },
		{ BH_CLASS_DRIFT, "Drift" },
		{ BH_CLASS_LICENSE, "Licences that are not allowed" },
		{ BH_CLASS_EXCEPTION, "Exceptions that ran out" },
	};
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		const struct bh_finding *last = NULL;
		for (size_t i = 0; i < t->report->findings.len; i++) {
			const struct bh_finding *f = &t->report->findings.ptr[i];
			if (f->class != sections[s].class || is_row(f))
				continue;
			if (last)
				write_item(t, last, f);
			else
				table_heading(t, sections[s].title, "1");
			last = f;
		}
		if (last)
			write_item(t, last, NULL);
	}
}

/* ---- below the findings ---- */

static void write_not_checked(struct table *t)
{
	const struct bh_report *r = t->report;
	if (r->incomplete.len == 0 && r->not_covered.len == 0)
		return;
	table_heading(t, "NOT CHECKED", "1;35");
	for (size_t i = 0; i < r->incomplete.len; i++) {
		const struct bh_incomplete *n = &r->incomplete.ptr[i];
		struct bh_buf *b = table_cell(t, CELL_OTHER);
		bh_buf_add_str(b, "! ");
		bh_buf_add_escaped(b, n->what);
		bh_buf_add_str(b, n->path.len ? " " : "");
		bh_buf_add_escaped(b, n->path);
		add_layer_name(t, b, n->layer);
		bh_buf_add_str(b, ": ");
		bh_buf_add_escaped(b, n->reason);
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
	}
	for (size_t i = 0; i < r->not_covered.len; i++) {
		const struct bh_not_covered *n = &r->not_covered.ptr[i];
		struct bh_buf *b = table_cell(t, CELL_OTHER);
		bh_buf_add_str(b, n->partial ? "~ " : "! ");
		bh_buf_add_escaped(b, n->ecosystem);
		bh_buf_add_str(b, ", ");
		layout_number(b, n->packages);
		bh_buf_add_str(b, n->packages == 1 ? " package: " : " packages: ");
		bh_buf_add_escaped(b, describe_note(n));
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
	}
}

static void write_all_packages(struct table *t)
{
	table_heading(t, "All packages", "1");
	size_t name = 0, version = 0, third = t->width / 3;
	for (size_t i = 0; i < t->report->packages.len; i++) {
		name = larger(name, bh_utf8_width(table_escaped(t, t->report->packages.ptr[i].name)));
		version = larger(version, bh_utf8_width(table_escaped(t, t->report->packages.ptr[i].version)));
	}
	name = name < third ? name : third;
	version = version < third ? version : third;
	for (size_t i = 0; i < t->report->packages.len; i++) {
		const struct bh_package *p = &t->report->packages.ptr[i];
		struct bh_buf *names = table_cell(t, CELL_PACKAGE), *versions = table_cell(t, CELL_INSTALLED), *rest = table_cell(t, CELL_OTHER);
		bh_buf_add_escaped(names, p->name);
		bh_buf_add_escaped(versions, p->version);
		bh_buf_add_escaped(rest, p->type);
		bh_buf_add_str(rest, p->arch.len ? " " : "");
		bh_buf_add_escaped(rest, p->arch);
		add_layer_name(t, rest, p->at.layer);
		struct layout_cell cells[] = { { .rest = bh_buf_slice(names), .width = name, .indent = 2 },
					       { .rest = bh_buf_slice(versions), .width = version, .indent = 2 },
					       { .rest = bh_buf_slice(rest), .width = t->width - MARGIN - name - version - 4 } };
		layout_flush(t->out, MARGIN, cells, 3);
	}
}

static void write_data(struct table *t)
{
	const struct bh_report *r = t->report;
	table_heading(t, "Data", "1");
	if (r->data.len == 0) {
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, r->packages.len ? BH_SLICE_LIT("none: no package was compared with any advisory") : BH_SLICE_LIT("none"), MARGIN,
				 2 * MARGIN, t->width);
	}
	for (size_t i = 0; i < r->data.len; i++) {
		const struct bh_data_source *d = &r->data.ptr[i];
		struct bh_buf *b = table_cell(t, CELL_OTHER);
		bh_buf_add_escaped(b, d->name);
		bh_buf_add_str(b, " of ");
		bh_buf_add_escaped(b, d->date.len ? d->date : BH_SLICE_LIT("unknown date"));
		bh_buf_add_str(b, ", ");
		layout_number(b, d->records);
		bh_buf_add_str(b, d->records == 1 ? " record" : " records");
		if (d->origin.len) {
			bh_buf_add_str(b, ", ");
			bh_buf_add_escaped(b, d->origin);
		}
		layout_spaces(t->out, MARGIN);
		layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
	}
}

void table_add_count(struct bh_buf *b, uint64_t n, const char *one, const char *many)
{
	layout_number(b, n);
	bh_buf_printf(b, " %s", n == 1 ? one : many);
}

static void summarize(struct table *t, struct bh_buf *b, size_t n_packages)
{
	const struct bh_report *r = t->report;
	uint64_t by_severity[BH_SEV_CRITICAL + 1] = { 0 }, fixable = 0, exploited = 0;
	for (size_t i = 0; i < r->findings.len; i++) {
		by_severity[r->findings.ptr[i].severity]++;
		fixable += r->findings.ptr[i].n_fixed > 0;
		exploited += r->findings.ptr[i].kev;
	}
	if (r->findings.len)
		table_add_count(b, r->findings.len, "finding", "findings");
	else
		bh_buf_add_str(b, "no findings");
	if (n_packages) {
		bh_buf_add_str(b, " in ");
		table_add_count(b, n_packages, "package", "packages");
	}
	const char *before = ": ";
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--) {
		if (by_severity[s] == 0)
			continue;
		bh_buf_add_str(b, before);
		table_add_count(b, by_severity[s], bh_severity_name((enum bh_severity)s), bh_severity_name((enum bh_severity)s));
		before = ", ";
	}
	if (r->findings.len && is_about_packages(t)) {
		bh_buf_add_str(b, "; ");
		table_add_count(b, fixable, "has a fix", "have a fix");
	}
	if (exploited) {
		bh_buf_add_str(b, "; ");
		layout_number(b, exploited);
		bh_buf_add_str(b, " known to be exploited (!)");
	}
	uint64_t filtered = bh_report_filtered(r);
	if (filtered) {
		bh_buf_add_str(b, "; ");
		layout_number(b, filtered);
		bh_buf_add_str(b, " hidden by filters");
	}
	if (r->suppressed.len) {
		bh_buf_add_str(b, "; ");
		layout_number(b, r->suppressed.len);
		bh_buf_add_str(b, " suppressed");
	}
	if (r->not_affected) {
		bh_buf_add_str(b, "; ");
		layout_number(b, r->not_affected);
		bh_buf_add_str(b, " not affected according to the vendor");
	}
}

static void write_verdict(struct table *t)
{
	static const char *const words[] = { [BH_VERDICT_PASS] = "PASS", [BH_VERDICT_FAIL] = "FAIL", [BH_VERDICT_INCOMPLETE] = "INCOMPLETE" };
	static const char *const colours[] = { [BH_VERDICT_PASS] = "1;32", [BH_VERDICT_FAIL] = "1;31", [BH_VERDICT_INCOMPLETE] = "1;35" };
	const char *word = words[t->report->verdict];
	table_coloured(t, colours[t->report->verdict], word);
	bh_buf_add_str(t->out, ": ");
	layout_paragraph(t->out, table_escaped(t, t->report->verdict_reason), strlen(word) + 2, MARGIN, t->width);
}

/* Somebody who sits there is told where more is: with an id that he sees. */
static void write_hint(struct table *t)
{
	const struct bh_finding_vec *all = &t->report->findings;
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	size_t i = 0;
	if (t->style->width == 0 || !t->style->explain)
		return;
	while (i < all->len && !t->style->explain(all->ptr[i].id, b))
		i++;
	if (i == all->len)
		return;
	bh_buf_clear(b);
	bh_buf_add_str(b, "bulkhead explain ");
	bh_buf_add_escaped(b, all->ptr[i].id);
	bh_buf_add_str(b, " tells why, how it is attacked and what to do; so for every id in brackets");
	layout_paragraph(t->out, bh_buf_slice(b), 0, MARGIN, t->width);
}

static size_t clamp_width(size_t width)
{
	if (width == 0)
		return WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static int write_all(struct table *t, struct bh_err *err)
{
	size_t n_packages = 0;
	write_header(t);
	table_write_changes(t);
	int rc = write_vulnerabilities(t, &n_packages, err);
	if (rc < 0)
		return rc;
	write_other_findings(t);
	if (t->style->all_packages)
		write_all_packages(t);
	if (t->style->licenses)
		rc = table_write_licenses(t, err);
	if (rc < 0)
		return rc;
	table_write_suppressed(t);
	write_not_checked(t);
	if (is_about_packages(t))
		write_data(t);
	bh_buf_add_byte(t->out, '\n');
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	summarize(t, b, n_packages);
	layout_paragraph(t->out, bh_buf_slice(b), 0, MARGIN, t->width);
	write_hint(t);
	write_verdict(t);
	return t->out->failed ? bh_fail(err, BH_ELIMIT, 0, "the table is larger than %zu bytes", t->out->max_bytes) : 0;
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct table t = { .report = report, .style = style, .out = out, .width = clamp_width(style->width) };
	for (size_t i = 0; i < CELL_COUNT; i++)
		bh_buf_init(&t.cells[i], CELL_BYTES_MAX);
	int rc = write_all(&t, err);
	for (size_t i = 0; i < CELL_COUNT; i++) {
		if ((t.cell_failed || t.cells[i].failed) && rc == 0)
			rc = bh_fail(err, BH_ELIMIT, 0, "a cell of the table is larger than %u bytes", CELL_BYTES_MAX);
		bh_buf_done(&t.cells[i]);
	}
	return rc;
}

const struct report_writer report_writer_table = { .name = "table", .title = "for people", .write = write };
