/* buf.c: see buf.h. Growth doubles up to the maximum. */
#include "base/buf.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP 256u

void bh_buf_init(struct bh_buf *b, size_t max_bytes)
{
	*b = (struct bh_buf){ .max_bytes = max_bytes };
}

void bh_buf_done(struct bh_buf *b)
{
	free(b->ptr);
	*b = (struct bh_buf){ .max_bytes = b->max_bytes };
}

void bh_buf_wipe(struct bh_buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	bh_buf_done(b);
}

void bh_buf_clear(struct bh_buf *b)
{
	b->len = 0;
	b->failed = false;
}

bool bh_buf_reserve(struct bh_buf *b, size_t more)
{
	if (more <= b->cap - b->len)
		return true;
	if (more > b->max_bytes - b->len) {
		b->failed = true;
		return false;
	}
	size_t want = b->len + more;
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < want)
		cap = cap > b->max_bytes / 2 ? b->max_bytes : cap * 2;
	if (cap > b->max_bytes)
		cap = b->max_bytes;
	uint8_t *p = realloc(b->ptr, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->ptr = p;
	b->cap = cap;
	return true;
}

bool bh_buf_add(struct bh_buf *b, struct bh_slice s)
{
	if (s.len == 0)
		return true;
	if (!bh_buf_reserve(b, s.len))
		return false;
	memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
	return true;
}

bool bh_buf_add_str(struct bh_buf *b, const char *s)
{
	return bh_buf_add(b, bh_slice_str(s));
}

bool bh_buf_add_byte(struct bh_buf *b, uint8_t c)
{
	return bh_buf_add(b, (struct bh_slice){ &c, 1 });
}

bool bh_buf_printf(struct bh_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !bh_buf_reserve(b, (size_t)n + 1)) {
		b->failed = true;
		return false;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

/* Code points that no one sees but that reorder or hide their neighbours: zero-width, bidirectional and tag controls. */
static bool is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

bool bh_buf_add_escaped(struct bh_buf *b, struct bh_slice s)
{
	while (s.len) {
		uint32_t cp;
		size_t n = bh_utf8_next(s, &cp);
		bool plain = n && cp >= 0x20 && cp != '\\' && !(cp >= 0x7f && cp < 0xa0) && !is_invisible(cp);
		if (plain) {
			bh_buf_add(b, bh_slice_sub(s, 0, n));
		} else if (n == 1 && (cp == '\n' || cp == '\t' || cp == '\\')) {
			bh_buf_add_str(b, cp == '\n' ? "\\n" : cp == '\t' ? "\\t" : "\\\\");
		} else {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				bh_buf_printf(b, "\\x%02x", s.ptr[i]);
		}
		s = bh_slice_sub(s, n, s.len);
	}
	return !b->failed;
}

static void add_json_char(struct bh_buf *b, uint32_t cp, struct bh_slice raw)
{
	switch (cp) {
	case '"': bh_buf_add_str(b, "\\\""); return;
	case '\\': bh_buf_add_str(b, "\\\\"); return;
	case '\n': bh_buf_add_str(b, "\\n"); return;
	case '\r': bh_buf_add_str(b, "\\r"); return;
	case '\t': bh_buf_add_str(b, "\\t"); return;
	}
	if (cp < 0x20 || cp == 0x7f)
		bh_buf_printf(b, "\\u%04x", (unsigned)cp);
	else
		bh_buf_add(b, raw);
}

bool bh_buf_add_json(struct bh_buf *b, struct bh_slice s)
{
	bh_buf_add_byte(b, '"');
	while (s.len) {
		uint32_t cp;
		size_t n = bh_utf8_next(s, &cp);
		if (n)
			add_json_char(b, cp, bh_slice_sub(s, 0, n));
		else
			bh_buf_add_str(b, "\xef\xbf\xbd");
		s = bh_slice_sub(s, n ? n : 1, s.len);
	}
	return bh_buf_add_byte(b, '"') && !b->failed;
}
