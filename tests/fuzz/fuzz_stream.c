/* fuzz_stream.c: any input, decompressed in one piece and in small ones, must give the same bytes and the same verdict. */
#include "pieces.h"

#define PLAIN_BYTES_MAX (1u << 20)
#define PIECES_MAX 500u /* a run of one allocation per byte finds no more and takes seconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t plain, sum, offset;
};

static void add_raw(void *ctx, struct bh_slice raw)
{
	*(uint64_t *)ctx += raw.len;
}

static struct outcome run(struct bh_slice input, size_t piece)
{
	struct pieces p = { input, piece, NULL };
	struct bh_stream *s = NULL;
	struct bh_err err = { 0 };
	struct bh_slice got = { 0 };
	struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	struct outcome o = { 0 };
	uint64_t tapped = 0;
	o.rc = bh_stream_new(pieces_source(&p), &limits, add_raw, &tapped, &s, &err);
	while (o.rc == 0 && (o.rc = bh_stream_read(s, &got, &err)) == 0 && got.len)
		mix(&o.sum, got);
	if (o.rc < 0 && (err.code != (enum bh_code)o.rc || err.text[0] == '\0'))
		abort(); /* a failure must say why */
	o.plain = bh_stream_plain_bytes(s);
	o.offset = o.rc == BH_ETRUNCATED ? err.offset_bytes : 0;
	if (o.plain > PLAIN_BYTES_MAX || bh_stream_drain(s, &err) != 0 || tapped != input.len || bh_stream_raw_bytes(s) != input.len)
		abort(); /* the tap missed something, or saw it twice */
	bh_stream_free(s);
	pieces_done(&p);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice input = { data, size };
	struct outcome whole = run(input, SIZE_MAX), cut = run(input, size ? size / PIECES_MAX + 1 + data[size - 1] % 61u : 1);
	/* Damage may be noticed before or after the last good bytes went out; sound input leaves no choice. */
	if ((whole.rc == 0) != (cut.rc == 0) || (whole.rc == 0 && (whole.plain != cut.plain || whole.sum != cut.sum)))
		abort();
	if (whole.rc == BH_ETRUNCATED && whole.offset != size)
		abort(); /* too early is at the end, nowhere else */
	return 0;
}
