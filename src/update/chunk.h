/*
 * chunk.h: where a file is cut into pieces that can be fetched one by one. The cuts follow the content (a rolling hash of the last 64
 * bytes), so that what is inserted in one place moves no cut far behind it: two versions of a database share most of their pieces.
 */
#ifndef BH_UPDATE_CHUNK_H
#define BH_UPDATE_CHUNK_H

#include "base/slice.h"

#define UPDATE_CHUNK_BYTES_MIN (16u << 10)
#define UPDATE_CHUNK_BYTES_MAX (256u << 10) /* on average 64 KiB behind the minimum */

struct update_cutter {
	uint64_t gear[256];
};
void update_cutter_init(struct update_cutter *c);

/* Length of the first piece of rest; 0 only when rest is empty. */
size_t update_cutter_next(const struct update_cutter *c, struct bh_slice rest);

#endif
