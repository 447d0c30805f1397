/* removable.h: what an image is made smaller by: tables of packages, programs without a package, and clutter (removable.def, clutter.def). */
#ifndef BH_HARDEN_REMOVABLE_H
#define BH_HARDEN_REMOVABLE_H

#include "base/slice.h"

/* Why something is removed or changed: bits, as an entry can have several. Texts: shrink_why.def. */
enum shrink_why {
#define WHY(name, bit, text) SHRINK_##name = 1u << (bit),
#include "harden/shrink_why.def"
#undef WHY
};

#define SHRINK_WHYS 32u

/* "package managers"; bit: its number. NULL: there is none. */
const char *shrink_why_text(unsigned bit);

struct removable {
	enum shrink_why why;
	const char *group; /* of a package */
	const char *names; /* packages, or the folder of a tree */
};

/* NULL: it stays. Valid forever. */
const struct removable *removable_package(struct bh_slice name);

/* Trees, index 0, 1, ...; NULL behind the last. */
const struct removable *removable_tree(size_t index);

/* Why a file at this path is clutter; 0: it is none. */
enum shrink_why removable_clutter(struct bh_slice path);

/* Paths of clutter as the table has them, index 0, 1, ...; NULL behind the last. */
const char *removable_clutter_at(size_t index);

/* "var/lib/dpkg/info/apt.list" of a package that is in the table. *ret: "apt", without the architecture. */
bool removable_is_list(struct bh_slice path);
bool removable_list_package(struct bh_slice path, struct bh_slice *ret);

/* Does a name, or a path, fit a pattern of the tables? "*": any number of bytes but slashes, "[0-9]": a digit. */
bool removable_fits(const char *pattern, struct bh_slice text);

#endif
