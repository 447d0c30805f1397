/* rbac_unused_objects.c: what the objects alone show to be of no use (rbac_unused.h). */
#include "kube/rbac_model.h"
#include "kube/rbac_text.h"
#include "kube/rbac_unused_model.h"
#include "kube/workload.h"

#define COMPARISONS_MAX 500000000ull /* of rules and of subjects: some seconds */
#define DEPTH_MAX 64u                /* of the fields of an object that are looked through for accounts */

struct comparing {
	uint64_t steps;
	bool told; /* that there were too many */
};

static int say_gone(struct rbac_leftovers *l, const void *part)
{
	return rbac_set_gone(l, part) ? rbac_say_unused(l) : bh_fail(l->err, BH_ELIMIT, 0, "too many needless rules and subjects");
}

static int give_up(struct rbac_leftovers *l, struct comparing *c)
{
	if (c->told)
		return 0;
	c->told = true;
	return rbac_say_unjudged(l, NULL, 0, "too many rules and bindings to compare all of them with each other: not all that another one holds is named");
}

/* ---- bindings ---- */

/* Who isn't among the objects, but in the log, was there. */
static bool is_missing(struct rbac_leftovers *l, const struct rbac_subject *s)
{
	if (s->kind != RBAC_SERVICE_ACCOUNT || l->accounts.len == 0 || bh_slice_eq_str(s->name, "default") || rbac_seen_events(l, s))
		return false;
	bh_arena_clear(&l->scratch);
	const char *key = bh_arena_printf(&l->scratch, "%.*s/%.*s", BH_SLICE_FMT(s->namespace), BH_SLICE_FMT(s->name));
	return key && !bh_map_get(&l->accounts, bh_slice_str(key));
}

static bool same_subject(const struct rbac_subject *a, const struct rbac_subject *b)
{
	return a->kind == b->kind && bh_slice_eq(a->name, b->name) && bh_slice_eq(a->namespace, b->namespace);
}

static int judge_subjects(struct rbac_leftovers *l, const struct rbac_binding *b, struct comparing *c)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->n_subjects; i++) {
		size_t first = 0;
		while (first < i && !same_subject(&b->subjects[first], &b->subjects[i]))
			first++;
		c->steps += first + 1;
		if (c->steps > COMPARISONS_MAX)
			return give_up(l, c);
		if (first < i) {
			rbac_about_subject(l, "shadowed-subject", b, i);
			bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "it is subjects[%u] already", b->subjects[first].index);
			rc = say_gone(l, &b->subjects[i]);
		} else if (is_missing(l, &b->subjects[i])) {
			rbac_about_subject(l, "missing-subject", b, i);
			bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "there is no such service account: whoever makes it has its rights");
			rc = say_gone(l, &b->subjects[i]);
		}
	}
	return rc;
}

static int judge_binding(struct rbac_leftovers *l, const struct rbac_binding *b, struct comparing *c)
{
	int rc = judge_subjects(l, b, c);
	if (rc == 0 && b->n_subjects == 0) {
		rbac_about_binding(l, "no-subjects", b);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "it gives its role to nobody");
		rc = rbac_say_unused(l);
	}
	if (rc < 0 || b->role || b->role_name.len == 0)
		return rc;
	rbac_about_binding(l, "missing-role", b);
	bh_buf_add_str(&l->cells.text[RBAC_UNUSED_AT], "roleRef");
	rbac_print_role(&l->cells.text[RBAC_UNUSED_VALUE], b);
	bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "there is no such role: whoever makes it gives its rights");
	return rbac_say_unused(l);
}

/* ---- bindings that another one holds ---- */

static bool binding_covers(const struct rbac_binding *b, const struct rbac_binding *other, struct comparing *c)
{
	return b->role && other->role && (b->namespace.len == 0 || bh_slice_eq(b->namespace, other->namespace)) && rbac_role_covers(b->role, other->role, &c->steps);
}

static size_t index_of_subject(const struct rbac_binding *b, struct bh_slice key)
{
	struct bh_slice name = bh_slice_sub(key, 1, SIZE_MAX);
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct rbac_subject *s = &b->subjects[i];
		if (key.ptr[0] == 'g' ? s->kind == RBAC_GROUP && bh_slice_eq(s->name, name) : rbac_is_subject(s, name))
			return i;
	}
	return b->n_subjects;
}

/* Of those that hold each other the first one stays; URLs hold everywhere or nowhere, so that a RoleBinding's say nothing. */
static const struct rbac_binding *holder_of(const struct rbac_grant *all, const struct rbac_grant *g, struct comparing *c)
{
	bool before = true;
	for (const struct rbac_grant *other = all; other && c->steps <= COMPARISONS_MAX; other = other->next) {
		c->steps++;
		if (other == g)
			before = false;
		else if (binding_covers(other->binding, g->binding, c) && (before || !binding_covers(g->binding, other->binding, c)))
			return other->binding;
	}
	return NULL;
}

static int judge_grants(struct rbac_leftovers *l, const struct bh_map_entry *e, struct comparing *c)
{
	int rc = 0;
	for (const struct rbac_grant *g = e->value; rc == 0 && g; g = g->next) {
		const struct rbac_binding *b = g->binding, *by;
		if (!rbac_is_own_binding(b) || !b->role || b->role->n_rules == 0 || !(by = holder_of(e->value, g, c)))
			continue;
		size_t i = index_of_subject(b, e->key);
		if (i == b->n_subjects)
			continue;
		rbac_about_subject(l, "shadowed-subject", b, i);
		struct bh_buf *why = &l->cells.text[RBAC_UNUSED_WHY];
		rbac_print_binding(why, by);
		bh_buf_add_str(why, " gives it the same and more, or as much, by ");
		rbac_print_role(why, by);
		bh_buf_add_str(why, " (");
		rbac_print_binding_place(why, by);
		bh_buf_add_byte(why, ')');
		rc = say_gone(l, &b->subjects[i]);
	}
	return rc < 0 || c->steps <= COMPARISONS_MAX ? rc : give_up(l, c);
}

/* ---- roles ---- */

static bool holds_word(enum rbac_part part, const struct rbac_words *words, size_t by, size_t i)
{
	return by != i && rbac_word_covers(part, words->ptr[by], words->ptr[i]) && (by < i || !rbac_word_covers(part, words->ptr[i], words->ptr[by]));
}

static int judge_words(struct rbac_leftovers *l, const struct rbac_rule *rule, enum rbac_part part, struct comparing *c)
{
	const struct rbac_words *words = rbac_part_of(rule, part);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < words->n; i++) {
		size_t by = 0;
		while (by < words->n && !holds_word(part, words, by, i))
			by++;
		c->steps += by + 1;
		if (c->steps > COMPARISONS_MAX)
			return give_up(l, c);
		if (by == words->n)
			continue;
		rbac_about_word(l, "shadowed-word", rule, part, i);
		bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "%s[%zu], %.*s, holds it", rbac_part_fields[part], by, BH_SLICE_FMT(words->ptr[by]));
		rc = say_gone(l, &words->ptr[i]);
	}
	return rc;
}

static const struct rbac_rule *rule_holding(const struct rbac_role *role, size_t i, struct comparing *c)
{
	const struct rbac_rule *rule = &role->written[i];
	for (size_t k = 0; k < role->n_written; k++) {
		const struct rbac_rule *other = &role->written[k];
		c->steps += 1 + other->verbs.n + other->resources.n;
		if (k != i && rbac_rule_covers(other, rule) && (k < i || !rbac_rule_covers(rule, other)))
			return other;
	}
	return NULL;
}

static int judge_rule(struct rbac_leftovers *l, const struct rbac_role *role, size_t i, struct comparing *c)
{
	const struct rbac_rule *rule = &role->written[i], *by;
	int rc = 0;
	if (rbac_rule_is_void(rule, role->is_cluster)) {
		rbac_about_rule(l, "void-rule", rule);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], rule->names.n ? "names can't be told of what is created, or deleted as a whole: it allows nothing" :
								rule->urls.n  ? "URLs are of no namespace: only a ClusterRole allows them" :
										"without verbs, or without groups and resources, it allows nothing");
		return say_gone(l, rule);
	}
	if (c->steps > COMPARISONS_MAX)
		return give_up(l, c);
	if ((by = rule_holding(role, i, c))) {
		rbac_about_rule(l, "shadowed-rule", rule);
		bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "rules[%zu] (", (size_t)(by - role->written));
		rbac_print_place(&l->cells.text[RBAC_UNUSED_WHY], by);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], ") allows all that it allows");
		return say_gone(l, rule);
	}
	for (enum rbac_part p = 0; rc == 0 && p < RBAC_PARTS; p++)
		rc = judge_words(l, rule, p, c);
	return rc;
}

static int judge_role(struct rbac_leftovers *l, const struct rbac_role *role, struct comparing *c)
{
	int rc = 0;
	if (!rbac_holders_of(l, role) && bh_map_get(&l->selected, (struct bh_slice){ (const uint8_t *)&role, sizeof(role) }))
		return 0;
	if (!rbac_holders_of(l, role)) {
		rbac_about_role(l, "unbound-role", role);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "it is bound to nobody");
		return rbac_say_unused(l);
	}
	if (role->is_aggregated) /* the controller writes its rules */
		return 0;
	if (role->n_written == 0) {
		rbac_about_role(l, "no-rules", role);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "it allows nothing");
		return rbac_say_unused(l);
	}
	for (size_t i = 0; rc == 0 && i < role->n_written; i++)
		rc = judge_rule(l, role, i, c);
	return rc;
}

/* ---- service accounts ---- */

struct naming {
	struct rbac_leftovers *l;
	struct bh_map named;           /* "namespace/name" -> what names it; without a namespace: "/name" */
	const struct kube_object *by;
	bool no_memory;
};

static void name_account(struct naming *n, struct bh_slice name)
{
	/* A custom resource of no namespace may mean any. */
	struct bh_slice namespace = kube_pod_of(n->by).kind == CEL_MAP ? kube_namespace(n->by) : n->by->namespace;
	const char *key = name.len ? bh_arena_printf(&n->l->arena, "%.*s/%.*s", BH_SLICE_FMT(namespace), BH_SLICE_FMT(name)) : "";
	void **at = key && *key ? bh_map_put(&n->named, bh_slice_str(key)) : NULL;
	n->no_memory |= !key || (*key && !at);
	if (at && !*at)
		*at = (void *)(uintptr_t)n->by;
}

/* Pods anywhere in the object say serviceAccountName; custom resources say serviceAccount, or serviceAccount.name, as well. */
static void find_names(struct naming *n, struct cel_value v, unsigned depth)
{
	for (size_t i = 0; depth < DEPTH_MAX && i < kube_length(v); i++)
		find_names(n, v.list->items[i], depth + 1);
	for (size_t i = 0; depth < DEPTH_MAX && v.kind == CEL_MAP && i < v.map->len; i++) {
		const struct cel_entry *e = &v.map->entries[i];
		static const char *const fields[] = { "serviceAccountName", "serviceAccount", NULL };
		if (e->key.kind == CEL_STRING && bh_slice_is_one_of(e->key.text, fields))
			name_account(n, e->value.kind == CEL_STRING ? e->value.text : kube_text(e->value, "name"));
		find_names(n, e->value, depth + 1);
	}
}

static bool is_named(const struct naming *n, const struct kube_object *account)
{
	struct bh_arena *scratch = &n->l->scratch;
	bh_arena_clear(scratch);
	const char *key = bh_arena_printf(scratch, "%.*s/%.*s", BH_SLICE_FMT(kube_namespace(account)), BH_SLICE_FMT(account->name));
	const char *anywhere = bh_arena_printf(scratch, "/%.*s", BH_SLICE_FMT(account->name));
	return !key || !anywhere || bh_map_get(&n->named, bh_slice_str(key)) || bh_map_get(&n->named, bh_slice_str(anywhere));
}

static size_t count_bindings(struct rbac_leftovers *l, const struct rbac_subject *s)
{
	size_t n = 0;
	struct bh_buf key;
	bh_buf_init(&key, RBAC_KEY_BYTES_MAX);
	bh_buf_printf(&key, "usystem:serviceaccount:%.*s:%.*s", BH_SLICE_FMT(s->namespace), BH_SLICE_FMT(s->name));
	for (const struct rbac_grant *g = bh_map_get(&l->r->grants, bh_buf_slice(&key)); g; g = g->next)
		n++;
	bh_buf_done(&key);
	return n;
}

static int judge_account(struct naming *n, const struct kube_object *o)
{
	struct rbac_leftovers *l = n->l;
	const struct rbac_subject s = { .kind = RBAC_SERVICE_ACCOUNT, .namespace = kube_namespace(o), .name = o->name };
	if (bh_slice_eq_str(o->name, "default") || is_named(n, o) || rbac_seen_events(l, &s))
		return 0;
	size_t bindings = count_bindings(l, &s);
	rbac_about_object(l, "unused-account", o, s.namespace, 0);
	bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "no object names it; it has %zu binding%s", bindings, bindings == 1 ? "" : "s");
	return rbac_say_unused(l);
}

static int judge_named(struct naming *n, const struct bh_map_entry *e)
{
	struct rbac_leftovers *l = n->l;
	const struct kube_object *by = e->value;
	struct bh_slice namespace, name;
	(void)bh_slice_cut(e->key, '/', &namespace, &name);
	if (kube_pod_of(by).kind != CEL_MAP || bh_slice_eq_str(name, "default") || bh_map_get(&l->accounts, e->key))
		return 0;
	struct bh_buf *c = l->cells.text;
	rbac_about_object(l, "missing-account", by, kube_namespace(by), 0);
	bh_buf_add_str(&c[RBAC_UNUSED_AT], "serviceAccountName");
	bh_buf_add(&c[RBAC_UNUSED_VALUE], name);
	bh_buf_add_str(&c[RBAC_UNUSED_WHY], "there is no such service account: the API server refuses its pods");
	return rbac_say_unused(l);
}

static int judge_accounts(struct rbac_leftovers *l)
{
	struct naming n = { .l = l };
	bool pods = false;
	int rc = 0;
	bh_map_init(&n.named, KUBE_OBJECTS_MAX);
	for (size_t i = 0; i < l->all->len; i++) {
		n.by = &l->all->ptr[i];
		pods |= kube_pod_of(n.by).kind == CEL_MAP;
		if (!bh_slice_eq_str(n.by->kind, "ServiceAccount"))
			find_names(&n, n.by->value, 0);
	}
	if (n.no_memory)
		rc = bh_fail(l->err, BH_ELIMIT, 0, "the objects name too many service accounts");
	if (rc == 0 && l->accounts.len == 0)
		rc = rbac_say_unjudged(l, NULL, 0, "no service account is among the objects: who is missing can't be told");
	else if (rc == 0 && !pods)
		rc = rbac_say_unjudged(l, NULL, 0, "no workload is among the objects: which service accounts no pod uses can't be told");
	for (size_t i = 0; rc == 0 && pods && i < l->accounts.len; i++)
		rc = judge_account(&n, l->accounts.entries[i].value);
	for (size_t i = 0; rc == 0 && l->accounts.len && i < n.named.len; i++)
		rc = judge_named(&n, &n.named.entries[i]);
	bh_map_done(&n.named);
	return rc;
}

/* ---- two of one name ---- */

static int say_same_object(struct rbac_leftovers *l, const struct kube_object *o, const struct kube_object *counts, struct bh_slice namespace)
{
	rbac_about_object(l, "same-object", o, namespace, 0);
	bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "another one of that name counts: %.*s:%u", BH_SLICE_FMT(counts->file), counts->line);
	return rbac_say_unused(l);
}

static int judge_names(struct rbac_leftovers *l)
{
	struct bh_map last;
	int rc = 0;
	bh_map_init(&last, KUBE_OBJECTS_MAX);
	for (size_t i = l->all->len; rc == 0 && i-- > 0;) {
		const struct kube_object *o = &l->all->ptr[i];
		if (!bh_slice_eq_str(o->group, "rbac.authorization.k8s.io"))
			continue;
		bool cluster = bh_slice_starts(o->kind, BH_SLICE_LIT("Cluster"));
		struct bh_slice namespace = { 0 };
		if (!cluster)
			namespace = kube_namespace(o);
		const char *key = bh_arena_printf(&l->arena, "%.*s/%.*s/%.*s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(namespace), BH_SLICE_FMT(o->name));
		void **at = key ? bh_map_put(&last, bh_slice_str(key)) : NULL;
		if (!at)
			rc = bh_fail(l->err, BH_ELIMIT, 0, "too many roles and bindings");
		else if (!*at)
			*at = (void *)(uintptr_t)o;
		else
			rc = say_same_object(l, o, *at, namespace);
	}
	bh_map_done(&last);
	return rc;
}

int rbac_unused_by_objects(struct rbac_leftovers *l)
{
	struct comparing c = { 0 };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->r->bindings.len; i++)
		if (rbac_is_own_binding(l->r->bindings.ptr[i]))
			rc = judge_binding(l, l->r->bindings.ptr[i], &c);
	for (size_t i = 0; rc == 0 && i < l->r->grants.len; i++)
		rc = judge_grants(l, &l->r->grants.entries[i], &c);
	for (size_t i = 0; rc == 0 && i < l->r->roles.len; i++)
		if (rbac_is_own_role(l->r->roles.ptr[i]))
			rc = judge_role(l, l->r->roles.ptr[i], &c);
	rc = rc < 0 ? rc : judge_accounts(l);
	return rc < 0 ? rc : judge_names(l);
}
