#include "kube/compose.h"

/* Has it an "include" and nothing that Compose does not know? GitLab's files have one, too. */
static bool only_includes(const struct bh_yaml_node *root)
{
	static const char *const fields[] = { "include", "name", "version", "volumes", "networks", "configs", "secrets", "models", NULL };
	const struct bh_yaml_node *key, *value;
	bool all_known = bh_yaml_is(bh_yaml_get(root, "include"), BH_YAML_SEQUENCE);
	for (size_t i = 0; all_known && bh_yaml_pair(root, i, &key, &value); i++)
		all_known = bh_slice_is_one_of(bh_yaml_str(key), fields) || bh_slice_starts(bh_yaml_str(key), BH_SLICE_LIT("x-"));
	return all_known;
}

static bool knows(void *ctx, const struct bh_yaml_node *root)
{
	(void)ctx;
	return bh_yaml_is(root, BH_YAML_MAPPING) && !bh_yaml_get(root, "apiVersion") && !bh_yaml_get(root, "kind") && (bh_yaml_is(bh_yaml_get(root, "services"), BH_YAML_MAPPING) || only_includes(root));
}

/* "shop" of "work/shop/compose.yaml": what Compose calls a project that has no name. */
static struct bh_slice folder_of(struct bh_slice file)
{
	struct bh_slice folder = { 0 }, head;
	while (bh_slice_cut(file, '/', &head, &file))
		folder = head;
	return folder.len && !bh_slice_eq_str(folder, ".") && !bh_slice_eq_str(folder, "..") ? folder : BH_SLICE_LIT("compose");
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the files of Compose are larger than the memory for them");
}

/* The document with what an object has in front. */
static int read_document(void *ctx, const struct kube_document *d, struct bh_err *err)
{
	struct bh_arena *arena = kube_set_arena(d->set);
	struct bh_slice name = kube_text(d->root, "name");
	struct cel_entry *named = bh_arena_array(arena, 1, sizeof(*named));
	struct cel_entry *entries = d->root.kind == CEL_MAP ? bh_arena_array(arena, d->root.map->len + 3, sizeof(*entries)) : NULL;
	(void)ctx;
	if (!named || !entries)
		return no_memory(err);
	named[0] = (struct cel_entry){ cel_string(BH_SLICE_LIT("name")), cel_string(name.len ? name : folder_of(d->file)) };
	struct cel_value metadata = cel_map_of(arena, named, 1);
	entries[0] = (struct cel_entry){ cel_string(BH_SLICE_LIT("apiVersion")), cel_string(BH_SLICE_LIT("compose")) };
	entries[1] = (struct cel_entry){ cel_string(BH_SLICE_LIT("kind")), cel_string(BH_SLICE_LIT("Compose")) };
	entries[2] = (struct cel_entry){ cel_string(BH_SLICE_LIT("metadata")), metadata };
	size_t n = 3;
	for (size_t i = 0; i < d->root.map->len; i++)
		if (!bh_slice_eq_str(d->root.map->entries[i].key.text, "metadata"))
			entries[n++] = d->root.map->entries[i];
	struct cel_value whole = cel_map_of(arena, entries, n);
	if (metadata.kind != CEL_MAP || whole.kind != CEL_MAP || !kube_tree_same_place(d->tree, d->root.map, whole.map))
		return no_memory(err);
	return kube_set_add(d, whole, err);
}

const struct kube_foreign kube_compose = { .knows = knows, .read = read_document };

bool kube_is_compose(const struct kube_object *o)
{
	return bh_slice_eq_str(o->kind, "Compose") && bh_slice_eq_str(o->api_version, "compose") && (kube_get(o->value, "services").kind == CEL_MAP || kube_get(o->value, "include").kind == CEL_LIST);
}
