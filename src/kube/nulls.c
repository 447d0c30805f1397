#include "kube/nulls.h"

static bool has_null(struct cel_value v)
{
	bool found = false;
	for (size_t i = 0; !found && v.kind == CEL_LIST && i < v.list->len; i++)
		found = has_null(v.list->items[i]);
	for (size_t i = 0; !found && v.kind == CEL_MAP && i < v.map->len; i++)
		found = v.map->entries[i].value.kind == CEL_NULL || has_null(v.map->entries[i].value);
	return found;
}

static struct cel_value note(struct kube_copy_vec *copies, struct cel_value copy, struct cel_value original)
{
	struct kube_copy_of c = { copy.kind == CEL_MAP ? (const void *)copy.map : copy.list, original.kind == CEL_MAP ? (const void *)original.map : original.list };
	if (!cel_is_known(copy) || !copies || kube_copy_vec_push(copies, c))
		return copy;
	return cel_error("out of memory");
}

static struct cel_value list_without(struct bh_arena *arena, struct cel_value v, struct kube_copy_vec *copies)
{
	struct cel_value *items = bh_arena_array(arena, v.list->len + 1, sizeof(*items));
	if (!items)
		return cel_error("out of memory");
	for (size_t i = 0; i < v.list->len; i++) {
		items[i] = kube_without_nulls(arena, v.list->items[i], copies);
		if (!cel_is_known(items[i]))
			return items[i];
	}
	return note(copies, cel_list_of(arena, items, v.list->len), v);
}

/* As deep as documents are. */
struct cel_value kube_without_nulls(struct bh_arena *arena, struct cel_value v, struct kube_copy_vec *copies)
{
	size_t n = 0;
	if (!has_null(v))
		return v;
	if (v.kind == CEL_LIST)
		return list_without(arena, v, copies);
	struct cel_entry *entries = bh_arena_array(arena, v.map->len + 1, sizeof(*entries));
	if (!entries)
		return cel_error("out of memory");
	for (size_t i = 0; i < v.map->len; i++) {
		if (v.map->entries[i].value.kind == CEL_NULL)
			continue;
		entries[n] = (struct cel_entry){ v.map->entries[i].key, kube_without_nulls(arena, v.map->entries[i].value, copies) };
		if (!cel_is_known(entries[n++].value))
			return entries[n - 1].value;
	}
	return note(copies, cel_map_of(arena, entries, n), v);
}

const void *kube_original_of(const struct kube_copy_vec *copies, const void *container)
{
	for (size_t i = 0; i < copies->len; i++)
		if (copies->ptr[i].copy == container)
			return copies->ptr[i].original;
	return container;
}

bool kube_is_own_kind(const struct kube_object *o)
{
	return bh_slice_find(o->group, '.') == o->group.len || bh_slice_ends(o->group, BH_SLICE_LIT(".k8s.io"));
}
