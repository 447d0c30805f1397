/*
 * fuzz_image_zip.c: any input as a zip archive that is read like a directory. Whatever it is, what was said of it can be taken in, its end or an error is told, files
 * are wanted ones and no larger than wanted, and how the bytes arrive changes nothing.
 */
#include "../unit/image_layers.h"
#include "image/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WANTED_BYTES 1000u /* of layers_wants, and of what its first byte tells */

static bool wants_content(void *ctx, struct bh_slice path, struct bh_slice head)
{
	(void)ctx, (void)path;
	return head.len && head.ptr[0] == '#';
}

static uint64_t limit_of_content(void *ctx, struct bh_slice path, struct bh_slice head)
{
	return wants_content(ctx, path, head) ? WANTED_BYTES : 0;
}

static int read_one(const struct bh_slice *archive, size_t step, struct image_unit *unit)
{
	const struct image_visitor visitor = { .wants = layers_wants, .wants_content = limit_of_content, .file = layers_file };
	const struct image_sink sink = { layers_send, NULL, unit };
	struct layers_bytes bytes = { *archive, step };
	struct bh_err err = { 0 };
	int rc = image_zip_entries((struct bh_source){ .read = layers_read_bytes, .ctx = &bytes }, &visitor, &sink, &err);
	if ((rc == 0) != unit->ended || (rc < 0 && err.text[0] == '\0'))
		abort();
	return rc;
}

static void look_at(const struct image_unit *unit)
{
	for (size_t i = 0; i < unit->found.len; i++) {
		const struct image_found *f = &unit->found.ptr[i];
		for (const struct image_record *r = f->first; r; r = r->next)
			if (r->payload.len > WANTED_BYTES || (layers_wants(NULL, f->path) == 0 && !wants_content(NULL, f->path, r->payload)))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_slice archive = { data, size };
	struct image_unit units[2] = { 0 };
	struct image_pool pool;
	int rc[2];
	image_pool_init(&pool);
	for (size_t i = 0; i < 2; i++) {
		image_unit_init(&units[i], &pool);
		rc[i] = read_one(&archive, i ? 4096 : 7, &units[i]);
		look_at(&units[i]);
	}
	if (rc[0] != rc[1] || units[0].found.len != units[1].found.len || units[0].notes.len != units[1].notes.len)
		abort();
	for (size_t i = 0; i < 2; i++)
		image_unit_done(&units[i]);
	image_pool_done(&pool);
	return 0;
}
