/*
 * feed_debian_tracker.c: the Debian security tracker's whole state as one JSON object (security-tracker.debian.org/tracker/data/json,
 * about 100 MB):
 *
 *   { SOURCE: { "CVE-2022-0456" or "TEMP-0000000-ABCDEF": { "description", "scope", "debianbug",
 *       "releases": { "bookworm": { "status": "open" | "resolved" | "undetermined", "repositories": { suite: version },
 *           "fixed_version": "0" = was never affected, "urgency", "nodsa", "nodsa_reason": "" | "ignored" | "postponed" } } } } }
 *
 * Only one issue is in memory at a time.
 */
#include "vuln/feed.h"

#include "base/buf.h"
#include "base/limits.h"
#include "format/json.h"
#include "format/json_walk.h"

#define ISSUE_BYTES_MAX (8u << 20)
#define NAME_BYTES_MAX 4096u

static const struct {
	const char *codename, *ecosystem;
} releases[] = {
	{ "wheezy", "Debian:7" },    { "jessie", "Debian:8" },    { "stretch", "Debian:9" }, { "buster", "Debian:10" },
	{ "bullseye", "Debian:11" }, { "bookworm", "Debian:12" }, { "trixie", "Debian:13" }, { "forky", "Debian:14" },
	{ "duke", "Debian:15" },
};

struct tracker {
	struct vuln_feed_run *run;
	struct bh_buf package; /* name of the source package being read */
};

static bool is_issue(struct bh_slice id)
{
	return vuln_feed_is_cve(id) || bh_slice_starts(id, BH_SLICE_LIT("TEMP-")) || bh_slice_starts(id, BH_SLICE_LIT("CVE-"));
}

/* { "389-ds-base": { "CVE-2012-0833": ... */
static bool sniff(struct bh_slice head)
{
	struct bh_slice source = vuln_feed_first_key(head);
	if (source.len == 0)
		return false;
	head = bh_slice_sub(head, (size_t)(source.ptr + source.len + 1 - head.ptr), head.len);
	struct bh_slice before, value;
	return bh_slice_cut(head, ':', &before, &value) && bh_slice_trim(before).len == 0 && is_issue(vuln_feed_first_key(value));
}

static struct bh_slice ecosystem_of(const struct vuln_feed_run *run, struct bh_slice codename)
{
	struct bh_slice said = vuln_feed_release(run->options, codename);
	for (size_t i = 0; said.len == 0 && i < sizeof(releases) / sizeof(releases[0]); i++)
		if (bh_slice_eq_str(codename, releases[i].codename))
			said = bh_slice_str(releases[i].ecosystem);
	return said;
}

/* What the security team means to do about an open issue. */
static enum bh_state open_state(const struct bh_json_node *release, struct bh_slice urgency)
{
	const struct bh_json_node *nodsa = bh_json_get(release, "nodsa");
	struct bh_slice reason = bh_json_str(bh_json_get(release, "nodsa_reason"));
	if (bh_slice_eq_str(urgency, "end-of-life"))
		return BH_STATE_END_OF_LIFE;
	if (bh_slice_eq_str(reason, "ignored"))
		return BH_STATE_IGNORED;
	return (nodsa && !bh_json_is_null(nodsa)) || reason.len ? BH_STATE_POSTPONED : BH_STATE_AFFECTED;
}

static int add_release(struct tracker *t, struct bh_slice id, struct bh_slice codename, const struct bh_json_node *release, struct bh_err *err)
{
	struct bh_slice status = bh_json_str(bh_json_get(release, "status")), fixed = bh_json_str(bh_json_get(release, "fixed_version"));
	struct bh_slice urgency = bh_json_str(bh_json_get(release, "urgency"));
	struct vuln_range range = { .kind = VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = ecosystem_of(t->run, codename),
		.package = bh_buf_slice(&t->package),
		.id = id,
		.severity = vuln_feed_severity(urgency),
		.ranges = &range,
		.n_ranges = 1,
	};
	if (row.ecosystem.len == 0) {
		vuln_feed_note(t->run, VULN_FEED_SKIPPED, "entries for releases without a number (--release NAME=ECOSYSTEM takes them)", codename);
		return 0;
	}
	if (bh_slice_eq_str(status, "resolved") && bh_slice_eq_str(fixed, "0")) {
		row.state = BH_STATE_NOT_AFFECTED;
		row.n_ranges = 0;
	} else if (bh_slice_eq_str(status, "resolved") && fixed.len) {
		row.state = BH_STATE_FIXED;
		range = (struct vuln_range){ .end = fixed, .kind = VULN_END_FIXED };
	} else if (bh_slice_eq_str(status, "open")) {
		row.state = open_state(release, urgency);
	} else {
		row.state = BH_STATE_UNDETERMINED;
		row.n_ranges = 0;
		if (!bh_slice_eq_str(status, "undetermined"))
			vuln_feed_note(t->run, VULN_FEED_REMARK, "entries of an unknown status (undetermined)", id);
	}
	return vuln_feed_row(t->run, &row, err);
}

static int add_issue(struct tracker *t, struct bh_slice id, const struct bh_json_node *issue, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(issue, "releases"), *release;
	struct vuln_new_advisory a = {
		.id = id,
		.published_day = VULN_NO_DAY,
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(bh_json_str(bh_json_get(issue, "description"))),
	};
	struct bh_slice codename;
	void *iter = NULL;
	int rc = 0;
	if (!bh_json_is_object(list) || bh_json_len(list) == 0) {
		vuln_feed_note(t->run, VULN_FEED_SKIPPED, "issues of no release", id);
		return 0;
	}
	if (a.title.len)
		rc = vuln_feed_advisory(t->run, &a, err);
	while (rc == 0 && bh_json_next(list, &iter, &codename, &release))
		rc = add_release(t, id, codename, release, err);
	return rc;
}

static int read_issues(struct tracker *t, struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice key, id, text;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		struct bh_json *doc = NULL;
		vuln_feed_record(t->run);
		rc = bh_arena_copy(&t->run->scratch, key, &id) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
		rc = rc < 0 ? rc : bh_json_walk_value(w, &text, err);
		rc = rc < 0 ? rc : bh_json_parse(text, ISSUE_BYTES_MAX, &doc, err);
		if (rc == 0 && !is_issue(id))
			vuln_feed_note(t->run, VULN_FEED_DAMAGED, "issues without an id", bh_buf_slice(&t->package));
		else if (rc == 0)
			rc = add_issue(t, id, bh_json_root(doc), err);
		bh_json_free(doc);
	}
	return rc;
}

static int read_packages(struct tracker *t, struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice key;
	enum bh_json_kind kind;
	uint64_t before = t->run->counts.records;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		bh_buf_clear(&t->package);
		bh_buf_add(&t->package, key); /* too long a name: empty, and vuln_feed_row notes it */
		rc = bh_json_walk_peek(w, &kind, err);
		if (rc == 0 && kind == BH_JSON_OBJECT)
			rc = read_issues(t, w, err);
		else if (rc == 0)
			vuln_feed_note(t->run, VULN_FEED_DAMAGED, "source packages without issues", bh_buf_slice(&t->package));
	}
	if (rc == 0 && t->run->counts.records == before)
		return bh_fail(err, BH_EMALFORMED, 0, "no issue of any source package in it");
	return rc;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_json_walk *w;
	struct tracker t = { .run = run };
	int rc = bh_json_walk_new(plain, ISSUE_BYTES_MAX, &w, err);
	if (rc < 0)
		return rc;
	bh_buf_init(&t.package, NAME_BYTES_MAX);
	rc = read_packages(&t, w, err);
	enum bh_json_kind kind = BH_JSON_NOTHING;
	rc = rc < 0 ? rc : bh_json_walk_peek(w, &kind, err);
	if (rc == 0 && kind != BH_JSON_NOTHING)
		rc = bh_fail(err, BH_EMALFORMED, bh_json_walk_offset(w), "something follows the data at byte %llu", (unsigned long long)bh_json_walk_offset(w));
	bh_buf_done(&t.package);
	bh_json_walk_free(w);
	return rc;
}

static const char *const suffixes[] = { ".json", NULL };

const struct vuln_feed vuln_feed_debian_tracker = {
	.name = "debian_tracker",
	.source = "debian-tracker",
	.summary = "the Debian security tracker (JSON)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
