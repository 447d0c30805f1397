/*
 * feed_alpine_secdb.c: which package versions fixed which flaws, as Alpine publishes it per release and repository
 * (secdb.alpinelinux.org), and Wolfi, Chainguard and MinimOS for theirs. JSON, formerly YAML:
 *
 *   { "distroversion": "v3.19", "reponame": "main", "urlprefix", "apkurl", "archs",
 *     "packages": [ { "pkg": { "name": "busybox", "secfixes": { "1.35.0-r17": [ "CVE-2022-30065", "XSA-273 CVE-2018-3620" ],
 *                                                               "0": [ "CVE-2021-42373" ] } } } ] }
 *
 * Version "0": was never affected. An entry may hold several ids: several CVEs are several flaws; what stands beside one CVE is
 * another name of it. Where an id stands at several versions, the highest fixes it for good.
 */
#include "vuln/feed.h"

#include "base/map.h"
#include "base/vec.h"
#include "version/version.h"
#include "vuln/tree.h"

#define TEXT_BYTES_MAX (64u << 20) /* the largest is below 10 MB */
#define FIXES_MAX 200000u          /* of one package; the kernel has 3,000 */
#define IDS_MAX 64u                /* in one entry */

struct fix {
	struct bh_slice id, version;
};
BH_VEC(fix_vec, struct fix)

struct secdb {
	struct vuln_feed_run *run;
	struct bh_slice ecosystem, package;
	const struct version_scheme *apk;
	struct fix_vec fixes; /* of the package; an id once */
	struct bh_map index;  /* id -> 1 + its place in fixes */
};

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "{{urlprefix}}") || vuln_feed_head_has(head, "\"distroversion\"") || vuln_feed_head_has(head, "\ndistroversion:");
}

static bool is_never(struct bh_slice version)
{
	return bh_slice_eq_str(version, "0");
}

/* Of two versions that fix the same flaw: is b the one that counts? "0" counts least: somebody saw a fix. */
static bool counts_more(const struct secdb *s, struct bh_slice a, struct bh_slice b)
{
	int order;
	if (is_never(a) || is_never(b))
		return is_never(a);
	return s->apk->compare(a, b, &order, NULL) == 0 && order < 0;
}

static int add_fix(struct secdb *s, struct bh_slice id, struct bh_slice version, struct bh_err *err)
{
	void **slot = bh_map_put(&s->index, id);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u fixes of one package", FIXES_MAX);
	if (*slot) {
		struct fix *f = &s->fixes.ptr[(uintptr_t)*slot - 1];
		if (counts_more(s, f->version, version))
			f->version = version;
		return 0;
	}
	if (!fix_vec_push(&s->fixes, (struct fix){ id, version }))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u fixes of one package", FIXES_MAX);
	*slot = (void *)(uintptr_t)s->fixes.len;
	return 0;
}

/* "CVE-2018-12020" yes; "(+", "regression" no. */
static bool looks_like_id(struct bh_slice word)
{
	return vuln_feed_is_id(word) && word.ptr[0] >= 'A' && word.ptr[0] <= 'Z' && bh_slice_find(word, '-') < word.len;
}

static int add_aliases(struct secdb *s, const struct bh_slice *ids, size_t n, struct bh_slice cve, struct bh_err *err)
{
	struct vuln_new_advisory a = {
		.id = cve, .aliases = ids, .n_aliases = n, .published_day = VULN_NO_DAY, .modified_day = VULN_NO_DAY, .withdrawn_day = VULN_NO_DAY,
	};
	return vuln_feed_advisory(s->run, &a, err);
}

/* One entry: a word, or several. */
static int add_entry(struct secdb *s, struct bh_slice entry, struct bh_slice version, struct bh_err *err)
{
	struct bh_slice ids[IDS_MAX], word, rest = bh_slice_trim(entry), cve = { 0 };
	size_t n = 0, cves = 0;
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		word = bh_slice_trim(word);
		rest = bh_slice_trim(rest);
		if (!looks_like_id(word)) {
			vuln_feed_note(s->run, VULN_FEED_SKIPPED, "words among the ids that are none", word);
			continue;
		}
		if (n == IDS_MAX)
			return bh_fail(err, BH_ELIMIT, 0, "an entry with more than %u ids", IDS_MAX);
		ids[n++] = word;
		cves += vuln_feed_is_cve(word);
		cve = vuln_feed_is_cve(word) ? word : cve;
	}
	int rc = cves == 1 && n > 1 ? add_aliases(s, ids, n, cve, err) : 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (cves == 0 || vuln_feed_is_cve(ids[i]))
			rc = add_fix(s, ids[i], version, err);
		else if (cves > 1)
			vuln_feed_note(s->run, VULN_FEED_SKIPPED, "names that stand beside several CVEs", ids[i]);
	return rc;
}

static int add_rows(struct secdb *s, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->fixes.len; i++) {
		const struct fix *f = &s->fixes.ptr[i];
		struct vuln_range range = { .end = f->version, .kind = VULN_END_FIXED };
		bool never = is_never(f->version);
		struct vuln_new_row row = {
			.ecosystem = s->ecosystem,
			.package = s->package,
			.id = f->id,
			.state = never ? BH_STATE_NOT_AFFECTED : BH_STATE_FIXED,
			.ranges = &range,
			.n_ranges = never ? 0 : 1,
		};
		rc = vuln_feed_row(s->run, &row, err);
	}
	return rc;
}

static int add_package(struct secdb *s, struct vuln_tree pkg, struct bh_err *err)
{
	struct vuln_tree fixes = vuln_tree_get(pkg, "secfixes"), entries;
	struct vuln_tree_iter iter = { 0 };
	struct bh_slice version;
	int rc = 0;
	s->package = vuln_tree_str(vuln_tree_get(pkg, "name"));
	s->fixes.len = 0;
	bh_map_done(&s->index);
	bh_map_init(&s->index, FIXES_MAX);
	vuln_feed_count(s->run);
	if (s->package.len == 0 || !vuln_tree_is_object(fixes)) {
		vuln_feed_note(s->run, VULN_FEED_SKIPPED, "packages without fixes", s->package);
		return 0;
	}
	while (rc == 0 && vuln_tree_next(fixes, &iter, &version, &entries)) {
		size_t n = vuln_tree_is_array(entries) ? vuln_tree_len(entries) : 0;
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = add_entry(s, vuln_tree_str(vuln_tree_at(entries, i)), version, err);
	}
	return rc < 0 ? rc : add_rows(s, err);
}

/* Alpine says its release; the others say where their packages are. --release comes first: DISTROVERSION or REPONAME. */
static struct bh_slice ecosystem_of(struct secdb *s, struct vuln_tree root)
{
	struct bh_slice version = vuln_tree_str(vuln_tree_get(root, "distroversion")), repo = vuln_tree_str(vuln_tree_get(root, "reponame"));
	struct bh_slice place = vuln_tree_str(vuln_tree_get(root, "urlprefix"));
	struct bh_slice said = vuln_feed_release(s->run->options, version.len ? version : repo);
	if (said.len)
		return said;
	if (version.len) {
		const char *name = bh_arena_printf(&s->run->scratch, "Alpine:%.*s", BH_SLICE_FMT(bh_slice_sub(version, 0, 64)));
		return bh_slice_str(name ? name : "");
	}
	if (vuln_feed_head_has(place, "wolfi.dev"))
		return BH_SLICE_LIT("Wolfi");
	if (vuln_feed_head_has(place, "cgr.dev"))
		return BH_SLICE_LIT("Chainguard");
	if (vuln_feed_head_has(place, "minimus.io"))
		return BH_SLICE_LIT("MinimOS");
	return (struct bh_slice){ 0 };
}

static int read_root(struct secdb *s, struct vuln_tree root, struct bh_err *err)
{
	struct vuln_tree packages = vuln_tree_get(root, "packages");
	s->ecosystem = ecosystem_of(s, root);
	if (!vuln_tree_is_object(root) || !vuln_tree_is_there(packages))
		return bh_fail(err, BH_EMALFORMED, 0, "not a secdb file: it has no \"packages\"");
	if (s->ecosystem.len == 0)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "it does not say which distribution it is for; --release %.*s=ECOSYSTEM does",
			       BH_SLICE_FMT(vuln_tree_str(vuln_tree_get(root, "reponame"))));
	size_t n = vuln_tree_is_array(packages) ? vuln_tree_len(packages) : 0; /* null: a repository without any */
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_package(s, vuln_tree_get(vuln_tree_at(packages, i), "pkg"), err);
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct secdb s = { .run = run, .apk = version_scheme_find(BH_SLICE_LIT("apk")), .fixes.max = FIXES_MAX };
	struct bh_slice text;
	struct bh_json *json = NULL;
	struct bh_yaml *yaml = NULL;
	bh_map_init(&s.index, FIXES_MAX);
	bh_arena_done(&run->scratch);
	int rc = vuln_feed_read_all(run, plain, TEXT_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	struct bh_slice head = bh_slice_trim(bh_slice_sub(text, 0, 64));
	bool is_json = head.len && (head.ptr[0] == '{' || head.ptr[0] == '[');
	rc = is_json ? bh_json_parse(text, TEXT_BYTES_MAX, &json, err) : bh_yaml_parse(text, TEXT_BYTES_MAX, &yaml, err);
	if (rc == 0)
		rc = read_root(&s, (struct vuln_tree){ is_json ? bh_json_root(json) : NULL, is_json ? NULL : bh_yaml_root(yaml, 0) }, err);
	fix_vec_done(&s.fixes);
	bh_map_done(&s.index);
	bh_json_free(json);
	bh_yaml_free(yaml);
	return rc;
}

static const char *const suffixes[] = { ".json", ".yaml", NULL };

const struct vuln_feed vuln_feed_alpine_secdb = {
	.name = "alpine_secdb",
	.source = "alpine-secdb",
	.summary = "secdb files of Alpine, Wolfi, Chainguard, MinimOS (JSON)",
	.licence = "",
	.note = "fixed versions only; no open issues",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.flags = VULN_SOURCE_FIXED_ONLY,
	.sniff = sniff,
	.parse = parse,
};
