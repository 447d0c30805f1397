#include "cmd/asking.h"

#include <stdio.h>

#include "report/describe.h"

#define GAP_BYTES_MAX (1u << 20)

void cmd_tell_gaps(const struct kube_answer *answer)
{
	for (size_t i = 0; i < answer->gaps.len; i++) {
		const struct kube_gap *gap = &answer->gaps.ptr[i];
		struct bh_buf line;
		bh_buf_init(&line, GAP_BYTES_MAX);
		bh_buf_add_str(&line, "bulkhead: not checked: ");
		bh_buf_add_escaped(&line, gap->file);
		if (gap->line)
			bh_buf_printf(&line, ":%u", gap->line);
		if (gap->file.len)
			bh_buf_add_str(&line, ": ");
		bh_buf_add_escaped(&line, gap->text);
		bh_buf_add_byte(&line, '\n');
		fwrite(line.ptr, 1, line.len, stderr);
		bh_buf_done(&line);
	}
}

int cmd_want_objects(const struct kube_answer *answer, const char *where, struct bh_err *err)
{
	if (answer->objects == 0 && answer->gaps.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "no Kubernetes object in %s", where);
	return 0;
}

/* What would end the cell, or make code, markup or a link of a name. */
static void add_markdown(struct bh_buf *out, struct bh_slice cell)
{
	struct bh_buf plain;
	bh_buf_init(&plain, 16 * cell.len + 16);
	describe_markup(&plain, cell);
	for (size_t i = 0; i < plain.len; i++) {
		uint8_t c = plain.ptr[i];
		if (c == '|' || c == '`' || c == '(' || c == '\\')
			bh_buf_add_byte(out, '\\');
		bh_buf_add_byte(out, c == '\n' || c == '\r' ? ' ' : c);
	}
	bh_buf_done(&plain);
}

void cmd_add_markdown_row(struct bh_buf *out, const struct bh_slice *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, "| ");
		add_markdown(out, cells[i]);
		bh_buf_add_byte(out, ' ');
	}
	bh_buf_add_str(out, "|\n");
}

void cmd_add_csv_row(struct bh_buf *out, const struct bh_slice *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, i ? "," : "");
		describe_csv(out, cells[i]);
	}
	bh_buf_add_byte(out, '\n');
}
