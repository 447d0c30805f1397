/* match.c: see match.h. */
#include "guard/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 64u
#define ADDRESS_BYTES 16u

/* ---- numbers ---- */

struct number {
	bool is_whole;
	long long whole;
	double real;
};

static bool to_number(struct bh_slice s, struct number *ret)
{
	char text[NUMBER_TEXT_MAX], *end;
	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	const char *digits = text + (text[0] == '+' || text[0] == '-');
	int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
	errno = 0;
	ret->whole = strtoll(text, &end, base);
	ret->is_whole = *end == '\0' && errno == 0;
	ret->real = ret->is_whole ? (double)ret->whole : strtod(text, &end);
	return *end == '\0';
}

int guard_compare(enum guard_type type, struct bh_slice a, struct bh_slice b)
{
	struct number x, y;
	if ((type != GUARD_NUMBER && type != GUARD_PORT && type != GUARD_ANY) || !to_number(a, &x) || !to_number(b, &y))
		return bh_slice_cmp(a, b);
	if (x.is_whole && y.is_whole)
		return (x.whole > y.whole) - (x.whole < y.whole);
	return (x.real > y.real) - (x.real < y.real);
}

/* ---- addresses ---- */

/* IPv4 as the last four bytes. */
static bool to_address(struct bh_slice s, uint8_t ret[ADDRESS_BYTES], bool *is_v6)
{
	char text[INET6_ADDRSTRLEN];
	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	*is_v6 = memchr(text, ':', s.len) != NULL;
	memset(ret, 0, ADDRESS_BYTES);
	return inet_pton(*is_v6 ? AF_INET6 : AF_INET, text, *is_v6 ? ret : ret + 12) == 1;
}

/* *ret_bits: of the prefix, in sixteen bytes. */
static bool to_network(struct bh_slice s, uint8_t ret[ADDRESS_BYTES], bool *is_v6, uint64_t *ret_bits)
{
	struct bh_slice base, length;
	bool has_length = bh_slice_cut(s, '/', &base, &length);
	if (!to_address(base, ret, is_v6))
		return false;
	uint64_t all = *is_v6 ? 128 : 32;
	*ret_bits = all;
	if (has_length && !bh_slice_u64(length, all, ret_bits))
		return false;
	*ret_bits += 128 - all;
	return true;
}

bool guard_is_address(struct bh_slice s)
{
	uint8_t bytes[ADDRESS_BYTES];
	bool is_v6;
	return to_address(s, bytes, &is_v6);
}

bool guard_is_network(struct bh_slice s)
{
	uint8_t bytes[ADDRESS_BYTES];
	uint64_t bits;
	bool is_v6;
	return to_network(s, bytes, &is_v6, &bits);
}

static bool in_network(struct bh_slice address, struct bh_slice network)
{
	uint8_t a[ADDRESS_BYTES], b[ADDRESS_BYTES];
	bool a6, b6;
	uint64_t bits;
	if (!to_address(address, a, &a6) || !to_network(network, b, &b6, &bits) || a6 != b6)
		return false;
	for (size_t i = 0; i < ADDRESS_BYTES && bits > 8 * i; i++) {
		unsigned mask = bits >= 8 * (i + 1) ? 0xffu : 0xff00u >> (bits - 8 * i) & 0xffu;
		if ((unsigned)(a[i] ^ b[i]) & mask)
			return false;
	}
	return true;
}

static bool same_address(struct bh_slice x, struct bh_slice y)
{
	uint8_t a[ADDRESS_BYTES], b[ADDRESS_BYTES];
	bool a6, b6;
	return to_address(x, a, &a6) && to_address(y, b, &b6) && a6 == b6 && memcmp(a, b, ADDRESS_BYTES) == 0;
}

bool guard_equal(enum guard_type type, struct bh_slice value, struct bh_slice wanted)
{
	struct number x, y;
	switch (type) {
	case GUARD_NETWORK: return in_network(value, wanted);
	case GUARD_ADDRESS: return same_address(value, wanted);
	case GUARD_NUMBER:
	case GUARD_PORT:
	case GUARD_ANY:
		if (to_number(value, &x) && to_number(wanted, &y))
			return x.is_whole && y.is_whole ? x.whole == y.whole : x.real == y.real;
		break;
	case GUARD_STRING:
	case GUARD_BOOL:
	case GUARD_BYTES: break;
	}
	return bh_slice_eq(value, wanted);
}

/* ---- parts of texts ---- */

bool guard_contains(struct bh_slice value, struct bh_slice part)
{
	return part.len == 0 || (value.len && memmem(value.ptr, value.len, part.ptr, part.len));
}

bool guard_contains_hex(struct bh_slice value, struct bh_slice hex, bool at_start)
{
	uint8_t bytes[256];
	size_t n = hex.len / 2;
	if (n == 0 || n > sizeof(bytes) || !bh_unhex(hex, bytes, n))
		return false;
	struct bh_slice part = { bytes, n };
	return at_start ? bh_slice_starts(value, part) : guard_contains(value, part);
}

/* ---- patterns ---- */

/* One element of a pattern against a byte; *ret_next: the element behind it. A "[" that does not end is itself. */
static bool element(struct bh_slice p, size_t at, uint8_t c, bool nocase, size_t *ret_next)
{
	uint8_t first = p.ptr[at];
	if (nocase)
		c = bh_lower(c);
	if (first == '?') {
		*ret_next = at + 1;
		return true;
	}
	if (first == '\\' && at + 1 < p.len) {
		*ret_next = at + 2;
		return (nocase ? bh_lower(p.ptr[at + 1]) : p.ptr[at + 1]) == c;
	}
	*ret_next = at + 1;
	if (first != '[')
		return (nocase ? bh_lower(first) : first) == c;
	size_t i = at + 1;
	bool turned = i < p.len && (p.ptr[i] == '!' || p.ptr[i] == '^'), hit = false;
	i += turned;
	for (bool begun = false; i < p.len && (!begun || p.ptr[i] != ']'); begun = true) {
		uint8_t low = p.ptr[i], high = low;
		bool is_range = i + 2 < p.len && p.ptr[i + 1] == '-' && p.ptr[i + 2] != ']';
		high = is_range ? p.ptr[i + 2] : high;
		hit |= nocase ? c >= bh_lower(low) && c <= bh_lower(high) : c >= low && c <= high;
		i += is_range ? 3 : 1;
	}
	if (i >= p.len)
		return c == '[';
	*ret_next = i + 1;
	return hit != turned;
}

/* Back to the last "*" when it does not go on: never further, so the time is the product of the lengths. */
bool guard_glob(struct bh_slice p, struct bh_slice s, bool nocase)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0, next;
	while (k < s.len) {
		if (i < p.len && p.ptr[i] == '*') {
			star = ++i;
			from = k;
		} else if (i < p.len && element(p, i, s.ptr[k], nocase, &next)) {
			i = next;
			k++;
		} else if (star != SIZE_MAX) {
			i = star;
			k = ++from;
		} else {
			return false;
		}
	}
	while (i < p.len && p.ptr[i] == '*')
		i++;
	return i == p.len;
}

static bool cut_part(struct bh_slice *path, struct bh_slice *part)
{
	while (path->len && path->ptr[0] == '/')
		*path = bh_slice_sub(*path, 1, path->len);
	if (path->len == 0)
		return false;
	(void)bh_slice_cut(*path, '/', part, path);
	return true;
}

bool guard_path_match(struct bh_slice prefix, struct bh_slice path)
{
	struct bh_slice want, have;
	if (prefix.len && path.len && (prefix.ptr[0] == '/') != (path.ptr[0] == '/'))
		return false;
	while (cut_part(&prefix, &want))
		if (!cut_part(&path, &have) || !guard_glob(want, have, false))
			return false;
	return true;
}
