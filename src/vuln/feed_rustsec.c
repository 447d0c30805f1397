/*
 * feed_rustsec.c: the advisory database of RustSec (github.com/rustsec/advisory-db): one Markdown file for each flaw, which begins with TOML,
 *
 *     ```toml
 *     [advisory]   id, package, date, aliases, cvss, informational ("unmaintained", "unsound", "notice"), withdrawn
 *     [affected]   arch, os, functions
 *     [versions]   patched, unaffected: requirements of Cargo
 *     ```
 *     # Title
 *
 * Affected is what is neither patched nor unaffected. crates/ holds crates, rust/ the tools of Rust themselves, which are in no
 * package's list.
 */
#include "vuln/feed.h"

#include "format/toml.h"
#include "vuln/unpatched.h"

#define DOCUMENT_BYTES_MAX (1u << 20)
#define ALIASES_MAX 64u
#define FENCE "```"

static bool sniff(struct bh_slice head)
{
	return bh_slice_starts(bh_slice_trim(head), BH_SLICE_LIT(FENCE "toml")) && vuln_feed_head_has(head, "[advisory]");
}

/* Cuts the TOML off the Markdown; what is behind it is left in *text. */
static bool take_front_matter(struct bh_slice *text, struct bh_slice *ret)
{
	struct bh_slice line;
	if (!bh_slice_cut(bh_slice_trim(*text), '\n', &line, text))
		return false;
	const uint8_t *end = bh_slice_search(*text, "\n" FENCE);
	if (!end)
		return false;
	*ret = bh_slice_sub(*text, 0, (size_t)(end - text->ptr) + 1);
	*text = bh_slice_sub(*text, ret->len + strlen(FENCE), text->len);
	return true;
}

/* "# Title" */
static struct bh_slice title_of(struct bh_slice text)
{
	struct bh_slice line;
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (bh_slice_starts(line, BH_SLICE_LIT("# ")))
			return vuln_feed_title(bh_slice_sub(line, 2, line.len));
	}
	return (struct bh_slice){ 0 };
}

static void add_requirements(struct vuln_unpatched *u, const struct bh_toml_node *list)
{
	for (size_t i = 0; i < bh_toml_len(list); i++)
		vuln_unpatched_add(u, bh_toml_str(bh_toml_at(list, i)));
}

static int add_advisory(struct vuln_feed_run *run, const struct bh_toml_node *a, struct bh_slice id, struct bh_slice title, struct bh_err *err)
{
	struct bh_slice aliases[ALIASES_MAX], cvss = bh_toml_str(bh_toml_get(a, "cvss")), withdrawn = bh_toml_str(bh_toml_get(a, "withdrawn"));
	const struct bh_toml_node *list = bh_toml_get(a, "aliases");
	struct vuln_new_advisory new = {
		.id = id,
		.aliases = aliases,
		.cvss = &cvss,
		.n_cvss = cvss.len > 0,
		.published_day = vuln_feed_parse_day(bh_toml_str(bh_toml_get(a, "date"))),
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = vuln_feed_parse_day(withdrawn),
		.title = title,
	};
	if (withdrawn.len) {
		new.flags |= VULN_ADV_WITHDRAWN;
		vuln_feed_note(run, VULN_FEED_REMARK, "withdrawn records: kept for lookups, never matched", id);
	} else { /* what a withdrawn record named may live on in others */
		for (size_t i = 0; i < bh_toml_len(list) && new.n_aliases < ALIASES_MAX; i++)
			aliases[new.n_aliases++] = bh_toml_str(bh_toml_at(list, i));
	}
	if (bh_toml_get(a, "informational"))
		new.flags |= VULN_ADV_INFORMATIONAL;
	vuln_feed_day(run, new.published_day);
	return vuln_feed_advisory(run, &new, err);
}

static int damaged(struct vuln_feed_run *run, const char *what, struct bh_slice id)
{
	vuln_feed_note(run, VULN_FEED_DAMAGED, what, id.len ? id : run->document);
	return 0;
}

static int add_row(struct vuln_feed_run *run, const struct bh_toml_node *root, struct bh_slice id, struct bh_slice package, struct bh_err *err)
{
	const struct bh_toml_node *versions = bh_toml_get(root, "versions"), *affected = bh_toml_get(root, "affected");
	struct vuln_unpatched *u = bh_arena_alloc(&run->scratch, sizeof(*u));
	struct vuln_new_row row = { .ecosystem = BH_SLICE_LIT("crates.io"), .package = package, .id = id };
	if (!u)
		return bh_fail(err, BH_ELIMIT, 0, "a record larger than memory limits allow");
	u->syntax = version_ranges_find(BH_SLICE_LIT("cargo"));
	add_requirements(u, bh_toml_get(versions, "patched"));
	u->n_patched = u->n;
	add_requirements(u, bh_toml_get(versions, "unaffected"));
	if (bh_toml_len(bh_toml_get(affected, "os")) || bh_toml_len(bh_toml_get(affected, "arch")))
		vuln_feed_note(run, VULN_FEED_REMARK, "records about some platforms only, told for all", id);
	return vuln_unpatched_row(run, u, &row, err);
}

static bool is_about_rust(struct bh_slice document)
{
	return vuln_feed_head_has(document, "/rust/") || bh_slice_starts(document, BH_SLICE_LIT("rust/"));
}

static int add_record(struct vuln_feed_run *run, const struct bh_toml_node *root, struct bh_slice title, struct bh_err *err)
{
	const struct bh_toml_node *a = bh_toml_get(root, "advisory");
	struct bh_slice id = bh_toml_str(bh_toml_get(a, "id")), package = bh_toml_str(bh_toml_get(a, "package"));
	if (!vuln_feed_is_id(id) || package.len == 0)
		return damaged(run, "records without an id or a package", id);
	if (is_about_rust(run->document)) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "records about Rust's own tools and library, which are no crates", id);
		return 0;
	}
	int rc = add_advisory(run, a, id, title, err);
	return rc < 0 ? rc : add_row(run, root, id, package, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_slice text, front;
	struct bh_toml *doc = NULL;
	vuln_feed_record(run);
	int rc = vuln_feed_read_all(run, plain, DOCUMENT_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	if (!take_front_matter(&text, &front))
		return bh_fail(err, BH_EMALFORMED, 0, "no TOML between two lines of " FENCE " at its beginning");
	rc = bh_toml_parse(front, DOCUMENT_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : add_record(run, bh_toml_root(doc), title_of(text), err);
	bh_toml_free(doc);
	return rc;
}

static const char *const suffixes[] = { ".md", NULL };

const struct vuln_feed vuln_feed_rustsec = {
	.name = "rustsec",
	.source = "rustsec",
	.summary = "RustSec's advisories about crates (Markdown with TOML)",
	.licence = "CC0-1.0, some records CC-BY-4.0",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
