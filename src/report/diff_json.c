/* diff_json.c: bulkhead.diff/1 (docs/formats/diff.md): one line per package and finding. */
#include "report/diff.h"

#include "report/json_out.h"

#define SCHEMA "bulkhead.diff/1"

static void write_side(struct json *j, const char *name, const struct bh_report *r)
{
	json_top_key(j, name);
	json_open_bracket(j, '{');
	json_must_text(j, "text", r->target.text);
	json_text(j, "reference", r->target.reference);
	json_digest(j, "digest", &r->target.digest);
	json_number(j, "packages", r->packages.len);
	json_number(j, "findings", r->findings.len);
	json_number(j, "incomplete", r->incomplete.len);
	json_close_bracket(j, '}');
}

/* Package URLs depend on the distribution that the package is of. */
static void side_purl(struct json *j, const char *name, const struct bh_report *side, const struct bh_package *p)
{
	if (!p)
		return;
	j->report = side;
	json_purl(j, name, p);
}

static void write_package(struct json *j, const struct bh_diff *d, const struct bh_package_diff *c)
{
	const struct bh_package *any = c->after ? c->after : c->before;
	json_word(j, "change", bh_diff_name(c->kind));
	json_must_text(j, "type", any->type);
	json_must_text(j, "name", any->name);
	if (c->before)
		json_must_text(j, "from", c->before->version);
	if (c->after)
		json_must_text(j, "to", c->after->version);
	side_purl(j, "before", d->before, c->before);
	side_purl(j, "after", d->after, c->after);
}

static void write_finding(struct json *j, const struct bh_diff *d, const struct bh_finding_diff *c)
{
	const struct bh_finding *f = c->after ? c->after : c->before;
	json_word(j, "change", c->kind == BH_DIFF_ADDED ? "new" : c->kind == BH_DIFF_REMOVED ? "fixed" : "changed");
	json_word(j, "class", bh_class_name(f->class));
	json_must_text(j, "id", f->id);
	json_word(j, "severity", bh_severity_name(f->severity));
	json_word(j, "state", bh_state_name(f->state));
	json_flag(j, "known_exploited", f->kev);
	side_purl(j, "package", c->after ? d->after : d->before, f->package);
	json_texts(j, "fixed", f->fixed, f->n_fixed);
	json_text(j, "path", f->path);
	json_text(j, "note", c->note);
}

static void start_item(struct json *j, size_t i)
{
	bh_buf_add_str(j->out, i ? ",\n    " : "\n    ");
	json_open_bracket(j, '{');
}

static void write_lists(struct json *j, const struct bh_diff *d)
{
	json_top_key(j, "packages");
	bh_buf_add_byte(j->out, '[');
	for (size_t i = 0; i < d->packages.len; i++) {
		start_item(j, i);
		write_package(j, d, &d->packages.ptr[i]);
		json_close_bracket(j, '}');
	}
	bh_buf_add_str(j->out, d->packages.len ? "\n  ]" : "]");
	json_top_key(j, "findings");
	bh_buf_add_byte(j->out, '[');
	for (size_t i = 0; i < d->findings.len; i++) {
		start_item(j, i);
		write_finding(j, d, &d->findings.ptr[i]);
		json_close_bracket(j, '}');
	}
	bh_buf_add_str(j->out, d->findings.len ? "\n  ]" : "]");
}

static void write_summary(struct json *j, const struct bh_diff *d)
{
	uint64_t packages[BH_DIFF_CHANGED + 1] = { 0 }, findings[BH_DIFF_CHANGED + 1] = { 0 };
	for (size_t i = 0; i < d->packages.len; i++)
		packages[d->packages.ptr[i].kind]++;
	for (size_t i = 0; i < d->findings.len; i++)
		findings[d->findings.ptr[i].kind]++;
	json_top_key(j, "summary");
	json_open_bracket(j, '{');
	for (int k = BH_DIFF_ADDED; k <= BH_DIFF_CHANGED; k++)
		json_number(j, bh_diff_name((enum bh_diff_kind)k), packages[k]);
	json_number(j, "same", d->same_packages);
	json_number(j, "new_findings", findings[BH_DIFF_ADDED]);
	json_number(j, "fixed_findings", findings[BH_DIFF_REMOVED]);
	json_number(j, "changed_findings", findings[BH_DIFF_CHANGED]);
	json_number(j, "same_findings", d->same_findings);
	json_close_bracket(j, '}');
}

static int write(const struct bh_diff *d, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct json j = { .out = out, .report = d->after };
	json_document(&j, SCHEMA, style);
	write_side(&j, "before", d->before);
	write_side(&j, "after", d->after);
	write_summary(&j, d);
	write_lists(&j, d);
	bh_buf_add_str(out, "\n}\n");
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the JSON text is larger than %zu bytes", out->max_bytes) : 0;
}

const struct report_diff_writer report_diff_json = { .name = "json", .write = write };
