/*
 * judge.c: one row against one installed version.
 *
 *     other architecture or module        -> elsewhere
 *     state NOT_AFFECTED without ranges   -> not affected, whatever the version
 *     nothing to compare with             -> undetermined
 *     in a range, or listed               -> affected (not affected or undetermined, when that is the state)
 *     can't be ordered, and not listed letter by letter -> undetermined, with the reason
 *     else                                -> fine
 *
 * A range whose ends can't be ordered does not end the search: another one may well contain the version. Only when none does,
 * the bad one decides, as "undetermined".
 */
#include "vuln/judge.h"

#include "vuln/range.h"

#define UNKNOWN_STREAM "?"

static bool is_modular(const struct bh_package *p)
{
	return p->modularity.len > 0;
}

/* row "nodejs:18", package "nodejs:18:9030020231222:rhel9" */
static bool same_stream(struct bh_slice row, struct bh_slice label)
{
	return bh_slice_starts(label, row) && (label.len == row.len || label.ptr[row.len] == ':');
}

/*
 * Module builds of one package have versions of their own in each stream, so comparing across streams is meaningless, as is
 * comparing them with the builds outside of modules.
 */
static bool concerns_build(const struct vuln_row *row, const struct vuln_installed *in)
{
	const struct bh_package *p = in->package;
	struct bh_slice arch = in->as_source ? BH_SLICE_LIT(VULN_ARCH_SOURCE) : p->arch;
	if ((row->arch.len || in->as_source) && !bh_slice_eq(row->arch, arch))
		return false;
	if (row->module.len == 0)
		return !is_modular(p);
	if (bh_slice_eq_str(row->module, UNKNOWN_STREAM))
		return is_modular(p);
	return is_modular(p) && same_stream(row->module, p->modularity);
}

struct search {
	const struct vuln_db *db;
	const struct vuln_row *row;
	const struct vuln_installed *installed;
	uint64_t *work;
	bool found;
	const char *trouble; /* something that could not be compared */
	struct vuln_decision decision;
};

static int spend(uint64_t *work, struct bh_err *err)
{
	if (*work == 0)
		return bh_fail(err, BH_ELIMIT, 0, "the database has more ranges for these packages than any real one: it is damaged or hostile");
	--*work;
	return BH_OK;
}

static const char unordered[] = "a version in the advisory can't be ordered";

/* Why the installed version can't be put in order with any other; NULL when it can. */
static const char *not_orderable(const struct vuln_installed *in)
{
	if (!in->scheme)
		return "versions of this ecosystem can't be ordered by this program";
	return in->valid ? NULL : "the installed version can't be ordered";
}

/* Is the installed version the same as this one? What can't be told is noted as trouble. */
static bool same_version(struct search *s, struct bh_slice version)
{
	const struct version_scheme *scheme = s->installed->scheme;
	int c = 1;
	if (bh_slice_eq(version, s->installed->version))
		return true;
	if (not_orderable(s->installed))
		return false; /* noted already */
	if (!scheme->valid(version) || scheme->compare(s->installed->version, version, &c, NULL) < 0)
		s->trouble = unordered;
	return c == 0;
}

static int search_ranges(struct search *s, struct bh_err *err)
{
	s->trouble = not_orderable(s->installed);
	for (uint32_t i = 0; i < s->row->n_ranges && !s->found && !not_orderable(s->installed); i++) {
		struct vuln_range range = { 0 };
		int rc = spend(s->work, err);
		rc = rc == BH_OK ? vuln_db_range(s->db, s->row, i, &range, err) : rc;
		if (rc < 0)
			return rc;
		enum vuln_holds holds = vuln_range_holds(s->installed->scheme, &range, s->installed->version);
		if (holds == VULN_HOLDS_UNKNOWN)
			s->trouble = unordered;
		if (holds != VULN_HOLDS_YES)
			continue;
		s->found = true;
		s->decision.bound = range.end;
		s->decision.kind = range.kind;
	}
	return BH_OK;
}

static int search_versions(struct search *s, struct bh_err *err)
{
	for (uint32_t i = 0; i < s->row->n_versions && !s->found; i++) {
		struct bh_slice version = { 0 };
		int rc = spend(s->work, err);
		rc = rc == BH_OK ? vuln_db_version(s->db, s->row, i, &version, err) : rc;
		if (rc < 0)
			return rc;
		if (same_version(s, version)) {
			s->found = true;
			s->decision.listed = true;
			s->decision.kind = VULN_END_NONE;
		}
	}
	return BH_OK;
}

static struct vuln_decision undetermined(const char *why)
{
	return (struct vuln_decision){ .outcome = VULN_UNDETERMINED, .why = why };
}

/* What can be said without comparing. False: the version has to tell. */
static bool judged_by_state(const struct vuln_row *row, struct vuln_decision *ret)
{
	bool nothing_to_compare = row->n_ranges == 0 && row->n_versions == 0;
	if (row->state == BH_STATE_NOT_AFFECTED && nothing_to_compare)
		*ret = (struct vuln_decision){ .outcome = VULN_NOT_AFFECTED };
	else if (nothing_to_compare)
		*ret = undetermined("the advisory does not tell which versions are affected, if any");
	else
		return false;
	return true;
}

int vuln_judge(const struct vuln_db *db, const struct vuln_row *row, const struct vuln_installed *installed, uint64_t *work,
	       struct vuln_decision *ret, struct bh_err *err)
{
	int rc = spend(work, err);
	if (rc < 0)
		return rc;
	if (!concerns_build(row, installed)) {
		*ret = (struct vuln_decision){ .outcome = VULN_ELSEWHERE };
		return BH_OK;
	}
	if (judged_by_state(row, ret))
		return BH_OK;
	struct search s = { .db = db, .row = row, .installed = installed, .work = work };
	rc = search_ranges(&s, err);
	rc = rc == BH_OK ? search_versions(&s, err) : rc;
	if (rc < 0)
		return rc;
	s.decision.outcome = row->state == BH_STATE_NOT_AFFECTED ? VULN_NOT_AFFECTED : VULN_AFFECTED;
	if (!s.found)
		*ret = s.trouble ? undetermined(s.trouble) : (struct vuln_decision){ .outcome = VULN_FINE };
	else if (s.decision.outcome == VULN_AFFECTED && row->state == BH_STATE_UNDETERMINED)
		*ret = undetermined("the vendor has not determined whether it is affected");
	else if (s.decision.outcome == VULN_AFFECTED && bh_slice_eq_str(row->module, UNKNOWN_STREAM))
		*ret = undetermined("the advisory does not say which module stream it is about");
	else
		*ret = s.decision;
	return BH_OK;
}
