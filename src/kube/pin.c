#include "kube/pin.h"

#define DEPTH_MAX 32u

struct pinning {
	const struct kube_resolver *resolver;
	struct bh_arena *arena;
	struct bh_slice why;
	bool failed; /* out of memory */
};

bool pin_is_check(struct bh_slice check)
{
	static const char *const checks[] = { "compose-image-digest", "dockerfile-base-digest", "k8s-image-digest", NULL };
	return bh_slice_is_one_of(check, checks);
}

static struct cel_value pinned_name(struct pinning *p, struct cel_value name)
{
	char digest[BH_DIGEST_TEXT_BYTES];
	struct bh_err why = { 0 };
	if (name.kind != CEL_STRING || name.text.len == 0 || bh_slice_find(name.text, '@') < name.text.len)
		return name;
	if (p->resolver->resolve(p->resolver->ctx, name.text, digest, &why) < 0) {
		p->failed |= !bh_arena_copy(p->arena, bh_slice_str(why.text), &p->why);
		return name;
	}
	const char *text = bh_arena_printf(p->arena, "%.*s@%s", BH_SLICE_FMT(name.text), digest);
	p->failed |= !text;
	return text ? cel_string(bh_slice_str(text)) : name;
}

/* The map with another value of a field; itself, if that is the same. */
static struct cel_value with_field(struct pinning *p, struct cel_value map, size_t at, struct cel_value now)
{
	if (cel_same(map.map->entries[at].value, now))
		return map;
	struct cel_entry *entries = bh_arena_array(p->arena, map.map->len, sizeof(*entries));
	if (!entries) {
		p->failed = true;
		return map;
	}
	memcpy(entries, map.map->entries, map.map->len * sizeof(*entries));
	entries[at].value = now;
	struct cel_value made = cel_map_of(p->arena, entries, map.map->len);
	p->failed |= made.kind != CEL_MAP;
	return made.kind == CEL_MAP ? made : map;
}

static struct cel_value with_image(struct pinning *p, struct cel_value container)
{
	for (size_t i = 0; container.kind == CEL_MAP && i < container.map->len; i++)
		if (container.map->entries[i].key.kind == CEL_STRING && bh_slice_eq_str(container.map->entries[i].key.text, "image"))
			return with_field(p, container, i, pinned_name(p, container.map->entries[i].value));
	return container;
}

static struct cel_value in_value(struct pinning *p, struct cel_value v, unsigned depth);

static struct cel_value in_list(struct pinning *p, struct cel_value list, bool are_containers, unsigned depth)
{
	struct cel_value *items = bh_arena_array(p->arena, list.list->len + 1, sizeof(*items));
	if (!items) {
		p->failed = true;
		return list;
	}
	for (size_t i = 0; i < list.list->len; i++)
		items[i] = are_containers ? with_image(p, list.list->items[i]) : in_value(p, list.list->items[i], depth + 1);
	struct cel_value made = cel_list_of(p->arena, items, list.list->len);
	p->failed |= made.kind != CEL_LIST;
	return made.kind == CEL_LIST && !cel_same(made, list) ? made : list;
}

/* Lists of containers, wherever they are. */
static struct cel_value in_value(struct pinning *p, struct cel_value v, unsigned depth)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers", NULL };
	if (depth == DEPTH_MAX || p->failed)
		return v;
	if (v.kind == CEL_LIST)
		return in_list(p, v, false, depth);
	for (size_t i = 0; v.kind == CEL_MAP && i < v.map->len; i++) {
		const struct cel_entry *e = &v.map->entries[i];
		bool are_containers = e->value.kind == CEL_LIST && e->key.kind == CEL_STRING && bh_slice_is_one_of(e->key.text, lists);
		v = with_field(p, v, i, are_containers ? in_list(p, e->value, true, depth) : in_value(p, e->value, depth + 1));
	}
	return v;
}

static struct cel_value in_service(struct pinning *p, struct cel_value v)
{
	for (size_t i = 0; v.kind == CEL_MAP && i < v.map->len; i++)
		if (v.map->entries[i].key.kind == CEL_STRING && bh_slice_eq_str(v.map->entries[i].key.text, "spec"))
			return with_field(p, v, i, with_image(p, v.map->entries[i].value));
	return v;
}

int pin_images(const struct kube_object *o, struct cel_value value, const struct kube_resolver *resolver, struct bh_arena *arena, struct cel_value *ret, struct bh_slice *ret_why,
	       struct bh_err *err)
{
	struct pinning p = { .resolver = resolver, .arena = arena };
	*ret = bh_slice_eq_str(o->kind, "ComposeService") ? in_service(&p, value) : in_value(&p, value, 0);
	*ret_why = p.why;
	return p.failed ? bh_fail(err, BH_ENOMEM, 0, "pinning the images of an object uses up the memory for it") : 0;
}
