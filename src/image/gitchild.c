/*
 * gitchild.c: the child that reads what "git cat-file --batch" writes (git-cat-file(1), "BATCH OUTPUT"), with a commit, its day and a path behind the size: see registry/git.h. Only whoever
 * watches is interested: blobs of a history are no file system. A line that is none of these ends the reading, and is told.
 */
#include "image/tree.h"

#include "base/limits.h"
#include "format/tar.h"
#include "image/stream.h"
#include "image/unit.h"
#include "image/watch.h"

#include <stdio.h>

#define HEADER_BYTES_MAX (2 * BH_PATH_BYTES_MAX)
#define ORIGIN_BYTES 128u

struct git_reading {
	struct bh_source source;
	const struct image_sink *sink;
	struct image_watch watch;
	struct bh_slice run;   /* what was read and not looked at yet */
	struct bh_buf line, frame;
	uint64_t n_files, n_bytes;
	uint8_t path[BH_PATH_BYTES_MAX];
	char origin[ORIGIN_BYTES];
	bool broken;           /* the sink */
};

static int send_watched(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct git_reading *r = ctx;
	int rc = r->sink->send(r->sink->ctx, type, payload, err);
	r->broken |= rc < 0;
	return rc;
}

/* 1: there is some; 0: the end. */
static int fill(struct git_reading *r, struct bh_err *err)
{
	if (r->run.len)
		return 1;
	int rc = r->source.read(r->source.ctx, &r->run, err);
	r->n_bytes += rc < 0 ? 0 : r->run.len;
	if (r->sink->progress)
		r->sink->progress(r->sink->ctx, r->n_bytes);
	return rc < 0 ? rc : r->run.len > 0;
}

static int damaged(struct bh_err *err, const char *what)
{
	return bh_fail(err, BH_EMALFORMED, 0, "git's answer %s", what);
}

/* 1: a line, without its end, in r->line; 0: the end. */
static int read_line(struct git_reading *r, struct bh_err *err)
{
	int more = 1;
	bh_buf_clear(&r->line);
	while ((more = fill(r, err)) == 1) {
		size_t n = bh_slice_find(r->run, '\n');
		bool ends = n < r->run.len;
		if (!bh_buf_add(&r->line, bh_slice_sub(r->run, 0, n)))
			return damaged(err, "has a line that is too long");
		r->run = bh_slice_sub(r->run, n + ends, r->run.len);
		if (ends)
			return 1;
	}
	return more < 0 ? more : r->line.len ? damaged(err, "ends in the middle of a line") : 0;
}

struct header {
	struct bh_slice id, type, size_text, commit, day, path;
	uint64_t size_bytes;
};

static bool parse(struct bh_slice line, struct header *h)
{
	struct bh_slice rest = line;
	return bh_slice_cut(rest, ' ', &h->id, &rest) && bh_slice_cut(rest, ' ', &h->type, &rest) && bh_slice_cut(rest, ' ', &h->size_text, &rest) &&
	       bh_slice_cut(rest, ' ', &h->commit, &rest) && bh_slice_cut(rest, ' ', &h->day, &h->path) && bh_slice_u64(h->size_text, INT64_MAX, &h->size_bytes);
}

static int note(struct git_reading *r, struct bh_slice path, const char *reason, struct bh_err *err)
{
	return image_put_note(&r->frame, BH_SLICE_LIT("blob"), path, bh_slice_str(reason)) ?
	       send_watched(r, IMAGE_SAY_NOTE, bh_buf_slice(&r->frame), err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* "commit HEX of 2024-05-01", "staged" */
static struct bh_slice origin_of(struct git_reading *r, const struct header *h)
{
	if (bh_slice_eq_str(h->commit, "staged"))
		return h->commit;
	int n = snprintf(r->origin, sizeof(r->origin), "commit %.*s of %.*s", BH_SLICE_FMT(bh_slice_sub(h->commit, 0, 64)), BH_SLICE_FMT(bh_slice_sub(h->day, 0, 10)));
	return (struct bh_slice){ (const uint8_t *)r->origin, n > 0 && (size_t)n < sizeof(r->origin) ? (size_t)n : 0 };
}

static int pass_bytes(struct git_reading *r, uint64_t left, struct bh_err *err)
{
	while (left) {
		int more = fill(r, err);
		if (more <= 0)
			return more < 0 ? more : damaged(err, "ends in the middle of a blob");
		struct bh_slice part = bh_slice_sub(r->run, 0, left < r->run.len ? (size_t)left : r->run.len);
		int rc = image_watch_bytes(&r->watch, part, err);
		if (rc < 0)
			return rc;
		r->run = bh_slice_sub(r->run, part.len, r->run.len);
		left -= part.len;
	}
	return 0;
}

static int read_blob(struct git_reading *r, const struct header *h, struct bh_err *err)
{
	struct bh_slice path;
	bool climbed;
	if (!bh_path_clean(h->path, r->path, &path, &climbed) || path.len == 0)
		path = h->id;
	const struct image_entry e = { .type = IMAGE_ENTRY_FILE, .path = path, .size_bytes = h->size_bytes, .origin = origin_of(r, h) };
	r->n_files++;
	int rc = image_watch_entry(&r->watch, &e, err);
	rc = rc < 0 ? rc : pass_bytes(r, h->size_bytes, err);
	struct bh_err why = { 0 };
	int ended = r->broken ? 0 : image_watch_end(&r->watch, rc == 0, &why);
	if (rc == 0 && ended < 0)
		*err = why;
	return rc < 0 ? rc : ended;
}

/* 1: go on; 0: the end. */
static int next_blob(struct git_reading *r, struct bh_err *err)
{
	struct header h = { 0 };
	int rc = read_line(r, err);
	if (rc <= 0)
		return rc;
	struct bh_slice line = bh_buf_slice(&r->line);
	if (bh_slice_ends(line, BH_SLICE_LIT(" missing")))
		rc = note(r, (struct bh_slice){ 0 }, bh_slice_starts(line, BH_SLICE_LIT("!failed")) ? "git could not list all commits" : "a blob is missing in the repository", err);
	else if (!parse(line, &h) || !bh_slice_eq_str(h.type, "blob"))
		return damaged(err, "has a line of another kind");
	else
		rc = read_blob(r, &h, err);
	if (rc == 0 && h.type.len)
		rc = fill(r, err) == 1 && r->run.ptr[0] == '\n' ? 0 : damaged(err, "lacks the end of a blob");
	if (rc == 0 && h.type.len)
		r->run = bh_slice_sub(r->run, 1, r->run.len);
	return rc < 0 ? rc : 1;
}

int image_git_blobs(struct bh_source batch, const struct image_visitor *visitor, const struct image_sink *sink, struct bh_err *err)
{
	struct git_reading r = { .source = batch, .sink = sink };
	struct bh_err why = { 0 };
	int rc;
	bh_buf_init(&r.line, HEADER_BYTES_MAX);
	bh_buf_init(&r.frame, BH_FRAME_BYTES_MAX);
	image_watch_init(&r.watch, visitor, send_watched, &r);
	while ((rc = next_blob(&r, &why)) == 1)
		;
	if (rc < 0 && r.broken)
		*err = why;
	else if (rc < 0)
		rc = note(&r, (struct bh_slice){ 0 }, why.text, err);
	rc = rc < 0 ? rc : image_watch_finish(&r.watch, err);
	const struct image_end end = { .raw_bytes = r.n_bytes, .plain_bytes = r.n_bytes, .entries = r.n_files };
	if (rc == 0)
		rc = image_put_end(&r.frame, &end) ? send_watched(&r, IMAGE_SAY_END, bh_buf_slice(&r.frame), err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	image_watch_done(&r.watch);
	bh_buf_done(&r.line);
	bh_buf_done(&r.frame);
	return rc;
}

int image_git_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err)
{
	return image_stream_read(ch, "blobs", image_git_blobs, visitor, err);
}
