#include "cmd/comply_write.h"

#include "cmd/asking.h"
#include "report/describe.h"

#include <stdio.h>

#define REASONS_SHOWN 5u /* of one control, in documents for people */
#define NAME_BYTES_MAX 256u
#define ID_COLUMNS_MAX 32u
#define LINE_BYTES_MAX (64u << 10)

/* Index = enum comply_verdict. */
static const char *const labels[] = { "FAIL", "UNCHECKED", "MANUAL", "EXEMPT", "ATTESTED", "PASS", "N/A" };

static bool is_shown(const struct comply_view *v, const struct comply_result *r)
{
	return v->shown & (1u << r->verdict);
}

static const struct comply_reason *reasons_of(const struct comply_view *v, const struct comply_result *r)
{
	return v->report->reasons.ptr + r->first;
}

/* Of a control that is met only what was counted; of others what keeps it from being met. */
static size_t reasons_to_show(const struct comply_view *v, const struct comply_result *r)
{
	const struct comply_reason *reasons = reasons_of(v, r);
	size_t n = 0;
	while (n < r->n && (reasons[n].verdict <= r->verdict || r->verdict == COMPLY_PASS || r->verdict == COMPLY_ATTESTED))
		n++;
	return n;
}

static void add_place(struct bh_buf *out, const struct comply_reason *reason)
{
	bh_buf_add(out, reason->file);
	if (reason->file.len && reason->line)
		bh_buf_printf(out, ":%u", reason->line);
	if (reason->file.len)
		bh_buf_add_str(out, ": ");
}

/* "manifests/web.yaml:12: the pod runs as user 0 (Deployment shop/web)", and who accepted it until when. */
static void add_reason(struct bh_buf *out, const struct comply_reason *reason)
{
	add_place(out, reason);
	bh_buf_add(out, reason->text);
	if (reason->evidence.len) {
		bh_buf_add_str(out, " (");
		bh_buf_add(out, reason->evidence);
		bh_buf_add_byte(out, ')');
	}
	if (!reason->ruling)
		return;
	bh_buf_add_str(out, reason->verdict == COMPLY_ATTESTED ? "; says " : "; accepted by ");
	bh_buf_add(out, reason->ruling->who.len ? reason->ruling->who : BH_SLICE_LIT("nobody who is named"));
	if (reason->ruling->until.len)
		bh_buf_printf(out, " until %.*s", BH_SLICE_FMT(reason->ruling->until));
	if (reason->verdict != COMPLY_ATTESTED)
		bh_buf_printf(out, ": %.*s", BH_SLICE_FMT(reason->ruling->reason));
}

static void reason_line(const struct comply_reason *reason, struct bh_buf *line)
{
	bh_buf_init(line, LINE_BYTES_MAX);
	add_reason(line, reason);
}

static void add_totals(const struct comply_view *v, struct bh_buf *out)
{
	bh_buf_printf(out, "%zu controls:", v->report->results.len);
	const char *comma = " ";
	for (enum comply_verdict verdict = 0; verdict < COMPLY_VERDICTS; verdict++)
		if (v->report->totals[verdict]) {
			bh_buf_printf(out, "%s%llu %s", comma, (unsigned long long)v->report->totals[verdict], comply_verdict_name(verdict));
			comma = ", ";
		}
}

/* What was read and does not count: empty when there is none. */
static void left_out(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_report *r = v->report;
	if (r->without) {
		bh_buf_printf(out, "%llu object%s of namespaces that were left out (", (unsigned long long)r->without, r->without == 1 ? "" : "s");
		for (size_t i = 0; i < v->options->n_without; i++)
			bh_buf_printf(out, "%s%s", i ? ", " : "", v->options->without[i]);
		bh_buf_add_byte(out, ')');
	}
	if (r->bootstrap)
		bh_buf_printf(out, "%s%llu role%s and bindings that every API server makes itself", r->without ? "; " : "", (unsigned long long)r->bootstrap,
			      r->bootstrap == 1 ? "" : "s");
}

static const char *time_text(const struct comply_view *v, char text[BH_TIME_TEXT_BYTES])
{
	if (!bh_time_text(v->options->now_s, text))
		(void)snprintf(text, BH_TIME_TEXT_BYTES, "1970-01-01T00:00:00Z");
	return text;
}

/* ---- text ---- */

static void text_reasons(const struct comply_view *v, const struct comply_result *r, struct bh_buf *out)
{
	const struct comply_reason *reasons = reasons_of(v, r);
	size_t n = reasons_to_show(v, r);
	for (size_t i = 0; i < n && i < REASONS_SHOWN; i++) {
		struct bh_buf line;
		reason_line(&reasons[i], &line);
		bh_buf_add_str(out, "            ");
		bh_buf_add_escaped(out, bh_buf_slice(&line));
		bh_buf_add_byte(out, '\n');
		bh_buf_done(&line);
	}
	if (n > REASONS_SHOWN)
		bh_buf_printf(out, "            and %zu more\n", n - REASONS_SHOWN);
	if (r->verdict == COMPLY_FAIL && n && reasons[0].fix.len)
		bh_buf_printf(out, "            Fix: %.*s\n", BH_SLICE_FMT(reasons[0].fix));
	if (r->verdict == COMPLY_LOOK) {
		bh_buf_add_str(out, "            Look at: ");
		bh_buf_add_escaped(out, bh_slice_str(r->control->note[0] ? r->control->note : "what is named above"));
		bh_buf_add_byte(out, '\n');
	}
}

static size_t id_columns(const struct comply_view *v)
{
	size_t columns = 0;
	for (size_t i = 0; i < v->report->results.len; i++) {
		size_t n = strlen(v->report->results.ptr[i].control->id);
		if (is_shown(v, &v->report->results.ptr[i]) && n > columns)
			columns = n;
	}
	return columns < ID_COLUMNS_MAX ? columns : ID_COLUMNS_MAX;
}

static void write_text(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_framework *f = v->report->framework;
	size_t columns = id_columns(v);
	struct bh_buf head;
	bh_buf_init(&head, LINE_BYTES_MAX);
	bh_buf_printf(&head, "%s %s (%s)", f->title, f->version, f->applies_to);
	bh_buf_add_escaped(out, bh_buf_slice(&head));
	bh_buf_done(&head);
	bh_buf_add_str(out, "\n\n");
	for (size_t i = 0; i < v->report->results.len; i++) {
		const struct comply_result *r = &v->report->results.ptr[i];
		if (!is_shown(v, r))
			continue;
		bh_buf_printf(out, "%-9s  ", labels[r->verdict]);
		bh_buf_add_escaped(out, bh_slice_str(r->control->id));
		for (size_t n = strlen(r->control->id); n < columns; n++)
			bh_buf_add_byte(out, ' ');
		bh_buf_add_byte(out, ' ');
		bh_buf_add_escaped(out, bh_slice_str(r->control->title));
		bh_buf_add_byte(out, '\n');
		if (r->verdict != COMPLY_PASS && r->verdict != COMPLY_NOT_APPLICABLE)
			text_reasons(v, r, out);
	}
	for (size_t i = 0; i < v->report->findings.findings.len; i++)
		if (v->report->findings.findings.ptr[i].class == BH_CLASS_EXCEPTION) {
			bh_buf_add_str(out, "\nNote: ");
			bh_buf_add_escaped(out, v->report->findings.findings.ptr[i].title);
		}
	bh_buf_add_byte(out, '\n');
	add_totals(v, out);
	bh_buf_add_byte(out, '\n');
	if (v->report->without || v->report->bootstrap) {
		bh_buf_add_str(out, "not counted: ");
		left_out(v, out);
		bh_buf_add_byte(out, '\n');
	}
}

/* ---- JSON ---- */

static void member(struct bh_buf *out, const char *before, const char *name, struct bh_slice value)
{
	bh_buf_printf(out, "%s\"%s\": ", before, name);
	bh_buf_add_json(out, value);
}

static void optional(struct bh_buf *out, const char *name, struct bh_slice value)
{
	if (value.len)
		member(out, ", ", name, value);
}

static void json_reason(const struct comply_reason *reason, struct bh_buf *out)
{
	member(out, "{ ", "verdict", bh_slice_str(comply_verdict_name(reason->verdict)));
	optional(out, "check", reason->check);
	member(out, ", ", "text", reason->text);
	optional(out, "file", reason->file);
	if (reason->line)
		bh_buf_printf(out, ", \"line\": %u", reason->line);
	optional(out, "evidence", reason->evidence);
	optional(out, "fix", reason->fix);
	if (reason->ruling) {
		bh_buf_add_str(out, ", \"exception\": ");
		member(out, "{ ", "reason", reason->ruling->reason);
		optional(out, "owner", reason->ruling->who);
		optional(out, "expires", reason->ruling->until);
		optional(out, "from", reason->ruling->from);
		bh_buf_add_str(out, " }");
	}
	bh_buf_add_str(out, " }");
}

static void json_control(const struct comply_view *v, const struct comply_result *r, struct bh_buf *out)
{
	static const char *const hows[] = { "decided", "finds", "manual" };
	member(out, "    { ", "id", bh_slice_str(r->control->id));
	member(out, ", ", "title", bh_slice_str(r->control->title));
	member(out, ", ", "how", bh_slice_str(hows[r->control->how]));
	member(out, ", ", "verdict", bh_slice_str(comply_verdict_name(r->verdict)));
	optional(out, "note", bh_slice_str(r->control->note));
	bh_buf_add_str(out, ", \"reasons\": [");
	for (size_t i = 0; i < r->n; i++) {
		bh_buf_add_str(out, i ? ",\n      " : "\n      ");
		json_reason(&reasons_of(v, r)[i], out);
	}
	bh_buf_add_str(out, "] }");
}

static void write_json(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_framework *f = v->report->framework;
	const struct bh_incomplete_vec *gaps = &v->report->findings.incomplete;
	char now[BH_TIME_TEXT_BYTES];
	bh_buf_add_str(out, "{\n  \"schema\": \"bulkhead.compliance/1\",\n  \"tool\": { \"name\": \"bulkhead\", \"version\": \"" BH_VERSION "\" },\n");
	member(out, "  ", "generated", bh_slice_str(time_text(v, now)));
	bh_buf_add_str(out, ",\n  \"framework\": ");
	member(out, "{ ", "name", bh_slice_str(f->name));
	member(out, ", ", "version", bh_slice_str(f->version));
	member(out, ", ", "title", bh_slice_str(f->title));
	bh_buf_printf(out, " },\n  \"kubernetes\": \"1.%u\",\n  \"objects\": { \"read\": %llu, \"of_excluded_namespaces\": %llu, \"made_by_api_server\": %llu },\n  \"totals\": {",
		      v->options->minor, (unsigned long long)v->report->objects, (unsigned long long)v->report->without, (unsigned long long)v->report->bootstrap);
	for (enum comply_verdict verdict = 0; verdict < COMPLY_VERDICTS; verdict++)
		bh_buf_printf(out, "%s\"%s\": %llu", verdict ? ", " : " ", comply_verdict_name(verdict), (unsigned long long)v->report->totals[verdict]);
	bh_buf_add_str(out, " },\n  \"controls\": [\n");
	for (size_t i = 0; i < v->report->results.len; i++) {
		json_control(v, &v->report->results.ptr[i], out);
		bh_buf_add_str(out, i + 1 < v->report->results.len ? ",\n" : "\n");
	}
	bh_buf_add_str(out, "  ],\n  \"incomplete\": [");
	for (size_t i = 0; i < gaps->len; i++) {
		member(out, i ? ",\n    { " : "\n    { ", "file", gaps->ptr[i].path);
		member(out, ", ", "reason", gaps->ptr[i].reason);
		bh_buf_add_str(out, " }");
	}
	bh_buf_add_str(out, "]\n}\n");
}

/* ---- CSV ---- */

static void csv_row(const struct comply_view *v, const struct comply_result *r, const struct comply_reason *reason, struct bh_buf *out)
{
	static const struct comply_reason none;
	static const struct bh_ruling no_ruling;
	const struct comply_reason *x = reason ? reason : &none;
	const struct bh_ruling *ruling = x->ruling ? x->ruling : &no_ruling;
	char line[16] = "";
	if (x->line)
		(void)snprintf(line, sizeof(line), "%u", x->line);
	const struct bh_slice cells[] = {
		bh_slice_str(v->report->framework->name), bh_slice_str(v->report->framework->version), bh_slice_str(r->control->id), bh_slice_str(r->control->title),
		bh_slice_str(comply_verdict_name(r->verdict)), reason ? bh_slice_str(comply_verdict_name(x->verdict)) : (struct bh_slice){ 0 }, x->check,
		reason ? x->text : bh_slice_str(r->control->note), x->file, bh_slice_str(line), x->evidence, ruling->who, ruling->until, ruling->reason,
	};
	cmd_add_csv_row(out, cells, sizeof(cells) / sizeof(cells[0]));
}

static void write_csv(const struct comply_view *v, struct bh_buf *out)
{
	bh_buf_add_str(out, "framework,version,control,title,verdict,reason_verdict,check,text,file,line,evidence,owner,expires,exception\n");
	for (size_t i = 0; i < v->report->results.len; i++) {
		const struct comply_result *r = &v->report->results.ptr[i];
		for (size_t k = 0; k < r->n; k++)
			csv_row(v, r, &reasons_of(v, r)[k], out);
		if (r->n == 0)
			csv_row(v, r, NULL, out);
	}
}

/* ---- Markdown and HTML ---- */

static struct bh_slice first_reason(const struct comply_view *v, const struct comply_result *r, struct bh_buf *text)
{
	size_t n = reasons_to_show(v, r);
	bh_buf_clear(text);
	if (n && r->verdict != COMPLY_NOT_APPLICABLE)
		add_reason(text, reasons_of(v, r));
	else if (r->verdict == COMPLY_LOOK)
		bh_buf_add_str(text, r->control->note);
	if (n > 1 && r->verdict != COMPLY_NOT_APPLICABLE && r->verdict != COMPLY_PASS)
		bh_buf_printf(text, "; and %zu more", n - 1);
	return bh_buf_slice(text);
}

static void write_markdown(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_framework *f = v->report->framework;
	struct bh_buf text;
	bh_buf_init(&text, LINE_BYTES_MAX);
	bh_buf_add_str(out, "## ");
	describe_markup(out, bh_slice_str(f->title));
	bh_buf_add_byte(out, ' ');
	describe_markup(out, bh_slice_str(f->version));
	bh_buf_add_str(out, "\n\n");
	add_totals(v, out);
	if (v->report->without || v->report->bootstrap) {
		bh_buf_add_str(out, "\n\nNot counted: ");
		left_out(v, out);
	}
	bh_buf_add_str(out, "\n\n| control | verdict | title | why |\n|---|---|---|---|\n");
	for (size_t i = 0; i < v->report->results.len; i++) {
		const struct comply_result *r = &v->report->results.ptr[i];
		const struct bh_slice cells[] = { bh_slice_str(r->control->id), bh_slice_str(comply_verdict_name(r->verdict)), bh_slice_str(r->control->title),
						  first_reason(v, r, &text) };
		if (is_shown(v, r))
			cmd_add_markdown_row(out, cells, 4);
	}
	bh_buf_done(&text);
}

static const char html_head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\"><title>Compliance</title>\n<style>\n"
	":root { color-scheme: light dark; }\n"
	"body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }\n"
	"table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .35em .6em; border-bottom: 1px solid #8884; }\n"
	"td { overflow-wrap: anywhere; } td:first-child, .v { white-space: nowrap; } td:nth-child(3) { width: 28%; } ul { margin: 0; padding-left: 1.1em; }\n"
	".v { font-weight: 600; } .fail { color: #c62828; } .unchecked, .manual { color: #b26a00; } .pass, .attested { color: #2e7d32; } .exempt, .not-applicable { color: #757575; }\n"
	"@media (prefers-color-scheme: dark) { .fail { color: #ff8a80; } .unchecked, .manual { color: #ffcc80; } .pass, .attested { color: #a5d6a7; } .exempt, .not-applicable { color: #bdbdbd; } }\n"
	"</style></head><body>\n";

static void html_result(const struct comply_view *v, const struct comply_result *r, struct bh_buf *out)
{
	const char *verdict = comply_verdict_name(r->verdict);
	size_t n = r->verdict == COMPLY_NOT_APPLICABLE || r->verdict == COMPLY_PASS ? 0 : reasons_to_show(v, r);
	bh_buf_add_str(out, "<tr><td>");
	describe_markup(out, bh_slice_str(r->control->id));
	bh_buf_printf(out, "</td><td class=\"v %s\">%s</td><td>", verdict, verdict);
	describe_markup(out, bh_slice_str(r->control->title));
	if (r->verdict == COMPLY_LOOK && r->control->note[0]) {
		bh_buf_add_str(out, "<br><em>Look at: ");
		describe_markup(out, bh_slice_str(r->control->note));
		bh_buf_add_str(out, "</em>");
	}
	bh_buf_add_str(out, "</td><td>");
	for (size_t i = 0; i < n; i++) {
		struct bh_buf line;
		reason_line(&reasons_of(v, r)[i], &line);
		bh_buf_add_str(out, i == 0 ? "<ul><li>" : i == REASONS_SHOWN ? "</ul><details><summary>all</summary><ul><li>" : "<li>");
		describe_markup(out, bh_buf_slice(&line));
		bh_buf_add_str(out, "</li>");
		bh_buf_done(&line);
	}
	bh_buf_add_str(out, n > REASONS_SHOWN ? "</ul></details>" : n ? "</ul>" : "");
	if (r->verdict == COMPLY_FAIL && n && reasons_of(v, r)->fix.len) {
		bh_buf_add_str(out, "<em>Fix: ");
		describe_markup(out, reasons_of(v, r)->fix);
		bh_buf_add_str(out, "</em>");
	}
	bh_buf_add_str(out, "</td></tr>\n");
}

static void write_html(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_framework *f = v->report->framework;
	bh_buf_add_str(out, html_head);
	bh_buf_add_str(out, "<h1>");
	describe_markup(out, bh_slice_str(f->title));
	bh_buf_add_byte(out, ' ');
	describe_markup(out, bh_slice_str(f->version));
	bh_buf_add_str(out, "</h1>\n<p>");
	describe_markup(out, bh_slice_str(f->applies_to));
	bh_buf_add_str(out, "</p>\n<p>");
	add_totals(v, out);
	if (v->report->without || v->report->bootstrap) {
		struct bh_buf text;
		bh_buf_init(&text, LINE_BYTES_MAX);
		left_out(v, &text);
		bh_buf_add_str(out, "</p>\n<p>Not counted: ");
		describe_markup(out, bh_buf_slice(&text));
		bh_buf_done(&text);
	}
	bh_buf_add_str(out, "</p>\n<table><thead><tr><th scope=\"col\">Control</th><th scope=\"col\">Verdict</th><th scope=\"col\">Title</th>"
			    "<th scope=\"col\">Why</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < v->report->results.len; i++)
		if (is_shown(v, &v->report->results.ptr[i]))
			html_result(v, &v->report->results.ptr[i], out);
	bh_buf_add_str(out, "</tbody></table>\n</body></html>\n");
}

/* ---- OSCAL ---- */

/* The same id for the same thing in every run: hashes of its name, in the form of a version 5 UUID. */
static void uuid(const struct comply_view *v, const char *what, struct bh_buf *out)
{
	char name[NAME_BYTES_MAX];
	int n = snprintf(name, sizeof(name), "bulkhead %s %s %lld %s", v->report->framework->name, v->report->framework->version, (long long)v->options->now_s, what);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(name) ? (size_t)n : sizeof(name) - 1;
	uint64_t a = bh_slice_hash((struct bh_slice){ (const uint8_t *)name, len });
	name[0] = 'B';
	uint64_t b = bh_slice_hash((struct bh_slice){ (const uint8_t *)name, len });
	bh_buf_printf(out, "\"%08x-%04x-5%03x-%04x-%012llx\"", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffffu, (unsigned)a & 0xfffu,
		      ((unsigned)(b >> 48) & 0x3fffu) | 0x8000u, (unsigned long long)(b & 0xffffffffffffull));
}

/* Tokens of OSCAL have letters, digits and "._-" only. */
static void add_token(struct bh_buf *out, const char *text)
{
	for (; *text; text++) {
		bool plain = (*text >= '0' && *text <= '9') || (bh_lower((uint8_t)*text) >= 'a' && bh_lower((uint8_t)*text) <= 'z') || *text == '.' || *text == '-';
		bh_buf_add_byte(out, plain ? (uint8_t)*text : '_');
	}
}

static void token(const struct comply_view *v, const struct comply_control *c, struct bh_buf *out)
{
	bh_buf_add_byte(out, '"');
	add_token(out, v->report->framework->name);
	bh_buf_add_byte(out, '-');
	add_token(out, v->report->framework->version);
	bh_buf_add_byte(out, '_');
	add_token(out, c->id);
	bh_buf_add_byte(out, '"');
}

static void oscal_finding(const struct comply_view *v, const struct comply_result *r, struct bh_buf *out)
{
	static const bool satisfied[] = { [COMPLY_PASS] = true, [COMPLY_ATTESTED] = true, [COMPLY_NOT_APPLICABLE] = true, [COMPLY_VERDICTS] = false };
	struct bh_buf text;
	bh_buf_init(&text, LINE_BYTES_MAX);
	struct bh_slice why = first_reason(v, r, &text);
	bh_buf_add_str(out, "        { \"uuid\": ");
	uuid(v, r->control->id, out);
	member(out, ", ", "title", bh_slice_str(r->control->title));
	member(out, ", ", "description", why.len ? why : bh_slice_str(comply_verdict_name(r->verdict)));
	bh_buf_add_str(out, ",\n          \"target\": { \"type\": \"objective-id\", \"target-id\": ");
	token(v, r->control, out);
	bh_buf_printf(out, ", \"status\": { \"state\": \"%s\", \"reason\": \"%s\", \"remarks\": \"%s\" } } }", satisfied[r->verdict] ? "satisfied" : "not-satisfied",
		      r->verdict == COMPLY_PASS ? "pass" : r->verdict == COMPLY_FAIL ? "fail" : "other", comply_verdict_name(r->verdict));
	bh_buf_done(&text);
}

static void write_oscal(const struct comply_view *v, struct bh_buf *out)
{
	const struct comply_framework *f = v->report->framework;
	char now[BH_TIME_TEXT_BYTES];
	(void)time_text(v, now);
	bh_buf_add_str(out, "{ \"assessment-results\": {\n    \"uuid\": ");
	uuid(v, "report", out);
	struct bh_buf title;
	bh_buf_init(&title, LINE_BYTES_MAX);
	bh_buf_printf(&title, "%s %s", f->title, f->version);
	member(out, ",\n    \"metadata\": { ", "title", bh_buf_slice(&title));
	bh_buf_printf(out, ", \"last-modified\": \"%s\", \"version\": \"1\", \"oscal-version\": \"1.1.2\" },\n", now);
	bh_buf_clear(&title);
	bh_buf_printf(&title, "bulkhead comply %s", f->name);
	bh_buf_add_str(out, "    \"import-ap\": { \"href\": \"#\", \"remarks\": \"assessed without a plan\" },\n    \"results\": [ {\n      \"uuid\": ");
	uuid(v, "result", out);
	member(out, ",\n      ", "title", bh_buf_slice(&title));
	bh_buf_done(&title);
	bh_buf_add_str(out, ", \"description\": \"");
	add_totals(v, out);
	bh_buf_printf(out, "\",\n      \"start\": \"%s\", \"end\": \"%s\",\n", now, now);
	bh_buf_add_str(out, "      \"reviewed-controls\": { \"control-selections\": [ { \"include-controls\": [");
	for (size_t i = 0; i < v->report->results.len; i++) {
		bh_buf_add_str(out, i ? ",\n        { \"control-id\": " : "\n        { \"control-id\": ");
		token(v, v->report->results.ptr[i].control, out);
		bh_buf_add_str(out, " }");
	}
	bh_buf_add_str(out, " ] } ] },\n      \"findings\": [\n");
	for (size_t i = 0; i < v->report->results.len; i++) {
		oscal_finding(v, &v->report->results.ptr[i], out);
		bh_buf_add_str(out, i + 1 < v->report->results.len ? ",\n" : "\n");
	}
	bh_buf_add_str(out, "      ]\n    } ]\n} }\n");
}

void comply_write(const struct comply_view *view, enum comply_format format, struct bh_buf *out)
{
	switch (format) {
	case COMPLY_TEXT: write_text(view, out); break;
	case COMPLY_JSON: write_json(view, out); break;
	case COMPLY_CSV: write_csv(view, out); break;
	case COMPLY_MARKDOWN: write_markdown(view, out); break;
	case COMPLY_HTML: write_html(view, out); break;
	case COMPLY_OSCAL: write_oscal(view, out); break;
	}
}
