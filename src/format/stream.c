/*
 * stream.c: raw bytes in, plain bytes out; see stream.h.
 *
 *   source ──► tap ──► input (borrowed slice) ──► codec: frame, frame, ... ──► window ──► caller
 *                          │                                                                ▲
 *                          └────────────── plain: handed on without a copy ────────────────┘
 *
 * Frames follow each other, possibly with zero bytes behind the last one (tape blocks, Docker and pigz accept them).
 * Anything else behind a frame is damage: a reader that ignored it would show something else than the image's user gets.
 */
#include "format/stream.h"

#include "base/limits.h"
#include "format/codec.h"
#include "format/feed.h"

#include <assert.h>
#include <inttypes.h>

#define WINDOW_BYTES (256u << 10)       /* fits the second-level cache, so that hashing the window reads from there */
#define RATIO_DEFAULT 500u              /* real layers: below 20; deflate can't exceed 1,032 */
#define RATIO_FREE_BYTES (1ull << 30)   /* small inputs may expand as they like: the work is bounded anyway */

static const struct bh_codec *const codecs[] = {
#define CODEC(name, compression) [compression] = &bh_codec_##name,
#include "format/codecs.def"
#undef CODEC
};
#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

struct bh_stream {
	struct bh_source src;
	struct bh_stream_limits limits;
	bh_tap *tap;
	void *tap_ctx;

	struct bh_feed feed; /* over src and tap */

	enum bh_compression compression;
	const struct bh_codec *codec; /* NULL for plain streams */
	void *codec_state;
	bool sniffed, in_frame, ended;
	uint64_t frames;
	uint8_t *window;

	uint64_t plain_bytes;
	struct bh_err broken; /* once a read failed, every later one fails the same way */
};

enum bh_compression bh_compression_sniff(struct bh_slice head)
{
	for (size_t c = 0; c < CODECS; c++)
		if (codecs[c] && codecs[c]->starts(head))
			return (enum bh_compression)c;
	return BH_PLAIN;
}

const char *bh_compression_name(enum bh_compression c)
{
	return c == BH_PLAIN ? "none" : codecs[c]->name;
}

static int tapped_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_stream *s = ctx;
	int rc = s->src.read(s->src.ctx, ret, err);
	if (rc == 0 && ret->len && s->tap)
		s->tap(s->tap_ctx, *ret);
	return rc;
}

int bh_stream_new(struct bh_source src, const struct bh_stream_limits *limits, bh_tap *tap, void *tap_ctx, struct bh_stream **ret,
		  struct bh_err *err)
{
	struct bh_stream *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a stream");
	s->src = src;
	s->feed.src = (struct bh_source){ tapped_read, s };
	s->tap = tap;
	s->tap_ctx = tap_ctx;
	if (limits)
		s->limits = *limits;
	if (s->limits.max_bytes == 0)
		s->limits.max_bytes = BH_LAYER_BYTES_MAX;
	if (s->limits.max_ratio == 0)
		s->limits.max_ratio = RATIO_DEFAULT;
	*ret = s;
	return 0;
}

void bh_stream_free(struct bh_stream *s)
{
	if (!s)
		return;
	if (s->codec)
		s->codec->close(s->codec_state);
	free(s->window);
	free(s);
}

enum bh_compression bh_stream_compression(const struct bh_stream *s)
{
	return s->compression;
}

uint64_t bh_stream_raw_bytes(const struct bh_stream *s)
{
	return s->feed.pulled_bytes;
}

uint64_t bh_stream_plain_bytes(const struct bh_stream *s)
{
	return s->plain_bytes;
}

/* How far decoding got in the raw bytes; where an error is. */
static uint64_t raw_offset(const struct bh_stream *s)
{
	return bh_feed_offset(&s->feed);
}

static int sniff(struct bh_stream *s, struct bh_err *err)
{
	int rc = bh_feed_look(&s->feed, BH_CODEC_HEAD_BYTES, err);
	if (rc < 0)
		return rc;
	s->compression = bh_compression_sniff(s->feed.now);
	s->sniffed = true;
	if (s->compression == BH_PLAIN)
		return 0;
	s->window = malloc(WINDOW_BYTES);
	if (!s->window)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for decompressing");
	const struct bh_codec *codec = codecs[s->compression];
	rc = codec->open(&s->codec_state, err);
	if (rc == 0)
		s->codec = codec;
	return rc;
}

static int skip_padding(struct bh_stream *s, struct bh_err *err)
{
	int rc;
	while ((rc = bh_feed_fill(&s->feed, err)) == 0 && s->feed.now.len) {
		size_t zeros = 0;
		while (zeros < s->feed.now.len && s->feed.now.ptr[zeros] == 0)
			zeros++;
		(void)bh_feed_take(&s->feed, zeros);
		if (s->feed.now.len)
			break;
	}
	return rc;
}

/* Between frames: another one, or the end. */
static int next_frame(struct bh_stream *s, struct bh_err *err)
{
	int rc = s->frames ? skip_padding(s, err) : 0;
	if (rc == 0)
		rc = bh_feed_look(&s->feed, BH_CODEC_HEAD_BYTES, err);
	if (rc < 0)
		return rc;
	if (s->feed.now.len == 0) {
		s->ended = true;
		return 0;
	}
	if (!s->codec->starts(s->feed.now))
		return bh_fail(err, BH_EMALFORMED, raw_offset(s), "garbage behind the %s data at byte %" PRIu64, s->codec->name,
			       raw_offset(s));
	s->frames++;
	s->in_frame = true;
	return s->codec->begin(s->codec_state, err);
}

static int check_limits(struct bh_stream *s, size_t more, struct bh_err *err)
{
	if (more > s->limits.max_bytes - s->plain_bytes)
		return bh_fail(err, BH_ELIMIT, raw_offset(s), "%s more than %" PRIu64 " bytes", s->codec ? "decompresses to" : "holds",
			       s->limits.max_bytes);
	s->plain_bytes += more;
	uint64_t raw = raw_offset(s);
	if (s->codec && s->plain_bytes > RATIO_FREE_BYTES && s->plain_bytes / s->limits.max_ratio > raw)
		return bh_fail(err, BH_ELIMIT, raw, "expands %" PRIu64 ":1, looks like a decompression bomb (limit %" PRIu32 ":1)",
			       s->plain_bytes / (raw ? raw : 1), s->limits.max_ratio);
	return 0;
}

static int decode_step(struct bh_stream *s, size_t *ret_len, struct bh_err *err)
{
	int rc = bh_feed_fill(&s->feed, err);
	if (rc < 0)
		return rc;
	size_t before = s->feed.now.len;
	bool frame_end = false;
	rc = s->codec->step(s->codec_state, &s->feed.now, s->window, WINDOW_BYTES, ret_len, &frame_end, err);
	if (rc < 0) {
		if (err)
			err->offset_bytes = raw_offset(s);
		return bh_wrap(err, "%s data at byte %" PRIu64, s->codec->name, raw_offset(s));
	}
	s->in_frame = !frame_end;
	if (*ret_len || frame_end || s->feed.now.len < before)
		return 0;
	if (before == 0)
		return bh_fail(err, BH_ETRUNCATED, raw_offset(s), "%s data ends too early, at byte %" PRIu64, s->codec->name, raw_offset(s));
	return bh_fail(err, BH_EMALFORMED, raw_offset(s), "%s data at byte %" PRIu64 " leads nowhere", s->codec->name, raw_offset(s));
}

static int read_decoded(struct bh_stream *s, struct bh_slice *ret, struct bh_err *err)
{
	size_t len = 0;
	while (len == 0 && !s->ended) {
		int rc = s->in_frame ? decode_step(s, &len, err) : next_frame(s, err);
		if (rc < 0)
			return rc;
	}
	*ret = (struct bh_slice){ s->window, len };
	return 0;
}

static int read_plain(struct bh_stream *s, struct bh_slice *ret, struct bh_err *err)
{
	int rc = bh_feed_fill(&s->feed, err);
	if (rc < 0)
		return rc;
	*ret = bh_feed_take(&s->feed, s->feed.now.len < WINDOW_BYTES ? s->feed.now.len : WINDOW_BYTES);
	return 0;
}

static int read_next(struct bh_stream *s, struct bh_slice *ret, struct bh_err *err)
{
	int rc = s->sniffed ? 0 : sniff(s, err);
	if (rc < 0)
		return rc;
	struct bh_slice got = { 0 };
	rc = s->codec ? read_decoded(s, &got, err) : read_plain(s, &got, err);
	if (rc == 0)
		rc = check_limits(s, got.len, err);
	if (rc == 0)
		*ret = got;
	return rc;
}

int bh_stream_read(struct bh_stream *s, struct bh_slice *ret, struct bh_err *err)
{
	if (s->broken.code == BH_OK && read_next(s, ret, &s->broken) == 0)
		return 0;
	assert(s->broken.code != BH_OK);
	if (err)
		*err = s->broken;
	return s->broken.code;
}

int bh_stream_drain(struct bh_stream *s, struct bh_err *err)
{
	s->sniffed = s->ended = true;
	return bh_feed_drain(&s->feed, err);
}
