/* conan.h: a Conan reference, NAME/VERSION[@USER/CHANNEL][#RECIPE REVISION[%TIME]][:PACKAGE ID], as lockfiles and caches hold it. */
#ifndef BH_PKG_CONAN_H
#define BH_PKG_CONAN_H

#include "pkg/entry.h"

/* Hands on the package of the reference; like tells its scope and place. */
int pkg_conan_give(struct pkg_notes *notes, struct bh_slice reference, const struct bh_package *like, uint64_t offset_bytes,
		   struct bh_err *err) BH_MUST_CHECK;

#endif
