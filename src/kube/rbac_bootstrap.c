/* rbac_bootstrap.c: the roles and bindings that an API server makes at its start, from the table that tools/rbac-bootstrap makes. */
#include "kube/rbac_model.h"

enum kind { BOOT_ROLE, BOOT_RULE, BOOT_BINDING, BOOT_SUBJECT };

/* Words are parted by commas; the core group is the empty one. */
struct line {
	enum kind kind;
	enum rbac_subject_kind subject;
	const char *text[5];
};

#define ROLE(namespace, name, to, of) { BOOT_ROLE, RBAC_USER, { namespace, name, to, of } },
#define RULE(verbs, groups, resources, names, urls) { BOOT_RULE, RBAC_USER, { verbs, groups, resources, names, urls } },
#define BINDING(namespace, name, kind, role) { BOOT_BINDING, RBAC_USER, { namespace, name, kind, role } },
#define SUBJECT(kind, namespace, name) { BOOT_SUBJECT, kind, { namespace, name } },

static const struct line lines[] = {
#include "kube/rbac_bootstrap.def"
};

#define N_LINES (sizeof(lines) / sizeof(*lines))
#define AGGREGATE "rbac.authorization.k8s.io/aggregate-to-"

static size_t count_words(struct bh_slice text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ',';
	return n;
}

static bool split(struct rbac *r, const char *list, struct rbac_words *ret)
{
	struct bh_slice rest = bh_slice_str(list);
	size_t n = count_words(rest);
	struct bh_slice *words = bh_arena_array(&r->arena, n, sizeof(*words));
	for (size_t i = 0; words && i < n; i++)
		(void)bh_slice_cut(rest, ',', &words[i], &rest);
	*ret = (struct rbac_words){ words, n };
	return words != NULL;
}

static bool make_rule(struct rbac *r, const struct line *l, const struct rbac_role *role, struct rbac_rule *ret)
{
	*ret = (struct rbac_rule){ .role = role };
	return split(r, l->text[0], &ret->verbs) && (!*l->text[2] || (split(r, l->text[1], &ret->groups) && split(r, l->text[2], &ret->resources)))
	       && (!*l->text[3] || split(r, l->text[3], &ret->names)) && (!*l->text[4] || split(r, l->text[4], &ret->urls));
}

/* { "rbac.authorization.k8s.io/aggregate-to-NAME": "true" ... }, and what all have when own. */
static struct cel_value make_labels(struct rbac *r, const char *list, bool own)
{
	struct rbac_words names = { 0 };
	if (*list && !split(r, list, &names))
		return cel_null();
	struct cel_entry *entries = bh_arena_array(&r->arena, names.n + 1, sizeof(*entries));
	size_t n = 0;
	for (size_t i = 0; entries && i < names.n; i++) {
		const char *label = bh_arena_printf(&r->arena, AGGREGATE "%.*s", BH_SLICE_FMT(names.ptr[i]));
		if (!label)
			return cel_null();
		entries[n++] = (struct cel_entry){ cel_string(bh_slice_str(label)), cel_string(BH_SLICE_LIT("true")) };
	}
	if (entries && own)
		entries[n++] = (struct cel_entry){ cel_string(BH_SLICE_LIT("kubernetes.io/bootstrapping")), cel_string(BH_SLICE_LIT("rbac-defaults")) };
	return entries ? cel_map_of(&r->arena, entries, n) : cel_null();
}

/* [ { "matchLabels": labels } ] */
static struct cel_value make_selectors(struct rbac *r, const char *list)
{
	struct cel_entry *entry = BH_ARENA_NEW(&r->arena, struct cel_entry);
	struct cel_value *selector = BH_ARENA_NEW(&r->arena, struct cel_value);
	if (!entry || !selector)
		return cel_null();
	*entry = (struct cel_entry){ cel_string(BH_SLICE_LIT("matchLabels")), make_labels(r, list, false) };
	*selector = cel_map_of(&r->arena, entry, 1);
	return cel_list_of(&r->arena, selector, 1);
}

static size_t count_kind(size_t i, enum kind kind)
{
	size_t n = 0;
	while (i + n < N_LINES && lines[i + n].kind == kind)
		n++;
	return n;
}

static bool add_role(struct rbac *r, size_t i)
{
	const struct line *l = &lines[i];
	size_t n = count_kind(i + 1, BOOT_RULE);
	struct rbac_role *role = BH_ARENA_NEW(&r->arena, struct rbac_role);
	struct rbac_rule *rules = bh_arena_array(&r->arena, n + 1, sizeof(*rules));
	if (!role || !rules)
		return false;
	*role = (struct rbac_role){ .is_cluster = !*l->text[0], .is_default = true, .namespace = bh_slice_str(l->text[0]), .name = bh_slice_str(l->text[1]),
				    .is_aggregated = *l->text[3] != '\0', .written = rules, .n_written = n };
	role->labels = make_labels(r, l->text[2], true);
	if (role->is_aggregated)
		role->selectors = make_selectors(r, l->text[3]);
	for (size_t k = 0; k < n; k++)
		if (!make_rule(r, &lines[i + 1 + k], role, &rules[k]))
			return false;
	return role->labels.kind == CEL_MAP && (!role->is_aggregated || role->selectors.kind == CEL_LIST) && rbac_add_role(r, role, rules, true);
}

static bool add_binding(struct rbac *r, size_t i)
{
	const struct line *l = &lines[i];
	size_t n = count_kind(i + 1, BOOT_SUBJECT);
	struct rbac_binding *b = BH_ARENA_NEW(&r->arena, struct rbac_binding);
	struct rbac_subject *subjects = bh_arena_array(&r->arena, n + 1, sizeof(*subjects));
	if (!b || !subjects)
		return false;
	*b = (struct rbac_binding){ .is_default = true, .namespace = bh_slice_str(l->text[0]), .name = bh_slice_str(l->text[1]), .role_kind = bh_slice_str(l->text[2]),
				    .role_name = bh_slice_str(l->text[3]), .subjects = subjects, .n_subjects = n };
	for (size_t k = 0; k < n; k++) {
		const struct line *s = &lines[i + 1 + k];
		subjects[k] = (struct rbac_subject){ s->subject, bh_slice_str(s->text[0]), bh_slice_str(s->text[1]), (uint32_t)k };
	}
	return rbac_add_binding(r, b, true);
}

bool rbac_add_defaults(struct rbac *r)
{
	bool ok = true;
	for (size_t i = 0; ok && i < N_LINES; i++)
		if (lines[i].kind == BOOT_ROLE)
			ok = add_role(r, i);
		else if (lines[i].kind == BOOT_BINDING)
			ok = add_binding(r, i);
	return ok;
}

/* ---- is an object one of them? ---- */

/* A list of texts, in the order of the table. */
static bool has_words(struct cel_value rule, const char *key, const char *list)
{
	struct cel_value have = kube_get(rule, key);
	struct bh_slice rest = bh_slice_str(list), word;
	size_t n = have.kind == CEL_LIST ? have.list->len : 0;
	if (n == 0)
		return !*list;
	for (size_t i = 0; i < n; i++) {
		bool more = bh_slice_cut(rest, ',', &word, &rest);
		if (have.list->items[i].kind != CEL_STRING || !bh_slice_eq(have.list->items[i].text, word) || more != (i + 1 < n))
			return false;
	}
	return true;
}

static bool is_rule(struct cel_value rule, const struct line *l)
{
	static const char *const keys[] = { "verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs" };
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!has_words(rule, keys[i], l->text[i]))
			return false;
	return true;
}

/* Is every rule one of the n lines? */
static bool has_rules(const struct kube_object *o, const struct line *l, size_t n)
{
	struct cel_value rules = kube_get(o->value, "rules");
	for (size_t i = 0; i < kube_length(rules); i++) {
		bool found = false;
		for (size_t k = 0; !found && k < n; k++)
			found = l[k].kind == BOOT_RULE && is_rule(rules.list->items[i], &l[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool has_subjects(const struct kube_object *o, const struct line *l, size_t n)
{
	static const char *const kinds[] = { [RBAC_USER] = "User", [RBAC_GROUP] = "Group", [RBAC_SERVICE_ACCOUNT] = "ServiceAccount" };
	struct cel_value subjects = kube_get(o->value, "subjects");
	for (size_t i = 0; i < kube_length(subjects); i++) {
		struct cel_value s = subjects.list->items[i];
		bool found = false;
		for (size_t k = 0; !found && k < n; k++)
			found = bh_slice_eq_str(kube_text(s, "kind"), kinds[l[k].subject]) && bh_slice_eq_str(kube_text(s, "name"), l[k].text[1])
				&& bh_slice_eq_str(kube_text(s, "namespace"), l[k].text[0]);
		if (!found)
			return false;
	}
	return true;
}

static bool is_named(const struct kube_object *o, size_t i)
{
	bool is_role = lines[i].kind == BOOT_ROLE;
	const char *kind = is_role ? (*lines[i].text[0] ? "Role" : "ClusterRole") : *lines[i].text[0] ? "RoleBinding" : "ClusterRoleBinding";
	return (is_role || lines[i].kind == BOOT_BINDING) && bh_slice_eq_str(o->kind, kind) && bh_slice_eq_str(o->name, lines[i].text[1])
	       && bh_slice_eq_str(o->namespace, lines[i].text[0]);
}

bool rbac_is_default(const struct kube_object *o)
{
	size_t i = 0;
	if (!bh_slice_eq_str(o->group, "rbac.authorization.k8s.io"))
		return false;
	while (i < N_LINES && !is_named(o, i))
		i++;
	if (i == N_LINES)
		return false;
	if (lines[i].kind == BOOT_ROLE)
		return *lines[i].text[3] ? has_rules(o, lines, N_LINES) : has_rules(o, &lines[i + 1], count_kind(i + 1, BOOT_RULE));
	struct cel_value ref = kube_get(o->value, "roleRef");
	return bh_slice_eq_str(kube_text(ref, "kind"), lines[i].text[2]) && bh_slice_eq_str(kube_text(ref, "name"), lines[i].text[3])
	       && has_subjects(o, &lines[i + 1], count_kind(i + 1, BOOT_SUBJECT));
}
