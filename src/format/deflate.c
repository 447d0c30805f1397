/* deflate.c: by zlib: ISA-L packs several times as fast, but at best a sixth larger, and a layer is packed once and pulled often. */
#include "format/deflate.h"

#include <stdlib.h>
#include <zlib.h>

#define OUT_BYTES (64u << 10)
#define IN_BYTES_MAX (1u << 30) /* zlib counts in unsigned int */
#define GZIP_WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

struct bh_deflate {
	z_stream z;
	bh_deflate_sink *sink;
	void *ctx;
	uint8_t out[OUT_BYTES];
};

int bh_deflate_new(bh_deflate_sink *sink, void *ctx, struct bh_deflate **ret, struct bh_err *err)
{
	struct bh_deflate *d = calloc(1, sizeof(*d));
	if (!d || deflateInit2(&d->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(d);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	d->sink = sink;
	d->ctx = ctx;
	*ret = d;
	return 0;
}

void bh_deflate_free(struct bh_deflate *d)
{
	if (!d)
		return;
	deflateEnd(&d->z);
	free(d);
}

static int pump(struct bh_deflate *d, int flush, struct bh_err *err)
{
	int rc;
	do {
		d->z.next_out = d->out;
		d->z.avail_out = OUT_BYTES;
		rc = deflate(&d->z, flush);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return bh_fail(err, BH_ENOMEM, 0, "packing failed: zlib's error %d", rc);
		struct bh_slice packed = { d->out, OUT_BYTES - d->z.avail_out };
		int told = packed.len ? d->sink(d->ctx, packed, err) : 0;
		if (told < 0)
			return told;
	} while (flush == Z_FINISH ? rc != Z_STREAM_END : d->z.avail_in > 0 || d->z.avail_out == 0);
	return 0;
}

int bh_deflate_add(struct bh_deflate *d, struct bh_slice plain, struct bh_err *err)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < plain.len; at += IN_BYTES_MAX) {
		struct bh_slice part = bh_slice_sub(plain, at, IN_BYTES_MAX);
		d->z.next_in = (uint8_t *)(uintptr_t)part.ptr; /* zlib reads it only */
		d->z.avail_in = (unsigned)part.len;
		rc = pump(d, Z_NO_FLUSH, err);
	}
	return rc;
}

int bh_deflate_end(struct bh_deflate *d, struct bh_err *err)
{
	d->z.next_in = NULL;
	d->z.avail_in = 0;
	return pump(d, Z_FINISH, err);
}
