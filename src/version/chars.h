/* chars.h: bytes and numbers as most version schemes see them. Private to version/. */
#ifndef BH_VERSION_CHARS_H
#define BH_VERSION_CHARS_H

#include "base/err.h"
#include "base/slice.h"

static inline bool version_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool version_is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool version_is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline uint8_t version_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Cuts the first n bytes off and returns them. */
static inline struct bh_slice version_take(struct bh_slice *rest, size_t n)
{
	struct bh_slice head = bh_slice_sub(*rest, 0, n);
	*rest = bh_slice_sub(*rest, head.len, rest->len);
	return head;
}

static inline size_t version_count(struct bh_slice s, bool (*is)(uint8_t c))
{
	size_t n = 0;
	while (n < s.len && is(s.ptr[n]))
		n++;
	return n;
}

static inline struct bh_slice version_take_digits(struct bh_slice *rest)
{
	return version_take(rest, version_count(*rest, version_is_digit));
}

static inline bool version_take_char(struct bh_slice *rest, char c)
{
	return rest->len && rest->ptr[0] == (uint8_t)c && version_take(rest, 1).len == 1;
}

static inline struct bh_slice version_trim(struct bh_slice s)
{
	(void)version_take(&s, version_count(s, version_is_space));
	while (s.len && version_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static inline bool version_is_number(struct bh_slice s)
{
	return s.len && version_count(s, version_is_digit) == s.len;
}

static inline struct bh_slice version_without_zeros(struct bh_slice digits)
{
	while (digits.len && digits.ptr[0] == '0')
		(void)version_take(&digits, 1);
	return digits;
}

static inline bool version_is_zero(struct bh_slice digits)
{
	return version_without_zeros(digits).len == 0;
}

/* Numbers of any length; nothing is 0. */
static inline int version_compare_numbers(struct bh_slice a, struct bh_slice b)
{
	a = version_without_zeros(a);
	b = version_without_zeros(b);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return bh_slice_cmp(a, b);
}

/* As bytes, ASCII letters without case. */
static inline int version_compare_nocase(struct bh_slice a, struct bh_slice b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		int x = version_lower(a.ptr[i]), y = version_lower(b.ptr[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static inline bool version_eq_nocase(struct bh_slice a, const char *word)
{
	return version_compare_nocase(a, bh_slice_str(word)) == 0;
}

/* What compare() answers when the ecosystem's tool refuses v. */
#define version_refuse(err, v, ecosystem) \
	bh_fail(err, BH_EMALFORMED, 0, "\"%.*s\" is not a version of %s", BH_SLICE_FMT(bh_slice_sub(v, 0, 80)), ecosystem)

#endif
