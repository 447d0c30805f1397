/*
 * json.c: the native report, "bulkhead.report/1" (docs/formats/report.md, report.schema.json). One line per package and per
 * finding, so that two reports can be compared with diff. Keys without a value are left out; keys are only ever added.
 */
#include "report/writer.h"

#include "model/purl.h"

#include <inttypes.h>

#define SCHEMA "bulkhead.report/1"

/* Where we are: the next key or item needs a comma before it, or not. */
struct json {
	struct bh_buf *out;
	const struct bh_report *report;
	bool comma;
};

static void open_bracket(struct json *j, char bracket)
{
	bh_buf_add_byte(j->out, (uint8_t)bracket);
	j->comma = false;
}

static void close_bracket(struct json *j, char bracket)
{
	bh_buf_add_byte(j->out, (uint8_t)bracket);
	j->comma = true;
}

static void item(struct json *j)
{
	if (j->comma)
		bh_buf_add_str(j->out, ", ");
	j->comma = true;
}

static void key(struct json *j, const char *name)
{
	item(j);
	bh_buf_printf(j->out, "\"%s\": ", name);
}

/* A key of the document itself, on a line of its own. */
static void top_key(struct json *j, const char *name)
{
	bh_buf_printf(j->out, "%s\n  \"%s\": ", j->comma ? "," : "", name);
	j->comma = true;
}

static void text(struct json *j, const char *name, struct bh_slice value)
{
	if (value.len == 0)
		return;
	key(j, name);
	bh_buf_add_json(j->out, value);
}

static void must_text(struct json *j, const char *name, struct bh_slice value)
{
	key(j, name);
	bh_buf_add_json(j->out, value);
}

static void word(struct json *j, const char *name, const char *value)
{
	key(j, name);
	bh_buf_printf(j->out, "\"%s\"", value);
}

static void number(struct json *j, const char *name, uint64_t value)
{
	key(j, name);
	bh_buf_printf(j->out, "%" PRIu64, value);
}

/* Left out when false. */
static void flag(struct json *j, const char *name, bool value)
{
	if (value) {
		key(j, name);
		bh_buf_add_str(j->out, "true");
	}
}

static void digest(struct json *j, const char *name, const struct bh_digest *d)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	if (d->kind != BH_DIGEST_NONE)
		word(j, name, bh_digest_text(d, hex));
}

static void texts(struct json *j, const char *name, const struct bh_slice *values, size_t n)
{
	if (n == 0)
		return;
	key(j, name);
	open_bracket(j, '[');
	for (size_t i = 0; i < n; i++) {
		item(j);
		bh_buf_add_json(j->out, values[i]);
	}
	close_bracket(j, ']');
}

/* A layer is called by the digest it is stored under, or by its diffID where the source knows no other. */
static void layer(struct json *j, uint32_t index)
{
	if (index >= j->report->layers.len)
		return;
	const struct bh_layer *l = &j->report->layers.ptr[index];
	digest(j, "layer", l->digest.kind != BH_DIGEST_NONE ? &l->digest : &l->diff_id);
}

static void purl(struct json *j, const char *name, const struct bh_package *p)
{
	struct bh_buf built;
	struct bh_slice url = p->purl;
	bh_buf_init(&built, 3 * (p->name.len + p->version.len + p->arch.len + p->source_name.len + p->source_version.len) + 4096);
	if (url.len == 0 && bh_purl_of_package(p, &j->report->target.distro, &built))
		url = bh_buf_slice(&built);
	must_text(j, name, url);
	bh_buf_done(&built);
}

static void write_distro(struct json *j, const struct bh_distro *d)
{
	key(j, "distro");
	open_bracket(j, '{');
	must_text(j, "id", d->id.len ? d->id : BH_SLICE_LIT("unknown"));
	text(j, "version", d->version_id);
	text(j, "codename", d->codename);
	text(j, "name", d->name);
	text(j, "path", d->path);
	close_bracket(j, '}');
}

static void write_target(struct json *j, const struct bh_target *t)
{
	top_key(j, "target");
	open_bracket(j, '{');
	must_text(j, "text", t->text);
	must_text(j, "kind", t->kind);
	text(j, "reference", t->reference);
	digest(j, "digest", &t->digest);
	digest(j, "config_digest", &t->config_digest);
	if (t->os.len || t->architecture.len) {
		key(j, "platform");
		open_bracket(j, '{');
		text(j, "os", t->os);
		text(j, "architecture", t->architecture);
		text(j, "variant", t->variant);
		close_bracket(j, '}');
	}
	text(j, "created", t->created);
	write_distro(j, &t->distro);
	close_bracket(j, '}');
}

static void write_base(struct json *j, const struct bh_base_image *b)
{
	if (b->evidence.len == 0)
		return;
	top_key(j, "base_image");
	open_bracket(j, '{');
	text(j, "name", b->name);
	text(j, "digest", b->digest);
	must_text(j, "evidence", b->evidence);
	number(j, "layers", b->n_layers);
	number(j, "findings", bh_report_base_findings(j->report));
	close_bracket(j, '}');
}

static void write_baseline(struct json *j, const struct bh_baseline_summary *b)
{
	if (b->text.len == 0)
		return;
	top_key(j, "baseline");
	open_bracket(j, '{');
	must_text(j, "text", b->text);
	digest(j, "digest", &b->digest);
	number(j, "unchanged", b->unchanged);
	number(j, "new", b->added);
	number(j, "worse", b->worse);
	number(j, "gone", b->gone);
	close_bracket(j, '}');
}

static void write_label(struct json *j, const void *at)
{
	const struct bh_label *l = at;
	must_text(j, "name", l->name);
	must_text(j, "value", l->value);
}

static void write_history(struct json *j, const void *at)
{
	const struct bh_history *h = at;
	text(j, "created_by", h->created_by);
	text(j, "comment", h->comment);
	text(j, "created", h->created);
	layer(j, h->layer);
}

/* The instruction of the Dockerfile that made a layer, for the layer itself and for findings in it. */
static void origin(struct json *j, const struct bh_layer *l)
{
	if (!l)
		return;
	text(j, "instruction", l->instruction);
	if (l->dockerfile_line && j->report->dockerfile.len) {
		key(j, "dockerfile");
		open_bracket(j, '{');
		must_text(j, "path", j->report->dockerfile);
		number(j, "line", l->dockerfile_line);
		close_bracket(j, '}');
	}
	flag(j, "base_image", l->base);
}

static void write_layer(struct json *j, const void *at)
{
	const struct bh_layer *l = at;
	digest(j, "digest", &l->digest);
	digest(j, "diff_id", &l->diff_id);
	text(j, "media_type", l->media_type);
	text(j, "created_by", l->created_by);
	number(j, "size_bytes", l->size_bytes);
	number(j, "unpacked_bytes", l->unpacked_bytes);
	number(j, "entries", l->entries);
	origin(j, l);
	flag(j, "skipped", l->skipped);
}

static void write_package(struct json *j, const void *at)
{
	const struct bh_package *p = at;
	purl(j, "purl", p);
	must_text(j, "name", p->name);
	must_text(j, "version", p->version);
	must_text(j, "type", p->type);
	text(j, "arch", p->arch);
	key(j, "source");
	open_bracket(j, '{');
	must_text(j, "name", bh_package_source_name(p));
	must_text(j, "version", bh_package_source_version(p));
	close_bracket(j, '}');
	text(j, "vendor", p->vendor);
	text(j, "modularity", p->modularity);
	texts(j, "paths", &p->at.path, p->at.path.len > 0);
	layer(j, p->at.layer);
	texts(j, "licenses", &p->license, p->license.len > 0);
	text(j, "spdx", p->spdx);
}

static void write_cvss(struct json *j, const struct bh_cvss *c)
{
	if (c->vector.len == 0 && c->score_tenths == 0)
		return;
	key(j, "cvss");
	open_bracket(j, '{');
	key(j, "score");
	bh_buf_printf(j->out, "%u.%u", c->score_tenths / 10u, c->score_tenths % 10u);
	text(j, "vector", c->vector);
	close_bracket(j, '}');
}

/* 0..65535 as 0..1 with five decimals, as FIRST publishes them; integers, as printf("%f") follows the locale. */
static void fraction(struct json *j, const char *name, uint16_t value)
{
	unsigned scaled = (unsigned)(((uint64_t)value * 100000u + UINT16_MAX / 2) / UINT16_MAX);
	key(j, name);
	bh_buf_printf(j->out, "%u.%05u", scaled / 100000u, scaled % 100000u);
}

static void write_likelihood(struct json *j, const struct bh_finding *f)
{
	if (f->has_epss) {
		key(j, "epss");
		open_bracket(j, '{');
		fraction(j, "score", f->epss_score);
		fraction(j, "percentile", f->epss_percentile);
		close_bracket(j, '}');
	}
	if (f->kev) {
		key(j, "kev");
		open_bracket(j, '{');
		text(j, "date", f->kev_date);
		key(j, "ransomware");
		bh_buf_add_str(j->out, f->kev_ransomware ? "true" : "false");
		close_bracket(j, '}');
	}
}

static void write_ruling(struct json *j, const struct bh_ruling *r)
{
	if (r->kind == BH_RULING_NONE)
		return;
	key(j, bh_ruling_name(r->kind));
	open_bracket(j, '{');
	text(j, "status", r->status);
	text(j, "justification", r->justification);
	text(j, "reason", r->reason);
	text(j, r->kind == BH_RULING_EXCEPTION ? "owner" : "author", r->who);
	text(j, "expires", r->until);
	text(j, "from", r->from);
	close_bracket(j, '}');
}

static void write_judgement(struct json *j, const struct bh_finding *f)
{
	const char *hint = f->package ? bh_package_hint(f->package) : NULL;
	if (hint)
		word(j, "hint", hint);
	write_ruling(j, &f->ruling);
	if (f->baseline != BH_BASELINE_NONE)
		word(j, "baseline", bh_baseline_name(f->baseline));
	text(j, "baseline_note", f->baseline_note);
}

static void write_finding(struct json *j, const void *at)
{
	const struct bh_finding *f = at;
	word(j, "class", bh_class_name(f->class));
	must_text(j, "id", f->id);
	texts(j, "aliases", f->aliases, f->n_aliases);
	word(j, "severity", bh_severity_name(f->severity));
	text(j, "title", f->title);
	if (f->package) {
		purl(j, "package", f->package);
		must_text(j, "installed", f->package->version);
	}
	texts(j, "fixed", f->fixed, f->n_fixed);
	word(j, "state", bh_state_name(f->state));
	texts(j, "paths", &f->path, f->path.len > 0);
	layer(j, f->layer);
	if (f->line)
		number(j, "line", f->line);
	origin(j, bh_report_layer(j->report, f->layer));
	text(j, "evidence", f->evidence);
	text(j, "fix", f->fix);
	text(j, "source", f->source);
	write_cvss(j, &f->cvss);
	write_likelihood(j, f);
	write_judgement(j, f);
}

static void write_severities(struct json *j, const uint64_t *by_severity)
{
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--)
		number(j, bh_severity_name((enum bh_severity)s), by_severity[s]);
}

/* The findings that it removes, by their place in "findings". */
static void write_change(struct json *j, const void *at)
{
	const struct bh_change *c = at;
	word(j, "kind", bh_change_name(c->kind));
	must_text(j, "what", c->what);
	text(j, "type", c->type);
	text(j, "from", c->from);
	text(j, "to", c->to);
	text(j, "path", c->path);
	if (c->line)
		number(j, "line", c->line);
	layer(j, c->layer);
	must_text(j, "action", c->action);
	write_severities(j, c->by_severity);
	number(j, "known_exploited", c->kev);
	key(j, "findings");
	open_bracket(j, '[');
	for (size_t i = 0; i < c->n_findings; i++) {
		item(j);
		bh_buf_printf(j->out, "%" PRIu32, c->findings[i]);
	}
	close_bracket(j, ']');
}

static void write_exception(struct json *j, const void *at)
{
	const struct bh_exception *e = at;
	text(j, "id", e->id);
	text(j, "package", e->package);
	text(j, "path", e->path);
	must_text(j, "reason", e->reason);
	must_text(j, "owner", e->owner);
	must_text(j, "expires", e->expires);
	text(j, "from", e->from);
	number(j, "matched", e->matched);
	flag(j, "expired", e->expired);
}

static void write_vex(struct json *j, const void *at)
{
	const struct bh_vex_document *v = at;
	must_text(j, "from", v->from);
	must_text(j, "format", v->format);
	text(j, "author", v->author);
	text(j, "id", v->id);
	text(j, "date", v->date);
	number(j, "statements", v->statements);
	number(j, "matched", v->matched);
}

static void write_incomplete(struct json *j, const void *at)
{
	const struct bh_incomplete *i = at;
	must_text(j, "what", i->what);
	text(j, "path", i->path);
	layer(j, i->layer);
	must_text(j, "reason", i->reason);
}

static void write_data(struct json *j, const void *at)
{
	const struct bh_data_source *d = at;
	must_text(j, "source", d->name);
	text(j, "date", d->date);
	text(j, "sha256", d->sha256);
	text(j, "licence", d->licence);
	text(j, "origin", d->origin);
	number(j, "records", d->records);
}

static void write_not_covered(struct json *j, const void *at)
{
	const struct bh_not_covered *n = at;
	must_text(j, "ecosystem", n->ecosystem);
	text(j, "note", n->note);
	number(j, "packages", n->packages);
	key(j, "partial");
	bh_buf_add_str(j->out, n->partial ? "true" : "false");
}

static void write_array(struct json *j, const char *name, const void *items, size_t n, size_t item_bytes, void (*write)(struct json *, const void *))
{
	top_key(j, name);
	bh_buf_add_byte(j->out, '[');
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(j->out, i ? ",\n    " : "\n    ");
		open_bracket(j, '{');
		write(j, (const char *)items + i * item_bytes);
		close_bracket(j, '}');
	}
	bh_buf_add_str(j->out, n ? "\n  ]" : "]");
	j->comma = true;
}

#define WRITE_VEC(j, name, vec, write) write_array(j, name, (vec).ptr, (vec).len, sizeof((vec).ptr[0]), write)

static void write_summary(struct json *j)
{
	const struct bh_report *r = j->report;
	uint64_t by_severity[BH_SEV_CRITICAL + 1] = { 0 }, fixable = 0, exploited = 0;
	for (size_t i = 0; i < r->findings.len; i++) {
		const struct bh_finding *f = &r->findings.ptr[i];
		by_severity[f->severity]++;
		fixable += f->n_fixed > 0;
		exploited += f->kev;
	}
	top_key(j, "summary");
	open_bracket(j, '{');
	number(j, "packages", r->packages.len);
	number(j, "findings", r->findings.len);
	write_severities(j, by_severity);
	number(j, "fixable", fixable);
	number(j, "known_exploited", exploited);
	number(j, "suppressed", r->suppressed.len);
	number(j, "hidden", bh_report_filtered(r));
	key(j, "hidden_by");
	open_bracket(j, '{');
	for (int i = 0; i < BH_HIDDEN_COUNT; i++)
		if (r->hidden[i])
			number(j, bh_hidden_name((enum bh_hidden_reason)i), r->hidden[i]);
	close_bracket(j, '}');
	number(j, "not_affected", r->not_affected);
	close_bracket(j, '}');
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct json j = { .out = out, .report = report };
	bh_buf_add_str(out, "{");
	top_key(&j, "schema");
	bh_buf_add_str(out, "\"" SCHEMA "\"");
	top_key(&j, "tool");
	open_bracket(&j, '{');
	word(&j, "name", "bulkhead");
	must_text(&j, "version", bh_slice_str(style->tool_version));
	close_bracket(&j, '}');
	if (report->generated.len) {
		top_key(&j, "generated");
		bh_buf_add_json(out, report->generated);
	}
	write_target(&j, &report->target);
	top_key(&j, "verdict");
	bh_buf_printf(out, "\"%s\"", bh_verdict_name(report->verdict));
	top_key(&j, "verdict_reason");
	bh_buf_add_json(out, report->verdict_reason);
	write_summary(&j);
	write_base(&j, &report->base);
	write_baseline(&j, &report->baseline);
	WRITE_VEC(&j, "changes", report->changes, write_change);
	WRITE_VEC(&j, "layers", report->layers, write_layer);
	WRITE_VEC(&j, "packages", report->packages, write_package);
	WRITE_VEC(&j, "findings", report->findings, write_finding);
	WRITE_VEC(&j, "suppressed", report->suppressed, write_finding);
	WRITE_VEC(&j, "exceptions", report->exceptions, write_exception);
	WRITE_VEC(&j, "vex", report->vex, write_vex);
	WRITE_VEC(&j, "history", report->history, write_history);
	WRITE_VEC(&j, "labels", report->labels, write_label);
	WRITE_VEC(&j, "incomplete", report->incomplete, write_incomplete);
	WRITE_VEC(&j, "not_covered", report->not_covered, write_not_covered);
	WRITE_VEC(&j, "data", report->data, write_data);
	bh_buf_add_str(out, "\n}\n");
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the JSON report is larger than %zu bytes", out->max_bytes) : 0;
}

const struct report_writer report_writer_json = { .name = "json", .title = SCHEMA ", for programs", .write = write };
