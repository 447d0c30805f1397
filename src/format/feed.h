/*
 * feed.h: the bytes of a source with look-ahead. `now` is what comes next, borrowed from the source; when a look needs
 * more than one of the source's runs holds, the bytes are gathered in a small spare buffer, so that large runs are never
 * copied.
 */
#ifndef BH_FORMAT_FEED_H
#define BH_FORMAT_FEED_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

#define BH_FEED_LOOK_MAX 512u

struct bh_feed {
	struct bh_source src;
	struct bh_slice now, behind; /* what comes next; what the source gave behind it */
	bool ended;                  /* the source has nothing more */
	uint64_t pulled_bytes;       /* out of the source so far */
	uint8_t spare[BH_FEED_LOOK_MAX];
};

/* Makes now non-empty unless the end is reached. */
int bh_feed_fill(struct bh_feed *f, struct bh_err *err) BH_MUST_CHECK;

/* Makes now at least len (<= BH_FEED_LOOK_MAX) bytes long unless the end is nearer. */
int bh_feed_look(struct bh_feed *f, size_t len, struct bh_err *err) BH_MUST_CHECK;

/* Moves over len <= now.len bytes; returns them. */
struct bh_slice bh_feed_take(struct bh_feed *f, size_t len);

/* Puts a few bytes (<= BH_FEED_LOOK_MAX - now.len, when now is a spare one) back in front of now. They are copied. */
void bh_feed_unread(struct bh_feed *f, struct bh_slice bytes);

/*
 * Moves over bytes that are not in memory, when the source can do so; call it with now empty. *ret: how many were left out;
 * 0 when it can't or it isn't worth it. The last byte is never left out, so that a source that ends early is noticed.
 */
int bh_feed_skip(struct bh_feed *f, uint64_t bytes, uint64_t *ret, struct bh_err *err) BH_MUST_CHECK;

/* Forgets what was not taken and reads the source to its end. */
int bh_feed_drain(struct bh_feed *f, struct bh_err *err) BH_MUST_CHECK;

/* Where `now` starts in the source. */
static inline uint64_t bh_feed_offset(const struct bh_feed *f)
{
	return f->pulled_bytes - f->now.len - f->behind.len;
}

#endif
