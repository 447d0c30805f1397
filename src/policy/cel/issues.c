#include "policy/cel/issues.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define TEXT_BYTES_MAX 2000u

void cel_issue_add(struct cel_issues *issues, size_t offset_bytes, const char *fmt, ...)
{
	char text[TEXT_BYTES_MAX];
	struct bh_slice copy;
	va_list args;
	if (issues->n == CEL_ISSUES_MAX) {
		issues->n_left_out++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!bh_arena_copy(issues->arena, bh_slice_str(text), &copy))
		copy = BH_SLICE_LIT("(no memory is left to say what)");
	size_t at = issues->n++;
	while (at > 0 && issues->list[at - 1].offset_bytes > offset_bytes) {
		issues->list[at] = issues->list[at - 1];
		at--;
	}
	issues->list[at] = (struct cel_issue){ offset_bytes, copy };
}

static size_t line_start(struct bh_slice source, size_t offset_bytes)
{
	size_t at = offset_bytes > source.len ? source.len : offset_bytes;
	while (at > 0 && source.ptr[at - 1] != '\n')
		at--;
	return at;
}

static unsigned characters(struct bh_slice text)
{
	unsigned n = 0;
	for (; text.len; n++) {
		uint32_t c;
		size_t bytes = bh_utf8_next(text, &c);
		text = bh_slice_sub(text, bytes ? bytes : 1, text.len);
	}
	return n;
}

void cel_issue_place(struct bh_slice source, size_t offset_bytes, unsigned *line, unsigned *column)
{
	size_t start = line_start(source, offset_bytes);
	*line = 1;
	for (size_t i = 0; i < start; i++)
		*line += source.ptr[i] == '\n';
	*column = characters(bh_slice_sub(source, start, offset_bytes - start)) + 1;
}

static void print_line(struct bh_slice source, size_t offset_bytes, struct bh_buf *out)
{
	size_t start = line_start(source, offset_bytes);
	struct bh_slice line = bh_slice_sub(source, start, source.len);
	line.len = bh_slice_find(line, '\n');
	for (size_t i = 0; i < line.len; i++)
		bh_buf_add_byte(out, line.ptr[i] == '\t' ? ' ' : line.ptr[i]);
}

void cel_issues_print(const struct cel_issues *issues, const char *name, struct bh_buf *out)
{
	for (size_t i = 0; i < issues->n; i++) {
		const struct cel_issue *issue = &issues->list[i];
		unsigned line, column;
		cel_issue_place(issues->source, issue->offset_bytes, &line, &column);
		bh_buf_printf(out, "%sERROR: %s:%u:%u: ", i ? "\n" : "", name, line, column);
		bh_buf_add(out, issue->text);
		bh_buf_add_str(out, "\n | ");
		print_line(issues->source, issue->offset_bytes, out);
		bh_buf_add_str(out, "\n | ");
		for (unsigned k = 1; k < column; k++)
			bh_buf_add_byte(out, '.');
		bh_buf_add_byte(out, '^');
	}
	if (issues->n_left_out)
		bh_buf_printf(out, "\n%zu more", issues->n_left_out);
}
