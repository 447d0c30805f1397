/*
 * feed_retirejs.c: the repositories of RetireJS (github.com/RetireJS/retire.js): npmrepository.json, whose keys are npm packages, and
 * jsrepository.json, whose keys are libraries; only those that name their npm package can be looked up.
 *
 *   { "jquery": { "npmname": "jquery", "extractors": {...}, "vulnerabilities": [ { "atOrAbove": "1.2.0", "below": "3.5.0", "severity": "medium",
 *       "identifiers": { "CVE": [ "CVE-2020-11022" ], "githubID": "GHSA-gxr4-xjj5-5px2", "summary": "..." }, "info": [ url ] } ] } }
 *
 * A flaw without a public id gets one of its own, from the library, the version and a hash of what is said about it. RetireJS compares numbers one
 * by one, so its "1.1" is npm's 1.1.0; other versions that npm would refuse make the match undetermined. "Below 99.999.99999" and
 * "below 100" mean that nothing fixed it.
 */
#include "vuln/feed.h"

#include "format/json.h"
#include "format/json_walk.h"

#include <ctype.h>

#define LIBRARY_BYTES_MAX (4u << 20)
#define IDS_MAX 32u

static bool sniff(struct bh_slice head)
{
	bool library = vuln_feed_head_has(head, "\"below\"") || vuln_feed_head_has(head, "\"extractors\"") || vuln_feed_head_has(head, "\"npmname\"");
	return vuln_feed_first_key(head).len && library && vuln_feed_head_has(head, "\"vulnerabilities\"");
}

/* "1.1" -> "1.1.0" */
static struct bh_slice full_version(struct vuln_feed_run *run, struct bh_slice v)
{
	size_t dots = 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] != '.' && !isdigit(v.ptr[i]))
			return v;
		dots += v.ptr[i] == '.';
	}
	if (v.len == 0 || dots > 1)
		return v;
	return bh_slice_str(bh_arena_printf(&run->scratch, "%.*s%s", BH_SLICE_FMT(v), dots ? ".0" : ".0.0"));
}

static bool is_never(struct bh_slice below)
{
	return bh_slice_starts(below, BH_SLICE_LIT("99.9")) || bh_slice_starts(below, BH_SLICE_LIT("999")) || bh_slice_eq_str(below, "100") ||
	       bh_slice_eq_str(below, "~");
}

/* "RETIREJS:handlebars:1.0.0:5d41402a" */
static struct bh_slice own_id(struct vuln_feed_run *run, struct bh_slice package, const struct bh_json_node *v)
{
	struct bh_slice below = bh_json_str(bh_json_get(v, "below")), said = bh_json_str(bh_json_get(bh_json_get(v, "identifiers"), "summary"));
	said = said.len ? said : bh_json_str(bh_json_at(bh_json_get(v, "info"), 0));
	char *id = bh_arena_printf(&run->scratch, "RETIREJS:%.*s:%.*s:%08x", BH_SLICE_FMT(package), BH_SLICE_FMT(below), (unsigned)bh_slice_hash(said));
	for (char *c = id; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._:-", *c))
			*c = '-';
	return bh_slice_str(id);
}

/* What the flaw is called: its CVEs, else its GHSA, else one of our making. *alias: another name of a single CVE. */
static size_t ids_of(struct vuln_feed_run *run, struct bh_slice package, const struct bh_json_node *v, struct bh_slice ids[IDS_MAX],
		     struct bh_slice *alias)
{
	const struct bh_json_node *named = bh_json_get(v, "identifiers"), *cves = bh_json_get(named, "CVE");
	struct bh_slice ghsa = bh_slice_trim(bh_json_str(bh_json_get(named, "githubID")));
	size_t n = 0;
	for (size_t i = 0; i < bh_json_len(cves) && n < IDS_MAX; i++) {
		struct bh_slice id = bh_slice_trim(bh_json_str(bh_json_at(cves, i)));
		if (vuln_feed_is_cve(id))
			ids[n++] = id;
	}
	*alias = n == 1 && vuln_feed_is_id(ghsa) ? ghsa : (struct bh_slice){ 0 };
	if (n == 0)
		ids[n++] = vuln_feed_is_id(ghsa) ? ghsa : own_id(run, package, v);
	return n;
}

static int add_advisory(struct vuln_feed_run *run, const struct bh_json_node *v, struct bh_slice id, struct bh_slice alias, struct bh_err *err)
{
	struct vuln_new_advisory a = {
		.id = id,
		.aliases = &alias,
		.n_aliases = alias.len > 0,
		.severity = vuln_feed_severity(bh_json_str(bh_json_get(v, "severity"))),
		.published_day = VULN_NO_DAY,
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(bh_json_str(bh_json_get(bh_json_get(v, "identifiers"), "summary"))),
	};
	return vuln_feed_advisory(run, &a, err);
}

static int add_flaw(struct vuln_feed_run *run, struct bh_slice package, const struct bh_json_node *v, struct bh_err *err)
{
	struct bh_slice ids[IDS_MAX], alias, below = bh_json_str(bh_json_get(v, "below"));
	below = !is_never(below) ? full_version(run, below) : (struct bh_slice){ 0 };
	struct vuln_range range = { .start = full_version(run, bh_json_str(bh_json_get(v, "atOrAbove"))), .end = below,
				    .kind = below.len ? VULN_END_FIXED : VULN_END_NONE };
	size_t n = ids_of(run, package, v, ids, &alias);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct vuln_new_row row = {
			.ecosystem = BH_SLICE_LIT("npm"),
			.package = package,
			.id = ids[i],
			.state = below.len ? BH_STATE_FIXED : BH_STATE_AFFECTED,
			.ranges = &range,
			.n_ranges = 1,
		};
		rc = add_advisory(run, v, ids[i], alias, err);
		rc = rc < 0 ? rc : vuln_feed_row(run, &row, err);
	}
	return rc;
}

static int add_library(struct vuln_feed_run *run, struct bh_slice key, const struct bh_json_node *library, struct bh_err *err)
{
	const struct bh_json_node *flaws = bh_json_get(library, "vulnerabilities");
	struct bh_slice package = bh_json_str(bh_json_get(library, "npmname"));
	int rc = 0;
	if (package.len == 0 && bh_json_get(library, "extractors")) {
		vuln_feed_note(run, VULN_FEED_SKIPPED, "libraries that name no npm package", key);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < bh_json_len(flaws); i++)
		rc = add_flaw(run, package.len ? package : key, bh_json_at(flaws, i), err);
	return rc;
}

static int read_libraries(struct vuln_feed_run *run, struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice key, text, name;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		struct bh_json *doc = NULL;
		vuln_feed_record(run);
		if (!bh_arena_copy(&run->scratch, key, &name))
			return bh_fail(err, BH_ELIMIT, 0, "a library larger than memory limits allow");
		rc = bh_json_walk_value(w, &text, err);
		rc = rc < 0 ? rc : bh_json_parse(text, LIBRARY_BYTES_MAX, &doc, err);
		rc = rc < 0 ? rc : add_library(run, name, bh_json_root(doc), err);
		bh_json_free(doc);
	}
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_json_walk *w;
	int rc = bh_json_walk_new(plain, LIBRARY_BYTES_MAX, &w, err);
	if (rc < 0)
		return rc;
	rc = read_libraries(run, w, err);
	run->undated = run->counts.records; /* the file's date is all there is */
	bh_json_walk_free(w);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_retirejs = {
	.name = "retirejs",
	.source = "retirejs",
	.summary = "the repositories of RetireJS (JSON)",
	.licence = "Apache-2.0",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_GENERIC,
	.sniff = sniff,
	.parse = parse,
};
