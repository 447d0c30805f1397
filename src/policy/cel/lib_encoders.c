/* lib_encoders.c: base64 (RFC 4648, section 4) of bytes and back (cel-go ext.Encoders). */
#include "policy/cel/library.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct cel_value encode(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct bh_slice s = a[0].text;
	uint8_t *p = bh_arena_alloc(cel_arena(run), (s.len + 2) / 3 * 4);
	size_t len = 0;
	(void)n;
	if (!p)
		return cel_out_of_memory();
	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t word = 0;
		size_t bytes = s.len - i < 3 ? s.len - i : 3;
		for (size_t k = 0; k < 3; k++)
			word = word << 8 | (k < bytes ? s.ptr[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			p[len++] = k <= bytes ? (uint8_t)alphabet[word >> (18 - 6 * k) & 63] : '=';
	}
	return cel_string((struct bh_slice){ p, len });
}

/* With its padding or without any. */
static struct cel_value decode(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct bh_slice s = a[0].text;
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len);
	uint32_t word = 0;
	size_t len = 0, padding = 0;
	(void)n;
	if (!p)
		return cel_out_of_memory();
	while (s.len && s.ptr[s.len - 1] == '=' && padding < 2) {
		s.len--;
		padding++;
	}
	if ((padding && (s.len + padding) % 4) || s.len % 4 == 1)
		return cel_error("illegal base64 data: its length is wrong");
	for (size_t i = 0; i < s.len; i++) {
		const char *at = s.ptr[i] ? strchr(alphabet, s.ptr[i]) : NULL;
		if (!at)
			return cel_fail(run, "illegal base64 data at input byte %zu", i);
		word = word << 6 | (uint32_t)(at - alphabet);
		if (i % 4)
			p[len++] = (uint8_t)(word >> (6 - 2 * (i % 4)));
	}
	return cel_bytes((struct bh_slice){ p, len });
}

static const struct cel_overload overloads[] = {
	{ "base64.decode", "base64_decode_string", "(string) -> bytes", decode, cel_cost_tenth_of_first },
	{ "base64.encode", "base64_encode_bytes", "(bytes) -> string", encode, cel_cost_tenth_of_first },
	{ 0 },
};

const struct cel_library cel_library_encoders = { .name = "encoders", .overloads = overloads };
