/* version.h: version orders, one file per scheme and one line in schemes.def. Each follows its ecosystem's own tool exactly. */
#ifndef BH_VERSION_VERSION_H
#define BH_VERSION_VERSION_H

#include "base/err.h"
#include "base/slice.h"

struct version_scheme {
	const char *name; /* "dpkg", "semver", "pep440" */
	/*
	 * As the ecosystem's tool compares on its command line: *ret is negative, 0 or positive like strcmp. BH_EMALFORMED when
	 * the tool refuses a or b. Some tools order versions that their own validator calls invalid; hence:
	 */
	int (*compare)(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err);
	/* Is it a version that an order means something for? A matcher asks first: what is not valid is undetermined. */
	bool (*valid)(struct bh_slice v);
};

extern const struct version_scheme *const version_schemes[]; /* NULL-terminated */

const struct version_scheme *version_scheme_find(struct bh_slice name); /* NULL when unknown */

/*
 * The scheme of an OSV ecosystem name ("Debian:12" -> dpkg, "Alpine:v3.19" -> apk, "PyPI" -> pep440); NULL when no scheme
 * here orders its versions, which makes matches in it undetermined.
 */
const struct version_scheme *version_scheme_for_ecosystem(struct bh_slice ecosystem);

/* The OSV ecosystem of a language's package URL type: "pypi" -> "PyPI"; NULL when there is none. Distributions need more than the type. */
const char *version_ecosystem_of_type(struct bh_slice type);

/* The scheme of a package URL type: "deb" -> dpkg, "gem" -> gem; NULL as above. */
const struct version_scheme *version_scheme_for_type(struct bh_slice type);

#endif
