/*
 * fuzz_image_merge.c: what a child that was taken over could send. The input is frames: u8 layer (low 2 bits), u8 type, u16
 * length, payload; then links are looked for and the layers merged.
 */
#include "base/reader.h"
#include "image/merge.h"
#include "image/unit.h"

#include <stdlib.h>

#define LAYERS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static uint64_t wants(void *ctx, struct bh_slice path)
{
	(void)ctx;
	return path.len && path.ptr[path.len - 1] == 'w';
}

static bool wants_below(void *ctx, struct bh_slice path)
{
	(void)ctx;
	return path.len && path.ptr[0] == 'a';
}

static struct bh_slice home(void *ctx, size_t index)
{
	(void)ctx;
	static const char *const homes[] = { "a/w", "a/b/", "b/b/w", "" };
	return bh_slice_str(homes[index]);
}

static int record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	(void)ctx, (void)visible, (void)kind, (void)err;
	if (layer >= LAYERS)
		abort();
	touch(path), touch(payload);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_visitor visitor = { .wants = wants, .wants_below = wants_below, .home = home, .record = record };
	const struct image_key key = { 1, 2 };
	struct image_pool pool;
	struct image_unit units[2 * LAYERS];
	struct image_unit *of[2 * LAYERS];
	struct bh_err err = { 0 };
	image_pool_init(&pool);
	for (size_t i = 0; i < 2 * LAYERS; i++) {
		image_unit_init(&units[i], &pool);
		of[i] = &units[i];
	}
	struct bh_reader r = bh_reader_of((struct bh_slice){ data, size });
	uint8_t layer, type;
	uint16_t len;
	struct bh_slice payload;
	while (bh_take_u8(&r, &layer) && bh_take_u8(&r, &type) && bh_take_u16le(&r, &len)) {
		if (!bh_take(&r, len < bh_reader_left(&r) ? len : bh_reader_left(&r), &payload))
			break;
		err.text[0] = '\0';
		int rc = image_unit_take(&units[layer % (2 * LAYERS)], type, payload, &err);
		if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
			abort();
	}
	struct image_stack stack = { .visitor = &visitor, .key = &key, .n = LAYERS, .units = of, .extra = of + LAYERS };
	struct image_links links;
	struct bh_report report;
	bh_report_init(&report);
	image_links_init(&links);
	int rc = image_links_find(&stack, &links, &err);
	if (rc == 0) {
		image_links_report(&stack, &links, &report);
		rc = image_merge(&stack, &links, &report, &err);
	}
	if (rc < 0 && err.text[0] == '\0')
		abort();
	image_links_done(&links);
	bh_report_done(&report);
	for (size_t i = 0; i < 2 * LAYERS; i++)
		image_unit_done(&units[i]);
	image_pool_done(&pool);
	return 0;
}
