/*
 * rbac_unlogged.c: rbac_unlogged.h. staging/src/k8s.io/apiserver/pkg/audit/policy/checker.go: of a rule's lists an empty one takes everything; a resource
 * "pods" is without its subresources, "pods/" and a star all of them, no resources of a group all of the group.
 */
#include "kube/rbac_unlogged.h"

#define LISTS_MAX 100000u /* of groups' resources, in a rule */

static const struct bh_slice star = { (const uint8_t *)"*", 1 };

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the audit policy is too large");
}

/* ---- reading ---- */

static bool read_words(struct cel_value list, struct bh_arena *arena, struct rbac_words *ret)
{
	size_t n = kube_length(list), kept = 0;
	struct bh_slice *words = bh_arena_array(arena, n + 1, sizeof(*words));
	for (size_t i = 0; words && i < n; i++)
		if (list.list->items[i].kind == CEL_STRING)
			words[kept++] = list.list->items[i].text;
	*ret = (struct rbac_words){ words, kept };
	return words != NULL;
}

static struct rbac_words or_all(struct rbac_words words)
{
	return words.n ? words : (struct rbac_words){ &star, 1 };
}

static bool read_group(struct cel_value v, struct bh_arena *arena, struct rbac_words verbs, struct rbac_rule *ret)
{
	struct bh_slice *group = BH_ARENA_NEW(arena, struct bh_slice);
	*ret = (struct rbac_rule){ .verbs = verbs };
	if (!group || !read_words(kube_get(v, "resources"), arena, &ret->resources) || !read_words(kube_get(v, "resourceNames"), arena, &ret->names))
		return false;
	*group = kube_text(v, "group");
	ret->groups = (struct rbac_words){ group, 1 };
	ret->resources = or_all(ret->resources);
	return true;
}

static bool read_requests(struct cel_value v, struct bh_arena *arena, struct rbac_audit_rule *ret)
{
	struct cel_value groups = kube_get(v, "resources");
	size_t n = kube_length(groups);
	struct rbac_words verbs, urls;
	struct rbac_rule *requests = n < LISTS_MAX ? bh_arena_array(arena, n + 1, sizeof(*requests)) : NULL;
	bool ok = requests && read_words(kube_get(v, "verbs"), arena, &verbs) && read_words(kube_get(v, "nonResourceURLs"), arena, &urls);
	for (size_t i = 0; ok && i < n; i++)
		ok = read_group(groups.list->items[i], arena, or_all(verbs), &requests[ret->n_requests++]);
	if (!ok)
		return false;
	/* Without both lists: everything; namespaces alone take what is in them. */
	if (n == 0 && urls.n == 0)
		requests[ret->n_requests++] = (struct rbac_rule){ .verbs = or_all(verbs), .groups = or_all(urls), .resources = or_all(urls), .urls = or_all(urls) };
	else if (urls.n)
		requests[ret->n_requests++] = (struct rbac_rule){ .verbs = or_all(verbs), .urls = urls };
	ret->requests = requests;
	return true;
}

static bool read_rule(const struct kube_object *o, struct cel_value v, bool omits_outcomes, struct bh_arena *arena, struct rbac_audit_rule *ret)
{
	struct rbac_words omitted;
	struct bh_buf path;
	bh_buf_init(&path, 4096);
	*ret = (struct rbac_audit_rule){ .line = v.kind == CEL_MAP ? kube_tree_find(o->tree, v.map, (struct bh_slice){ 0 }, &path) : 0 };
	bh_buf_done(&path);
	if (!read_words(kube_get(v, "omitStages"), arena, &omitted) || !read_words(kube_get(v, "users"), arena, &ret->users)
	    || !read_words(kube_get(v, "userGroups"), arena, &ret->groups))
		return false;
	omits_outcomes |= rbac_words_have(omitted, "ResponseComplete");
	ret->is_logged = !bh_slice_eq_str(kube_text(v, "level"), "None") && !omits_outcomes;
	ret->has_namespaces = kube_length(kube_get(v, "namespaces")) > 0;
	return read_requests(v, arena, ret);
}

static int read_policy(const struct kube_object *o, struct bh_arena *arena, struct rbac_unlogged *ret, struct bh_err *err)
{
	struct cel_value list = kube_get(o->value, "rules");
	size_t n = kube_length(list);
	struct rbac_words omitted;
	struct rbac_audit_rule *rules = bh_arena_array(arena, n + 1, sizeof(*rules));
	bool ok = rules && read_words(kube_get(o->value, "omitStages"), arena, &omitted);
	for (size_t i = 0; ok && i < n; i++)
		ok = read_rule(o, list.list->items[i], rbac_words_have(omitted, "ResponseComplete"), arena, &rules[i]);
	if (!ok || !read_requests(cel_null(), arena, &rules[n]))
		return no_memory(err);
	rules[n].line = o->line;
	*ret = (struct rbac_unlogged){ o, rules, n + 1 };
	return 0;
}

int rbac_unlogged_read(const struct kube_object_vec *objects, struct bh_arena *arena, struct rbac_unlogged *ret, struct bh_err *err)
{
	*ret = (struct rbac_unlogged){ 0 };
	for (size_t i = 0; i < objects->len; i++) {
		const struct kube_object *o = &objects->ptr[i];
		if (bh_slice_eq_str(o->group, "audit.k8s.io") && bh_slice_eq_str(o->kind, "Policy"))
			return read_policy(o, arena, ret, err);
	}
	return 0;
}

/* ---- asking ---- */

static bool has(struct rbac_words words, struct bh_slice word)
{
	for (size_t i = 0; i < words.n; i++)
		if (bh_slice_eq(words.ptr[i], word))
			return true;
	return false;
}

/* Groups that a user's name gives; who is in others no object says. */
static bool is_named_by_user(struct bh_slice group)
{
	return bh_slice_starts(group, BH_SLICE_LIT("system:serviceaccounts")) || bh_slice_eq_str(group, "system:authenticated")
	       || bh_slice_eq_str(group, "system:unauthenticated") || bh_slice_eq_str(group, "system:nodes");
}

/* Could a request of the subject be one of those users', by the lists of the rule? */
static bool may_be(const struct rbac_audit_rule *a, const struct rbac_subject *s, const struct rbac_user *user)
{
	bool by_user = a->users.n == 0, by_group = a->groups.n == 0;
	if (s->kind != RBAC_GROUP)
		by_user |= has(a->users, user->name);
	else
		by_user |= is_named_by_user(s->name);
	for (size_t i = 0; !by_group && i < a->groups.n; i++)
		by_group = has(user->groups, a->groups.ptr[i]) || (s->kind != RBAC_SERVICE_ACCOUNT && !is_named_by_user(a->groups.ptr[i]));
	return by_user && by_group;
}

/* Of those it is for. */
static bool takes_all_of(const struct rbac_audit_rule *a, const struct rbac_rule *rule)
{
	for (size_t i = 0; !a->has_namespaces && i < a->n_requests; i++)
		if (rbac_rule_covers(&a->requests[i], rule))
			return true;
	return false;
}

/* "pods/" and a star of the policy holds "pods/log"; what isn't as in a role's rule is looked at as if it met. */
static bool may_take(const struct rbac_audit_rule *a, const struct rbac_rule *rule)
{
	for (size_t i = 0; i < a->n_requests; i++) {
		struct rbac_rule wide = a->requests[i];
		for (size_t k = 0; k < wide.resources.n; k++)
			if (bh_slice_ends(wide.resources.ptr[k], BH_SLICE_LIT("/*"))) {
				wide.resources = (struct rbac_words){ &star, 1 };
				break;
			}
		if (rbac_rules_meet(&wide, rule))
			return true;
	}
	return false;
}

const struct rbac_audit_rule *rbac_unlogged_by(const struct rbac_unlogged *u, const struct rbac_subject *s, const struct rbac_user *user, const struct rbac_rule *rule,
					       bool *wholly)
{
	const struct rbac_audit_rule *some = NULL;
	*wholly = false;
	for (size_t i = 0; i < u->n_rules; i++) {
		const struct rbac_audit_rule *a = &u->rules[i];
		if (a->is_logged && a->users.n + a->groups.n == 0 && takes_all_of(a, rule))
			return some;
		if (a->is_logged || !may_be(a, s, user) || !may_take(a, rule))
			continue;
		*wholly = takes_all_of(a, rule);
		if (*wholly)
			return a;
		some = some ? some : a;
	}
	return some;
}
