/*
 * sarif.c: SARIF 2.1.0 (OASIS), as code scanning services read it. One rule per id, one result per finding; what an exception or VEX took
 * out is a result with its suppression; what could not be checked is a notification of the run, which then was not successful.
 */
#include "base/map.h"
#include "report/describe.h"
#include "report/json_out.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define TEXT_BYTES_MAX (64u << 10)
#define NO_HELP "See the page of the advisory."

struct sarif {
	struct json j;
	const struct report_style *style;
	struct bh_buf text;  /* scratch */
	struct bh_map rules; /* id -> number + 1 */
};

static const char *level_of(const struct bh_finding *f)
{
	switch (describe_weight(f)) {
	case BH_SEV_CRITICAL:
	case BH_SEV_HIGH: return "error";
	case BH_SEV_MEDIUM: return "warning";
	default: return "note";
	}
}

static void message(struct sarif *s, const char *key, struct bh_slice text)
{
	json_key(&s->j, key);
	json_open_bracket(&s->j, '{');
	json_must_text(&s->j, "text", text);
	json_close_bracket(&s->j, '}');
}

static void message_built(struct sarif *s, const char *key)
{
	message(s, key, bh_buf_slice(&s->text));
	bh_buf_clear(&s->text);
}

/* ---- rules ---- */

static void rule_properties(struct sarif *s, const struct bh_finding *f)
{
	unsigned score = describe_score_tenths(f);
	json_key(&s->j, "properties");
	json_open_bracket(&s->j, '{');
	bh_buf_printf(&s->text, "%u.%u", score / 10, score % 10);
	json_built(&s->j, "security-severity", &s->text);
	json_key(&s->j, "tags");
	json_open_bracket(&s->j, '[');
	json_item(&s->j);
	bh_buf_printf(s->j.out, "\"security\", \"%s\"", bh_class_name(f->class));
	json_close_bracket(&s->j, ']');
	json_close_bracket(&s->j, '}');
}

/* In plain words what to do; as Markdown, which such services show beside a finding, all that `bulkhead explain` tells. */
static void write_help(struct sarif *s, const struct bh_finding *f)
{
	json_key(&s->j, "help");
	json_open_bracket(&s->j, '{');
	json_must_text(&s->j, "text", f->fix.len ? f->fix : BH_SLICE_LIT(NO_HELP));
	if (s->style->explain && s->style->explain(f->id, &s->text))
		json_built(&s->j, "markdown", &s->text);
	json_close_bracket(&s->j, '}');
}

static void write_rule(struct sarif *s, const struct bh_finding *f)
{
	bh_buf_add_str(s->j.out, s->rules.len > 1 ? ",\n        {" : "\n        {");
	s->j.comma = false;
	json_must_text(&s->j, "id", f->id);
	json_word(&s->j, "name", bh_class_name(f->class));
	message(s, "shortDescription", f->title.len ? f->title : f->id);
	write_help(s, f);
	describe_uri(&s->text, f->id);
	json_built(&s->j, "helpUri", &s->text);
	rule_properties(s, f);
	json_close_bracket(&s->j, '}');
}

static bool write_rules_of(struct sarif *s, const struct bh_finding_vec *findings)
{
	for (size_t i = 0; i < findings->len; i++) {
		const struct bh_finding *f = &findings->ptr[i];
		void **slot = bh_map_put(&s->rules, f->id);
		if (!slot)
			return false;
		if (*slot)
			continue;
		*slot = (void *)(uintptr_t)s->rules.len;
		write_rule(s, f);
	}
	return true;
}

static bool write_driver(struct sarif *s, const struct report_style *style)
{
	const struct bh_report *r = s->j.report;
	bh_buf_printf(s->j.out, "\n      \"tool\": { \"driver\": { \"name\": \"Bulkhead\", \"semanticVersion\": \"%s\", \"rules\": [", style->tool_version);
	bool ok = write_rules_of(s, &r->findings) && write_rules_of(s, &r->suppressed);
	bh_buf_add_str(s->j.out, s->rules.len ? "\n      ] } }," : "] } },");
	return ok;
}

/* ---- results ---- */

static void write_region(struct sarif *s, uint32_t line)
{
	json_key(&s->j, "region");
	json_open_bracket(&s->j, '{');
	json_number(&s->j, "startLine", line ? line : 1);
	json_close_bracket(&s->j, '}');
}

/* URI of a file of the image: percent-encoded, relative, as services show it beside the sources. */
static void add_uri(struct bh_buf *out, struct bh_slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~/@+!", c));
		if (plain)
			bh_buf_add_byte(out, c);
		else
			bh_buf_printf(out, "%%%02X", c);
	}
}

static void write_logical(struct sarif *s, const struct bh_finding *f)
{
	if (!f->package)
		return;
	json_key(&s->j, "logicalLocations");
	json_open_bracket(&s->j, '[');
	json_item(&s->j);
	json_open_bracket(&s->j, '{');
	json_must_text(&s->j, "name", f->package->name);
	describe_purl(&s->text, s->j.report, f->package);
	json_built(&s->j, "fullyQualifiedName", &s->text);
	json_word(&s->j, "kind", "package");
	json_close_bracket(&s->j, '}');
	json_close_bracket(&s->j, ']');
}

static void write_location(struct sarif *s, const struct bh_finding *f)
{
	struct bh_buf place;
	bh_buf_init(&place, TEXT_BYTES_MAX);
	describe_place(&place, f);
	json_key(&s->j, "locations");
	json_open_bracket(&s->j, '[');
	json_item(&s->j);
	json_open_bracket(&s->j, '{');
	json_key(&s->j, "physicalLocation");
	json_open_bracket(&s->j, '{');
	json_key(&s->j, "artifactLocation");
	json_open_bracket(&s->j, '{');
	/* Services need a file for every result; what is about the image as a whole is filed under its name. */
	add_uri(&s->text, place.len ? bh_buf_slice(&place) : s->j.report->target.text);
	json_built(&s->j, "uri", &s->text);
	json_close_bracket(&s->j, '}');
	write_region(s, f->line ? f->line : f->package ? f->package->at.line : 0);
	json_close_bracket(&s->j, '}');
	write_logical(s, f);
	json_close_bracket(&s->j, '}');
	json_close_bracket(&s->j, ']');
	bh_buf_done(&place);
}

static void write_fingerprint(struct sarif *s, const struct bh_finding *f)
{
	json_key(&s->j, "partialFingerprints");
	json_open_bracket(&s->j, '{');
	bh_buf_add(&s->text, f->id);
	bh_buf_add_byte(&s->text, '|');
	if (f->package) {
		bh_buf_add(&s->text, f->package->type);
		bh_buf_add_byte(&s->text, '/');
		bh_buf_add(&s->text, f->package->name);
	}
	bh_buf_add_byte(&s->text, '|');
	describe_place(&s->text, f);
	json_built(&s->j, "bulkheadFinding/v1", &s->text);
	json_close_bracket(&s->j, '}');
}

static void write_suppression(struct sarif *s, const struct bh_ruling *r)
{
	json_key(&s->j, "suppressions");
	json_open_bracket(&s->j, '[');
	json_item(&s->j);
	json_open_bracket(&s->j, '{');
	json_word(&s->j, "kind", "external");
	json_text(&s->j, "justification", r->reason.len ? r->reason : r->justification);
	json_close_bracket(&s->j, '}');
	json_close_bracket(&s->j, ']');
}

/* Of the object, not of the text: what SARIF calls a fix would be that. */
static void write_patch(struct sarif *s, const struct bh_finding *f)
{
	json_key(&s->j, "properties");
	json_open_bracket(&s->j, '{');
	json_word(&s->j, "patchLevel", bh_patch_level_name(f->patch_level));
	json_text(&s->j, "patch", f->patch);
	json_text(&s->j, "patchMayBreak", f->patch_may_break);
	json_close_bracket(&s->j, '}');
}

static const char *baseline_state(enum bh_baseline b)
{
	switch (b) {
	case BH_BASELINE_NEW: return "new";
	case BH_BASELINE_WORSE: return "updated";
	case BH_BASELINE_UNCHANGED: return "unchanged";
	case BH_BASELINE_NONE: break;
	}
	return NULL;
}

static void write_result(struct sarif *s, const struct bh_finding *f, bool suppressed)
{
	const char *state = baseline_state(f->baseline);
	json_must_text(&s->j, "ruleId", f->id);
	json_number(&s->j, "ruleIndex", (uintptr_t)bh_map_get(&s->rules, f->id) - 1);
	json_word(&s->j, "level", level_of(f));
	describe_finding(&s->text, f);
	bh_buf_add_str(&s->text, f->fix.len ? ". To do: " : "");
	bh_buf_add(&s->text, f->fix);
	message_built(s, "message");
	write_location(s, f);
	write_fingerprint(s, f);
	if (state)
		json_word(&s->j, "baselineState", state);
	if (suppressed)
		write_suppression(s, &f->ruling);
	if (f->patch_level != BH_PATCH_NONE)
		write_patch(s, f);
}

static void write_results_of(struct sarif *s, const struct bh_finding_vec *findings, bool suppressed, bool *first)
{
	for (size_t i = 0; i < findings->len; i++) {
		bh_buf_add_str(s->j.out, *first ? "\n        {" : ",\n        {");
		*first = false;
		s->j.comma = false;
		write_result(s, &findings->ptr[i], suppressed);
		json_close_bracket(&s->j, '}');
	}
}

static void write_invocation(struct sarif *s)
{
	const struct bh_report *r = s->j.report;
	bh_buf_printf(s->j.out, "\n      \"invocations\": [ { \"executionSuccessful\": %s, \"toolExecutionNotifications\": [",
		      r->incomplete.len ? "false" : "true");
	for (size_t i = 0; i < r->incomplete.len; i++) {
		const struct bh_incomplete *n = &r->incomplete.ptr[i];
		bh_buf_add_str(s->j.out, i ? ",\n        {" : "\n        {");
		s->j.comma = false;
		json_word(&s->j, "level", "error");
		bh_buf_add_str(&s->text, "not checked: ");
		bh_buf_add(&s->text, n->path.len ? n->path : n->what);
		bh_buf_add_str(&s->text, ": ");
		bh_buf_add(&s->text, n->reason);
		message_built(s, "message");
		json_close_bracket(&s->j, '}');
	}
	bh_buf_add_str(s->j.out, r->incomplete.len ? "\n      ] } ]," : "] } ],");
}

static int sarif_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct sarif s = { .style = style, .j = { .out = out, .report = report } };
	bool first = true;
	bh_buf_init(&s.text, TEXT_BYTES_MAX);
	bh_map_init(&s.rules, report->findings.len + report->suppressed.len + 1);
	bh_buf_add_str(out, "{\n  \"$schema\": \"" SCHEMA "\",\n  \"version\": \"2.1.0\",\n  \"runs\": [\n    {");
	bool ok = write_driver(&s, style);
	write_invocation(&s);
	bh_buf_add_str(out, "\n      \"results\": [");
	write_results_of(&s, &report->findings, false, &first);
	write_results_of(&s, &report->suppressed, true, &first);
	bh_buf_add_str(out, first ? "]" : "\n      ]");
	bh_buf_add_str(out, ",\n      \"columnKind\": \"utf16CodeUnits\"\n    }\n  ]\n}\n");
	bh_map_done(&s.rules);
	bh_buf_done(&s.text);
	return ok && !out->failed ? 0 : bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory");
}

const struct report_writer report_writer_sarif = { .name = "sarif", .title = "SARIF 2.1.0, for code scanning", .write = sarif_write };
