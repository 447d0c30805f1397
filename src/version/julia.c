/*
 * julia.c: the order of Julia packages, as VersionNumber of Julia's base/version.jl has it:
 *
 *     [v]major[.minor[.patch]] [pre.release | -pre.release | -] [+build | +]
 *
 * A "-" with nothing behind it sorts before every pre-release, a "+" with nothing behind it after every build. Where all else is equal
 * build metadata decide, by the rules of pre-releases, none first.
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

struct julia {
	struct semver parts;
	bool bare_minus, bare_plus;
};

static bool parse(struct bh_slice v, struct julia *ret)
{
	*ret = (struct julia){ 0 };
	if (v.len && version_lower(v.ptr[0]) == 'v')
		(void)version_take(&v, 1);
	ret->bare_plus = bh_slice_ends(v, BH_SLICE_LIT("+"));
	v.len -= ret->bare_plus;
	ret->bare_minus = bh_slice_ends(v, BH_SLICE_LIT("-")) && bh_slice_find(v, '+') == v.len;
	v.len -= ret->bare_minus;
	if ((ret->bare_minus && ret->bare_plus) || (ret->bare_plus && bh_slice_find(v, '+') < v.len))
		return false;
	if (!semver_parse(v, SEMVER_SHORT_PRE | SEMVER_ZEROS | SEMVER_GLUED, &ret->parts))
		return false;
	return !ret->bare_minus || (ret->parts.pre.len == 0 && ret->parts.build.len == 0);
}

/* none < "+1" ... < "+" : the last is a list of one empty word, and words sort after numbers */
static int compare_build(const struct julia *a, const struct julia *b)
{
	struct bh_slice x = a->parts.build, y = b->parts.build;
	bool some_x = x.len || a->bare_plus, some_y = y.len || b->bare_plus;
	if (!some_x || !some_y)
		return some_x - some_y;
	if (a->bare_plus || b->bare_plus)
		return a->bare_plus - b->bare_plus;
	return semver_compare_identifiers(x, y);
}

static int compare_all(const struct julia *a, const struct julia *b)
{
	int order = semver_compare_numbers(&a->parts, &b->parts);
	if (order == 0)
		order = b->bare_minus - a->bare_minus;
	if (order == 0)
		order = semver_compare(&a->parts, &b->parts);
	return order ? order : compare_build(a, b);
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct julia x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "Julia");
	if (!parse(b, &y))
		return version_refuse(err, b, "Julia");
	*ret = compare_all(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct julia parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_julia = { .name = "julia", .compare = compare, .valid = valid };
