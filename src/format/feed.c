/* feed.c: see feed.h. */
#include "format/feed.h"

#include <assert.h>

#define SKIP_BYTES_MIN (256u << 10) /* less than a source reads at once anyway */

static int pull(struct bh_feed *f, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice got = { 0 };
	int rc = f->ended ? 0 : f->src.read(f->src.ctx, &got, err);
	if (rc < 0)
		return rc;
	f->ended = got.len == 0;
	f->pulled_bytes += got.len;
	*ret = got;
	return 0;
}

int bh_feed_fill(struct bh_feed *f, struct bh_err *err)
{
	if (f->now.len)
		return 0;
	f->now = f->behind;
	f->behind = (struct bh_slice){ 0 };
	return f->now.len ? 0 : pull(f, &f->now, err);
}

int bh_feed_look(struct bh_feed *f, size_t len, struct bh_err *err)
{
	assert(len <= sizeof(f->spare));
	int rc = bh_feed_fill(f, err);
	if (rc < 0 || f->now.len >= len)
		return rc;
	size_t have = f->now.len;
	if (have)
		memmove(f->spare, f->now.ptr, have);
	while (have < len) {
		f->now = (struct bh_slice){ f->spare, have }; /* the source may reuse its memory, and a read may fail */
		if (f->behind.len == 0) {
			rc = pull(f, &f->behind, err);
			if (rc < 0)
				return rc;
			if (f->behind.len == 0)
				break;
		}
		struct bh_slice part = bh_slice_sub(f->behind, 0, len - have);
		memcpy(f->spare + have, part.ptr, part.len);
		have += part.len;
		f->behind = bh_slice_sub(f->behind, part.len, f->behind.len);
	}
	f->now = (struct bh_slice){ f->spare, have };
	return 0;
}

struct bh_slice bh_feed_take(struct bh_feed *f, size_t len)
{
	assert(len <= f->now.len);
	struct bh_slice taken = bh_slice_sub(f->now, 0, len);
	f->now = bh_slice_sub(f->now, len, f->now.len);
	return taken;
}

void bh_feed_unread(struct bh_feed *f, struct bh_slice bytes)
{
	uint8_t copy[BH_FEED_LOOK_MAX];
	bool in_spare = f->now.len && f->now.ptr >= f->spare && f->now.ptr < f->spare + sizeof(f->spare);
	size_t kept = in_spare ? f->now.len : 0;
	assert(bytes.len <= sizeof(copy) - kept);
	if (bytes.len == 0)
		return;
	memcpy(copy, bytes.ptr, bytes.len);
	if (kept)
		memmove(f->spare + bytes.len, f->now.ptr, kept);
	else if (f->now.len)
		f->behind = f->now; /* now is the source's own run: nothing can be behind it */
	memcpy(f->spare, copy, bytes.len);
	f->now = (struct bh_slice){ f->spare, bytes.len + kept };
}

int bh_feed_skip(struct bh_feed *f, uint64_t bytes, uint64_t *ret, struct bh_err *err)
{
	*ret = 0;
	if (!f->src.skip || f->now.len || f->behind.len || f->ended || bytes < SKIP_BYTES_MIN)
		return 0;
	int rc = f->src.skip(f->src.ctx, bytes - 1, ret, err);
	f->pulled_bytes += *ret;
	return rc;
}

int bh_feed_drain(struct bh_feed *f, struct bh_err *err)
{
	int rc = 0;
	f->behind = (struct bh_slice){ 0 };
	do
		f->now = (struct bh_slice){ 0 };
	while ((rc = pull(f, &f->now, err)) == 0 && !f->ended);
	return rc;
}
