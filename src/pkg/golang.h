/* golang.h: what go.mod, vendor/modules.txt and Go binaries share: modules, what replaces them, and how they are handed on. */
#ifndef BH_PKG_GOLANG_H
#define BH_PKG_GOLANG_H

#include "pkg/notes.h"

struct pkg_go_module {
	struct bh_slice path, version;             /* version "(devel)" or empty: not known */
	struct bh_slice new_path, new_version;     /* what stands in its place; new_path empty: nothing */
};

/*
 * Hands on the module, or the one in its place: under the new name, unless that is a folder, whose content is some unknown version of the
 * module. at: where it was seen.
 */
int pkg_go_module(const struct pkg_go_module *m, const struct bh_location *at, uint64_t offset_bytes, struct pkg_notes *notes,
		  struct bh_err *err) BH_MUST_CHECK;

/* The standard library that comes with "go1.22.3 X:experiment"; development versions have none that compares. */
int pkg_go_stdlib(struct bh_slice go_version, const struct bh_location *at, struct pkg_notes *notes, struct bh_err *err) BH_MUST_CHECK;

#endif
