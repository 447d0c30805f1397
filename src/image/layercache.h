/*
 * layercache.h: what reading a layer brought, kept under the layer's digest, so that another scan, or another image with the same
 * layer, need not read it again. Kept are the child's frames (unit.h) as they came; taking them in again passes the same checks.
 *
 * A result is good for: the bytes of the layer (its digest, or in docker-archives its diffID), this build of the program, what the
 * visitor emits, the aliases of a second pass, the maximum size, and the folder's secret, which keys the hashes of paths.
 */
#ifndef BH_IMAGE_LAYERCACHE_H
#define BH_IMAGE_LAYERCACHE_H

#include "image/layer.h"
#include "image/unit.h"
#include "store/cache.h"

/* The key that all results of a cache are made with. */
struct image_key image_cache_key(const struct store_cache *cache);

/* False: results of this program can't be kept (it was linked without a build id). */
bool image_cache_name(const struct image_layer_job *job, const struct bh_digest *layer, struct bh_digest *ret);

/* 1: unit is filled; 0: read the layer. A damaged or outdated entry is as good as none; unit is empty then. */
int image_cache_load(struct store_cache *cache, const struct bh_digest *name, struct image_pool *pool, struct image_unit *unit);

/* Frames on their way from a child. */
struct image_recording {
	struct bh_buf frames;
};

void image_recording_init(struct image_recording *r);
void image_recording_done(struct image_recording *r);
void image_recording_add(struct image_recording *r, uint16_t type, struct bh_slice payload);

/* Only what was read to its end is worth keeping; a failure to write costs the next scan time, nothing else. */
void image_recording_keep(struct image_recording *r, struct store_cache *cache, const struct bh_digest *name);

#endif
