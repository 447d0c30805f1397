/*
 * feed_rubysec.c: the Ruby advisory database (github.com/rubysec/ruby-advisory-db): one YAML file for each flaw,
 *
 *     gem: rails (or engine: jruby)     cve: 2024-1234     ghsa: aaaa-bbbb-cccc     title, date, cvss_v2, cvss_v3, cvss_v4 (scores)
 *     patched_versions: [ "~> 7.0.8, >= 7.0.8.5", ">= 7.1.4.1" ]     unaffected_versions: [ "< 5.2.0" ]
 *
 * Affected is what is neither patched nor unaffected; without patched versions no fix is known. Ids stand without their prefix. Records that only
 * the OSVDB numbered are left out: its terms forbid passing them on.
 */
#include "vuln/feed_records.h"
#include "vuln/unpatched.h"

#define DOCUMENT_BYTES_MAX (1u << 20)

static bool sniff(struct bh_slice head)
{
	bool named = vuln_feed_head_has(head, "\ngem:") || vuln_feed_head_has(head, "\nengine:") || bh_slice_starts(head, BH_SLICE_LIT("gem:"));
	return named && vuln_feed_head_has(head, "\nurl:");
}

static struct bh_slice text_of(const struct bh_yaml_node *root, const char *key)
{
	const struct bh_yaml_node *node = bh_yaml_get(root, key);
	return !bh_yaml_is_null(node) ? bh_slice_trim(bh_yaml_str(node)) : (struct bh_slice){ 0 };
}

/* "2024-1234" -> "CVE-2024-1234"; empty when there is none */
static struct bh_slice prefixed(struct vuln_feed_run *run, const struct bh_yaml_node *root, const char *key, const char *prefix)
{
	struct bh_slice number = text_of(root, key);
	if (number.len == 0 || bh_slice_starts(number, bh_slice_str(prefix)))
		return number;
	return bh_slice_str(bh_arena_printf(&run->scratch, "%s%.*s", prefix, BH_SLICE_FMT(number)));
}

/* "9.8", "10": tenths; 0 for anything else */
static uint16_t score_of(struct bh_slice text)
{
	struct bh_slice whole, tenth;
	uint64_t a = 0, b = 0;
	(void)bh_slice_cut(text, '.', &whole, &tenth);
	if (!bh_slice_u64(whole, 10, &a) || (tenth.len && !bh_slice_u64(bh_slice_sub(tenth, 0, 1), 9, &b)))
		return 0;
	uint64_t score = a * 10 + b;
	return score > 100 ? 0 : (uint16_t)score;
}

static uint16_t best_score(const struct bh_yaml_node *root)
{
	static const char *const keys[] = { "cvss_v3", "cvss_v4", "cvss_v2" };
	uint16_t score = 0;
	for (size_t i = 0; i < 3 && score == 0; i++)
		score = score_of(text_of(root, keys[i]));
	return score;
}

static int add_advisory(struct vuln_feed_run *run, const struct bh_yaml_node *root, struct bh_slice id, struct bh_slice alias, struct bh_err *err)
{
	struct vuln_new_advisory a = {
		.id = id,
		.aliases = &alias,
		.n_aliases = alias.len > 0,
		.score_tenths = best_score(root),
		.published_day = vuln_feed_parse_day(text_of(root, "date")),
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(text_of(root, "title")),
	};
	vuln_feed_day(run, a.published_day);
	return vuln_feed_advisory(run, &a, err);
}

static void add_requirements(struct vuln_unpatched *u, const struct bh_yaml_node *list)
{
	for (size_t i = 0; i < bh_yaml_len(list); i++)
		vuln_unpatched_add(u, bh_yaml_str(bh_yaml_at(list, i)));
}

static int add_row(struct vuln_feed_run *run, const struct bh_yaml_node *root, struct bh_slice id, struct bh_slice gem, struct bh_err *err)
{
	struct vuln_unpatched *u = bh_arena_alloc(&run->scratch, sizeof(*u));
	struct vuln_new_row row = { .ecosystem = BH_SLICE_LIT("RubyGems"), .package = gem, .id = id };
	if (!u)
		return bh_fail(err, BH_ELIMIT, 0, "a record larger than memory limits allow");
	u->syntax = version_ranges_find(BH_SLICE_LIT("gem"));
	add_requirements(u, bh_yaml_get(root, "patched_versions"));
	u->n_patched = u->n;
	add_requirements(u, bh_yaml_get(root, "unaffected_versions"));
	return vuln_unpatched_row(run, u, &row, err);
}

static int add_record(struct vuln_feed_run *run, const struct bh_yaml_node *root, struct bh_err *err)
{
	struct bh_slice gem = text_of(root, "gem"), cve = prefixed(run, root, "cve", "CVE-"), ghsa = prefixed(run, root, "ghsa", "GHSA-");
	struct bh_slice id = cve.len ? cve : ghsa, none = { 0 };
	if (gem.len == 0 && text_of(root, "engine").len) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "records about Ruby itself, not about a gem", run->document);
		return 0;
	}
	if (id.len == 0 && text_of(root, "osvdb").len) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "records that have an OSVDB number only", run->document);
		return 0;
	}
	if (gem.len == 0 || !vuln_feed_is_id(id)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "records without an id or a gem", run->document);
		return 0;
	}
	int rc = add_advisory(run, root, id, cve.len ? ghsa : none, err);
	return rc < 0 ? rc : add_row(run, root, id, gem, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	return vuln_feed_yaml_text(run, plain, DOCUMENT_BYTES_MAX, add_record, err);
}

static const char *const suffixes[] = { ".yml", ".yaml", NULL };

const struct vuln_feed vuln_feed_rubysec = {
	.name = "rubysec",
	.source = "rubysec",
	.summary = "the Ruby advisory database (YAML)",
	.licence = "public domain",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
