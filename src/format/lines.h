/* lines.h: the lines of a source that comes in pieces, one at a time; each has a maximum. */
#ifndef BH_FORMAT_LINES_H
#define BH_FORMAT_LINES_H

#include "base/buf.h"
#include "format/feed.h"

struct bh_lines {
	struct bh_feed feed;
	struct bh_buf line;  /* what lies over the end of a run */
	uint64_t number;     /* of the line that came last, from 1 */
	size_t max_bytes;
};

void bh_lines_init(struct bh_lines *l, struct bh_source src, size_t max_bytes);
void bh_lines_done(struct bh_lines *l);

/* 1: the next line without its end and the blanks around it, borrowed until the next call; 0: none is left. */
int bh_lines_next(struct bh_lines *l, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
