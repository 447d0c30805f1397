/*
 * feed_kubernetes.c: the official CVE feed of Kubernetes, kubernetes.io/docs/reference/issues-security/official-cve-feed/index.json, a JSON
 * Feed (jsonfeed.org, version 1.1):
 *
 *   { "_kubernetes_io": { "updated_at": "2026-01-02T03:04:05Z" }, "items": [
 *       { "id": "CVE-2023-5528", "summary": "CVE-2023-5528: Insufficient input sanitization ...", "date_published": "2023-10-12T16:07:19Z",
 *         "content_text": "CVSS Rating: [CVSS:3.1/AV:N/...](https://...)\n\n...", "url", "external_url", "status" } ], "title", "version" }
 *
 * Titles, dates and scores only: which versions are affected is prose in it, and prose is no fact to match by. The OSV form of
 * the same feed (ecosystem "Kubernetes") has ranges, and the importer `osv` reads it.
 */
#include "vuln/feed.h"

#include "format/json.h"

#define DOCUMENT_BYTES_MAX (64u << 20) /* the whole feed has 0.5 MB */
#define CVSS_MAX 4u

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "\"_kubernetes_io\"") || bh_slice_search(head, "Kubernetes Vulnerability Announcements");
}

static bool is_vector_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '/' || c == '.';
}

/* The vectors in the text; it repeats the first one in a link to a calculator. */
static size_t read_vectors(struct bh_slice text, struct bh_slice vectors[CVSS_MAX])
{
	size_t n = 0;
	for (const uint8_t *at; n < CVSS_MAX && (at = bh_slice_search(text, "CVSS:")) != NULL;) {
		struct bh_slice v = { at, 0 };
		text = bh_slice_sub(text, (size_t)(at - text.ptr), text.len);
		while (v.len < text.len && is_vector_byte(text.ptr[v.len]))
			v.len++;
		text = bh_slice_sub(text, v.len, text.len);
		if (n == 0 || !bh_slice_eq(v, vectors[n - 1]))
			vectors[n++] = v;
	}
	return n;
}

/* "CVE-2023-5528: Insufficient input sanitization" -> what is behind the id. */
static struct bh_slice title_of(struct bh_slice summary, struct bh_slice id)
{
	struct bh_slice rest = bh_slice_starts(summary, id) ? bh_slice_sub(summary, id.len, summary.len) : summary;
	if (rest.len && rest.ptr[0] == ':')
		rest = bh_slice_sub(rest, 1, rest.len);
	return vuln_feed_title(bh_slice_trim(rest));
}

static int add_item(struct vuln_feed_run *run, const struct bh_json_node *item, struct bh_err *err)
{
	struct bh_slice vectors[CVSS_MAX], id = bh_json_str(bh_json_get(item, "id"));
	vuln_feed_count(run);
	if (!vuln_feed_is_cve(id)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "items without a CVE id", id);
		return 0;
	}
	struct vuln_new_advisory a = {
		.id = id,
		.cvss = vectors,
		.n_cvss = read_vectors(bh_json_str(bh_json_get(item, "content_text")), vectors),
		.published_day = vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(item, "date_published")), 0, 10)),
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = title_of(bh_json_str(bh_json_get(item, "summary")), id),
	};
	vuln_feed_day(run, a.published_day);
	if (a.n_cvss == 0)
		vuln_feed_note(run, VULN_FEED_REMARK, "items without a score", id);
	return vuln_feed_enrich(run, &a, err);
}

static int add_items(struct vuln_feed_run *run, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *items = bh_json_get(root, "items");
	struct bh_slice updated = bh_json_str(bh_json_get(bh_json_get(root, "_kubernetes_io"), "updated_at"));
	int rc = 0;
	if (!bh_json_is_array(items))
		return bh_fail(err, BH_EMALFORMED, 0, "not the feed of Kubernetes: it has no list \"items\"");
	vuln_feed_day(run, vuln_feed_parse_day(bh_slice_sub(updated, 0, 10)));
	for (size_t i = 0; rc == 0 && i < bh_json_len(items); i++)
		rc = add_item(run, bh_json_at(items, i), err);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_slice text;
	int rc = vuln_feed_read_all(run, plain, DOCUMENT_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(text, DOCUMENT_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : add_items(run, bh_json_root(doc), err);
	bh_json_free(doc);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_kubernetes = {
	.name = "kubernetes",
	.source = "kubernetes",
	.summary = "the official CVE feed of Kubernetes: titles and scores, nothing to match by",
	.licence = "CC-BY-4.0",
	.note = "titles and scores only; the affected versions are prose",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
