/* fuzz_image_layer.c: a layer blob, compressed or not, read twice (as two layers of one image), its links followed, merged. */
#include "../unit/image_layers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static int record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	(void)ctx, (void)err, (void)visible;
	if (layer > 1 || (kind != 2 && !layers_wants(NULL, path)))
		abort();
	for (size_t i = 0; i < payload.len; i++)
		checksum += payload.ptr[i];
	return 0;
}

/* Looks at everything, and tells of files that begin with an odd byte. */
static int watch_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct bh_slice *path = ctx;
	(void)emit, (void)err;
	if (e->path.len == 0)
		abort();
	*path = e->path;
	return 1;
}

static int watch_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct bh_slice *path = ctx;
	if (run.len == 0 || path->len == 0)
		abort();
	return run.ptr[0] & 1 ? emit->record(emit->ctx, *path, 2, BH_SLICE_LIT("odd"), err) : 0;
}

static int watch_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct bh_slice *path = ctx;
	(void)emit, (void)err, (void)whole;
	if (path->len == 0)
		abort(); /* twice, or of nothing */
	path->len = 0;
	return 0;
}

static void read_both(struct bh_slice blob, const struct image_layer_job *job, struct image_unit *units, struct image_pool *pool)
{
	for (size_t k = 0; k < 2; k++) {
		struct bh_err err = { 0 };
		image_unit_init(&units[k], pool);
		if (layers_read(blob, job, &units[k], &err) < 0 || !units[k].ended)
			abort(); /* whatever the blob is, its end is told */
		if (units[k].end.code != BH_OK && units[k].end.problem.len == 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice at = { 0 };
	const struct image_watcher watcher = { .entry = watch_entry, .bytes = watch_bytes, .end = watch_end, .ctx = &at };
	const struct image_visitor visitor = {
		.wants = layers_wants, .wants_below = layers_wants_below, .home = layers_home, .file = layers_file, .record = record, .watcher = &watcher,
	};
	const struct image_key key = { 3, 4 };
	struct image_layer_job job = { .visitor = &visitor, .key = &key, .max_bytes = 16u << 20, .digest_kind = BH_DIGEST_SHA256,
				       .diff_kind = BH_DIGEST_SHA256, .want_hides = true };
	struct image_pool pool;
	struct image_unit units[4] = { 0 };
	struct image_unit *of[2] = { &units[0], &units[1] }, *extra[2] = { 0 };
	struct image_stack stack = { .visitor = &visitor, .key = &key, .n = 2, .units = of, .extra = extra };
	struct image_links links;
	struct bh_report report;
	struct bh_err err = { 0 };
	image_pool_init(&pool);
	image_links_init(&links);
	bh_report_init(&report);
	read_both((struct bh_slice){ data, size }, &job, units, &pool);
	if (image_links_find(&stack, &links, &err) < 0)
		abort();
	struct image_alias aliases[8];
	for (size_t i = 0; i < links.leads.len && i < 8; i++)
		aliases[job.n_aliases++] = links.leads.ptr[i].alias;
	if (job.n_aliases) {
		job.want_hides = false;
		job.aliases = aliases;
		read_both((struct bh_slice){ data, size }, &job, units + 2, &pool);
		extra[0] = &units[2];
		extra[1] = &units[3];
		image_links_report(&stack, &links, &report);
	}
	if (image_merge(&stack, &links, &report, &err) < 0)
		abort();
	image_links_done(&links);
	bh_report_done(&report);
	for (size_t k = 0; k < 4; k++)
		image_unit_done(&units[k]);
	image_pool_done(&pool);
	return 0;
}
