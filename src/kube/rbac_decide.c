/* rbac_decide.c: who somebody is, and whether a rule, a binding, the whole allows a request (rbac.h). */
#include "kube/rbac.h"

#include "kube/rbac_model.h"

#define ACCOUNT_PREFIX "system:serviceaccount:"
#define MASTERS "system:masters"

/* ---- who ---- */

bool rbac_is_service_account(struct bh_slice user, struct bh_slice *namespace, struct bh_slice *name)
{
	struct bh_slice head, tail;
	if (!bh_slice_starts(user, BH_SLICE_LIT(ACCOUNT_PREFIX)) || !bh_slice_cut(bh_slice_sub(user, sizeof(ACCOUNT_PREFIX) - 1, user.len), ':', &head, &tail)
	    || head.len == 0 || tail.len == 0 || bh_slice_find(tail, ':') < tail.len)
		return false;
	*namespace = head;
	*name = tail;
	return true;
}

static bool add_group(struct bh_slice *list, size_t *n, struct bh_slice group)
{
	for (size_t i = 0; i < *n; i++)
		if (bh_slice_eq(list[i], group))
			return true;
	if (*n == RBAC_USER_GROUPS_MAX)
		return false;
	list[(*n)++] = group;
	return true;
}

/* staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go, user/user.go; group/authenticated_group_adder.go */
static bool add_implicit(struct bh_slice user, struct bh_arena *arena, struct bh_slice *list, size_t *n)
{
	struct bh_slice namespace, name;
	bool ok = true;
	if (bh_slice_eq_str(user, "system:anonymous"))
		return add_group(list, n, BH_SLICE_LIT("system:unauthenticated"));
	if (rbac_is_service_account(user, &namespace, &name)) {
		const char *own = bh_arena_printf(arena, "system:serviceaccounts:%.*s", BH_SLICE_FMT(namespace));
		ok = own && add_group(list, n, BH_SLICE_LIT("system:serviceaccounts")) && add_group(list, n, bh_slice_str(own));
	}
	if (bh_slice_starts(user, BH_SLICE_LIT("system:node:")))
		ok = add_group(list, n, BH_SLICE_LIT("system:nodes"));
	return ok && add_group(list, n, BH_SLICE_LIT("system:authenticated"));
}

bool rbac_user_of(struct bh_slice name, const struct bh_slice *groups, size_t n_groups, struct bh_arena *arena, struct rbac_user *ret)
{
	struct bh_slice *list = bh_arena_array(arena, n_groups + 4, sizeof(*list));
	size_t n = 0;
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < n_groups; i++)
		ok = add_group(list, &n, groups[i]);
	if (!ok || (name.len && !add_implicit(name, arena, list, &n)))
		return false;
	*ret = (struct rbac_user){ name, { list, n } };
	return true;
}

bool rbac_user_of_subject(const struct rbac_subject *s, struct bh_arena *arena, struct rbac_user *ret)
{
	if (s->kind == RBAC_GROUP)
		return rbac_user_of((struct bh_slice){ 0 }, &s->name, 1, arena, ret);
	if (s->kind == RBAC_USER)
		return rbac_user_of(s->name, NULL, 0, arena, ret);
	const char *name = bh_arena_printf(arena, ACCOUNT_PREFIX "%.*s:%.*s", BH_SLICE_FMT(s->namespace), BH_SLICE_FMT(s->name));
	return name && rbac_user_of(bh_slice_str(name), NULL, 0, arena, ret);
}

bool rbac_subject_parse(struct bh_slice text, struct rbac_subject *ret)
{
	static const struct {
		const char *prefix;
		enum rbac_subject_kind kind;
	} prefixes[] = { { "user:", RBAC_USER }, { "group:", RBAC_GROUP }, { "sa:", RBAC_SERVICE_ACCOUNT }, { "serviceaccount:", RBAC_SERVICE_ACCOUNT } };
	struct rbac_subject s = { .kind = RBAC_USER, .name = text };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (bh_slice_starts(text, bh_slice_str(prefixes[i].prefix))) {
			s.kind = prefixes[i].kind;
			s.name = bh_slice_sub(text, strlen(prefixes[i].prefix), text.len);
			break;
		}
	if (s.kind == RBAC_SERVICE_ACCOUNT && (!bh_slice_cut(s.name, '/', &s.namespace, &s.name) || s.namespace.len == 0))
		return false;
	if (s.kind == RBAC_USER && rbac_is_service_account(s.name, &s.namespace, &s.name))
		s.kind = RBAC_SERVICE_ACCOUNT;
	if (s.name.len == 0)
		return false;
	*ret = s;
	return true;
}

void rbac_subject_print(const struct rbac_subject *s, struct bh_buf *out)
{
	static const char *const prefixes[] = { "user:", "group:", "sa:" };
	bh_buf_add_str(out, prefixes[s->kind]);
	if (s->kind == RBAC_SERVICE_ACCOUNT) {
		bh_buf_add(out, s->namespace);
		bh_buf_add_byte(out, '/');
	}
	bh_buf_add(out, s->name);
}

/* pkg/serviceaccount/util.go, MatchesUsername */
bool rbac_is_subject(const struct rbac_subject *s, struct bh_slice user)
{
	if (s->kind == RBAC_USER)
		return bh_slice_eq(s->name, user);
	if (s->kind == RBAC_GROUP || !bh_slice_starts(user, BH_SLICE_LIT(ACCOUNT_PREFIX)))
		return false;
	struct bh_slice rest = bh_slice_sub(user, sizeof(ACCOUNT_PREFIX) - 1, user.len);
	return rest.len == s->namespace.len + 1 + s->name.len && bh_slice_starts(rest, s->namespace) && rest.ptr[s->namespace.len] == ':'
	       && bh_slice_ends(rest, s->name);
}

/* ---- what a rule takes: pkg/apis/rbac/v1/evaluation_helpers.go ---- */

static bool has(struct rbac_words words, struct bh_slice word)
{
	for (size_t i = 0; i < words.n; i++)
		if (bh_slice_eq(words.ptr[i], word))
			return true;
	return false;
}

bool rbac_words_have(struct rbac_words words, const char *word)
{
	return has(words, bh_slice_str(word));
}

bool rbac_has_verb(const struct rbac_rule *rule, struct bh_slice verb)
{
	return rbac_words_have(rule->verbs, "*") || has(rule->verbs, verb);
}

bool rbac_has_group(const struct rbac_rule *rule, struct bh_slice group)
{
	return rbac_words_have(rule->groups, "*") || has(rule->groups, group);
}

/* Is `word` "resource", or "resource/sub"? */
static bool is_combined(struct bh_slice word, struct bh_slice resource, struct bh_slice sub)
{
	if (sub.len == 0)
		return bh_slice_eq(word, resource);
	return word.len == resource.len + 1 + sub.len && bh_slice_starts(word, resource) && word.ptr[resource.len] == '/' && bh_slice_ends(word, sub);
}

bool rbac_has_resource(const struct rbac_rule *rule, struct bh_slice resource, struct bh_slice sub)
{
	for (size_t i = 0; i < rule->resources.n; i++) {
		struct bh_slice word = rule->resources.ptr[i];
		if (bh_slice_eq_str(word, "*") || is_combined(word, resource, sub))
			return true;
		if (sub.len && word.len == sub.len + 2 && bh_slice_starts(word, BH_SLICE_LIT("*/")) && bh_slice_ends(word, sub))
			return true;
	}
	return false;
}

bool rbac_has_name(const struct rbac_rule *rule, struct bh_slice name)
{
	return rule->names.n == 0 || has(rule->names, name);
}

/* All stars at the end are one: strings.TrimRight. */
static bool url_matches(struct bh_slice word, struct bh_slice path)
{
	if (bh_slice_eq(word, path))
		return true;
	if (!bh_slice_ends(word, BH_SLICE_LIT("*")))
		return false;
	while (word.len && word.ptr[word.len - 1] == '*')
		word.len--;
	return bh_slice_starts(path, word);
}

bool rbac_has_url(const struct rbac_rule *rule, struct bh_slice path)
{
	for (size_t i = 0; i < rule->urls.n; i++)
		if (url_matches(rule->urls.ptr[i], path))
			return true;
	return false;
}

bool rbac_rule_allows(const struct rbac_rule *rule, const struct rbac_request *q)
{
	if (!rbac_has_verb(rule, q->verb))
		return false;
	if (q->is_url)
		return rbac_has_url(rule, q->path);
	return rbac_has_group(rule, q->group) && rbac_has_resource(rule, q->resource, q->subresource) && rbac_has_name(rule, q->name);
}

bool rbac_binding_covers(const struct rbac_binding *b, const struct rbac_request *q)
{
	return b->namespace.len == 0 || (!q->is_url && bh_slice_eq(b->namespace, q->namespace));
}

/* ---- the whole ---- */

static const struct rbac_grant *grants_of(const struct rbac *r, char kind, struct bh_slice name, struct bh_buf *key)
{
	bh_buf_clear(key);
	bh_buf_add_byte(key, (uint8_t)kind);
	bh_buf_add(key, name);
	return key->failed ? NULL : bh_map_get(&r->grants, bh_buf_slice(key));
}

struct deciding {
	const struct rbac_request *q;
	struct rbac_reason reason;
};

static bool decide(void *ctx, const struct rbac_binding *b)
{
	struct deciding *d = ctx;
	if (!b->role || !rbac_binding_covers(b, d->q))
		return true;
	for (size_t i = 0; i < b->role->n_rules; i++)
		if (rbac_rule_allows(b->role->rules[i], d->q)) {
			d->reason = (struct rbac_reason){ .binding = b, .rule = b->role->rules[i] };
			return false;
		}
	return true;
}

/* A binding that names both the user and a group of it is visited with the first of them only. */
static bool was_visited(const struct rbac_user *user, size_t n_groups, const struct rbac_binding *b)
{
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct rbac_subject *s = &b->subjects[i];
		if (s->kind == RBAC_GROUP ? has((struct rbac_words){ user->groups.ptr, n_groups }, s->name) : rbac_is_subject(s, user->name))
			return true;
	}
	return false;
}

/* False: the visitor has seen enough. */
static bool visit_grants(const struct rbac_user *user, size_t done, const struct rbac_grant *g, bool cluster, rbac_visitor *visit, void *ctx)
{
	for (; g; g = g->next)
		if ((g->binding->namespace.len == 0) == cluster && (done == SIZE_MAX || !was_visited(user, done, g->binding)) && !visit(ctx, g->binding))
			return false;
	return true;
}

void rbac_visit(const struct rbac *r, const struct rbac_user *user, rbac_visitor *visit, void *ctx)
{
	struct bh_buf key;
	bool more = true;
	bh_buf_init(&key, RBAC_KEY_BYTES_MAX);
	for (int cluster = 1; more && cluster >= 0; cluster--) {
		more = user->name.len == 0 || visit_grants(user, SIZE_MAX, grants_of(r, 'u', user->name, &key), cluster == 1, visit, ctx);
		for (size_t i = 0; more && i < user->groups.n; i++)
			more = visit_grants(user, i, grants_of(r, 'g', user->groups.ptr[i], &key), cluster == 1, visit, ctx);
	}
	bh_buf_done(&key);
}

bool rbac_allows(const struct rbac *r, const struct rbac_user *user, const struct rbac_request *q, struct rbac_reason *ret)
{
	struct deciding d = { .q = q };
	if (has(user->groups, BH_SLICE_LIT(MASTERS)))
		d.reason.by_masters = true;
	else
		rbac_visit(r, user, decide, &d);
	if (!d.reason.by_masters && !d.reason.binding)
		return false;
	if (ret)
		*ret = d.reason;
	return true;
}
