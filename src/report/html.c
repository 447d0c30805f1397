/*
 * html.c: one page to show around: summary, what to fix first, findings with filters, layers, what was not checked. It loads nothing and sends
 * nothing (a content security policy allows its own style and script by their hashes, nothing else), can be read without its script, by
 * keyboard and by screen readers, in the dark and on paper. Everything that comes from the image is escaped.
 */
#include "report/describe.h"
#include "report/html_text.h"
#include "report/writer.h"

#include <inttypes.h>

#define TEXT_BYTES_MAX (64u << 10)
#define CHANGES_MAX 20u

struct page {
	const struct bh_report *report;
	struct bh_buf *out;
	struct bh_buf text; /* scratch */
};

static void add(struct page *p, const char *markup)
{
	bh_buf_add_str(p->out, markup);
}

static void escape(struct page *p, struct bh_slice text)
{
	describe_markup(p->out, text);
}

/* What was put together in the scratch text. */
static void escape_built(struct page *p)
{
	escape(p, bh_buf_slice(&p->text));
	bh_buf_clear(&p->text);
}

static void severity(struct page *p, enum bh_severity s)
{
	const char *name = bh_severity_name(s);
	bh_buf_printf(p->out, "<span class=\"%s\">%s</span>", name, name);
}

/* ---- head ---- */

static void write_start(struct page *p)
{
	add(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" STYLE_HASH "'; script-src '" SCRIPT_HASH
	       "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>Bulkhead: ");
	escape(p, p->report->target.text);
	add(p, "</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#findings\">To the findings</a>\n");
}

static void fact(struct page *p, const char *name, struct bh_slice value)
{
	if (value.len == 0)
		return;
	bh_buf_printf(p->out, "<dt>%s</dt><dd>", name);
	escape(p, value);
	add(p, "</dd>\n");
}

static void digest_fact(struct page *p, const char *name, const struct bh_digest *d)
{
	char text[BH_DIGEST_TEXT_BYTES];
	if (d->kind)
		fact(p, name, bh_slice_str(bh_digest_text(d, text)));
}

static void write_facts(struct page *p)
{
	const struct bh_target *t = &p->report->target;
	add(p, "<dl class=\"facts\">\n");
	fact(p, "Reference", t->reference);
	fact(p, "SBOM, of which files and layers can't be checked", t->format);
	digest_fact(p, "Digest", &t->digest);
	if (t->os.len)
		bh_buf_printf(&p->text, "%.*s/%.*s", BH_SLICE_FMT(t->os), BH_SLICE_FMT(t->architecture));
	fact(p, "Platform", bh_buf_slice(&p->text));
	bh_buf_clear(&p->text);
	fact(p, "System", t->distro.name.len ? t->distro.name : t->distro.id);
	fact(p, "Base image", p->report->base.name);
	fact(p, "Compared with", p->report->baseline.text);
	fact(p, "Scanned", p->report->generated);
	add(p, "</dl>\n");
}

static void write_head(struct page *p)
{
	const char *verdict = bh_verdict_name(p->report->verdict);
	add(p, "<header>\n<h1>");
	escape(p, p->report->target.text);
	bh_buf_printf(p->out, "</h1>\n<p><span class=\"verdict %s\">%s</span>: ", verdict, verdict);
	escape(p, p->report->verdict_reason);
	add(p, "</p>\n");
	write_facts(p);
	add(p, "</header>\n<main>\n");
}

static void write_counts(struct page *p)
{
	const struct bh_report *r = p->report;
	uint64_t by_severity[BH_SEV_CRITICAL + 1] = { 0 }, fixable = 0, exploited = 0;
	for (size_t i = 0; i < r->findings.len; i++) {
		by_severity[r->findings.ptr[i].severity]++;
		fixable += r->findings.ptr[i].n_fixed > 0;
		exploited += r->findings.ptr[i].kev;
	}
	add(p, "<section aria-label=\"Summary\">\n<ul class=\"counts\">\n");
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--)
		bh_buf_printf(p->out, "<li><b class=\"%s\">%" PRIu64 "</b>%s</li>\n", bh_severity_name((enum bh_severity)s), by_severity[s],
			      bh_severity_name((enum bh_severity)s));
	bh_buf_printf(p->out, "<li><b>%" PRIu64 "</b>with a fix</li>\n<li><b>%" PRIu64 "</b>known to be exploited</li>\n<li><b>%zu</b>packages</li>\n", fixable,
		      exploited, r->packages.len);
	if (r->suppressed.len)
		bh_buf_printf(p->out, "<li><b>%zu</b>excepted</li>\n", r->suppressed.len);
	if (bh_report_filtered(r))
		bh_buf_printf(p->out, "<li><b>%" PRIu64 "</b>hidden by filters</li>\n", bh_report_filtered(r));
	add(p, "</ul>\n</section>\n");
}

/* ---- fix first ---- */

static void write_change(struct page *p, const struct bh_change *c)
{
	const struct bh_layer *layer = bh_report_layer(p->report, c->layer);
	bool first = true;
	add(p, "<li>");
	escape(p, c->action);
	add(p, "<small>removes ");
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--) {
		if (!c->by_severity[s])
			continue;
		bh_buf_printf(p->out, "%s%" PRIu64 " ", first ? "" : ", ", c->by_severity[s]);
		severity(p, (enum bh_severity)s);
		first = false;
	}
	if (c->kev)
		bh_buf_printf(p->out, "; <span class=\"exploited\">%" PRIu64 " known to be exploited</span>", c->kev);
	if (c->path.len) {
		add(p, "; in ");
		escape(p, c->path);
		if (c->line)
			bh_buf_printf(p->out, ":%" PRIu32, c->line);
	}
	if (layer && layer->instruction.len) {
		add(p, "; brought by ");
		escape(p, layer->instruction);
	}
	add(p, "</small></li>\n");
}

static void write_changes(struct page *p)
{
	const struct bh_change_vec *v = &p->report->changes;
	if (v->len == 0)
		return;
	add(p, "<section aria-labelledby=\"first\">\n<h2 id=\"first\">Fix first</h2>\n<ol class=\"changes\">\n");
	for (size_t i = 0; i < v->len && i < CHANGES_MAX; i++)
		write_change(p, &v->ptr[i]);
	add(p, "</ol>\n");
	if (v->len > CHANGES_MAX)
		bh_buf_printf(p->out, "<p>%zu more changes remove the rest.</p>\n", v->len - CHANGES_MAX);
	add(p, "</section>\n");
}

/* ---- findings ---- */

static void write_layer_options(struct page *p)
{
	for (size_t i = 0; i < p->report->layers.len; i++)
		bh_buf_printf(p->out, "<option value=\"%zu\">layer %zu</option>", i + 1, i + 1);
}

static void write_filters(struct page *p)
{
	static const enum bh_finding_class kinds[] = {
		BH_CLASS_VULNERABILITY, BH_CLASS_SECRET,  BH_CLASS_MISCONFIGURATION, BH_CLASS_MALWARE,
		BH_CLASS_END_OF_LIFE,   BH_CLASS_DRIFT,   BH_CLASS_LICENSE,          BH_CLASS_EXCEPTION,
	};
	add(p, "<form class=\"filters nojs\" id=\"filters\" aria-label=\"Filter the findings\">\n"
	       "<label>Text<input id=\"f-text\" type=\"search\" placeholder=\"id, package, title\"></label>\n"
	       "<label>At least<select id=\"f-severity\"><option value=\"0\">any severity</option><option value=\"1\">negligible</option>"
	       "<option value=\"2\">low</option><option value=\"3\">medium</option><option value=\"4\">high</option><option value=\"5\">critical</option></select>"
	       "</label>\n<label>Kind<select id=\"f-kind\"><option value=\"\">all</option>");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		bh_buf_printf(p->out, "<option>%s</option>", bh_class_name(kinds[i]));
	add(p, "</select></label>\n<label>Layer<select id=\"f-layer\"><option value=\"\">all</option>");
	write_layer_options(p);
	add(p, "</select></label>\n<label class=\"tick\"><input id=\"f-fixable\" type=\"checkbox\">has a fix</label>\n"
	       "<label class=\"tick\"><input id=\"f-exploited\" type=\"checkbox\">known to be exploited</label>\n"
	       "<button type=\"reset\">Show all</button>\n</form>\n");
}

static void write_id(struct page *p, const struct bh_finding *f)
{
	describe_uri(&p->text, f->id);
	bool linked = p->text.len > 0;
	if (linked) {
		add(p, "<a rel=\"noreferrer noopener\" href=\"");
		escape_built(p);
		add(p, "\">");
	}
	escape(p, f->id);
	add(p, linked ? "</a>" : "");
	if (f->n_aliases || f->title.len)
		add(p, "<small>");
	escape(p, f->title);
	for (size_t i = 0; i < f->n_aliases; i++) {
		add(p, i || f->title.len ? ", " : "");
		escape(p, f->aliases[i]);
	}
	add(p, f->n_aliases || f->title.len ? "</small>" : "");
}

static void write_package(struct page *p, const struct bh_finding *f)
{
	if (f->package)
		escape(p, f->package->name);
	add(p, "<small>");
	describe_place(&p->text, f);
	escape_built(p);
	add(p, "</small>");
}

static void write_row(struct page *p, const struct bh_finding *f)
{
	bool in_layer = bh_report_layer(p->report, f->layer) != NULL;
	bh_buf_printf(p->out, "<tr data-severity=\"%d\" data-kind=\"%s\" data-fix=\"%d\" data-kev=\"%d\" data-layer=\"", (int)describe_weight(f),
		      bh_class_name(f->class), f->n_fixed > 0, f->kev);
	if (in_layer)
		bh_buf_printf(p->out, "%" PRIu32, f->layer + 1);
	bh_buf_printf(p->out, "\"><td data-key=\"%d\">", BH_SEV_CRITICAL - (int)describe_weight(f));
	severity(p, f->severity);
	add(p, f->kev ? "<small class=\"exploited\">exploited</small>" : "");
	add(p, "</td><th scope=\"row\">");
	write_id(p, f);
	add(p, "</th><td>");
	write_package(p, f);
	add(p, "</td><td>");
	if (f->package)
		escape(p, f->package->version);
	add(p, "</td><td>");
	escape(p, f->fix);
	add(p, f->evidence.len ? "<small>" : "");
	escape(p, f->evidence);
	add(p, f->evidence.len ? "</small>" : "");
	add(p, "</td><td class=\"n\">");
	if (in_layer)
		bh_buf_printf(p->out, "%" PRIu32, f->layer + 1);
	add(p, "</td></tr>\n");
}

static void write_findings(struct page *p)
{
	static const char *const columns[] = { "Severity", "Finding", "Package", "Installed", "To do", "Layer" };
	const struct bh_finding_vec *v = &p->report->findings;
	add(p, "<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
	if (v->len == 0) {
		add(p, "<p>None.</p>\n</section>\n");
		return;
	}
	write_filters(p);
	bh_buf_printf(p->out, "<p id=\"count\" role=\"status\">%zu findings</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"findings\">\n"
			      "<table id=\"findings-table\"><thead><tr>", v->len);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		bh_buf_printf(p->out, "<th scope=\"col\"><button type=\"button\">%s</button></th>", columns[i]);
	add(p, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < v->len; i++)
		write_row(p, &v->ptr[i]);
	add(p, "</tbody></table>\n</div>\n</section>\n");
}

/* ---- layers and the rest ---- */

static void write_layer(struct page *p, uint32_t index)
{
	const struct bh_report *r = p->report;
	const struct bh_layer *l = &r->layers.ptr[index];
	uint64_t packages = 0, findings = 0;
	for (size_t i = 0; i < r->packages.len; i++)
		packages += r->packages.ptr[i].at.layer == index;
	for (size_t i = 0; i < r->findings.len; i++)
		findings += r->findings.ptr[i].layer == index;
	bh_buf_printf(p->out, "<tr><th scope=\"row\">%" PRIu32 "%s</th><td>", index + 1, l->base ? "<small>base image</small>" : "");
	escape(p, l->instruction.len ? l->instruction : l->created_by);
	bh_buf_printf(p->out, "</td><td class=\"n\">%.1f MiB</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64 "</td><td>",
		      (double)l->size_bytes / 1048576.0,
		      packages, findings);
	if (findings)
		bh_buf_printf(p->out, "<button type=\"button\" class=\"layer-button\" data-layer=\"%" PRIu32 "\">Show</button>", index + 1);
	add(p, "</td></tr>\n");
}

static void write_layers(struct page *p)
{
	if (p->report->layers.len == 0)
		return;
	add(p, "<section aria-labelledby=\"layers\">\n<h2 id=\"layers\">Layers</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Layer</th>"
	       "<th scope=\"col\">Made by</th><th scope=\"col\">Stored</th><th scope=\"col\">Packages</th><th scope=\"col\">Findings</th>"
	       "<th scope=\"col\"><span class=\"skip\">Filter</span></th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < p->report->layers.len; i++)
		write_layer(p, i);
	add(p, "</tbody></table></div>\n</section>\n");
}

static void write_suppressed(struct page *p)
{
	const struct bh_finding_vec *v = &p->report->suppressed;
	if (v->len == 0)
		return;
	add(p, "<section aria-labelledby=\"excepted\">\n<h2 id=\"excepted\">Excepted</h2>\n<ul>\n");
	for (size_t i = 0; i < v->len; i++) {
		const struct bh_finding *f = &v->ptr[i];
		add(p, "<li>");
		describe_finding(&p->text, f);
		escape_built(p);
		bh_buf_printf(p->out, ": %s, ", bh_ruling_name(f->ruling.kind));
		escape(p, f->ruling.reason.len ? f->ruling.reason : f->ruling.justification);
		if (f->ruling.until.len) {
			add(p, ", until ");
			escape(p, f->ruling.until);
		}
		add(p, "</li>\n");
	}
	add(p, "</ul>\n</section>\n");
}

static void write_unchecked(struct page *p)
{
	const struct bh_report *r = p->report;
	if (r->incomplete.len == 0 && r->not_covered.len == 0)
		return;
	add(p, "<section aria-labelledby=\"unchecked\">\n<h2 id=\"unchecked\">Not checked</h2>\n<ul>\n");
	for (size_t i = 0; i < r->incomplete.len; i++) {
		const struct bh_incomplete *n = &r->incomplete.ptr[i];
		add(p, "<li>");
		escape(p, n->path.len ? n->path : n->what);
		add(p, ": ");
		escape(p, n->reason);
		add(p, "</li>\n");
	}
	for (size_t i = 0; i < r->not_covered.len; i++) {
		const struct bh_not_covered *n = &r->not_covered.ptr[i];
		add(p, "<li>");
		escape(p, n->ecosystem);
		bh_buf_printf(p->out, ", %" PRIu64 " %s: ", n->packages, n->packages == 1 ? "package" : "packages");
		escape(p, describe_note(n));
		add(p, "</li>\n");
	}
	add(p, "</ul>\n</section>\n");
}

static void write_data(struct page *p, const struct report_style *style)
{
	add(p, "</main>\n<footer>\n<p>Advisory data: ");
	for (size_t i = 0; i < p->report->data.len; i++) {
		const struct bh_data_source *d = &p->report->data.ptr[i];
		add(p, i ? "; " : "");
		escape(p, d->name);
		add(p, d->date.len ? " of " : "");
		escape(p, d->date);
	}
	bh_buf_printf(p->out, "%s.</p>\n<p>Made by Bulkhead %s.</p>\n</footer>\n", p->report->data.len ? "" : "none", style->tool_version);
	add(p, "<script>" SCRIPT "</script>\n</body>\n</html>\n");
}

static int html_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct page p = { .report = report, .out = out };
	bh_buf_init(&p.text, TEXT_BYTES_MAX);
	write_start(&p);
	write_head(&p);
	write_counts(&p);
	write_changes(&p);
	write_findings(&p);
	write_layers(&p);
	write_suppressed(&p);
	write_unchecked(&p);
	write_data(&p, style);
	bh_buf_done(&p.text);
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_html = { .name = "html", .title = "a page to show around, without a network", .write = html_write };
