/*
 * feed_osv.c: documents of the Open Source Vulnerability format, as databases publish them: one record as JSON or YAML (pypa), a
 * JSON list of records, { "vulns": [...] } as the API answers, or one JSON record a line. What a record says: osv_record.c.
 */
#include "vuln/feed.h"

#include "format/json_walk.h"
#include "vuln/osv_record.h"

#define RECORD_BYTES_MAX (64u << 20) /* records reach 1.6 MB; an answer of the API holds many */
#define YAML_BYTES_MAX (8u << 20)
#define EXAMPLE_BYTES 200u

static const char *const keys[] = { "schema_version", "id",       "modified", "published", "withdrawn",  "aliases", "related",
				              "upstream", "summary",
				    "details",        "severity", "affected", "references", "credits", "database_specific", "vulns",    NULL };

static bool is_key(struct bh_slice word)
{
	for (size_t i = 0; keys[i]; i++)
		if (bh_slice_eq_str(word, keys[i]))
			return true;
	return false;
}

static bool sniff(struct bh_slice head)
{
	head = bh_slice_trim(head);
	if (head.len && head.ptr[0] == '[')
		head = bh_slice_sub(head, 1, head.len);
	struct bh_slice key, rest;
	if (is_key(vuln_feed_first_key(head)))
		return true;
	if (bh_slice_starts(head, BH_SLICE_LIT("---\n")))
		head = bh_slice_sub(head, 4, head.len);
	return bh_slice_cut(head, ':', &key, &rest) && is_key(key); /* YAML */
}

/* A record that is not even JSON does not end the document when others stand beside it. */
static int damaged(struct vuln_feed_run *run, bool alone, const struct bh_err *why, struct bh_err *err)
{
	char example[EXAMPLE_BYTES];
	if (alone || why->code == BH_ENOMEM) {
		*err = *why;
		return why->code;
	}
	int n = snprintf(example, sizeof(example), "%.*s: %s", BH_SLICE_FMT(bh_slice_sub(run->document, 0, 100)), why->text);
	vuln_feed_note(run, VULN_FEED_DAMAGED, "records that are no JSON", bh_slice_sub(bh_slice_str(example), 0, n > 0 ? (size_t)n : 0));
	return 0;
}

/* { "vulns": [...] } or a record. */
static int add_json(struct vuln_feed_run *run, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *vulns = bh_json_get(root, "vulns");
	int rc = 0;
	if (!bh_json_is_array(vulns)) {
		vuln_feed_record(run);
		return vuln_osv_add(run, (struct vuln_tree){ .json = root }, err);
	}
	for (size_t i = 0; rc == 0 && i < bh_json_len(vulns); i++) {
		vuln_feed_record(run);
		rc = vuln_osv_add(run, (struct vuln_tree){ .json = bh_json_at(vulns, i) }, err);
	}
	return rc;
}

static int take_json(struct vuln_feed_run *run, struct bh_json_walk *w, bool alone, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_json *doc = NULL;
	struct bh_err why = { 0 };
	int rc = bh_json_walk_value(w, &text, err);
	if (rc < 0)
		return rc;
	if (bh_json_parse(text, RECORD_BYTES_MAX, &doc, &why) < 0)
		return damaged(run, alone, &why, err);
	rc = add_json(run, bh_json_root(doc), err);
	bh_json_free(doc);
	return rc;
}

static int take_list(struct vuln_feed_run *run, struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice key;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1)
		rc = take_json(run, w, false, err);
	return rc;
}

static int parse_json(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_json_walk *w;
	enum bh_json_kind kind;
	bool alone = true;
	int rc = bh_json_walk_new(plain, RECORD_BYTES_MAX, &w, err);
	if (rc < 0)
		return rc;
	while ((rc = bh_json_walk_peek(w, &kind, err)) == 0 && kind != BH_JSON_NOTHING) {
		rc = kind == BH_JSON_ARRAY ? take_list(run, w, err) : take_json(run, w, alone, err);
		alone = false;
		if (rc < 0)
			break;
	}
	bh_json_walk_free(w);
	return rc;
}

static int parse_yaml(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_yaml *y = NULL;
	vuln_feed_record(run);
	int rc = vuln_feed_read_all(run, plain, YAML_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_yaml_parse(text, YAML_BYTES_MAX, &y, err);
	for (size_t i = 0; rc == 0 && i < bh_yaml_documents(y); i++)
		rc = vuln_osv_add(run, (struct vuln_tree){ .yaml = bh_yaml_root(y, i) }, err);
	bh_yaml_free(y);
	return rc;
}

/* The source again from its first run on, which was looked at. */
struct again {
	struct bh_source src;
	struct bh_slice first;
	bool given;
};

static int read_again(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct again *a = ctx;
	if (a->given)
		return a->src.read(a->src.ctx, ret, err);
	a->given = true;
	*ret = a->first;
	return 0;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct again a = { .src = plain };
	int rc = plain.read(plain.ctx, &a.first, err);
	if (rc < 0)
		return rc;
	struct bh_slice head = a.first;
	if (bh_slice_starts(head, BH_SLICE_LIT("\xef\xbb\xbf")))
		head = bh_slice_sub(head, 3, head.len);
	head = bh_slice_trim(head);
	if (head.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "nothing in it");
	struct bh_source whole = { .read = read_again, .ctx = &a };
	return head.ptr[0] == '{' || head.ptr[0] == '[' ? parse_json(run, whole, err) : parse_yaml(run, whole, err);
}

static const char *const suffixes[] = { ".json", ".jsonl", ".ndjson", ".yaml", ".yml", NULL };

const struct vuln_feed vuln_feed_osv = {
	.name = "osv",
	.source = "osv",
	.summary = "OSV records: JSON, YAML, JSON lines, the all.zip archives of osv.dev",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
