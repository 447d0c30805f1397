/*
 * openvex.c: OpenVEX 0.2.0 (github.com/openvex/spec): what this scan, the exceptions and the VEX statements it honoured say about the image,
 * to be handed to those who use it.
 *
 *   finding                          affected, with what to do; under_investigation where it could not be decided
 *   suppressed by an exception       affected, accepted until a day: the flaw is there, somebody answers for it
 *   suppressed by VEX                not_affected or fixed, as the statement said
 *
 * The product is the image, by its digest, and the package a subcomponent of it; what has no digest (a folder) is named by its packages.
 */
#include "report/json_out.h"

#include "model/purl.h"

#include <inttypes.h>

#define CONTEXT "https://openvex.dev/ns/v0.2.0"
#define NO_TIME "1970-01-01T00:00:00Z" /* a time stamp is needed */
#define URL_BYTES_MAX 8192u

static const char *const justifications[] = {
	"component_not_present",
	"vulnerable_code_not_present",
	"vulnerable_code_not_in_execute_path",
	"vulnerable_code_cannot_be_controlled_by_adversary",
	"inline_mitigations_already_exist",
};

static bool is_justification(struct bh_slice s)
{
	for (size_t i = 0; i < sizeof(justifications) / sizeof(justifications[0]); i++)
		if (bh_slice_eq_str(s, justifications[i]))
			return true;
	return false;
}

/* "registry.example.com/team/shop:1.4@sha256:..." -> repository and name; without a name "image". */
static void split_name(const struct bh_target *t, struct bh_slice *repository, struct bh_slice *name)
{
	struct bh_slice s = t->reference, ignored;
	(void)bh_slice_cut(s, '@', &s, &ignored);
	size_t slash = 0, end = s.len;
	for (size_t i = 0; i < s.len; i++) {
		slash = s.ptr[i] == '/' ? i + 1 : slash;
		end = s.ptr[i] == ':' && i >= slash ? i : s.ptr[i] == '/' ? s.len : end;
	}
	*name = bh_slice_sub(s, slash, end - slash);
	*repository = slash ? bh_slice_sub(s, 0, end) : (struct bh_slice){ 0 };
	if (name->len == 0)
		*name = BH_SLICE_LIT("image");
}

static bool image_url(const struct bh_target *t, struct bh_buf *out)
{
	char digest[BH_DIGEST_TEXT_BYTES];
	struct bh_slice repository, name;
	if (t->digest.kind == BH_DIGEST_NONE)
		return false;
	split_name(t, &repository, &name);
	struct bh_purl p = { .type = BH_SLICE_LIT("oci"), .name = name, .version = bh_slice_str(bh_digest_text(&t->digest, digest)) };
	p.qualifiers[p.n_qualifiers++] = (struct bh_purl_qualifier){ BH_SLICE_LIT("repository_url"), repository };
	p.qualifiers[p.n_qualifiers++] = (struct bh_purl_qualifier){ BH_SLICE_LIT("arch"), t->architecture };
	return bh_purl_write(&p, out);
}

static void write_product(struct json *j, const struct bh_finding *f)
{
	struct bh_buf url;
	bh_buf_init(&url, URL_BYTES_MAX);
	json_key(j, "products");
	json_open_bracket(j, '[');
	json_item(j);
	json_open_bracket(j, '{');
	bool image = image_url(&j->report->target, &url);
	if (image)
		json_must_text(j, "@id", bh_buf_slice(&url));
	else
		json_purl(j, "@id", f->package);
	if (image && f->package) {
		json_key(j, "subcomponents");
		json_open_bracket(j, '[');
		json_item(j);
		json_open_bracket(j, '{');
		json_purl(j, "@id", f->package);
		json_close_bracket(j, '}');
		json_close_bracket(j, ']');
	}
	json_close_bracket(j, '}');
	json_close_bracket(j, ']');
	bh_buf_done(&url);
}

static void write_affected(struct json *j, const struct bh_finding *f)
{
	struct bh_slice action = f->ruling.reason.len ? f->ruling.reason : f->fix;
	json_word(j, "status", "affected");
	json_must_text(j, "action_statement", action.len ? action : f->n_fixed ? BH_SLICE_LIT("upgrade to a fixed version") :
		       BH_SLICE_LIT("no fix is known yet"));
}

static void write_accepted(struct json *j, const struct bh_ruling *r)
{
	json_word(j, "status", "affected");
	json_key(j, "action_statement");
	struct bh_buf text;
	bh_buf_init(&text, 128u << 10);
	bh_buf_add_str(&text, "accepted until ");
	bh_buf_add(&text, r->until);
	bh_buf_add_str(&text, " by ");
	bh_buf_add(&text, r->who);
	bh_buf_add_str(&text, ": ");
	bh_buf_add(&text, r->reason);
	bh_buf_add_json(j->out, bh_buf_slice(&text));
	bh_buf_done(&text);
}

/* What others said is handed on. Either a justification, in OpenVEX's words, or an impact statement: the schema allows one of them. */
static void write_ruled(struct json *j, const struct bh_ruling *r)
{
	json_must_text(j, "status", r->status);
	if (!bh_slice_eq_str(r->status, "not_affected"))
		return;
	if (is_justification(r->justification)) {
		json_must_text(j, "justification", r->justification);
		json_text(j, "status_notes", r->reason);
		return;
	}
	struct bh_slice impact = r->reason.len ? r->reason : r->justification;
	json_must_text(j, "impact_statement", impact.len ? impact : BH_SLICE_LIT("the author of the statement gave no reason"));
}

static void write_statement(struct json *j, const struct bh_finding *f)
{
	json_key(j, "vulnerability");
	json_open_bracket(j, '{');
	json_must_text(j, "name", f->id);
	json_texts(j, "aliases", f->aliases, f->n_aliases);
	json_close_bracket(j, '}');
	write_product(j, f);
	bool investigated = bh_slice_eq_str(f->ruling.status, "under_investigation");
	if (f->ruling.kind == BH_RULING_EXCEPTION)
		write_accepted(j, &f->ruling);
	else if (f->ruling.kind == BH_RULING_VEX && !investigated && !bh_slice_eq_str(f->ruling.status, "affected"))
		write_ruled(j, &f->ruling);
	else if (investigated || f->state == BH_STATE_UNDETERMINED)
		json_word(j, "status", "under_investigation");
	else
		write_affected(j, f);
}

/* A statement is about a vulnerability of something that has a name. */
static bool is_stated(const struct bh_report *r, const struct bh_finding *f)
{
	return f->class == BH_CLASS_VULNERABILITY && (f->package || r->target.digest.kind != BH_DIGEST_NONE);
}

static void write_statements(struct json *j, const struct bh_finding_vec *v, size_t *n)
{
	for (size_t i = 0; i < v->len; i++) {
		if (!is_stated(j->report, &v->ptr[i]))
			continue;
		bh_buf_add_str(j->out, (*n)++ ? ",\n    " : "\n    ");
		json_open_bracket(j, '{');
		write_statement(j, &v->ptr[i]);
		json_close_bracket(j, '}');
	}
}

/* The same statements, the same id. */
static uint64_t hash_of(const struct bh_report *r, struct bh_slice statements)
{
	char digest[BH_DIGEST_TEXT_BYTES];
	return bh_slice_hash(statements) ^ (bh_slice_hash(bh_slice_str(bh_digest_text(&r->target.digest, digest))) * 3);
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct bh_buf statements;
	struct json inner = { .out = &statements, .report = report }, j = { .out = out, .report = report };
	size_t n = 0;
	bh_buf_init(&statements, out->max_bytes);
	write_statements(&inner, &report->findings, &n);
	write_statements(&inner, &report->suppressed, &n);
	bh_buf_add_str(out, "{");
	json_top_key(&j, "@context");
	bh_buf_add_str(out, "\"" CONTEXT "\"");
	json_top_key(&j, "@id");
	bh_buf_printf(out, "\"urn:bulkhead:vex:%016" PRIx64 "\"", hash_of(report, bh_buf_slice(&statements)));
	json_top_key(&j, "author");
	bh_buf_add_str(out, "\"bulkhead\"");
	json_top_key(&j, "timestamp");
	bh_buf_add_json(out, report->generated.len ? report->generated : BH_SLICE_LIT(NO_TIME));
	json_top_key(&j, "version");
	bh_buf_add_str(out, "1");
	json_top_key(&j, "tooling");
	bh_buf_printf(out, "\"bulkhead %s\"", style->tool_version);
	json_top_key(&j, "statements");
	bh_buf_add_byte(out, '[');
	bh_buf_add(out, bh_buf_slice(&statements));
	bh_buf_add_str(out, n ? "\n  ]\n}\n" : "]\n}\n");
	bool failed = out->failed || statements.failed;
	bh_buf_done(&statements);
	return failed ? bh_fail(err, BH_ELIMIT, 0, "the OpenVEX document is larger than %zu bytes", out->max_bytes) : 0;
}

const struct report_writer report_writer_openvex = { .name = "openvex", .title = "OpenVEX 0.2.0: what is affected, accepted or not affected", .write = write };
