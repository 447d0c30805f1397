/*
 * map.h: slice -> pointer hash map (open addressing). Keys are borrowed: they must outlive the map (keep them in an
 * arena). The hash is seeded per map, so crafted keys can't degrade it. Iteration order is insertion order.
 */
#ifndef BH_BASE_MAP_H
#define BH_BASE_MAP_H

#include "base/err.h"
#include "base/slice.h"

struct bh_map_entry {
	struct bh_slice key;
	void *value;
};

struct bh_map {
	struct bh_map_entry *entries; /* insertion order; [0, len) */
	uint32_t *slots;              /* 1-based index into entries, 0 = free */
	size_t len, cap, n_slots, max;
	uint64_t seed;
};

void bh_map_init(struct bh_map *m, size_t max_entries);
void bh_map_done(struct bh_map *m);

/* The stored value, or NULL. */
void *bh_map_get(const struct bh_map *m, struct bh_slice key);

/* Where the value of key stands, made (as NULL) when it was not there. NULL when the map is full. Valid until the next put. */
void **bh_map_put(struct bh_map *m, struct bh_slice key) BH_MUST_CHECK;

#endif
