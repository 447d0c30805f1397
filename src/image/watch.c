/* watch.c: see watch.h. */
#include "image/watch.h"

#include "base/limits.h"
#include "image/unit.h"

void image_watch_init(struct image_watch *w, const struct image_visitor *visitor, image_watch_send *send, void *ctx)
{
	*w = (struct image_watch){ .watcher = visitor->watcher, .send = send, .ctx = ctx };
	bh_buf_init(&w->frame, BH_FRAME_BYTES_MAX);
}

void image_watch_done(struct image_watch *w)
{
	bh_buf_done(&w->frame);
}

static int send(struct image_watch *w, uint16_t type, bool built, struct bh_err *err)
{
	return built ? w->send(w->ctx, type, bh_buf_slice(&w->frame), err) : bh_fail(err, BH_ELIMIT, 0, "a result is larger than %u bytes", BH_FRAME_BYTES_MAX);
}

/* About the entry that is looked at; in finish() about any. */
static int record(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct image_watch *w = ctx;
	bool begun = w->begun && bh_slice_eq(path, w->path);
	int rc = begun ? 0 : send(w, IMAGE_SAY_WATCHED, image_put_watched(&w->frame, path), err);
	w->begun = begun || bh_slice_eq(path, w->path);
	return rc < 0 ? rc : send(w, IMAGE_SAY_REMARK, image_put_remark(&w->frame, kind, payload), err);
}

static int incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	struct image_watch *w = ctx;
	return send(w, IMAGE_SAY_NOTE, image_put_note(&w->frame, bh_slice_str(what), path, bh_slice_str(reason)), err);
}

int image_watch_entry(struct image_watch *w, const struct image_entry *e, struct bh_err *err)
{
	const struct image_emit emit = { record, incomplete, w };
	w->begun = w->wants_bytes = false;
	w->path = e->path;
	if (!w->watcher)
		return 0;
	int rc = w->watcher->entry(w->watcher->ctx, e, &emit, err);
	w->wants_bytes = rc == 1 && e->type == IMAGE_ENTRY_FILE;
	return rc < 0 ? rc : 0;
}

int image_watch_bytes(struct image_watch *w, struct bh_slice run, struct bh_err *err)
{
	const struct image_emit emit = { record, incomplete, w };
	return w->wants_bytes && run.len ? w->watcher->bytes(w->watcher->ctx, run, &emit, err) : 0;
}

int image_watch_end(struct image_watch *w, bool whole, struct bh_err *err)
{
	const struct image_emit emit = { record, incomplete, w };
	bool wanted = w->wants_bytes;
	w->wants_bytes = false;
	return wanted ? w->watcher->end(w->watcher->ctx, whole, &emit, err) : 0;
}

int image_watch_finish(struct image_watch *w, struct bh_err *err)
{
	const struct image_emit emit = { record, incomplete, w };
	w->begun = false;
	w->path = (struct bh_slice){ 0 };
	return w->watcher && w->watcher->finish ? w->watcher->finish(w->watcher->ctx, &emit, err) : 0;
}
