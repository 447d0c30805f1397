#include "kube/import.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_BYTES_MAX (256u << 20)
#define MADE_MAX 100000u
#define NOTES_MAX 10000u
#define NOTE_BYTES_MAX 1024u
#define PATH_BYTES_MAX 4096u
#define PLACES_MAX 20000u /* of a document: beyond, what is made of it has no lines, since each is looked for among all */

/* ---- the table ---- */

static const struct {
	const char *group, *kind;
	import_function *import;
} importers[] = {
#define IMPORTER(group, kind, function) { group, kind, function },
#include "kube/import.def"
#undef IMPORTER
};

static import_function *importer_of(const struct kube_object *o)
{
	for (size_t i = 0; i < sizeof(importers) / sizeof(importers[0]); i++)
		if (bh_slice_eq_str(o->group, importers[i].group) && (importers[i].kind[0] == '*' || bh_slice_eq_str(o->kind, importers[i].kind)))
			return importers[i].import;
	return NULL;
}

bool import_knows(const struct kube_object *o)
{
	return importer_of(o) != NULL;
}

bool import_is_template(const struct kube_object *made)
{
	return made->is_made && bh_slice_starts(made->name, BH_SLICE_LIT("ConstraintTemplate "));
}

const char *import_hint(const struct kube_object *made, struct bh_slice why)
{
	bool is_kyvernos = made->is_made && !import_is_template(made);
	return is_kyvernos && bh_slice_search(why, "undeclared reference") ? "\nKyverno's own functions are not supported, only plain CEL" : NULL;
}

void import_init(struct import *im)
{
	*im = (struct import){ .made = { .max = MADE_MAX }, .notes = { .max = NOTES_MAX } };
	bh_arena_init(&im->arena, ARENA_BYTES_MAX);
	bh_map_init(&im->templates, MADE_MAX);
}

void import_done(struct import *im)
{
	kube_object_vec_done(&im->made);
	import_note_vec_done(&im->notes);
	bh_map_done(&im->templates);
	kube_world_done(&im->trusted);
	bh_arena_done(&im->arena);
}

static bool is_template(const struct kube_object *o)
{
	return bh_slice_eq_str(o->kind, "ConstraintTemplate");
}

/* Templates first: constraints ask for theirs. */
int import_all(struct import *im, const struct kube_object_vec *policies, const struct kube_world *world, struct bh_err *err)
{
	im->world = world;
	kube_world_done(&im->trusted);
	int rc = kube_world_init(&im->trusted, policies, err);
	if (rc < 0)
		return rc;
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; !im->failed && i < policies->len; i++) {
			import_function *f = importer_of(&policies->ptr[i]);
			if (f && is_template(&policies->ptr[i]) == (round == 0))
				f(im, &policies->ptr[i]);
		}
	return im->failed ? bh_fail(err, BH_ELIMIT, 0, "the policies of other engines need more than %u MiB", ARENA_BYTES_MAX >> 20) : 0;
}

void import_nothing(struct import *im, const struct kube_object *o)
{
	(void)im;
	(void)o;
}

void import_unsupported(struct import *im, const struct kube_object *o)
{
	import_tell(im, o, NULL, NULL, "%.*s of %.*s is not supported", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->group));
}

/* ---- what importers use ---- */

static uint32_t line_of(const struct kube_object *o, const struct cel_map *map, const char *field)
{
	struct bh_buf path;
	bh_buf_init(&path, PATH_BYTES_MAX);
	uint32_t line = map ? kube_tree_find(o->tree, map, bh_slice_str(field), &path) : 0;
	bh_buf_done(&path);
	return line && o->line ? line : o->line;
}

void import_tell(struct import *im, const struct kube_object *o, const struct cel_map *map, const char *field, const char *fmt, ...)
{
	char text[NOTE_BYTES_MAX];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	struct import_note note = { .object = o, .line = line_of(o, map, field) };
	if (im->notes.len >= NOTES_MAX)
		im->failed = true;
	const char *whole = bh_arena_printf(&im->arena, "policy %.*s %.*s: %s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->name), text);
	note.text = bh_slice_str(whole);
	im->failed |= !whole || !import_note_vec_push(&im->notes, note);
}

struct import_map import_map(struct import *im)
{
	struct import_map m = { .im = im, .entries = bh_arena_array(&im->arena, IMPORT_FIELDS_MAX, sizeof(struct cel_entry)) };
	im->failed |= !m.entries;
	return m;
}

void import_set(struct import_map *m, const char *field, struct cel_value v)
{
	if (v.kind != CEL_NULL && m->entries && m->n < IMPORT_FIELDS_MAX)
		m->entries[m->n++] = (struct cel_entry){ cel_string(bh_slice_str(field)), v };
}

struct cel_value import_end(struct import_map *m)
{
	struct cel_value v = m->entries ? cel_map_of(&m->im->arena, m->entries, m->n) : cel_null();
	m->im->failed |= v.kind != CEL_MAP;
	return v.kind == CEL_MAP ? v : cel_null();
}

struct cel_value import_string(const char *text)
{
	return cel_string(bh_slice_str(text));
}

struct cel_value import_copy(struct import *im, struct bh_slice text)
{
	struct bh_slice copy = { 0 };
	im->failed |= !bh_arena_copy(&im->arena, text, &copy);
	return cel_string(copy);
}

struct cel_value import_list(struct import *im, const struct cel_value *items, size_t n)
{
	struct cel_value *copy = bh_arena_array(&im->arena, n + 1, sizeof(*copy));
	if (copy && n)
		memcpy(copy, items, n * sizeof(*copy));
	struct cel_value v = copy ? cel_list_of(&im->arena, copy, n) : cel_null();
	im->failed |= v.kind != CEL_LIST;
	return v.kind == CEL_LIST ? v : cel_null();
}

struct cel_value import_one(struct import *im, struct cel_value item)
{
	return import_list(im, &item, 1);
}

struct cel_value import_any(struct import *im)
{
	return import_one(im, import_string("*"));
}

struct cel_value import_expression(struct import *im, const char *name, const char *expression)
{
	struct import_map m = import_map(im);
	import_set(&m, "name", import_string(name));
	import_set(&m, "expression", import_string(expression));
	return import_end(&m);
}

struct cel_value import_rule(struct import *im, struct cel_value operations, const char *scope)
{
	struct import_map m = import_map(im);
	import_set(&m, "apiGroups", import_any(im));
	import_set(&m, "apiVersions", import_any(im));
	import_set(&m, "resources", import_any(im));
	import_set(&m, "operations", operations);
	import_set(&m, "scope", import_string(scope));
	return import_end(&m);
}

void import_place(struct import *im, const struct kube_object *o, const struct cel_map *at, struct cel_value made)
{
	/* The tree belongs to the set that the policies were read into, which nobody else reads meanwhile. */
	struct kube_tree *tree = (struct kube_tree *)(uintptr_t)o->tree;
	if (made.kind == CEL_MAP && tree->places.len < PLACES_MAX)
		im->failed |= !kube_tree_same_place(tree, at, made.map);
}

void import_quote(struct bh_buf *b, struct bh_slice text)
{
	bh_buf_add_byte(b, '\'');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c < 0x20)
			bh_buf_printf(b, "\\x%02x", c);
		else if (c == '\'' || c == '\\')
			bh_buf_printf(b, "\\%c", c);
		else
			bh_buf_add_byte(b, c);
	}
	bh_buf_add_byte(b, '\'');
}

struct cel_value import_metadata(struct import *im, const struct kube_object *from, struct bh_slice id, struct bh_slice severity)
{
	static const char *const kept[] = { "bulkhead.io/fix", "bulkhead.io/kubernetes", "bulkhead.io/severity" };
	const struct cel_value own = kube_path(from->value, "metadata.annotations");
	struct import_map labels = import_map(im), annotations = import_map(im), metadata = import_map(im);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		import_set(&annotations, kept[i], kube_get(own, kept[i]));
	if (severity.len && kube_get(own, "bulkhead.io/severity").kind == CEL_NULL)
		import_set(&annotations, "bulkhead.io/severity", cel_string(severity));
	import_set(&labels, "bulkhead.io/check", cel_string(id));
	import_set(&metadata, "labels", import_end(&labels));
	import_set(&metadata, "annotations", import_end(&annotations));
	return import_end(&metadata);
}

void import_add(struct import *im, const struct kube_object *from, const char *api_version, const char *kind, struct bh_slice name,
		struct import_map *fields)
{
	struct kube_object o = *from;
	o.value = import_end(fields);
	o.is_made = true;
	o.api_version = bh_slice_str(api_version ? api_version : "admissionregistration.k8s.io/v1");
	o.kind = bh_slice_str(kind);
	o.name = name;
	o.namespace = (struct bh_slice){ 0 };
	(void)bh_slice_cut(o.api_version, '/', &o.group, &o.version);
	im->failed |= o.value.kind != CEL_MAP || !kube_object_vec_push(&im->made, o);
}
