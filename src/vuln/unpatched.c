/*
 * unpatched.c: from "patched" and "unaffected" to what is affected: the versions that no requirement holds.
 *
 *     patched >= 2.1.3, < 3.0.0 and >= 3.1.0; unaffected < 1.0.0   ->   1.0.0 to 2.1.3 (fixed), 3.0.0 to 3.1.0 (fixed)
 *
 * A range of the database includes its start. Where an interval does not ("unaffected <= 1.2"), the start becomes the next version that
 * could exist.
 */
#include "vuln/unpatched.h"

#define INTERVALS_MAX 4096u

struct found {
	struct version_range ranges[VULN_REQUIREMENTS_MAX];
	struct version_interval *all;
	size_t n;
};

static int out_of_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "a record larger than memory limits allow");
}

static int add_requirement(struct found *f, size_t i, const struct vuln_unpatched *u, struct bh_arena *arena, struct bh_err *err)
{
	struct version_interval *some = NULL;
	size_t n = 0;
	int rc = version_range_parse(u->syntax, u->requirements[i], arena, &f->ranges[i], err);
	rc = rc < 0 ? rc : version_range_intervals(&f->ranges[i], &some, &n, err);
	if (rc == 0 && n > INTERVALS_MAX - f->n)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u intervals of versions", INTERVALS_MAX);
	if (rc == 0 && n)
		memcpy(f->all + f->n, some, n * sizeof(*some));
	f->n += rc == 0 ? n : 0;
	return rc;
}

/* The lowest version above v that anybody would publish: of Cargo the first pre-release of the next patch, of gems one more level. */
static struct bh_slice next_version(const struct vuln_unpatched *u, struct version_range *r, struct bh_slice v)
{
	if (strcmp(u->syntax->name, "cargo") != 0)
		return bh_slice_str(bh_arena_printf(r->arena, "%.*s.0.1", BH_SLICE_FMT(v)));
	struct bh_slice major, minor, rest;
	(void)bh_slice_cut(v, '.', &major, &rest);
	(void)bh_slice_cut(rest, '.', &minor, &rest);
	size_t digits = 0;
	while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
		digits++;
	if (digits < rest.len && rest.ptr[digits] == '-') /* of a pre-release the one that has one identifier more */
		return bh_slice_str(bh_arena_printf(r->arena, "%.*s.0", BH_SLICE_FMT(v)));
	struct bh_slice patch = version_range_plus_one(r, bh_slice_sub(rest, 0, digits));
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s.%.*s.%.*s-0", BH_SLICE_FMT(major), BH_SLICE_FMT(minor), BH_SLICE_FMT(patch)));
}

/* Is the version among the patched ones (and not only among those that never had the flaw)? */
static bool is_patched(const struct found *f, const struct vuln_unpatched *u, struct bh_slice version)
{
	bool yes = false;
	for (size_t i = 0; i < u->n_patched && !yes; i++)
		if (version_range_contains(&f->ranges[i], version, &yes, NULL) < 0)
			return false;
	return yes;
}

static struct vuln_range range_of(struct found *f, const struct vuln_unpatched *u, const struct version_interval *i)
{
	struct vuln_range r = { .start = i->low, .end = i->high, .kind = VULN_END_NONE };
	if (i->low.len && i->low_excluded)
		r.start = next_version(u, &f->ranges[0], i->low);
	if (i->high.len)
		r.kind = !i->high_excluded ? VULN_END_LAST : is_patched(f, u, i->high) ? VULN_END_FIXED : VULN_END_LIMIT;
	return r;
}

/* *has_fix: one of the ranges ends with a patched version. */
static int find_ranges(const struct vuln_unpatched *u, struct bh_arena *arena, struct vuln_range **ret, size_t *n, bool *has_fix, struct bh_err *err)
{
	struct found *f = bh_arena_alloc(arena, sizeof(*f));
	struct version_interval *gaps = bh_arena_array(arena, INTERVALS_MAX + 1, sizeof(*gaps));
	if (!f || !gaps || !(f->all = bh_arena_array(arena, INTERVALS_MAX, sizeof(*f->all))))
		return out_of_memory(err);
	for (size_t i = 0; i < u->n; i++) {
		int rc = add_requirement(f, i, u, arena, err);
		if (rc < 0)
			return rc;
	}
	const struct version_scheme *scheme = version_scheme_find(bh_slice_str(u->syntax->scheme));
	size_t m = version_intervals_complement(f->all, version_intervals_merge(scheme, f->all, f->n), gaps);
	struct vuln_range *out = bh_arena_array(arena, m + 1, sizeof(*out));
	if (!out)
		return out_of_memory(err);
	*has_fix = false;
	for (size_t i = 0; i < m; i++) {
		out[i] = range_of(f, u, &gaps[i]);
		*has_fix |= out[i].kind == VULN_END_FIXED;
	}
	*ret = out;
	*n = m;
	return 0;
}

void vuln_unpatched_add(struct vuln_unpatched *u, struct bh_slice requirement)
{
	if (u->n == VULN_REQUIREMENTS_MAX)
		u->too_many = true;
	else
		u->requirements[u->n++] = requirement;
}

int vuln_unpatched_row(struct vuln_feed_run *run, const struct vuln_unpatched *u, struct vuln_new_row *row, struct bh_err *err)
{
	struct vuln_range *ranges = NULL;
	bool fixed = false;
	struct bh_err why = { 0 };
	int rc = u->too_many ? BH_EMALFORMED : find_ranges(u, &run->scratch, &ranges, &row->n_ranges, &fixed, &why);
	if (rc < 0 && rc != BH_EMALFORMED) {
		*err = why;
		return rc;
	}
	if (rc < 0) {
		vuln_feed_note(run, VULN_FEED_REMARK, "records whose requirements can't be read (undetermined)", row->id);
		row->n_ranges = 0;
		row->state = BH_STATE_UNDETERMINED;
	} else {
		row->ranges = ranges;
		row->state = row->n_ranges == 0 ? BH_STATE_NOT_AFFECTED : fixed ? BH_STATE_FIXED : BH_STATE_AFFECTED;
	}
	return vuln_feed_row(run, row, err);
}
