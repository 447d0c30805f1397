#include "serverless/build.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/vec.h"

#define NAME_BYTES_MAX 128u
#define TEXT_BYTES_MAX 4096u

/* ---- reading ---- */

static struct cel_value resolved(struct fn_doc *doc, struct cel_value v)
{
	return doc->resolve ? doc->resolve(doc, v) : v;
}

struct fn_from fn_root(struct fn_doc *doc)
{
	return (struct fn_from){ .value = doc->root, .map = doc->root.kind == CEL_MAP ? doc->root.map : NULL };
}

struct fn_from fn_field(struct fn_doc *doc, struct fn_from of, struct bh_slice field)
{
	if (of.value.kind == CEL_UNKNOWN)
		return of;
	if (of.value.kind != CEL_MAP)
		return (struct fn_from){ .value = cel_null() };
	const struct cel_value *v = cel_map_field(of.value.map, field);
	return (struct fn_from){ v ? resolved(doc, *v) : cel_null(), of.value.map, field };
}

struct fn_from fn_path(struct fn_doc *doc, struct fn_from of, const char *path)
{
	struct bh_slice rest = bh_slice_str(path), name;
	while (rest.len) {
		(void)bh_slice_cut(rest, '.', &name, &rest);
		of = fn_field(doc, of, name);
	}
	return of;
}

struct fn_from fn_first(struct fn_from a, struct fn_from b)
{
	return fn_has(a) ? a : b;
}

struct cel_value fn_item(struct fn_doc *doc, struct cel_value list, size_t i)
{
	return list.kind == CEL_LIST && i < list.list->len ? resolved(doc, list.list->items[i]) : cel_null();
}

size_t fn_len(struct cel_value v)
{
	return v.kind == CEL_LIST ? v.list->len : v.kind == CEL_MAP ? v.map->len : 0;
}

struct bh_slice fn_key(struct cel_value map, size_t i)
{
	return map.kind == CEL_MAP && i < map.map->len && map.map->entries[i].key.kind == CEL_STRING ? map.map->entries[i].key.text : (struct bh_slice){ 0 };
}

static struct cel_value as_text(struct fn_doc *doc, struct cel_value v)
{
	if (v.kind == CEL_INT)
		return fn_text(doc, "%lld", (long long)v.integer);
	if (v.kind == CEL_BOOL)
		return cel_string(v.boolean ? BH_SLICE_LIT("true") : BH_SLICE_LIT("false"));
	return v.kind == CEL_STRING ? v : cel_unknown();
}

struct cel_value fn_texts(struct fn_doc *doc, struct cel_value v)
{
	struct fn_list out = { .doc = doc };
	if (v.kind == CEL_UNKNOWN)
		return v;
	if (v.kind != CEL_LIST && v.kind != CEL_NULL && v.kind != CEL_ERROR)
		fn_add(&out, as_text(doc, v));
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++) {
		struct cel_value item = fn_item(doc, v, i);
		if (item.kind != CEL_NULL) /* AWS::NoValue */
			fn_add(&out, as_text(doc, item));
	}
	return fn_list_end(&out);
}

/* ---- making ---- */

struct cel_value fn_text(struct fn_doc *doc, const char *fmt, ...)
{
	char text[TEXT_BYTES_MAX];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	struct bh_slice out;
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	if (!bh_arena_copy(doc->arena, (struct bh_slice){ (const uint8_t *)text, len }, &out)) {
		doc->failed = true;
		return cel_null();
	}
	return cel_string(out);
}

/* Room for one more of what lies in the arena; old copies stay behind, half as large each time. */
static void *room(struct fn_doc *doc, void *old, size_t n, size_t cap, size_t item_bytes)
{
	void *more = bh_arena_array(doc->arena, cap, item_bytes);
	if (!more)
		doc->failed = true;
	else if (n)
		memcpy(more, old, n * item_bytes);
	return more;
}

struct fn_map fn_map_at(struct fn_doc *doc, struct fn_from whole)
{
	return (struct fn_map){ .doc = doc, .whole = whole };
}

/* A name counts once: what is set first stays. */
static bool has_name(const struct fn_map *m, struct bh_slice name)
{
	for (size_t i = 0; i < m->n; i++)
		if (name.ptr && bh_slice_eq(m->entries[i].key.text, name))
			return true;
	return false;
}

static void set_named(struct fn_map *m, struct bh_slice name, struct cel_value v, struct fn_from from)
{
	if (v.kind == CEL_NULL || v.kind == CEL_ERROR || m->doc->failed || has_name(m, name))
		return;
	if (m->n == m->cap) {
		size_t cap = m->cap * 2 + 8;
		struct cel_entry *entries = room(m->doc, m->entries, m->n, cap, sizeof(*entries));
		struct fn_from *froms = room(m->doc, m->froms, m->n, cap, sizeof(*froms));
		if (m->doc->failed)
			return;
		m->entries = entries;
		m->froms = froms;
		m->cap = cap;
	}
	m->entries[m->n] = (struct cel_entry){ cel_string(name), v };
	m->froms[m->n++] = from;
}

void fn_set(struct fn_map *m, const char *name, struct cel_value v)
{
	set_named(m, bh_slice_str(name), v, (struct fn_from){ .value = v });
}

void fn_put(struct fn_map *m, const char *name, struct fn_from from)
{
	set_named(m, bh_slice_str(name), from.value, from);
}

void fn_put_whole(struct fn_map *m, const char *name, struct fn_from from)
{
	bool is_open = from.value.kind == CEL_STRING && bh_slice_search(from.value.text, "${") != NULL;
	set_named(m, bh_slice_str(name), is_open ? cel_unknown() : from.value, from);
}

void fn_put_as(struct fn_map *m, const char *name, struct cel_value v, struct fn_from from)
{
	set_named(m, bh_slice_str(name), v, from);
}

void fn_put_number(struct fn_map *m, const char *name, struct fn_from from)
{
	uint64_t n;
	struct cel_value v = from.value;
	if (v.kind == CEL_STRING)
		v = bh_slice_u64(v.text, INT64_MAX, &n) ? cel_int((int64_t)n) : cel_unknown();
	fn_put_as(m, name, v, from);
}

static void alias(struct fn_map *m, const void *at, struct bh_slice field, struct fn_from from)
{
	struct kube_alias a = { .at = at, .field = field, .to = from.map, .to_field = from.field };
	if (from.map && !kube_tree_alias(m->doc->d->tree, a))
		m->doc->failed = true;
}

struct cel_value fn_map_end(struct fn_map *m)
{
	struct cel_value v = cel_map_of(m->doc->arena, m->entries, m->n);
	if (v.kind != CEL_MAP) {
		m->doc->failed = true;
		return cel_null();
	}
	alias(m, v.map, (struct bh_slice){ 0 }, m->whole);
	for (size_t i = 0; i < m->n; i++)
		alias(m, v.map, m->entries[i].key.text, m->froms[i]);
	return v;
}

void fn_add(struct fn_list *l, struct cel_value v)
{
	if (l->doc->failed)
		return;
	if (l->n == l->cap) {
		size_t cap = l->cap * 2 + 4;
		struct cel_value *items = room(l->doc, l->items, l->n, cap, sizeof(*items));
		if (!items)
			return;
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = v;
}

struct cel_value fn_list_end(struct fn_list *l)
{
	struct cel_value v = cel_list_of(l->doc->arena, l->items, l->n);
	if (v.kind == CEL_LIST)
		return v;
	l->doc->failed = true;
	return cel_null();
}

struct cel_value fn_environment(struct fn_doc *doc, struct fn_from of)
{
	struct fn_map out = fn_map_at(doc, of);
	if (of.value.kind != CEL_MAP)
		return of.value;
	for (size_t i = 0; i < of.value.map->len; i++) {
		struct bh_slice name = fn_key(of.value, i);
		if (!name.ptr) /* no text */
			continue;
		struct fn_from from = fn_field(doc, of, name);
		struct cel_value text = as_text(doc, from.value);
		/* Whatever it will be, it does not stand in this text. */
		set_named(&out, name, text.kind == CEL_UNKNOWN ? cel_string(BH_SLICE_LIT("${...}")) : text, from);
	}
	return fn_map_end(&out);
}

void fn_finish(struct fn_map *spec, struct bh_slice name, struct bh_slice namespace, struct fn_from whole)
{
	struct fn_doc *doc = spec->doc;
	struct bh_err err = { 0 };
	struct fn_map metadata = fn_map_at(doc, whole), object = fn_map_at(doc, whole);
	fn_set(&metadata, "name", cel_string(name));
	if (namespace.len)
		fn_set(&metadata, "namespace", cel_string(namespace));
	fn_set(&object, "apiVersion", cel_string(BH_SLICE_LIT("bulkhead.io/v1")));
	fn_set(&object, "kind", cel_string(BH_SLICE_LIT("Function")));
	fn_set(&object, "metadata", fn_map_end(&metadata));
	fn_set(&object, "spec", fn_map_end(spec));
	struct cel_value v = fn_map_end(&object);
	if (!doc->failed && kube_set_add(doc->d, v, &err) < 0)
		doc->failed = true;
}

struct cel_value fn_json(struct fn_doc *doc, struct bh_slice text)
{
	struct kube_tree *tree = NULL;
	struct bh_err err = { 0 };
	return kube_set_parse(doc->d->set, text, &tree, &err) == 0 ? tree->root : cel_unknown();
}

/* ---- statements ---- */

/* Principal: "*", or {AWS: [...], Service: ...}: all texts of it. */
static struct cel_value principals(struct fn_doc *doc, struct cel_value v)
{
	struct fn_list out = { .doc = doc };
	if (v.kind != CEL_MAP)
		return fn_texts(doc, v);
	for (size_t i = 0; i < v.map->len; i++) {
		struct cel_value texts = fn_texts(doc, doc->resolve ? doc->resolve(doc, v.map->entries[i].value) : v.map->entries[i].value);
		if (texts.kind == CEL_UNKNOWN)
			fn_add(&out, texts);
		for (size_t k = 0; k < fn_len(texts); k++)
			fn_add(&out, texts.list->items[k]);
	}
	return fn_list_end(&out);
}

static struct cel_value statement(struct fn_doc *doc, struct fn_from s)
{
	static const struct {
		const char *name, *field;
	} fields[] = { { "actions", "Action" }, { "notActions", "NotAction" }, { "resources", "Resource" }, { "notResources", "NotResource" } };
	struct fn_map out = fn_map_at(doc, s);
	fn_put(&out, "effect", fn_path(doc, s, "Effect"));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct fn_from from = fn_path(doc, s, fields[i].field);
		fn_put_as(&out, fields[i].name, fn_texts(doc, from.value), from.map ? from : s);
	}
	struct fn_from principal = fn_path(doc, s, "Principal");
	fn_put_as(&out, "principals", principals(doc, principal.value), principal);
	fn_put_as(&out, "conditional", cel_bool(fn_has(fn_path(doc, s, "Condition"))), s);
	return fn_map_end(&out);
}

void fn_statements(struct fn_doc *doc, struct fn_from statements, struct fn_list *out)
{
	if (statements.value.kind == CEL_UNKNOWN)
		fn_add(out, cel_unknown());
	else if (statements.value.kind == CEL_MAP)
		fn_add(out, statement(doc, statements));
	for (size_t i = 0; statements.value.kind == CEL_LIST && i < statements.value.list->len; i++) {
		struct cel_value s = fn_item(doc, statements.value, i);
		if (s.kind == CEL_MAP)
			fn_add(out, statement(doc, (struct fn_from){ .value = s, .map = s.map }));
		else if (s.kind == CEL_UNKNOWN)
			fn_add(out, s);
	}
}
