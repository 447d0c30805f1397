/*
 * view.h: which files of which layer are visible in the final file system (the rules are in image.h).
 *
 * Layers tell what they hide as hashes, up to millions; files that matter are few. So the view is made of the few: every
 * such path and each of its folders gets a slot, then one pass over all hides notes in it the topmost layer that hides it.
 */
#ifndef BH_IMAGE_VIEW_H
#define BH_IMAGE_VIEW_H

#include "image/unit.h"

struct image_view {
	const struct image_key *key;
	struct image_view_slot *slots;
	size_t len, cap;
};

void image_view_init(struct image_view *view, const struct image_key *key);
void image_view_done(struct image_view *view);

/* Paths first, hides after them. False: out of memory or too many. */
bool image_view_add(struct image_view *view, struct bh_slice path) BH_MUST_CHECK;
void image_view_apply(struct image_view *view, uint32_t layer, const struct image_unit *unit);

/* Is what layer has at path still there in the final file system? path was added before. */
bool image_view_visible(const struct image_view *view, uint32_t layer, struct bh_slice path);

/* A non-directory, or a whiteout, at that very path. */
bool image_view_has_entry(const struct image_view *view, struct bh_slice path);

/* May something be at path? A layer has anything there, or a non-directory, which may be a link, at a folder of it. */
bool image_view_mentioned(const struct image_view *view, struct bh_slice path);

/* Within one layer: did a later entry take the place of what was told about path as number seq? Sort the drops once before. */
void image_unit_sort_drops(struct image_unit *unit);
bool image_unit_dropped(const struct image_unit *unit, const struct image_key *key, struct bh_slice path, uint32_t seq);

#endif
