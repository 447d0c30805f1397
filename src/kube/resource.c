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

/* Lower case; y becomes ies, s x z ch sh get es, others s (kubectl, meta.UnsafeGuessKindToResource). */
static bool guess_plural(struct bh_slice kind, struct bh_arena *arena, struct bh_slice *ret)
{
	uint8_t *p = bh_arena_alloc(arena, kind.len + 3);
	size_t n = kind.len;
	if (!p)
		return false;
	for (size_t i = 0; i < n; i++)
		p[i] = bh_lower(kind.ptr[i]);
	uint8_t last = n ? p[n - 1] : 0;
	if (last == 'y') {
		memcpy(p + n - 1, "ies", 3);
		n += 2;
	} else if (last == 's') {
		memcpy(p + n, "es", 2);
		n += 2;
	} else {
		p[n++] = 's';
	}
	*ret = (struct bh_slice){ p, n };
	return true;
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
