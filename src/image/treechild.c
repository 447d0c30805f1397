/* treechild.c: the two ends of IMAGE_ASK_NEXT: the parent's answer and the child that reads what it is handed; and a file of its own. */
#include "image/tree.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "image/source.h"
#include "image/unit.h"
#include "image/watch.h"
#include "model/wire.h"
#include "sys/files.h"

#include <errno.h>
#include <unistd.h>

#define READ_STEP_BYTES (256u << 10)
#define SMALL_BYTES (96u << 10)  /* files up to here cross with their bytes */
#define BATCH_BYTES (512u << 10) /* of a reply, before its last file */

enum item { ITEM_MORE, ITEM_BYTES, ITEM_FILE, ITEM_END, ITEM_LOOK };

static void put_file(struct bh_buf *b, enum item item, const struct image_tree_file *f)
{
	bh_wire_put_u8(b, (uint8_t)item);
	bh_wire_put_slice(b, f->path);
	bh_wire_put_u64(b, f->limit_bytes);
	bh_wire_put_u32(b, f->mode);
	bh_wire_put_u32(b, f->uid);
	bh_wire_put_u32(b, f->gid);
}

static void put_look(struct bh_buf *b, const struct image_tree_file *f)
{
	bh_wire_put_u8(b, ITEM_LOOK);
	bh_wire_put_slice(b, f->path);
	bh_wire_put_u32(b, f->mode);
	bh_wire_put_u32(b, f->uid);
	bh_wire_put_u32(b, f->gid);
	bh_wire_put_slice(b, f->link);
}

/* The parent reads, but looks at nothing. False: the file is not a small one after all, or can't be read; the child finds out. */
static bool put_bytes(struct bh_buf *b, const struct image_tree_file *f)
{
	size_t begin = b->len;
	put_file(b, ITEM_BYTES, f);
	size_t at = b->len;
	if (!bh_wire_put_u32(b, 0) || !bh_buf_reserve(b, SMALL_BYTES + 1))
		return true; /* the answer fails */
	ssize_t n = pread(f->fd, b->ptr + b->len, SMALL_BYTES + 1, 0);
	if (n < 0 || n > (ssize_t)SMALL_BYTES) {
		b->len = begin;
		return false;
	}
	b->len += (size_t)n;
	for (size_t i = 0; i < sizeof(uint32_t); i++) /* the length of a slice on the wire */
		b->ptr[at + i] = (uint8_t)((size_t)n >> (8 * i));
	return true;
}

int image_tree_answer(struct image_tree *t, struct bh_child_reply *reply, struct bh_err *err)
{
	struct image_tree_file f;
	struct bh_buf *b = reply->payload;
	int rc = 1;
	while (rc == 1 && b->len < BATCH_BYTES && (rc = image_tree_next(t, &f, err)) == 1) {
		if (f.fd < 0) {
			put_look(b, &f);
			continue;
		}
		if (f.size_bytes > SMALL_BYTES || !put_bytes(b, &f)) {
			reply->fd = f.fd;
			reply->close_fd = true;
			put_file(b, ITEM_FILE, &f);
			bh_wire_put_u64(b, f.size_bytes);
			break;
		}
		close(f.fd);
	}
	if (rc < 0)
		return rc;
	bh_wire_put_u8(b, rc == 1 ? ITEM_MORE : ITEM_END);
	return b->failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : 0;
}

struct reading {
	struct bh_channel *ch;
	const struct image_visitor *visitor;
	struct bh_buf frame, content, reply;
	struct image_watch watch;
	uint64_t n_files, n_bytes;
	bool broken;
};

static int send(struct reading *r, uint16_t type, bool built, struct bh_err *err)
{
	int rc = built ? bh_channel_send(r->ch, type, bh_buf_slice(&r->frame), err) : bh_fail(err, BH_ELIMIT, 0, "a result is too large");
	r->broken |= built && rc < 0;
	return rc;
}

static int emit_record(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct reading *r = ctx;
	return send(r, IMAGE_SAY_RECORD, image_put_record(&r->frame, path, kind, payload), err);
}

static int emit_incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	struct reading *r = ctx;
	return send(r, IMAGE_SAY_NOTE, image_put_note(&r->frame, bh_slice_str(what), path, bh_slice_str(reason)), err);
}

static int send_watched(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct reading *r = ctx;
	int rc = bh_channel_send(r->ch, type, payload, err);
	r->broken |= rc < 0;
	return rc;
}

/* Some bytes behind r->content; 0: the end. */
static int read_step(struct reading *r, int fd, size_t *ret, struct bh_err *why)
{
	if (!bh_buf_reserve(&r->content, READ_STEP_BYTES))
		return bh_fail(why, BH_ENOMEM, 0, "not enough memory");
	ssize_t n = read(fd, r->content.ptr + r->content.len, READ_STEP_BYTES);
	if (n < 0)
		return bh_fail_errno(why, errno, "reading");
	r->content.len += (size_t)n;
	r->n_bytes += (uint64_t)n;
	bh_channel_progress(r->ch, r->n_bytes);
	*ret = (size_t)n;
	return 0;
}

/*
 * The size may change while it is read: the end counts, and the limit, behind which only a watcher reads on. 0: read; negative: *why says why it was not, and
 * is the watcher's error when *broken.
 */
static int read_content(struct reading *r, int fd, uint64_t limit, bool *broken, struct bh_err *why)
{
	size_t n = 1;
	bool kept = limit > 0;
	if (limit > BH_WANTED_FILE_BYTES_MAX)
		limit = BH_WANTED_FILE_BYTES_MAX;
	bh_buf_clear(&r->content);
	while (n && (kept || r->watch.wants_bytes)) {
		if (!kept)
			bh_buf_clear(&r->content);
		int rc = read_step(r, fd, &n, why);
		if (rc < 0)
			return rc;
		rc = image_watch_bytes(&r->watch, bh_slice_sub(bh_buf_slice(&r->content), r->content.len - n, r->content.len), why);
		*broken = rc < 0;
		if (rc < 0)
			return rc;
		kept = kept && r->content.len <= limit;
	}
	return kept || limit == 0 ? 0 : bh_fail(why, BH_ELIMIT, 0, "more than the %ju bytes that a file of this kind may have", (uintmax_t)limit);
}

/* A file as it came: its bytes, or the descriptor that they are read from. */
struct incoming {
	struct image_file file; /* data: its bytes, when they came along */
	uint64_t limit;
	int fd;                 /* -1: they did */
};

static int read_incoming(struct reading *r, struct incoming *in, bool *broken, struct bh_err *why)
{
	if (in->fd >= 0) {
		int rc = read_content(r, in->fd, in->limit, broken, why);
		in->file.data = bh_buf_slice(&r->content);
		return rc;
	}
	int rc = image_watch_bytes(&r->watch, in->file.data, why);
	*broken = rc < 0;
	r->n_bytes += in->file.data.len;
	bool fits = in->limit == 0 || in->file.data.len <= in->limit;
	return rc < 0 || fits ? rc : bh_fail(why, BH_ELIMIT, 0, "more than the %ju bytes that a file of this kind may have", (uintmax_t)in->limit);
}

/* To whoever watches; 1: it is there for those who want it; 0: nobody does, or it can't be read. */
static int read_file(struct reading *r, struct incoming *in, struct bh_err *err)
{
	const struct image_file *f = &in->file;
	const struct image_entry seen = { .type = IMAGE_ENTRY_FILE, .path = f->path, .size_bytes = f->size_bytes, .has_owner = true, .mode = f->mode, .uid = f->uid, .gid = f->gid };
	struct bh_err why = { 0 };
	bool broken = false;
	int rc = image_watch_entry(&r->watch, &seen, err);
	if (rc < 0)
		return rc;
	int got = read_incoming(r, in, &broken, &why);
	if (broken) {
		*err = why;
		return got;
	}
	rc = image_watch_end(&r->watch, got == 0, err);
	if (rc == 0 && got < 0)
		rc = emit_incomplete(r, "file", f->path, why.text, err);
	return rc < 0 ? rc : got == 0 && in->limit > 0;
}

static int take_file(struct reading *r, struct incoming *in, struct bh_err *err)
{
	struct bh_err why = { 0 };
	r->n_files++;
	int rc = read_file(r, in, err);
	if (rc != 1)
		return rc;
	in->file.size_bytes = in->file.data.len;
	rc = send(r, IMAGE_SAY_FILE, image_put_file(&r->frame, in->file.path, in->file.path), err);
	if (rc < 0)
		return rc;
	const struct image_emit emit = { emit_record, emit_incomplete, r };
	rc = r->visitor->file(r->visitor->ctx, &in->file, &emit, &why);
	if (rc == 0)
		return 0;
	if (r->broken) {
		*err = why;
		return rc;
	}
	return emit_incomplete(r, "file", in->file.path, why.text, err);
}

/* A link or folder. */
static int take_look(struct reading *r, struct bh_reader *in, struct bh_err *err)
{
	struct image_entry e = { .has_owner = true };
	if (!bh_wire_get_slice(in, BH_PATH_BYTES_MAX, &e.path) || !bh_take_u32le(in, &e.mode) || !bh_take_u32le(in, &e.uid) || !bh_take_u32le(in, &e.gid) ||
	    !bh_wire_get_slice(in, BH_PATH_BYTES_MAX, &e.link))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
	e.type = e.link.len ? IMAGE_ENTRY_SYMLINK : IMAGE_ENTRY_DIR;
	return image_watch_entry(&r->watch, &e, err);
}

static bool get_file(struct bh_reader *in, enum item item, int fd, struct incoming *ret)
{
	struct image_file *f = &ret->file;
	*ret = (struct incoming){ .fd = item == ITEM_FILE ? fd : -1 };
	bool ok = bh_wire_get_slice(in, BH_PATH_BYTES_MAX, &f->path) && bh_take_u64le(in, &ret->limit) && bh_take_u32le(in, &f->mode) && bh_take_u32le(in, &f->uid) &&
		  bh_take_u32le(in, &f->gid);
	if (item == ITEM_FILE)
		return ok && bh_take_u64le(in, &f->size_bytes) && fd >= 0;
	ok = ok && bh_wire_get_slice(in, SMALL_BYTES, &f->data);
	f->size_bytes = f->data.len;
	return ok;
}

/* 1: some files were read; 0: there are none left. */
static int next_files(struct reading *r, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	int rc = bh_channel_call(r->ch, IMAGE_ASK_NEXT, (struct bh_slice){ 0 }, &r->reply, &fd, err);
	struct bh_reader in = bh_reader_of(bh_buf_slice(&r->reply));
	uint8_t item = ITEM_END;
	struct incoming file;
	while (rc == 0) {
		if (!bh_take_u8(&in, &item) || item > ITEM_LOOK)
			return bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
		if (item == ITEM_MORE || item == ITEM_END)
			break;
		if (item == ITEM_LOOK)
			rc = take_look(r, &in, err);
		else
			rc = get_file(&in, (enum item)item, fd, &file) ? take_file(r, &file, err) : bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
	}
	bh_channel_progress(r->ch, r->n_bytes);
	return rc < 0 ? rc : item == ITEM_MORE;
}

static int read_all(struct reading *r, struct bh_err *err)
{
	int rc;
	while ((rc = next_files(r, err)) == 1)
		;
	if (rc < 0)
		return rc;
	const struct image_emit emit = { emit_record, emit_incomplete, r };
	struct bh_err why = { 0 };
	rc = r->visitor->finish ? r->visitor->finish(r->visitor->ctx, &emit, &why) : 0;
	rc = rc < 0 ? rc : image_watch_finish(&r->watch, &why);
	if (rc < 0 && r->broken) {
		*err = why;
		return rc;
	}
	rc = rc < 0 ? emit_incomplete(r, "directory", (struct bh_slice){ 0 }, why.text, err) : 0;
	const struct image_end end = { .raw_bytes = r->n_bytes, .plain_bytes = r->n_bytes, .entries = r->n_files };
	return rc < 0 ? rc : send(r, IMAGE_SAY_END, image_put_end(&r->frame, &end), err);
}

static int give_file(struct reading *r, struct bh_slice path, struct bh_err *err)
{
	struct image_opened opened;
	int rc = image_ask_open(r->ch, "archive", &opened, err);
	if (rc < 0)
		return rc;
	rc = bh_read_all(opened.fd, BH_WANTED_FILE_BYTES_MAX, &r->content, err);
	close(opened.fd);
	rc = rc < 0 ? rc : send(r, IMAGE_SAY_FILE, image_put_file(&r->frame, path, path), err);
	const struct image_file f = { .path = path, .data = bh_buf_slice(&r->content), .size_bytes = r->content.len };
	const struct image_emit emit = { emit_record, emit_incomplete, r };
	rc = rc < 0 ? rc : r->visitor->file(r->visitor->ctx, &f, &emit, err);
	const struct image_end end = { .raw_bytes = f.size_bytes, .plain_bytes = f.size_bytes, .entries = 1 };
	return rc < 0 ? rc : send(r, IMAGE_SAY_END, image_put_end(&r->frame, &end), err);
}

static void reading_init(struct reading *r)
{
	bh_buf_init(&r->frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&r->reply, BH_FRAME_BYTES_MAX);
	bh_buf_init(&r->content, BH_WANTED_FILE_BYTES_MAX + READ_STEP_BYTES);
	image_watch_init(&r->watch, r->visitor, send_watched, r);
}

static void reading_done(struct reading *r)
{
	bh_buf_done(&r->frame);
	bh_buf_done(&r->reply);
	bh_buf_done(&r->content);
	image_watch_done(&r->watch);
}

int image_file_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_slice path, struct bh_err *err)
{
	struct reading r = { .ch = ch, .visitor = visitor };
	reading_init(&r);
	int rc = give_file(&r, path, err);
	reading_done(&r);
	return rc;
}

int image_tree_read(struct bh_channel *ch, const struct image_visitor *visitor, struct bh_err *err)
{
	struct reading r = { .ch = ch, .visitor = visitor };
	reading_init(&r);
	int rc = read_all(&r, err);
	reading_done(&r);
	return rc;
}
