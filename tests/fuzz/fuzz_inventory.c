/*
 * fuzz_inventory.c: from files and from records that a child which was taken over could send, to the sorted list of packages.
 * The input is frames: u8 what, u16 length, payload. Of `what`: bits 0-1 the layer, bit 2 visible, bit 3 "the payload is a file"
 * (its records follow the ordinary way) or else bits 4-5 "the payload is a record of this kind"; bits 6-7 which path.
 */
#include "base/reader.h"
#include "scan/inventory.h"

#include <stdlib.h>

#define LAYERS 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = { "var/lib/dpkg/status", "etc/os-release", "lib/apk/db/installed", "var/lib/dpkg/info/libc6:amd64.list" };

struct sender {
	struct image_visitor visitor;
	uint32_t layer;
	bool visible;
};

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static int emit_record(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct sender *s = ctx;
	uint8_t *sent = malloc(payload.len ? payload.len : 1); /* the parent's own copy, as behind a pipe */
	if (!sent)
		abort();
	if (payload.len)
		memcpy(sent, payload.ptr, payload.len);
	int rc = s->visitor.record(s->visitor.ctx, s->layer, path, s->visible, kind, (struct bh_slice){ sent, payload.len }, err);
	free(sent);
	return rc;
}

static int emit_incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	(void)ctx, (void)err;
	touch(bh_slice_str(what)), touch(path), touch(bh_slice_str(reason));
	return 0;
}

static int send(struct sender *s, uint8_t what, struct bh_slice payload, struct bh_err *err)
{
	struct bh_slice path = bh_slice_str(paths[what >> 6]);
	s->layer = what & 3;
	s->visible = what & 4;
	if (!(what & 8))
		return emit_record(s, path, what >> 4 & 3, payload, err);
	const struct image_emit emit = { emit_record, emit_incomplete, s };
	const struct image_file file = { .path = path, .data = payload, .size_bytes = payload.len };
	int rc = s->visitor.file(s->visitor.ctx, &file, &emit, err);
	return rc < 0 ? rc : s->visitor.finish(s->visitor.ctx, &emit, err);
}

/* Sorted, each with a layer there is or none, every byte of it at hand. */
static void check(const struct bh_report *report)
{
	for (size_t i = 0; i < report->packages.len; i++) {
		const struct bh_package *p = &report->packages.ptr[i];
		const struct bh_slice all[] = { p->type, p->name, p->version, p->arch, p->source_name, p->source_version, p->vendor,
						p->modularity, p->license, p->provides, p->owned, p->at.path, p->at.inner, p->owner, p->purl };
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			touch(all[k]);
		for (size_t k = 0; k < p->n_also; k++)
			touch(p->also[k].path), touch(p->also[k].inner);
		if (p->name.len == 0 || p->at.layer >= LAYERS)
			abort();
		if (i && (bh_slice_cmp(p[-1].type, p->type) > 0 || (bh_slice_eq(p[-1].type, p->type) && bh_slice_cmp(p[-1].name, p->name) > 0)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_key key = { 1, 2 };
	struct bh_report report;
	struct inventory *inv;
	struct bh_err err = { 0 };
	bh_report_init(&report);
	if (inventory_new(&report, &key, true, &inv, &err) < 0)
		abort();
	struct sender s = { .visitor = inventory_visitor(inv) };
	struct bh_reader r = bh_reader_of((struct bh_slice){ data, size });
	uint8_t what;
	uint16_t len;
	struct bh_slice payload;
	while (bh_take_u8(&r, &what) && bh_take_u16le(&r, &len) && bh_take(&r, len, &payload)) {
		err = (struct bh_err){ 0 };
		int rc = send(&s, what, payload, &err);
		if (rc < 0 && (rc != (int)err.code || err.text[0] == '\0'))
			abort(); /* a failure must say why */
	}
	if (inventory_finish(inv, &err) == BH_OK)
		check(&report);
	inventory_free(inv);
	bh_report_done(&report);
	return 0;
}
