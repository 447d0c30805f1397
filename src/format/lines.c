/* lines.c: see lines.h. */
#include "format/lines.h"

void bh_lines_init(struct bh_lines *l, struct bh_source src, size_t max_bytes)
{
	*l = (struct bh_lines){ .feed.src = src, .max_bytes = max_bytes };
	bh_buf_init(&l->line, max_bytes + 1);
}

void bh_lines_done(struct bh_lines *l)
{
	bh_buf_done(&l->line);
}

int bh_lines_next(struct bh_lines *l, struct bh_slice *ret, struct bh_err *err)
{
	bh_buf_clear(&l->line);
	for (;;) {
		int rc = bh_feed_fill(&l->feed, err);
		if (rc < 0)
			return rc;
		size_t n = bh_slice_find(l->feed.now, '\n');
		bool whole = n < l->feed.now.len;
		struct bh_slice part = bh_feed_take(&l->feed, n);
		if (whole)
			(void)bh_feed_take(&l->feed, 1);
		bool ends = whole || l->feed.now.len + part.len == 0;
		if (l->line.len + part.len > l->max_bytes || !bh_buf_add(&l->line, part))
			return bh_fail(err, BH_ELIMIT, bh_feed_offset(&l->feed), "a line of more than %zu bytes", l->max_bytes);
		if (!ends)
			continue;
		*ret = bh_slice_trim(bh_buf_slice(&l->line));
		l->number++;
		return whole || l->line.len;
	}
}
