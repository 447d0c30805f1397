/* bzip2.c: bzip2 streams by libbz2; several behind each other are what pbzip2 and lbzip2 write. */
#include "format/codec.h"

#include <bzlib.h>

struct bzip2 {
	bz_stream stream;
	bool open;
};

static bool bzip2_starts(struct bh_slice head)
{
	/* "BZh9" could be the name of the first file of a plain tar; the block magic behind it can't be a name by chance. */
	bool level = bh_slice_starts(head, BH_SLICE_LIT("BZh")) && head.len > 3 && head.ptr[3] >= '1' && head.ptr[3] <= '9';
	struct bh_slice magic = bh_slice_sub(head, 4, 6);
	return level && (bh_slice_starts(BH_SLICE_LIT("1AY&SY"), magic) || bh_slice_starts(BH_SLICE_LIT("\x17rE8P\x90"), magic));
}

static int bzip2_open(void **ret_state, struct bh_err *err)
{
	struct bzip2 *b = calloc(1, sizeof(*b));
	if (!b)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*ret_state = b;
	return 0;
}

static void end_stream(struct bzip2 *b)
{
	if (b->open)
		(void)BZ2_bzDecompressEnd(&b->stream);
	b->open = false;
}

static void bzip2_close(void *state)
{
	if (state)
		end_stream(state);
	free(state);
}

static int bzip2_begin(void *state, struct bh_err *err)
{
	struct bzip2 *b = state;
	end_stream(b);
	b->stream = (bz_stream){ 0 };
	b->open = BZ2_bzDecompressInit(&b->stream, 0, 0) == BZ_OK;
	return b->open ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static int bzip2_step(void *state, struct bh_slice *in, uint8_t *out, size_t room, size_t *ret_len, bool *ret_end, struct bh_err *err)
{
	struct bzip2 *b = state;
	size_t give = in->len < BH_CODEC_STEP_BYTES ? in->len : BH_CODEC_STEP_BYTES;
	b->stream.next_in = (char *)(uintptr_t)in->ptr; /* not written to; the library's type lacks the const */
	b->stream.avail_in = (unsigned)give;
	b->stream.next_out = (char *)out;
	b->stream.avail_out = (unsigned)room;
	int rc = BZ2_bzDecompress(&b->stream);
	*in = bh_slice_sub(*in, give - b->stream.avail_in, in->len);
	*ret_len = room - b->stream.avail_out;
	*ret_end = rc == BZ_STREAM_END;
	if (rc == BZ_MEM_ERROR)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc == BZ_OK || rc == BZ_STREAM_END ? 0 : bh_fail(err, BH_EMALFORMED, 0, "damaged data or wrong checksum");
}

const struct bh_codec bh_codec_bzip2 = {
	.name = "bzip2",
	.starts = bzip2_starts,
	.open = bzip2_open,
	.close = bzip2_close,
	.begin = bzip2_begin,
	.step = bzip2_step,
};
