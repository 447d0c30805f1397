#include "comply/framework.h"

/* The files are in the order of their names, so of one framework the last one is the newest. */
const struct comply_framework *comply_framework_find(struct bh_slice name)
{
	const struct comply_framework *found = NULL;
	for (size_t i = 0; i < comply_frameworks_count; i++) {
		const struct comply_framework *f = &comply_frameworks[i];
		struct bh_slice base = bh_slice_str(f->name), rest = bh_slice_sub(name, base.len, name.len);
		if (!bh_slice_starts(name, base))
			continue;
		if (rest.len == 0 || (rest.ptr[0] == '-' && bh_slice_eq_str(bh_slice_sub(rest, 1, rest.len), f->version)))
			found = f;
	}
	return found;
}
