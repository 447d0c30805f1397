/* lines.h: the line that a place of a text is in, as far as a reader's eye reaches: files of one line exist that are gigabytes long. */
#ifndef BH_SECRET_LINES_H
#define BH_SECRET_LINES_H

#include "base/slice.h"

/* Behind the last line feed of a text; 0: it has none. */
size_t secret_line_begin(struct bh_slice text);

/* All of the lines that the bytes `from` up to `to` are in, and at most `reach` bytes each way. */
struct bh_slice secret_lines_of(struct bh_slice text, size_t from, size_t to, size_t reach);

#endif
