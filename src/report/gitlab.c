/*
 * gitlab.c: GitLab's container scanning report, schema version 15.0.7 (gitlab-org/security-products/security-report-schemas), as the artifact
 * reports:container_scanning takes it. One entry per finding; times have no zone there and are UTC.
 */
#include "report/describe.h"
#include "report/json_out.h"

#define VERSION "15.0.7"
#define TEXT_BYTES_MAX (64u << 10)
#define NAME_BYTES_MAX 255u /* the schema's limit for names */

struct gitlab {
	struct json j;
	struct bh_buf text; /* scratch */
};

static const char *severity_word(enum bh_severity s)
{
	switch (s) {
	case BH_SEV_CRITICAL: return "Critical";
	case BH_SEV_HIGH: return "High";
	case BH_SEV_MEDIUM: return "Medium";
	case BH_SEV_LOW: return "Low";
	case BH_SEV_NEGLIGIBLE: return "Info";
	case BH_SEV_UNKNOWN: break;
	}
	return "Unknown";
}

static void write_identifier(struct gitlab *g, struct bh_slice id)
{
	json_item(&g->j);
	json_open_bracket(&g->j, '{');
	json_word(&g->j, "type", bh_slice_starts(id, BH_SLICE_LIT("CVE-")) ? "cve" : bh_slice_starts(id, BH_SLICE_LIT("GHSA-")) ? "ghsa" : "bulkhead");
	json_must_text(&g->j, "name", id);
	json_must_text(&g->j, "value", id);
	describe_uri(&g->text, id);
	json_built(&g->j, "url", &g->text);
	json_close_bracket(&g->j, '}');
}

static void write_identifiers(struct gitlab *g, const struct bh_finding *f)
{
	json_key(&g->j, "identifiers");
	json_open_bracket(&g->j, '[');
	write_identifier(g, f->id);
	for (size_t i = 0; i < f->n_aliases; i++)
		write_identifier(g, f->aliases[i]);
	json_close_bracket(&g->j, ']');
}

static void write_location(struct gitlab *g, const struct bh_finding *f)
{
	const struct bh_target *t = &g->j.report->target;
	struct bh_slice name = f->package ? f->package->name : t->text;
	json_key(&g->j, "location");
	json_open_bracket(&g->j, '{');
	json_key(&g->j, "dependency");
	json_open_bracket(&g->j, '{');
	json_key(&g->j, "package");
	json_open_bracket(&g->j, '{');
	json_must_text(&g->j, "name", name);
	json_close_bracket(&g->j, '}');
	json_must_text(&g->j, "version", f->package ? f->package->version : (struct bh_slice){ 0 });
	json_close_bracket(&g->j, '}');
	json_must_text(&g->j, "operating_system", t->distro.name.len ? t->distro.name : BH_SLICE_LIT("unknown"));
	json_must_text(&g->j, "image", t->reference.len ? t->reference : t->text);
	json_close_bracket(&g->j, '}');
}

static void write_vulnerability(struct gitlab *g, const struct bh_finding *f)
{
	bh_buf_add(&g->text, f->id);
	bh_buf_add_byte(&g->text, ':');
	if (f->package)
		describe_purl(&g->text, g->j.report, f->package);
	describe_place(&g->text, f);
	json_built(&g->j, "id", &g->text);
	describe_finding(&g->text, f);
	json_must_text(&g->j, "name", bh_slice_sub(bh_buf_slice(&g->text), 0, NAME_BYTES_MAX));
	bh_buf_clear(&g->text);
	json_text(&g->j, "description", f->title.len ? f->title : f->evidence);
	json_word(&g->j, "severity", severity_word(f->severity));
	json_text(&g->j, "solution", f->fix);
	write_identifiers(g, f);
	write_location(g, f);
}

static void write_program(struct gitlab *g, const char *key, const struct report_style *style)
{
	bh_buf_printf(g->j.out, "\"%s\": {\"id\": \"bulkhead\", \"name\": \"Bulkhead\", \"version\": \"%s\", \"vendor\": {\"name\": \"Bulkhead\"}}, ", key,
		      style->tool_version);
}

static void write_scan(struct gitlab *g, const struct report_style *style)
{
	const struct bh_report *r = g->j.report;
	struct bh_slice time = bh_slice_sub(r->generated.len ? r->generated : BH_SLICE_LIT("1970-01-01T00:00:00"), 0, sizeof("2026-01-01T00:00:00") - 1);
	bh_buf_add_str(g->j.out, "{\n  \"version\": \"" VERSION "\",\n  \"scan\": {");
	write_program(g, "analyzer", style);
	write_program(g, "scanner", style);
	g->j.comma = false;
	json_word(&g->j, "type", "container_scanning");
	json_word(&g->j, "status", r->verdict == BH_VERDICT_INCOMPLETE ? "failure" : "success");
	json_must_text(&g->j, "start_time", time);
	json_must_text(&g->j, "end_time", time);
	json_key(&g->j, "messages");
	json_open_bracket(&g->j, '[');
	for (size_t i = 0; i < r->incomplete.len; i++) {
		json_item(&g->j);
		json_open_bracket(&g->j, '{');
		json_word(&g->j, "level", "warn");
		bh_buf_add_str(&g->text, "not checked: ");
		bh_buf_add(&g->text, r->incomplete.ptr[i].path);
		bh_buf_add_str(&g->text, r->incomplete.ptr[i].path.len ? ": " : "");
		bh_buf_add(&g->text, r->incomplete.ptr[i].reason);
		json_built(&g->j, "value", &g->text);
		json_close_bracket(&g->j, '}');
	}
	json_close_bracket(&g->j, ']');
	bh_buf_add_str(g->j.out, "},\n  \"vulnerabilities\": [");
}

static int gitlab_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct gitlab g = { .j = { .out = out, .report = report } };
	bh_buf_init(&g.text, TEXT_BYTES_MAX);
	write_scan(&g, style);
	for (size_t i = 0; i < report->findings.len; i++) {
		bh_buf_add_str(out, i ? ",\n    {" : "\n    {");
		g.j.comma = false;
		write_vulnerability(&g, &report->findings.ptr[i]);
		json_close_bracket(&g.j, '}');
	}
	bh_buf_add_str(out, report->findings.len ? "\n  ]\n}\n" : "]\n}\n");
	bh_buf_done(&g.text);
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_gitlab = { .name = "gitlab", .title = "GitLab's container scanning report", .write = gitlab_write };
