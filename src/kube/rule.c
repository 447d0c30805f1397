/* rule.c: policies by their names, and what they say of themselves. */
#include "kube/rules.h"

static struct bh_slice name_of(const struct kube_rule *rule)
{
	struct bh_slice name = bh_slice_base(bh_slice_str(rule->file));
	return bh_slice_sub(name, 0, name.len - strlen(".yaml"));
}

const struct kube_rule *kube_rule_find(struct bh_slice name)
{
	for (size_t i = 0; name.len && i < kube_rules_count; i++)
		if (bh_slice_eq(name_of(&kube_rules[i]), name))
			return &kube_rules[i];
	return NULL;
}

bool kube_rule_mends(const struct kube_rule *rule)
{
	return bh_slice_starts(name_of(rule), BH_SLICE_LIT("fix-"));
}

struct bh_slice kube_rule_says(const struct kube_object *o, const char *map, const char *key)
{
	const struct cel_value m = kube_get(kube_get(o->value, "metadata"), map);
	const struct cel_value *v = m.kind == CEL_MAP ? cel_map_field(m.map, bh_slice_str(key)) : NULL;
	return v && v->kind == CEL_STRING ? v->text : (struct bh_slice){ 0 };
}

bool kube_rule_is_for(const struct kube_object *o, unsigned minor)
{
	struct bh_slice range = kube_rule_says(o, "annotations", "bulkhead.io/kubernetes"), from, to;
	uint64_t low = 0, high = UINT32_MAX;
	if (range.len == 0)
		return true;
	(void)bh_slice_cut(range, '-', &from, &to);
	if (bh_slice_starts(from, BH_SLICE_LIT("1.")))
		(void)bh_slice_u64(bh_slice_sub(from, 2, from.len), UINT32_MAX, &low);
	if (bh_slice_starts(to, BH_SLICE_LIT("1.")))
		(void)bh_slice_u64(bh_slice_sub(to, 2, to.len), UINT32_MAX, &high);
	return minor >= low && minor <= high;
}
