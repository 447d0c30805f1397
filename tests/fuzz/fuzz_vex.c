/*
 * fuzz_vex.c: any input as a VEX document. What is said of it crosses the pipe unharmed, and its products can be compared with a package
 * and an image.
 */
#include "policy/product.h"
#include "policy/vex_child.h"
#include "policy/vex_format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_document(void *ctx, const struct policy_vex_head *head, struct bh_err *err)
{
	(void)ctx, (void)head, (void)err;
	return 0;
}

static void compare(struct bh_slice text)
{
	static const struct bh_package package = { .type = BH_SLICE_LIT("npm"), .name = BH_SLICE_LIT("@a/b"), .version = BH_SLICE_LIT("1") };
	static const struct bh_target target = { .text = BH_SLICE_LIT("example.com/a:1") };
	static const struct bh_distro distro;
	struct bh_arena a;
	struct policy_product p;
	bh_arena_init(&a, 1u << 20);
	if (policy_product_parse(text, &a, &p)) {
		(void)policy_product_is_package(&p, &package, &distro);
		(void)policy_product_is_image(&p, &target);
	}
	bh_arena_done(&a);
}

static int on_statement(void *ctx, const struct policy_vex_statement *s, struct bh_err *err)
{
	(void)err;
	struct bh_buf *frame = ctx;
	struct bh_slice ids[VEX_IDS_MAX];
	struct policy_vex_statement copy;
	bh_buf_clear(frame);
	if (!vex_put_statement(frame, s))
		return 0;
	if (!vex_get_statement(bh_buf_slice(frame), &copy, ids) || copy.status != s->status || !bh_slice_starts(s->product, copy.product))
		abort();
	compare(s->product);
	compare(s->component);
	return 0;
}

static int on_damaged(void *ctx, const char *what, size_t index, struct bh_err *err)
{
	(void)ctx, (void)what, (void)index, (void)err;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_buf frame;
	struct bh_err err = { 0 };
	bool other;
	bh_buf_init(&frame, BH_FRAME_BYTES_MAX);
	const struct vex_sink sink = { on_document, on_statement, on_damaged, &frame };
	(void)!vex_document_read((struct bh_slice){ data, size }, &sink, &other, &err);
	bh_buf_done(&frame);
	return 0;
}
