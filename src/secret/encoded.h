/* encoded.h: base64 in a text, whatever it is in. */
#ifndef BH_SECRET_ENCODED_H
#define BH_SECRET_ENCODED_H

#include "base/buf.h"
#include "base/slice.h"

/* The next run of base64 (RFC 4648, sections 4 and 5) that is long enough to hold a secret, from *at on, which moves behind it. False: none is left. */
bool secret_next_base64(struct bh_slice text, size_t *at, struct bh_slice *ret);

/* What it says, into out (cleared), when that looks like text or like a compressed file; false: it does not, or is no base64. */
bool secret_decode_base64(struct bh_slice run, struct bh_buf *out);

#endif
