/* db_print.c: output, columns, numbers and dates for `bulkhead db`. */
#include "cmd/db.h"
#include "cmd/output.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS_MAX 12u
#define SECONDS_A_DAY 86400

void db_table_init(struct db_table *t, size_t columns)
{
	*t = (struct db_table){ .columns = columns };
	bh_buf_init(&t->cells, DB_OUTPUT_BYTES_MAX);
}

void db_table_done(struct db_table *t)
{
	bh_buf_done(&t->cells);
}

void db_table_add(struct db_table *t, struct bh_slice cell)
{
	bh_buf_add_escaped(&t->cells, cell);
	bh_buf_add_byte(&t->cells, '\0');
	t->n++;
}

void db_table_addf(struct db_table *t, const char *fmt, ...)
{
	char cell[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(cell, sizeof(cell), fmt, ap);
	va_end(ap);
	db_table_add(t, bh_slice_str(cell));
}

static size_t width_of(struct bh_slice cell)
{
	size_t n = 0;
	for (size_t i = 0; i < cell.len; i++)
		n += (cell.ptr[i] & 0xc0) != 0x80; /* characters, near enough */
	return n;
}

static void pad(struct bh_buf *out, size_t n)
{
	while (n--)
		bh_buf_add_byte(out, ' ');
}

void db_table_write(const struct db_table *t, unsigned right, struct bh_buf *out)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	struct bh_slice rest = bh_buf_slice(&t->cells), cell;
	for (size_t i = 0; i < t->n && bh_slice_cut(rest, '\0', &cell, &rest); i++)
		if (width_of(cell) > widths[i % t->columns])
			widths[i % t->columns] = width_of(cell);
	rest = bh_buf_slice(&t->cells);
	for (size_t i = 0; i < t->n && bh_slice_cut(rest, '\0', &cell, &rest); i++) {
		size_t column = i % t->columns, gap = widths[column] - width_of(cell);
		bool is_last = column + 1 == t->columns;
		if (right >> column & 1)
			pad(out, gap);
		bh_buf_add(out, cell);
		if (!(right >> column & 1) && !is_last && cell.len + gap)
			pad(out, gap);
		if (is_last) {
			while (out->len && out->ptr[out->len - 1] == ' ')
				out->len--;
			bh_buf_add_byte(out, '\n');
		} else {
			bh_buf_add_str(out, "  ");
		}
	}
	if (t->cells.failed)
		out->failed = true;
}

const char *db_number(uint64_t n, char out[32])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

const char *db_size(uint64_t bytes, char out[32])
{
	if (bytes < 10u << 10)
		(void)snprintf(out, 32, "%llu bytes", (unsigned long long)bytes);
	else if (bytes < 1u << 20)
		(void)snprintf(out, 32, "%llu KiB", (unsigned long long)(bytes >> 10));
	else
		(void)snprintf(out, 32, "%.1f MiB", (double)bytes / (1u << 20));
	return out;
}

int32_t db_today(void)
{
	uint64_t seconds;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (epoch && bh_slice_u64(bh_slice_str(epoch), (uint64_t)INT32_MAX * SECONDS_A_DAY, &seconds))
		return (int32_t)(seconds / SECONDS_A_DAY);
	return (int32_t)(time(NULL) / SECONDS_A_DAY);
}

int db_show(const struct cmd_args *args, const char *const *words, size_t n, db_render *render)
{
	struct bh_err err = { 0 };
	struct vuln_userdb u;
	struct bh_buf out;
	int rc = vuln_userdb_open(cmd_string(args, "db"), &u, &err);
	if (rc < 0)
		return cmd_failed(&err);
	bh_buf_init(&out, DB_OUTPUT_BYTES_MAX);
	rc = render(args, &u, words, n, &out, &err);
	rc = rc < 0 ? rc : cmd_write(STDOUT_FILENO, &out, &err);
	bh_buf_done(&out);
	vuln_userdb_close(&u);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}
