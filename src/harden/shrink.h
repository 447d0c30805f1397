/*
 * shrink.h: what is taken out of an image and what is changed in it, so that it runs what it ran and holds as little else as possible. Planned in the parent from what
 * was gathered; carried out entry by entry in the children that rewrite the layers (image/rewrite.h).
 */
#ifndef BH_HARDEN_SHRINK_H
#define BH_HARDEN_SHRINK_H

#include "harden/hidden.h"
#include "harden/profile.h"
#include "harden/removable.h"
#include "image/rewrite.h"

struct shrink_options {
	const char *const *keep; /* programs, packages or paths that stay as they are */
	size_t n_keep;
};

/* A file of the layer on top: a database without the packages that were removed, or a folder that was not there. */
struct shrink_file {
	struct bh_slice path, content;
	uint32_t mode, uid, gid;
	bool folder;
};

/* What was done to an entry. */
struct shrink_done {
	struct bh_slice path;
	uint64_t bytes;
	uint32_t layer, why;
	bool dropped;
};

BH_VEC(shrink_file_vec, struct shrink_file)
BH_VEC(shrink_done_vec, struct shrink_done)

struct shrink_tally {
	size_t n;
	uint64_t bytes; /* of what was dropped */
};

struct shrink {
	const struct shrink_options *options;
	const struct gather *gather;
	const struct reach *reach;
	const struct profile *profile;
	struct hidden hidden;
	struct bh_arena arena;
	struct bh_map removed;               /* path -> why */
	struct bh_map linked;                /* files that have a second name */
	struct bh_map packages;              /* names of those that are removed, -> their struct removable */
	struct binary_name_vec kept;         /* groups that stay, and why: for the report */
	const char *all_kept;                /* why all packages stay; NULL: they don't */
	struct shrink_file_vec files;
	const struct removable *trees[32];
	size_t n_trees;
	struct bh_slice owned[64];           /* folders whose content becomes the user's */
	size_t n_owned;
	struct shrink_tally tallies[SHRINK_WHYS];
	struct shrink_done_vec done;
};

/* key: of the image_request that was gathered with, whose hides are to go to shrink_hides. */
void shrink_init(struct shrink *s, const struct shrink_options *options, const struct image_key *key);
void shrink_done(struct shrink *s);

/* image_request.hides; ctx: the struct shrink. */
int shrink_hides(void *ctx, uint32_t layer, const uint64_t *hashes, size_t n, struct bh_err *err);

/* After reach_solve and profile_decide. */
int shrink_plan(struct shrink *s, const struct gather *g, const struct reach *reach, const struct profile *profile, struct bh_err *err) BH_MUST_CHECK;

/* For image_rewriter; ctx: the struct shrink. */
void shrink_edit(void *ctx, uint32_t layer, const struct image_entry *e, struct image_edit *ret);
int shrink_told(void *ctx, uint32_t layer, const struct image_edit *edit, uint64_t size_bytes, struct bh_slice path, struct bh_err *err);

/* The files above as a layer, an uncompressed tar archive; empty: nothing is to be added. */
int shrink_layer(const struct shrink *s, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* What was done, by reason; all: every path, too. */
bool shrink_write(const struct shrink *s, bool all, struct bh_buf *out);

#endif
