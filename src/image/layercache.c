/* layercache.c: an entry is a row of frames: type u16, length u32, payload. */
#include "image/layercache.h"

#include "base/limits.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "model/wire.h"
#include "sys/buildid.h"

#define RECORDING_BYTES_MAX (64u << 20) /* results of one layer; a large real one has 3 MB */
#define NAME_BYTES_MAX (16u << 20)      /* aliases of a second pass */

struct image_key image_cache_key(const struct store_cache *cache)
{
	struct bh_reader r = bh_reader_of((struct bh_slice){ store_cache_secret(cache), STORE_CACHE_SECRET_BYTES });
	struct image_key key = { 0 };
	(void)(bh_take_u64le(&r, &key.k0) && bh_take_u64le(&r, &key.k1));
	return key;
}

bool image_cache_name(const struct image_layer_job *job, const struct bh_digest *layer, struct bh_digest *ret)
{
	struct bh_buf b;
	struct bh_err ignored = { 0 };
	struct bh_slice build = bh_build_id();
	if (build.len == 0)
		return false;
	bh_buf_init(&b, NAME_BYTES_MAX);
	bh_wire_put_slice(&b, build);
	bh_wire_put_digest(&b, layer);
	bh_wire_put_u64(&b, job->key->k0);
	bh_wire_put_u64(&b, job->key->k1);
	bh_wire_put_u64(&b, job->max_bytes);
	bh_wire_put_u64(&b, job->visitor->variant);
	bh_wire_put_u8(&b, job->want_hides);
	for (size_t i = 0; i < job->n_aliases; i++) {
		bh_wire_put_slice(&b, job->aliases[i].from);
		bh_wire_put_slice(&b, job->aliases[i].to);
		bh_wire_put_slice(&b, job->aliases[i].until);
	}
	bool ok = !b.failed && bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&b), ret, &ignored) == BH_OK;
	bh_buf_done(&b);
	return ok;
}

static int replay(struct bh_slice entry, struct image_unit *unit, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(entry);
	uint16_t type;
	struct bh_slice payload;
	while (bh_reader_left(&r)) {
		if (!bh_take_u16le(&r, &type) || !bh_wire_get_slice(&r, BH_FRAME_BYTES_MAX, &payload))
			return bh_fail(err, BH_EMALFORMED, r.pos, "a damaged cache entry");
		int rc = image_unit_take(unit, type, payload, err);
		if (rc < 0)
			return rc;
	}
	return unit->ended ? BH_OK : bh_fail(err, BH_EMALFORMED, r.pos, "a cache entry without end");
}

int image_cache_load(struct store_cache *cache, const struct bh_digest *name, struct image_pool *pool, struct image_unit *unit)
{
	struct bh_slice entry;
	struct bh_err why = { 0 };
	if (store_cache_get(cache, name, &entry) != 1)
		return 0;
	int rc = replay(entry, unit, &why);
	store_cache_release(entry);
	if (rc == BH_OK)
		return 1;
	bh_debug("cache: %s", why.text);
	image_unit_done(unit);
	image_unit_init(unit, pool);
	return 0;
}

void image_recording_init(struct image_recording *r)
{
	bh_buf_init(&r->frames, RECORDING_BYTES_MAX);
}

void image_recording_done(struct image_recording *r)
{
	bh_buf_done(&r->frames);
}

void image_recording_add(struct image_recording *r, uint16_t type, struct bh_slice payload)
{
	if (r->frames.failed)
		return;
	const uint8_t little[2] = { (uint8_t)type, (uint8_t)(type >> 8) };
	bool ok = bh_buf_add(&r->frames, (struct bh_slice){ little, sizeof(little) }) && bh_wire_put_slice(&r->frames, payload);
	r->frames.failed = !ok; /* a failed append marks itself, but a later one that fits would not know */
}

void image_recording_keep(struct image_recording *r, struct store_cache *cache, const struct bh_digest *name)
{
	struct bh_err why = { 0 };
	if (!r->frames.failed && store_cache_put(cache, name, bh_buf_slice(&r->frames), &why) < 0)
		bh_debug("cache: %s", why.text);
}
