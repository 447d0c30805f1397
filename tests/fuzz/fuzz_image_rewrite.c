/*
 * fuzz_image_rewrite.c: a layer blob written anew. Without edits, what comes out unpacks to what went in. With edits chosen by the names of entries, it is a tar
 * archive that holds the entries that were not dropped, in their order, with the modes and owners that were asked for.
 */
#include "base/limits.h"
#include "format/tar.h"
#include "image/rewrite.h"
#include "image/unit.h"

#define PLAIN_BYTES_MAX (16u << 20)
#define ENTRIES_MAX 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct collected {
	struct bh_buf packed;
	bool written, edits;
	struct bh_digest diff_id, new_diff_id;
};

static int collect(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct collected *c = ctx;
	(void)err;
	if (type == IMAGE_SAY_PACKED && !bh_buf_add(&c->packed, payload))
		abort();
	c->written |= type == IMAGE_SAY_WRITTEN;
	c->edits |= type == IMAGE_SAY_EDITED;
	return 0;
}

static bool is_dropped(struct bh_slice path)
{
	return path.ptr[path.len - 1] & 1;
}

static void edit(void *ctx, uint32_t layer, const struct image_entry *e, struct image_edit *ret)
{
	(void)ctx, (void)layer;
	if (e->path.len == 0)
		abort();
	*ret = (struct image_edit){ .why = 1, .drop = is_dropped(e->path), .tar = { .set_mode = true, .mode = 0640, .set_owner = true, .uid = 4000000000u, .gid = 7, .drop_capability = true } };
}

static int rewrite(struct bh_slice blob, const struct image_rewriter *rewriter, struct collected *c)
{
	const struct image_rewrite_job job = { .rewriter = rewriter, .max_bytes = PLAIN_BYTES_MAX, .digest_kind = BH_DIGEST_SHA256, .diff_kind = BH_DIGEST_SHA256 };
	const struct image_sink sink = { collect, NULL, c };
	struct bh_err err = { 0 };
	bh_buf_init(&c->packed, 2 * PLAIN_BYTES_MAX);
	int rc = image_layer_rewrite(&job, bh_memory_source(&blob), &sink, &err);
	if ((rc == 0) != c->written || (rc < 0 && err.text[0] == 0))
		abort();
	return rc;
}

static void unpack(struct bh_slice blob, struct bh_buf *out, bool must)
{
	const struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	struct bh_stream *stream = NULL;
	struct bh_err err = { 0 };
	struct bh_slice run;
	bh_buf_init(out, PLAIN_BYTES_MAX);
	int rc = bh_stream_new(bh_memory_source(&blob), &limits, NULL, NULL, &stream, &err);
	while (rc == 0 && (rc = bh_stream_read(stream, &run, &err)) == 0 && run.len)
		if (!bh_buf_add(out, run))
			abort();
	if (rc < 0 && must)
		abort();
	bh_stream_free(stream);
}

/* Entries that are not dropped, and not the root, which is not asked about: the n-th path hashed into one number. */
static size_t entries_of(struct bh_slice tar, bool drop, bool edited, uint64_t *sum)
{
	struct bh_tar *t = NULL;
	struct bh_tar_entry e;
	struct bh_err err = { 0 };
	uint8_t clean[BH_PATH_BYTES_MAX];
	bool climbed;
	size_t n = 0;
	int rc = bh_tar_new(bh_memory_source(&tar), &t, &err);
	while (rc == 0 && n < ENTRIES_MAX && (rc = bh_tar_next(t, &e, &err)) == 1) {
		struct bh_slice path;
		rc = 0;
		if (!bh_path_clean(e.name, clean, &path, &climbed) || path.len == 0 || (drop && is_dropped(path)))
			continue;
		if (edited && (e.mode != 0640 || e.uid != 4000000000u || e.gid != 7 || e.capability.len))
			abort();
		n++;
		*sum = *sum * 31 + bh_slice_hash(path) + e.size_bytes + (uint64_t)e.type;
	}
	if (rc < 0)
		abort();
	bh_tar_free(t);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_slice blob = { data, size };
	const struct image_rewriter plain = { 0 }, editing = { .edit = edit };
	struct collected same = { 0 }, changed = { 0 };
	struct bh_buf before, after;
	int rc = rewrite(blob, &plain, &same);
	unpack(blob, &before, rc == 0);
	if (rc == 0) {
		unpack(bh_buf_slice(&same.packed), &after, true);
		if (same.edits || !bh_slice_eq(bh_buf_slice(&before), bh_buf_slice(&after)))
			abort();
		bh_buf_done(&after);
		if (rewrite(blob, &editing, &changed) == 0) {
			uint64_t wanted = 0, got = 0;
			unpack(bh_buf_slice(&changed.packed), &after, true);
			if (entries_of(bh_buf_slice(&before), true, false, &wanted) != entries_of(bh_buf_slice(&after), false, true, &got) || wanted != got)
				abort();
			bh_buf_done(&after);
		}
		bh_buf_done(&changed.packed);
	}
	bh_buf_done(&before);
	bh_buf_done(&same.packed);
	return 0;
}
