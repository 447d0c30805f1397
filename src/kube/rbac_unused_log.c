/*
 * rbac_unused_log.c: what a log shows nobody to have used (rbac_unused.h). From the whole to its parts: of a binding or role that nobody used the parts are
 * not named again. What no log shows, or this one doesn't, is told and left alone.
 */
#include "kube/rbac_model.h"
#include "kube/rbac_text.h"
#include "kube/rbac_unused_model.h"

/* ---- what no log shows ---- */

/* Rights that are looked up without a request of that verb: escalate when roles are written, approve when a certificate is, others by reviews. */
static bool is_request(struct bh_slice verb)
{
	static const char *const requests[] = { "*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate",
						"post", "put", "head", "options", NULL };
	return bh_slice_is_one_of(verb, requests);
}

/* The kubelet's own API: it asks the API server whether somebody may, and nobody logs for what. */
static bool is_kubelets(struct bh_slice resource)
{
	static const char *const own[] = { "nodes/proxy", "nodes/stats", "nodes/metrics", "nodes/log", "nodes/spec", "nodes/checkpoint", "nodes/configz", "nodes/healthz",
					   "nodes/pods", NULL };
	return bh_slice_is_one_of(resource, own);
}

static bool is_visible(enum rbac_part part, struct bh_slice word)
{
	return part == RBAC_VERBS ? is_request(word) : part != RBAC_RESOURCES || !is_kubelets(word);
}

static bool has_visible(enum rbac_part part, struct rbac_words words)
{
	for (size_t i = 0; i < words.n; i++)
		if (is_visible(part, words.ptr[i]))
			return true;
	return words.n == 0;
}

/* How a right is kept out of this log. */
struct hiding {
	const struct rbac_audit_rule *by; /* NULL: it isn't, as far as the policy is known */
	bool wholly;
};

static struct hiding hidden_from(struct rbac_leftovers *l, const struct rbac_binding *b, const struct rbac_rule *rule)
{
	struct hiding ret = { 0 };
	struct rbac_user user;
	for (size_t i = 0; l->unlogged.policy && !ret.wholly && i < b->n_subjects; i++) {
		bool wholly;
		bh_arena_clear(&l->scratch);
		if (!rbac_user_of_subject(&b->subjects[i], &l->scratch, &user))
			continue;
		const struct rbac_audit_rule *by = rbac_unlogged_by(&l->unlogged, &b->subjects[i], &user, rule, &wholly);
		if (by && (wholly || !ret.by))
			ret = (struct hiding){ by, wholly };
	}
	return ret;
}

/* Through any binding. */
static struct hiding hidden(struct rbac_leftovers *l, const struct rbac_rule *rule)
{
	struct hiding ret = { 0 };
	for (const struct rbac_holder *h = rbac_holders_of(l, rule->role); h && !ret.wholly; h = h->next) {
		struct hiding one = hidden_from(l, h->binding, rule);
		if (one.by && (one.wholly || !ret.by))
			ret = one;
	}
	return ret;
}

static bool is_judgeable(const struct rbac_rule *rule, struct hiding h)
{
	return !h.wholly && has_visible(RBAC_VERBS, rule->verbs) && has_visible(RBAC_RESOURCES, rule->resources);
}

static void add_hiding(struct rbac_leftovers *l, struct hiding h)
{
	if (h.by)
		bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "; the audit policy keeps some of it out of the log (line %u)", h.by->line);
}

/* ---- why ---- */

static void add_identity(struct rbac_leftovers *l, const struct rbac_subject *s)
{
	uint64_t events = rbac_seen_events(l, s);
	struct bh_buf *why = &l->cells.text[RBAC_UNUSED_WHY];
	rbac_subject_print(s, why);
	if (events)
		bh_buf_printf(why, " has %llu events in the log, none by this", (unsigned long long)events);
	else
		bh_buf_add_str(why, " is not in the log");
}

/* ---- bindings ---- */

#define SUBJECTS_SHOWN 3u

static int judge_unused_binding(struct rbac_leftovers *l, const struct rbac_binding *b)
{
	struct hiding hiding = { 0 };
	size_t judgeable = 0;
	for (size_t i = 0; i < b->role->n_rules; i++) {
		struct hiding h = hidden_from(l, b, b->role->rules[i]);
		judgeable += is_judgeable(b->role->rules[i], h);
		hiding = h.by ? h : hiding;
	}
	if (b->role->n_rules == 0)
		return 0;
	if (judgeable == 0)
		return rbac_say_unjudged(l, b->object, 0, "%.*s %.*s: no request for what it gives would be in the log", BH_SLICE_FMT(b->object->kind), BH_SLICE_FMT(b->name));
	rbac_about_binding(l, "binding", b);
	for (size_t i = 0; i < b->n_subjects && i < SUBJECTS_SHOWN; i++) {
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], i ? "; " : "");
		add_identity(l, &b->subjects[i]);
	}
	if (b->n_subjects > SUBJECTS_SHOWN)
		bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "; nor did %zu others use it", b->n_subjects - SUBJECTS_SHOWN);
	add_hiding(l, hiding);
	return rbac_say_unused(l);
}

/* Kubernetes' own group has no name. */
static void add_word(struct bh_buf *out, struct bh_slice word)
{
	bh_buf_add(out, word.len ? word : BH_SLICE_LIT("\"\""));
}

static void print_seen(struct bh_buf *out, const struct rbac_seen *seen, bool whole)
{
	for (size_t i = 0; i < seen->n; i++) {
		const struct rbac_request *q = &seen->all[i];
		bh_buf_add_str(out, i ? ", " : "");
		if (whole)
			rbac_print_request(out, q);
		else
			add_word(out, q->verb.len ? q->verb : q->is_url ? q->path : q->resource.len ? q->resource : q->group);
		if (!whole && q->subresource.len) {
			bh_buf_add_byte(out, '/');
			bh_buf_add(out, q->subresource);
		}
	}
}

/* Nobody takes words out of the API server's roles: the binding has to name another. */
static int judge_server_role(struct rbac_leftovers *l, const struct rbac_binding *b, const struct rbac_binding_usage *u)
{
	if (!u->rights || u->rights->many)
		return 0;
	struct bh_buf *c = l->cells.text;
	rbac_about_binding(l, "server-role", b);
	bh_buf_add_str(&c[RBAC_UNUSED_AT], "roleRef");
	bh_buf_add(&c[RBAC_UNUSED_VALUE], b->role_name);
	print_seen(&c[RBAC_UNUSED_INSTEAD], u->rights, true);
	bh_buf_add_str(&c[RBAC_UNUSED_WHY], "no more of the role was used through it; rbac least writes a role of that");
	return rbac_say_unused(l);
}

static int judge_binding(struct rbac_leftovers *l, const struct rbac_binding *b)
{
	const struct rbac_binding_usage *u = rbac_usage_of_binding(l->usage, b);
	int rc = 0;
	if (!u)
		return judge_unused_binding(l, b);
	for (size_t i = 0; rc == 0 && i < b->n_subjects; i++) {
		if (u->subjects[i] || rbac_is_gone(l, &b->subjects[i]))
			continue;
		rbac_about_subject(l, "subject", b, i);
		add_identity(l, &b->subjects[i]);
		rc = rbac_say_unused(l);
	}
	return rc < 0 ? rc : judge_server_role(l, b, u);
}

/* ---- roles ---- */

static int judge_wildcard(struct rbac_leftovers *l, const struct rbac_rule *rule, enum rbac_part part, size_t i, const struct rbac_seen *seen)
{
	if (!seen || seen->many)
		return 0;
	rbac_about_word(l, "wildcard", rule, part, i);
	print_seen(&l->cells.text[RBAC_UNUSED_INSTEAD], seen, false);
	bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "no more of what it stands for was used");
	return rbac_say_unused(l);
}

static int judge_word(struct rbac_leftovers *l, const struct rbac_rule *rule, const struct rbac_rule_usage *u, enum rbac_part part, size_t i)
{
	const struct bh_slice word = rbac_part_of(rule, part)->ptr[i];
	struct rbac_rule one = *rule;
	*(struct rbac_words *)(uintptr_t)rbac_part_of(&one, part) = (struct rbac_words){ &word, 1 };
	if (rbac_is_gone(l, &rbac_part_of(rule, part)->ptr[i]))
		return 0;
	if (u->words[part][i].is_used)
		return judge_wildcard(l, rule, part, i, u->words[part][i].seen);
	struct hiding h = hidden(l, &one);
	if (h.wholly)
		return rbac_say_unjudged(l, l->unlogged.policy, h.by->line, "%.*s %.*s, rules[%zu], %s %.*s: the audit policy keeps it out of the log",
					 BH_SLICE_FMT(rule->role->object->kind), BH_SLICE_FMT(rule->role->name), (size_t)(rule - rule->role->written), rbac_part_words[part],
					 BH_SLICE_FMT(word));
	if (!is_visible(part, word))
		return rbac_say_unjudged(l, rule->role->object, rule->line, "%.*s %.*s, rules[%zu], %s %.*s: no request in a log shows its use",
					 BH_SLICE_FMT(rule->role->object->kind), BH_SLICE_FMT(rule->role->name), (size_t)(rule - rule->role->written), rbac_part_words[part],
					 BH_SLICE_FMT(word));
	rbac_about_word(l, rbac_part_words[part], rule, part, i);
	bh_buf_printf(&l->cells.text[RBAC_UNUSED_WHY], "never used, in %llu events that the rule allowed", (unsigned long long)u->events);
	add_hiding(l, h);
	return rbac_say_unused(l);
}

static int judge_unused_rule(struct rbac_leftovers *l, const struct rbac_rule *rule)
{
	struct hiding h = hidden(l, rule);
	if (h.wholly)
		return rbac_say_unjudged(l, l->unlogged.policy, h.by->line, "%.*s %.*s, rules[%zu]: the audit policy keeps it out of the log",
					 BH_SLICE_FMT(rule->role->object->kind), BH_SLICE_FMT(rule->role->name), (size_t)(rule - rule->role->written));
	if (!is_judgeable(rule, h))
		return rbac_say_unjudged(l, rule->role->object, rule->line, "%.*s %.*s, rules[%zu]: no request in a log shows its use",
					 BH_SLICE_FMT(rule->role->object->kind), BH_SLICE_FMT(rule->role->name), (size_t)(rule - rule->role->written));
	rbac_about_rule(l, "rule", rule);
	bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "no request of the log needed it");
	add_hiding(l, h);
	return rbac_say_unused(l);
}

static int judge_rule(struct rbac_leftovers *l, const struct rbac_rule *rule)
{
	const struct rbac_rule_usage *u = rbac_usage_of_rule(l->usage, rule);
	int rc = 0;
	if (rbac_is_gone(l, rule))
		return 0;
	if (!u)
		return judge_unused_rule(l, rule);
	for (enum rbac_part p = 0; rc == 0 && p < RBAC_PARTS; p++)
		for (size_t i = 0; rc == 0 && i < rbac_part_of(rule, p)->n; i++)
			rc = judge_word(l, rule, u, p, i);
	return rc;
}

/* The whole role, when it can be said of the whole. */
static bool is_unused(struct rbac_leftovers *l, const struct rbac_role *role)
{
	bool unused = role->n_written > 0;
	for (size_t i = 0; unused && i < role->n_written; i++)
		unused = !rbac_usage_of_rule(l->usage, &role->written[i])
			 && (rbac_rule_is_void(&role->written[i], role->is_cluster) || is_judgeable(&role->written[i], hidden(l, &role->written[i])));
	return unused;
}

static int judge_role(struct rbac_leftovers *l, const struct rbac_role *role)
{
	int rc = 0;
	if (is_unused(l, role)) {
		rbac_about_role(l, "role", role);
		bh_buf_add_str(&l->cells.text[RBAC_UNUSED_WHY], "it is bound, and no request of the log needed any of its rules");
		return rbac_say_unused(l);
	}
	for (size_t i = 0; rc == 0 && i < role->n_written; i++)
		rc = judge_rule(l, &role->written[i]);
	return rc;
}

/* ---- identities ---- */

static int judge_identity(struct rbac_leftovers *l, const struct bh_map_entry *e)
{
	const struct rbac_binding *first = NULL;
	struct rbac_subject s = { .kind = RBAC_GROUP, .name = bh_slice_sub(e->key, 1, SIZE_MAX) };
	size_t n = 0;
	for (const struct rbac_grant *g = e->value; g; g = g->next)
		if (rbac_is_own_binding(g->binding)) {
			first = first ? first : g->binding;
			n++;
		}
	if (n == 0 || (e->key.ptr[0] == 'u' && !rbac_subject_parse(s.name, &s)) || rbac_seen_events(l, &s))
		return 0;
	struct bh_buf *c = l->cells.text;
	bh_buf_add_str(&c[RBAC_UNUSED_WHAT], "identity");
	rbac_subject_print(&s, &c[RBAC_UNUSED_OBJECT]);
	bh_buf_printf(&c[RBAC_UNUSED_WHY], "not in the log; it has %zu binding%s", n, n == 1 ? "" : "s");
	bh_buf_add(&c[RBAC_UNUSED_PLACE], first->object->file);
	bh_buf_printf(&c[RBAC_UNUSED_PLACE], ":%u", first->object->line);
	return rbac_say_unused(l);
}

/* ---- the whole ---- */

static int say_limits(struct rbac_leftovers *l)
{
	const struct rbac_usage *u = l->usage;
	int rc = 0;
	if (!l->unlogged.policy)
		rc = rbac_say_unjudged(l, NULL, 0, "no audit policy (audit.k8s.io, Policy) is among the objects: what it keeps out of the log looks unused");
	if (rc == 0 && u->by_masters)
		rc = rbac_say_unjudged(l, NULL, 0, "%llu events of members of system:masters: no role is asked of them", (unsigned long long)u->by_masters);
	if (rc == 0 && u->by_nothing)
		rc = rbac_say_unjudged(l, NULL, 0, "%llu events were allowed by no role among the objects: by another authorizer, or by roles that were there then",
				       (unsigned long long)u->by_nothing);
	if (rc == 0 && u->reviews)
		rc = rbac_say_unjudged(l, NULL, 0, "%llu SubjectAccessReviews: what kubelets, proxies and webhooks asked about is not looked at", (unsigned long long)u->reviews);
	return rc;
}

int rbac_unused_by_log(struct rbac_leftovers *l)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->r->bindings.len; i++) {
		const struct rbac_binding *b = l->r->bindings.ptr[i];
		if (rbac_is_own_binding(b) && b->role && b->n_subjects)
			rc = judge_binding(l, b);
	}
	for (size_t i = 0; rc == 0 && i < l->r->roles.len; i++) {
		const struct rbac_role *role = l->r->roles.ptr[i];
		if (rbac_is_own_role(role) && !role->is_aggregated && rbac_holders_of(l, role))
			rc = judge_role(l, role);
	}
	for (size_t i = 0; rc == 0 && i < l->r->grants.len; i++)
		rc = judge_identity(l, &l->r->grants.entries[i]);
	return rc < 0 ? rc : say_limits(l);
}
