#include "comply/toml_tree.h"

struct maker {
	struct bh_arena *arena;
	struct kube_tree *tree;
	struct bh_err *err;
};

static int convert(struct maker *m, const struct bh_toml_node *node, struct kube_place place, struct cel_value *ret);

static int no_memory(struct maker *m)
{
	return bh_fail(m->err, BH_ELIMIT, 0, "it is larger than the memory for it");
}

/* A value that is neither a table nor a list has a place of its own, under its node: the line of its key. */
static bool note_scalar(struct maker *m, const struct cel_map *map, struct bh_slice key, const struct bh_toml_node *node, uint32_t parent)
{
	if (bh_toml_is(node, BH_TOML_TABLE))
		return true;
	const struct kube_place place = { .at = node, .line = bh_toml_line(node), .parent = parent, .key = key };
	return kube_place_vec_push(&m->tree->places, place) && kube_tree_alias(m->tree, (struct kube_alias){ .at = map, .field = key, .to = node });
}

static int convert_table(struct maker *m, const struct bh_toml_node *node, uint32_t self, struct cel_value *ret)
{
	size_t n = bh_toml_len(node);
	struct cel_entry *entries = bh_arena_array(m->arena, n + 1, sizeof(*entries));
	const struct bh_toml_node *value;
	struct bh_slice key;
	if (!entries)
		return no_memory(m);
	for (size_t i = 0; i < n && bh_toml_pair(node, i, &key, &value); i++) {
		entries[i].key = cel_string(key);
		int rc = convert(m, value, (struct kube_place){ .parent = self, .key = key }, &entries[i].value);
		if (rc < 0)
			return rc;
	}
	*ret = cel_map_of(m->arena, entries, n);
	if (!cel_is_known(*ret))
		return no_memory(m);
	m->tree->places.ptr[self].at = ret->map;
	for (size_t i = 0; i < n && bh_toml_pair(node, i, &key, &value); i++)
		if (!note_scalar(m, ret->map, key, value, self))
			return no_memory(m);
	return 0;
}

static int convert_list(struct maker *m, const struct bh_toml_node *node, uint32_t self, struct cel_value *ret)
{
	size_t n = bh_toml_len(node);
	struct cel_value *items = bh_arena_array(m->arena, n + 1, sizeof(*items));
	if (!items)
		return no_memory(m);
	for (size_t i = 0; i < n; i++) {
		int rc = convert(m, bh_toml_at(node, i), (struct kube_place){ .parent = self, .index = (uint32_t)i }, &items[i]);
		if (rc < 0)
			return rc;
	}
	*ret = cel_list_of(m->arena, items, n);
	if (!cel_is_known(*ret))
		return no_memory(m);
	m->tree->places.ptr[self].at = ret->list;
	return 0;
}

static struct cel_value scalar(const struct bh_toml_node *node)
{
	int64_t whole;
	if (bh_toml_is(node, BH_TOML_BOOLEAN))
		return cel_bool(bh_toml_bool(node));
	if (bh_toml_i64(node, &whole))
		return cel_int(whole);
	return cel_string(bh_toml_is(node, BH_TOML_STRING) ? bh_toml_str(node) : bh_toml_text(node));
}

/* As deep as the reader of TOML lets values be (BH_TOML_DEPTH_MAX). */
static int convert(struct maker *m, const struct bh_toml_node *node, struct kube_place place, struct cel_value *ret)
{
	bool is_table = bh_toml_is(node, BH_TOML_TABLE);
	uint32_t self = (uint32_t)m->tree->places.len;
	if (!is_table && !bh_toml_is(node, BH_TOML_ARRAY)) {
		*ret = scalar(node);
		return 0;
	}
	place.line = bh_toml_line(node);
	if (!kube_place_vec_push(&m->tree->places, place))
		return no_memory(m);
	return is_table ? convert_table(m, node, self, ret) : convert_list(m, node, self, ret);
}

int toml_tree_make(const struct bh_toml *doc, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err)
{
	struct kube_tree tree;
	struct maker m = { arena, &tree, err };
	kube_tree_init(&tree, 0);
	int rc = convert(&m, bh_toml_root(doc), (struct kube_place){ .parent = KUBE_NO_PLACE }, &tree.root);
	if (rc < 0) {
		kube_tree_done(&tree);
		return rc;
	}
	kube_tree_sort(&tree);
	*ret = tree;
	return 0;
}
