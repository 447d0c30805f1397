/*
 * feed_friendsofphp.c: the PHP security advisories database (github.com/FriendsOfPHP/security-advisories): one YAML file for each flaw,
 *
 *     reference: composer://vendor/name     cve: CVE-2020-5504 or ~     title, link
 *     branches: { 4.x: { time: 2020-01-01 13:54:59, versions: [ '>=4.0.0', '<4.9.4' ] } }
 *
 * As Composer has it, ">=4.0.0" means the pre-releases of 4.0.0, too. Those of the version that has the fix count as affected: nobody said that they
 * have it. A branch that ends where the next one begins, ">=4.0.0, <5.0.0", never got a fix: its end is a limit. Without a CVE the file's path is
 * the id.
 */
#include "vuln/feed_records.h"
#include "version/version.h"

#include <ctype.h>

#define DOCUMENT_BYTES_MAX (1u << 20)
#define BRANCHES_MAX 512u /* of one record; the most is 40 */

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "composer://") && (vuln_feed_head_has(head, "\nbranches:") || vuln_feed_head_has(head, "title:"));
}

static struct bh_slice text_of(const struct bh_yaml_node *root, const char *key)
{
	const struct bh_yaml_node *node = bh_yaml_get(root, key);
	return !bh_yaml_is_null(node) ? bh_slice_trim(bh_yaml_str(node)) : (struct bh_slice){ 0 };
}

/* "FriendsOfPHP:cakephp:cakephp:2015-08-06" */
static struct bh_slice own_id(struct vuln_feed_run *run, struct bh_slice package)
{
	struct bh_slice name = run->document;
	for (size_t i = name.len; i > 0; i--)
		if (name.ptr[i - 1] == '/') {
			name = bh_slice_sub(name, i, name.len);
			break;
		}
	for (size_t i = name.len; i > 0; i--)
		if (name.ptr[i - 1] == '.') {
			name.len = i - 1;
			break;
		}
	char *id = bh_arena_printf(&run->scratch, "FriendsOfPHP:%.*s:%.*s", BH_SLICE_FMT(package), BH_SLICE_FMT(name));
	for (char *c = id; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._:-", *c))
			*c = ':';
	return bh_slice_str(id);
}

/* "4.0.0" -> "4.0.0-dev", the first of its pre-releases */
static struct bh_slice with_prereleases(struct vuln_feed_run *run, struct bh_slice version)
{
	for (size_t i = 0; i < version.len; i++)
		if (version.ptr[i] != '.' && !isdigit(version.ptr[i]))
			return version;
	return bh_slice_str(bh_arena_printf(&run->scratch, "%.*s-dev", BH_SLICE_FMT(version)));
}

/* One bound of a branch. False: not understood. */
static bool read_bound(struct vuln_feed_run *run, struct bh_slice text, struct vuln_range *r)
{
	text = bh_slice_trim(text);
	size_t n = 0;
	while (n < text.len && (text.ptr[n] == '<' || text.ptr[n] == '>' || text.ptr[n] == '='))
		n++;
	struct bh_slice op = bh_slice_sub(text, 0, n), version = bh_slice_trim(bh_slice_sub(text, n, text.len));
	if (version.len == 0 || !(isdigit(version.ptr[0]) || version.ptr[0] == 'v'))
		return false;
	if (bh_slice_eq_str(op, ">=")) {
		r->start = with_prereleases(run, version);
	} else if (bh_slice_eq_str(op, "<") || bh_slice_eq_str(op, "<=")) {
		r->end = version;
		r->kind = op.len == 1 ? VULN_END_FIXED : VULN_END_LAST;
	} else if (n == 0 || bh_slice_eq_str(op, "==") || bh_slice_eq_str(op, "=")) {
		*r = (struct vuln_range){ .start = version, .end = version, .kind = VULN_END_LAST };
	} else {
		return false;
	}
	return true;
}

static bool read_branch(struct vuln_feed_run *run, const struct bh_yaml_node *branch, struct vuln_range *ret)
{
	const struct bh_yaml_node *versions = bh_yaml_get(branch, "versions");
	*ret = (struct vuln_range){ .kind = VULN_END_NONE };
	for (size_t i = 0; i < bh_yaml_len(versions); i++)
		if (!read_bound(run, bh_yaml_str(bh_yaml_at(versions, i)), ret))
			return false;
	return bh_yaml_len(versions) > 0;
}

/* Ends that are the beginning of another branch are no fixes. True: some end is one. */
static bool tell_limits(struct vuln_feed_run *run, struct vuln_range *ranges, size_t n)
{
	const struct version_scheme *scheme = version_scheme_for_ecosystem(BH_SLICE_LIT("Packagist"));
	bool fixed = false;
	for (size_t i = 0; i < n; i++) {
		struct bh_slice end = ranges[i].kind == VULN_END_FIXED ? with_prereleases(run, ranges[i].end) : (struct bh_slice){ 0 };
		for (size_t k = 0; k < n && ranges[i].kind == VULN_END_FIXED; k++) {
			int order = 1;
			if (ranges[k].start.len && scheme->compare(end, ranges[k].start, &order, NULL) == 0 && order == 0)
				ranges[i].kind = VULN_END_LIMIT;
		}
		fixed |= ranges[i].kind == VULN_END_FIXED;
	}
	return fixed;
}

static int add_row(struct vuln_feed_run *run, const struct bh_yaml_node *root, struct vuln_new_row *row, struct bh_err *err)
{
	const struct bh_yaml_node *branches = bh_yaml_get(root, "branches"), *key, *branch;
	struct vuln_range *ranges = bh_arena_array(&run->scratch, BRANCHES_MAX, sizeof(*ranges));
	bool readable = true;
	if (!ranges)
		return bh_fail(err, BH_ELIMIT, 0, "a record larger than memory limits allow");
	for (size_t i = 0; readable && bh_yaml_pair(branches, i, &key, &branch); i++)
		readable = row->n_ranges < BRANCHES_MAX && read_branch(run, branch, &ranges[row->n_ranges++]);
	if (!readable || row->n_ranges == 0) {
		vuln_feed_note(run, VULN_FEED_REMARK, "records whose versions can't be read (undetermined)", row->id);
		row->state = BH_STATE_UNDETERMINED;
		row->n_ranges = 0;
	} else {
		row->state = tell_limits(run, ranges, row->n_ranges) ? BH_STATE_FIXED : BH_STATE_AFFECTED;
	}
	row->ranges = ranges;
	return vuln_feed_row(run, row, err);
}

/* The earliest time of a branch: when the first fix came. */
static int32_t day_of(const struct bh_yaml_node *branches)
{
	const struct bh_yaml_node *key, *branch;
	int32_t first = VULN_NO_DAY;
	for (size_t i = 0; bh_yaml_pair(branches, i, &key, &branch); i++) {
		int32_t day = vuln_feed_parse_day(bh_slice_sub(text_of(branch, "time"), 0, strlen("2020-01-01")));
		if (day != VULN_NO_DAY && (first == VULN_NO_DAY || day < first))
			first = day;
	}
	return first;
}

static int add_record(struct vuln_feed_run *run, const struct bh_yaml_node *root, struct bh_err *err)
{
	struct bh_slice reference = text_of(root, "reference"), cve = text_of(root, "cve");
	const struct bh_slice prefix = BH_SLICE_LIT("composer://");
	if (!bh_slice_starts(reference, prefix)) {
		vuln_feed_note(run, VULN_FEED_DAMAGED, "records that name no package", run->document);
		return 0;
	}
	struct bh_slice package = bh_slice_sub(reference, prefix.len, reference.len);
	struct vuln_new_advisory a = {
		.id = vuln_feed_is_cve(cve) ? cve : own_id(run, package),
		.published_day = day_of(bh_yaml_get(root, "branches")),
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(text_of(root, "title")),
	};
	struct vuln_new_row row = { .ecosystem = BH_SLICE_LIT("Packagist"), .package = package, .id = a.id };
	vuln_feed_day(run, a.published_day);
	run->undated += a.published_day == VULN_NO_DAY;
	int rc = vuln_feed_advisory(run, &a, err);
	return rc < 0 ? rc : add_row(run, root, &row, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	return vuln_feed_yaml_text(run, plain, DOCUMENT_BYTES_MAX, add_record, err);
}

static const char *const suffixes[] = { ".yaml", ".yml", NULL };

const struct vuln_feed vuln_feed_friendsofphp = {
	.name = "friendsofphp",
	.source = "friendsofphp",
	.summary = "FriendsOfPHP's advisories about Composer packages (YAML)",
	.licence = "Unlicense",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
