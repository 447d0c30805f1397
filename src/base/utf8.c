/* utf8.c: decoding by the table of RFC 3629 section 4, and terminal width by wcwidth-like ranges. */
#include "base/utf8.h"

static bool continuation(struct bh_slice s, size_t at)
{
	return at < s.len && (s.ptr[at] & 0xc0) == 0x80;
}

size_t bh_utf8_next(struct bh_slice s, uint32_t *cp)
{
	if (s.len == 0)
		return 0;
	uint8_t a = s.ptr[0];
	if (a < 0x80) {
		*cp = a;
		return 1;
	}
	size_t n = a >= 0xf0 ? 4 : a >= 0xe0 ? 3 : 2;
	if (a < 0xc2 || a > 0xf4)
		return 0;
	uint32_t v = a & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (!continuation(s, i))
			return 0;
		v = v << 6 | (s.ptr[i] & 0x3f);
	}
	bool overlong = (n == 3 && v < 0x800) || (n == 4 && v < 0x10000);
	if (overlong || (v >= 0xd800 && v <= 0xdfff) || v > 0x10ffff)
		return 0;
	*cp = v;
	return n;
}

static bool is_combining(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe00 && c <= 0xfe0f);
}

static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	       (c >= 0x20000 && c <= 0x3fffd);
}

size_t bh_utf8_width(struct bh_slice s)
{
	size_t width = 0;
	while (s.len) {
		uint32_t cp = 0;
		size_t n = bh_utf8_next(s, &cp);
		width += n && is_combining(cp) ? 0 : n && is_wide(cp) ? 2 : 1;
		s = bh_slice_sub(s, n ? n : 1, s.len);
	}
	return width;
}
