/* lines.c: see lines.h. */
#include "secret/lines.h"

#include <string.h>

size_t secret_line_begin(struct bh_slice text)
{
	const uint8_t *nl = text.len ? memrchr(text.ptr, '\n', text.len) : NULL;
	return nl ? (size_t)(nl - text.ptr) + 1 : 0;
}

struct bh_slice secret_lines_of(struct bh_slice text, size_t from, size_t to, size_t reach)
{
	size_t first = from > reach ? from - reach : 0;
	size_t begin = first + secret_line_begin(bh_slice_sub(text, first, from - first));
	struct bh_slice rest = bh_slice_sub(text, to, reach);
	return bh_slice_sub(text, begin, to - begin + bh_slice_find(rest, '\n'));
}
