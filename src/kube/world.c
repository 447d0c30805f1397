#include "kube/world.h"

#include <stdio.h>

#define WORLD_BYTES_MAX (256u << 20)
#define KINDS_MAX (2u * KUBE_OBJECTS_MAX)
#define KEY_BYTES 512u /* longer names of groups and kinds are none of Kubernetes'; cut they still find themselves */

static struct bh_slice key_of(char *buffer, struct bh_slice group, struct bh_slice kind)
{
	int n = snprintf(buffer, KEY_BYTES, "%.*s %.*s", BH_SLICE_FMT(group), BH_SLICE_FMT(kind));
	return (struct bh_slice){ (const uint8_t *)buffer, n < (int)KEY_BYTES ? (size_t)n : KEY_BYTES - 1 };
}

static bool is_namespace(const struct kube_object *o)
{
	return o->group.len == 0 && bh_slice_eq_str(o->kind, "Namespace");
}

static bool add_namespace(struct kube_world *w, const struct kube_object *o)
{
	void **at = bh_map_put(&w->namespaces, o->name);
	if (at && !*at)
		*at = (void *)(uintptr_t)o;
	return at != NULL;
}

/* Counts the object to its kind, which is made when it is new. */
static bool count(struct kube_world *w, const struct kube_object *o)
{
	char buffer[KEY_BYTES];
	struct bh_slice key = key_of(buffer, o->group, o->kind), copy;
	struct kube_kind *kind = bh_map_get(&w->kinds, key);
	if (!kind) {
		kind = BH_ARENA_NEW(&w->arena, struct kube_kind);
		if (!kind || !bh_arena_copy(&w->arena, key, &copy))
			return false;
		*kind = (struct kube_kind){ 0 };
		void **at = bh_map_put(&w->kinds, copy);
		if (!at)
			return false;
		*at = kind;
	}
	kind->n++;
	return !is_namespace(o) || add_namespace(w, o);
}

static bool make_lists(struct kube_world *w)
{
	for (size_t i = 0; i < w->kinds.len; i++) {
		struct kube_kind *kind = w->kinds.entries[i].value;
		kind->objects = bh_arena_array(&w->arena, kind->n, sizeof(*kind->objects));
		kind->n = 0;
		if (!kind->objects)
			return false;
	}
	return true;
}

int kube_world_init(struct kube_world *w, const struct kube_object_vec *all, struct bh_err *err)
{
	bool ok = true;
	char buffer[KEY_BYTES];
	bh_arena_init(&w->arena, WORLD_BYTES_MAX);
	bh_map_init(&w->kinds, KINDS_MAX);
	bh_map_init(&w->namespaces, KINDS_MAX);
	for (size_t i = 0; ok && i < all->len; i++)
		ok = count(w, &all->ptr[i]);
	ok = ok && make_lists(w);
	for (size_t i = 0; ok && i < all->len; i++) {
		struct kube_kind *kind = bh_map_get(&w->kinds, key_of(buffer, all->ptr[i].group, all->ptr[i].kind));
		kind->objects[kind->n++] = &all->ptr[i];
	}
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "the index of the objects needs more than %u MiB", WORLD_BYTES_MAX >> 20);
}

int kube_world_collect(struct kube_world *w, const struct kube_set *manifests, const struct kube_set *policies, struct kube_object_vec *all, struct bh_err *err)
{
	const struct kube_set *const sets[] = { manifests, policies };
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < kube_set_objects(sets[i])->len; k++)
			if (!kube_object_vec_push(all, kube_set_objects(sets[i])->ptr[k]))
				return bh_fail(err, BH_ELIMIT, 0, "more than %u objects", KUBE_OBJECTS_MAX);
	return kube_world_init(w, all, err);
}

void kube_world_done(struct kube_world *w)
{
	bh_map_done(&w->kinds);
	bh_map_done(&w->namespaces);
	bh_arena_done(&w->arena);
}

struct kube_kind kube_world_kind(const struct kube_world *w, struct bh_slice group, struct bh_slice kind)
{
	char buffer[KEY_BYTES];
	const struct kube_kind *found = bh_map_get(&w->kinds, key_of(buffer, group, kind));
	return found ? *found : (struct kube_kind){ 0 };
}

const struct kube_object *kube_world_namespace(const struct kube_world *w, struct bh_slice name)
{
	return bh_map_get(&w->namespaces, name);
}
