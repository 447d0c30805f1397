/*
 * golang.c: the order of Go modules and of Go itself.
 *
 *     v1.2.3-0.20240102150405-abcdef012345   modules, as golang.org/x/mod/semver has it: pseudo-versions are pre-releases, "+incompatible"
 *     v2.0.0+incompatible                    and other build metadata count for nothing, "v1" is v1.0.0
 *     go1.22rc1, 1.22rc1, go1.22.3           releases of Go, as the standard library's go/version has it: 1.22rc1 is 1.22.0-rc.1
 *
 * The "v" may be missing: databases write without it. That also makes "1.22" the release 1.22.0; the tool's third meaning, the language
 * version before any release candidate, is no version of anything that can be installed.
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

struct release {
	struct semver version;
	struct bh_slice kind, number; /* "rc", "1" of "1.22rc1"; empty for modules */
};

static bool is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

/* "1.22rc1": numbers, a word and a number. */
static bool parse_release(struct bh_slice s, struct release *ret)
{
	size_t at = 0;
	while (at < s.len && (version_is_digit(s.ptr[at]) || s.ptr[at] == '.'))
		at++;
	struct bh_slice rest = bh_slice_sub(s, at, s.len);
	ret->kind = version_take(&rest, version_count(rest, is_lower));
	ret->number = version_take_digits(&rest);
	return ret->kind.len && rest.len == 0 && semver_parse(bh_slice_sub(s, 0, at), SEMVER_SHORT, &ret->version);
}

static bool parse(struct bh_slice v, struct release *ret)
{
	*ret = (struct release){ 0 };
	if (version_take_char(&v, 'v'))
		return semver_parse(v, SEMVER_SHORT, &ret->version);
	bool go = bh_slice_starts(v, BH_SLICE_LIT("go"));
	(void)version_take(&v, go ? 2 : 0);
	if (semver_parse(v, SEMVER_SHORT, &ret->version))
		return !go || (ret->version.pre.len == 0 && ret->version.build.len == 0);
	return parse_release(v, ret);
}

/* "rc", "1" against "rc.1" or another such pair */
static int compare_pre(const struct release *a, const struct release *b)
{
	struct bh_slice x = a->version.pre, y = b->version.pre, xn = a->number, yn = b->number;
	if (a->kind.len)
		x = a->kind;
	else if (b->kind.len)
		(void)bh_slice_cut(x, '.', &x, &xn);
	if (b->kind.len)
		y = b->kind;
	else if (a->kind.len)
		(void)bh_slice_cut(y, '.', &y, &yn);
	int order = semver_compare_identifiers(x, y);
	if (order || (!a->kind.len && !b->kind.len))
		return order;
	if (xn.len == 0 || yn.len == 0)
		return (xn.len > 0) - (yn.len > 0);
	return semver_compare_identifiers(xn, yn);
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct release x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "Go");
	if (!parse(b, &y))
		return version_refuse(err, b, "Go");
	bool release_x = x.kind.len == 0 && x.version.pre.len == 0, release_y = y.kind.len == 0 && y.version.pre.len == 0;
	int order = semver_compare_numbers(&x.version, &y.version);
	*ret = order ? order : release_x || release_y ? release_x - release_y : compare_pre(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct release parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_golang = { .name = "golang", .compare = compare, .valid = valid };
