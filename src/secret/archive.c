/* archive.c: see archive.h. A scanner of its own searches what comes out, and has an archive of its own for those in it. */
#include "secret/archive.h"

#include "base/limits.h"
#include "format/stream.h"
#include "format/tar.h"
#include "format/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAR_MAGIC_AT 257u

enum kind { KIND_NONE, KIND_COMPRESSED, KIND_TAR, KIND_ZIP };

struct secret_archive {
	struct secret_engine *engine;
	struct secret_scanner_options options;
	enum kind kind;               /* of the file; KIND_NONE: it is no archive */
	bool is_whole;                /* all of it fitted */
	struct bh_buf bytes;
	struct bh_slice path;
	struct secret_sink sink;
	struct secret_scanner *inner; /* of what comes out */
	struct bh_slice member;       /* its name; empty: the one stream of a compressed file */
	struct bh_buf inside, reason;
	uint64_t unpacked;
	unsigned depth;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for an archive");
}

static enum kind kind_of(struct bh_slice head)
{
	if (bh_compression_sniff(head) != BH_PLAIN)
		return KIND_COMPRESSED;
	if (bh_slice_starts(head, BH_SLICE_LIT("PK\3\4")))
		return KIND_ZIP;
	bool is_tar = head.len >= TAR_MAGIC_AT + 5 && memcmp(head.ptr + TAR_MAGIC_AT, "ustar", 5) == 0;
	return is_tar ? KIND_TAR : KIND_NONE;
}

int secret_archive_begin(struct secret_archive **a, struct secret_engine *engine, const struct secret_scanner_options *options, struct bh_slice path, struct bh_slice head,
			 const struct secret_sink *sink, struct bh_err *err)
{
	enum kind kind = kind_of(head);
	if (!*a && kind == KIND_NONE)
		return 0;
	if (!*a) {
		*a = calloc(1, sizeof(**a));
		if (!*a)
			return no_memory(err);
		(*a)->engine = engine;
		(*a)->options = *options;
		(*a)->options.depth++;
		bh_buf_init(&(*a)->bytes, SECRET_ARCHIVE_BYTES_MAX);
		bh_buf_init(&(*a)->inside, BH_PATH_BYTES_MAX);
		bh_buf_init(&(*a)->reason, 2 * BH_PATH_BYTES_MAX);
	}
	(*a)->kind = options->depth < SECRET_ARCHIVE_DEPTH_MAX ? kind : KIND_NONE;
	(*a)->is_whole = true;
	(*a)->path = path;
	(*a)->sink = *sink;
	(*a)->unpacked = 0;
	bh_buf_clear(&(*a)->bytes);
	return 0;
}

bool secret_archive_is_open(const struct secret_archive *a)
{
	return a && a->kind != KIND_NONE;
}

int secret_archive_bytes(struct secret_archive *a, struct bh_slice run, struct bh_err *err)
{
	(void)err;
	a->is_whole = a->is_whole && bh_buf_add(&a->bytes, run);
	return 0;
}

void secret_archive_free(struct secret_archive *a)
{
	if (!a)
		return;
	secret_scanner_free(a->inner);
	bh_buf_wipe(&a->bytes);
	bh_buf_done(&a->inside);
	bh_buf_done(&a->reason);
	free(a);
}

/* ---- what comes out ---- */

static int leave_out(struct secret_archive *a, const char *reason, struct bh_err *err)
{
	return a->sink.incomplete(a->sink.ctx, reason, err);
}

/* "etc/env", "etc/env: base64", "inner.zip: etc/env" */
static int on_found(void *ctx, const struct secret_found *f, struct bh_err *err)
{
	struct secret_archive *a = ctx;
	struct secret_found outer = *f;
	bh_buf_clear(&a->inside);
	bh_buf_add(&a->inside, a->member);
	if (a->member.len && f->inside.len)
		bh_buf_add_str(&a->inside, ": ");
	bh_buf_add(&a->inside, f->inside);
	outer.inside = bh_buf_slice(&a->inside);
	return a->sink.found(a->sink.ctx, &outer, err);
}

static int on_incomplete(void *ctx, const char *reason, struct bh_err *err)
{
	struct secret_archive *a = ctx;
	bh_buf_clear(&a->reason);
	bh_buf_printf(&a->reason, "%.*s%s%s", BH_SLICE_FMT(a->member), a->member.len ? ": " : "", reason);
	bh_buf_add_byte(&a->reason, '\0');
	return leave_out(a, a->reason.failed ? reason : (const char *)a->reason.ptr, err);
}

static int begin_member(struct secret_archive *a, struct bh_slice name, struct bh_err *err)
{
	const struct secret_sink sink = { on_found, on_incomplete, a };
	int rc = a->inner ? 0 : secret_scanner_new(a->engine, &a->options, &a->inner, err);
	a->member = name;
	if (rc == 0)
		secret_scanner_begin(a->inner, name.len ? name : a->path, 0, &sink);
	return rc;
}

/* 1: given; 0: there is too much of it. */
static int give(struct secret_archive *a, struct bh_slice run, struct bh_err *err)
{
	a->unpacked += run.len;
	if (a->unpacked > SECRET_UNPACKED_BYTES_MAX)
		return 0;
	int rc = secret_scanner_bytes(a->inner, run, err);
	return rc < 0 ? rc : 1;
}

/* One member, read by `read`. Damage ends it and is told by *why. */
static int pass_on(struct secret_archive *a, struct bh_slice name, int (*read)(void *from, struct bh_slice *run, struct bh_err *err), void *from, bool *damaged, struct bh_err *why,
		   struct bh_err *err)
{
	int rc = begin_member(a, name, err);
	int more = rc < 0 ? rc : 1;
	while (more == 1) {
		struct bh_slice run;
		if (read(from, &run, why) < 0) {
			*damaged = true;
			break;
		}
		if (run.len == 0)
			break;
		more = give(a, run, err);
	}
	if (more < 0)
		return more;
	if (more == 0) {
		*damaged = true;
		(void)bh_fail(why, BH_ELIMIT, 0, "it unpacks to more than %llu bytes", (unsigned long long)SECRET_UNPACKED_BYTES_MAX);
	}
	return secret_scanner_end(a->inner, err);
}

static int read_tar(void *from, struct bh_slice *run, struct bh_err *err)
{
	return bh_tar_read(from, run, err);
}

static int read_zip(void *from, struct bh_slice *run, struct bh_err *err)
{
	return bh_zip_read(from, run, err);
}

static int open_tar(struct secret_archive *a, struct bh_source plain, bool *damaged, struct bh_err *why, struct bh_err *err)
{
	struct bh_tar *tar = NULL;
	struct bh_tar_entry e;
	int next = bh_tar_new(plain, &tar, why), rc = 0;
	next = next < 0 ? next : 1;
	while (rc == 0 && next == 1 && !*damaged && (next = bh_tar_next(tar, &e, why)) == 1)
		if (e.type == BH_TAR_FILE)
			rc = pass_on(a, e.name, read_tar, tar, damaged, why, err);
	*damaged |= next < 0;
	bh_tar_free(tar);
	return rc;
}

static int open_zip(struct secret_archive *a, struct bh_source bytes, bool *damaged, struct bh_err *why, struct bh_err *err)
{
	struct bh_zip *zip = NULL;
	struct bh_slice name;
	int next = bh_zip_new(bytes, &zip, why), rc = 0;
	next = next < 0 ? next : 1;
	while (rc == 0 && next == 1 && !*damaged && (next = bh_zip_next(zip, &name, why)) == 1)
		rc = pass_on(a, name, read_zip, zip, damaged, why, err);
	*damaged |= next < 0;
	bh_zip_free(zip);
	return rc;
}

/* A stream whose first run was looked at. */
struct unread {
	struct bh_stream *stream;
	struct bh_slice first;
};

static int read_stream(void *from, struct bh_slice *run, struct bh_err *err)
{
	struct unread *u = from;
	if (u->first.len == 0)
		return bh_stream_read(u->stream, run, err);
	*run = u->first;
	u->first.len = 0;
	return 0;
}

static int open_compressed(struct secret_archive *a, struct bh_source bytes, bool *damaged, struct bh_err *why, struct bh_err *err)
{
	const struct bh_stream_limits limits = { .max_bytes = SECRET_UNPACKED_BYTES_MAX };
	struct unread u = { 0 };
	struct bh_slice first = { 0 };
	int got = bh_stream_new(bytes, &limits, NULL, NULL, &u.stream, why);
	got = got < 0 ? got : bh_stream_read(u.stream, &first, why);
	int rc = 0;
	u.first = first;
	*damaged = got < 0;
	if (got == 0 && kind_of(first) == KIND_TAR)
		rc = open_tar(a, (struct bh_source){ read_stream, &u, NULL }, damaged, why, err);
	else if (got == 0 && first.len)
		rc = pass_on(a, (struct bh_slice){ 0 }, read_stream, &u, damaged, why, err);
	bh_stream_free(u.stream);
	return rc;
}

int secret_archive_end(struct secret_archive *a, struct bh_err *err)
{
	struct bh_slice left = bh_buf_slice(&a->bytes);
	struct bh_err why = { 0 };
	bool damaged = false;
	int rc = 0;
	if (!a->is_whole)
		return leave_out(a, "an archive that is too large to be opened", err);
	switch (a->kind) {
	case KIND_COMPRESSED: rc = open_compressed(a, bh_memory_source(&left), &damaged, &why, err); break;
	case KIND_TAR: rc = open_tar(a, bh_memory_source(&left), &damaged, &why, err); break;
	case KIND_ZIP: rc = open_zip(a, bh_memory_source(&left), &damaged, &why, err); break;
	case KIND_NONE: break;
	}
	a->kind = KIND_NONE;
	a->member = (struct bh_slice){ 0 };
	if (rc < 0 || !damaged)
		return rc;
	bh_buf_clear(&a->reason);
	bh_buf_printf(&a->reason, "an archive that can't be read to its end: %s", why.text);
	bh_buf_add_byte(&a->reason, '\0');
	return leave_out(a, (const char *)a->reason.ptr, err);
}

int secret_inflate(struct bh_slice gzip, struct bh_buf *out, struct bh_err *err)
{
	struct bh_stream *stream = NULL;
	struct bh_slice run = { gzip.ptr, 1 };
	int rc = bh_stream_new(bh_memory_source(&gzip), NULL, NULL, NULL, &stream, err);
	while (rc == 0 && run.len) {
		rc = bh_stream_read(stream, &run, err);
		if (rc == 0 && !bh_buf_add(out, bh_slice_sub(run, 0, out->max_bytes - out->len)))
			break;
		if (out->len == out->max_bytes)
			break;
	}
	bh_stream_free(stream);
	return rc;
}
