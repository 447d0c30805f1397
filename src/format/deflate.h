/* deflate.h: pack bytes as one gzip member (RFC 1952), the same for the same bytes on every machine: no name, no time. */
#ifndef BH_FORMAT_DEFLATE_H
#define BH_FORMAT_DEFLATE_H

#include "base/err.h"
#include "base/slice.h"

struct bh_deflate;

/* Where packed bytes go: runs of at most 64 KiB, borrowed for the call. A negative return ends the work with it. */
typedef int bh_deflate_sink(void *ctx, struct bh_slice packed, struct bh_err *err);

int bh_deflate_new(bh_deflate_sink *sink, void *ctx, struct bh_deflate **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_deflate_free(struct bh_deflate *d);

int bh_deflate_add(struct bh_deflate *d, struct bh_slice plain, struct bh_err *err) BH_MUST_CHECK;
int bh_deflate_end(struct bh_deflate *d, struct bh_err *err) BH_MUST_CHECK; /* then only free */

#endif
