/* vec.c: the growth step shared by all vectors. */
#include "base/vec.h"

bool bh_vec_grow(void **ptr, size_t *cap, size_t max, size_t item_bytes)
{
	if (*cap >= max)
		return false;
	size_t fresh = *cap ? *cap : 8;
	if (*cap)
		fresh = *cap > max / 2 ? max : *cap * 2;
	if (fresh > max)
		fresh = max;
	size_t bytes;
	if (__builtin_mul_overflow(fresh, item_bytes, &bytes))
		return false;
	void *p = realloc(*ptr, bytes);
	if (!p)
		return false;
	*ptr = p;
	*cap = fresh;
	return true;
}
