/*
 * feed_nvd.c: the National Vulnerability Database, JSON 2.0 (yearly feeds nvdcve-2.0-YYYY.json.gz, answers of the API):
 *
 *   { "format": "NVD_CVE", "version": "2.0", "vulnerabilities": [ { "cve": { "id", "published", "lastModified", "vulnStatus",
 *       "metrics": { "cvssMetricV40|V31|V30|V2": [ { "type": "Primary", "cvssData": { "vectorString" } } ] },
 *       "weaknesses": [ { "description": [ { "lang": "en", "value": "CWE-79" } ] } ], "configurations": [...] } } ] }
 *
 * Scores and weaknesses only. Its configurations (CPE) name products of upstreams, not packages: matching by them is what fills other
 * scanners' reports with distribution packages that were patched long ago.
 */
#include "vuln/feed_records.h"

#define RECORD_BYTES_MAX (32u << 20) /* configurations can be long */
#define CVSS_MAX 16u

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "\"NVD_CVE\"");
}

static size_t read_vectors(const struct bh_json_node *metrics, struct bh_slice vectors[CVSS_MAX])
{
	static const char *const versions[] = { "cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2" };
	size_t n = 0;
	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
		const struct bh_json_node *list = bh_json_get(metrics, versions[v]);
		for (size_t i = 0; i < bh_json_len(list) && n < CVSS_MAX; i++) {
			struct bh_slice vector = bh_json_str(bh_json_get(bh_json_get(bh_json_at(list, i), "cvssData"), "vectorString"));
			if (vector.len)
				vectors[n++] = vector;
		}
	}
	return n;
}

static int read_weaknesses(struct vuln_feed_run *run, struct bh_slice id, const struct bh_json_node *weaknesses, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(weaknesses); i++) {
		const struct bh_json_node *list = bh_json_get(bh_json_at(weaknesses, i), "description");
		for (size_t k = 0; rc == 0 && k < bh_json_len(list); k++)
			rc = vuln_feed_cwe(run, id, bh_json_str(bh_json_get(bh_json_at(list, k), "value")), err);
	}
	return rc;
}

static int add_record(struct vuln_feed_run *run, const struct bh_json_node *record, struct bh_err *err)
{
	const struct bh_json_node *cve = bh_json_get(record, "cve");
	struct bh_slice vectors[CVSS_MAX], id = bh_json_str(bh_json_get(cve, "id"));
	struct bh_slice modified = bh_slice_sub(bh_json_str(bh_json_get(cve, "lastModified")), 0, 10);
	struct vuln_new_advisory a = {
		.id = id,
		.cvss = vectors,
		.n_cvss = read_vectors(bh_json_get(cve, "metrics"), vectors),
		.published_day = vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(cve, "published")), 0, 10)),
		.modified_day = vuln_feed_parse_day(modified),
		.withdrawn_day = VULN_NO_DAY,
	};
	vuln_feed_day(run, a.modified_day);
	if (!vuln_feed_is_cve(id)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "records without a CVE id", run->document);
		return 0;
	}
	if (bh_slice_eq_str(bh_json_str(bh_json_get(cve, "vulnStatus")), "Rejected")) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "rejected CVEs", id);
		return 0;
	}
	if (a.n_cvss == 0)
		vuln_feed_note(run, VULN_FEED_REMARK, "CVEs without a score yet", id);
	int rc = vuln_feed_enrich(run, &a, err);
	return rc < 0 ? rc : read_weaknesses(run, id, bh_json_get(cve, "weaknesses"), err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	return vuln_feed_json_list(run, plain, "vulnerabilities", RECORD_BYTES_MAX, add_record, err);
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_nvd = {
	.name = "nvd",
	.source = "nvd",
	.summary = "NVD JSON 2.0: scores and weaknesses, nothing to match by",
	.licence = "public domain",
	.note = "scores and weaknesses only",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
