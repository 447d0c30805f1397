/*
 * buf.h: a growable byte buffer that knows its maximum from birth. An append beyond the maximum (or out of memory)
 * fails, leaves the buffer as it was, and marks it `failed`, so that a run of appends can be checked once at its end.
 */
#ifndef BH_BASE_BUF_H
#define BH_BASE_BUF_H

#include "base/err.h"
#include "base/slice.h"

struct bh_buf {
	uint8_t *ptr;
	size_t len, cap, max_bytes;
	bool failed;
};

void bh_buf_init(struct bh_buf *b, size_t max_bytes);
void bh_buf_done(struct bh_buf *b);
void bh_buf_wipe(struct bh_buf *b); /* bh_buf_done for secrets: overwrites the memory first */
void bh_buf_clear(struct bh_buf *b); /* length 0, not failed; keeps the memory */

bool bh_buf_reserve(struct bh_buf *b, size_t more); /* room for `more` bytes behind len */
bool bh_buf_add(struct bh_buf *b, struct bh_slice s);
bool bh_buf_add_str(struct bh_buf *b, const char *s);
bool bh_buf_add_byte(struct bh_buf *b, uint8_t c);
bool bh_buf_printf(struct bh_buf *b, const char *fmt, ...) BH_PRINTF(2, 3);

/* Escapes what a terminal must not see: control bytes, ESC, DEL, C1 and invisible (bidirectional) controls, bad UTF-8 -> \xNN; \n \t \\ as such. */
bool bh_buf_add_escaped(struct bh_buf *b, struct bh_slice s);

/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
bool bh_buf_add_json(struct bh_buf *b, struct bh_slice s);

static inline struct bh_slice bh_buf_slice(const struct bh_buf *b)
{
	return (struct bh_slice){ b->ptr, b->len };
}

#endif
