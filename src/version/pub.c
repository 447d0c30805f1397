/*
 * pub.c: the order of Dart packages, as pub_semver 2 has it: semantic versions whose numbers may begin with zeros; where all else is equal
 * build metadata decide, by the rules of pre-releases, but none comes first ("1.0.0" < "1.0.0+1").
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

static int compare_build(struct bh_slice a, struct bh_slice b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len > 0) - (b.len > 0);
	return semver_compare_identifiers(a, b);
}

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!semver_parse(a, SEMVER_ZEROS, &x))
		return version_refuse(err, a, "Pub");
	if (!semver_parse(b, SEMVER_ZEROS, &y))
		return version_refuse(err, b, "Pub");
	int order = semver_compare(&x, &y);
	*ret = order ? order : compare_build(x.build, y.build);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return semver_parse(v, SEMVER_ZEROS, &parts);
}

const struct version_scheme version_scheme_pub = { .name = "pub", .compare = compare, .valid = valid };
