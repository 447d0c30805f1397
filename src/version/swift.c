/*
 * swift.c: the order of Swift packages, as SwiftPM reads the tags of a repository: semantic versions with or without "v", the third number
 * may be missing ("1.2" is 1.2.0); build metadata count for nothing.
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

static bool parse(struct bh_slice v, struct semver *ret)
{
	return semver_parse(v, SEMVER_PREFIX_V | SEMVER_SHORT_PRE, ret) && ret->n_numbers >= 2;
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!parse(a, &x))
		return version_refuse(err, a, "Swift");
	if (!parse(b, &y))
		return version_refuse(err, b, "Swift");
	*ret = semver_compare(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return parse(v, &parts);
}

const struct version_scheme version_scheme_swift = { .name = "swift", .compare = compare, .valid = valid };
