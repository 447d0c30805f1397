/*
 * custom_podspecs.c: a type of a schema is a pod's when it has `containers`, a list of objects with an image and a name. Where it stands tells whose pod it is: what
 * is called template is, as in Kubernetes' own kinds, all of the pod; what has another name, an operator most often completes.
 */
#include "kube/custom_podspecs.h"

#define ARENA_BYTES_MAX (16u << 20)
#define GROUPS_MAX 20000u
#define DEPTH_MAX 24u         /* of fields; the deepest pod of the table stands at 6 */
#define PATH_BYTES_MAX 512u
#define FOUND_MAX 32u         /* pods of one kind */
#define NODES_MAX 200000u     /* of the schemas of one definition; the largest real ones have 30,000 */

static const struct {
	const char *group, *kind, *path, *part;
	enum podspec_shape shape;
} table[] = {
#define PODS(group, kind, path, shape, part) { group, kind, path, part, PODSPEC_##shape },
#include "kube/podspecs.def"
#undef PODS
};

static bool add(struct podspecs *p, struct bh_slice group, struct podspec spec)
{
	struct podspec *copy = BH_ARENA_NEW(&p->arena, struct podspec);
	void **at = copy ? bh_map_put(&p->groups, group) : NULL;
	if (!at)
		return false;
	*copy = spec;
	copy->next = *at;
	*at = copy;
	return true;
}

static const struct podspec *find(const struct podspecs *p, struct bh_slice group, struct bh_slice kind, const char *path)
{
	for (const struct podspec *s = podspecs_of(p, group); s; s = s->next)
		if (bh_slice_eq(s->kind, kind) && (!path || strcmp(s->path, path) == 0))
			return s;
	return NULL;
}

/* ---- schemas ---- */

struct walk {
	struct podspecs *podspecs;
	struct bh_slice group, kind;
	char path[PATH_BYTES_MAX];
	size_t len;
	unsigned nodes, found;
	bool failed;
};

static bool preserves(struct cel_value schema)
{
	return cel_is_true(kube_get(schema, "x-kubernetes-preserve-unknown-fields"));
}

static bool is_pod_spec(struct cel_value schema)
{
	struct cel_value containers = kube_path(schema, "properties.containers"), items = kube_get(containers, "items");
	return bh_slice_eq_str(kube_text(containers, "type"), "array") && kube_path(items, "properties.image").kind == CEL_MAP
	       && kube_path(items, "properties.name").kind == CEL_MAP;
}

/* A schema without a type in it, under a name that tells what is meant. */
static bool is_open_template(struct cel_value schema, struct bh_slice name)
{
	static const char *const names[] = { "template", "podTemplate", NULL };
	return preserves(schema) && kube_get(schema, "properties").kind != CEL_MAP && bh_slice_is_one_of(name, names);
}

static bool is_template(struct cel_value schema)
{
	struct cel_value spec = kube_path(schema, "properties.spec");
	return is_pod_spec(spec) && kube_path(schema, "properties.metadata").kind == CEL_MAP;
}

static void note(struct walk *w, enum podspec_shape shape)
{
	char *path = NULL;
	if (w->found >= FOUND_MAX || find(w->podspecs, w->group, w->kind, w->path))
		return;
	path = bh_arena_strdup(&w->podspecs->arena, (struct bh_slice){ (const uint8_t *)w->path, w->len });
	w->failed |= !path || !add(w->podspecs, w->group, (struct podspec){ .kind = w->kind, .path = path, .shape = shape, .part = "" });
	w->found++;
}

/* Puts ".name" or "[]" behind the path; false: it is longer than a path of a pod could be. */
static bool enter(struct walk *w, const char *before, struct bh_slice name)
{
	size_t more = strlen(before) + name.len;
	if (name.len && (bh_slice_find(name, '.') < name.len || bh_slice_find(name, '[') < name.len || bh_slice_find(name, '{') < name.len))
		return false;
	if (w->len + more + 1 > sizeof(w->path))
		return false;
	memcpy(w->path + w->len, before, strlen(before));
	if (name.len)
		memcpy(w->path + w->len + strlen(before), name.ptr, name.len);
	w->len += more;
	w->path[w->len] = '\0';
	return true;
}

static void leave(struct walk *w, size_t len)
{
	w->len = len;
	w->path[len] = '\0';
}

static void walk(struct walk *w, struct cel_value schema, struct bh_slice name, unsigned depth);

static void walk_fields(struct walk *w, struct cel_value properties, unsigned depth)
{
	for (size_t i = 0; properties.kind == CEL_MAP && i < properties.map->len; i++) {
		const struct cel_entry *e = &properties.map->entries[i];
		size_t len = w->len;
		if (e->key.kind != CEL_STRING || (depth == 0 && !bh_slice_eq_str(e->key.text, "spec")) || !enter(w, len ? "." : "", e->key.text))
			continue;
		walk(w, e->value, e->key.text, depth + 1);
		leave(w, len);
	}
}

static void walk_elements(struct walk *w, struct cel_value schema, const char *mark, struct bh_slice name, unsigned depth)
{
	size_t len = w->len;
	if (schema.kind != CEL_MAP || !enter(w, mark, (struct bh_slice){ 0 }))
		return;
	walk(w, schema, name, depth + 1);
	leave(w, len);
}

/* Inside of a pod nobody looks for pods. */
static void walk(struct walk *w, struct cel_value schema, struct bh_slice name, unsigned depth)
{
	bool is_whole = bh_slice_eq_str(name, "template");
	if (depth > DEPTH_MAX || ++w->nodes > NODES_MAX || schema.kind != CEL_MAP || w->failed)
		return;
	if (depth > 0 && (is_template(schema) || is_open_template(schema, name))) {
		note(w, is_whole ? PODSPEC_TEMPLATE : PODSPEC_PART_TEMPLATE);
		return;
	}
	if (depth > 0 && is_pod_spec(schema)) {
		note(w, PODSPEC_PART_SPEC);
		return;
	}
	walk_fields(w, kube_get(schema, "properties"), depth);
	walk_elements(w, kube_get(schema, "items"), "[]", name, depth);
	walk_elements(w, kube_get(schema, "additionalProperties"), "{}", name, depth);
}

static bool add_definition(struct podspecs *p, const struct kube_object *o)
{
	struct walk w = { .podspecs = p, .group = kube_text(o->value, "spec.group"), .kind = kube_text(o->value, "spec.names.kind") };
	struct cel_value versions = kube_path(o->value, "spec.versions");
	if (w.group.len == 0 || w.kind.len == 0 || find(p, w.group, w.kind, NULL))
		return true;
	for (size_t i = 0; i < kube_length(versions); i++)
		walk(&w, kube_path(versions.list->items[i], "schema.openAPIV3Schema"), (struct bh_slice){ 0 }, 0);
	return !w.failed;
}

/* ---- all ---- */

int podspecs_init(struct podspecs *p, const struct kube_object_vec *all, struct bh_err *err)
{
	bool ok = true;
	bh_arena_init(&p->arena, ARENA_BYTES_MAX);
	bh_map_init(&p->groups, GROUPS_MAX);
	for (size_t i = 0; ok && i < sizeof(table) / sizeof(table[0]); i++)
		ok = add(p, bh_slice_str(table[i].group),
			 (struct podspec){ .kind = bh_slice_str(table[i].kind), .path = table[i].path, .shape = table[i].shape, .part = table[i].part });
	for (size_t i = 0; ok && i < all->len; i++)
		if (bh_slice_eq_str(all->ptr[i].kind, "CustomResourceDefinition") && bh_slice_eq_str(all->ptr[i].group, "apiextensions.k8s.io"))
			ok = add_definition(p, &all->ptr[i]);
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "the CustomResourceDefinitions need more than %u MiB", ARENA_BYTES_MAX >> 20);
}

void podspecs_done(struct podspecs *p)
{
	bh_map_done(&p->groups);
	bh_arena_done(&p->arena);
}

const struct podspec *podspecs_of(const struct podspecs *p, struct bh_slice group)
{
	return bh_map_get(&p->groups, group);
}
