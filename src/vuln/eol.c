/*
 * eol.c: is the release itself past its end, and what should be used instead?
 *
 * Which date ends the support that every user gets differs: Debian's long-term support is free and comes through the same
 * archive, so `lts_eol` counts; Ubuntu's ESM needs a subscription, so `eol` does. What can still be bought afterwards is said in
 * the evidence, as we can't see from an image whether somebody pays for it.
 */
#include "vuln/eol.h"

#include "vuln/support.h"

#include <ctype.h>

#define ENTRIES_MAX 10000u /* 65 releases today; more is a damaged database */

struct release {
	struct bh_slice key, version, codename;
	int32_t released, eol, lts, elts; /* VULN_NO_DAY when absent */
	int32_t free_until;               /* last day of support without a contract */
};

static int32_t day_of(struct bh_slice text)
{
	int32_t day = VULN_NO_DAY;
	(void)vuln_day_parse(text, &day);
	return day;
}

static bool is_debian(struct bh_slice key)
{
	return bh_slice_starts(key, BH_SLICE_LIT("debian:"));
}

static struct release release_of(const struct vuln_entry *e)
{
	struct bh_slice row = e->value, distro = { 0 };
	struct release r = { .key = e->key };
	(void)bh_slice_cut(e->key, ':', &distro, &r.version);
	r.codename = vuln_table_column(&row);
	r.released = day_of(vuln_table_column(&row));
	r.eol = day_of(vuln_table_column(&row));
	r.lts = day_of(vuln_table_column(&row));
	r.elts = day_of(vuln_table_column(&row));
	r.free_until = is_debian(r.key) && r.lts > r.eol ? r.lts : r.eol;
	return r;
}

/* The release of the same distribution that is supported longest. */
static int successor(const struct vuln_db *db, const struct release *old, int32_t today, struct release *ret, bool *found, struct bh_err *err)
{
	struct vuln_span all;
	struct bh_slice distro = { 0 }, rest = { 0 };
	int rc = vuln_db_table(db, BH_SLICE_LIT("eol"), &all, err);
	if (rc == BH_OK && all.n > ENTRIES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the table of end-of-life dates has more than %u entries", ENTRIES_MAX);
	(void)bh_slice_cut(old->key, ':', &distro, &rest);
	*found = false;
	for (uint32_t i = 0; rc == BH_OK && i < all.n; i++) {
		struct vuln_entry e;
		rc = vuln_db_entry(db, all.first + i, &e, err);
		if (rc < 0 || !bh_slice_starts(e.key, distro) || bh_slice_find(e.key, ':') != distro.len)
			continue;
		struct release r = release_of(&e);
		bool usable = r.released != VULN_NO_DAY && r.released <= today && r.free_until >= today;
		if (usable && (!*found || r.free_until > ret->free_until)) {
			*ret = r;
			*found = true;
		}
	}
	return rc;
}

/* "Debian 11 (bullseye)" */
static char *title_of(const struct release *r, struct bh_arena *a)
{
	bool named = r->codename.len && !bh_slice_eq_str(r->codename, "-");
	char *t = named ? bh_arena_printf(a, "%.*s (%.*s)", BH_SLICE_FMT(r->key), BH_SLICE_FMT(r->codename)) : bh_arena_strdup(a, r->key);
	if (!t)
		return NULL;
	t[0] = (char)toupper((unsigned char)t[0]);
	char *colon = strchr(t, ':');
	if (colon)
		*colon = ' ';
	return t;
}

static char *evidence_of(const struct release *r, int32_t today, struct bh_arena *a)
{
	char eol[16], lts[16], elts[16];
	bool debian = is_debian(r->key);
	char *text = bh_arena_printf(a, "regular support ended on %s", vuln_day_text(r->eol, eol));
	if (text && r->lts != VULN_NO_DAY)
		text = bh_arena_printf(a, "%s, %s %s on %s", text, debian ? "long-term support" : "ESM (for subscribers)", r->lts < today ? "ended" : "ends",
				       vuln_day_text(r->lts, lts));
	if (text && r->elts != VULN_NO_DAY)
		text = bh_arena_printf(a, "%s, %s %s on %s", text, debian ? "extended LTS (commercial)" : "legacy support (commercial)",
				       r->elts < today ? "ended" : "ends", vuln_day_text(r->elts, elts));
	return text;
}

static int add_release(const struct vuln_db *db, const struct vuln_entry *e, const struct release *r, int32_t today, struct bh_report *report,
		       struct bh_err *err)
{
	struct bh_arena *a = &report->arena;
	struct release next = { 0 };
	struct vuln_source source = { 0 };
	bool found = false;
	int rc = successor(db, r, today, &next, &found, err);
	rc = rc == BH_OK ? vuln_db_source(db, e->source, &source, err) : rc;
	if (rc < 0)
		return rc;
	char until[16], *title = title_of(r, a), *evidence = evidence_of(r, today, a), *id = bh_arena_printf(a, "eol-%.*s", BH_SLICE_FMT(r->key));
	char *fix = NULL, *target = found ? title_of(&next, a) : NULL;
	if (target)
		fix = bh_arena_printf(a, "rebuild the image on %s, supported until %s", target, vuln_day_text(next.free_until, until));
	else
		fix = bh_arena_strdup(a, BH_SLICE_LIT("rebuild the image on a release that is still supported"));
	char *head = title ? bh_arena_printf(a, "%s gets no more security updates", title) : NULL;
	struct bh_finding f = { .class = BH_CLASS_END_OF_LIFE, .severity = BH_SEV_HIGH, .state = BH_STATE_END_OF_LIFE, .layer = BH_NO_LAYER };
	if (!id || !head || !evidence || !fix || !bh_arena_copy(a, source.name, &f.source))
		return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
	for (char *c = id; *c; c++)
		if (*c == ':')
			*c = '-';
	f.id = bh_slice_str(id);
	f.title = bh_slice_str(head);
	f.evidence = bh_slice_str(evidence);
	f.fix = bh_slice_str(fix);
	return bh_finding_vec_push(&report->findings, f) ? BH_OK : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", report->findings.max);
}

/* "debian:12" of version 12, or 12.5 when the table has no 12.5; "alpine:3.19" of 3.19.1. */
static int find_release(const struct vuln_set *set, const struct bh_distro *d, const struct vuln_db **db, struct vuln_entry *ret, bool *found,
			struct bh_err *err)
{
	size_t major = bh_slice_find(d->version_id, '.'), rest = bh_slice_find(bh_slice_sub(d->version_id, major + 1, d->version_id.len), '.');
	struct bh_slice versions[] = { d->version_id, bh_slice_sub(d->version_id, 0, major + 1 + rest), bh_slice_sub(d->version_id, 0, major) };
	*found = false;
	for (size_t i = 0; i < 3 && !*found; i++) {
		char key[256];
		int n = snprintf(key, sizeof(key), "%.*s:%.*s", BH_SLICE_FMT(d->id), BH_SLICE_FMT(versions[i]));
		struct vuln_span span;
		if (n < 0 || (size_t)n >= sizeof(key))
			return BH_OK;
		int rc = vuln_set_table(set, "eol", (struct bh_slice){ (const uint8_t *)key, (size_t)n }, db, &span, err);
		rc = rc == BH_OK && span.n ? vuln_db_entry(*db, span.first, ret, err) : rc;
		if (rc < 0)
			return rc;
		*found = span.n > 0;
	}
	return BH_OK;
}

int vuln_end_of_life(const struct vuln_set *set, int32_t today, struct bh_report *report, struct bh_err *err)
{
	const struct bh_distro *d = &report->target.distro;
	const struct vuln_db *db = NULL;
	struct vuln_entry entry = { 0 };
	bool found = false;
	int rc = d->id.len && d->version_id.len ? find_release(set, d, &db, &entry, &found, err) : BH_ENOTFOUND;
	if (rc == BH_ENOTFOUND || (rc == BH_OK && !found))
		return BH_OK;
	if (rc < 0)
		return rc;
	struct release r = release_of(&entry);
	if (r.free_until != VULN_NO_DAY && r.free_until < today) /* the last day of support is still a supported day */
		rc = add_release(db, &entry, &r, today, report, err);
	return rc == BH_OK ? vuln_ended_support(set, r.key, today, report, err) : rc;
}
