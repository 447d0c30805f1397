#include "kube/match.h"

#include "kube/selector.h"

/* Is the text, or "*", in the list? */
static bool lists(struct cel_value list, struct bh_slice text)
{
	for (size_t i = 0; list.kind == CEL_LIST && i < list.list->len; i++)
		if (list.list->items[i].kind == CEL_STRING && (bh_slice_eq_str(list.list->items[i].text, "*") || bh_slice_eq(list.list->items[i].text, text)))
			return true;
	return false;
}

/* "pods", "pods/log", a star for either part: main resources and subresources apart. */
static bool resource_listed(struct cel_value list, const struct kube_request *r)
{
	for (size_t i = 0; list.kind == CEL_LIST && i < list.list->len; i++) {
		struct bh_slice main, sub;
		bool has_sub = bh_slice_cut(list.list->items[i].text, '/', &main, &sub);
		bool main_fits = bh_slice_eq_str(main, "*") || bh_slice_eq(main, r->resource.plural);
		if (!main_fits || (!has_sub && r->subresource.len))
			continue;
		if (!has_sub || bh_slice_eq_str(sub, "*") || bh_slice_eq(sub, r->subresource))
			return true;
	}
	return false;
}

static bool scope_fits(struct bh_slice scope, const struct kube_request *r)
{
	if (bh_slice_eq_str(scope, "Cluster"))
		return !r->resource.is_namespaced;
	return !bh_slice_eq_str(scope, "Namespaced") || r->resource.is_namespaced;
}

/* With matchPolicy Equivalent a rule for one version of a resource means all of them. */
static bool version_fits(struct cel_value rule, const struct kube_request *r, bool equivalent)
{
	struct cel_value groups = kube_get(rule, "apiGroups");
	if (lists(groups, r->resource.group))
		return equivalent || lists(kube_get(rule, "apiVersions"), r->resource.version);
	for (size_t i = 0; equivalent && groups.kind == CEL_LIST && i < groups.list->len; i++)
		if (kube_same_group(groups.list->items[i].text, r->resource.group))
			return true;
	return false;
}

static bool rule_fits(struct cel_value rule, const struct kube_request *r, bool equivalent)
{
	struct cel_value names = kube_get(rule, "resourceNames");
	return version_fits(rule, r, equivalent) && lists(kube_get(rule, "operations"), r->operation) && resource_listed(kube_get(rule, "resources"), r)
	       && scope_fits(kube_text(rule, "scope"), r) && (names.kind != CEL_LIST || names.list->len == 0 || lists(names, r->name));
}

static bool any_rule_fits(struct cel_value rules, const struct kube_request *r, bool equivalent)
{
	for (size_t i = 0; rules.kind == CEL_LIST && i < rules.list->len; i++)
		if (rule_fits(rules.list->items[i], r, equivalent))
			return true;
	return false;
}

/* Cluster-scoped objects are not asked about a namespace, except Namespaces themselves, by their own labels. */
static enum kube_match namespace_fits(struct cel_value selector, const struct kube_request *r)
{
	struct cel_value of = r->namespace_object;
	if (kube_selector_is_empty(selector))
		return KUBE_MATCH_YES;
	if (bh_slice_eq_str(r->resource.plural, "namespaces"))
		of = r->object;
	else if (!r->resource.is_namespaced)
		return KUBE_MATCH_YES;
	if (of.kind != CEL_MAP)
		return KUBE_MATCH_UNKNOWN;
	return kube_selects(selector, kube_path(of, "metadata.labels")) ? KUBE_MATCH_YES : KUBE_MATCH_NO;
}

static bool object_fits(struct cel_value selector, const struct kube_request *r)
{
	if (kube_selector_is_empty(selector))
		return true;
	return (r->object.kind == CEL_MAP && kube_selects(selector, kube_path(r->object, "metadata.labels")))
	       || (r->old_object.kind == CEL_MAP && kube_selects(selector, kube_path(r->old_object, "metadata.labels")));
}

enum kube_match kube_matches(struct cel_value constraints, const struct kube_request *r)
{
	bool equivalent = !bh_slice_eq_str(kube_text(constraints, "matchPolicy"), "Exact");
	struct cel_value rules = kube_get(constraints, "resourceRules");
	if (rules.kind == CEL_LIST && rules.list->len && !any_rule_fits(rules, r, equivalent))
		return KUBE_MATCH_NO;
	if (any_rule_fits(kube_get(constraints, "excludeResourceRules"), r, equivalent))
		return KUBE_MATCH_NO;
	if (!object_fits(kube_get(constraints, "objectSelector"), r))
		return KUBE_MATCH_NO;
	return namespace_fits(kube_get(constraints, "namespaceSelector"), r);
}
