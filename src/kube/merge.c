#include "kube/merge.h"


#define DEPTH_MAX 128u      /* of values: a document is flatter */
#define KEYS_MAX 4u         /* of an element: status.devices of a ResourceClaim has the most */
#define PAIRINGS_MAX 25000000u /* comparisons of the elements of two lists */
#define PATH_BYTES_MAX 4096u
#define ATOMICS_BYTES_MAX 1024u

enum shape { SHAPE_SCALAR, SHAPE_RECORD, SHAPE_MAP, SHAPE_LIST, SHAPE_ANY };

struct merger {
	const struct kube_schema *schema;
	struct bh_arena *arena;
	struct bh_buf path;    /* of what is looked at: ".spec.containers[0].name" */
	struct bh_buf atomics; /* paths of what can't be merged */
	struct bh_err *err;
};

static int no_memory(struct merger *m)
{
	return bh_fail(m->err, BH_ENOMEM, 0, "merging an apply configuration uses up the memory for it");
}

static int refuse(struct merger *m, const char *why)
{
	return bh_fail(m->err, BH_EMALFORMED, 0, "%.*s: %s", BH_SLICE_FMT(bh_buf_slice(&m->path)), why);
}

/* ---- types ---- */

static enum shape shape_of(const struct merger *m, const struct kube_type *t, bool *ret_is_atomic)
{
	bool type_is_atomic;
	*ret_is_atomic = bh_slice_eq_str(t->merge, "atomic");
	if (bh_slice_eq_str(t->text, "any") || bh_slice_eq_str(t->text, "object"))
		return SHAPE_ANY;
	switch (t->text.len ? t->text.ptr[0] : 0) {
	case '[': *ret_is_atomic |= t->merge.len == 0; return SHAPE_LIST;
	case '{': return SHAPE_MAP;
	default: break;
	}
	if (!kube_schema_has_fields(m->schema, t, &type_is_atomic))
		return SHAPE_SCALAR;
	*ret_is_atomic |= type_is_atomic && !bh_slice_eq_str(t->merge, "granular");
	return SHAPE_RECORD;
}

/* What nothing is known of goes by the value: maps key by key, lists as a whole. */
static enum shape shape_for(const struct merger *m, const struct kube_type *t, struct cel_value v, bool *ret_is_atomic)
{
	enum shape shape = shape_of(m, t, ret_is_atomic);
	if (shape != SHAPE_ANY)
		return shape;
	*ret_is_atomic |= v.kind == CEL_LIST;
	return v.kind == CEL_MAP ? SHAPE_MAP : v.kind == CEL_LIST ? SHAPE_LIST : SHAPE_SCALAR;
}

/* Of the elements of a list or map. */
static struct kube_type element_of(const struct kube_type *t)
{
	bool is_known = t->text.len && (t->text.ptr[0] == '[' || t->text.ptr[0] == '{');
	return (struct kube_type){ .text = is_known ? bh_slice_sub(t->text, 1, t->text.len) : BH_SLICE_LIT("any") };
}

static bool field_type(const struct merger *m, const struct kube_type *t, enum shape shape, struct bh_slice name, struct kube_type *ret)
{
	if (shape == SHAPE_RECORD)
		return kube_schema_field(m->schema, t, name, ret);
	*ret = element_of(t);
	return true;
}

/* ---- is the patch one? ---- */

static int check_scalar(struct merger *m, const struct kube_type *t, struct cel_value v)
{
	bool is_number = v.kind == CEL_INT || v.kind == CEL_DOUBLE;
	if (v.kind == CEL_NULL)
		return 0;
	if (bh_slice_eq_str(t->text, "int") || bh_slice_eq_str(t->text, "number"))
		return is_number ? 0 : refuse(m, "a number was expected");
	if (bh_slice_eq_str(t->text, "bool"))
		return v.kind == CEL_BOOL ? 0 : refuse(m, "a boolean was expected");
	if (bh_slice_eq_str(t->text, "string") || bh_slice_starts(t->text, BH_SLICE_LIT("=")))
		return v.kind == CEL_STRING ? 0 : refuse(m, "a text was expected");
	return is_number || v.kind == CEL_STRING || v.kind == CEL_BOOL ? 0 : refuse(m, "a text, a number or a boolean was expected");
}

static int check(struct merger *m, const struct kube_type *t, struct cel_value v, bool in_map, unsigned depth);

static int check_members(struct merger *m, const struct kube_type *t, enum shape shape, const struct cel_map *map, bool in_map, unsigned depth)
{
	size_t before = m->path.len;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < map->len; i++) {
		struct kube_type field;
		bh_buf_add_byte(&m->path, '.');
		bh_buf_add(&m->path, map->entries[i].key.text);
		rc = field_type(m, t, shape, map->entries[i].key.text, &field) ? check(m, &field, map->entries[i].value, in_map || shape == SHAPE_MAP, depth + 1) :
										 refuse(m, "field not declared in schema");
		m->path.len = before;
	}
	return rc;
}

static int check_elements(struct merger *m, const struct kube_type *t, const struct cel_list *list, bool in_map, unsigned depth)
{
	const struct kube_type element = element_of(t);
	size_t before = m->path.len;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < list->len; i++) {
		bh_buf_printf(&m->path, "[%zu]", i);
		rc = check(m, &element, list->items[i], in_map, depth + 1);
		m->path.len = before;
	}
	return rc;
}

/* Types and fields; notes what is atomic. In maps the server does not look for that, `in_map` says so. */
static int check(struct merger *m, const struct kube_type *t, struct cel_value v, bool in_map, unsigned depth)
{
	bool is_atomic;
	enum shape shape = shape_for(m, t, v, &is_atomic);
	if (depth > DEPTH_MAX)
		return bh_fail(m->err, BH_ELIMIT, 0, "an apply configuration is deeper than %u levels", DEPTH_MAX);
	if (is_atomic && !in_map && (v.kind == CEL_MAP || v.kind == CEL_LIST)) {
		bh_buf_add_str(&m->atomics, m->atomics.len ? ", " : "");
		bh_buf_add(&m->atomics, bh_buf_slice(&m->path));
	}
	if (shape == SHAPE_SCALAR)
		return check_scalar(m, t, v);
	if (v.kind == CEL_NULL)
		return 0;
	if (shape == SHAPE_LIST)
		return v.kind == CEL_LIST ? check_elements(m, t, v.list, in_map, depth) : refuse(m, "a list was expected");
	return v.kind == CEL_MAP ? check_members(m, t, shape, v.map, in_map, depth) : refuse(m, "a map was expected");
}

/* ---- merging ---- */

/* What comes out: nothing (the field goes), or a value. */
struct outcome {
	bool is_there;
	struct cel_value value;
};

static int merge(struct merger *m, const struct kube_type *t, const struct cel_value *live, const struct cel_value *patch, unsigned depth, struct outcome *ret);

static bool is_empty(const struct cel_value *v)
{
	return !v || v->kind == CEL_NULL || (v->kind == CEL_MAP && v->map->len == 0) || (v->kind == CEL_LIST && v->list->len == 0);
}

static int merge_maps(struct merger *m, const struct kube_type *t, enum shape shape, const struct cel_value *live, const struct cel_map *patch, unsigned depth,
		      struct outcome *ret)
{
	const struct cel_map *old = live && live->kind == CEL_MAP ? live->map : NULL;
	size_t n = 0, n_old = old ? old->len : 0;
	struct cel_entry *entries = bh_arena_array(m->arena, n_old + patch->len + 1, sizeof(*entries));
	int rc = entries ? 0 : no_memory(m);
	for (size_t i = 0; rc == 0 && i < n_old + patch->len; i++) {
		const struct cel_entry *e = i < n_old ? &old->entries[i] : &patch->entries[i - n_old];
		const struct cel_value *now = cel_map_get(patch, e->key);
		struct outcome out = { true, e->value };
		struct kube_type field;
		if (i >= n_old && old && cel_map_get(old, e->key))
			continue; /* done with the old ones */
		if (now && field_type(m, t, shape, e->key.text, &field))
			rc = merge(m, &field, i < n_old ? &e->value : NULL, now, depth + 1, &out);
		if (rc == 0 && out.is_there)
			entries[n++] = (struct cel_entry){ e->key, out.value };
	}
	if (rc < 0)
		return rc;
	*ret = (struct outcome){ true, cel_map_of(m->arena, entries, n) };
	return cel_is_known(ret->value) ? 0 : no_memory(m);
}

/* ---- lists whose elements have keys ---- */

struct key {
	struct cel_value parts[KEYS_MAX];
	bool is_twice; /* another element of the list has it, too */
};

/* "" and 0 are what a key is that is left out. */
static struct cel_value normal(struct cel_value v)
{
	return cel_is_zero(v) ? cel_null() : v;
}

/* "containerPort,protocol=TCP"; "set" */
static int key_of(struct merger *m, struct bh_slice merge_text, struct cel_value element, struct key *ret)
{
	struct bh_slice one, rest = merge_text;
	*ret = (struct key){ 0 };
	for (size_t i = 0; i < KEYS_MAX; i++)
		ret->parts[i] = cel_null();
	if (bh_slice_eq_str(merge_text, "set")) {
		ret->parts[0] = element;
		return element.kind == CEL_MAP || element.kind == CEL_LIST || element.kind == CEL_NULL ? refuse(m, "a set has elements that are no scalars") : 0;
	}
	if (element.kind != CEL_MAP)
		return refuse(m, "an element of a list with keys is no map");
	for (size_t i = 0; rest.len && i < KEYS_MAX; i++) {
		struct bh_slice name, standard;
		(void)bh_slice_cut(rest, ',', &one, &rest);
		bool has_standard = bh_slice_cut(one, '=', &name, &standard);
		const struct cel_value *v = cel_map_field(element.map, name);
		if (v)
			ret->parts[i] = normal(*v);
		else if (has_standard)
			ret->parts[i] = cel_string(standard);
	}
	return 0;
}

static bool same_key(const struct key *a, const struct key *b)
{
	for (size_t i = 0; i < KEYS_MAX; i++)
		if (!cel_equal(a->parts[i], b->parts[i]))
			return false;
	return true;
}

#define NONE SIZE_MAX

struct keyed {
	struct cel_value *items; /* a copy */
	struct key *keys;
	size_t n;
};

static size_t find(const struct keyed *in, const struct key *key)
{
	for (size_t i = 0; i < in->n; i++)
		if (same_key(&in->keys[i], key))
			return i;
	return NONE;
}

static int read_keys(struct merger *m, const struct kube_type *t, const struct cel_value *list, bool may_repeat, struct keyed *ret)
{
	size_t n = list && list->kind == CEL_LIST ? list->list->len : 0;
	int rc = 0;
	*ret = (struct keyed){ bh_arena_array(m->arena, n + 1, sizeof(*ret->items)), bh_arena_array(m->arena, n + 1, sizeof(*ret->keys)), 0 };
	if (!ret->items || !ret->keys)
		return no_memory(m);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct key key;
		rc = key_of(m, t->merge, list->list->items[i], &key);
		size_t other = rc == 0 ? find(ret, &key) : NONE;
		key.is_twice = other != NONE;
		if (key.is_twice && !may_repeat)
			rc = refuse(m, "two elements have the same key");
		if (key.is_twice)
			ret->keys[other].is_twice = true;
		ret->items[ret->n] = list->list->items[i];
		ret->keys[ret->n++] = key;
	}
	return rc;
}

/* The order of both: elements that only the object has stay before the next one that both have, as structured-merge-diff does it. */
struct zip {
	struct merger *m;
	struct kube_type element;
	struct keyed live, patch;
	size_t *shared, n_shared, at_shared; /* indexes into patch of what both have */
	bool *is_done;                       /* of the patch: merged already */
	struct cel_value *out;
	size_t n_out;
	unsigned depth;
};

static bool is_next_shared(const struct zip *z, const struct key *key)
{
	return z->at_shared < z->n_shared && same_key(&z->patch.keys[z->shared[z->at_shared]], key);
}

/* Of an element that the object has twice nothing is taken over. */
static int take_patch(struct zip *z, size_t at)
{
	size_t old = find(&z->live, &z->patch.keys[at]);
	struct outcome out;
	const struct cel_value *live = old == NONE || z->live.keys[old].is_twice ? NULL : &z->live.items[old];
	int rc = merge(z->m, &z->element, live, &z->patch.items[at], z->depth + 1, &out);
	z->is_done[at] = true;
	if (rc == 0 && out.is_there)
		z->out[z->n_out++] = out.value;
	if (is_next_shared(z, &z->patch.keys[at]))
		z->at_shared++;
	return rc;
}

static int zip(struct zip *z)
{
	size_t l = 0, r = 0;
	int rc = 0;
	while (rc == 0 && (l < z->live.n || r < z->patch.n)) {
		size_t in_patch = l < z->live.n ? find(&z->patch, &z->live.keys[l]) : NONE;
		if (l < z->live.n && r < z->patch.n && in_patch == r) {
			rc = take_patch(z, r++);
			l++;
			continue;
		}
		if (l < z->live.n && r < z->patch.n && in_patch != NONE && z->at_shared < z->n_shared && !is_next_shared(z, &z->live.keys[l])) {
			l++; /* both have it, but it is not its turn */
			continue;
		}
		if (l < z->live.n && in_patch == NONE) {
			z->out[z->n_out++] = z->live.items[l++];
			continue;
		}
		if (l < z->live.n && z->is_done[in_patch])
			l++;
		if (r < z->patch.n)
			rc = take_patch(z, r++);
	}
	return rc;
}

static int merge_lists(struct merger *m, const struct kube_type *t, const struct cel_value *live, const struct cel_value *patch, unsigned depth,
		       struct outcome *ret)
{
	struct zip z = { .m = m, .element = element_of(t), .depth = depth };
	size_t n_live = live && live->kind == CEL_LIST ? live->list->len : 0, n_patch = patch->list->len;
	if (n_live + n_patch > 0 && n_live + n_patch > PAIRINGS_MAX / (n_live + n_patch))
		return bh_fail(m->err, BH_ELIMIT, 0, "a list is too long to merge it");
	int rc = read_keys(m, t, patch, false, &z.patch);
	rc = rc < 0 ? rc : read_keys(m, t, live, true, &z.live);
	z.shared = bh_arena_array(m->arena, n_patch + 1, sizeof(*z.shared));
	z.is_done = bh_arena_array(m->arena, n_patch + 1, sizeof(*z.is_done));
	z.out = bh_arena_array(m->arena, n_live + n_patch + 1, sizeof(*z.out));
	if (rc == 0 && (!z.shared || !z.is_done || !z.out))
		rc = no_memory(m);
	for (size_t i = 0; rc == 0 && i < n_patch; i++)
		if (find(&z.live, &z.patch.keys[i]) != NONE)
			z.shared[z.n_shared++] = i;
	rc = rc < 0 ? rc : zip(&z);
	if (rc < 0)
		return rc;
	*ret = (struct outcome){ true, cel_list_of(m->arena, z.out, z.n_out) };
	return cel_is_known(ret->value) ? 0 : no_memory(m);
}

/* ---- one value ---- */

/* Two empty ones, and what is atomic, are not looked into: the patch's counts, and null of it means that there is nothing. */
static int merge(struct merger *m, const struct kube_type *t, const struct cel_value *live, const struct cel_value *patch, unsigned depth, struct outcome *ret)
{
	bool is_atomic;
	enum shape shape = shape_for(m, t, patch->kind == CEL_NULL && live ? *live : *patch, &is_atomic);
	if (shape == SHAPE_SCALAR || is_atomic || (is_empty(live) && is_empty(patch))) {
		*ret = (struct outcome){ patch->kind != CEL_NULL, *patch };
		return 0;
	}
	if (patch->kind == CEL_NULL) {
		*ret = (struct outcome){ true, *live };
		return 0;
	}
	if (shape == SHAPE_LIST)
		return merge_lists(m, t, live, patch, depth, ret);
	return merge_maps(m, t, shape, live, patch->map, depth, ret);
}

/* The patch is of the object's own kind, whatever it says. */
static int without_kind(struct merger *m, struct cel_value *patch)
{
	struct cel_entry *entries = bh_arena_array(m->arena, patch->map->len + 1, sizeof(*entries));
	static const char *const names[] = { "apiVersion", "kind", NULL };
	size_t n = 0;
	if (!entries)
		return no_memory(m);
	for (size_t i = 0; i < patch->map->len; i++)
		if (!bh_slice_is_one_of(patch->map->entries[i].key.text, names))
			entries[n++] = patch->map->entries[i];
	*patch = cel_map_of(m->arena, entries, n);
	return cel_is_known(*patch) ? 0 : no_memory(m);
}

static int merge_root(struct merger *m, const struct kube_type *t, struct cel_value live, struct cel_value patch, struct cel_value *ret)
{
	struct outcome out = { true, live };
	int rc = without_kind(m, &patch);
	rc = rc < 0 ? rc : check(m, t, patch, false, 0);
	if (rc == 0 && m->atomics.len)
		return bh_fail(m->err, BH_EMALFORMED, 0, "may not mutate atomic arrays, maps or structs: %.*s", BH_SLICE_FMT(bh_buf_slice(&m->atomics)));
	rc = rc < 0 ? rc : merge(m, t, &live, &patch, 0, &out);
	if (rc == 0)
		*ret = out.value;
	return rc;
}

int kube_merge(const struct kube_schema *schema, struct bh_arena *arena, struct cel_value live, struct cel_value patch, struct cel_value *ret, struct bh_err *err)
{
	struct merger m = { .schema = schema, .arena = arena, .err = err };
	struct kube_type type;
	if (patch.kind != CEL_MAP || live.kind != CEL_MAP)
		return bh_fail(err, BH_EMALFORMED, 0, "an apply configuration is an object");
	bh_buf_init(&m.path, PATH_BYTES_MAX);
	bh_buf_init(&m.atomics, ATOMICS_BYTES_MAX);
	(void)kube_schema_type_of(schema, kube_text(live, "apiVersion"), kube_text(live, "kind"), &type);
	int rc = merge_root(&m, &type, live, patch, ret);
	bh_buf_done(&m.path);
	bh_buf_done(&m.atomics);
	return rc;
}
