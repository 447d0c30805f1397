/*
 * members.h: the members of an image archive by name, as a store for the planner. Either indexed (the archive can be read at
 * any offset: members are regions of it) or kept while it streams by (small ones as bytes, layers as numbers of units).
 */
#ifndef BH_IMAGE_MEMBERS_H
#define BH_IMAGE_MEMBERS_H

#include "base/map.h"
#include "format/tar.h"
#include "image/plan.h"

#define IMAGE_MEMBERS_MAX 100000u           /* `docker save` of a hundred images has a few thousand */
#define IMAGE_KEPT_BYTES_MAX (24u << 20)    /* documents kept while an archive streams by, all together */

struct image_member {
	struct bh_slice name, link; /* link: a clean member name; only for links */
	struct image_place place;   /* IMAGE_PLACE_NONE: a document, see data; or one that could not be kept */
	struct bh_slice data;
	bool too_large;             /* neither a layer nor small enough to keep */
};

struct image_members {
	struct bh_arena arena;
	struct bh_map by_name;
	size_t kept_bytes;
	int fd;              /* indexed archives */
	const char *ended;   /* why the archive ended early; NULL when it did not */
	char ended_text[BH_ERR_TEXT_BYTES];
};

void image_members_init(struct image_members *m, int fd);
void image_members_done(struct image_members *m);

/* A new member, or the one of that name made anew: the last of a name counts, as when the archive is unpacked. NULL in
 * *ret when the entry is of no use (folders, names that no image has). */
int image_members_add(struct image_members *m, const struct bh_tar_entry *e, struct image_member **ret, struct bh_err *err) BH_MUST_CHECK;

struct image_store image_members_store(struct image_members *m);

#endif
