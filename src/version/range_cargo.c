/*
 * range_cargo.c: requirements of Cargo.toml and RustSec, as VersionReq of the crate semver 1 reads them: comparators between commas, all of which
 * must hold; without an operator "^".
 *
 *     ^1.2.3   >=1.2.3 <2.0.0        ~1.2   >=1.2.0 <1.3.0        1.*   >=1.0.0 <2.0.0        >1.2   >=1.3.0        *   any
 *
 * A pre-release is meant only where a comparator names a pre-release of the same three numbers. Bounds are put where that makes a difference:
 * at the very first pre-release ("-0") of a version that no pre-release of may pass.
 */
#include "version/chars.h"
#include "version/ranges.h"
#include "version/semver_parts.h"

#define COMPARATORS_MAX 32u /* the tool's own limit */

enum own {
	NO_PRE = 1, /* no pre-release passes this bound */
	MADE = 2,   /* its pre-release was not written by anybody */
	NO_PRE_OF_MAJOR = 4, /* ">=1", "<=1": no pre-release of 1.anything passes */
	NO_PRE_OF_MINOR = 8, /* ">=1.2": none of 1.2.anything */
};

struct comparator {
	struct bh_slice major, minor, patch, pre; /* empty: not written */
	bool wildcard;
};

static const struct bh_slice nothing;

static struct bh_slice version_of(struct version_range *r, struct bh_slice major, struct bh_slice minor, struct bh_slice patch, struct bh_slice pre)
{
	struct bh_slice zero = BH_SLICE_LIT("0");
	minor = minor.len ? minor : zero;
	patch = patch.len ? patch : zero;
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s.%.*s.%.*s%s%.*s", BH_SLICE_FMT(major), BH_SLICE_FMT(minor), BH_SLICE_FMT(patch),
					    pre.len ? "-" : "", BH_SLICE_FMT(pre)));
}

static bool add(struct version_range *r, enum version_op op, struct bh_slice version, unsigned own)
{
	return version.len && version_range_add(r, op, version, own);
}

/* The version right behind all that begin like c, before its pre-releases. */
static struct bh_slice behind(struct version_range *r, const struct comparator *c)
{
	struct bh_slice first = BH_SLICE_LIT("0");
	if (c->minor.len == 0)
		return version_of(r, version_range_plus_one(r, c->major), nothing, nothing, first);
	if (c->patch.len == 0)
		return version_of(r, c->major, version_range_plus_one(r, c->minor), nothing, first);
	return version_of(r, c->major, c->minor, version_range_plus_one(r, c->patch), first);
}

static struct bh_slice lowest(struct version_range *r, const struct comparator *c)
{
	return version_of(r, c->major, c->minor, c->patch, c->patch.len ? c->pre : BH_SLICE_LIT("0"));
}

static unsigned partial(const struct comparator *c)
{
	return c->patch.len ? 0 : MADE | (c->minor.len ? NO_PRE_OF_MINOR : NO_PRE_OF_MAJOR);
}

static unsigned made(const struct comparator *c)
{
	return c->patch.len ? 0 : MADE;
}

static bool add_exact(struct version_range *r, const struct comparator *c)
{
	if (c->patch.len)
		return add(r, VERSION_EQ, lowest(r, c), 0);
	return add(r, VERSION_GE, lowest(r, c), MADE | NO_PRE) && add(r, VERSION_LT, behind(r, c), MADE | NO_PRE);
}

static bool add_tilde(struct version_range *r, const struct comparator *c)
{
	struct comparator minor = { .major = c->major, .minor = c->minor };
	return add(r, VERSION_GE, lowest(r, c), c->patch.len ? 0 : MADE | NO_PRE) && add(r, VERSION_LT, behind(r, &minor), MADE);
}

/* Up to the next change of the first number that is not 0. */
static bool add_caret(struct version_range *r, const struct comparator *c)
{
	struct comparator same = { .major = c->major };
	if (version_is_zero(c->major))
		same.minor = c->minor;
	if (version_is_zero(c->major) && c->minor.len && version_is_zero(c->minor))
		same.patch = c->patch;
	return add(r, VERSION_GE, lowest(r, c), made(c)) && add(r, VERSION_LT, behind(r, &same), MADE);
}

enum operator { LESS_EQ, GREATER_EQ, LESS, GREATER, EQUAL, TILDE, CARET };
static const char *const operators[] = { "<=", ">=", "<", ">", "=", "~", "^", NULL };

static bool add_comparator(struct version_range *r, int op, const struct comparator *c)
{
	switch (op) {
	case LESS_EQ:
		if (c->patch.len)
			return add(r, VERSION_LE, lowest(r, c), 0);
		return add(r, VERSION_LT, behind(r, c), MADE) && add(r, VERSION_NE, lowest(r, c), partial(c));
	case GREATER_EQ: return add(r, VERSION_GE, lowest(r, c), partial(c));
	case LESS: return add(r, VERSION_LT, lowest(r, c), made(c));
	case GREATER: return c->patch.len ? add(r, VERSION_GT, lowest(r, c), 0) : add(r, VERSION_GE, behind(r, c), MADE);
	case EQUAL: return add_exact(r, c);
	case TILDE: return add_tilde(r, c);
	default: return c->wildcard ? add_exact(r, c) : add_caret(r, c);
	}
}

static bool take_number(struct bh_slice *s, struct bh_slice *ret)
{
	*ret = version_take_digits(s);
	return ret->len == 1 || (ret->len > 1 && ret->ptr[0] != '0');
}

static bool take_wildcard(struct bh_slice *s)
{
	return version_take_char(s, '*') || version_take_char(s, 'x') || version_take_char(s, 'X');
}

/* Nothing but wildcards may follow a wildcard. */
static bool take_rest(struct bh_slice *s, struct bh_slice *ret, struct comparator *c)
{
	if (!version_take_char(s, '.'))
		return true;
	if (take_wildcard(s)) {
		c->wildcard = true;
		return true;
	}
	return !c->wildcard && take_number(s, ret);
}

static bool parse_comparator(struct bh_slice s, struct comparator *c)
{
	*c = (struct comparator){ 0 };
	if (!take_number(&s, &c->major) || !take_rest(&s, &c->minor, c))
		return false;
	if ((c->minor.len || c->wildcard) && !take_rest(&s, &c->patch, c))
		return false;
	struct bh_slice build = { 0 };
	bool has_build = c->patch.len && bh_slice_cut(s, '+', &s, &build);
	if (has_build && !semver_are_identifiers(build))
		return false;
	c->pre = s;
	return s.len == 0 || (c->patch.len && version_take_char(&c->pre, '-') && semver_are_strict_identifiers(c->pre));
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice rest = version_trim(text), word = rest;
	if (take_wildcard(&word) && word.len == 0)
		return version_range_add(r, VERSION_GE, BH_SLICE_LIT("0.0.0"), NO_PRE) ? 0 : version_range_refuse(r, text, err);
	unsigned n = 0;
	for (bool more = true; more;) {
		struct comparator c;
		more = bh_slice_cut(rest, ',', &word, &rest);
		int op = version_range_take_op(&word, operators);
		if (++n > COMPARATORS_MAX || !parse_comparator(version_trim(word), &c) || !add_comparator(r, op, &c))
			return version_range_refuse(r, text, err);
	}
	return 0;
}

/* A pre-release where the bound lets none pass. */
static bool is_kept_out(const struct version_bound *b, const struct semver *v, const struct semver *bound)
{
	bool same_major = version_compare_numbers(v->numbers[0], bound->numbers[0]) == 0;
	bool same_minor = same_major && version_compare_numbers(v->numbers[1], bound->numbers[1]) == 0;
	return v->pre.len && ((b->own & NO_PRE) || (b->own & NO_PRE_OF_MAJOR && same_major) || (b->own & NO_PRE_OF_MINOR && same_minor));
}

static bool holds(const struct version_range *r, const struct version_bound *b, struct bh_slice version)
{
	struct semver v, bound;
	(void)r;
	if (!semver_parse(version, SEMVER_STRICT, &v) || !semver_parse(b->version, SEMVER_STRICT, &bound) || is_kept_out(b, &v, &bound))
		return false;
	int order = semver_compare(&v, &bound); /* unlike in the order of versions, build metadata don't count */
	return version_op_holds(b->op, order);
}

static bool admits(const struct version_bound *bounds, size_t n, struct bh_slice version)
{
	struct semver v, bound;
	if (!semver_parse(version, SEMVER_STRICT, &v) || v.pre.len == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!(bounds[i].own & MADE) && semver_parse(bounds[i].version, SEMVER_STRICT, &bound) && bound.pre.len && semver_compare_numbers(&v, &bound) == 0)
			return true;
	return false;
}

const struct version_range_syntax version_ranges_cargo = { .name = "cargo", .scheme = "cargo", .parse = parse, .holds = holds, .admits = admits };
