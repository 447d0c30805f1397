/*
 * arena.h: memory for one unit of work (a layer, a manifest, a request): many allocations, one release.
 * An arena is born with its maximum; an allocation beyond it returns NULL like malloc does, and the caller reports
 * BH_ELIMIT or BH_ENOMEM. Memory is zeroed and aligned for any type.
 */
#ifndef BH_BASE_ARENA_H
#define BH_BASE_ARENA_H

#include "base/err.h"
#include "base/slice.h"

struct bh_arena {
	struct bh_arena_block *head;
	size_t used_bytes; /* handed out, over all blocks */
	size_t max_bytes;
};

void bh_arena_init(struct bh_arena *a, size_t max_bytes);
void bh_arena_done(struct bh_arena *a);  /* frees everything; the arena can be used again */
void bh_arena_clear(struct bh_arena *a); /* the same for what was handed out, but keeps a block for those who fill and clear it often */

void *bh_arena_alloc(struct bh_arena *a, size_t size_bytes) BH_MUST_CHECK;
void *bh_arena_array(struct bh_arena *a, size_t count, size_t size_bytes) BH_MUST_CHECK; /* overflow-checked */

/* A copy of s in the arena. False when the arena is full; *out untouched then. Empty slices need no memory. */
bool bh_arena_copy(struct bh_arena *a, struct bh_slice s, struct bh_slice *out) BH_MUST_CHECK;

/* NUL-terminated copy or printf into the arena; NULL when it is full. */
char *bh_arena_strdup(struct bh_arena *a, struct bh_slice s) BH_MUST_CHECK;
char *bh_arena_printf(struct bh_arena *a, const char *fmt, ...) BH_PRINTF(2, 3) BH_MUST_CHECK;

#define BH_ARENA_NEW(a, type) ((type *)bh_arena_alloc((a), sizeof(type)))

#endif
