/*
 * feed_kev.c: CISA's catalogue of known exploited vulnerabilities, as JSON:
 *
 *   { "title", "catalogVersion": "2026.07.23", "dateReleased": "2026-07-23T16:21:10.8082Z", "count": 1653,
 *     "vulnerabilities": [ { "cveID", "dateAdded": "2026-07-22", "knownRansomwareCampaignUse": "Known"|"Unknown", ... } ] }
 */
#include "vuln/feed_records.h"

#include <inttypes.h>

#define RECORD_BYTES_MAX (1u << 20)

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "\"catalogVersion\"") || vuln_feed_head_has(head, "\"cveID\"");
}

static int add_record(struct vuln_feed_run *run, const struct bh_json_node *v, struct bh_err *err)
{
	struct bh_slice cve = bh_json_str(bh_json_get(v, "cveID"));
	int32_t day = vuln_feed_parse_day(bh_json_str(bh_json_get(v, "dateAdded")));
	bool ransomware = bh_slice_eq_str(bh_json_str(bh_json_get(v, "knownRansomwareCampaignUse")), "Known");
	if (!vuln_feed_is_cve(cve)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "records without a CVE id", cve);
		return 0;
	}
	if (day == VULN_NO_DAY)
		vuln_feed_note(run, VULN_FEED_REMARK, "records without a date", cve);
	vuln_feed_day(run, day);
	run->counts.exploits++;
	return vuln_builder_kev(run->builder, run->source, cve, day, ransomware, err);
}

/* A member of the catalogue besides its records. */
static int read_fact(struct vuln_feed_run *run, struct bh_json_walk *w, struct bh_slice key, uint64_t *count, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_slice text;
	int rc = bh_json_walk_value(w, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(text, RECORD_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	if (bh_slice_eq_str(key, "count"))
		(void)bh_json_u64(bh_json_root(doc), UINT64_MAX, count);
	if (bh_slice_eq_str(key, "dateReleased"))
		vuln_feed_day(run, vuln_feed_parse_day(bh_json_str(bh_json_root(doc))));
	bh_json_free(doc);
	return 0;
}

static int read_catalogue(struct vuln_feed_run *run, struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice key;
	uint64_t count = UINT64_MAX, before = run->counts.records;
	bool found = false;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		bool records = bh_slice_eq_str(key, "vulnerabilities");
		found |= records;
		rc = records ? vuln_feed_json_items(run, w, RECORD_BYTES_MAX, add_record, err) : read_fact(run, w, key, &count, err);
	}
	if (rc < 0)
		return rc;
	if (!found)
		return bh_fail(err, BH_EMALFORMED, 0, "not a KEV catalogue: it has no \"vulnerabilities\"");
	if (count != UINT64_MAX && count != run->counts.records - before)
		return bh_fail(err, BH_EMALFORMED, 0, "the catalogue says that it has %" PRIu64 " records, it has %" PRIu64, count,
			       run->counts.records - before);
	return 0;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_json_walk *w;
	int rc = bh_json_walk_new(plain, RECORD_BYTES_MAX, &w, err);
	if (rc < 0)
		return rc;
	rc = read_catalogue(run, w, err);
	enum bh_json_kind kind = BH_JSON_NOTHING;
	rc = rc < 0 ? rc : bh_json_walk_peek(w, &kind, err);
	if (rc == 0 && kind != BH_JSON_NOTHING)
		rc = bh_fail(err, BH_EMALFORMED, bh_json_walk_offset(w), "something follows the catalogue at byte %" PRIu64, bh_json_walk_offset(w));
	bh_json_walk_free(w);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_kev = {
	.name = "kev",
	.source = "cisa-kev",
	.summary = "CISA's catalogue of known exploited vulnerabilities (JSON)",
	.licence = "CC0-1.0",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
