/*
 * pathhash.h: keyed 64-bit hashes of image paths (SipHash-2-4). Whether a file is hidden is decided on hashes alone, so an
 * image must not be able to craft a path that collides with "var/lib/dpkg/status": the key is drawn anew for every scan.
 */
#ifndef BH_IMAGE_PATHHASH_H
#define BH_IMAGE_PATHHASH_H

#include "base/slice.h"

struct image_key {
	uint64_t k0, k1;
};

void image_key_draw(struct image_key *ret);
uint64_t image_path_hash(const struct image_key *key, struct bh_slice path);

#endif
