/*
 * match.c: packages x advisories -> findings.
 *
 *     package -> place (ecosystem, scheme, which name) -> rows -> a decision each -> one finding per advisory
 *
 * Several rows may speak of one advisory (releases of a product, builds, errata): the worst decision counts. Nothing that
 * could not be decided is dropped: it becomes a finding in the state "undetermined".
 */
#include "vuln/match.h"

#include "vuln/coverage.h"
#include "vuln/eol.h"
#include "vuln/finding.h"
#include "vuln/judge.h"
#include "vuln/numbering.h"

/* Ranges and versions looked at in one run: the largest real image (60,000 rows of old kernels) needs under a million. */
#define WORK_MAX 50000000ull
#define ROWS_MAX 200000u /* about one package: 4,113 for Debian's kernel today */

BH_VEC(said_vec, struct vuln_said)

struct matcher {
	const struct vuln_set *set;
	const struct vuln_match_options *options;
	struct bh_report *report;
	struct vuln_coverage coverage;
	struct said_vec said;     /* about the package at hand */
	struct vuln_pending pending;
	uint64_t work;
};

/* ---- rows of one package ---- */

/* Rows nobody reviewed count only where no reviewed one speaks of the advisory. */
static int compare_said(const void *a, const void *b)
{
	const struct vuln_said *x = a, *y = b;
	if (x->row.advisory != y->row.advisory)
		return x->row.advisory < y->row.advisory ? -1 : 1;
	int unreviewed = (x->row.flags & VULN_ROW_UNREVIEWED) - (y->row.flags & VULN_ROW_UNREVIEWED);
	if (unreviewed)
		return unreviewed;
	if (x->decision.outcome != y->decision.outcome)
		return x->decision.outcome > y->decision.outcome ? -1 : 1;
	bool fx = x->decision.kind == VULN_END_FIXED, fy = y->decision.kind == VULN_END_FIXED;
	if (fx != fy)
		return fx ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static bool skipped(const struct matcher *m, const struct vuln_advisory *a)
{
	if (a->flags & VULN_ADV_WITHDRAWN)
		return !m->options->include_withdrawn;
	return a->flags & VULN_ADV_INFORMATIONAL; /* "unmaintained", bug-fix errata: true, but no vulnerability */
}

/*
 * A pending update is the newest version that the archive offers. The marks of point releases are informational (see
 * tools/embed-facts.c): they tell the newest version for fixes of CVEs, but are no security news by themselves.
 */
static int take_pending(struct matcher *m, const struct vuln_said *s, const struct vuln_installed *in, struct bh_err *err)
{
	struct vuln_pending *had = &m->pending;
	struct vuln_advisory advisory;
	int c = 1, rc = vuln_db_advisory(m->set->db, s->row.advisory, &advisory, err);
	had->known = true;
	if (rc < 0 || s->decision.outcome < VULN_UNDETERMINED || s->decision.outcome < had->said.decision.outcome)
		return rc;
	bool both = s->decision.outcome == VULN_AFFECTED && had->said.decision.outcome == VULN_AFFECTED;
	if (both && in->scheme->compare(s->decision.bound, had->said.decision.bound, &c, NULL) == BH_OK && c <= 0)
		return BH_OK;
	*had = (struct vuln_pending){ .known = true, .present = true, .security = !(advisory.flags & VULN_ADV_INFORMATIONAL), .said = *s };
	return BH_OK;
}

static int collect_row(struct matcher *m, uint32_t index, const struct vuln_installed *in, struct bh_err *err)
{
	struct vuln_said s = { .index = index };
	int rc = vuln_db_row(m->set->db, index, &s.row, err);
	rc = rc == BH_OK ? vuln_judge(m->set->db, &s.row, in, &m->work, &s.decision, err) : rc;
	if (rc < 0)
		return rc;
	vuln_coverage_used(&m->coverage, s.row.source);
	if (s.decision.outcome == VULN_ELSEWHERE)
		return BH_OK;
	if (s.row.flags & VULN_ROW_PENDING_UPDATE)
		return take_pending(m, &s, in, err);
	return said_vec_push(&m->said, s) ? BH_OK : bh_fail(err, BH_ELIMIT, 0, "more than %zu rows about one package", m->said.max);
}

static int collect(struct matcher *m, struct bh_slice ecosystem, const struct vuln_installed *in, struct bh_err *err)
{
	struct vuln_span rows;
	int rc = vuln_db_find(m->set->db, ecosystem, in->name, &rows, err);
	for (uint32_t i = 0; rc == BH_OK && i < rows.n; i++)
		rc = collect_row(m, rows.first + i, in, err);
	return rc;
}

/* One advisory: said[from, to). */
static int conclude(struct matcher *m, const struct vuln_subject *subject, size_t from, size_t to, struct bh_err *err)
{
	const struct vuln_said *first = &m->said.ptr[from];
	while (to > from && (m->said.ptr[to - 1].row.flags & VULN_ROW_UNREVIEWED) != (first->row.flags & VULN_ROW_UNREVIEWED))
		to--;
	struct vuln_advisory advisory;
	int rc = vuln_db_advisory(m->set->db, first->row.advisory, &advisory, err);
	if (rc < 0 || skipped(m, &advisory))
		return rc;
	switch (first->decision.outcome) {
	case VULN_AFFECTED:
	case VULN_UNDETERMINED: return vuln_add_finding(subject, &advisory, first, to - from, &m->pending, err);
	case VULN_NOT_AFFECTED: m->report->not_affected++; return BH_OK;
	case VULN_FINE:
	case VULN_ELSEWHERE: return BH_OK;
	}
	return BH_OK;
}

static int conclude_all(struct matcher *m, const struct vuln_subject *subject, struct bh_err *err)
{
	if (m->said.len > 1)
		qsort(m->said.ptr, m->said.len, sizeof(m->said.ptr[0]), compare_said);
	for (size_t from = 0, to; from < m->said.len; from = to) {
		for (to = from + 1; to < m->said.len && m->said.ptr[to].row.advisory == m->said.ptr[from].row.advisory; to++)
			;
		int rc = conclude(m, subject, from, to, err);
		if (rc < 0)
			return rc;
	}
	return vuln_add_pending(subject, &m->pending, err);
}

/* ---- packages ---- */

/* Every ecosystem of the database that the place means; `known` is the first of them. */
static int collect_place(struct matcher *m, const struct vuln_place *place, const struct vuln_installed *in, struct vuln_ecosystem *known,
			 bool *found,
			 struct bh_err *err)
{
	int rc = vuln_db_find_ecosystem(m->set->db, place->name, known, err);
	*found = rc == BH_OK;
	if (rc == BH_OK)
		rc = collect(m, place->name, in, err);
	else if (rc == BH_ENOTFOUND)
		rc = BH_OK;
	struct vuln_db_totals totals;
	vuln_db_totals(m->set->db, &totals);
	for (uint32_t i = 0; rc == BH_OK && place->prefix.len && i < totals.ecosystems; i++) {
		struct vuln_ecosystem e;
		rc = m->work-- ? vuln_db_ecosystem(m->set->db, i, &e, err) : bh_fail(err, BH_ELIMIT, 0, "the database has too many ecosystems");
		if (rc < 0 || bh_slice_eq(e.name, place->name) || !bh_slice_starts(e.name, place->prefix) || !bh_slice_ends(e.name, place->suffix))
			continue;
		rc = collect(m, e.name, in, err);
		*known = *found ? *known : e;
		*found = true;
	}
	return rc;
}

/* rpm: advisories that name the source package. */
static int collect_source(struct matcher *m, const struct vuln_place *place, const struct vuln_installed *in, struct bh_err *err)
{
	struct vuln_installed source = *in;
	struct vuln_ecosystem known;
	bool found;
	if (place->by_source)
		return BH_OK;
	source.name = bh_package_source_name(in->package);
	source.version = bh_package_source_version(in->package);
	source.valid = source.scheme && source.scheme->valid(source.version);
	source.as_source = true;
	return collect_place(m, place, &source, &known, &found, err);
}

/*
 * A signed kernel is judged as the kernel that was signed, where the database knows that one: trackers don't speak of the
 * signing sources. Which version is the newest signed one, its own pending update still says: signing lags behind.
 */
static int collect_unsigned(struct matcher *m, const struct vuln_place *place, struct vuln_installed *in, struct bh_err *err)
{
	struct bh_arena *arena = &m->report->arena;
	struct vuln_installed kernel = *in;
	struct vuln_ecosystem known;
	struct vuln_pending pending = m->pending;
	size_t own = m->said.len;
	bool found;
	if (!vuln_unsigned(in->package, arena, &kernel.name, &kernel.version))
		return BH_OK;
	kernel.valid = kernel.scheme && kernel.scheme->valid(kernel.version);
	int rc = collect_place(m, place, &kernel, &known, &found, err);
	if (rc < 0 || m->said.len == own)
		return rc;
	m->said.len -= own;
	memmove(m->said.ptr, m->said.ptr + own, m->said.len * sizeof(m->said.ptr[0]));
	if (pending.known)
		m->pending = pending;
	if (pending.present && pending.said.decision.outcome == VULN_AFFECTED)
		m->pending.said.decision.bound = vuln_unsigned_version(pending.said.decision.bound, arena);
	*in = kernel;
	return BH_OK;
}

static int match_package(struct matcher *m, const struct bh_package *p, const struct vuln_place *place, struct bh_err *err)
{
	if (place->why_not)
		return vuln_coverage_package(&m->coverage, place, NULL, m->report, err);
	struct vuln_installed in = { .package = p, .scheme = place->scheme, .name = place->package, .version = p->version };
	if (place->by_source)
		in.version = bh_package_source_version(p);
	in.valid = in.scheme && in.scheme->valid(in.version);
	m->said.len = 0;
	m->pending = (struct vuln_pending){ 0 };
	struct vuln_ecosystem known;
	bool found;
	int rc = collect_place(m, place, &in, &known, &found, err);
	rc = rc == BH_OK ? collect_source(m, place, &in, err) : rc;
	rc = rc == BH_OK ? collect_unsigned(m, place, &in, err) : rc;
	rc = rc == BH_OK ? vuln_coverage_package(&m->coverage, place, found ? &known : NULL, m->report, err) : rc;
	if (rc < 0)
		return rc;
	struct vuln_numbering numbering = {
		.set = m->set,
		.ecosystem = place->name,
		.package = p,
		.source = in.name,
		.source_version = in.version,
		.arena = &m->report->arena,
	};
	struct vuln_subject subject = { .set = m->set, .report = m->report, .place = place, .installed = &in, .numbering = &numbering };
	return conclude_all(m, &subject, err);
}

static int match_packages(struct matcher *m, struct bh_err *err)
{
	struct vuln_place place = { 0 };
	for (size_t i = 0; i < m->report->packages.len; i++) {
		const struct bh_package *p = &m->report->packages.ptr[i];
		if (p->owner.len && !m->options->match_owned) /* its owner is in the list, too, and its advisories say what was patched */
			continue;
		if (!vuln_place_of(&m->report->target.distro, p, &m->report->arena, &place))
			return bh_fail(err, BH_ELIMIT, 0, "the report is larger than its limit");
		int rc = match_package(m, p, &place, err);
		if (rc < 0)
			return bh_wrap(err, "matching %.*s", BH_SLICE_FMT(p->name));
	}
	return BH_OK;
}

int vuln_match(const struct vuln_set *set, const struct vuln_match_options *options, struct bh_report *report, struct bh_err *err)
{
	struct matcher m = { .set = set, .options = options, .report = report, .work = WORK_MAX, .said = { .max = ROWS_MAX } };
	int rc = vuln_coverage_init(&m.coverage, set, err);
	rc = rc == BH_OK ? match_packages(&m, err) : rc;
	rc = rc == BH_OK ? vuln_end_of_life(set, options->today_days, report, err) : rc;
	rc = rc == BH_OK ? vuln_coverage_finish(&m.coverage, options, report, err) : rc;
	said_vec_done(&m.said);
	vuln_coverage_done(&m.coverage);
	return rc;
}
