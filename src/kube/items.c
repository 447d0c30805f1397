/* items.c: see items.h. */
#include "kube/items.h"

bool kube_items_add(struct kube_items *l, struct bh_arena *arena, struct cel_value v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap * 2 + 4;
		struct cel_value *more = bh_arena_array(arena, cap, sizeof(*more));
		if (!more)
			return false;
		if (l->n)
			memcpy(more, l->ptr, l->n * sizeof(*more));
		l->ptr = more;
		l->cap = cap;
	}
	l->ptr[l->n++] = v;
	return true;
}
