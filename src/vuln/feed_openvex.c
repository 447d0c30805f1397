/*
 * feed_openvex.c: OpenVEX documents of distributions, as Canonical publishes them for all of Ubuntu (security-metadata.canonical.com):
 *
 *   { "metadata": { "@context": "https://openvex.dev/ns/v0.2.0", "author", "timestamp" },   (or its members at the top, as the
 *     "statements": [ { "vulnerability": { "name": "CVE-2023-38545" },                       specification has them)
 *         "products": [ { "@id": "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.14?arch=source&distro=jammy" } ],
 *         "status": "fixed|affected|not_affected|under_investigation" } ] }
 *
 * Statements about source packages of a release become rows; those about binary packages repeat them. Statements about images and other
 * products are no advisories: they are given to a scan, not to a database.
 */
#include "vuln/feed.h"

#include "format/json.h"
#include "model/purl.h"
#include "vuln/distro_names.h"

#define DOCUMENT_BYTES_MAX (64u << 20)

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "openvex.dev/ns");
}

/* "jammy" -> "Ubuntu:22.04:LTS"; "esm-infra/xenial" -> "Ubuntu:Pro:16.04:LTS" */
static struct bh_slice ecosystem_of(struct vuln_feed_run *run, struct bh_slice distro)
{
	struct bh_slice said = vuln_feed_release(run->options, distro), pocket, codename;
	const struct bh_slice prefix = BH_SLICE_LIT("Ubuntu:");
	if (said.len)
		return said;
	if (!bh_slice_cut(distro, '/', &pocket, &codename))
		return vuln_ubuntu_of_codename(distro);
	said = vuln_ubuntu_of_codename(codename);
	if (said.len == 0 || !bh_slice_starts(pocket, BH_SLICE_LIT("esm")))
		return (struct bh_slice){ 0 };
	char *pro = bh_arena_printf(&run->scratch, "Ubuntu:Pro:%.*s", BH_SLICE_FMT(bh_slice_sub(said, prefix.len, said.len)));
	return bh_slice_str(pro ? pro : "");
}

static int add_product(struct vuln_feed_run *run, struct bh_slice id, struct bh_slice status, struct bh_slice product, struct bh_err *err)
{
	struct bh_purl purl;
	if (!bh_purl_parse(product, &run->scratch, &purl) || !bh_slice_eq_str(purl.type, "deb")) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "products that are no packages of a known distribution", product);
		return 0;
	}
	struct bh_slice arch = bh_purl_value(&purl, "arch");
	if (arch.len && !bh_slice_eq_str(arch, "source"))
		return 0; /* the source is in the list, too */
	struct vuln_range range = { .kind = VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = ecosystem_of(run, bh_purl_value(&purl, "distro")),
		.package = purl.name,
		.id = id,
		.state = BH_STATE_AFFECTED,
		.ranges = &range,
		.n_ranges = 1,
	};
	if (row.ecosystem.len == 0) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "packages of no known release (--release NAME=ECOSYSTEM takes them)", bh_purl_value(&purl, "distro"));
		return 0;
	}
	if (bh_slice_eq_str(status, "fixed") && purl.version.len) {
		row.state = BH_STATE_FIXED;
		range = (struct vuln_range){ .end = purl.version, .kind = VULN_END_FIXED };
	} else if (bh_slice_eq_str(status, "not_affected")) {
		row.state = BH_STATE_NOT_AFFECTED;
		row.n_ranges = 0;
	} else if (!bh_slice_eq_str(status, "affected")) {
		row.state = BH_STATE_UNDETERMINED;
		row.n_ranges = 0;
	}
	return vuln_feed_row(run, &row, err);
}

/* Either an object with an "@id" or just the text. */
static struct bh_slice id_of(const struct bh_json_node *product)
{
	struct bh_slice id = bh_json_str(bh_json_get(product, "@id"));
	return id.len ? id : bh_json_str(product);
}

static int add_statement(struct vuln_feed_run *run, const struct bh_json_node *s, struct bh_err *err)
{
	const struct bh_json_node *v = bh_json_get(s, "vulnerability"), *products = bh_json_get(s, "products");
	struct bh_slice id = bh_json_str(bh_json_get(v, "name")), status = bh_json_str(bh_json_get(s, "status"));
	int rc = 0;
	if (id.len == 0)
		id = bh_json_str(v);
	vuln_feed_count(run);
	vuln_feed_day(run, vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(s, "timestamp")), 0, 10)));
	if (!vuln_feed_is_id(id)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "statements about no usable id", run->document);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < bh_json_len(products); i++)
		rc = add_product(run, id, status, id_of(bh_json_at(products, i)), err);
	return rc;
}

static int read_document(struct vuln_feed_run *run, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *statements = bh_json_get(root, "statements"), *head = bh_json_get(root, "metadata");
	int rc = 0;
	if (!bh_json_is_array(statements))
		return bh_fail(err, BH_EMALFORMED, 0, "not an OpenVEX document: it has no \"statements\"");
	vuln_feed_day(run, vuln_feed_parse_day(bh_slice_sub(bh_json_str(bh_json_get(head ? head : root, "timestamp")), 0, 10)));
	for (size_t i = 0; rc == 0 && i < bh_json_len(statements); i++)
		rc = add_statement(run, bh_json_at(statements, i), err);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_json *doc = NULL;
	bh_arena_done(&run->scratch);
	int rc = vuln_feed_read_all(run, plain, DOCUMENT_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(text, DOCUMENT_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : read_document(run, bh_json_root(doc), err);
	bh_json_free(doc);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_openvex = {
	.name = "openvex",
	.source = "ubuntu-vex",
	.summary = "OpenVEX documents of a distribution: Ubuntu's (JSON)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
