/* encoded.h: base64 in a text, whatever it is in. */
#ifndef BH_SECRET_ENCODED_H
#define BH_SECRET_ENCODED_H

#include "base/buf.h"
#include "base/slice.h"

/* The next run of base64 (RFC 4648, sections 4 and 5) that is long enough to hold a secret, from *at on, which moves behind it. False: none is left. */
bool secret_next_base64(struct bh_slice text, size_t *at, struct bh_slice *ret);

/* A run of the text with those on the lines below, when it is broken into lines of one width (base64(1), RFC 2045 section 6.8); else the run itself. */
struct bh_slice secret_base64_lines(struct bh_slice text, struct bh_slice run);

/* What it says, into out (cleared), when that looks like text or like a compressed file; of UTF-16 its ASCII. What is of no alphabet is passed over. False: it does not. */
bool secret_decode_base64(struct bh_slice run, struct bh_buf *out);

/* Is it UTF-16 by its first bytes: a byte order mark, or Latin letters with a zero beside each? */
enum secret_coding { SECRET_BYTES, SECRET_UTF16_LE, SECRET_UTF16_BE };
enum secret_coding secret_coding_of(struct bh_slice head);

#endif
