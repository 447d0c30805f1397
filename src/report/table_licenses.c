/* table_licenses.c: which licences, and how many packages have each (--licenses). */
#include "report/table.h"

#include "report/layout.h"

#include <stdlib.h>

#define NOT_DECLARED "not declared"
#define EXAMPLES_SHOWN 3u

static int compare(const void *a, const void *b)
{
	const struct bh_package *x = *(const struct bh_package *const *)a, *y = *(const struct bh_package *const *)b;
	if ((x->spdx.len == 0) != (y->spdx.len == 0))
		return x->spdx.len == 0 ? 1 : -1;
	int c = bh_slice_cmp(x->spdx, y->spdx);
	return c ? c : (x > y) - (x < y);
}

/* "MIT  12: ansi-styles, chalk, ..." */
static void write_one(struct table *t, const struct bh_package *const *packages, size_t n)
{
	struct bh_buf *b = table_cell(t, CELL_OTHER);
	bh_buf_add_escaped(b, packages[0]->spdx.len ? packages[0]->spdx : BH_SLICE_LIT(NOT_DECLARED));
	bh_buf_add_str(b, "  ");
	layout_number(b, n);
	bh_buf_add_str(b, ": ");
	for (size_t i = 0; i < n && i < EXAMPLES_SHOWN; i++) {
		bh_buf_add_str(b, i ? ", " : "");
		bh_buf_add_escaped(b, packages[i]->name);
	}
	bh_buf_add_str(b, n > EXAMPLES_SHOWN ? ", …" : "");
	layout_spaces(t->out, MARGIN);
	layout_paragraph(t->out, bh_buf_slice(b), MARGIN, 2 * MARGIN, t->width);
}

int table_write_licenses(struct table *t, struct bh_err *err)
{
	const struct bh_package_vec *v = &t->report->packages;
	const struct bh_package **all = calloc(v->len + 1, sizeof(all[0]));
	if (!all)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for %zu packages", v->len);
	for (size_t i = 0; i < v->len; i++)
		all[i] = &v->ptr[i];
	if (v->len > 1)
		qsort(all, v->len, sizeof(all[0]), compare);
	table_heading(t, "Licences", "1");
	for (size_t i = 0, end; i < v->len; i = end) {
		for (end = i + 1; end < v->len && bh_slice_eq(all[i]->spdx, all[end]->spdx);)
			end++;
		write_one(t, all + i, end - i);
	}
	free(all);
	return 0;
}
