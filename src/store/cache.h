/*
 * cache.h: a folder of results that can be made again: entries named by a digest, checked when read, replaced as a whole, the
 * least recently used ones removed when the folder outgrows its maximum. Any number of processes may use one folder at once.
 *
 * The folder belongs to one user: what lies in it is believed, so a folder that others can write to is refused.
 */
#ifndef BH_STORE_CACHE_H
#define BH_STORE_CACHE_H

#include "base/err.h"
#include "model/digest.h"

#define STORE_CACHE_MAX_BYTES_DEFAULT (1ull << 30)
#define STORE_CACHE_SECRET_BYTES 16u

struct store_cache;

struct store_cache_totals {
	uint64_t entries, bytes;
};

/*
 * $XDG_CACHE_HOME/bulkhead, else ~/.cache/bulkhead; root without a home: /var/cache/bulkhead. NULL when there is none. Freed by
 * the caller.
 */
char *store_cache_default_folder(void);

/* Makes the folder (mode 0700) when it is missing. An error when it belongs to someone else or others may write to it. */
int store_cache_open(const char *folder, uint64_t max_bytes, struct store_cache **ret, struct bh_err *err) BH_MUST_CHECK;
void store_cache_close(struct store_cache *c); /* removes what is too much; NULL is fine */

/* Drawn when the folder was made; stays the same until it is cleared. Not known to anyone who can't read the folder. */
const uint8_t *store_cache_secret(const struct store_cache *c);

/* 1: *ret is the entry, mapped until store_cache_release; 0: not there, or damaged and now removed. */
int store_cache_get(struct store_cache *c, const struct bh_digest *name, struct bh_slice *ret);
void store_cache_release(struct bh_slice entry);

int store_cache_put(struct store_cache *c, const struct bh_digest *name, struct bh_slice entry, struct bh_err *err) BH_MUST_CHECK;

int store_cache_count(struct store_cache *c, struct store_cache_totals *ret, struct bh_err *err) BH_MUST_CHECK;
int store_cache_clear(struct store_cache *c, struct store_cache_totals *removed, struct bh_err *err) BH_MUST_CHECK;

#endif
