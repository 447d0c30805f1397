/* ranges.c: the table of range syntaxes, and what they share: bounds, asking them, intervals. */
#include "version/ranges.h"

#include "version/chars.h"

#include <stdlib.h>

#define FIRST_ROOM 16u

#define VERSION_RANGES(name) extern const struct version_range_syntax version_ranges_##name;
#include "version/ranges.def"
#undef VERSION_RANGES

const struct version_range_syntax *const version_ranges[] = {
#define VERSION_RANGES(name) &version_ranges_##name,
#include "version/ranges.def"
#undef VERSION_RANGES
	NULL,
};

const struct version_range_syntax *version_ranges_find(struct bh_slice name)
{
	for (size_t i = 0; version_ranges[i]; i++)
		if (bh_slice_eq_str(name, version_ranges[i]->name))
			return version_ranges[i];
	return NULL;
}

/* ---- building ---- */

bool version_range_add(struct version_range *r, enum version_op op, struct bh_slice version, unsigned own)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : FIRST_ROOM;
		struct version_bound *more = r->n < VERSION_RANGE_BOUNDS_MAX ? bh_arena_array(r->arena, room, sizeof(*more)) : NULL;
		if (!more)
			return false;
		if (r->n)
			memcpy(more, r->bounds, r->n * sizeof(*more));
		r->bounds = more;
		r->room = room;
	}
	r->bounds[r->n++] = (struct version_bound){ .op = op, .version = version, .first = r->next_is_first, .own = own };
	r->next_is_first = false;
	return true;
}

void version_range_or(struct version_range *r)
{
	r->next_is_first = true;
}

struct bh_slice version_range_plus_one(struct version_range *r, struct bh_slice digits)
{
	digits = version_without_zeros(digits);
	uint8_t *out = bh_arena_alloc(r->arena, digits.len + 1);
	if (!out)
		return (struct bh_slice){ 0 };
	out[0] = '0';
	if (digits.len)
		memcpy(out + 1, digits.ptr, digits.len);
	size_t i = digits.len;
	while (out[i] == '9')
		out[i--] = '0';
	out[i]++;
	return bh_slice_sub((struct bh_slice){ out, digits.len + 1 }, out[0] == '0' ? 1 : 0, digits.len + 1);
}

int version_range_take_op(struct bh_slice *text, const char *const *ops)
{
	*text = version_trim(*text);
	for (int i = 0; ops[i]; i++)
		if (bh_slice_starts(*text, bh_slice_str(ops[i]))) {
			(void)version_take(text, strlen(ops[i]));
			*text = version_trim(*text);
			return i;
		}
	return -1;
}

int version_range_refuse(const struct version_range *r, struct bh_slice text, struct bh_err *err)
{
	return bh_fail(err, BH_EMALFORMED, 0, "\"%.*s\" is not a range of versions as %s writes it",
		       BH_SLICE_FMT(bh_slice_sub(text, 0, 80)), r->syntax->name);
}

int version_range_parse(const struct version_range_syntax *syntax, struct bh_slice text, struct bh_arena *arena, struct version_range *ret,
			struct bh_err *err)
{
	struct version_range r = {
		.syntax = syntax, .scheme = version_scheme_find(bh_slice_str(syntax->scheme)), .arena = arena, .next_is_first = true,
	};
	if (text.len > VERSION_RANGE_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a version range of more than %u bytes", VERSION_RANGE_BYTES_MAX);
	if (bh_slice_find(text, '\0') < text.len)
		return version_range_refuse(&r, text, err);
	int rc = syntax->parse(text, &r, err);
	if (rc == 0)
		*ret = r;
	return rc;
}

/* ---- asking ---- */

bool version_op_holds(enum version_op op, int order)
{
	switch (op) {
	case VERSION_ANY: return true;
	case VERSION_NONE: return false;
	case VERSION_EQ: return order == 0;
	case VERSION_NE: return order != 0;
	case VERSION_LT: return order < 0;
	case VERSION_LE: return order <= 0;
	case VERSION_GT: return order > 0;
	case VERSION_GE: return order >= 0;
	}
	return false;
}

static bool holds(const struct version_range *r, const struct version_bound *b, struct bh_slice version)
{
	int order = 0;
	if (b->op == VERSION_ANY || b->op == VERSION_NONE)
		return b->op == VERSION_ANY;
	if (r->syntax->holds)
		return r->syntax->holds(r, b, version);
	return r->scheme->compare(version, b->version, &order, NULL) == 0 && version_op_holds(b->op, order);
}

/* The end of the alternative that begins at `from`. */
static size_t alternative(const struct version_range *r, size_t from)
{
	size_t to = from + 1;
	while (to < r->n && !r->bounds[to].first)
		to++;
	return to;
}

int version_range_contains(const struct version_range *range, struct bh_slice version, bool *ret, struct bh_err *err)
{
	if (!range->scheme->valid(version))
		return bh_fail(err, BH_EMALFORMED, 0, "\"%.*s\" is not a version in the order %s", BH_SLICE_FMT(bh_slice_sub(version, 0, 80)), range->scheme->name);
	bool found = false;
	for (size_t from = 0, to; from < range->n && !found; from = to) {
		to = alternative(range, from);
		found = !range->syntax->admits || range->syntax->admits(range->bounds + from, to - from, version);
		for (size_t i = from; i < to && found; i++)
			found = holds(range, &range->bounds[i], version);
	}
	*ret = found;
	return 0;
}

/* ---- intervals ---- */

/* An end on the number line: its version, and whether it lies just behind it. A missing low end is below, a missing high end above all. */
static int compare_ends(const struct version_scheme *s, struct bh_slice a, bool behind_a, struct bh_slice b, bool behind_b)
{
	int order = 0;
	if (s->compare(a, b, &order, NULL) < 0)
		order = bh_slice_cmp(a, b); /* parse() took valid versions only: this keeps the order total all the same */
	return order ? order : behind_a - behind_b;
}

static int compare_lows(const struct version_scheme *s, const struct version_interval *a, const struct version_interval *b)
{
	if (a->low.len == 0 || b->low.len == 0)
		return (a->low.len > 0) - (b->low.len > 0);
	return compare_ends(s, a->low, a->low_excluded, b->low, b->low_excluded);
}

static int compare_highs(const struct version_scheme *s, const struct version_interval *a, const struct version_interval *b)
{
	if (a->high.len == 0 || b->high.len == 0)
		return (a->high.len == 0) - (b->high.len == 0);
	return compare_ends(s, a->high, !a->high_excluded, b->high, !b->high_excluded);
}

/* Where a ends against where b begins: < 0 is a gap, 0 means they meet without one. */
static int compare_high_low(const struct version_scheme *s, const struct version_interval *a, const struct version_interval *b)
{
	if (a->high.len == 0 || b->low.len == 0)
		return 1;
	return compare_ends(s, a->high, !a->high_excluded, b->low, b->low_excluded);
}

static struct version_interval intersect(const struct version_scheme *s, const struct version_interval *a, const struct version_interval *b)
{
	const struct version_interval *low = compare_lows(s, a, b) > 0 ? a : b, *high = compare_highs(s, a, b) < 0 ? a : b;
	return (struct version_interval){ .low = low->low, .low_excluded = low->low_excluded, .high = high->high, .high_excluded = high->high_excluded };
}

static bool is_empty(const struct version_scheme *s, const struct version_interval *i)
{
	return i->low.len && i->high.len && compare_high_low(s, i, i) <= 0;
}

/* The one or two intervals that a bound leaves. */
static size_t intervals_of(const struct version_bound *b, struct version_interval ret[2])
{
	ret[0] = ret[1] = (struct version_interval){ 0 };
	switch (b->op) {
	case VERSION_ANY: return 1;
	case VERSION_NONE: return 0;
	case VERSION_EQ: ret[0].low = ret[0].high = b->version; return 1;
	case VERSION_NE:
		ret[0].high = ret[1].low = b->version;
		ret[0].high_excluded = ret[1].low_excluded = true;
		return 2;
	case VERSION_LT:
	case VERSION_LE:
		ret[0].high = b->version;
		ret[0].high_excluded = b->op == VERSION_LT;
		return 1;
	case VERSION_GT:
	case VERSION_GE:
		ret[0].low = b->version;
		ret[0].low_excluded = b->op == VERSION_GT;
		return 1;
	}
	return 0;
}

/* all[0, n) is one alternative so far; what b leaves of it. There is room for one more for every NE. */
static size_t narrow(const struct version_scheme *s, const struct version_bound *b, struct version_interval *all, size_t n,
		     struct version_interval *scratch)
{
	struct version_interval with[2];
	size_t n_with = intervals_of(b, with), kept = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n_with; k++) {
			struct version_interval both = intersect(s, &all[i], &with[k]);
			if (!is_empty(s, &both))
				scratch[kept++] = both;
		}
	memcpy(all, scratch, kept * sizeof(*all));
	return kept;
}

struct sorting {
	const struct version_scheme *scheme;
};

static int by_low(const void *a, const void *b, void *ctx)
{
	const struct sorting *s = ctx;
	int order = compare_lows(s->scheme, a, b);
	return order ? order : compare_highs(s->scheme, a, b);
}

size_t version_intervals_merge(const struct version_scheme *scheme, struct version_interval *all, size_t n)
{
	struct sorting sorting = { scheme };
	size_t kept = 0;
	if (n > 1)
		qsort_r(all, n, sizeof(*all), by_low, &sorting);
	for (size_t i = 0; i < n; i++) {
		struct version_interval *last = kept ? &all[kept - 1] : NULL;
		if (!last || compare_high_low(scheme, last, &all[i]) < 0) {
			all[kept++] = all[i];
		} else if (compare_highs(scheme, last, &all[i]) < 0) {
			last->high = all[i].high;
			last->high_excluded = all[i].high_excluded;
		}
	}
	return kept;
}

size_t version_intervals_complement(const struct version_interval *in, size_t n, struct version_interval *ret)
{
	struct version_interval gap = { 0 };
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (in[i].low.len) {
			gap.high = in[i].low;
			gap.high_excluded = !in[i].low_excluded;
			ret[kept++] = gap;
		}
		if (in[i].high.len == 0)
			return kept;
		gap = (struct version_interval){ .low = in[i].high, .low_excluded = !in[i].high_excluded };
	}
	ret[kept++] = gap;
	return kept;
}

int version_range_intervals(const struct version_range *range, struct version_interval **ret, size_t *n, struct bh_err *err)
{
	size_t room = 2 * range->n + 2, total = 0;
	struct version_interval *all = bh_arena_array(range->arena, room, sizeof(*all)), *scratch = bh_arena_array(range->arena, 2 * room, sizeof(*all));
	if (!all || !scratch)
		return bh_fail(err, BH_ELIMIT, 0, "a version range larger than memory limits allow");
	for (size_t from = 0, to; from < range->n; from = to) {
		size_t here = 1;
		to = alternative(range, from);
		all[total] = (struct version_interval){ 0 };
		for (size_t i = from; i < to; i++)
			here = narrow(range->scheme, &range->bounds[i], all + total, here, scratch);
		total += here;
	}
	*n = version_intervals_merge(range->scheme, all, total);
	*ret = all;
	return 0;
}
