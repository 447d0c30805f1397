/*
 * codec.h: what stream.c asks of a decompressor. A codec decodes one frame (gzip member, zstd frame, xz stream) at a time;
 * stringing frames together, padding, limits and offsets are stream.c's. Adding one: a file and a line in codecs.def.
 */
#ifndef BH_FORMAT_CODEC_H
#define BH_FORMAT_CODEC_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

struct bh_codec {
	const char *name;

	/* Could a frame start with these bytes (BH_CODEC_HEAD_BYTES, fewer only at the end of the input)? */
	bool (*starts)(struct bh_slice head);

	int (*open)(void **ret_state, struct bh_err *err);
	void (*close)(void *state); /* NULL is fine */

	/* Before each frame. */
	int (*begin)(void *state, struct bh_err *err);

	/*
	 * Takes bytes off the front of *in, writes at most room bytes to out, says how many in *ret_len. *ret_end: the frame
	 * is over and its checksum right. Errors tell what is wrong; stream.c adds where.
	 */
	int (*step)(void *state, struct bh_slice *in, uint8_t *out, size_t room, size_t *ret_len, bool *ret_end, struct bh_err *err);
};

#define BH_CODEC_HEAD_BYTES 10u
#define BH_CODEC_STEP_BYTES (1u << 30) /* the libraries count in 32 bits: no step sees more input than this */

/*
 * RFC 1951, without wrapper and checksum: for zip.c only, nothing begins with it. At the end of a frame it has taken some bytes
 * too many, which bh_deflate_leftover hands out.
 */
#define BH_DEFLATE_LEFTOVER_MAX 8u
extern const struct bh_codec bh_codec_deflate;
size_t bh_deflate_leftover(void *state, uint8_t out[BH_DEFLATE_LEFTOVER_MAX]);
uint32_t bh_crc32(uint32_t crc, struct bh_slice bytes); /* of gzip and zip; begins with 0 */

#define CODEC(name, compression) extern const struct bh_codec bh_codec_##name;
#include "format/codecs.def"
#undef CODEC

#endif
