/* table.h: what the files of the table share. Private to report/. */
#ifndef BH_REPORT_TABLE_H
#define BH_REPORT_TABLE_H

#include "report/writer.h"

#define MARGIN 2u

enum { CELL_PACKAGE, CELL_BINARIES, CELL_INSTALLED, CELL_IDS, CELL_FIX, CELL_OTHER, CELL_COUNT };

struct table {
	const struct bh_report *report;
	const struct report_style *style;
	struct bh_buf *out;
	size_t width;
	bool cell_failed;
	struct bh_buf cells[CELL_COUNT]; /* texts of the row at work, and one for anything else */
};

const char *table_severity_colour(const struct table *t, enum bh_severity s); /* SGR parameters; NULL without colour */
void table_coloured(struct table *t, const char *sgr, const char *text);
struct bh_buf *table_cell(struct table *t, size_t i);                /* the cell's buffer, emptied */
struct bh_slice table_escaped(struct table *t, struct bh_slice s);   /* in CELL_OTHER */
void table_header_line(struct table *t, const char *label, struct bh_slice text);
void table_heading(struct table *t, const char *title, const char *sgr);
void table_add_count(struct bh_buf *b, uint64_t n, const char *one, const char *many);

/* table_judgement.c */
void table_write_origin(struct table *t);     /* base image and baseline, as header lines */
void table_write_changes(struct table *t);    /* "Fix first" */
void table_write_suppressed(struct table *t); /* what does not count and why; exceptions that match nothing */
void table_add_instruction(struct table *t, struct bh_buf *b, const struct bh_layer *l); /* "RUN make (Dockerfile:3)" */

/* table_licenses.c: which licences there are */
int table_write_licenses(struct table *t, struct bh_err *err) BH_MUST_CHECK;

#endif
