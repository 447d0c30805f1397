/* fuzz_image_git.c: any input as what git cat-file says of a repository. Whatever it is, its end is told, each blob has its bytes, and how they arrive changes nothing. */
#include "../unit/image_layers.h"
#include "image/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct blob {
	uint64_t size_bytes, seen;
	struct bh_slice path;
};

static int watch_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct blob *b = ctx;
	(void)emit, (void)err;
	if (e->type != IMAGE_ENTRY_FILE || e->path.len == 0)
		abort();
	*b = (struct blob){ .size_bytes = e->size_bytes, .path = e->path };
	return 1;
}

static int watch_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct blob *b = ctx;
	b->seen += run.len;
	if (run.len == 0 || b->seen > b->size_bytes)
		abort();
	return b->seen == b->size_bytes ? emit->record(emit->ctx, b->path, 1, bh_slice_sub(b->path, 0, 100), err) : 0;
}

static int watch_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	const struct blob *b = ctx;
	(void)emit, (void)err;
	if (whole != (b->seen == b->size_bytes))
		abort();
	return 0;
}

static void read_one(struct bh_slice batch, size_t step, struct image_unit *unit, struct image_pool *pool)
{
	struct blob blob = { 0 };
	const struct image_watcher watcher = { .entry = watch_entry, .bytes = watch_bytes, .end = watch_end, .ctx = &blob };
	const struct image_visitor visitor = { .watcher = &watcher };
	const struct image_sink sink = { layers_send, NULL, unit };
	struct layers_bytes bytes = { batch, step };
	struct bh_err err = { 0 };
	image_unit_init(unit, pool);
	if (image_git_blobs((struct bh_source){ .read = layers_read_bytes, .ctx = &bytes }, &visitor, &sink, &err) < 0 || !unit->ended)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_slice batch = { data, size };
	struct image_unit units[2] = { 0 };
	struct image_pool pool;
	image_pool_init(&pool);
	read_one(batch, size ? size : 1, &units[0], &pool);
	read_one(batch, 3, &units[1], &pool);
	if (units[0].found.len != units[1].found.len || units[0].notes.len != units[1].notes.len || units[0].end.entries != units[1].end.entries)
		abort();
	image_unit_done(&units[0]);
	image_unit_done(&units[1]);
	image_pool_done(&pool);
	return 0;
}
