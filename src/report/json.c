/*
 * json.c: the native report, "bulkhead.report/1" (docs/formats/report.md, report.schema.json). One line per package and per
 * finding, so that two reports can be compared with diff. Keys without a value are left out; keys are only ever added.
 */
#include "report/json_out.h"

#include <inttypes.h>

#define SCHEMA "bulkhead.report/1"

static void write_distro(struct json *j, const struct bh_distro *d)
{
	json_key(j, "distro");
	json_open_bracket(j, '{');
	json_must_text(j, "id", d->id.len ? d->id : BH_SLICE_LIT("unknown"));
	json_text(j, "version", d->version_id);
	json_text(j, "codename", d->codename);
	json_text(j, "name", d->name);
	json_text(j, "path", d->path);
	json_close_bracket(j, '}');
}

static void write_target(struct json *j, const struct bh_target *t)
{
	json_top_key(j, "target");
	json_open_bracket(j, '{');
	json_must_text(j, "text", t->text);
	json_must_text(j, "kind", t->kind);
	json_text(j, "format", t->format);
	json_text(j, "contents", t->contents);
	json_text(j, "reference", t->reference);
	json_digest(j, "digest", &t->digest);
	json_digest(j, "config_digest", &t->config_digest);
	if (t->os.len || t->architecture.len) {
		json_key(j, "platform");
		json_open_bracket(j, '{');
		json_text(j, "os", t->os);
		json_text(j, "architecture", t->architecture);
		json_text(j, "variant", t->variant);
		json_close_bracket(j, '}');
	}
	json_text(j, "created", t->created);
	write_distro(j, &t->distro);
	json_close_bracket(j, '}');
}

static void write_base(struct json *j, const struct bh_base_image *b)
{
	if (b->evidence.len == 0)
		return;
	json_top_key(j, "base_image");
	json_open_bracket(j, '{');
	json_text(j, "name", b->name);
	json_text(j, "digest", b->digest);
	json_must_text(j, "evidence", b->evidence);
	json_number(j, "layers", b->n_layers);
	json_number(j, "findings", bh_report_base_findings(j->report));
	json_close_bracket(j, '}');
}

static void write_baseline(struct json *j, const struct bh_baseline_summary *b)
{
	if (b->text.len == 0)
		return;
	json_top_key(j, "baseline");
	json_open_bracket(j, '{');
	json_must_text(j, "text", b->text);
	json_digest(j, "digest", &b->digest);
	json_number(j, "unchanged", b->unchanged);
	json_number(j, "new", b->added);
	json_number(j, "worse", b->worse);
	json_number(j, "gone", b->gone);
	json_close_bracket(j, '}');
}

static void write_label(struct json *j, const void *at)
{
	const struct bh_label *l = at;
	json_must_text(j, "name", l->name);
	json_must_text(j, "value", l->value);
}

static void write_history(struct json *j, const void *at)
{
	const struct bh_history *h = at;
	json_text(j, "created_by", h->created_by);
	json_text(j, "comment", h->comment);
	json_text(j, "created", h->created);
	json_layer(j, h->layer);
}

/* The instruction of the Dockerfile that made a layer, for the layer itself and for findings in it. */
static void origin(struct json *j, const struct bh_layer *l)
{
	if (!l)
		return;
	json_text(j, "instruction", l->instruction);
	if (l->dockerfile_line && j->report->dockerfile.len) {
		json_key(j, "dockerfile");
		json_open_bracket(j, '{');
		json_must_text(j, "path", j->report->dockerfile);
		json_number(j, "line", l->dockerfile_line);
		json_close_bracket(j, '}');
	}
	json_flag(j, "base_image", l->base);
}

static void write_layer(struct json *j, const void *at)
{
	const struct bh_layer *l = at;
	json_digest(j, "digest", &l->digest);
	json_digest(j, "diff_id", &l->diff_id);
	json_text(j, "media_type", l->media_type);
	json_text(j, "created_by", l->created_by);
	json_number(j, "size_bytes", l->size_bytes);
	json_number(j, "unpacked_bytes", l->unpacked_bytes);
	json_number(j, "entries", l->entries);
	origin(j, l);
	json_flag(j, "container", l->container);
	json_flag(j, "skipped", l->skipped);
}

/* All files that tell of the package; "lib/a.jar!/b.jar" is an archive in an archive. */
static void write_paths(struct json *j, const struct bh_package *p)
{
	struct bh_buf place;
	if (p->at.path.len == 0)
		return;
	json_key(j, "paths");
	json_open_bracket(j, '[');
	for (size_t i = 0; i <= p->n_also; i++) {
		const struct bh_location *at = i ? &p->also[i - 1] : &p->at;
		json_item(j);
		if (at->inner.len == 0) {
			bh_buf_add_json(j->out, at->path);
			continue;
		}
		bh_buf_init(&place, at->path.len + at->inner.len + 2);
		bh_buf_add(&place, at->path);
		bh_buf_add_str(&place, "!/");
		bh_buf_add(&place, at->inner);
		bh_buf_add_json(j->out, bh_buf_slice(&place));
		bh_buf_done(&place);
	}
	json_close_bracket(j, ']');
}

static void write_package(struct json *j, const void *at)
{
	const struct bh_package *p = at;
	json_purl(j, "purl", p);
	json_must_text(j, "name", p->name);
	json_must_text(j, "version", p->version);
	json_must_text(j, "type", p->type);
	json_text(j, "arch", p->arch);
	json_key(j, "source");
	json_open_bracket(j, '{');
	json_must_text(j, "name", bh_package_source_name(p));
	json_must_text(j, "version", bh_package_source_version(p));
	json_close_bracket(j, '}');
	json_text(j, "vendor", p->vendor);
	json_text(j, "modularity", p->modularity);
	write_paths(j, p);
	if (p->at.line)
		json_number(j, "line", p->at.line);
	json_layer(j, p->at.layer);
	json_word(j, "evidence", bh_evidence_name(p->at.evidence));
	if (p->scope != BH_SCOPE_RUNTIME)
		json_word(j, "scope", bh_scope_name(p->scope));
	if (p->reach != BH_REACH_UNKNOWN)
		json_word(j, "reach", bh_reach_name(p->reach));
	json_text(j, "owner", p->owner);
	json_text(j, "sha1", p->sha1);
	json_texts(j, "licenses", &p->license, p->license.len > 0);
	json_text(j, "spdx", p->spdx);
}

static void write_cvss(struct json *j, const struct bh_cvss *c)
{
	if (c->vector.len == 0 && c->score_tenths == 0)
		return;
	json_key(j, "cvss");
	json_open_bracket(j, '{');
	json_key(j, "score");
	bh_buf_printf(j->out, "%u.%u", c->score_tenths / 10u, c->score_tenths % 10u);
	json_text(j, "vector", c->vector);
	json_close_bracket(j, '}');
}

/* 0..65535 as 0..1 with five decimals, as FIRST publishes them; integers, as printf("%f") follows the locale. */
static void fraction(struct json *j, const char *name, uint16_t value)
{
	unsigned scaled = (unsigned)(((uint64_t)value * 100000u + UINT16_MAX / 2) / UINT16_MAX);
	json_key(j, name);
	bh_buf_printf(j->out, "%u.%05u", scaled / 100000u, scaled % 100000u);
}

static void write_likelihood(struct json *j, const struct bh_finding *f)
{
	if (f->has_epss) {
		json_key(j, "epss");
		json_open_bracket(j, '{');
		fraction(j, "score", f->epss_score);
		fraction(j, "percentile", f->epss_percentile);
		json_close_bracket(j, '}');
	}
	if (f->kev) {
		json_key(j, "kev");
		json_open_bracket(j, '{');
		json_text(j, "date", f->kev_date);
		json_key(j, "ransomware");
		bh_buf_add_str(j->out, f->kev_ransomware ? "true" : "false");
		json_close_bracket(j, '}');
	}
}

static void write_ruling(struct json *j, const struct bh_ruling *r)
{
	if (r->kind == BH_RULING_NONE)
		return;
	json_key(j, bh_ruling_name(r->kind));
	json_open_bracket(j, '{');
	json_text(j, "status", r->status);
	json_text(j, "justification", r->justification);
	json_text(j, "reason", r->reason);
	json_text(j, r->kind == BH_RULING_EXCEPTION ? "owner" : "author", r->who);
	json_text(j, "expires", r->until);
	json_text(j, "from", r->from);
	json_close_bracket(j, '}');
}

static void write_judgement(struct json *j, const struct bh_finding *f)
{
	const char *hint = f->package ? bh_package_hint(f->package) : NULL;
	if (hint)
		json_word(j, "hint", hint);
	write_ruling(j, &f->ruling);
	if (f->baseline != BH_BASELINE_NONE)
		json_word(j, "baseline", bh_baseline_name(f->baseline));
	json_text(j, "baseline_note", f->baseline_note);
}

static void write_finding(struct json *j, const void *at)
{
	const struct bh_finding *f = at;
	json_word(j, "class", bh_class_name(f->class));
	json_must_text(j, "id", f->id);
	json_texts(j, "aliases", f->aliases, f->n_aliases);
	json_word(j, "severity", bh_severity_name(f->severity));
	json_text(j, "title", f->title);
	if (f->package) {
		json_purl(j, "package", f->package);
		json_must_text(j, "installed", f->package->version);
	}
	json_texts(j, "fixed", f->fixed, f->n_fixed);
	json_word(j, "state", bh_state_name(f->state));
	json_texts(j, "paths", &f->path, f->path.len > 0);
	json_layer(j, f->layer);
	if (f->line)
		json_number(j, "line", f->line);
	origin(j, bh_report_layer(j->report, f->layer));
	json_text(j, "evidence", f->evidence);
	json_text(j, "fingerprint", f->fingerprint);
	json_text(j, "fix", f->fix);
	json_text(j, "patch", f->patch);
	if (f->patch_level != BH_PATCH_NONE)
		json_word(j, "patch_level", bh_patch_level_name(f->patch_level));
	json_text(j, "patch_may_break", f->patch_may_break);
	json_text(j, "source", f->source);
	write_cvss(j, &f->cvss);
	write_likelihood(j, f);
	write_judgement(j, f);
}

static void write_severities(struct json *j, const uint64_t *by_severity)
{
	for (int s = BH_SEV_CRITICAL; s >= BH_SEV_UNKNOWN; s--)
		json_number(j, bh_severity_name((enum bh_severity)s), by_severity[s]);
}

/* The findings that it removes, by their place in "findings". */
static void write_change(struct json *j, const void *at)
{
	const struct bh_change *c = at;
	json_word(j, "kind", bh_change_name(c->kind));
	json_must_text(j, "what", c->what);
	json_text(j, "type", c->type);
	json_text(j, "from", c->from);
	json_text(j, "to", c->to);
	json_text(j, "path", c->path);
	if (c->line)
		json_number(j, "line", c->line);
	json_layer(j, c->layer);
	json_must_text(j, "action", c->action);
	write_severities(j, c->by_severity);
	json_number(j, "known_exploited", c->kev);
	json_key(j, "findings");
	json_open_bracket(j, '[');
	for (size_t i = 0; i < c->n_findings; i++) {
		json_item(j);
		bh_buf_printf(j->out, "%" PRIu32, c->findings[i]);
	}
	json_close_bracket(j, ']');
}

static void write_exception(struct json *j, const void *at)
{
	const struct bh_exception *e = at;
	json_text(j, "id", e->id);
	json_text(j, "package", e->package);
	json_text(j, "path", e->path);
	json_must_text(j, "reason", e->reason);
	json_must_text(j, "owner", e->owner);
	json_must_text(j, "expires", e->expires);
	json_text(j, "from", e->from);
	json_number(j, "matched", e->matched);
	json_flag(j, "expired", e->expired);
}

static void write_vex(struct json *j, const void *at)
{
	const struct bh_vex_document *v = at;
	json_must_text(j, "from", v->from);
	json_must_text(j, "format", v->format);
	json_text(j, "author", v->author);
	json_text(j, "id", v->id);
	json_text(j, "date", v->date);
	json_number(j, "statements", v->statements);
	json_number(j, "matched", v->matched);
}

static void write_incomplete(struct json *j, const void *at)
{
	const struct bh_incomplete *i = at;
	json_must_text(j, "what", i->what);
	json_text(j, "path", i->path);
	json_layer(j, i->layer);
	json_must_text(j, "reason", i->reason);
}

static void write_data(struct json *j, const void *at)
{
	const struct bh_data_source *d = at;
	json_must_text(j, "source", d->name);
	json_text(j, "date", d->date);
	json_text(j, "sha256", d->sha256);
	json_text(j, "licence", d->licence);
	json_text(j, "origin", d->origin);
	json_number(j, "records", d->records);
}

static void write_not_covered(struct json *j, const void *at)
{
	const struct bh_not_covered *n = at;
	json_must_text(j, "ecosystem", n->ecosystem);
	json_text(j, "note", n->note);
	json_number(j, "packages", n->packages);
	json_key(j, "partial");
	bh_buf_add_str(j->out, n->partial ? "true" : "false");
}

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
	json_top_key(j, "summary");
	json_open_bracket(j, '{');
	json_number(j, "packages", r->packages.len);
	json_number(j, "findings", r->findings.len);
	write_severities(j, by_severity);
	json_number(j, "fixable", fixable);
	json_number(j, "known_exploited", exploited);
	json_number(j, "suppressed", r->suppressed.len);
	json_number(j, "hidden", bh_report_filtered(r));
	json_key(j, "hidden_by");
	json_open_bracket(j, '{');
	for (int i = 0; i < BH_HIDDEN_COUNT; i++)
		if (r->hidden[i])
			json_number(j, bh_hidden_name((enum bh_hidden_reason)i), r->hidden[i]);
	json_close_bracket(j, '}');
	json_number(j, "not_affected", r->not_affected);
	json_close_bracket(j, '}');
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct json j = { .out = out, .report = report };
	json_document(&j, SCHEMA, style);
	if (report->generated.len) {
		json_top_key(&j, "generated");
		bh_buf_add_json(out, report->generated);
	}
	write_target(&j, &report->target);
	json_top_key(&j, "verdict");
	bh_buf_printf(out, "\"%s\"", bh_verdict_name(report->verdict));
	json_top_key(&j, "verdict_reason");
	bh_buf_add_json(out, report->verdict_reason);
	write_summary(&j);
	write_base(&j, &report->base);
	write_baseline(&j, &report->baseline);
	JSON_WRITE_VEC(&j, "changes", report->changes, write_change);
	JSON_WRITE_VEC(&j, "layers", report->layers, write_layer);
	JSON_WRITE_VEC(&j, "packages", report->packages, write_package);
	JSON_WRITE_VEC(&j, "findings", report->findings, write_finding);
	JSON_WRITE_VEC(&j, "suppressed", report->suppressed, write_finding);
	JSON_WRITE_VEC(&j, "exceptions", report->exceptions, write_exception);
	JSON_WRITE_VEC(&j, "vex", report->vex, write_vex);
	JSON_WRITE_VEC(&j, "history", report->history, write_history);
	JSON_WRITE_VEC(&j, "labels", report->labels, write_label);
	JSON_WRITE_VEC(&j, "incomplete", report->incomplete, write_incomplete);
	JSON_WRITE_VEC(&j, "not_covered", report->not_covered, write_not_covered);
	JSON_WRITE_VEC(&j, "data", report->data, write_data);
	bh_buf_add_str(out, "\n}\n");
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the JSON report is larger than %zu bytes", out->max_bytes) : 0;
}

const struct report_writer report_writer_json = { .name = "json", .title = SCHEMA ", for programs", .write = write };
