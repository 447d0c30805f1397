/*
 * range_npm.c: ranges of package.json, as node-semver 7 reads them (strictly):
 *
 *     alternatives between "||"; in each comparators between blanks, or "A - B"
 *     ^1.2.3   >=1.2.3 <2.0.0-0        ~1.2.3   >=1.2.3 <1.3.0-0        1.2, 1.2.x, 1.2.*   >=1.2.0 <1.3.0-0
 *     >1.2     >=1.3.0                 <=1.2    <1.3.0-0                 1.0 - 2.1           >=1.0.0 <2.2.0-0
 *
 * A pre-release is meant only where a comparator of the alternative names a pre-release of the same three numbers.
 */
#include "version/chars.h"
#include "version/ranges.h"
#include "version/semver_parts.h"

/* A version that may have "x" or nothing in its places: empty numbers. */
struct partial {
	struct bh_slice major, minor, patch, pre;
	struct bh_slice whole; /* without prefix and build */
	bool odd_prefix;       /* something else than "" or "v" stands before it */
};

static bool is_prefix(uint8_t c)
{
	return c == 'v' || c == '=' || version_is_space(c);
}

static bool take_place(struct bh_slice *s, struct bh_slice *ret)
{
	*ret = (struct bh_slice){ 0 };
	if (version_take_char(s, 'x') || version_take_char(s, 'X') || version_take_char(s, '*'))
		return true;
	*ret = version_take_digits(s);
	return ret->len == 1 || (ret->len > 1 && ret->ptr[0] != '0');
}

static bool parse_partial(struct bh_slice s, struct partial *ret)
{
	*ret = (struct partial){ 0 };
	struct bh_slice prefix = version_take(&s, version_count(s, is_prefix));
	ret->odd_prefix = prefix.len > 1 || (prefix.len == 1 && prefix.ptr[0] != 'v');
	ret->whole = bh_slice_sub(s, 0, bh_slice_find(s, '+'));
	if (!take_place(&s, &ret->major))
		return false;
	if (s.len == 0)
		return true;
	if (!version_take_char(&s, '.') || !take_place(&s, &ret->minor))
		return false;
	if (s.len == 0)
		return true;
	if (!version_take_char(&s, '.') || !take_place(&s, &ret->patch))
		return false;
	struct bh_slice build;
	if (bh_slice_cut(s, '+', &s, &build) && !semver_are_identifiers(build))
		return false;
	ret->pre = s;
	return s.len == 0 || (version_take_char(&ret->pre, '-') && semver_are_strict_identifiers(ret->pre));
}

static bool is_full(const struct partial *p)
{
	return p->major.len && p->minor.len && p->patch.len;
}

static struct bh_slice zero_if_missing(struct bh_slice number)
{
	return number.len ? number : BH_SLICE_LIT("0");
}

/* "1.2.3" and its like, with a suffix */
static struct bh_slice numbers(struct version_range *r, struct bh_slice major, struct bh_slice minor, struct bh_slice patch, const char *suffix)
{
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s.%.*s.%.*s%s", BH_SLICE_FMT(zero_if_missing(major)), BH_SLICE_FMT(zero_if_missing(minor)),
					    BH_SLICE_FMT(zero_if_missing(patch)), suffix));
}

static bool add(struct version_range *r, enum version_op op, struct bh_slice version)
{
	return (version.len || op == VERSION_ANY) && version_range_add(r, op, version, 0);
}

static bool add_any(struct version_range *r)
{
	return add(r, VERSION_ANY, (struct bh_slice){ 0 });
}

static const struct bh_slice nothing;

/* The first version behind all that begin like p, up to the place that is not written. */
static struct bh_slice behind(struct version_range *r, const struct partial *p, const char *suffix)
{
	if (p->minor.len == 0)
		return numbers(r, version_range_plus_one(r, p->major), nothing, nothing, suffix);
	return numbers(r, p->major, version_range_plus_one(r, p->minor), nothing, suffix);
}

/* As it stands: its own numbers and pre-release, zeros for the rest. */
static struct bh_slice lowest(struct version_range *r, const struct partial *p)
{
	return is_full(p) ? p->whole : numbers(r, p->major, p->minor.len ? p->minor : nothing, nothing, "");
}

static bool add_tilde(struct version_range *r, const struct partial *p)
{
	if (p->major.len == 0)
		return add_any(r);
	return add(r, VERSION_GE, lowest(r, p)) && add(r, VERSION_LT, behind(r, p, "-0"));
}

/* Up to the next change of the first number that is not 0. */
static bool add_caret(struct version_range *r, const struct partial *p)
{
	struct bh_slice high;
	if (p->major.len == 0)
		return add_any(r);
	if (!version_is_zero(p->major) || p->minor.len == 0)
		high = numbers(r, version_range_plus_one(r, p->major), nothing, nothing, "-0");
	else if (!version_is_zero(p->minor) || p->patch.len == 0)
		high = numbers(r, p->major, version_range_plus_one(r, p->minor), nothing, "-0");
	else
		high = numbers(r, p->major, p->minor, version_range_plus_one(r, p->patch), "-0");
	return add(r, VERSION_GE, lowest(r, p)) && add(r, VERSION_LT, high);
}

/* An operator before a version with places that are not written. */
static bool add_partial(struct version_range *r, enum version_op op, const struct partial *p)
{
	if (p->major.len == 0)
		return op == VERSION_LT || op == VERSION_GT ? add(r, VERSION_LT, BH_SLICE_LIT("0.0.0-0")) : add_any(r);
	struct bh_slice low = numbers(r, p->major, p->minor, nothing, "");
	switch (op) {
	case VERSION_GT: return add(r, VERSION_GE, behind(r, p, ""));
	case VERSION_LE: return add(r, VERSION_LT, behind(r, p, "-0"));
	case VERSION_GE: return add(r, VERSION_GE, low);
	case VERSION_LT: return add(r, VERSION_LT, numbers(r, p->major, p->minor, nothing, "-0"));
	case VERSION_EQ:
	case VERSION_NE:
	case VERSION_ANY:
	case VERSION_NONE: break;
	}
	return add(r, VERSION_GE, low) && add(r, VERSION_LT, behind(r, p, "-0"));
}

enum operator { LESS_EQ, GREATER_EQ, LESS, GREATER, EQUAL, TILDE_GREATER, TILDE, CARET };
static const char *const operators[] = { "<=", ">=", "<", ">", "=", "~>", "~", "^", NULL };
static const enum version_op ops[] = { VERSION_LE, VERSION_GE, VERSION_LT, VERSION_GT, VERSION_EQ };

static size_t word_end(struct bh_slice s)
{
	size_t n = 0;
	while (n < s.len && !version_is_space(s.ptr[n]))
		n++;
	return n;
}

static bool add_comparator(struct version_range *r, int op, struct bh_slice word)
{
	struct partial p;
	if (!parse_partial(word, &p))
		return false;
	if (op >= TILDE_GREATER)
		return op == CARET ? add_caret(r, &p) : add_tilde(r, &p);
	if ((p.patch.len && !p.minor.len) || (p.minor.len && !p.major.len)) /* "1.x.3" */
		return false;
	if (!is_full(&p))
		return add_partial(r, op < 0 ? VERSION_EQ : ops[op], &p);
	return !p.odd_prefix && add(r, op < 0 ? VERSION_EQ : ops[op], p.whole);
}

static bool add_hyphen(struct version_range *r, struct bh_slice from, struct bh_slice to)
{
	struct partial low, high;
	if (!parse_partial(from, &low) || !parse_partial(to, &high) || (is_full(&low) && low.odd_prefix) ||
	    (is_full(&high) && high.odd_prefix && !high.pre.len))
		return false;
	bool good = low.major.len ? add(r, VERSION_GE, lowest(r, &low)) : add_any(r);
	if (high.major.len == 0)
		return good;
	return good && (is_full(&high) ? add(r, VERSION_LE, high.whole) : add(r, VERSION_LT, behind(r, &high, "-0")));
}

/* "A - B", and nothing else in the alternative */
static bool split_hyphen(struct bh_slice s, struct bh_slice *from, struct bh_slice *to)
{
	size_t a = word_end(s);
	struct bh_slice rest = version_trim(bh_slice_sub(s, a, s.len));
	*from = bh_slice_sub(s, 0, a);
	if (rest.len < 2 || rest.ptr[0] != '-' || !version_is_space(rest.ptr[1]))
		return false;
	*to = version_trim(bh_slice_sub(rest, 1, rest.len));
	return word_end(*to) == to->len;
}

static bool add_alternative(struct version_range *r, struct bh_slice s)
{
	struct bh_slice from, to;
	if (s.len == 0)
		return add_any(r);
	if (split_hyphen(s, &from, &to))
		return add_hyphen(r, from, to);
	while (s.len) {
		int op = version_range_take_op(&s, operators);
		if (!add_comparator(r, op, version_take(&s, word_end(s))))
			return false;
		s = version_trim(s);
	}
	return true;
}

static bool is_any(const struct version_bound *b)
{
	return b->op == VERSION_ANY || (b->op == VERSION_GE && bh_slice_eq_str(b->version, "0.0.0"));
}

/* An alternative that is "*" makes the others void: "* || ^1.0.0-a" does not mean 1.0.0-b. */
static void simplify(struct version_range *r)
{
	for (size_t from = 0, to; from < r->n; from = to) {
		bool all = is_any(&r->bounds[from]);
		for (to = from + 1; to < r->n && !r->bounds[to].first; to++)
			all = all && is_any(&r->bounds[to]);
		if (!all)
			continue;
		r->bounds[0] = (struct version_bound){ .op = VERSION_ANY, .first = true };
		r->n = 1;
	}
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice rest = text;
	for (bool more = true; more;) {
		size_t end = 0;
		while (end + 1 < rest.len && (rest.ptr[end] != '|' || rest.ptr[end + 1] != '|'))
			end++;
		more = end + 1 < rest.len;
		version_range_or(r);
		if (!add_alternative(r, version_trim(bh_slice_sub(rest, 0, more ? end : rest.len))))
			return version_range_refuse(r, text, err);
		rest = bh_slice_sub(rest, end + 2, rest.len);
	}
	simplify(r);
	return 0;
}

static bool admits(const struct version_bound *bounds, size_t n, struct bh_slice version)
{
	struct semver v, bound;
	version = version_trim(version);
	(void)version_take(&version, version_count(version, is_prefix));
	if (!semver_parse(version, SEMVER_ZEROS | SEMVER_GLUED, &v) || v.pre.len == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (semver_parse(bounds[i].version, SEMVER_STRICT, &bound) && bound.pre.len && semver_compare_numbers(&v, &bound) == 0)
			return true;
	return false;
}

const struct version_range_syntax version_ranges_npm = { .name = "npm", .scheme = "semver", .parse = parse, .admits = admits };
