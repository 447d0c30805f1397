#include "kube/selector.h"

#include "kube/objects.h"

static const struct cel_value *label(struct cel_value labels, struct bh_slice key)
{
	return labels.kind == CEL_MAP ? cel_map_field(labels.map, key) : NULL;
}

static bool labels_match(struct cel_value wanted, struct cel_value labels)
{
	for (size_t i = 0; wanted.kind == CEL_MAP && i < wanted.map->len; i++) {
		const struct cel_entry *e = &wanted.map->entries[i];
		const struct cel_value *found = label(labels, e->key.text);
		if (!found || !cel_equal(*found, e->value))
			return false;
	}
	return true;
}

static bool is_in(struct cel_value list, const struct cel_value *v)
{
	for (size_t i = 0; v && list.kind == CEL_LIST && i < list.list->len; i++)
		if (cel_equal(list.list->items[i], *v))
			return true;
	return false;
}

/* An operator that does not exist selects nothing. */
static bool expression_matches(struct cel_value e, struct cel_value labels)
{
	struct bh_slice operator = kube_text(e, "operator");
	const struct cel_value *found = label(labels, kube_text(e, "key"));
	if (bh_slice_eq_str(operator, "Exists"))
		return found != NULL;
	if (bh_slice_eq_str(operator, "DoesNotExist"))
		return found == NULL;
	if (bh_slice_eq_str(operator, "In"))
		return is_in(kube_get(e, "values"), found);
	return bh_slice_eq_str(operator, "NotIn") && !is_in(kube_get(e, "values"), found);
}

bool kube_selects(struct cel_value selector, struct cel_value labels)
{
	struct cel_value expressions = kube_get(selector, "matchExpressions");
	if (!labels_match(kube_get(selector, "matchLabels"), labels))
		return false;
	for (size_t i = 0; expressions.kind == CEL_LIST && i < expressions.list->len; i++)
		if (!expression_matches(expressions.list->items[i], labels))
			return false;
	return true;
}

bool kube_selector_is_empty(struct cel_value selector)
{
	struct cel_value labels = kube_get(selector, "matchLabels"), expressions = kube_get(selector, "matchExpressions");
	return (labels.kind != CEL_MAP || labels.map->len == 0) && (expressions.kind != CEL_LIST || expressions.list->len == 0);
}
