/* hidden.h: which entries of a layer nobody sees, as later layers take their place or delete them: by the hashes that image_request.hides tells. */
#ifndef BH_HARDEN_HIDDEN_H
#define BH_HARDEN_HIDDEN_H

#include "base/err.h"
#include "image/pathhash.h"

struct hidden_slot;

struct hidden {
	struct image_key key;
	struct hidden_slot *slots; /* open addressing; a hash of 0 is free */
	size_t len, cap;
};

void hidden_init(struct hidden *h, const struct image_key *key);
void hidden_done(struct hidden *h);

/* Hashes with their kinds (image/unit.h) of one layer. Layers in ascending order. */
int hidden_add(struct hidden *h, uint32_t layer, const uint64_t *hashes, size_t n, struct bh_err *err) BH_MUST_CHECK;

/* Is a path of this layer, which is no folder there, hidden by a layer above it? */
bool hidden_is(const struct hidden *h, uint32_t layer, struct bh_slice path);

#endif
