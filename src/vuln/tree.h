/* tree.h: a value of a JSON or of a YAML document, by one set of getters: OSV records come as both. Private to vuln/. */
#ifndef BH_VULN_TREE_H
#define BH_VULN_TREE_H

#include "format/json.h"
#include "format/yaml.h"

struct vuln_tree {
	const struct bh_json_node *json; /* one of the two, or none: "nothing" */
	const struct bh_yaml_node *yaml;
};

static inline struct vuln_tree vuln_tree_get(struct vuln_tree t, const char *key)
{
	return (struct vuln_tree){ t.json ? bh_json_get(t.json, key) : NULL, t.yaml ? bh_yaml_get(t.yaml, key) : NULL };
}

static inline size_t vuln_tree_len(struct vuln_tree t)
{
	return t.json ? bh_json_len(t.json) : t.yaml ? bh_yaml_len(t.yaml) : 0;
}

static inline struct vuln_tree vuln_tree_at(struct vuln_tree t, size_t i)
{
	return (struct vuln_tree){ t.json ? bh_json_at(t.json, i) : NULL, t.yaml ? bh_yaml_at(t.yaml, i) : NULL };
}

/* Empty for what is no text, null too. */
static inline struct bh_slice vuln_tree_str(struct vuln_tree t)
{
	if (t.json)
		return bh_json_str(t.json);
	return t.yaml && !bh_yaml_is_null(t.yaml) ? bh_yaml_str(t.yaml) : (struct bh_slice){ 0 };
}

static inline bool vuln_tree_is_object(struct vuln_tree t)
{
	return t.json ? bh_json_is_object(t.json) : bh_yaml_is(t.yaml, BH_YAML_MAPPING);
}

static inline bool vuln_tree_is_array(struct vuln_tree t)
{
	return t.json ? bh_json_is_array(t.json) : bh_yaml_is(t.yaml, BH_YAML_SEQUENCE);
}

static inline bool vuln_tree_is_there(struct vuln_tree t)
{
	return t.json || t.yaml;
}

static inline bool vuln_tree_is_true(struct vuln_tree t)
{
	bool is_true = false;
	return t.json ? bh_json_bool(t.json) : bh_yaml_bool(t.yaml, &is_true) && is_true;
}

/* Members of an object in document order; begin with an iterator of zeros. */
struct vuln_tree_iter {
	void *json;
	size_t yaml;
};

static inline bool vuln_tree_next(struct vuln_tree t, struct vuln_tree_iter *i, struct bh_slice *key, struct vuln_tree *value)
{
	const struct bh_yaml_node *yaml_key;
	*value = (struct vuln_tree){ 0 };
	if (t.json)
		return bh_json_next(t.json, &i->json, key, &value->json);
	if (!t.yaml || !bh_yaml_pair(t.yaml, i->yaml++, &yaml_key, &value->yaml))
		return false;
	*key = bh_yaml_str(yaml_key);
	return true;
}

#endif
