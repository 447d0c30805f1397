/*
 * feed_endoflife.c: endoflife.date, API v1 (api/v1/products/full): when releases of distributions end.
 *
 *   { "schema_version": "1.2.0", "result": [ { "name": "alpine-linux", "releases": [ { "name": "3.19", "codename": null,
 *       "releaseDate": "2023-12-07", "eolFrom": "2025-11-01" or null } ] } ] }
 *
 * Taken are the distributions that an image can be of, by the name that their os-release has. Debian's and Ubuntu's own dates come with
 * the program and know long-term support better. The rest of the products is no release of an image.
 */
#include "vuln/feed_records.h"

#define PRODUCT_BYTES_MAX (16u << 20)

static const struct {
	const char *product, *id;
} distros[] = {
	{ "alpine-linux", "alpine" }, { "alpine", "alpine" },     { "almalinux", "almalinux" },      { "amazon-linux", "amzn" }, { "azure-linux", "azurelinux" },
	{ "centos", "centos" },       { "fedora", "fedora" },     { "opensuse", "opensuse-leap" },   { "oracle-linux", "ol" },  { "photon", "photon" },
	{ "photon-os", "photon" },    { "rhel", "rhel" },         { "rocky-linux", "rocky" },        { "sles", "sles" },
};

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "\"schema_version\"") && vuln_feed_head_has(head, "\"result\"") && !vuln_feed_head_has(head, "\"affected\"");
}

static struct bh_slice date_or_dash(const struct bh_json_node *node)
{
	struct bh_slice text = bh_json_str(node);
	return vuln_feed_parse_day(text) == VULN_NO_DAY ? BH_SLICE_LIT("-") : bh_slice_sub(text, 0, 10);
}

static bool is_word(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len > 0 && s.len < 100;
}

static int add_release(struct vuln_feed_run *run, const char *id, const struct bh_json_node *r, struct bh_err *err)
{
	struct bh_slice name = bh_json_str(bh_json_get(r, "name")), codename = bh_json_str(bh_json_get(r, "codename"));
	struct bh_slice released = date_or_dash(bh_json_get(r, "releaseDate")), eol = date_or_dash(bh_json_get(r, "eolFrom"));
	if (!is_word(name)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "releases without a name", bh_slice_str(id));
		return 0;
	}
	char *key = bh_arena_printf(&run->scratch, "%s:%.*s", id, BH_SLICE_FMT(name));
	char *value = bh_arena_printf(&run->scratch, "%.*s\t%.*s\t%.*s\t-\t-", BH_SLICE_FMT(is_word(codename) ? codename : BH_SLICE_LIT("-")),
				      BH_SLICE_FMT(released), BH_SLICE_FMT(eol));
	if (!key || !value)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	run->counts.enriched++;
	return vuln_builder_entry(run->builder, run->source, BH_SLICE_LIT("eol"), bh_slice_str(key), bh_slice_str(value), err);
}

static int add_product(struct vuln_feed_run *run, const struct bh_json_node *product, struct bh_err *err)
{
	struct bh_slice name = bh_json_str(bh_json_get(product, "name"));
	const struct bh_json_node *releases = bh_json_get(product, "releases");
	for (size_t i = 0; i < sizeof(distros) / sizeof(distros[0]); i++) {
		int rc = 0;
		if (!bh_slice_eq_str(name, distros[i].product))
			continue;
		for (size_t k = 0; rc == 0 && k < bh_json_len(releases); k++)
			rc = add_release(run, distros[i].id, bh_json_at(releases, k), err);
		return rc;
	}
	vuln_feed_note(run, VULN_FEED_SKIPPED, "products that are no distribution of images, or whose own dates are built in", name);
	return 0;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	int rc = vuln_feed_json_list(run, plain, "result", PRODUCT_BYTES_MAX, add_product, err);
	run->undated = run->counts.records;
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_endoflife = {
	.name = "endoflife",
	.source = "endoflife",
	.summary = "endoflife.date: when releases of distributions end (JSON)",
	.licence = "MIT",
	.note = "dates only",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
