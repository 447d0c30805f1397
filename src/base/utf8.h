/* utf8.h: strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef BH_BASE_UTF8_H
#define BH_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the code point at the start of s (1 to 4), stored in *cp; 0 when s is empty or does not start with one. */
size_t bh_utf8_next(struct bh_slice s, uint32_t *cp);

/* Columns that s takes on a terminal (wide East Asian code points count 2, combining marks 0). */
size_t bh_utf8_width(struct bh_slice s);

#endif
