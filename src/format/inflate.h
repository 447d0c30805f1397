/* inflate.h: compressed bytes that lie in memory to plain ones in a buffer. */
#ifndef BH_FORMAT_INFLATE_H
#define BH_FORMAT_INFLATE_H

#include "base/buf.h"

/* Bare deflate data (RFC 1951); what stands behind its end is ignored. Appends to *out; more than max_bytes: BH_ELIMIT. */
int bh_inflate(struct bh_slice deflated, size_t max_bytes, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* zlib data (RFC 1950). Its checksum is not verified: what is read with this is JSON, which damage turns into an error by itself. */
int bh_inflate_zlib(struct bh_slice zlib, size_t max_bytes, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
