/*
 * sum_batch.h: sums of files that stream by, one after the other. MD5 is computed for many files at a time (crypto/md5.h), so sums come out when the batch is taken out, not at the
 * end of each file. A batch holds 16 MiB.
 */
#ifndef BH_SCAN_SUM_BATCH_H
#define BH_SCAN_SUM_BATCH_H

#include "base/err.h"
#include "crypto/digest.h"

struct file_sums {
	uint64_t path_hash;
	uint32_t number; /* of the file, by whoever asked */
	uint8_t kinds;   /* 1 << enum bh_sum_kind: which of sums are there */
	uint8_t sums[BH_SUM_KINDS][BH_SUM_BYTES_MAX];
};

struct sum_batch;

int sum_batch_new(struct sum_batch **ret, struct bh_err *err) BH_MUST_CHECK; /* before the fork, as bh_sum_new */
void sum_batch_free(struct sum_batch *b);

/* A file, of whose size size_bytes is believed as long as no more bytes come. */
void sum_batch_begin(struct sum_batch *b, unsigned kinds, uint64_t size_bytes);
void sum_batch_bytes(struct sum_batch *b, struct bh_slice run);
void sum_batch_drop(struct sum_batch *b); /* instead of its end */
bool sum_batch_end(struct sum_batch *b, uint64_t path_hash, uint32_t number) BH_MUST_CHECK; /* false: can't be computed; the file is dropped */

bool sum_batch_is_full(const struct sum_batch *b); /* take it out before the next file begins */

/* Hands on what is in the batch, which is empty then; a negative return of each ends it. */
typedef int sum_batch_fn(void *ctx, const struct file_sums *sums, struct bh_err *err);
int sum_batch_take_out(struct sum_batch *b, sum_batch_fn *each, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
