/*
 * coverage.c: the honest part of a report.
 *
 * Every source of the database is named, with its date. Its age is judged where rows of it were looked at: enrichment such as
 * CISA's list of exploited CVEs may be old without making the answer about packages older. An ecosystem without data, or with data
 * that knows fixed issues only, is named with the number of packages that it concerns.
 */
#include "vuln/coverage.h"

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
}

int vuln_coverage_init(struct vuln_coverage *c, const struct vuln_set *set, struct bh_err *err)
{
	struct vuln_db_totals totals;
	vuln_db_totals(set->db, &totals);
	*c = (struct vuln_coverage){ .set = set };
	bh_map_init(&c->seen, VULN_SOURCES_MAX);
	if (totals.sources > VULN_SOURCES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the database has more than %u sources", VULN_SOURCES_MAX);
	c->used = calloc(totals.sources + 1, sizeof(c->used[0]));
	if (!c->used)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->n_sources = totals.sources;
	return BH_OK;
}

void vuln_coverage_done(struct vuln_coverage *c)
{
	bh_map_done(&c->seen);
	free(c->used);
	c->used = NULL;
}

void vuln_coverage_used(struct vuln_coverage *c, uint32_t source)
{
	if (source < c->n_sources)
		c->used[source] = true;
}

static struct bh_slice note_of(const struct vuln_place *place, const struct vuln_ecosystem *e)
{
	if (place->why_not)
		return bh_slice_str(place->why_not);
	if (!e)
		return BH_SLICE_LIT("no data");
	if (!place->scheme)
		return BH_SLICE_LIT("versions of this ecosystem can't be ordered yet: what advisories name is reported as undetermined");
	return e->fixed_only ? BH_SLICE_LIT("fixed versions only; no open issues") : (struct bh_slice){ 0 };
}

int vuln_coverage_package(struct vuln_coverage *c, const struct vuln_place *place, const struct vuln_ecosystem *e, struct bh_report *report,
			  struct bh_err *err)
{
	struct bh_slice note = note_of(place, e);
	if (note.len == 0)
		return BH_OK;
	void **at = bh_map_put(&c->seen, place->name); /* the name lives in the report's arena */
	if (!at)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u ecosystems in one target", VULN_SOURCES_MAX);
	if (!*at) {
		struct bh_not_covered item = { .ecosystem = place->name, .note = note, .partial = e || place->unpublished };
		if (!bh_not_covered_vec_push(&report->not_covered, item))
			return full(err);
		*at = (void *)(uintptr_t)report->not_covered.len;
	}
	report->not_covered.ptr[(uintptr_t)*at - 1].packages++;
	return BH_OK;
}

static bool known_digest(const uint8_t sha256[32])
{
	uint8_t any = 0;
	for (size_t i = 0; i < 32; i++)
		any |= sha256[i];
	return any;
}

static int list_source(const struct vuln_source *s, struct bh_report *report, struct bh_err *err)
{
	static const char digits[] = "0123456789abcdef";
	char day[16], hex[64];
	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[s->sha256[i] >> 4];
		hex[2 * i + 1] = digits[s->sha256[i] & 15];
	}
	struct bh_data_source item = { .records = s->records, .origin = s->flags & VULN_SOURCE_EMBEDDED ? BH_SLICE_LIT("embedded") : BH_SLICE_LIT("user") };
	struct bh_slice sha = { (const uint8_t *)hex, known_digest(s->sha256) ? sizeof(hex) : 0 };
	bool ok = bh_arena_copy(&report->arena, s->name, &item.name) && bh_arena_copy(&report->arena, bh_slice_str(vuln_day_text(s->day, day)), &item.date) &&
		  bh_arena_copy(&report->arena, s->licence, &item.licence) && bh_arena_copy(&report->arena, sha, &item.sha256);
	return ok && bh_data_vec_push(&report->data, item) ? BH_OK : full(err);
}

static void check_age(const struct vuln_source *s, const struct vuln_match_options *o, struct bh_report *report)
{
	char day[16];
	if (o->max_db_age_days == 0)
		return;
	if (s->day == VULN_NO_DAY)
		bh_report_incomplete(report, "data", s->name, BH_NO_LAYER, "the age of this advisory data is unknown; at most %u days are allowed",
				     o->max_db_age_days);
	else if ((int64_t)o->today_days - s->day > o->max_db_age_days)
		bh_report_incomplete(report, "data", s->name, BH_NO_LAYER,
				     "this advisory data is of %s, %lld days old; at most %u are allowed: import newer data with bulkhead db import",
				     vuln_day_text(s->day, day), (long long)o->today_days - s->day, o->max_db_age_days);
}

static int compare_not_covered(const void *a, const void *b)
{
	const struct bh_not_covered *x = a, *y = b;
	return bh_slice_cmp(x->ecosystem, y->ecosystem);
}

/* The embedded tables stand in for ones that the user's database lacks; which distributions they know is data/'s choice. */
static const struct {
	const char *table, *distros;
} embedded_tables[] = { { "eol", "debian ubuntu" }, { "support-ended", "debian" }, { "binary-version", "debian" } };

static bool among(struct bh_slice word, struct bh_slice words)
{
	struct bh_slice one = { 0 };
	for (bool more = word.len > 0; more;) {
		more = bh_slice_cut(words, ' ', &one, &words);
		if (bh_slice_eq(one, word))
			return true;
	}
	return false;
}

/* Does source number i of the embedded facts speak in this report? */
static int stands_in(const struct vuln_coverage *c, uint32_t i, const struct bh_report *report, bool *ret, struct bh_err *err)
{
	*ret = false;
	for (size_t t = 0; t < sizeof(embedded_tables) / sizeof(embedded_tables[0]); t++) {
		struct bh_slice table = bh_slice_str(embedded_tables[t].table);
		struct vuln_span mine = { 0 }, theirs = { 0 };
		struct vuln_entry first = { 0 };
		if (!among(report->target.distro.id, bh_slice_str(embedded_tables[t].distros)))
			continue;
		int rc = vuln_db_table(c->set->db, table, &mine, err);
		rc = rc == BH_OK ? vuln_db_table(c->set->facts, table, &theirs, err) : rc;
		rc = rc == BH_OK && theirs.n ? vuln_db_entry(c->set->facts, theirs.first, &first, err) : rc;
		if (rc < 0)
			return rc;
		*ret = *ret || (mine.n == 0 && theirs.n && first.source == i);
	}
	return BH_OK;
}

static int list_facts(const struct vuln_coverage *c, struct bh_report *report, struct bh_err *err)
{
	struct vuln_db_totals totals = { 0 };
	if (c->set->facts)
		vuln_db_totals(c->set->facts, &totals);
	for (uint32_t i = 0; i < totals.sources; i++) {
		struct vuln_source s;
		bool used = false;
		int rc = stands_in(c, i, report, &used, err);
		rc = rc == BH_OK ? vuln_db_source(c->set->facts, i, &s, err) : rc;
		rc = rc == BH_OK && used ? list_source(&s, report, err) : rc;
		if (rc < 0)
			return rc;
	}
	return BH_OK;
}

int vuln_coverage_finish(struct vuln_coverage *c, const struct vuln_match_options *options, struct bh_report *report, struct bh_err *err)
{
	struct vuln_db_totals totals;
	vuln_db_totals(c->set->db, &totals);
	bool any_used = false;
	for (uint32_t i = 0; i < c->n_sources; i++)
		any_used = any_used || c->used[i];
	for (uint32_t i = 0; i < c->n_sources; i++) {
		struct vuln_source s;
		int rc = vuln_db_source(c->set->db, i, &s, err);
		rc = rc == BH_OK ? list_source(&s, report, err) : rc;
		if (rc < 0)
			return rc;
		/* When no row was looked at, "nothing found" rests on whatever is newest. */
		if (c->used[i] || (!any_used && s.day == totals.newest_day))
			check_age(&s, options, report);
	}
	if (report->not_covered.len > 1)
		qsort(report->not_covered.ptr, report->not_covered.len, sizeof(report->not_covered.ptr[0]), compare_not_covered);
	return list_facts(c, report, err);
}
