#include "kube/objects.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "kube/origin.h"

#define PROBLEMS_MAX 10000u
#define TEXTS_MAX 200000u
#define CLAIMS_MAX 20000u
#define NAME_BYTES_MAX 128u
#define LISTS_DEPTH_MAX 4u /* Lists in Lists: kubectl makes one */
#define ORIGINS_MAX 200000u /* documents of a chart */
#define EXACT_PROBLEMS_MAX 100u /* whose lines are counted by parsing once more */

BH_VEC(yaml_vec, struct bh_yaml *)
BH_VEC(tree_vec, struct kube_tree *)

struct kube_set {
	struct bh_arena arena;
	struct kube_object_vec objects;
	struct kube_problem_vec problems;
	struct yaml_vec yamls;
	struct tree_vec trees;
	kube_foreigners foreigners;
	const struct kube_opener *opener;
	struct bh_map claims; /* documents of files: kube_set_claim */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the manifests are larger than the memory for them, or more than %u objects", KUBE_OBJECTS_MAX);
}

int kube_set_new(size_t memory_bytes, struct kube_set **ret, struct bh_err *err)
{
	struct kube_set *set = calloc(1, sizeof(*set));
	if (!set)
		return no_memory(err);
	bh_arena_init(&set->arena, memory_bytes);
	bh_map_init(&set->claims, CLAIMS_MAX);
	set->objects.max = KUBE_OBJECTS_MAX;
	set->problems.max = PROBLEMS_MAX;
	set->yamls.max = set->trees.max = TEXTS_MAX * 2;
	kube_set_foreigners(set, NULL);
	*ret = set;
	return 0;
}

void kube_set_free(struct kube_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->trees.len; i++)
		kube_tree_done(set->trees.ptr[i]);
	for (size_t i = 0; i < set->yamls.len; i++)
		bh_yaml_free(set->yamls.ptr[i]);
	bh_map_done(&set->claims);
	tree_vec_done(&set->trees);
	yaml_vec_done(&set->yamls);
	kube_object_vec_done(&set->objects);
	kube_problem_vec_done(&set->problems);
	bh_arena_done(&set->arena);
	free(set);
}

void kube_set_foreigners(struct kube_set *set, kube_foreigners foreigners)
{
	static const struct kube_foreign *const nobody[] = { NULL };
	set->foreigners = foreigners ? foreigners : nobody;
}

void kube_set_opener(struct kube_set *set, const struct kube_opener *opener)
{
	set->opener = opener;
}

const struct kube_opener *kube_set_opens(const struct kube_set *set)
{
	return set->opener;
}

const struct kube_object_vec *kube_set_objects(const struct kube_set *set)
{
	return &set->objects;
}

const struct kube_problem_vec *kube_set_problems(const struct kube_set *set)
{
	return &set->problems;
}

struct bh_arena *kube_set_arena(struct kube_set *set)
{
	return &set->arena;
}

/* ---- fields ---- */

struct cel_value kube_get(struct cel_value map, const char *field)
{
	const struct cel_value *v = map.kind == CEL_MAP ? cel_map_field(map.map, bh_slice_str(field)) : NULL;
	return v ? *v : cel_null();
}

struct cel_value kube_path(struct cel_value map, const char *path)
{
	char name[NAME_BYTES_MAX];
	while (*path) {
		size_t n = strcspn(path, ".");
		if (n >= sizeof(name))
			return cel_null();
		memcpy(name, path, n);
		name[n] = '\0';
		map = kube_get(map, name);
		path += n + (path[n] == '.');
	}
	return map;
}

struct bh_slice kube_text(struct cel_value map, const char *path)
{
	struct cel_value v = kube_path(map, path);
	return v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 };
}

/* ---- reading ---- */

struct reading {
	struct kube_set *set;
	struct bh_slice file;         /* or the template of the document */
	struct bh_slice text_name;    /* of what is read as a whole */
	struct kube_origin_vec origins;
	uint32_t document;
	uint32_t line_offset;
	struct bh_err *err;
};

/* What is said from now on is about the document that begins at the line. */
static int begin_document(struct reading *r, uint32_t line)
{
	r->document++;
	return kube_origin_at(&r->origins, r->text_name, line, &r->set->arena, &r->file) ? 0 : no_memory(r->err);
}

static int add_problem(struct reading *r, uint32_t line, const char *text)
{
	struct kube_problem p = { .file = r->file, .document = r->document, .line = line };
	if (!bh_arena_copy(&r->set->arena, bh_slice_str(text), &p.text) || !kube_problem_vec_push(&r->set->problems, p))
		return no_memory(r->err);
	return 0;
}

static bool is_list(struct bh_slice kind, struct cel_value value)
{
	return bh_slice_ends(kind, BH_SLICE_LIT("List")) && kube_get(value, "items").kind == CEL_LIST;
}

static void name_object(struct kube_object *o)
{
	o->api_version = kube_text(o->value, "apiVersion");
	o->kind = kube_text(o->value, "kind");
	if (o->api_version.len == 0 && bh_slice_starts(kube_text(o->value, "schema"), BH_SLICE_LIT(KUBE_REPORT_SCHEMA))) {
		o->api_version = kube_text(o->value, "schema");
		o->kind = BH_SLICE_LIT("Report");
	}
	o->name = kube_text(o->value, "metadata.name");
	if (o->name.len == 0)
		o->name = kube_text(o->value, "metadata.generateName");
	o->namespace = kube_text(o->value, "metadata.namespace");
	if (!bh_slice_cut(o->api_version, '/', &o->group, &o->version)) {
		o->version = o->api_version;
		o->group = (struct bh_slice){ 0 };
	}
}

static uint32_t line_of(const struct kube_tree *tree, struct cel_value value)
{
	struct bh_buf path;
	bh_buf_init(&path, 4096);
	uint32_t line = kube_tree_find(tree, value.map, (struct bh_slice){ 0 }, &path);
	bh_buf_done(&path);
	return line;
}

/* What an item of a typed list (PodList) leaves to its list: apiVersion and kind. */
static int complete(struct reading *r, struct kube_tree *tree, const struct kube_object *list, struct cel_value *item)
{
	struct cel_entry *entries = bh_arena_array(&r->set->arena, item->map->len + 2, sizeof(*entries));
	if (!entries)
		return no_memory(r->err);
	entries[0] = (struct cel_entry){ cel_string(BH_SLICE_LIT("apiVersion")), cel_string(list->api_version) };
	entries[1] = (struct cel_entry){ cel_string(BH_SLICE_LIT("kind")), cel_string(bh_slice_sub(list->kind, 0, list->kind.len - 4)) };
	memcpy(entries + 2, item->map->entries, item->map->len * sizeof(*entries));
	struct cel_value whole = cel_map_of(&r->set->arena, entries, item->map->len + 2);
	if (whole.kind != CEL_MAP || !kube_tree_same_place(tree, item->map, whole.map))
		return no_memory(r->err);
	*item = whole;
	return 0;
}

static bool lacks_its_kind(const struct kube_object *list, struct cel_value item)
{
	return list->kind.len > 4 && item.kind == CEL_MAP && kube_get(item, "kind").kind == CEL_NULL && kube_get(item, "apiVersion").kind == CEL_NULL
	       && !cel_map_field(item.map, BH_SLICE_LIT("kind")) && !cel_map_field(item.map, BH_SLICE_LIT("apiVersion"));
}

static int add_object(struct reading *r, struct kube_tree *tree, struct cel_value value, unsigned depth);

static int add_items(struct reading *r, struct kube_tree *tree, const struct kube_object *list, unsigned depth)
{
	const struct cel_list *items = kube_get(list->value, "items").list;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < items->len; i++) {
		struct cel_value item = items->items[i];
		if (lacks_its_kind(list, item))
			rc = complete(r, tree, list, &item);
		rc = rc < 0 ? rc : add_object(r, tree, item, depth + 1);
	}
	return rc;
}

bool kube_is_live(struct bh_slice file)
{
	return bh_slice_starts(file, BH_SLICE_LIT(KUBE_LIVE_PREFIX));
}

/* The address of the object instead of the list's, in which lines mean nothing. */
static int name_live(struct reading *r, struct kube_object *o)
{
	size_t slash = r->file.len;
	while (slash > 0 && r->file.ptr[slash - 1] != '/')
		slash--;
	struct bh_slice base = bh_slice_sub(r->file, 0, slash), resource = bh_slice_sub(r->file, slash, r->file.len);
	const char *address = bh_arena_printf(&r->set->arena, "%.*s%s%.*s%s%.*s/%.*s", BH_SLICE_FMT(base), o->namespace.len ? "namespaces/" : "",
					      BH_SLICE_FMT(o->namespace), o->namespace.len ? "/" : "", BH_SLICE_FMT(resource), BH_SLICE_FMT(o->name));
	o->file = bh_slice_str(address ? address : "");
	o->line = 0;
	return address ? 0 : no_memory(r->err);
}

/* To those who make something of an object of Kubernetes. */
static int show_object(struct reading *r, const struct kube_document *d)
{
	int rc = 0;
	for (kube_foreigners f = r->set->foreigners; rc == 0 && *f; f++)
		if ((*f)->read_object)
			rc = (*f)->read_object((*f)->ctx, d, r->err);
	return rc;
}

static int add_object(struct reading *r, struct kube_tree *tree, struct cel_value value, unsigned depth)
{
	struct kube_object o = { .file = r->file, .document = r->document, .value = value, .tree = tree };
	if (value.kind != CEL_MAP)
		return add_problem(r, tree->line_offset + 1, "not an object: a mapping with apiVersion and kind was expected");
	o.line = line_of(tree, value);
	name_object(&o);
	if (!kube_origin_of(value, r->file, &r->set->arena, &o.file))
		return no_memory(r->err);
	if (is_list(o.kind, value) && depth < LISTS_DEPTH_MAX)
		return add_items(r, tree, &o, depth);
	if (o.kind.len == 0 || o.api_version.len == 0)
		return add_problem(r, o.line, o.kind.len ? "apiVersion is missing" : "kind is missing");
	if (kube_is_live(o.file) && name_live(r, &o) < 0)
		return r->err->code;
	if (!kube_object_vec_push(&r->set->objects, o))
		return no_memory(r->err);
	const struct kube_document d = { r->set, o.file, r->document, tree, value };
	return kube_is_live(o.file) ? 0 : show_object(r, &d);
}

struct cel_value kube_written_part(const struct kube_object *o, struct cel_value value, struct bh_arena *arena)
{
	if (!o->written)
		return value;
	struct cel_value part = kube_get(value, o->written->under);
	struct cel_entry *entries = part.kind == CEL_MAP ? bh_arena_array(arena, part.map->len + 1, sizeof(*entries)) : NULL;
	size_t n = 0;
	for (size_t i = 0; entries && i < part.map->len; i++)
		if (!bh_slice_is_one_of(part.map->entries[i].key.text, o->written->made))
			entries[n++] = part.map->entries[i];
	struct cel_value v = entries ? cel_map_of(arena, entries, n) : cel_null();
	return v.kind == CEL_MAP ? v : cel_null();
}

int kube_set_add(const struct kube_document *d, struct cel_value object, struct bh_err *err)
{
	return kube_set_add_written(d, object, NULL, err);
}

int kube_set_add_written(const struct kube_document *d, struct cel_value object, const struct kube_written *written, struct bh_err *err)
{
	struct kube_object o = { .file = d->file, .document = d->document, .value = object, .tree = d->tree, .is_made = true, .written = written };
	o.line = line_of(d->tree, object);
	name_object(&o);
	return kube_object_vec_push(&d->set->objects, o) ? 0 : no_memory(err);
}

int kube_set_add_pod(struct kube_set *set, const struct kube_object *of, struct cel_value pod, bool is_partial, struct bh_err *err)
{
	struct kube_object o = { .file = of->file, .document = of->document, .line = of->line, .value = pod, .tree = of->tree, .is_made = true };
	name_object(&o);
	o.is_partial = is_partial;
	o.of_kind = of->kind;
	o.of_name = of->name;
	return kube_object_vec_push(&set->objects, o) ? 0 : no_memory(err);
}

int kube_set_parse(struct kube_set *set, struct bh_slice text, struct kube_tree **ret, struct bh_err *err)
{
	struct bh_yaml *yaml = NULL;
	struct kube_tree *tree = BH_ARENA_NEW(&set->arena, struct kube_tree);
	int rc = tree ? bh_yaml_parse(text, KUBE_TEXT_BYTES_MAX, &yaml, err) : no_memory(err);
	if (rc < 0)
		return rc;
	if (!yaml_vec_push(&set->yamls, yaml)) {
		bh_yaml_free(yaml);
		return no_memory(err);
	}
	if (bh_yaml_documents(yaml) == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "an empty text");
	rc = kube_tree_make(bh_yaml_root(yaml, 0), 0, &set->arena, tree, err);
	if (rc == 0 && !tree_vec_push(&set->trees, tree)) {
		kube_tree_done(tree);
		rc = no_memory(err);
	}
	if (rc == 0)
		*ret = tree;
	return rc;
}

enum kube_claim kube_set_claim(struct kube_set *set, struct bh_slice file, uint32_t document)
{
	const char *key = set->claims.len < CLAIMS_MAX ? bh_arena_printf(&set->arena, "%u %.*s", document, BH_SLICE_FMT(file)) : NULL;
	void **slot = key ? bh_map_put(&set->claims, bh_slice_str(key)) : NULL;
	if (!slot)
		return KUBE_CLAIMS_END;
	enum kube_claim claim = *slot ? KUBE_CLAIMED_BEFORE : KUBE_CLAIMED;
	*slot = set;
	return claim;
}

int kube_set_complain(const struct kube_document *d, uint32_t line, const char *text, struct bh_err *err)
{
	struct reading r = { .set = d->set, .file = d->file, .document = d->document, .err = err };
	return add_problem(&r, line, text);
}

static const struct kube_foreign *foreigner_of(const struct kube_set *set, const struct bh_yaml_node *root)
{
	for (kube_foreigners f = set->foreigners; *f; f++)
		if ((*f)->knows && (*f)->knows((*f)->ctx, root))
			return *f;
	return NULL;
}

static int add_document(struct reading *r, const struct bh_yaml_node *node)
{
	struct bh_err why = { 0 };
	struct kube_tree *tree = BH_ARENA_NEW(&r->set->arena, struct kube_tree);
	if (bh_yaml_is_null(node)) /* "---" with nothing behind it */
		return 0;
	if (!tree)
		return no_memory(r->err);
	const struct kube_foreign *f = foreigner_of(r->set, node);
	int rc = f ? kube_tree_make_tagged(node, r->line_offset, &r->set->arena, tree, &why) :
		     kube_tree_make(node, r->line_offset, &r->set->arena, tree, &why);
	if (rc == BH_EMALFORMED)
		return add_problem(r, r->line_offset + bh_yaml_line(node), why.text);
	if (rc < 0 || !tree_vec_push(&r->set->trees, tree)) {
		kube_tree_done(tree);
		return no_memory(r->err);
	}
	const struct kube_document d = { r->set, r->file, r->document, tree, tree->root };
	rc = f ? f->read(f->ctx, &d, r->err) : add_object(r, tree, tree->root, 0);
	kube_tree_sort(tree);
	return rc;
}

static int add_documents(struct reading *r, struct bh_yaml *yaml)
{
	if (!yaml_vec_push(&r->set->yamls, yaml)) {
		bh_yaml_free(yaml);
		return no_memory(r->err);
	}
	for (size_t i = 0; i < bh_yaml_documents(yaml); i++) {
		const struct bh_yaml_node *root = bh_yaml_root(yaml, i);
		int rc = begin_document(r, r->line_offset + bh_yaml_line(root));
		rc = rc < 0 ? rc : add_document(r, root);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The text up to the next line that begins with "---", which is cut off. */
static struct bh_slice take_document(struct bh_slice *rest, uint32_t *lines)
{
	size_t at = 0;
	*lines = 0;
	while (at < rest->len) {
		struct bh_slice line = bh_slice_sub(*rest, at, rest->len);
		size_t end = bh_slice_find(line, '\n');
		if (at > 0 && bh_slice_starts(line, BH_SLICE_LIT("---")))
			break;
		++*lines;
		at += end + (end < line.len);
	}
	struct bh_slice document = bh_slice_sub(*rest, 0, at);
	*rest = bh_slice_sub(*rest, at, rest->len);
	return document;
}

/* "line 7, column 2: ..." */
static uint32_t take_line(struct bh_slice *text)
{
	uint64_t line = 0;
	struct bh_slice head, rest, number;
	if (bh_slice_starts(*text, BH_SLICE_LIT("line ")) && bh_slice_cut(*text, ':', &head, &rest)) {
		(void)bh_slice_cut(bh_slice_sub(head, 5, head.len), ',', &number, &head);
		if (bh_slice_u64(number, UINT32_MAX, &line))
			*text = bh_slice_trim(rest);
	}
	return (uint32_t)line;
}

/* Behind as many empty lines as stand before the document in its file, the parser counts lines as the reader does. */
static void complain_in_place(struct reading *r, struct bh_slice document, struct bh_err *why)
{
	struct bh_buf text;
	struct bh_yaml *yaml = NULL;
	bh_buf_init(&text, KUBE_TEXT_BYTES_MAX);
	for (uint32_t i = 0; i < r->line_offset; i++)
		bh_buf_add_byte(&text, '\n');
	bh_buf_add(&text, document);
	if (!text.failed && bh_yaml_parse(bh_buf_slice(&text), KUBE_TEXT_BYTES_MAX, &yaml, why) == 0)
		bh_yaml_free(yaml);
	bh_buf_done(&text);
}

static int add_broken(struct reading *r, struct bh_slice document, struct bh_err *why)
{
	if (r->line_offset && r->set->problems.len < EXACT_PROBLEMS_MAX)
		complain_in_place(r, document, why);
	struct bh_slice text = bh_slice_str(why->text);
	uint32_t line = take_line(&text);
	int rc = begin_document(r, r->line_offset + 1);
	return rc < 0 ? rc : add_problem(r, line, (const char *)text.ptr);
}

static int read_one_by_one(struct reading *r, struct bh_slice rest)
{
	while (rest.len) {
		uint32_t lines;
		struct bh_yaml *yaml = NULL;
		struct bh_err why = { 0 };
		struct bh_slice document = take_document(&rest, &lines);
		int rc = bh_yaml_parse(document, KUBE_TEXT_BYTES_MAX, &yaml, &why);
		rc = rc == 0 ? add_documents(r, yaml) : add_broken(r, document, &why);
		if (rc < 0)
			return rc;
		r->line_offset += lines;
	}
	return 0;
}

static const struct kube_foreign *foreigner_of_text(const struct kube_set *set, struct bh_slice file, struct bh_slice text)
{
	for (kube_foreigners f = set->foreigners; *f; f++)
		if ((*f)->knows_text && (*f)->knows_text((*f)->ctx, file, text))
			return *f;
	return NULL;
}

static int read_foreign(struct reading *r, const struct kube_foreign *f, struct bh_slice text)
{
	struct kube_tree *tree = BH_ARENA_NEW(&r->set->arena, struct kube_tree);
	if (!tree)
		return no_memory(r->err);
	kube_tree_init(tree, 0);
	if (!tree_vec_push(&r->set->trees, tree))
		return no_memory(r->err);
	const struct kube_document d = { r->set, r->file, 1, tree, cel_null() };
	return f->read_text(f->ctx, &d, text, r->err);
}

int kube_set_read(struct kube_set *set, struct bh_slice file, struct bh_slice text, struct bh_err *err)
{
	struct reading r = { .set = set, .origins = { .max = ORIGINS_MAX }, .err = err };
	struct bh_yaml *yaml = NULL;
	struct bh_err why = { 0 };
	if (!bh_arena_copy(&set->arena, file, &r.text_name) || !kube_origins_read(r.text_name, text, &r.origins)) {
		kube_origin_vec_done(&r.origins);
		return no_memory(err);
	}
	r.file = r.text_name;
	if (bh_slice_starts(text, BH_SLICE_LIT("\xef\xbb\xbf")))
		text = bh_slice_sub(text, 3, text.len);
	const struct kube_foreign *f = foreigner_of_text(set, r.file, text);
	if (f) {
		kube_origin_vec_done(&r.origins);
		return read_foreign(&r, f, text);
	}
	int rc = bh_yaml_parse(text, KUBE_TEXT_BYTES_MAX, &yaml, &why) == 0 ? add_documents(&r, yaml) : read_one_by_one(&r, text);
	kube_origin_vec_done(&r.origins);
	return rc;
}

void kube_object_print(struct bh_buf *out, const struct kube_object *o)
{
	bh_buf_add(out, kube_shown_kind(o));
	bh_buf_add_byte(out, ' ');
	if (o->namespace.len) {
		bh_buf_add(out, o->namespace);
		bh_buf_add_byte(out, '/');
	}
	bh_buf_add(out, kube_shown_name(o));
}

const char *kube_kind_words(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL: return "null";
	case CEL_BOOL: return "a boolean";
	case CEL_INT:
	case CEL_UINT:
	case CEL_DOUBLE: return "a number";
	case CEL_STRING: return "a text";
	case CEL_LIST: return "a list";
	case CEL_MAP: return "a map";
	case CEL_ERROR:
	case CEL_UNKNOWN:
	case CEL_BYTES:
	case CEL_DURATION:
	case CEL_TIMESTAMP:
	case CEL_TYPE:
	case CEL_OPTIONAL:
	case CEL_OBJECT: break;
	}
	return "a value of another kind";
}
