/*
 * fetch.c: see fetch.h. While a file comes in it is PATH.part, and PATH.tag has the ETag or date that its bytes belong to: a later run
 * asks for the rest with If-Range, and gets everything anew when the publisher's copy is another one by then.
 */
#include "update/fetch.h"

#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (64ull << 30)
#define TAG_BYTES_MAX 4096u
#define FILE_MODE 0600

struct transfer {
	const struct update_fetch *f;
	char part[BH_PATH_BYTES_MAX], tag[BH_PATH_BYTES_MAX];
	int fd;
	struct bh_buf part_tag;   /* NUL-terminated */
	struct bh_buf etag, date; /* of what is here, NUL-terminated; empty: unknown */
	struct net_response response;
	bool tagged;              /* the tag file speaks of the bytes that come in */
};

/* An ETag that may differ byte by byte (W/) can't vouch for parts; a date can, for servers that have nothing else. */
static struct bh_slice strong_tag(const struct net_response *r)
{
	struct bh_slice etag = net_header(r, "ETag", 0);
	return etag.len && !bh_slice_starts(etag, BH_SLICE_LIT("W/")) ? etag : net_header(r, "Last-Modified", 0);
}

/* Written before the first byte, so that even a killed run leaves parts that can be continued. */
static int write_tag(struct transfer *t, struct bh_err *err)
{
	struct bh_slice tag = strong_tag(&t->response);
	t->tagged = true;
	if (tag.len)
		return bh_write_file_atomic(t->tag, tag, FILE_MODE, err);
	(void)unlink(t->tag);
	return 0;
}

static int sink(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	struct transfer *t = ctx;
	int rc = t->tagged ? 0 : write_tag(t, err);
	return rc < 0 ? rc : bh_write_all(t->fd, bytes, err);
}

static int restart(void *ctx, struct bh_err *err)
{
	struct transfer *t = ctx;
	t->tagged = false;
	if (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0)
		return bh_fail_errno(err, errno, "%s", t->part);
	return 0;
}

static void progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	const struct transfer *t = ctx;
	if (t->f->progress)
		t->f->progress(t->f->ctx, done_bytes, total_bytes);
}

static const char *text_of(const struct bh_buf *b)
{
	return b->len > 1 ? (const char *)b->ptr : NULL;
}

static bool is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void remember(const struct transfer *t, const char *what, struct bh_buf *out)
{
	if (t->f->source)
		bh_buf_add(out, update_state_get(t->f->state, t->f->source, t->f->url, what));
	bh_buf_add_byte(out, 0);
}

static int open_part(struct transfer *t, uint64_t *ret_size, struct bh_err *err)
{
	struct stat st;
	t->fd = open(t->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (t->fd < 0 || fstat(t->fd, &st) < 0)
		return bh_fail_errno(err, errno, "%s", t->part);
	bool known = st.st_size > 0 && bh_read_file(t->tag, TAG_BYTES_MAX, &t->part_tag, NULL) == 0 && t->part_tag.len > 0;
	bh_buf_add_byte(&t->part_tag, 0);
	if (!known)
		return restart(t, err);
	*ret_size = (uint64_t)st.st_size;
	return lseek(t->fd, 0, SEEK_END) < 0 ? bh_fail_errno(err, errno, "%s", t->part) : 0;
}

static bool is_web_page(const struct net_response *r)
{
	struct bh_slice type = net_header(r, "Content-Type", 0);
	return type.len >= 9 && strncasecmp((const char *)type.ptr, "text/html", 9) == 0;
}

static int put_in_place(struct transfer *t, const struct net_response *r, struct bh_err *err)
{
	const struct update_fetch *f = t->f;
	if (fsync(t->fd) < 0 || rename(t->part, f->path) < 0)
		return bh_fail_errno(err, errno, "%s", f->path);
	(void)unlink(t->tag);
	if (!f->source)
		return 0;
	int rc = update_state_set(f->state, f->source, f->url, " etag", net_header(r, "ETag", 0), err);
	return rc < 0 ? rc : update_state_set(f->state, f->source, f->url, " date", net_header(r, "Last-Modified", 0), err);
}

static int judge(struct transfer *t, const struct net_response *r, enum update_fetched *ret, struct bh_err *err)
{
	const struct update_fetch *f = t->f;
	if (r->status == 304) {
		*ret = UPDATE_SAME;
		return 0;
	}
	if (f->may_be_missing && (r->status == 404 || r->status == 410)) {
		*ret = UPDATE_MISSING;
		return 0;
	}
	if (!net_succeeded(r))
		return net_refused(r, f->url, err);
	if (is_web_page(r))
		return bh_fail(err, BH_EIO, 0, "%s: %s answered with a web page instead of data", f->url, r->host);
	*ret = UPDATE_NEW;
	return put_in_place(t, r, err);
}

static int run(struct transfer *t, enum update_fetched *ret, bool *ret_answered, struct bh_err *err)
{
	const struct update_fetch *f = t->f;
	uint64_t size = 0;
	int rc = open_part(t, &size, err);
	if (rc < 0)
		return rc;
	bool have = size == 0 && is_there(f->path);
	struct net_request request = {
		.url = f->url, .etag = have ? text_of(&t->etag) : NULL, .last_modified = have ? text_of(&t->date) : NULL, .resume_at = size,
		.if_range = size ? text_of(&t->part_tag) : NULL, .max_bytes = FILE_BYTES_MAX, .sink = sink, .restart = restart, .progress = progress, .ctx = t,
	};
	rc = net_fetch(f->session, &request, &t->response, err);
	*ret_answered = t->response.status > 0;
	bool broke = rc < 0; /* what came is kept, and continued by a later run */
	rc = rc < 0 ? rc : judge(t, &t->response, ret, err);
	if (!broke || !is_there(t->tag)) {
		(void)unlink(t->part); /* after a rename there is none */
		(void)unlink(t->tag);
	}
	return rc;
}

int update_fetch(const struct update_fetch *f, enum update_fetched *ret, bool *ret_answered, struct bh_err *err)
{
	struct transfer t = { .f = f, .fd = -1 };
	int n = snprintf(t.part, sizeof(t.part), "%s.part", f->path), m = snprintf(t.tag, sizeof(t.tag), "%s.tag", f->path);
	*ret_answered = false;
	if (n < 0 || n >= (int)sizeof(t.part) || m < 0 || m >= (int)sizeof(t.tag))
		return bh_fail(err, BH_ELIMIT, 0, "%s: the path is too long", f->path);
	bh_buf_init(&t.part_tag, TAG_BYTES_MAX + 1);
	bh_buf_init(&t.etag, TAG_BYTES_MAX);
	bh_buf_init(&t.date, TAG_BYTES_MAX);
	remember(&t, " etag", &t.etag);
	remember(&t, " date", &t.date);
	net_response_init(&t.response);
	int rc = run(&t, ret, ret_answered, err);
	net_response_done(&t.response);
	if (t.fd >= 0)
		(void)close(t.fd);
	bh_buf_done(&t.part_tag);
	bh_buf_done(&t.etag);
	bh_buf_done(&t.date);
	return rc;
}
