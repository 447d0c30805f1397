/*
 * encoded.c: most texts are made of letters, which are base64, too; a run of them that is long is rare. So only every RUN_MIN / 2 bytes are looked at until one might
 * lie in such a run.
 */
#include "secret/encoded.h"

#include <string.h>

#define RUN_MIN 24u      /* 18 bytes: shorter secrets are not looked for in base64 */
#define HEAD_BYTES 12u   /* that tell whether the rest is worth it */

/* Values of the two alphabets, 64 = none. */
static uint8_t values[256];

static void init(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (values[0])
		return;
	memset(values, 64, sizeof(values));
	for (unsigned i = 0; i < 64; i++)
		values[(uint8_t)alphabet[i]] = (uint8_t)i;
	values['-'] = 62;
	values['_'] = 63;
}

bool secret_next_base64(struct bh_slice text, size_t *at, struct bh_slice *ret)
{
	const size_t begun = *at;
	size_t i = begun;
	init();
	for (;;) {
		size_t from = i, to;
		i += RUN_MIN - 1; /* the last byte that a run which begins here must have */
		if (i >= text.len)
			break;
		for (to = i; to > from && values[text.ptr[to]] < 64; to--)
			;
		if (values[text.ptr[to]] == 64) { /* nothing that covers it is long enough */
			i = to + 1;
			continue;
		}
		for (from = to; from > begun && values[text.ptr[from - 1]] < 64; from--)
			;
		for (to = i; to < text.len && values[text.ptr[to]] < 64; to++)
			;
		*ret = bh_slice_sub(text, from, to - from);
		*at = to;
		return true;
	}
	*at = text.len;
	return false;
}

static size_t decode(struct bh_slice run, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t len = 0;
	for (size_t i = 0; i < run.len; i++) {
		bits = bits << 6 | (values[run.ptr[i]] & 63u);
		n += 6;
		if (n >= 8)
			out[len++] = (uint8_t)(bits >> (n -= 8));
	}
	return len;
}

static bool is_worth_it(const uint8_t *head, size_t n)
{
	if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return true;
	for (size_t i = 0; i < n; i++)
		if ((head[i] < ' ' && head[i] != '\n' && head[i] != '\r' && head[i] != '\t') || head[i] == 0x7f)
			return false;
	return true;
}

bool secret_decode_base64(struct bh_slice run, struct bh_buf *out)
{
	uint8_t head[HEAD_BYTES + 3];
	init();
	bh_buf_clear(out);
	size_t n = decode(bh_slice_sub(run, 0, HEAD_BYTES / 3 * 4), head);
	if (!is_worth_it(head, n) || !bh_buf_reserve(out, run.len))
		return false;
	out->len = decode(run, out->ptr);
	return true;
}
