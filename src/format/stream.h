/*
 * stream.h: pull bytes through decompression. A source gives raw bytes; bh_stream gives the plain ones, recognising
 * gzip (RFC 1952, several members), zstd (RFC 8878, several and skippable frames), xz, bzip2 and none by magic bytes.
 */
#ifndef BH_FORMAT_STREAM_H
#define BH_FORMAT_STREAM_H

#include "base/err.h"
#include "base/slice.h"

/* Where raw bytes come from. read: the next run of bytes, borrowed until the next call; an empty slice at the end. */
struct bh_source {
	int (*read)(void *ctx, struct bh_slice *ret, struct bh_err *err);
	void *ctx;
	/* Moves over up to `bytes` bytes without reading them; *ret: how many. NULL: the source can't, they are read. */
	int (*skip)(void *ctx, uint64_t bytes, uint64_t *ret, struct bh_err *err);
};

enum bh_compression { BH_PLAIN, BH_GZIP, BH_ZSTD, BH_XZ, BH_BZIP2 };

struct bh_stream_limits {
	uint64_t max_bytes;   /* plain bytes; BH_ELIMIT beyond. 0 = BH_LAYER_BYTES_MAX */
	uint32_t max_ratio;   /* plain:raw once more than 1 GiB came out; BH_ELIMIT beyond. 0 = the default 500 */
	/* zstd: windows over 128 MiB and xz dictionaries over 64 MiB are BH_ELIMIT: memory is bounded whatever the input */
};

struct bh_stream;

/* Sees every raw byte exactly once, in order, before decompression: for the digest of the blob. May be NULL. */
typedef void bh_tap(void *ctx, struct bh_slice raw);

int bh_stream_new(struct bh_source src, const struct bh_stream_limits *limits, bh_tap *tap, void *tap_ctx, struct bh_stream **ret,
		  struct bh_err *err) BH_MUST_CHECK;
void bh_stream_free(struct bh_stream *s);

/* The next run of plain bytes (at most 256 KiB), borrowed until the next call; empty at the end of the stream. */
int bh_stream_read(struct bh_stream *s, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/* Reads raw bytes to their end (so that the tap sees all of them) without decompressing what is behind the last frame. */
int bh_stream_drain(struct bh_stream *s, struct bh_err *err) BH_MUST_CHECK;

enum bh_compression bh_stream_compression(const struct bh_stream *s); /* known after the first read */
uint64_t bh_stream_raw_bytes(const struct bh_stream *s);
uint64_t bh_stream_plain_bytes(const struct bh_stream *s);

/* Which compression do these first bytes (10 are enough) belong to? */
enum bh_compression bh_compression_sniff(struct bh_slice head);
const char *bh_compression_name(enum bh_compression c);

/* A source over a file region: pread(fd, ..) from offset, length bytes (UINT64_MAX = to the end). ctx is the struct. */
struct bh_file_source {
	int fd;
	uint64_t offset, left;
	uint8_t *buf; /* owned; freed by bh_file_source_done */
	size_t buf_bytes;
	bool sequential; /* read() instead of pread(): pipes */
};
int bh_file_source_init(struct bh_file_source *f, int fd, uint64_t offset, uint64_t length, bool sequential, struct bh_err *err) BH_MUST_CHECK;
void bh_file_source_done(struct bh_file_source *f);
struct bh_source bh_file_source(struct bh_file_source *f);

/* A source over memory, given out in one piece; left is emptied by it and must live as long. */
struct bh_source bh_memory_source(struct bh_slice *left);

#endif
