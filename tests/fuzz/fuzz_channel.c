/* fuzz_channel.c: what a hijacked child may send. The first byte chooses how the rest arrives in pieces; pieces must not matter. */
#include "sys/channel.h"

#include "base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void look_at(const struct channel_frame *f)
{
	if (f->kind >= CHANNEL_KINDS || f->payload.len > BH_FRAME_BYTES_MAX)
		abort();
	for (size_t i = 0; i < f->payload.len; i++)
		checksum += f->payload.ptr[i];
	struct bh_err err = { 0 };
	int code = 1;
	if (f->kind != CHANNEL_RESULT || !channel_parse_result(f->payload, &code, &err))
		return;
	if (code > 0 || code < BH_ECHILD || (int)err.code != code || !memchr(err.text, '\0', sizeof(err.text)))
		abort();
	for (const char *c = err.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort(); /* would reach a terminal */
}

/* Decodes all frames, given at first `piece` bytes and as many more each time; returns how many, and where it stopped. */
static size_t decode(struct bh_slice bytes, size_t piece, bool look, size_t *ret_stop, bool *ret_bad)
{
	size_t frames = 0, at = 0, have = 0;
	*ret_bad = false;
	while (have < bytes.len && !*ret_bad) {
		have = piece < bytes.len - have ? have + piece : bytes.len;
		int rc = 1;
		while (rc == 1) {
			struct channel_frame f;
			struct bh_err err = { 0 };
			size_t used = 0;
			rc = channel_decode(bh_slice_sub(bytes, at, have - at), &f, &used, &err);
			if (rc < 0 && (err.code != rc || !err.text[0]))
				abort();
			if (rc == 1 && (used < CHANNEL_HEADER_BYTES || used > have - at))
				abort();
			if (rc == 1 && look)
				look_at(&f);
			at += rc == 1 ? used : 0;
			frames += rc == 1;
			*ret_bad = rc < 0;
		}
	}
	*ret_stop = at;
	return frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct bh_slice bytes = { data + 1, size - 1 };
	size_t whole_stop, piece_stop;
	bool whole_bad, piece_bad;
	size_t whole = decode(bytes, bytes.len + 1, true, &whole_stop, &whole_bad);
	size_t pieces = decode(bytes, (size_t)data[0] + 1, false, &piece_stop, &piece_bad);
	if (whole != pieces || whole_stop != piece_stop || whole_bad != piece_bad)
		abort();
	return 0;
}
