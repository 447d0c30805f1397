/* layout.c: wrapping and columns. Widths are columns of a terminal (base/utf8.h), not bytes. */
#include "report/layout.h"

#include "base/utf8.h"

#include <inttypes.h>

#define GAP 2u         /* blanks between columns */
#define WIDTH_MIN 4u   /* narrower columns would break the escapes of hostile bytes (\xff) */

static bool is_break(uint8_t c)
{
	return c == '-' || c == '.' || c == '/' || c == ':' || c == '+' || c == '~' || c == '=' || c == '@' || c == '_' || c == ',';
}

/* Bytes that fit into width columns: at least one character, so that there is always progress. */
static size_t fitting(struct bh_slice s, size_t width)
{
	size_t at = 0, columns = 0;
	while (at < s.len) {
		uint32_t cp;
		struct bh_slice rest = bh_slice_sub(s, at, s.len);
		size_t n = bh_utf8_next(rest, &cp);
		n = n ? n : 1;
		size_t w = bh_utf8_width(bh_slice_sub(rest, 0, n));
		if (at > 0 && columns + w > width)
			break;
		columns += w;
		at += n;
	}
	return at;
}

/* "\xff" is one sign to its reader: cut before it rather than in it. */
static size_t before_escape(struct bh_slice s, size_t cut)
{
	enum { ESCAPE_BYTES = 4 };
	for (size_t i = cut; i > 1 && cut - i < ESCAPE_BYTES - 1; i--)
		if (s.ptr[i - 1] == '\\')
			return i - 1;
	return cut;
}

/*
 * Where to cut a text of which `fit` bytes fit: behind the last blank, else behind a mark in the later two thirds, else at fit. A
 * sign that begins the line ("→ 1.2") stays with its word.
 */
static size_t cut_at(struct bh_slice s, size_t fit)
{
	if (fit == s.len || s.ptr[fit] == ' ')
		return fit;
	for (size_t i = fit; i > 0; i--)
		if (s.ptr[i - 1] == ' ' && bh_utf8_width(bh_slice_sub(s, 0, i - 1)) > 1)
			return i;
	for (size_t i = fit; i > fit / 3; i--)
		if (is_break(s.ptr[i - 1]))
			return i;
	return before_escape(s, fit);
}

struct bh_slice layout_take_line(struct bh_slice *rest, size_t width)
{
	while (rest->len && rest->ptr[0] == ' ')
		*rest = bh_slice_sub(*rest, 1, rest->len);
	if (rest->len == 0)
		return *rest;
	size_t cut = cut_at(*rest, fitting(*rest, width > WIDTH_MIN ? width : WIDTH_MIN));
	struct bh_slice line = bh_slice_sub(*rest, 0, cut);
	*rest = bh_slice_sub(*rest, cut, rest->len);
	while (line.len && line.ptr[line.len - 1] == ' ')
		line.len--;
	while (rest->len && rest->ptr[0] == ' ')
		*rest = bh_slice_sub(*rest, 1, rest->len);
	return line;
}

void layout_spaces(struct bh_buf *out, size_t n)
{
	while (n--)
		bh_buf_add_byte(out, ' ');
}

static size_t add_cell_line(struct bh_buf *out, struct layout_cell *c)
{
	size_t indent = c->started ? c->indent : 0;
	struct bh_slice line = layout_take_line(&c->rest, c->width > indent ? c->width - indent : c->width);
	layout_spaces(out, indent);
	if (c->colour)
		bh_buf_printf(out, "\x1b[%sm", c->colour);
	bh_buf_add(out, line);
	if (c->colour)
		bh_buf_add_str(out, "\x1b[0m");
	c->started = true;
	return indent + bh_utf8_width(line);
}

void layout_line(struct bh_buf *out, size_t margin, struct layout_cell *cells, size_t n)
{
	size_t blanks = margin; /* owed before the next text */
	for (size_t i = 0; i < n; i++) {
		size_t used = 0;
		if (cells[i].rest.len) {
			layout_spaces(out, blanks);
			blanks = 0;
			used = add_cell_line(out, &cells[i]);
		}
		blanks += (used < cells[i].width ? cells[i].width - used : 0) + GAP;
	}
	bh_buf_add_byte(out, '\n');
}

void layout_flush(struct bh_buf *out, size_t margin, struct layout_cell *cells, size_t n)
{
	for (;;) {
		bool any = false;
		for (size_t i = 0; i < n; i++)
			any = any || cells[i].rest.len > 0;
		if (!any || out->failed)
			return;
		layout_line(out, margin, cells, n);
	}
}

void layout_paragraph(struct bh_buf *out, struct bh_slice text, size_t first_width, size_t indent, size_t width)
{
	size_t at = first_width;
	for (bool first = true; first || text.len; first = false) {
		if (!first)
			layout_spaces(out, indent);
		bh_buf_add(out, layout_take_line(&text, width > at ? width - at : 1));
		bh_buf_add_byte(out, '\n');
		at = indent;
	}
}

void layout_number(struct bh_buf *out, uint64_t n)
{
	if (n < 1000) {
		bh_buf_printf(out, "%" PRIu64, n);
		return;
	}
	layout_number(out, n / 1000);
	bh_buf_printf(out, ",%03" PRIu64, n % 1000);
}
