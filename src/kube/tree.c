#include "kube/tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PLACES_MAX 2000000u
#define ALIASES_MAX 2000000u
#define ALIAS_STEPS_MAX 8u /* aliases of aliases */
#define NUMBER_BYTES_MAX 64u
#define PATH_DEPTH_MAX BH_YAML_DEPTH_MAX

struct maker {
	struct bh_arena *arena;
	struct kube_tree *tree;
	struct bh_err *err;
	bool tags; /* become maps */
};

/* ---- scalars ---- */

static bool is_word(struct bh_slice s, const char *const *words)
{
	return bh_slice_is_one_of(s, words);
}

/* Digits in groups: 1_000 is 1000. */
static size_t plain_number(struct bh_slice s, char out[NUMBER_BYTES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '_')
			continue;
		if (n + 1 == NUMBER_BYTES_MAX || s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return 0;
		out[n++] = (char)s.ptr[i];
	}
	out[n] = '\0';
	return n;
}

/* 0b101, 0o17, 017, 0x1f, decimal; with a sign. */
static bool read_integer(const char *text, int64_t *ret)
{
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	int base = 10;
	char *end;
	if (digits[0] == '0' && digits[1]) {
		char kind = (char)bh_lower((uint8_t)digits[1]);
		base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
		digits += kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1;
	}
	if (digits[0] < '0' || (digits[0] > '9' && base != 16))
		return false;
	errno = 0;
	unsigned long long v = strtoull(digits, &end, base);
	bool negative = text[0] == '-';
	if (*end || errno || v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* [-+]? digits with a point and an exponent, as YAML 1.1 wants them. */
static bool read_double(const char *text, double *ret)
{
	char *end;
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	if (strspn(digits, "0123456789.eE+-") != strlen(digits) || !strpbrk(digits, "0123456789") || digits[0] == 'e' || digits[0] == 'E')
		return false;
	*ret = strtod(text, &end);
	return *end == '\0' && isfinite(*ret);
}

/* JSON has one kind of number: 1.0 comes back as 1. */
static struct cel_value number(double v)
{
	if (v >= -CEL_TWO_53 && v <= CEL_TWO_53 && v == (double)(int64_t)v)
		return cel_int((int64_t)v);
	return cel_double(v);
}

struct cel_value kube_scalar(const struct bh_yaml_node *node)
{
	static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL };
	static const char *const no[] = { "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL };
	static const char *const nothing[] = { "", "~", "null", "Null", "NULL", NULL };
	struct bh_slice s = bh_yaml_str(node), tag = bh_yaml_tag(node);
	char text[NUMBER_BYTES_MAX];
	int64_t whole;
	double real;
	if (bh_yaml_is_quoted(node) || bh_slice_eq_str(tag, "!!str"))
		return cel_string(s);
	if (is_word(s, nothing))
		return cel_null();
	if (is_word(s, yes))
		return cel_bool(true);
	if (is_word(s, no))
		return cel_bool(false);
	if (plain_number(s, text) && read_integer(text, &whole))
		return cel_int(whole);
	if (plain_number(s, text) && read_double(text, &real))
		return number(real);
	return cel_string(s);
}

/* ---- the walk ---- */

static int no_memory(struct maker *m)
{
	return bh_fail(m->err, BH_ELIMIT, 0, "the documents are larger than the memory for them");
}

static int convert(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret);

/* The place is noted before the children's, so that they can name it. */
static bool note_place(struct maker *m, struct kube_place place, const struct bh_yaml_node *node, uint32_t *ret)
{
	place.node = node;
	*ret = (uint32_t)m->tree->places.len;
	return kube_place_vec_push(&m->tree->places, place);
}

static int convert_list(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret)
{
	size_t n = bh_yaml_len(node);
	uint32_t self;
	struct cel_value *items = bh_arena_array(m->arena, n + 1, sizeof(*items));
	if (!items || !note_place(m, place, node, &self))
		return no_memory(m);
	for (size_t i = 0; i < n; i++) {
		int rc = convert(m, bh_yaml_at(node, i), (struct kube_place){ .parent = self, .index = (uint32_t)i }, depth + 1, &items[i]);
		if (rc < 0)
			return rc;
	}
	*ret = cel_list_of(m->arena, items, n);
	if (!cel_is_known(*ret))
		return no_memory(m);
	m->tree->places.ptr[self].at = ret->list;
	return 0;
}

static bool is_merge(const struct bh_yaml_node *key)
{
	return bh_slice_eq_str(bh_yaml_str(key), "<<") && !bh_yaml_is_quoted(key);
}

static bool has_key(const struct cel_entry *entries, size_t n, struct bh_slice key)
{
	for (size_t i = 0; i < n; i++)
		if (bh_slice_eq(entries[i].key.text, key))
			return true;
	return false;
}

struct entries {
	struct cel_entry *list;
	size_t n, cap;
};

static int add_entry(struct maker *m, struct entries *out, struct bh_slice key, const struct bh_yaml_node *value, uint32_t self, unsigned depth)
{
	if (out->n == out->cap) {
		size_t cap = out->cap * 2 + 8;
		struct cel_entry *more = bh_arena_array(m->arena, cap, sizeof(*more));
		if (!more)
			return no_memory(m);
		if (out->n)
			memcpy(more, out->list, out->n * sizeof(*more));
		out->list = more;
		out->cap = cap;
	}
	struct cel_entry *e = &out->list[out->n++];
	e->key = cel_string(key);
	return convert(m, value, (struct kube_place){ .parent = self, .key = key }, depth + 1, &e->value);
}

/* What "<<" brings: a map, or several, the first one counting; keys that are there already stay. */
static int merge(struct maker *m, struct entries *out, const struct bh_yaml_node *from, uint32_t self, unsigned depth)
{
	if (depth > BH_YAML_DEPTH_MAX)
		return bh_fail(m->err, BH_ELIMIT, 0, "merge keys in merge keys too deep");
	for (size_t i = 0; bh_yaml_is(from, BH_YAML_SEQUENCE) && i < bh_yaml_len(from); i++) {
		int rc = merge(m, out, bh_yaml_at(from, i), self, depth + 1);
		if (rc < 0)
			return rc;
	}
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_is(from, BH_YAML_MAPPING) && bh_yaml_pair(from, i, &key, &value); i++) {
		int rc = 0;
		if (is_merge(key))
			rc = merge(m, out, value, self, depth + 1);
		else if (!has_key(out->list, out->n, bh_yaml_str(key)))
			rc = add_entry(m, out, bh_yaml_str(key), value, self, depth);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int convert_map(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret)
{
	const struct bh_yaml_node *key, *value;
	struct entries out = { 0 };
	uint32_t self;
	int rc = 0;
	bool merges = false;
	if (place.key.ptr == NULL && place.parent == KUBE_NO_PLACE)
		place.index = 0;
	if (!note_place(m, place, node, &self))
		return no_memory(m);
	for (size_t i = 0; rc == 0 && bh_yaml_pair(node, i, &key, &value); i++) {
		merges |= is_merge(key);
		if (!is_merge(key))
			rc = add_entry(m, &out, bh_yaml_str(key), value, self, depth);
	}
	for (size_t i = 0; rc == 0 && merges && bh_yaml_pair(node, i, &key, &value); i++)
		if (is_merge(key))
			rc = merge(m, &out, value, self, depth);
	if (rc < 0)
		return rc;
	*ret = cel_map_of(m->arena, out.list, out.n);
	if (!cel_is_known(*ret))
		return ret->kind == CEL_ERROR ? bh_fail(m->err, BH_EMALFORMED, 0, "line %u: %s", bh_yaml_line(node), ret->error) : no_memory(m);
	m->tree->places.ptr[self].at = ret->map;
	return 0;
}

static int convert_plain(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret)
{
	if (bh_yaml_is(node, BH_YAML_MAPPING))
		return convert_map(m, node, place, depth, ret);
	if (bh_yaml_is(node, BH_YAML_SEQUENCE))
		return convert_list(m, node, place, depth, ret);
	*ret = kube_scalar(node);
	return 0;
}

/* The name that a tag's function has in JSON; NULL: no memory. */
static const char *name_of_tag(struct maker *m, struct bh_slice tag)
{
	struct bh_slice name = bh_slice_sub(tag, 1, tag.len);
	bool is_plain = bh_slice_eq_str(name, "Ref") || bh_slice_eq_str(name, "Condition");
	return bh_arena_printf(m->arena, "%s%.*s", is_plain ? "" : "Fn::", BH_SLICE_FMT(name));
}

/* A scalar behind a function's tag is a text, whatever it looks like. */
static int convert_tagged(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret)
{
	uint32_t self;
	const char *name = name_of_tag(m, bh_yaml_tag(node));
	struct cel_entry *entry = BH_ARENA_NEW(m->arena, struct cel_entry);
	if (!name || !entry || !note_place(m, place, node, &self))
		return no_memory(m);
	entry->key = cel_string(bh_slice_str(name));
	if (bh_yaml_is(node, BH_YAML_SCALAR)) {
		entry->value = cel_string(bh_yaml_str(node));
	} else {
		int rc = convert_plain(m, node, (struct kube_place){ .parent = self, .key = entry->key.text }, depth + 1, &entry->value);
		if (rc < 0)
			return rc;
	}
	*ret = cel_map_of(m->arena, entry, 1);
	if (!cel_is_known(*ret))
		return no_memory(m);
	m->tree->places.ptr[self].at = ret->map;
	return 0;
}

static bool has_function_tag(const struct bh_yaml_node *node)
{
	struct bh_slice tag = bh_yaml_tag(node);
	return tag.len > 1 && tag.ptr[0] == '!' && tag.ptr[1] >= 'A' && tag.ptr[1] <= 'Z';
}

static int convert(struct maker *m, const struct bh_yaml_node *node, struct kube_place place, unsigned depth, struct cel_value *ret)
{
	if (depth > BH_YAML_DEPTH_MAX)
		return bh_fail(m->err, BH_ELIMIT, 0, "line %u: deeper than %u levels", bh_yaml_line(node), BH_YAML_DEPTH_MAX);
	return m->tags && has_function_tag(node) ? convert_tagged(m, node, place, depth, ret) : convert_plain(m, node, place, depth, ret);
}

void kube_tree_init(struct kube_tree *tree, uint32_t line_offset)
{
	*tree = (struct kube_tree){ .places = { .max = PLACES_MAX }, .aliases = { .max = ALIASES_MAX }, .line_offset = line_offset };
}

static int make(const struct bh_yaml_node *node, uint32_t line_offset, struct bh_arena *arena, bool tags, struct kube_tree *ret, struct bh_err *err)
{
	struct kube_tree tree;
	kube_tree_init(&tree, line_offset);
	struct maker m = { arena, &tree, err, tags };
	int rc = convert(&m, node, (struct kube_place){ .parent = KUBE_NO_PLACE }, 0, &tree.root);
	if (rc < 0) {
		kube_tree_done(&tree);
		return rc;
	}
	*ret = tree;
	return 0;
}

int kube_tree_make(const struct bh_yaml_node *node, uint32_t line_offset, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err)
{
	return make(node, line_offset, arena, false, ret, err);
}

int kube_tree_make_tagged(const struct bh_yaml_node *node, uint32_t line_offset, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err)
{
	return make(node, line_offset, arena, true, ret, err);
}

void kube_tree_done(struct kube_tree *tree)
{
	kube_alias_vec_done(&tree->aliases);
	kube_place_vec_done(&tree->places);
}

bool kube_tree_same_place(struct kube_tree *tree, const void *at, const void *other)
{
	for (size_t i = 0; i < tree->places.len; i++)
		if (tree->places.ptr[i].at == at) {
			struct kube_place copy = tree->places.ptr[i];
			copy.at = other;
			return kube_place_vec_push(&tree->places, copy);
		}
	return true;
}

/* ---- the way back ---- */

static void print_path(const struct kube_tree *tree, uint32_t at, struct bh_buf *path)
{
	uint32_t chain[PATH_DEPTH_MAX];
	size_t n = 0;
	for (; at != KUBE_NO_PLACE && n < PATH_DEPTH_MAX && tree->places.ptr[at].parent != KUBE_NO_PLACE; at = tree->places.ptr[at].parent)
		chain[n++] = at;
	while (n > 0) {
		const struct kube_place *p = &tree->places.ptr[chain[--n]];
		if (!p->key.ptr) {
			bh_buf_printf(path, "[%u]", p->index);
			continue;
		}
		if (path->len)
			bh_buf_add_byte(path, '.');
		bh_buf_add(path, p->key);
	}
}

/* Where the key of a field stands. */
static uint32_t line_of_key(const struct bh_yaml_node *map, struct bh_slice field)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(map, i, &key, &value); i++)
		if (bh_slice_eq(bh_yaml_str(key), field))
			return bh_yaml_line(key);
	return bh_yaml_line(map);
}

bool kube_tree_alias(struct kube_tree *tree, struct kube_alias alias)
{
	tree->is_sorted = false;
	return kube_alias_vec_push(&tree->aliases, alias);
}

static int by_map(const void *a, const void *b)
{
	uintptr_t one = (uintptr_t)((const struct kube_alias *)a)->at, two = (uintptr_t)((const struct kube_alias *)b)->at;
	return (one > two) - (one < two);
}

void kube_tree_sort(struct kube_tree *tree)
{
	if (tree->aliases.len)
		qsort(tree->aliases.ptr, tree->aliases.len, sizeof(*tree->aliases.ptr), by_map);
	tree->is_sorted = true;
}

/* The first alias of the map, or of a later one. */
static size_t lower_bound(const struct kube_tree *tree, const void *container)
{
	size_t low = 0, high = tree->aliases.len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((uintptr_t)tree->aliases.ptr[middle].at < (uintptr_t)container)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The alias of the field, else of the map; NULL: it has a place of its own, or none. */
static const struct kube_alias *find_alias(const struct kube_tree *tree, const void *container, struct bh_slice field)
{
	const struct kube_alias *whole = NULL;
	for (size_t i = tree->is_sorted ? lower_bound(tree, container) : 0; i < tree->aliases.len; i++) {
		const struct kube_alias *a = &tree->aliases.ptr[tree->is_sorted ? i : tree->aliases.len - 1 - i]; /* what was said last is asked first */
		if (tree->is_sorted && a->at != container)
			break;
		if (a->at == container && field.len && bh_slice_eq(a->field, field))
			return a;
		if (a->at == container && a->field.len == 0)
			whole = a;
		if (whole && field.len == 0)
			break;
	}
	return whole;
}

uint32_t kube_tree_find(const struct kube_tree *tree, const void *container, struct bh_slice field, struct bh_buf *path)
{
	for (unsigned i = 0; container && i < ALIAS_STEPS_MAX; i++) {
		const struct kube_alias *a = find_alias(tree, container, field);
		if (!a)
			break;
		container = a->to;
		field = a->to_field;
	}
	for (size_t i = 0; container && i < tree->places.len; i++) {
		const struct kube_place *p = &tree->places.ptr[i];
		if (p->at != container)
			continue;
		print_path(tree, (uint32_t)i, path);
		if (field.len && path->len)
			bh_buf_add_byte(path, '.');
		bh_buf_add(path, field);
		return tree->line_offset + (!p->node ? p->line : field.len ? line_of_key(p->node, field) : bh_yaml_line(p->node));
	}
	return 0;
}
