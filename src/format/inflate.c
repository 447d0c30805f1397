/* inflate.c: the codec of zip.c for what is in memory as a whole. */
#include "format/inflate.h"

#include "format/codec.h"

#define STEP_BYTES (64u << 10) /* room for one step; the buffer grows by doubling */

/* The end of the data may come only after the last byte that is allowed: a spare byte takes what must not come. */
static int inflate_all(void *state, struct bh_slice in, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	size_t all = in.len, left = max_bytes;
	bool end = false;
	uint8_t spare;
	int rc = bh_codec_deflate.begin(state, err);
	while (rc == 0 && !end) {
		size_t before = in.len, len = 0, room = left < STEP_BYTES ? left : STEP_BYTES;
		if (!bh_buf_reserve(out, room))
			return bh_fail(err, BH_ENOMEM, all - in.len, "not enough memory to decompress");
		rc = bh_codec_deflate.step(state, &in, room ? out->ptr + out->len : &spare, room ? room : 1, &len, &end, err);
		if (rc == 0 && len > left)
			return bh_fail(err, BH_ELIMIT, all - in.len, "more than %zu bytes when decompressed", max_bytes);
		out->len += len;
		left -= len;
		if (rc == 0 && !end && len == 0 && in.len == before)
			return bh_fail(err, BH_ETRUNCATED, all, "compressed data ends too early");
	}
	return rc;
}

int bh_inflate(struct bh_slice deflated, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	void *state = NULL;
	int rc = bh_codec_deflate.open(&state, err);
	rc = rc < 0 ? rc : inflate_all(state, deflated, max_bytes, out, err);
	bh_codec_deflate.close(state);
	return rc;
}

int bh_inflate_zlib(struct bh_slice zlib, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	bool header = zlib.len > 2 && (zlib.ptr[0] & 0x0f) == 8 && (zlib.ptr[0] << 8 | zlib.ptr[1]) % 31 == 0 && (zlib.ptr[1] & 0x20) == 0;
	if (!header)
		return bh_fail(err, BH_EMALFORMED, 0, "not zlib data");
	return bh_inflate(bh_slice_sub(zlib, 2, zlib.len), max_bytes, out, err);
}
