#include "kube/rbac_usage.h"

#define ARENA_BYTES_MAX (512u << 20)
#define STEPS_MAX 4000000000ull /* rules asked about requests: some minutes */
#define TICK_REQUESTS 4096u
#define RULES_MAX 8000000u /* that were used */

struct marking {
	struct rbac_usage *usage;
	struct rbac_user user;
	const struct rbac_request *q;
	uint64_t events, steps;
	bool is_allowed, no_memory;
};

/* ---- by pointer ---- */

static struct bh_slice key_of(const void *const *pointer)
{
	return (struct bh_slice){ (const uint8_t *)pointer, sizeof(*pointer) };
}

/* NULL: no memory; *made when it was not there, and is to be filled. */
static void *get_or_make(struct rbac_usage *u, struct bh_map *m, const void *pointer, size_t bytes, bool *made)
{
	struct bh_slice key;
	void *known = bh_map_get(m, key_of(&pointer));
	*made = known == NULL;
	if (known)
		return known;
	known = bh_arena_alloc(&u->arena, bytes);
	void **at = known && bh_arena_copy(&u->arena, key_of(&pointer), &key) ? bh_map_put(m, key) : NULL;
	if (at)
		*at = known;
	return at ? known : NULL;
}

const struct rbac_rule_usage *rbac_usage_of_rule(const struct rbac_usage *u, const struct rbac_rule *rule)
{
	const void *pointer = rule;
	return bh_map_get(&u->rules, key_of(&pointer));
}

const struct rbac_binding_usage *rbac_usage_of_binding(const struct rbac_usage *u, const struct rbac_binding *b)
{
	const void *pointer = b;
	return bh_map_get(&u->bindings, key_of(&pointer));
}

/* ---- marks ---- */

static bool same_request(const struct rbac_request *a, const struct rbac_request *b)
{
	return bh_slice_eq(a->verb, b->verb) && bh_slice_eq(a->group, b->group) && bh_slice_eq(a->resource, b->resource)
	       && bh_slice_eq(a->subresource, b->subresource) && bh_slice_eq(a->path, b->path);
}

static void see(struct rbac_seen *seen, const struct rbac_request *q)
{
	for (size_t i = 0; i < seen->n; i++)
		if (same_request(&seen->all[i], q))
			return;
	seen->many |= seen->n == RBAC_SEEN_MAX;
	if (seen->n < RBAC_SEEN_MAX)
		seen->all[seen->n++] = *q;
}

static bool stands_for_many(enum rbac_part part, struct bh_slice word)
{
	switch (part) {
	case RBAC_VERBS:
	case RBAC_GROUPS: return bh_slice_eq_str(word, "*");
	case RBAC_RESOURCES: return bh_slice_eq_str(word, "*") || (word.len > 2 && bh_slice_starts(word, BH_SLICE_LIT("*/")));
	case RBAC_URLS: return bh_slice_ends(word, BH_SLICE_LIT("*"));
	case RBAC_NAMES:
	case RBAC_PARTS: break;
	}
	return false;
}

static struct rbac_rule_usage *usage_of(struct marking *m, const struct rbac_rule *rule)
{
	bool made, ok = true;
	struct rbac_rule_usage *u = get_or_make(m->usage, &m->usage->rules, rule, sizeof(*u), &made);
	for (enum rbac_part p = 0; u && made && ok && p < RBAC_PARTS; p++) {
		const struct rbac_words *words = rbac_part_of(rule, p);
		u->words[p] = bh_arena_array(&m->usage->arena, words->n + 1, sizeof(*u->words[p]));
		ok = u->words[p] != NULL;
		for (size_t i = 0; ok && i < words->n; i++)
			if (stands_for_many(p, words->ptr[i]))
				ok = (u->words[p][i].seen = BH_ARENA_NEW(&m->usage->arena, struct rbac_seen)) != NULL;
	}
	m->no_memory |= !u || !ok;
	return ok ? u : NULL;
}

/* Is it by this word that the rule allows the request? The authorizer is asked about a rule of the one word. */
static bool word_takes(enum rbac_part part, struct bh_slice word, const struct rbac_request *q)
{
	const struct rbac_words one = { &word, 1 };
	switch (part) {
	case RBAC_VERBS: return rbac_has_verb(&(struct rbac_rule){ .verbs = one }, q->verb);
	case RBAC_GROUPS: return !q->is_url && rbac_has_group(&(struct rbac_rule){ .groups = one }, q->group);
	case RBAC_RESOURCES: return !q->is_url && rbac_has_resource(&(struct rbac_rule){ .resources = one }, q->resource, q->subresource);
	case RBAC_NAMES: return !q->is_url && rbac_has_name(&(struct rbac_rule){ .names = one }, q->name);
	case RBAC_URLS: return q->is_url && rbac_has_url(&(struct rbac_rule){ .urls = one }, q->path);
	case RBAC_PARTS: break;
	}
	return false;
}

/* What of the request the word of that part is about. */
static struct rbac_request part_of_request(enum rbac_part part, const struct rbac_request *q)
{
	switch (part) {
	case RBAC_VERBS: return (struct rbac_request){ .verb = q->verb };
	case RBAC_GROUPS: return (struct rbac_request){ .group = q->group };
	case RBAC_RESOURCES: return (struct rbac_request){ .resource = q->resource, .subresource = q->subresource };
	case RBAC_NAMES: return (struct rbac_request){ .name = q->name };
	case RBAC_URLS: return (struct rbac_request){ .is_url = true, .path = q->path };
	case RBAC_PARTS: break;
	}
	return *q;
}

static void mark_rule(struct marking *m, const struct rbac_rule *rule)
{
	struct rbac_rule_usage *u = usage_of(m, rule);
	if (!u)
		return;
	u->events += m->events;
	for (enum rbac_part p = 0; p < RBAC_PARTS; p++) {
		const struct rbac_words *words = rbac_part_of(rule, p);
		for (size_t i = 0; i < words->n; i++)
			if (word_takes(p, words->ptr[i], m->q)) {
				const struct rbac_request part = part_of_request(p, m->q);
				u->words[p][i].is_used = true;
				if (u->words[p][i].seen)
					see(u->words[p][i].seen, &part);
			}
	}
}

bool rbac_subject_is(const struct rbac_subject *s, const struct rbac_user *user)
{
	if (s->kind != RBAC_GROUP)
		return rbac_is_subject(s, user->name);
	for (size_t i = 0; i < user->groups.n; i++)
		if (bh_slice_eq(user->groups.ptr[i], s->name))
			return true;
	return false;
}

bool rbac_is_servers(const struct rbac_role *role)
{
	struct cel_value labels = role->object ? kube_path(role->object->value, "metadata.labels") : cel_null();
	return role->is_default || (labels.kind == CEL_MAP && cel_map_field(labels.map, BH_SLICE_LIT("kubernetes.io/bootstrapping")));
}

static void see_right(struct rbac_seen *rights, const struct rbac_request *q)
{
	const struct rbac_request right = { .verb = q->verb, .is_url = q->is_url, .group = q->group, .resource = q->resource, .subresource = q->subresource, .path = q->path };
	see(rights, &right);
}

static struct rbac_binding_usage *usage_of_binding(struct marking *m, const struct rbac_binding *b)
{
	bool made, ok = true;
	struct rbac_binding_usage *u = get_or_make(m->usage, &m->usage->bindings, b, sizeof(*u), &made);
	if (u && made) {
		u->subjects = bh_arena_array(&m->usage->arena, b->n_subjects + 1, sizeof(*u->subjects));
		ok = u->subjects != NULL;
		if (rbac_is_servers(b->role))
			ok &= (u->rights = BH_ARENA_NEW(&m->usage->arena, struct rbac_seen)) != NULL;
	}
	m->no_memory |= !u || !ok;
	return ok ? u : NULL;
}

static void mark_binding(struct marking *m, const struct rbac_binding *b)
{
	struct rbac_binding_usage *u = usage_of_binding(m, b);
	if (!u)
		return;
	u->events += m->events;
	if (u->rights)
		see_right(u->rights, m->q);
	for (size_t i = 0; i < b->n_subjects; i++)
		u->subjects[i] |= rbac_subject_is(&b->subjects[i], &m->user);
}

static bool mark(void *ctx, const struct rbac_binding *b)
{
	struct marking *m = ctx;
	bool used = false;
	if (!b->role || !rbac_binding_covers(b, m->q))
		return true;
	for (size_t i = 0; i < b->role->n_rules; i++) {
		m->steps++;
		if (!rbac_rule_allows(b->role->rules[i], m->q))
			continue;
		mark_rule(m, b->role->rules[i]);
		used = true;
	}
	if (used)
		mark_binding(m, b);
	m->is_allowed |= used;
	return !m->no_memory;
}

/* ---- the log ---- */

static void mark_request(struct marking *m, const struct rbac *r, const struct rbac_asked *asked)
{
	m->q = &asked->q;
	m->events = asked->allowed;
	m->is_allowed = false;
	if (bh_slice_eq_str(m->q->resource, "subjectaccessreviews") || bh_slice_eq_str(m->q->resource, "localsubjectaccessreviews"))
		m->usage->reviews += m->events;
	if (rbac_words_have(m->user.groups, "system:masters")) {
		m->usage->by_masters += m->events;
		return;
	}
	rbac_visit(r, &m->user, mark, m);
	if (!m->is_allowed)
		m->usage->by_nothing += m->events;
}

/* The groups of the log, and those that the name gives, should the log have been made without. */
static int mark_asker(struct marking *m, const struct rbac *r, const struct rbac_asker *a, struct rbac_usage_ticker *ticker, struct bh_err *err)
{
	bool ok = rbac_user_of(a->user.name, a->user.groups.ptr, a->user.groups.n, &m->usage->arena, &m->user);
	for (size_t k = 0; ok && k < a->requests.len; k++) {
		const struct rbac_asked *asked = a->requests.entries[k].value;
		if (asked->allowed)
			mark_request(m, r, asked);
		if (++ticker->done % TICK_REQUESTS == 0)
			ticker->tick(ticker->ctx, ticker->done);
		ok = !m->no_memory && m->steps <= STEPS_MAX;
	}
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "the log and the roles are too large to be compared");
}

int rbac_usage_new(const struct rbac *r, const struct rbac_audit *audit, struct rbac_usage_ticker ticker, struct rbac_usage *ret, struct bh_err *err)
{
	struct marking m = { .usage = ret };
	int rc = 0;
	*ret = (struct rbac_usage){ 0 };
	bh_arena_init(&ret->arena, ARENA_BYTES_MAX);
	bh_map_init(&ret->rules, RULES_MAX);
	bh_map_init(&ret->bindings, RBAC_ROLES_MAX + 1000);
	for (size_t i = 0; rc == 0 && i < audit->askers.len; i++)
		rc = mark_asker(&m, r, audit->askers.entries[i].value, &ticker, err);
	if (rc < 0)
		rbac_usage_done(ret);
	return rc;
}

void rbac_usage_done(struct rbac_usage *u)
{
	bh_map_done(&u->rules);
	bh_map_done(&u->bindings);
	bh_arena_done(&u->arena);
}
