/*
 * rewrite.c: see rewrite.h.
 *
 *   child of a layer                                        parent
 *     raw ─► digest ─► inflate ─┬─► diffID                    EDITED u32 why, u8 dropped, u64 bytes, path   ─► told()
 *                               └─► span ─► gzip ─► PACKED ─► blob
 *                                    ▲ edit()                 WRITTEN digest, diffID, new diffID, u8 touched ─► checked against the plan
 *                                    └ bh_tar
 *
 * The plain bytes are cut into spans, one for each entry with all its headers. The bytes of a span are known to be wanted or not when the tar reader has read its
 * headers: until then they wait.
 */
#include "image/rewrite.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/deflate.h"
#include "format/tar.h"
#include "image/open.h"
#include "model/wire.h"
#include "sys/files.h"
#include "sys/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define WAITING_BYTES_MAX (16u << 20) /* headers are at most 3 MiB, a run 256 KiB */
#define LAYER_MEMORY_BYTES (1024ull << 20)
#define STALL_SECONDS (24u * 3600)    /* of what lies elsewhere */
#define PARALLEL_DEFAULT 2u

/* ---- the child ---- */

struct copy {
	const struct image_rewrite_job *job;
	const struct image_sink *sink;
	struct bh_stream *stream;
	struct bh_tar *tar;
	struct bh_deflate *deflate;
	struct bh_hasher *raw, *plain, *written;
	struct bh_buf waiting; /* plain bytes from waiting_at on that no span has claimed */
	uint64_t waiting_at;
	uint64_t span_end;     /* of the span whose bytes come by */
	bool keeps, touched;
	uint64_t raw_bytes;
	struct bh_buf frame, headers;
	uint8_t path[BH_PATH_BYTES_MAX];
};

static int send_packed(void *ctx, struct bh_slice packed, struct bh_err *err)
{
	const struct copy *c = ctx;
	return c->sink->send(c->sink->ctx, IMAGE_SAY_PACKED, packed, err);
}

static int write_plain(struct copy *c, struct bh_slice bytes, struct bh_err *err)
{
	bh_hasher_update(c->written, bytes);
	return bh_deflate_add(c->deflate, bytes, err);
}

static void tap(void *ctx, struct bh_slice raw)
{
	struct copy *c = ctx;
	bh_hasher_update(c->raw, raw);
	c->raw_bytes += raw.len;
	if (c->sink->progress)
		c->sink->progress(c->sink->ctx, c->raw_bytes);
}

/* Bytes up to the end of the span go their way, the others wait. */
static int route(struct copy *c, struct bh_slice run, struct bh_err *err)
{
	uint64_t at = c->waiting_at + c->waiting.len;
	size_t mine = c->waiting.len || c->span_end <= at ? 0 : c->span_end - at < run.len ? (size_t)(c->span_end - at) : run.len;
	int rc = mine && c->keeps ? write_plain(c, bh_slice_sub(run, 0, mine), err) : 0;
	c->waiting_at += mine;
	if (rc == 0 && !bh_buf_add(&c->waiting, bh_slice_sub(run, mine, run.len)))
		return bh_fail(err, BH_ELIMIT, 0, "headers of an entry larger than %u bytes", WAITING_BYTES_MAX);
	return rc;
}

static int read_plain(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct copy *c = ctx;
	int rc = bh_stream_read(c->stream, ret, err);
	if (rc < 0)
		return rc;
	bh_hasher_update(c->plain, *ret);
	return route(c, *ret, err);
}

/* What waits, as far as it belongs to the span that ends there. */
static int release(struct copy *c, uint64_t end, bool keep, struct bh_err *err)
{
	uint64_t have = c->waiting.len, wanted = end - c->waiting_at;
	size_t n = (size_t)(wanted < have ? wanted : have);
	struct bh_slice rest = bh_slice_sub(bh_buf_slice(&c->waiting), n, c->waiting.len);
	int rc = keep ? write_plain(c, bh_slice_sub(bh_buf_slice(&c->waiting), 0, n), err) : 0;
	if (rest.len)
		memmove(c->waiting.ptr, rest.ptr, rest.len);
	c->waiting.len = rest.len;
	c->waiting_at += n;
	c->span_end = end;
	c->keeps = keep;
	return rc;
}

static int tell_edit(struct copy *c, const struct image_edit *edit, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	c->touched = true;
	bh_buf_clear(&c->frame);
	bh_wire_put_u32(&c->frame, edit->why);
	bh_wire_put_u8(&c->frame, edit->drop);
	bh_wire_put_u64(&c->frame, e->type == BH_TAR_FILE ? e->size_bytes : 0);
	if (!bh_wire_put_slice(&c->frame, path))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return c->sink->send(c->sink->ctx, IMAGE_SAY_EDITED, bh_buf_slice(&c->frame), err);
}

/* The headers as the edit wants them; the content follows as it is. */
static int write_edited(struct copy *c, const struct image_edit *edit, const struct bh_tar_entry *e, struct bh_err *err)
{
	uint64_t content = e->offset + BH_TAR_BLOCK_BYTES; /* or the rest of a sparse map, which is not touched, too */
	struct bh_slice headers = bh_slice_sub(bh_buf_slice(&c->waiting), 0, (size_t)(content - c->waiting_at));
	bh_buf_clear(&c->headers);
	int rc = bh_tar_edit_headers(headers, (size_t)(e->offset - c->waiting_at), &edit->tar, &c->headers, err);
	rc = rc < 0 ? rc : write_plain(c, bh_buf_slice(&c->headers), err);
	rc = rc < 0 ? rc : release(c, content, false, err);
	return rc < 0 ? rc : release(c, e->end, true, err);
}

static int entry(struct copy *c, const struct bh_tar_entry *e, struct bh_err *err)
{
	struct bh_slice path;
	bool climbed = false;
	if (!bh_path_clean(e->name, c->path, &path, &climbed))
		return bh_fail(err, BH_EMALFORMED, e->offset, "an entry at offset %ju has a name that no file system can hold", (uintmax_t)e->offset);
	if (path.len == 0)
		return release(c, e->end, true, err);
	const struct image_entry seen = image_entry_of(e, path);
	struct image_edit edit = { 0 };
	const struct image_rewriter *rewriter = c->job->rewriter;
	if (rewriter->edit)
		rewriter->edit(rewriter->ctx, c->job->layer, &seen, &edit);
	if (edit.why == 0)
		return release(c, e->end, true, err);
	int rc = tell_edit(c, &edit, e, path, err);
	if (rc < 0 || edit.drop)
		return rc < 0 ? rc : release(c, e->end, false, err);
	return write_edited(c, &edit, e, err);
}

/* Behind the last entry: whatever is there belongs to the archive. */
static int copy_rest(struct copy *c, struct bh_err *err)
{
	struct bh_slice run;
	int rc = release(c, UINT64_MAX, true, err);
	do
		rc = rc < 0 ? rc : read_plain(c, &run, err);
	while (rc == 0 && run.len);
	return rc < 0 ? rc : bh_stream_drain(c->stream, err);
}

static int copy_layer(struct copy *c, struct bh_err *err)
{
	struct bh_source plain = { read_plain, c };
	struct bh_tar_entry e;
	int rc = bh_tar_new(plain, &c->tar, err);
	while (rc == 0 && (rc = bh_tar_next(c->tar, &e, err)) == 1)
		rc = entry(c, &e, err);
	rc = rc < 0 ? rc : copy_rest(c, err);
	return rc < 0 ? rc : bh_deflate_end(c->deflate, err);
}

static int tell_written(struct copy *c, struct bh_err *err)
{
	struct bh_digest digest, diff_id, written;
	bh_hasher_finish(c->raw, &digest);
	bh_hasher_finish(c->plain, &diff_id);
	bh_hasher_finish(c->written, &written);
	bh_buf_clear(&c->frame);
	bh_wire_put_digest(&c->frame, &digest);
	bh_wire_put_digest(&c->frame, &diff_id);
	bh_wire_put_digest(&c->frame, &written);
	if (!bh_wire_put_u8(&c->frame, c->touched))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return c->sink->send(c->sink->ctx, IMAGE_SAY_WRITTEN, bh_buf_slice(&c->frame), err);
}

static int copy_new(struct copy *c, struct bh_source raw, struct bh_err *err)
{
	const struct bh_stream_limits limits = { .max_bytes = c->job->max_bytes };
	bh_buf_init(&c->waiting, WAITING_BYTES_MAX);
	bh_buf_init(&c->frame, 2 * BH_PATH_BYTES_MAX);
	bh_buf_init(&c->headers, WAITING_BYTES_MAX);
	int rc = bh_hasher_new(c->job->digest_kind, &c->raw, err);
	rc = rc < 0 ? rc : bh_hasher_new(c->job->diff_kind, &c->plain, err);
	rc = rc < 0 ? rc : bh_hasher_new(BH_DIGEST_SHA256, &c->written, err);
	rc = rc < 0 ? rc : bh_deflate_new(send_packed, c, &c->deflate, err);
	return rc < 0 ? rc : bh_stream_new(raw, &limits, tap, c, &c->stream, err);
}

static void copy_done(struct copy *c)
{
	bh_tar_free(c->tar);
	bh_stream_free(c->stream);
	bh_deflate_free(c->deflate);
	bh_hasher_free(c->raw);
	bh_hasher_free(c->plain);
	bh_hasher_free(c->written);
	bh_buf_done(&c->waiting);
	bh_buf_done(&c->frame);
	bh_buf_done(&c->headers);
}

int image_layer_rewrite(const struct image_rewrite_job *job, struct bh_source raw, const struct image_sink *sink, struct bh_err *err)
{
	struct copy *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->job = job;
	c->sink = sink;
	int rc = copy_new(c, raw, err);
	rc = rc < 0 ? rc : copy_layer(c, err);
	rc = rc < 0 ? rc : tell_written(c, err);
	copy_done(c);
	free(c);
	return rc;
}

struct layer_child {
	const struct image_rewriter *rewriter;
	const struct image_source *source;
	const struct image_plan_layer *layer;
	uint32_t number;
	uint64_t max_bytes;
	char name[IMAGE_LAYER_LABEL_BYTES];
	/* the parent's */
	struct image_blob blob;
	bool written, touched;
	struct bh_digest digest, diff_id, new_diff_id;
	struct bh_progress *bar;
	uint64_t *bar_done, done_bytes;
};

static enum bh_digest_kind kind_or_256(const struct bh_digest *d)
{
	return d->kind ? d->kind : BH_DIGEST_SHA256;
}

static int run_layer(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct layer_child *l = ctx;
	const struct image_rewrite_job job = { .rewriter = l->rewriter, .layer = l->number, .max_bytes = l->max_bytes, .digest_kind = kind_or_256(&l->layer->digest),
					       .diff_kind = kind_or_256(&l->layer->diff_id) };
	const struct image_sink sink = image_channel_sink(ch);
	struct bh_file_source source;
	int rc = image_layer_open(ch, l->layer, &source, err);
	if (rc < 0)
		return rc;
	rc = image_layer_rewrite(&job, bh_file_source(&source), &sink, err);
	image_layer_close(&source);
	return rc;
}

/* ---- the parent ---- */

static int take_edited(const struct layer_child *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct image_edit edit = { 0 };
	struct bh_slice path;
	uint64_t bytes;
	uint8_t dropped;
	if (!bh_take_u32le(&r, &edit.why) || !bh_take_u8(&r, &dropped) || !bh_take_u64le(&r, &bytes) || !bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &path) || bh_reader_left(&r))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about an edit");
	edit.drop = dropped != 0;
	return l->rewriter->told(l->rewriter->ctx, l->number, &edit, bytes, path, err);
}

static int take_written(struct layer_child *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	uint8_t touched;
	if (l->written || !bh_wire_get_digest(&r, &l->digest) || !bh_wire_get_digest(&r, &l->diff_id) || !bh_wire_get_digest(&r, &l->new_diff_id) || !bh_take_u8(&r, &touched) ||
	    bh_reader_left(&r))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about a layer");
	l->written = true;
	l->touched = touched != 0;
	return 0;
}

static int layer_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct layer_child *l = ctx;
	if (is_request)
		return type == IMAGE_ASK_OPEN ? image_source_answer(l->source, payload, l->layer->size_bytes, reply, err) : bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
	switch (type) {
	case IMAGE_SAY_EDITED: return take_edited(l, payload, err);
	case IMAGE_SAY_PACKED: return image_blob_add(&l->blob, payload, err);
	case IMAGE_SAY_WRITTEN: return take_written(l, payload, err);
	default: return bh_fail(err, BH_EMALFORMED, 0, "message %u is not known", type);
	}
}

static void layer_progress(void *ctx, uint64_t done_bytes)
{
	struct layer_child *l = ctx;
	if (done_bytes < l->done_bytes)
		return;
	*l->bar_done += done_bytes - l->done_bytes;
	l->done_bytes = done_bytes;
	bh_progress_set(l->bar, *l->bar_done);
}

/* Every run of bytes that comes from a descriptor. */
static int for_each_run(int fd, int (*take)(void *ctx, struct bh_slice run, struct bh_err *err), void *ctx, struct bh_err *err)
{
	struct bh_file_source source;
	int rc = bh_file_source_init(&source, fd, 0, UINT64_MAX, true, err);
	if (rc < 0)
		return rc;
	const struct bh_source bytes = bh_file_source(&source);
	struct bh_slice run = { 0 };
	do {
		rc = bytes.read(bytes.ctx, &run, err);
		rc = rc < 0 || run.len == 0 ? rc : take(ctx, run, err);
	} while (rc == 0 && run.len);
	bh_file_source_done(&source);
	return rc;
}

static int add_to_blob(void *ctx, struct bh_slice run, struct bh_err *err)
{
	return image_blob_add(ctx, run, err);
}

/* The blob itself, from where the child had it. */
static int copy_blob(struct layer_child *l, struct bh_err *err)
{
	char name[IMAGE_LAYER_NAME_BYTES];
	struct bh_buf payload;
	struct bh_child_reply reply = { .payload = &payload, .fd = -1 };
	bh_buf_init(&payload, 4096);
	image_layer_name(l->layer, name);
	int rc = image_source_answer(l->source, bh_slice_str(name), l->layer->size_bytes, &reply, err);
	if (rc == 0 && reply.fd < 0)
		rc = bh_fail(err, BH_ENOTFOUND, 0, "%s can't be read again", name);
	bh_buf_done(&payload);
	rc = rc < 0 ? rc : for_each_run(reply.fd, add_to_blob, &l->blob, err);
	if (reply.close_fd && reply.fd >= 0)
		close(reply.fd);
	return rc;
}

static struct bh_slice packed_type(const struct image_plan_layer *l)
{
	return bh_slice_starts(l->media_type, BH_SLICE_LIT("application/vnd.docker.")) ? BH_SLICE_LIT("application/vnd.docker.image.rootfs.diff.tar.gzip") :
											  BH_SLICE_LIT("application/vnd.oci.image.layer.v1.tar+gzip");
}

/* Was it read as the plan says? */
static int check_layer(const struct layer_child *l, struct bh_err *err)
{
	if (!l->written)
		return bh_fail(err, BH_ECHILD, 0, "%s: its child ended without a result", l->name);
	if (l->layer->digest.kind && !bh_digest_eq(&l->layer->digest, &l->digest))
		return image_mismatch(l->name, "digest", &l->digest, &l->layer->digest, err);
	if (l->layer->diff_id.kind && !bh_digest_eq(&l->layer->diff_id, &l->diff_id))
		return image_mismatch(l->name, "diffID", &l->diff_id, &l->layer->diff_id, err);
	return 0;
}

static bool has_blob(const struct layer_child *l)
{
	return l->layer->place.kind == IMAGE_PLACE_BLOB && l->layer->digest.kind == BH_DIGEST_SHA256;
}

/* Nobody has to look into it. */
static bool is_copied(const struct layer_child *l)
{
	return !l->rewriter->edit && has_blob(l);
}

static int end_layer(struct layer_child *l, struct image_new_layer *ret, struct bh_err *err)
{
	int rc = is_copied(l) ? 0 : check_layer(l, err);
	if (rc < 0)
		return rc;
	*ret = (struct image_new_layer){ .diff_id = is_copied(l) ? l->layer->diff_id : l->new_diff_id, .media_type = packed_type(l->layer) };
	ret->same = !l->touched && has_blob(l);
	if (ret->same) {
		int folder = l->blob.folder_fd;
		image_blob_drop(&l->blob);
		rc = image_blob_begin(&l->blob, folder, l->number, err);
		rc = rc < 0 ? rc : copy_blob(l, err);
		ret->media_type = l->layer->media_type;
	}
	ret->size_bytes = l->blob.size_bytes;
	rc = rc < 0 ? rc : image_blob_end(&l->blob, &ret->digest, err);
	return rc == 0 && ret->same && !bh_digest_eq(&ret->digest, &l->layer->digest) ? image_mismatch(l->name, "digest", &ret->digest, &l->layer->digest, err) : rc;
}

static int run_children(const struct image_request *req, struct layer_child *children, size_t n, struct bh_err *err)
{
	struct bh_child_spec *specs = calloc(n ? n : 1, sizeof(*specs));
	int *results = calloc(n ? n : 1, sizeof(*results));
	struct bh_err *errs = calloc(n ? n : 1, sizeof(*errs));
	bool ready = specs && results && errs;
	size_t n_specs = 0;
	for (size_t i = 0; ready && i < n; i++)
		if (!is_copied(&children[i]))
			specs[n_specs++] = (struct bh_child_spec){
				.name = children[i].name, .run = run_layer, .handle = layer_handle, .progress = layer_progress, .ctx = &children[i],
				.limits = { .memory_bytes = LAYER_MEMORY_BYTES, .stall_seconds = req->remote ? STALL_SECONDS : 0, .output_bytes = BH_LAYER_BYTES_MAX },
			};
	int rc = ready ? bh_children_run(specs, n_specs, req->parallel ? req->parallel : PARALLEL_DEFAULT, results, errs, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; ready && rc == 0 && i < n_specs; i++)
		if (results[i] < 0)
			rc = bh_fail(err, (enum bh_code)results[i], 0, "%s: %s", specs[i].name, errs[i].text);
	free(specs);
	free(results);
	free(errs);
	return rc;
}

static int begin_layers(const struct image_request *req, const struct image_rewriter *rewriter, const struct image_source *source, const struct image_plan *plan,
			struct layer_child *children, struct bh_err *err)
{
	int rc = 0;
	for (size_t k = 0; rc == 0 && k < plan->layers.len; k++) {
		const struct image_plan_layer *layer = &plan->layers.ptr[k];
		children[k] = (struct layer_child){ .rewriter = rewriter, .source = source, .layer = layer, .number = (uint32_t)k, .blob.fd = -1,
						    .max_bytes = req->max_layer_bytes ? req->max_layer_bytes : BH_LAYER_BYTES_MAX };
		image_layer_label(layer, k, children[k].name);
		if (layer->place.kind == IMAGE_PLACE_NONE)
			return bh_fail(err, BH_ENOTFOUND, 0, "%s: %.*s", children[k].name, BH_SLICE_FMT(layer->skip));
		rc = image_blob_begin(&children[k].blob, rewriter->blobs_fd, (unsigned)k, err);
	}
	return rc;
}

static int rewrite_layers(const struct image_request *req, const struct image_rewriter *rewriter, const struct image_source *source, struct image_rewriting *ret, struct bh_err *err)
{
	size_t n = ret->plan.layers.len;
	struct layer_child *children = calloc(n ? n : 1, sizeof(*children));
	if (!children)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	uint64_t total = 0, done = 0;
	for (size_t k = 0; k < n; k++)
		total += ret->plan.layers.ptr[k].size_bytes;
	struct bh_progress *bar = bh_progress_new("writing layers", total, BH_PROGRESS_BYTES, req->quiet);
	for (size_t k = 0; k < n; k++)
		children[k].blob.fd = -1;
	int rc = begin_layers(req, rewriter, source, &ret->plan, children, err);
	for (size_t k = 0; k < n; k++) {
		children[k].bar = bar;
		children[k].bar_done = &done;
	}
	rc = rc < 0 ? rc : run_children(req, children, n, err);
	for (size_t k = 0; rc == 0 && k < n; k++) {
		struct image_new_layer layer = { 0 };
		rc = end_layer(&children[k], &layer, err);
		if (rc == 0 && !image_new_layer_vec_push(&ret->layers, layer))
			rc = bh_fail(err, BH_ELIMIT, 0, "more than %u layers", BH_LAYERS_MAX);
	}
	for (size_t k = 0; k < n; k++)
		image_blob_drop(&children[k].blob);
	bh_progress_free(bar);
	free(children);
	return rc;
}

int image_rewrite(const struct image_request *req, const struct image_rewriter *rewriter, struct bh_report *report, struct image_rewriting *ret, struct bh_err *err)
{
	struct image_source source;
	*ret = (struct image_rewriting){ .layers.max = BH_LAYERS_MAX };
	int rc = image_open(req, report, &source, &ret->plan, err);
	rc = rc < 0 ? rc : rewrite_layers(req, rewriter, &source, ret, err);
	image_source_done(&source);
	return rc;
}

void image_rewriting_done(struct image_rewriting *r)
{
	image_new_layer_vec_done(&r->layers);
	image_plan_done(&r->plan);
}

/* ---- streams ---- */

static int write_run(void *ctx, struct bh_slice run, struct bh_err *err)
{
	return bh_write_all(*(const int *)ctx, run, err);
}

int image_keep_stream(const struct image_request *req, const char *folder, int *ret_fd, struct bh_err *err)
{
	*ret_fd = -1;
	bool remote = req->remote && req->remote->archive, input = !req->remote && strcmp(req->path, "-") == 0;
	if (!remote && !input)
		return 0;
	BH_CLOSE int to = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (to < 0)
		return bh_fail_errno(err, errno, "%s: a temporary file", folder);
	int from = input ? STDIN_FILENO : -1;
	int rc = input ? 0 : req->remote->open(req->remote->ctx, BH_SLICE_LIT("archive"), BH_LAYER_BYTES_MAX, &from, err);
	rc = rc < 0 ? rc : for_each_run(from, write_run, &to, err);
	if (!input && from >= 0)
		close(from);
	rc = rc < 0 || input ? rc : req->remote->outcome(req->remote->ctx, BH_SLICE_LIT("archive"), err);
	if (rc == 0)
		*ret_fd = BH_TAKE_FD(to);
	return rc;
}
