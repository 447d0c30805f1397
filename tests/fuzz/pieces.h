/*
 * pieces.h: a source over a fuzzer's input that gives it in pieces. Each piece is a copy of exactly its size that is freed at
 * the next read: ASan sees reads past its end and slices kept too long.
 */
#ifndef TESTS_FUZZ_PIECES_H
#define TESTS_FUZZ_PIECES_H

#include "format/stream.h"

#include <stdlib.h>

struct pieces {
	struct bh_slice rest;
	size_t piece;
	uint8_t *lent;
};

static inline int pieces_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct pieces *p = ctx;
	struct bh_slice got = bh_slice_sub(p->rest, 0, p->piece);
	p->rest = bh_slice_sub(p->rest, got.len, p->rest.len);
	free(p->lent);
	p->lent = malloc(got.len ? got.len : 1);
	if (!p->lent)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (got.len)
		memcpy(p->lent, got.ptr, got.len);
	*ret = (struct bh_slice){ p->lent, got.len };
	return 0;
}

static inline struct bh_source pieces_source(struct pieces *p)
{
	return (struct bh_source){ pieces_read, p };
}

static inline void pieces_done(struct pieces *p)
{
	free(p->lent);
}

/* Order-sensitive sum of all that came out: equal for equal outputs, and every byte is touched. */
static inline void mix(uint64_t *sum, struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		*sum = (*sum ^ s.ptr[i]) * 0x100000001b3u;
}

#endif
