/* slice.c: the slice helpers that are too long to inline. */
#include "base/slice.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Eight counters of a byte each, together. */
static size_t sum_of_bytes(uint64_t counters)
{
	const uint64_t even = 0x00ff00ff00ff00ffull;
	return (size_t)(((counters & even) + (counters >> 8 & even)) * 0x0001000100010001ull >> 48);
}

size_t bh_slice_count(struct bh_slice s, char c)
{
	const uint64_t all = (uint8_t)c * 0x0101010101010101ull, low = 0x7f7f7f7f7f7f7f7full;
	size_t n = 0, i = 0;
	while (s.len - i >= sizeof(uint64_t)) {
		uint64_t counters = 0;
		for (unsigned k = 0; k < UINT8_MAX && s.len - i >= sizeof(uint64_t); k++, i += sizeof(uint64_t)) {
			uint64_t word;
			memcpy(&word, s.ptr + i, sizeof(word));
			word ^= all;
			counters += ~(((word & low) + low) | word | low) >> 7; /* 1 in each byte that is zero now */
		}
		n += sum_of_bytes(counters);
	}
	for (; i < s.len; i++)
		n += s.ptr[i] == (uint8_t)c;
	return n;
}

bool bh_slice_has_nocase(struct bh_slice s, struct bh_slice word)
{
	for (size_t i = 0; word.len && i + word.len <= s.len; i++) {
		size_t n = 0;
		while (n < word.len && bh_lower(s.ptr[i + n]) == bh_lower(word.ptr[n]))
			n++;
		if (n == word.len)
			return true;
	}
	return false;
}

struct bh_slice bh_slice_trim(struct bh_slice s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool bh_slice_cut(struct bh_slice s, char c, struct bh_slice *head, struct bh_slice *tail)
{
	size_t at = bh_slice_find(s, c);
	*head = bh_slice_sub(s, 0, at);
	*tail = bh_slice_sub(s, at == s.len ? at : at + 1, s.len);
	return at != s.len;
}

struct bh_slice bh_slice_base(struct bh_slice path)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	return bh_slice_sub(path, at, path.len);
}

struct bh_slice bh_slice_folder(struct bh_slice path)
{
	size_t base = bh_slice_base(path).len;
	return bh_slice_sub(path, 0, path.len > base ? path.len - base - 1 : 0);
}

bool bh_slice_u64(struct bh_slice s, uint64_t max, uint64_t *out)
{
	if (s.len == 0)
		return false;
	uint64_t v = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

/* The multiplications are meant to wrap: this is modular arithmetic, not a size. */
uint64_t bh_slice_hash(struct bh_slice s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ s.ptr[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

bool bh_unhex(struct bh_slice hex, uint8_t *ret, size_t n)
{
	for (size_t i = 0; hex.len == 2 * n && i < n; i++) {
		int high = bh_hex_digit(hex.ptr[2 * i]), low = bh_hex_digit(hex.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return hex.len == 2 * n;
}
