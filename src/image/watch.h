/*
 * watch.h: what the three readers of files (layers, trees, zip archives) do for a visitor's watcher: which entry it is at, and the frames of what it says
 * about it.
 */
#ifndef BH_IMAGE_WATCH_H
#define BH_IMAGE_WATCH_H

#include "base/buf.h"
#include "image/image.h"

/* Sends a frame; the reader's own. */
typedef int image_watch_send(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err);

struct image_watch {
	const struct image_watcher *watcher; /* NULL: nobody looks */
	image_watch_send *send;
	void *ctx;
	struct bh_buf frame;
	struct bh_slice path;                /* of the entry; lives as long as it does */
	bool begun;                          /* WATCHED is sent */
	bool wants_bytes;
};

void image_watch_init(struct image_watch *w, const struct image_visitor *visitor, image_watch_send *send, void *ctx);
void image_watch_done(struct image_watch *w);

/* All may be called when nobody looks, and for entries whose bytes nobody wants. */
int image_watch_entry(struct image_watch *w, const struct image_entry *e, struct bh_err *err) BH_MUST_CHECK;
int image_watch_bytes(struct image_watch *w, struct bh_slice run, struct bh_err *err) BH_MUST_CHECK; /* an empty run is nothing */
int image_watch_end(struct image_watch *w, bool whole, struct bh_err *err) BH_MUST_CHECK;
int image_watch_finish(struct image_watch *w, struct bh_err *err) BH_MUST_CHECK;

#endif
