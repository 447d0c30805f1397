/* rbac.c: roles and bindings of objects: reading, aggregation, and the index by subject (rbac.h). */
#include "kube/rbac.h"

#include "kube/rbac_model.h"
#include "kube/selector.h"

#define ARENA_BYTES_MAX (512u << 20)
#define GRANTS_MAX 4000000u
#define PROBLEMS_MAX 10000u
#define AGGREGATION_STEPS_MAX 100000000u /* roles looked at for selectors, and rules taken: a few seconds */
#define RULES_MAX 8000000u               /* of all aggregated roles together */

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the roles and bindings need more memory than there is for them");
}

/* ---- by name ---- */

/* Empty: there was no memory. */
static struct bh_slice make_key(struct rbac *r, bool is_cluster, struct bh_slice namespace, struct bh_slice name)
{
	const size_t n = 1 + sizeof(namespace.len) + namespace.len + name.len;
	uint8_t *key = n <= RBAC_KEY_BYTES_MAX ? bh_arena_alloc(&r->arena, n) : NULL;
	if (!key)
		return (struct bh_slice){ 0 };
	key[0] = is_cluster;
	memcpy(key + 1, &namespace.len, sizeof(namespace.len));
	if (namespace.len)
		memcpy(key + 1 + sizeof(namespace.len), namespace.ptr, namespace.len);
	if (name.len)
		memcpy(key + n - name.len, name.ptr, name.len);
	return (struct bh_slice){ key, n };
}

bool rbac_add_role(struct rbac *r, struct rbac_role *role, struct rbac_rule *rules, bool only_missing)
{
	struct bh_slice key = make_key(r, role->is_cluster, role->namespace, role->name);
	struct rbac_role **at = key.len ? (struct rbac_role **)bh_map_put(&r->role_of, key) : NULL;
	if (!at)
		return false;
	if (*at && only_missing)
		return true;
	for (size_t i = 0; *at && i < role->n_written; i++)
		rules[i].role = *at;
	if (*at) {
		**at = *role;
		return true;
	}
	*at = role;
	return rbac_role_vec_push(&r->roles, role);
}

bool rbac_add_binding(struct rbac *r, struct rbac_binding *b, bool only_missing)
{
	struct bh_slice key = make_key(r, b->namespace.len == 0, b->namespace, b->name);
	struct rbac_binding **at = key.len ? (struct rbac_binding **)bh_map_put(&r->binding_of, key) : NULL;
	if (!at)
		return false;
	if (*at && only_missing)
		return true;
	if (*at) {
		**at = *b;
		return true;
	}
	*at = b;
	return rbac_binding_vec_push(&r->bindings, b);
}

const struct rbac_role *rbac_find_role(const struct rbac *r, bool is_cluster, struct bh_slice namespace, struct bh_slice name)
{
	struct rbac scratch = { 0 };
	bh_arena_init(&scratch.arena, RBAC_KEY_BYTES_MAX * 2);
	if (is_cluster)
		namespace = (struct bh_slice){ 0 };
	struct bh_slice key = make_key(&scratch, is_cluster, namespace, name);
	const struct rbac_role *role = key.len ? bh_map_get(&r->role_of, key) : NULL;
	bh_arena_done(&scratch.arena);
	return role;
}

/* ---- reading ---- */

struct reading {
	struct rbac *rbac;
	const struct kube_object *object;
	struct bh_err *err;
};

static uint32_t line_of(const struct reading *r, struct cel_value v)
{
	struct bh_buf path;
	bh_buf_init(&path, 4096);
	uint32_t line = v.kind == CEL_MAP ? kube_tree_find(r->object->tree, v.map, (struct bh_slice){ 0 }, &path) : 0;
	bh_buf_done(&path);
	return line ? line : r->object->line;
}

static int complain(struct reading *r, uint32_t line, const char *what)
{
	const struct kube_object *o = r->object;
	struct kube_problem p = { .file = o->file, .document = o->document, .line = line };
	const char *text = bh_arena_printf(&r->rbac->arena, "%.*s %.*s: %s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->name), what);
	p.text = bh_slice_str(text);
	return text && kube_problem_vec_push(&r->rbac->problems, p) ? 0 : no_memory(r->err);
}

/* A list of texts; *bad when it is something else, or holds something else. */
static int read_words(struct reading *r, struct cel_value list, struct rbac_words *ret, bool *bad)
{
	size_t n = kube_length(list);
	struct bh_slice *words = bh_arena_array(&r->rbac->arena, n + 1, sizeof(*words));
	if (!words)
		return no_memory(r->err);
	*bad |= list.kind != CEL_LIST && list.kind != CEL_NULL;
	*ret = (struct rbac_words){ .ptr = words };
	for (size_t i = 0; i < n; i++) {
		if (list.list->items[i].kind == CEL_STRING)
			words[ret->n++] = list.list->items[i].text;
		else
			*bad = true;
	}
	return 0;
}

static int read_rule(struct reading *r, struct cel_value v, const struct rbac_role *role, struct rbac_rule *ret)
{
	bool bad = v.kind != CEL_MAP;
	*ret = (struct rbac_rule){ .role = role, .line = line_of(r, v) };
	const struct {
		const char *field;
		struct rbac_words *words;
	} fields[] = { { "verbs", &ret->verbs }, { "apiGroups", &ret->groups }, { "resources", &ret->resources },
		       { "resourceNames", &ret->names }, { "nonResourceURLs", &ret->urls } };
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		int rc = read_words(r, kube_get(v, fields[i].field), fields[i].words, &bad);
		if (rc < 0)
			return rc;
	}
	return bad ? complain(r, ret->line, "a rule that is not made of lists of texts") : 0;
}

static int read_rules(struct reading *r, struct rbac_role *role, struct rbac_rule **ret)
{
	struct cel_value list = kube_get(r->object->value, "rules");
	size_t n = kube_length(list);
	struct rbac_rule *rules = bh_arena_array(&r->rbac->arena, n + 1, sizeof(*rules));
	if (!rules)
		return no_memory(r->err);
	int rc = list.kind == CEL_LIST || list.kind == CEL_NULL ? 0 : complain(r, r->object->line, "rules that are no list");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_rule(r, list.list->items[i], role, &rules[i]);
	role->written = *ret = rules;
	role->n_written = n;
	return rc;
}

static int read_role(struct reading *r, bool is_cluster)
{
	const struct kube_object *o = r->object;
	struct rbac_role *role = BH_ARENA_NEW(&r->rbac->arena, struct rbac_role);
	if (!role)
		return no_memory(r->err);
	*role = (struct rbac_role){ .is_cluster = is_cluster, .name = o->name, .object = o };
	if (!is_cluster)
		role->namespace = kube_namespace(o);
	role->labels = kube_path(o->value, "metadata.labels");
	role->selectors = kube_path(o->value, "aggregationRule.clusterRoleSelectors");
	role->is_aggregated = is_cluster && kube_get(o->value, "aggregationRule").kind == CEL_MAP;
	struct rbac_rule *rules = NULL;
	int rc = read_rules(r, role, &rules);
	return rc < 0 ? rc : rbac_add_role(r->rbac, role, rules, false) ? 0 : no_memory(r->err);
}

/* False: no subject that could be somebody. */
static bool read_subject(const struct rbac_binding *b, struct cel_value v, struct rbac_subject *ret)
{
	static const char *const kinds[] = { "User", "Group", "ServiceAccount" };
	struct bh_slice kind = kube_text(v, "kind");
	*ret = (struct rbac_subject){ .name = kube_text(v, "name") };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (bh_slice_eq_str(kind, kinds[i])) {
			ret->kind = (enum rbac_subject_kind)i;
			if (ret->kind == RBAC_SERVICE_ACCOUNT)
				ret->namespace = kube_text(v, "namespace").len ? kube_text(v, "namespace") : b->namespace;
			return ret->name.len && (ret->kind != RBAC_SERVICE_ACCOUNT || ret->namespace.len);
		}
	return false;
}

static int read_subjects(struct reading *r, struct rbac_binding *b)
{
	struct cel_value list = kube_get(r->object->value, "subjects");
	size_t n = kube_length(list);
	struct rbac_subject *subjects = bh_arena_array(&r->rbac->arena, n + 1, sizeof(*subjects));
	if (!subjects)
		return no_memory(r->err);
	int rc = list.kind == CEL_LIST || list.kind == CEL_NULL ? 0 : complain(r, r->object->line, "subjects that are no list");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct rbac_subject *s = &subjects[b->n_subjects];
		if (read_subject(b, list.list->items[i], s)) {
			s->index = (uint32_t)i;
			b->n_subjects++;
		} else
			rc = complain(r, line_of(r, list.list->items[i]), "a subject that is no User, Group or ServiceAccount with a name, the last with a namespace");
	}
	b->subjects = subjects;
	return rc;
}

static int read_binding(struct reading *r, bool is_cluster)
{
	const struct kube_object *o = r->object;
	struct rbac_binding *b = BH_ARENA_NEW(&r->rbac->arena, struct rbac_binding);
	if (!b)
		return no_memory(r->err);
	*b = (struct rbac_binding){ .name = o->name, .object = o };
	if (!is_cluster)
		b->namespace = kube_namespace(o);
	b->role_kind = kube_text(o->value, "roleRef.kind");
	b->role_name = kube_text(o->value, "roleRef.name");
	bool good = b->role_name.len && (bh_slice_eq_str(b->role_kind, "ClusterRole") || (!is_cluster && bh_slice_eq_str(b->role_kind, "Role")));
	int rc = good ? 0 : complain(r, o->line, is_cluster ? "a roleRef that is no ClusterRole" : "a roleRef that is no Role and no ClusterRole");
	rc = rc < 0 ? rc : read_subjects(r, b);
	return rc < 0 ? rc : rbac_add_binding(r->rbac, b, false) ? 0 : no_memory(r->err);
}

static int read_object(struct reading *r)
{
	static const struct {
		const char *kind;
		int (*read)(struct reading *r, bool is_cluster);
		bool is_cluster;
	} kinds[] = { { "Role", read_role, false }, { "ClusterRole", read_role, true }, { "RoleBinding", read_binding, false },
		      { "ClusterRoleBinding", read_binding, true } };
	const struct kube_object *o = r->object;
	if (!bh_slice_eq_str(o->group, "rbac.authorization.k8s.io"))
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (bh_slice_eq_str(o->kind, kinds[i].kind))
			return o->name.len ? kinds[i].read(r, kinds[i].is_cluster) : complain(r, o->line, "it has no name");
	return complain(r, o->line, "an unknown kind of rbac.authorization.k8s.io");
}

/* ---- aggregation ---- */

BH_VEC(rule_vec, const struct rbac_rule *)

struct aggregation {
	struct rbac *rbac;
	struct rbac_role **queue; /* aggregated roles that the one in work selects, itself first */
	struct bh_map seen;       /* roles that gave their rules already */
	struct rule_vec rules;
	uint64_t steps;
	size_t total;
};

static bool is_selected(const struct rbac_role *by, const struct rbac_role *role)
{
	for (size_t i = 0; by->selectors.kind == CEL_LIST && i < by->selectors.list->len; i++)
		if (by->selectors.list->items[i].kind == CEL_MAP && kube_selects(by->selectors.list->items[i], role->labels))
			return true;
	return false;
}

/* A role that came from a cluster holds what the controller put there, also of roles that the set lacks; one from a file is overwritten. */
static bool keeps_its_rules(const struct rbac_role *role)
{
	return !role->is_aggregated || (role->object && kube_text(role->object->value, "metadata.uid").len);
}

static bool take_rules(struct aggregation *a, const struct rbac_role *role)
{
	for (size_t i = 0; keeps_its_rules(role) && i < role->n_written; i++)
		if (!rule_vec_push(&a->rules, &role->written[i]))
			return false;
	return true;
}

/* What `by` selects and nobody selected before: its rules, and when it selects others itself, a place in the queue. */
static bool take_selected(struct aggregation *a, const struct rbac_role *by, size_t *queued)
{
	const struct rbac_role_vec *all = &a->rbac->roles;
	for (size_t i = 0; i < all->len; i++) {
		struct rbac_role *role = all->ptr[i];
		if (++a->steps > AGGREGATION_STEPS_MAX)
			return false;
		if (!role->is_cluster || !is_selected(by, role))
			continue;
		void **seen = bh_map_put(&a->seen, (struct bh_slice){ (const uint8_t *)&all->ptr[i], sizeof(all->ptr[i]) });
		if (!seen)
			return false;
		if (*seen)
			continue;
		*seen = role;
		if (!take_rules(a, role))
			return false;
		if (role->is_aggregated)
			a->queue[(*queued)++] = role;
	}
	return true;
}

/* Cycles end: a role is taken once. */
static bool aggregate_role(struct aggregation *a, struct rbac_role *role)
{
	size_t queued = 1;
	a->queue[0] = role;
	a->rules = (struct rule_vec){ .max = RULES_MAX };
	bh_map_init(&a->seen, a->rbac->roles.len + 1);
	bool ok = take_rules(a, role);
	for (size_t i = 0; ok && i < queued; i++)
		ok = take_selected(a, a->queue[i], &queued);
	a->total += a->rules.len;
	const struct rbac_rule **rules = ok && a->total <= RULES_MAX ? bh_arena_array(&a->rbac->arena, a->rules.len + 1, sizeof(*rules)) : NULL;
	if (rules && a->rules.len)
		memcpy(rules, a->rules.ptr, a->rules.len * sizeof(*rules));
	role->rules = rules;
	role->n_rules = rules ? a->rules.len : 0;
	bh_map_done(&a->seen);
	rule_vec_done(&a->rules);
	return rules != NULL;
}

static bool take_own_rules(struct rbac *r, struct rbac_role *role)
{
	const struct rbac_rule **rules = bh_arena_array(&r->arena, role->n_written + 1, sizeof(*rules));
	for (size_t i = 0; rules && i < role->n_written; i++)
		rules[i] = &role->written[i];
	role->rules = rules;
	role->n_rules = rules ? role->n_written : 0;
	return rules != NULL;
}

static int aggregate(struct rbac *r, struct bh_err *err)
{
	/* Itself, and each role once. */
	struct aggregation a = { .rbac = r, .queue = bh_arena_array(&r->arena, r->roles.len + 1, sizeof(*a.queue)) };
	for (size_t i = 0; a.queue && i < r->roles.len; i++) {
		struct rbac_role *role = r->roles.ptr[i];
		if (!(role->is_aggregated ? aggregate_role(&a, role) : take_own_rules(r, role)))
			return bh_fail(err, BH_ELIMIT, 0, "aggregated ClusterRoles select too much: ClusterRole %.*s", BH_SLICE_FMT(role->name));
	}
	return a.queue ? 0 : no_memory(err);
}

/* ---- who is bound ---- */

static struct bh_slice subject_key(struct rbac *r, const struct rbac_subject *s)
{
	static const char *const before[] = { "u", "g", "usystem:serviceaccount:" };
	struct bh_buf key;
	struct bh_slice ret = { 0 };
	bh_buf_init(&key, RBAC_KEY_BYTES_MAX);
	bh_buf_add_str(&key, before[s->kind]);
	if (s->kind == RBAC_SERVICE_ACCOUNT) {
		bh_buf_add(&key, s->namespace);
		bh_buf_add_byte(&key, ':');
	}
	bh_buf_add(&key, s->name);
	if (key.failed || !bh_arena_copy(&r->arena, bh_buf_slice(&key), &ret))
		ret = (struct bh_slice){ 0 };
	bh_buf_done(&key);
	return ret;
}

/* The map holds the last grant of a subject, whose next is the first, until all are there. */
static bool add_grant(struct rbac *r, const struct rbac_binding *b, const struct rbac_subject *s)
{
	struct bh_slice key = subject_key(r, s);
	struct rbac_grant **last = key.len ? (struct rbac_grant **)bh_map_put(&r->grants, key) : NULL;
	if (!last)
		return false;
	if (*last && (*last)->binding == b) /* named twice */
		return true;
	struct rbac_grant *grant = BH_ARENA_NEW(&r->arena, struct rbac_grant);
	if (!grant)
		return false;
	*grant = (struct rbac_grant){ b, grant };
	if (*last) {
		grant->next = (*last)->next;
		(*last)->next = grant;
	}
	*last = grant;
	return true;
}

static void open_rings(struct rbac *r)
{
	for (size_t i = 0; i < r->grants.len; i++) {
		struct rbac_grant *last = r->grants.entries[i].value;
		r->grants.entries[i].value = last->next;
		last->next = NULL;
	}
}

static int bind(struct rbac *r, struct bh_err *err)
{
	for (size_t i = 0; i < r->bindings.len; i++) {
		struct rbac_binding *b = r->bindings.ptr[i];
		b->role = b->namespace.len == 0 && !bh_slice_eq_str(b->role_kind, "ClusterRole") ?
				  NULL :
				  rbac_find_role(r, bh_slice_eq_str(b->role_kind, "ClusterRole"), b->namespace, b->role_name);
		for (size_t k = 0; k < b->n_subjects; k++)
			if (!add_grant(r, b, &b->subjects[k]))
				return no_memory(err);
	}
	open_rings(r);
	return 0;
}

/* ---- the whole ---- */

static int build(struct rbac *r, const struct kube_object_vec *objects, enum rbac_defaults defaults, struct bh_err *err)
{
	struct reading reading = { .rbac = r, .err = err };
	for (size_t i = 0; i < objects->len; i++) {
		reading.object = &objects->ptr[i];
		int rc = read_object(&reading);
		if (rc < 0)
			return rc;
	}
	bool lacks_them = !rbac_find_role(r, true, (struct bh_slice){ 0 }, BH_SLICE_LIT("cluster-admin"));
	if ((defaults == RBAC_DEFAULTS_YES || (defaults == RBAC_DEFAULTS_AUTO && lacks_them)) && !rbac_add_defaults(r))
		return no_memory(err);
	int rc = aggregate(r, err);
	return rc < 0 ? rc : bind(r, err);
}

int rbac_new(const struct kube_object_vec *objects, enum rbac_defaults defaults, struct rbac **ret, struct bh_err *err)
{
	struct rbac *r = calloc(1, sizeof(*r));
	if (!r)
		return no_memory(err);
	bh_arena_init(&r->arena, ARENA_BYTES_MAX);
	r->roles.max = r->bindings.max = RBAC_ROLES_MAX + 1000;
	r->problems.max = PROBLEMS_MAX;
	bh_map_init(&r->role_of, RBAC_ROLES_MAX + 1000);
	bh_map_init(&r->binding_of, RBAC_ROLES_MAX + 1000);
	bh_map_init(&r->grants, GRANTS_MAX);
	int rc = build(r, objects, defaults, err);
	if (rc < 0)
		rbac_free(r);
	else
		*ret = r;
	return rc;
}

void rbac_free(struct rbac *r)
{
	if (!r)
		return;
	rbac_role_vec_done(&r->roles);
	rbac_binding_vec_done(&r->bindings);
	kube_problem_vec_done(&r->problems);
	bh_map_done(&r->role_of);
	bh_map_done(&r->binding_of);
	bh_map_done(&r->grants);
	bh_arena_done(&r->arena);
	free(r);
}
