/*
 * feed_cve5.c: CVE records, JSON 5, one a file (github.com/CVEProject/cvelistV5, github.com/cisagov/vulnrichment):
 *
 *   { "dataType": "CVE_RECORD", "cveMetadata": { "cveId", "state": "PUBLISHED|REJECTED", "datePublished", "dateUpdated" },
 *     "containers": { "cna": { "title", "metrics": [ { "cvssV3_1": { "vectorString" } } ], "problemTypes": [ { "descriptions": [ { "cweId" } ] } ] },
 *                     "adp": [ { the same, and "metrics": [ { "other": { "type": "kev", "content": { "dateAdded" } } } ] } ] } }
 *
 * Scores, weaknesses, known exploitation. "affected" names products in everybody's own words: nothing to match packages by.
 */
#include "vuln/feed.h"

#include "format/json.h"

#define RECORD_BYTES_MAX (32u << 20)
#define CVSS_MAX 16u

struct facts {
	struct vuln_feed_run *run;
	struct bh_slice id, vectors[CVSS_MAX];
	size_t n;
};

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "\"CVE_RECORD\"") || vuln_feed_head_has(head, "\"cveMetadata\"");
}

static void add_vector(struct facts *f, struct bh_slice v)
{
	for (size_t i = 0; i < f->n; i++)
		if (bh_slice_eq(f->vectors[i], v))
			return;
	if (v.len && f->n < CVSS_MAX)
		f->vectors[f->n++] = v;
}

static int read_metric(struct facts *f, const struct bh_json_node *metric, struct bh_err *err)
{
	static const char *const versions[] = { "cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0" };
	const struct bh_json_node *other = bh_json_get(metric, "other");
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		add_vector(f, bh_json_str(bh_json_get(bh_json_get(metric, versions[i]), "vectorString")));
	if (!bh_slice_eq_str(bh_json_str(bh_json_get(other, "type")), "kev"))
		return 0;
	f->run->counts.exploits++;
	return vuln_builder_kev(f->run->builder, f->run->source, f->id,
				vuln_feed_parse_day(bh_json_str(bh_json_get(bh_json_get(other, "content"), "dateAdded"))), false, err);
}

static int read_container(struct facts *f, const struct bh_json_node *container, struct bh_err *err)
{
	const struct bh_json_node *metrics = bh_json_get(container, "metrics"), *problems = bh_json_get(container, "problemTypes");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(metrics); i++)
		rc = read_metric(f, bh_json_at(metrics, i), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(problems); i++) {
		const struct bh_json_node *list = bh_json_get(bh_json_at(problems, i), "descriptions");
		for (size_t k = 0; rc == 0 && k < bh_json_len(list); k++)
			rc = vuln_feed_cwe(f->run, f->id, bh_json_str(bh_json_get(bh_json_at(list, k), "cweId")), err);
	}
	return rc;
}

static int add_record(struct vuln_feed_run *run, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *meta = bh_json_get(root, "cveMetadata"), *containers = bh_json_get(root, "containers");
	const struct bh_json_node *adp = bh_json_get(containers, "adp");
	struct facts f = { .run = run, .id = bh_json_str(bh_json_get(meta, "cveId")) };
	if (!vuln_feed_is_cve(f.id))
		return bh_fail(err, BH_EMALFORMED, 0, "not a CVE record: it has no usable cveMetadata.cveId");
	if (bh_slice_eq_str(bh_json_str(bh_json_get(meta, "state")), "REJECTED")) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "rejected CVEs", f.id);
		return 0;
	}
	int rc = read_container(&f, bh_json_get(containers, "cna"), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(adp); i++)
		rc = read_container(&f, bh_json_at(adp, i), err);
	struct vuln_new_advisory a = {
		.id = f.id,
		.cvss = f.vectors,
		.n_cvss = f.n,
		.published_day = vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(meta, "datePublished")), 0, 10)),
		.modified_day = vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(meta, "dateUpdated")), 0, 10)),
		.withdrawn_day = VULN_NO_DAY,
	};
	vuln_feed_day(run, a.modified_day);
	if (f.n == 0)
		vuln_feed_note(run, VULN_FEED_REMARK, "CVEs without a score", f.id);
	return rc < 0 ? rc : vuln_feed_enrich(run, &a, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_json *doc = NULL;
	vuln_feed_record(run);
	int rc = vuln_feed_read_all(run, plain, RECORD_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(text, RECORD_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : add_record(run, bh_json_root(doc), err);
	bh_json_free(doc);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_cve5 = {
	.name = "cve5",
	.source = "cve-list",
	.summary = "CVE records (JSON 5) of the CVE list and of CISA's vulnrichment: scores, weaknesses, exploitation",
	.licence = "",
	.note = "scores, weaknesses and exploitation only",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
