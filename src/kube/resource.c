#include "kube/resource.h"

static const struct {
	const char *group, *kind, *plural;
	bool is_namespaced;
} table[] = {
#define RESOURCE(group, kind, plural, namespaced) { group, kind, plural, namespaced },
#include "kube/resources.def"
#undef RESOURCE
};

bool kube_same_group(struct bh_slice a, struct bh_slice b)
{
	static const char *const heirs[] = { "apps", "networking.k8s.io", "policy", NULL };
	if (bh_slice_eq(a, b))
		return true;
	return (bh_slice_eq_str(a, "extensions") && bh_slice_is_one_of(b, heirs)) || (bh_slice_eq_str(b, "extensions") && bh_slice_is_one_of(a, heirs));
}

bool kube_resource_by_plural(struct bh_slice plural, struct kube_resource *ret)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (bh_slice_eq_str(plural, table[i].plural)) {
			*ret = (struct kube_resource){ .group = bh_slice_str(table[i].group), .plural = plural, .is_namespaced = table[i].is_namespaced, .is_known = true };
			return true;
		}
	return false;
}

/* Lower case; y becomes ies, s gets es, others s (kubectl, meta.UnsafeGuessKindToResource). */
static bool guess_plural(struct bh_slice kind, struct bh_arena *arena, struct bh_slice *ret)
{
	uint8_t last = kind.len ? bh_lower(kind.ptr[kind.len - 1]) : 0;
	struct bh_slice stem = bh_slice_sub(kind, 0, kind.len - (last == 'y'));
	char *text = bh_arena_printf(arena, "%.*s%s", BH_SLICE_FMT(stem), last == 'y' ? "ies" : last == 's' ? "es" : "s");
	for (char *c = text; c && *c; c++)
		*c = (char)bh_lower((uint8_t)*c);
	*ret = bh_slice_str(text);
	return text != NULL;
}

bool kube_resource_of(const struct kube_object *o, struct bh_arena *arena, struct kube_resource *ret)
{
	*ret = (struct kube_resource){ .group = o->group, .version = o->version };
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (bh_slice_eq_str(o->kind, table[i].kind) && kube_same_group(o->group, bh_slice_str(table[i].group))) {
			ret->plural = bh_slice_str(table[i].plural);
			ret->is_namespaced = table[i].is_namespaced;
			ret->is_known = true;
			return true;
		}
	ret->is_namespaced = o->namespace.len > 0;
	return guess_plural(o->kind, arena, &ret->plural);
}
