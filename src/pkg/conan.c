/* conan.c: see conan.h. */
#include "pkg/conan.h"

int pkg_conan_give(struct pkg_notes *notes, struct bh_slice reference, const struct bh_package *like, uint64_t offset_bytes, struct bh_err *err)
{
	struct bh_package p = *like;
	struct bh_slice rest;
	for (const char *end = "#:@"; *end; end++)
		(void)bh_slice_cut(reference, *end, &reference, &rest);
	p.type = BH_SLICE_LIT("conan");
	(void)bh_slice_cut(reference, '/', &p.name, &p.version);
	return pkg_give(notes, &p, offset_bytes, err);
}
