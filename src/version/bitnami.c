/*
 * bitnami.c: the order of Bitnami's applications, as github.com/bitnami/go-version has it: semantic versions in which what stands behind "-"
 * is the revision of the packaging, which comes after the version it packages ("1.2.3" < "1.2.3-1").
 *
 * The tool wants three numbers without zeros in front, which Bitnami's own data do not keep to ("2020.04.23"). Here one or two will do and a
 * "v" is skipped, too, since versions of programs found without a package are compared with Bitnami's ("15.4" of PostgreSQL is "15.4.0").
 */
#include "version/chars.h"
#include "version/semver_parts.h"
#include "version/version.h"

#define FLAGS (SEMVER_PREFIX_V | SEMVER_SHORT_PRE | SEMVER_ZEROS)

static int compare(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err)
{
	struct semver x, y;
	if (!semver_parse(a, FLAGS, &x))
		return version_refuse(err, a, "Bitnami");
	if (!semver_parse(b, FLAGS, &y))
		return version_refuse(err, b, "Bitnami");
	int order = semver_compare_numbers(&x, &y);
	if (order == 0 && (x.pre.len == 0 || y.pre.len == 0))
		order = (x.pre.len > 0) - (y.pre.len > 0);
	*ret = order ? order : semver_compare_identifiers(x.pre, y.pre);
	return 0;
}

static bool valid(struct bh_slice v)
{
	struct semver parts;
	return semver_parse(v, FLAGS, &parts);
}

const struct version_scheme version_scheme_bitnami = { .name = "bitnami", .compare = compare, .valid = valid };
