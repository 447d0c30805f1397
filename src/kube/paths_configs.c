/*
 * paths_configs.c: ConfigMaps that hold what looks like a secret: facts config_in(NAMESPACE, CONFIG). What looks like one is as in the policy
 * k8s-secret-in-config-map: the name of a key says so, or its value is a private key.
 */
#include "kube/paths_collect.h"

#define KEY_BYTES_MAX 256u

static bool has_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

static bool is_secret(struct bh_slice key, struct bh_slice value)
{
	static const char *const telling[] = { "password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "privatekey", "credential", NULL };
	static const char *const harmless[] = { "file", "path", "name", "url", "ttl", "expir", "enabled", "length", "rotation", NULL };
	char small[KEY_BYTES_MAX] = { 0 };
	for (size_t i = 0; i < key.len && i < sizeof(small) - 1; i++)
		small[i] = (char)bh_lower(key.ptr[i]);
	if (value.len && has_any(small, telling) && !has_any(small, harmless))
		return true;
	return bh_slice_search(value, "-----BEGIN ") && bh_slice_search(value, "PRIVATE KEY-----");
}

static struct bh_slice secret_key_of(const struct kube_object *o)
{
	struct cel_value data = kube_get(o->value, "data");
	for (size_t i = 0; data.kind == CEL_MAP && i < data.map->len; i++) {
		const struct cel_entry *e = &data.map->entries[i];
		if (e->key.kind == CEL_STRING && e->value.kind == CEL_STRING && is_secret(e->key.text, e->value.text))
			return e->key.text;
	}
	return (struct bh_slice){ 0 };
}

static struct bh_slice name_of(struct paths_collect *c, struct bh_slice namespace, struct bh_slice name)
{
	return bh_slice_str(bh_arena_printf(&c->f->arena, "%.*s/%.*s[ConfigMap]", BH_SLICE_FMT(namespace), BH_SLICE_FMT(name)));
}

struct bh_slice paths_config(struct paths_collect *c, struct bh_slice namespace, struct bh_slice name)
{
	const struct bh_slice in[] = { namespace, name_of(c, namespace, name) };
	return in[1].ptr && logic_find(&c->f->logic, "config_in", in, 2) != LOGIC_NONE ? in[1] : (struct bh_slice){ 0 };
}

int paths_find_configs(struct paths_collect *c)
{
	const struct kube_kind all = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("ConfigMap"));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		const struct kube_object *o = all.objects[i];
		const struct bh_slice key = secret_key_of(o), in[] = { kube_namespace(o), name_of(c, kube_namespace(o), o->name) };
		const char *field = key.len ? bh_arena_printf(&c->f->arena, "%.*s", BH_SLICE_FMT(key)) : NULL;
		if (field)
			rc = paths_give(c, "config_in", in, 2, paths_place(c, o, kube_get(o->value, "data"), field));
	}
	return rc;
}
