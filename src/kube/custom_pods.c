#include "kube/custom_pods.h"

#include <stdio.h>

#include "kube/custom_podspecs.h"

#define LABEL_BYTES_MAX 256u
#define FIELD_BYTES_MAX 128u
#define ENTRIES_MAX 16u      /* of a map that is made */
#define MERGE_DEPTH_MAX 8u

/* ---- making maps that know where they come from ---- */

struct maker {
	struct kube_set *set;
	const struct kube_object *of;
	struct kube_tree *tree;
	struct bh_arena *arena;
	bool failed;
};

/* A map in the making: entries, and where each stands. */
struct made {
	struct cel_entry *entries;
	const struct cel_map **from;
	struct bh_slice *fields; /* in from */
	size_t n, cap;
	const struct cel_map *whole; /* what the map itself stands for */
};

static struct made made_at(struct maker *m, const struct cel_map *whole, size_t cap)
{
	struct made made = { .cap = cap, .whole = whole };
	made.entries = bh_arena_array(m->arena, cap, sizeof(*made.entries));
	made.from = bh_arena_array(m->arena, cap, sizeof(*made.from));
	made.fields = bh_arena_array(m->arena, cap, sizeof(*made.fields));
	m->failed |= !made.entries || !made.from || !made.fields;
	return made;
}

static bool has(const struct made *made, struct bh_slice name)
{
	for (size_t i = 0; i < made->n; i++)
		if (bh_slice_eq(made->entries[i].key.text, name))
			return true;
	return false;
}

static void put(struct maker *m, struct made *made, struct bh_slice name, struct cel_value v, const struct cel_map *from, struct bh_slice field)
{
	if (m->failed || v.kind == CEL_NULL || made->n == made->cap || has(made, name))
		return;
	made->entries[made->n] = (struct cel_entry){ cel_string(name), v };
	made->from[made->n] = from;
	made->fields[made->n++] = field;
}

static void put_own(struct maker *m, struct made *made, const char *name, struct cel_value v)
{
	put(m, made, bh_slice_str(name), v, made->whole, (struct bh_slice){ 0 });
}

/* The field of another map, under its own name. */
static void put_field(struct maker *m, struct made *made, struct cel_value of, const char *name)
{
	if (of.kind == CEL_MAP)
		put(m, made, bh_slice_str(name), kube_get(of, name), of.map, bh_slice_str(name));
}

static void put_all(struct maker *m, struct made *made, struct cel_value of)
{
	for (size_t i = 0; of.kind == CEL_MAP && i < of.map->len; i++)
		if (of.map->entries[i].key.kind == CEL_STRING)
			put(m, made, of.map->entries[i].key.text, of.map->entries[i].value, of.map, of.map->entries[i].key.text);
}

static struct cel_value end(struct maker *m, struct made *made)
{
	struct cel_value v = m->failed ? cel_null() : cel_map_of(m->arena, made->entries, made->n);
	m->failed |= v.kind != CEL_MAP;
	if (!m->failed && made->whole)
		m->failed |= !kube_tree_alias(m->tree, (struct kube_alias){ .at = v.map, .to = made->whole });
	for (size_t i = 0; !m->failed && i < made->n; i++)
		if (made->from[i])
			m->failed |= !kube_tree_alias(m->tree, (struct kube_alias){ v.map, made->entries[i].key.text, made->from[i], made->fields[i] });
	return m->failed ? cel_null() : v;
}

static struct cel_value list_of(struct maker *m, const struct cel_value *items, size_t n)
{
	struct cel_value v = m->failed ? cel_null() : cel_list_of(m->arena, items, n);
	m->failed |= v.kind != CEL_LIST;
	return m->failed ? cel_null() : v;
}

/* ---- what an operator completes ---- */

/* Fields whose absence alone is objected to, and which the operator may set: unknown then. */
static const char *const pod_fields[] = { "automountServiceAccountToken", "serviceAccountName", NULL };
static const char *const security_fields[] = { "runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "seccompProfile", NULL };
static const char *const container_fields[] = { "image", "resources", "livenessProbe", "readinessProbe", "imagePullPolicy", NULL };
static const char *const container_security_fields[] = { "runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile", "allowPrivilegeEscalation",
							 "readOnlyRootFilesystem", "capabilities", NULL };

static struct cel_value completed(struct maker *m, struct cel_value of, const struct cel_map *whole, const char *const *fields)
{
	size_t n = of.kind == CEL_MAP ? of.map->len : 0;
	struct made made = made_at(m, of.kind == CEL_MAP ? of.map : whole, n + ENTRIES_MAX);
	put_all(m, &made, of);
	for (; *fields; fields++)
		put_own(m, &made, *fields, cel_unknown());
	return end(m, &made);
}

static struct cel_value completed_container(struct maker *m, struct cel_value c)
{
	struct made made = made_at(m, c.map, c.map->len + ENTRIES_MAX);
	put_own(m, &made, "securityContext", completed(m, kube_get(c, "securityContext"), c.map, container_security_fields));
	put_all(m, &made, c);
	for (const char *const *f = container_fields; *f; f++)
		put_own(m, &made, *f, cel_unknown());
	return end(m, &made);
}

static struct cel_value completed_containers(struct maker *m, struct cel_value list)
{
	struct cel_value *items = bh_arena_array(m->arena, kube_length(list) + 1, sizeof(*items));
	m->failed |= !items;
	for (size_t i = 0; !m->failed && i < kube_length(list); i++)
		items[i] = list.list->items[i].kind == CEL_MAP ? completed_container(m, list.list->items[i]) : list.list->items[i];
	return m->failed || list.kind != CEL_LIST ? cel_null() : list_of(m, items, list.list->len);
}

static struct cel_value completed_spec(struct maker *m, struct cel_value spec)
{
	struct made made = made_at(m, spec.map, spec.map->len + ENTRIES_MAX);
	put_own(m, &made, "securityContext", completed(m, kube_get(spec, "securityContext"), spec.map, security_fields));
	put_own(m, &made, "containers", completed_containers(m, kube_get(spec, "containers")));
	put_own(m, &made, "initContainers", completed_containers(m, kube_get(spec, "initContainers")));
	put_all(m, &made, spec);
	for (const char *const *f = pod_fields; *f; f++)
		put_own(m, &made, *f, cel_unknown());
	return end(m, &made);
}

/* ---- pods that are not written as pods ---- */

/* A map over one that it completes, in depth. */
static struct cel_value merged(struct maker *m, struct cel_value over, struct cel_value under, unsigned depth)
{
	struct made made = made_at(m, over.map, over.map->len + under.map->len);
	for (size_t i = 0; depth < MERGE_DEPTH_MAX && i < over.map->len; i++) {
		const struct cel_entry *e = &over.map->entries[i];
		const struct cel_value *below = e->key.kind == CEL_STRING && e->value.kind == CEL_MAP ? cel_map_field(under.map, e->key.text) : NULL;
		if (below && below->kind == CEL_MAP)
			put(m, &made, e->key.text, merged(m, e->value, *below, depth + 1), over.map, e->key.text);
	}
	put_all(m, &made, over);
	put_all(m, &made, under);
	return end(m, &made);
}

/* A container over what its pod gives to all, under a name of its own where it has none. */
static struct cel_value named_container(struct maker *m, struct cel_value c, struct cel_value common, const char *name)
{
	if (common.kind == CEL_MAP)
		c = merged(m, c, common, 0);
	if (m->failed || kube_text(c, "name").len)
		return c;
	struct made made = made_at(m, c.map, c.map->len + 1);
	put_all(m, &made, c);
	put_own(m, &made, "name", cel_string(bh_slice_str(name)));
	return end(m, &made);
}

struct containers {
	struct cel_value *items;
	size_t n, cap;
};

static void add_containers(struct maker *m, struct containers *out, struct cel_value list, struct cel_value common, const char *prefix)
{
	for (size_t i = 0; i < kube_length(list) && out->n < out->cap; i++) {
		struct cel_value c = list.list->items[i];
		const char *name = bh_arena_printf(m->arena, "%s-%zu", prefix, i);
		m->failed |= !name;
		if (!m->failed && c.kind == CEL_MAP)
			out->items[out->n++] = named_container(m, c, common, name);
	}
}

static struct containers room_for(struct maker *m, size_t n)
{
	struct containers out = { .items = bh_arena_array(m->arena, n + 1, sizeof(*out.items)), .cap = n };
	m->failed |= !out.items;
	return out;
}

/* tektoncd/pipeline docs/tasks.md: steps without a name are "unnamed-N"; what a step does not set it has of stepTemplate. podTemplate is the run's. */
static struct cel_value tekton_spec(struct maker *m, struct cel_value task)
{
	struct cel_value steps = kube_get(task, "steps"), sidecars = kube_get(task, "sidecars"), run = kube_path(m->of->value, "spec.podTemplate");
	struct made made = made_at(m, task.map, ENTRIES_MAX);
	if (run.kind != CEL_MAP)
		run = kube_path(m->of->value, "spec.taskRunTemplate.podTemplate");
	if (kube_length(steps) == 0)
		return cel_null();
	struct containers all = room_for(m, kube_length(steps) + kube_length(sidecars));
	add_containers(m, &all, steps, kube_get(task, "stepTemplate"), "unnamed");
	add_containers(m, &all, sidecars, cel_null(), "sidecar");
	put_own(m, &made, "containers", list_of(m, all.items, all.n));
	put_field(m, &made, task, "volumes");
	put_field(m, &made, kube_get(m->of->value, "spec"), "serviceAccountName");
	put_field(m, &made, kube_path(m->of->value, "spec.taskRunTemplate"), "serviceAccountName");
	static const char *const of_run[] = { "securityContext", "automountServiceAccountToken", "hostNetwork", "runtimeClassName", NULL };
	for (const char *const *f = of_run; *f; f++)
		put_field(m, &made, run, *f);
	return end(m, &made);
}

static struct cel_value joined(struct maker *m, struct cel_value a, struct cel_value b)
{
	size_t n = kube_length(a) + kube_length(b);
	struct cel_value *items = bh_arena_array(m->arena, n + 1, sizeof(*items));
	m->failed |= !items;
	if (n == 0 || m->failed)
		return cel_null();
	for (size_t i = 0; i < n; i++)
		items[i] = i < kube_length(a) ? a.list->items[i] : b.list->items[i - kube_length(a)];
	return list_of(m, items, n);
}

/* argoproj/argo-workflows docs/fields.md: a template that runs nothing itself (steps, dag, suspend) is no pod; the workflow's fields count where it has none. */
static struct cel_value argo_spec(struct maker *m, struct cel_value template, struct cel_value workflow)
{
	struct cel_value set = kube_path(template, "containerSet.containers"), sidecars = kube_get(template, "sidecars");
	struct containers all = room_for(m, kube_length(set) + kube_length(sidecars) + 2);
	static const char *const mains[] = { "container", "script", NULL };
	struct made made = made_at(m, template.map, ENTRIES_MAX);
	for (const char *const *f = mains; *f && !m->failed; f++)
		if (kube_get(template, *f).kind == CEL_MAP)
			all.items[all.n++] = named_container(m, kube_get(template, *f), cel_null(), "main");
	add_containers(m, &all, set, cel_null(), "main");
	if (all.n == 0)
		return cel_null();
	add_containers(m, &all, sidecars, cel_null(), "sidecar");
	put_own(m, &made, "containers", list_of(m, all.items, all.n));
	put_field(m, &made, template, "initContainers");
	put_own(m, &made, "volumes", joined(m, kube_get(template, "volumes"), kube_get(workflow, "volumes")));
	static const char *const of_both[] = { "securityContext", "serviceAccountName", "automountServiceAccountToken", "hostNetwork", NULL };
	for (const char *const *f = of_both; *f; f++) {
		put_field(m, &made, template, *f);
		put_field(m, &made, workflow, *f);
	}
	return end(m, &made);
}

/* ---- the pod ---- */

/* Where the way through an object leads to. */
struct spot {
	struct cel_value value;
	struct cel_value outer; /* the map that the last list or map of templates stands in */
	struct bh_slice label;  /* "worker-2": of the elements on the way */
};

static bool is_part(enum podspec_shape shape)
{
	return shape == PODSPEC_PART_TEMPLATE || shape == PODSPEC_PART_SPEC;
}

static bool holds_pod(struct cel_value spec, enum podspec_shape shape)
{
	struct cel_value containers = kube_get(spec, "containers");
	if (spec.kind != CEL_MAP || spec.map->len == 0)
		return false;
	return is_part(shape) ? containers.kind == CEL_LIST || containers.kind == CEL_NULL : kube_length(containers) > 0;
}

static struct cel_value spec_of(struct maker *m, const struct spot *at, enum podspec_shape shape)
{
	struct cel_value v = at->value;
	if (v.kind != CEL_MAP)
		return cel_null();
	if (shape == PODSPEC_TEKTON)
		return tekton_spec(m, v);
	if (shape == PODSPEC_ARGO)
		return argo_spec(m, v, at->outer);
	if (shape == PODSPEC_TEMPLATE || shape == PODSPEC_PART_TEMPLATE)
		v = kube_get(v, "spec");
	if (!holds_pod(v, shape))
		return cel_null();
	return is_part(shape) ? completed_spec(m, v) : v;
}

/* The field that the pod's spec is, for findings about what is not there. */
static const struct cel_map *map_of(struct cel_value v)
{
	return v.kind == CEL_MAP ? v.map : NULL;
}

static struct cel_value metadata_of(struct maker *m, const struct spot *at, const struct podspec *row)
{
	struct cel_value template = kube_get(at->value, "metadata");
	struct made made = made_at(m, template.kind == CEL_MAP ? template.map : map_of(at->value), ENTRIES_MAX);
	const char *name = bh_arena_printf(m->arena, "%.*s%s%s%s%.*s", BH_SLICE_FMT(m->of->name), *row->part ? "-" : "", row->part, at->label.len ? "-" : "",
					   BH_SLICE_FMT(at->label));
	struct cel_value own = kube_get(m->of->value, "metadata");
	m->failed |= !name;
	put_own(m, &made, "name", cel_string(bh_slice_str(name ? name : "")));
	if (own.kind == CEL_MAP)
		put_field(m, &made, own, "namespace");
	put_field(m, &made, template, "labels");
	put_field(m, &made, template, "annotations");
	return end(m, &made);
}

static int add_pod(struct maker *m, const struct spot *at, const struct podspec *row, struct bh_err *err)
{
	struct cel_value spec = spec_of(m, at, row->shape);
	if (spec.kind != CEL_MAP || m->failed)
		return 0;
	struct made made = made_at(m, map_of(at->value), 4);
	put_own(m, &made, "apiVersion", cel_string(BH_SLICE_LIT("v1")));
	put_own(m, &made, "kind", cel_string(BH_SLICE_LIT("Pod")));
	put_own(m, &made, "metadata", metadata_of(m, at, row));
	put_own(m, &made, "spec", spec);
	struct cel_value pod = end(m, &made);
	return m->failed ? 0 : kube_set_add_pod(m->set, m->of, pod, is_part(row->shape), err);
}

/* ---- the way ---- */

static struct bh_slice add_label(struct maker *m, struct bh_slice before, struct bh_slice more)
{
	const char *label = bh_arena_printf(m->arena, "%.*s%s%.*s", BH_SLICE_FMT(bh_slice_sub(before, 0, LABEL_BYTES_MAX)), before.len ? "-" : "",
					    BH_SLICE_FMT(bh_slice_sub(more, 0, LABEL_BYTES_MAX)));
	m->failed |= !label;
	return bh_slice_str(label ? label : "");
}

/* What an element is called: its name, or its number. */
static struct bh_slice element_label(struct maker *m, struct cel_value element, size_t i, struct bh_slice before)
{
	char number[32];
	struct bh_slice name = kube_text(element, "name");
	if (name.len == 0)
		name = kube_text(element, "groupName");
	if (name.len == 0)
		name = kube_text(element, "replica");
	if (name.len == 0)
		name = (struct bh_slice){ (const uint8_t *)number, (size_t)snprintf(number, sizeof(number), "%zu", i) };
	return add_label(m, before, name);
}

/* The paths are at most as deep as custom_podspecs.c lets them be, so this ends. */
static int follow(struct maker *m, struct spot at, const char *path, const struct podspec *row, struct bh_err *err)
{
	char field[FIELD_BYTES_MAX];
	size_t n = strcspn(path, ".[{");
	int rc = 0;
	if (m->failed)
		return 0;
	if (*path == '\0')
		return add_pod(m, &at, row, err);
	if (*path == '[') {
		for (size_t i = 0; rc == 0 && i < kube_length(at.value); i++) {
			struct cel_value item = at.value.list->items[i];
			rc = follow(m, (struct spot){ item, at.outer, element_label(m, item, i, at.label) }, path + 2 + (path[2] == '.'), row, err);
		}
		return rc;
	}
	if (*path == '{') {
		for (size_t i = 0; rc == 0 && at.value.kind == CEL_MAP && i < at.value.map->len; i++) {
			const struct cel_entry *e = &at.value.map->entries[i];
			struct bh_slice label = add_label(m, at.label, e->key.kind == CEL_STRING ? e->key.text : (struct bh_slice){ 0 });
			rc = follow(m, (struct spot){ e->value, at.outer, label }, path + 2 + (path[2] == '.'), row, err);
		}
		return rc;
	}
	if (n >= sizeof(field))
		return 0;
	memcpy(field, path, n);
	field[n] = '\0';
	return follow(m, (struct spot){ kube_get(at.value, field), at.value, at.label }, path + n + (path[n] == '.'), row, err);
}

static int add_pods_of(struct kube_set *set, const struct kube_object *o, const struct podspec *row, struct bh_err *err)
{
	struct maker m = { .set = set, .of = o, .tree = (struct kube_tree *)(uintptr_t)o->tree, .arena = kube_set_arena(set) };
	int rc = follow(&m, (struct spot){ .value = o->value }, row->path, row, err);
	return rc == 0 && m.failed ? bh_fail(err, BH_ELIMIT, 0, "the pods of custom resources need more memory than there is for manifests") : rc;
}

static int add_pods(struct kube_set *set, const struct podspecs *rows, struct bh_err *err)
{
	const struct kube_object_vec *all = kube_set_objects(set);
	size_t n = all->len; /* the pods come behind */
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct kube_object o = all->ptr[i]; /* a copy: the vector grows */
		for (const struct podspec *row = o.is_made || o.group.len == 0 ? NULL : podspecs_of(rows, o.group); rc == 0 && row; row = row->next)
			if (bh_slice_eq(row->kind, o.kind))
				rc = add_pods_of(set, &o, row, err);
		if (o.tree && !o.tree->is_sorted && (i + 1 == n || all->ptr[i + 1].tree != o.tree))
			kube_tree_sort((struct kube_tree *)(uintptr_t)o.tree);
	}
	return rc;
}

int kube_add_custom_pods(struct kube_set *set, struct bh_err *err)
{
	struct podspecs rows;
	int rc = podspecs_init(&rows, kube_set_objects(set), err);
	rc = rc < 0 ? rc : add_pods(set, &rows, err);
	podspecs_done(&rows);
	return rc;
}
