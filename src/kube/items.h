/* items.h: a list of CEL's values that grows in an arena: for those who make objects of documents. */
#ifndef BH_KUBE_ITEMS_H
#define BH_KUBE_ITEMS_H

#include "base/arena.h"
#include "policy/cel/value.h"

struct kube_items {
	struct cel_value *ptr;
	size_t n, cap;
};

/* False: out of memory; the list is as it was. */
bool kube_items_add(struct kube_items *l, struct bh_arena *arena, struct cel_value v);

#endif
