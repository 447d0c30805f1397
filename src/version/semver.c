/*
 * semver.c: npm's order, as node-semver 7 compares in its loose mode:
 *
 *     [v=blanks] major.minor.patch [[-]pre.release] [+build]
 *
 * Build metadata count for nothing, numbers may begin with zeros, a pre-release may stand right behind the numbers ("1.2.3rc1"). What the
 * strict mode accepts is ordered the same by both. The tool stops at 256 bytes and 2^53; here there is no limit. Its expression also happens
 * to take "1.2.34.5" as 1.2.3-4.5, but not "1.2.3.4"; here both are refused.
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

static bool is_prefix(uint8_t c)
{
	return c == 'v' || c == '=' || version_is_space(c);
}

static bool parse(struct bh_slice v, struct semver *ret)
{
	v = version_trim(v);
	(void)version_take(&v, version_count(v, is_prefix));
	return semver_parse(v, SEMVER_ZEROS | SEMVER_GLUED, ret);
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "npm");
	if (!parse(b, &y))
		return version_refuse(err, b, "npm");
	*ret = semver_compare(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_semver = { .name = "semver", .compare = compare, .valid = valid };
