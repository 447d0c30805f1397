/* encoded.c: most texts are made of letters, which are base64, too; a run of them that is long is rare, and finding none has to be quick. */
#include "secret/encoded.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define RUN_MIN 24u      /* 18 bytes: shorter secrets are not looked for in base64 */
#define BLOCK_BYTES 64u  /* that are looked at in one step */
#define HEAD_BYTES 12u   /* that tell whether the rest is worth it */
#define WIDTH_MIN 56u    /* of lines that a text is broken into: 60 of OpenSSL's old ones, 64, 72, 76 */
#define UTF16_BYTES 12u  /* letters with zeros beside them, to believe it */

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

/* ---- where runs are ---- */

#ifdef __SSE2__
/* Bit i: byte i of the block is of an alphabet. */
static inline uint64_t mask_of(const uint8_t *block)
{
	typedef uint8_t sixteen __attribute__((vector_size(16)));
	uint64_t mask = 0;
	for (unsigned i = 0; i < BLOCK_BYTES; i += sizeof(sixteen)) {
		sixteen v;
		memcpy(&v, block + i, sizeof(v));
		const sixteen letter = (v | 0x20) - 'a', digit = v - '/'; /* "/" stands in front of "0" */
		const sixteen is = (sixteen)((letter < 26) | (digit < 11) | (v == '+') | (v == '-') | (v == '_'));
		mask |= (uint64_t)(unsigned)_mm_movemask_epi8((__m128i)is) << i;
	}
	return mask;
}
#else
static inline uint64_t mask_of(const uint8_t *block)
{
	uint64_t mask = 0;
	for (unsigned i = 0; i < BLOCK_BYTES; i++)
		mask |= (uint64_t)(values[block[i]] < 64) << i;
	return mask;
}
#endif

/* Of the block at `i`; nothing is of an alphabet behind the end. */
static inline uint64_t mask_at(struct bh_slice text, size_t i)
{
	uint8_t last[BLOCK_BYTES] = { 0 };
	if (i + BLOCK_BYTES <= text.len)
		return mask_of(text.ptr + i);
	memcpy(last, text.ptr + i, text.len - i);
	return mask_of(last);
}

/* Where RUN_MIN in a row begin in a block; BLOCK_BYTES: nowhere. */
static inline size_t run_within(uint64_t mask)
{
	for (unsigned n = 1; n < RUN_MIN;) { /* bits of mask: n in a row begin */
		unsigned more = n < RUN_MIN - n ? n : RUN_MIN - n;
		mask &= mask >> more;
		n += more;
	}
	return mask ? (size_t)__builtin_ctzll(mask) : BLOCK_BYTES;
}

/* How many are of an alphabet at the end of a block, and at the start of one. */
static inline size_t at_end(uint64_t mask)
{
	return ~mask ? (size_t)__builtin_clzll(~mask) : BLOCK_BYTES;
}

static inline size_t at_start(uint64_t mask)
{
	return ~mask ? (size_t)__builtin_ctzll(~mask) : BLOCK_BYTES;
}

bool secret_next_base64(struct bh_slice text, size_t *at, struct bh_slice *ret)
{
	init();
	for (size_t i = *at, open = 0; i < text.len; i += BLOCK_BYTES) { /* open: of a run that goes on in this block */
		uint64_t mask = mask_at(text, i);
		size_t within = run_within(mask), before = open;
		open = at_end(mask);
		bool goes_on = before + at_start(mask) >= RUN_MIN;
		if (!goes_on && within == BLOCK_BYTES)
			continue;
		size_t from = goes_on ? i - before : i + within, to = from + RUN_MIN;
		while (to < text.len && values[text.ptr[to]] < 64)
			to++;
		*ret = bh_slice_sub(text, from, to - from);
		*at = to;
		return true;
	}
	*at = text.len;
	return false;
}

/* ---- what it holds ---- */

struct bh_slice secret_base64_lines(struct bh_slice text, struct bh_slice run)
{
	const size_t from = (size_t)(run.ptr - text.ptr), width = run.len;
	size_t end = from + width, n = width;
	init();
	while (width >= WIDTH_MIN && n == width) { /* the last line may be shorter */
		size_t at = end, to;
		at += at < text.len && text.ptr[at] == '\r';
		if (at == text.len || text.ptr[at++] != '\n')
			break;
		while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
			at++;
		for (to = at; to < text.len && values[text.ptr[to]] < 64; to++)
			;
		n = to - at;
		if (n > 0 && n <= width)
			end = to;
	}
	return bh_slice_sub(text, from, end - from);
}

static size_t decode(struct bh_slice run, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t len = 0;
	for (size_t i = 0; i < run.len; i++) {
		if (values[run.ptr[i]] == 64)
			continue;
		bits = bits << 6 | values[run.ptr[i]];
		n += 6;
		if (n >= 8)
			out[len++] = (uint8_t)(bits >> (n -= 8));
	}
	return len;
}

static bool is_letter(uint8_t c)
{
	return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

enum secret_coding secret_coding_of(struct bh_slice head)
{
	bool low_first = head.len >= UTF16_BYTES, high_first = low_first;
	if (head.len >= 2 && head.ptr[0] == 0xff && head.ptr[1] == 0xfe)
		return SECRET_UTF16_LE;
	if (head.len >= 2 && head.ptr[0] == 0xfe && head.ptr[1] == 0xff)
		return SECRET_UTF16_BE;
	for (size_t i = 0; (low_first || high_first) && i + 1 < head.len && i < UTF16_BYTES; i += 2) {
		low_first &= is_letter(head.ptr[i]) && head.ptr[i + 1] == 0;
		high_first &= head.ptr[i] == 0 && is_letter(head.ptr[i + 1]);
	}
	return low_first ? SECRET_UTF16_LE : high_first ? SECRET_UTF16_BE : SECRET_BYTES;
}

/* Bytes that a character of UTF-8 takes by its first one; 0: none begins so. */
static size_t bytes_of_character(uint8_t first)
{
	if (first < 0x80)
		return (first < ' ' && first != '\n' && first != '\r' && first != '\t') || first == 0x7f ? 0 : 1;
	return first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* Long identifiers are base64 of anything; what somebody wrapped is text, or gzip. The last character may be cut. */
static bool is_worth_it(const uint8_t *head, size_t n)
{
	if ((n >= 2 && head[0] == 0x1f && head[1] == 0x8b) || secret_coding_of((struct bh_slice){ head, n }) != SECRET_BYTES)
		return true;
	for (size_t i = 0; i < n;) {
		size_t more = bytes_of_character(head[i++]);
		if (more == 0)
			return false;
		while (--more && i < n)
			if ((head[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* Its ASCII; what else there is becomes question marks. */
static size_t plain_of_utf16(uint8_t *text, size_t n, bool high_first)
{
	for (size_t i = 0; i < n / 2; i++)
		text[i] = text[2 * i + !high_first] ? '?' : text[2 * i + high_first];
	return n / 2;
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
	enum secret_coding coding = secret_coding_of(bh_buf_slice(out));
	if (coding != SECRET_BYTES)
		out->len = plain_of_utf16(out->ptr, out->len, coding == SECRET_UTF16_BE);
	return true;
}
