/*
 * layout.h: text in columns. A cell is a text that hands out one line after the other, none wider than its column; a row
 * prints the next line of each of its cells until all are empty, so that a tall cell may run on beside the following rows.
 */
#ifndef BH_REPORT_LAYOUT_H
#define BH_REPORT_LAYOUT_H

#include "base/buf.h"

struct layout_cell {
	struct bh_slice rest; /* escaped UTF-8, what was not printed yet */
	size_t width;         /* columns */
	size_t indent;        /* of continuation lines */
	bool started;
	const char *colour;   /* SGR parameters, "1;31"; NULL = plain */
};

/* The next line of at most `width` columns, without the blanks around it; breaks at blanks, else behind -./:+~=@_, else anywhere. */
struct bh_slice layout_take_line(struct bh_slice *rest, size_t width);

/* One line: the next piece of each cell, columns two blanks apart, no blanks at the end. margin: blanks before the first. */
void layout_line(struct bh_buf *out, size_t margin, struct layout_cell *cells, size_t n);

/* Lines until the cells are empty. */
void layout_flush(struct bh_buf *out, size_t margin, struct layout_cell *cells, size_t n);

/* One paragraph: text wrapped to width, its first line after `first` (already in out, first_width columns), others indented. */
void layout_paragraph(struct bh_buf *out, struct bh_slice text, size_t first_width, size_t indent, size_t width);

void layout_spaces(struct bh_buf *out, size_t n);

/* "12,345" */
void layout_number(struct bh_buf *out, uint64_t n);

#endif
