/* version.h: version orders, one file per scheme and one line in schemes.def. Each follows its ecosystem's own tool exactly. */
#ifndef BH_VERSION_VERSION_H
#define BH_VERSION_VERSION_H

#include "base/err.h"
#include "base/slice.h"

struct version_scheme {
	const char *name; /* "dpkg", "rpm", "apk" */
	/* *ret is negative, 0 or positive like strcmp. BH_EMALFORMED when a or b is not a version of this scheme. */
	int (*compare)(struct bh_slice a, struct bh_slice b, int *ret, struct bh_err *err);
};

extern const struct version_scheme *const version_schemes[]; /* NULL-terminated */

const struct version_scheme *version_scheme_find(struct bh_slice name); /* NULL when unknown */

/* The scheme of an OSV ecosystem name ("Debian:12" -> dpkg, "Alpine:v3.19" -> apk, "AlmaLinux:9" -> rpm); NULL when unknown. */
const struct version_scheme *version_scheme_for_ecosystem(struct bh_slice ecosystem);

#endif
