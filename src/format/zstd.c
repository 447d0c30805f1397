/* zstd.c: Zstandard frames (RFC 8878) by libzstd, skippable ones too (zstd:chunked keeps its table of contents in one). */
#include "format/codec.h"
#include "format/zstd_frame.h"

#include <zstd.h>
#include <zstd_errors.h>

#define WINDOW_LOG_MAX 27 /* 128 MiB: what `zstd --ultra -22` uses; larger windows need --long by hand */

static bool zstd_starts(struct bh_slice head)
{
	return bh_slice_starts(head, BH_SLICE_LIT("\x28\xb5\x2f\xfd")) ||
	       ((head.len >= 4 && (head.ptr[0] & 0xf0) == 0x50) && bh_slice_starts(bh_slice_sub(head, 1, 3), BH_SLICE_LIT("\x2a\x4d\x18")));
}

static void zstd_close(void *state)
{
	ZSTD_freeDStream(state);
}

static int zstd_open(void **ret_state, struct bh_err *err)
{
	ZSTD_DStream *d = ZSTD_createDStream();
	if (!d || ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		zstd_close(d);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	*ret_state = d;
	return 0;
}

static int zstd_begin(void *state, struct bh_err *err)
{
	(void)ZSTD_DCtx_reset(state, ZSTD_reset_session_only); /* can't fail for the session; keeps the window limit */
	(void)err;
	return 0;
}

static int zstd_failed(size_t rc, struct bh_err *err)
{
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return bh_fail(err, BH_ELIMIT, 0, "needs a window of more than %u MiB", 1u << (WINDOW_LOG_MAX - 20));
	case ZSTD_error_memory_allocation: return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	case ZSTD_error_dictionary_wrong: return bh_fail(err, BH_EUNSUPPORTED, 0, "needs an external dictionary");
	case ZSTD_error_checksum_wrong: return bh_fail(err, BH_EMALFORMED, 0, "wrong checksum");
	default: return bh_fail(err, BH_EMALFORMED, 0, "%s", ZSTD_getErrorName(rc));
	}
}

static int zstd_step(void *state, struct bh_slice *in, uint8_t *out, size_t room, size_t *ret_len, bool *ret_end, struct bh_err *err)
{
	ZSTD_inBuffer from = { in->ptr, in->len, 0 };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t rc = ZSTD_decompressStream(state, &to, &from);
	*in = bh_slice_sub(*in, from.pos, in->len);
	*ret_len = to.pos;
	*ret_end = rc == 0;
	return ZSTD_isError(rc) ? zstd_failed(rc, err) : 0;
}

const struct bh_codec bh_codec_zstd = {
	.name = "zstd",
	.starts = zstd_starts,
	.open = zstd_open,
	.close = zstd_close,
	.begin = zstd_begin,
	.step = zstd_step,
};

int bh_zstd_compress(struct bh_slice plain, int level, struct bh_buf *out, struct bh_err *err)
{
	size_t room = ZSTD_compressBound(plain.len);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t len = 0;
	bool good = ctx && bh_buf_reserve(out, room) && !ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level)) &&
		    !ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1));
	if (good)
		len = ZSTD_compress2(ctx, out->ptr + out->len, room, plain.ptr, plain.len);
	ZSTD_freeCCtx(ctx);
	if (!good || ZSTD_isError(len))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory while compressing");
	out->len += len;
	return 0;
}
