/* hex.c: the order of Hex packages, as Elixir's Version.compare has it: strict semantic versions, build metadata count for nothing. */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!semver_parse(a, SEMVER_STRICT, &x))
		return version_refuse(err, a, "Hex");
	if (!semver_parse(b, SEMVER_STRICT, &y))
		return version_refuse(err, b, "Hex");
	*ret = semver_compare(&x, &y);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return semver_parse(v, SEMVER_STRICT, &parts);
}

const struct version_scheme version_scheme_hex = { .name = "hex", .compare = compare, .valid = valid };
