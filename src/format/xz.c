/* xz.c: xz streams by liblzma, with its memory bounded. The old .lzma format is not used by any builder and not read. */
#include "format/codec.h"

#include <lzma.h>

/* A 64 MiB dictionary (xz -9) plus the decoder's own 2 MiB. */
#define MEMORY_BYTES_MAX (66ull << 20)

static bool xz_starts(struct bh_slice head)
{
	return bh_slice_starts(head, BH_SLICE_LIT("\xfd" "7zXZ\0"));
}

static int xz_open(void **ret_state, struct bh_err *err)
{
	lzma_stream *x = calloc(1, sizeof(*x)); /* all zero is LZMA_STREAM_INIT */
	if (!x)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*ret_state = x;
	return 0;
}

static void xz_close(void *state)
{
	if (state)
		lzma_end(state);
	free(state);
}

static int xz_failed(lzma_ret rc, struct bh_err *err)
{
	switch (rc) {
	case LZMA_MEM_ERROR: return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	case LZMA_MEMLIMIT_ERROR: return bh_fail(err, BH_ELIMIT, 0, "needs more than %llu MiB of memory", MEMORY_BYTES_MAX >> 20);
	case LZMA_OPTIONS_ERROR: return bh_fail(err, BH_EUNSUPPORTED, 0, "uses filters or options that are not known");
	case LZMA_FORMAT_ERROR: return bh_fail(err, BH_EMALFORMED, 0, "not an xz header");
	default: return bh_fail(err, BH_EMALFORMED, 0, "damaged data or wrong checksum");
	}
}

static int xz_begin(void *state, struct bh_err *err)
{
	lzma_ret rc = lzma_stream_decoder(state, MEMORY_BYTES_MAX, 0);
	return rc == LZMA_OK ? 0 : xz_failed(rc, err);
}

static int xz_step(void *state, struct bh_slice *in, uint8_t *out, size_t room, size_t *ret_len, bool *ret_end, struct bh_err *err)
{
	lzma_stream *x = state;
	x->next_in = in->ptr;
	x->avail_in = in->len;
	x->next_out = out;
	x->avail_out = room;
	lzma_ret rc = lzma_code(x, LZMA_RUN);
	*in = bh_slice_sub(*in, in->len - x->avail_in, in->len);
	*ret_len = room - x->avail_out;
	*ret_end = rc == LZMA_STREAM_END;
	bool fine = rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR; /* BUF_ERROR: wants more input */
	return fine ? 0 : xz_failed(rc, err);
}

const struct bh_codec bh_codec_xz = {
	.name = "xz",
	.starts = xz_starts,
	.open = xz_open,
	.close = xz_close,
	.begin = xz_begin,
	.step = xz_step,
};
