/*
 * zipchild.c: the child that reads a zip archive as a directory: the code of a function, a layer of one. Entries stream by; what the visitor wants
 * is read whole, as in a layer of an image. A name that is there twice counts each time: which one is unpacked, tools don't agree on.
 */
#include "image/tree.h"

#include "base/limits.h"
#include "format/tar.h"
#include "format/zip.h"
#include "image/stream.h"
#include "image/unit.h"
#include "image/watch.h"

#define HEAD_BYTES 64u
#define KEEP_CONTENT_BYTES (1u << 20)
#define ENTRIES_MAX 2000000u

struct zip_reading {
	const struct image_sink *sink;
	const struct image_visitor *visitor;
	struct bh_zip *zip;
	struct bh_buf frame, content;
	struct image_watch watch;
	uint64_t n_files, n_bytes;
	uint8_t path[BH_PATH_BYTES_MAX];
	bool passing; /* the rest of the entry is for the watcher alone */
	bool broken; /* the sink: nothing more can be said */
};

static int send(struct zip_reading *r, uint16_t type, bool built, struct bh_err *err)
{
	int rc = built ? r->sink->send(r->sink->ctx, type, bh_buf_slice(&r->frame), err) : bh_fail(err, BH_ELIMIT, 0, "a result is too large");
	r->broken |= built && rc < 0;
	return rc;
}

static int emit_record(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct zip_reading *r = ctx;
	return send(r, IMAGE_SAY_RECORD, image_put_record(&r->frame, path, kind, payload), err);
}

static int emit_incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	struct zip_reading *r = ctx;
	return send(r, IMAGE_SAY_NOTE, image_put_note(&r->frame, bh_slice_str(what), path, bh_slice_str(reason)), err);
}

/* The next run of the entry, behind what is there; empty: its end. */
static int read_run(struct zip_reading *r, size_t *ret_bytes, struct bh_err *err)
{
	struct bh_slice run;
	int rc = bh_zip_read(r->zip, &run, err);
	if (rc < 0)
		return rc;
	r->n_bytes += run.len;
	*ret_bytes = run.len;
	if (r->sink->progress)
		r->sink->progress(r->sink->ctx, r->n_bytes);
	if (r->n_bytes > BH_LAYER_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the archive unpacks to more than %ju bytes", (uintmax_t)BH_LAYER_BYTES_MAX);
	rc = image_watch_bytes(&r->watch, run, err);
	if (rc < 0 || r->passing)
		return rc;
	return bh_buf_add(&r->content, run) ? 0 : bh_fail(err, BH_ELIMIT, 0, "a file is larger than %ju bytes", (uintmax_t)BH_WANTED_FILE_BYTES_MAX);
}

static void forget_content(struct zip_reading *r)
{
	if (r->content.cap > KEEP_CONTENT_BYTES)
		bh_buf_done(&r->content);
	bh_buf_clear(&r->content);
	r->content.max_bytes = BH_WANTED_FILE_BYTES_MAX;
}

static int give(struct zip_reading *r, struct bh_slice path, struct bh_err *err)
{
	const struct image_file f = { .path = path, .data = bh_buf_slice(&r->content), .size_bytes = r->content.len, .mode = 0644 };
	const struct image_emit emit = { emit_record, emit_incomplete, r };
	struct bh_err why = { 0 };
	int rc = send(r, IMAGE_SAY_FILE, image_put_file(&r->frame, path, path), err);
	if (rc < 0)
		return rc;
	rc = r->visitor->file(r->visitor->ctx, &f, &emit, &why);
	if (rc < 0 && r->broken)
		*err = why;
	return rc < 0 && !r->broken ? emit_incomplete(r, "file", path, why.text, err) : rc;
}

static int send_watched(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct zip_reading *r = ctx;
	int rc = r->sink->send(r->sink->ctx, type, payload, err);
	r->broken |= rc < 0;
	return rc;
}

/* A file that its name does not tell may be told by its first bytes. */
static int read_wanted(struct zip_reading *r, struct bh_slice path, struct bh_err *err)
{
	const struct image_visitor *v = r->visitor;
	uint64_t limit = v->wants(v->ctx, path);
	size_t bytes = 1;
	int rc = 0;
	forget_content(r);
	while (limit == 0 && v->wants_content && rc == 0 && bytes && r->content.len < HEAD_BYTES)
		rc = read_run(r, &bytes, err);
	if (rc == 0 && limit == 0 && v->wants_content && r->content.len)
		limit = v->wants_content(v->ctx, path, bh_buf_slice(&r->content));
	if (rc < 0 || limit == 0)
		return rc;
	while (rc == 0 && bytes && r->content.len <= limit)
		rc = read_run(r, &bytes, err);
	if (rc < 0)
		return rc;
	r->n_files++;
	return r->content.len > limit ? emit_incomplete(r, "file", path, "larger than a file of this kind may be", err) : give(r, path, err);
}

static int read_entry(struct zip_reading *r, struct bh_slice path, struct bh_err *err)
{
	const struct image_entry seen = { .type = IMAGE_ENTRY_FILE, .path = path };
	size_t bytes = 1;
	int rc = image_watch_entry(&r->watch, &seen, err);
	r->passing = false;
	rc = rc < 0 ? rc : read_wanted(r, path, err);
	r->passing = true;
	while (rc == 0 && r->watch.wants_bytes && bytes)
		rc = read_run(r, &bytes, err);
	if (r->broken)
		return rc;
	struct bh_err why = { 0 };
	int ended = image_watch_end(&r->watch, rc == 0, &why);
	if (rc == 0 && ended < 0)
		*err = why;
	return rc < 0 ? rc : ended;
}

/* 1: go on; 0: the end. */
static int next_entry(struct zip_reading *r, struct bh_err *err)
{
	struct bh_slice name, path;
	bool climbed;
	int rc = bh_zip_next(r->zip, &name, err);
	if (rc <= 0)
		return rc;
	if (bh_slice_ends(name, BH_SLICE_LIT("/")) || name.len > sizeof(r->path) || !bh_path_clean(name, r->path, &path, &climbed) || path.len == 0)
		return 1;
	rc = read_entry(r, path, err);
	return rc < 0 ? rc : 1;
}

static int walk(struct zip_reading *r, struct bh_err *err)
{
	struct bh_err why = { 0 };
	unsigned n = 0;
	int rc;
	while ((rc = next_entry(r, &why)) == 1 && ++n < ENTRIES_MAX)
		;
	if (rc < 0 && r->broken) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		return emit_incomplete(r, "archive", (struct bh_slice){ 0 }, why.text, err);
	return rc == 1 ? emit_incomplete(r, "archive", (struct bh_slice){ 0 }, "more entries than an archive may have", err) : 0;
}

static int finish(struct zip_reading *r, struct bh_err *err)
{
	const struct image_emit emit = { emit_record, emit_incomplete, r };
	const struct image_end end = { .raw_bytes = r->n_bytes, .plain_bytes = r->n_bytes, .entries = r->n_files };
	struct bh_err why = { 0 };
	int rc = r->visitor->finish ? r->visitor->finish(r->visitor->ctx, &emit, &why) : 0;
	rc = rc < 0 ? rc : image_watch_finish(&r->watch, &why);
	if (rc < 0 && r->broken) {
		*err = why;
		return rc;
	}
	rc = rc < 0 ? emit_incomplete(r, "archive", (struct bh_slice){ 0 }, why.text, err) : 0;
	return rc < 0 ? rc : send(r, IMAGE_SAY_END, image_put_end(&r->frame, &end), err);
}

int image_zip_entries(struct bh_source archive, const struct image_visitor *visitor, const struct image_sink *sink, struct bh_err *err)
{
	struct zip_reading r = { .sink = sink, .visitor = visitor };
	bh_buf_init(&r.frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&r.content, BH_WANTED_FILE_BYTES_MAX);
	image_watch_init(&r.watch, visitor, send_watched, &r);
	int rc = bh_zip_new(archive, &r.zip, err);
	rc = rc < 0 ? rc : walk(&r, err);
	rc = rc < 0 ? rc : finish(&r, err);
	bh_zip_free(r.zip);
	bh_buf_done(&r.frame);
	bh_buf_done(&r.content);
	image_watch_done(&r.watch);
	return rc;
}

int image_zip_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err)
{
	return image_stream_read(ch, "archive", image_zip_entries, visitor, err);
}
