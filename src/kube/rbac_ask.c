/* rbac_ask.c: who can do something, and what somebody can do (rbac_ask.h). */
#include "kube/rbac_ask.h"

#include "kube/cells.h"
#include "kube/rbac_text.h"
#include "kube/resource.h"

int rbac_of_asked(struct kube_asked *asked, uint8_t role, enum rbac_defaults defaults, struct rbac **ret, struct bh_err *err)
{
	int rc = rbac_new(kube_set_objects(kube_asked_set(asked, role)), defaults, ret, err);
	for (size_t i = 0; rc == 0 && i < (*ret)->problems.len; i++) {
		const struct kube_problem *p = &(*ret)->problems.ptr[i];
		rc = kube_say_gap(asked, p->file, p->line, p->text, err);
		if (rc < 0)
			rbac_free(*ret);
	}
	return rc;
}

/* ---- what is asked for ---- */

/* Resources without a kind that is stored: subject to questions all the same. */
static bool is_virtual(struct bh_slice plural, struct kube_resource *ret)
{
	static const struct {
		const char *plural, *group;
	} all[] = { { "users", "" }, { "groups", "" }, { "uids", "authentication.k8s.io" }, { "userextras", "authentication.k8s.io" }, { "bindings", "" },
		    { "componentstatuses", "" }, { "signers", "certificates.k8s.io" }, { "tokenreviews", "authentication.k8s.io" },
		    { "subjectaccessreviews", "authorization.k8s.io" }, { "selfsubjectaccessreviews", "authorization.k8s.io" },
		    { "selfsubjectrulesreviews", "authorization.k8s.io" }, { "localsubjectaccessreviews", "authorization.k8s.io" } };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (bh_slice_eq_str(plural, all[i].plural)) {
			*ret = (struct kube_resource){ .group = bh_slice_str(all[i].group), .is_namespaced = bh_slice_eq_str(plural, "bindings") || bh_slice_starts(plural, BH_SLICE_LIT("local")) };
			return true;
		}
	return false;
}

static bool is_custom(const struct kube_object_vec *all, struct bh_slice plural, struct kube_resource *ret)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct kube_object *o = &all->ptr[i];
		if (!bh_slice_eq_str(o->kind, "CustomResourceDefinition") || !bh_slice_eq(kube_text(o->value, "spec.names.plural"), plural))
			continue;
		ret->group = kube_text(o->value, "spec.group");
		ret->is_namespaced = !bh_slice_eq_str(kube_text(o->value, "spec.scope"), "Cluster");
		return true;
	}
	return false;
}

/* Completes the request: the group when it was not named; a resource of no namespace is in none, but a namespace, which is in itself. */
static int complete(struct kube_asked *asked, struct rbac_asking *a, struct bh_err *err)
{
	struct rbac_request *q = &a->request;
	struct kube_resource r = { .is_namespaced = true };
	if (q->is_url || bh_slice_eq_str(q->resource, "*"))
		return 0;
	bool found = kube_resource_by_plural(q->resource, &r) || is_virtual(q->resource, &r) || is_custom(kube_set_objects(kube_asked_set(asked, 0)), q->resource, &r);
	if (!found && a->any_group)
		return bh_fail(err, BH_EUSAGE, 0, "%.*s is no resource of Kubernetes or of a CustomResourceDefinition here; write %.*s.GROUP",
			       BH_SLICE_FMT(q->resource), BH_SLICE_FMT(q->resource));
	if (a->any_group)
		q->group = r.group;
	else if (found && !bh_slice_eq(q->group, r.group))
		return 0; /* of the same name, but another one */
	if (!r.is_namespaced) {
		bool is_namespace = bh_slice_eq_str(q->resource, "namespaces") && q->group.len == 0;
		a->any_namespace = is_namespace && q->name.len == 0;
		q->namespace = is_namespace ? q->name : (struct bh_slice){ 0 };
	}
	return 0;
}

/* The request completed, the model of the objects, empty cells: for questions about one request. */
static int begin(struct kube_asked *asked, struct rbac_asking *a, struct rbac **ret, struct kube_cells *cells, struct bh_err *err)
{
	int rc = complete(asked, a, err);
	rc = rc < 0 ? rc : rbac_of_asked(asked, 0, a->defaults, ret, err);
	if (rc == 0)
		kube_cells_init(cells);
	return rc;
}

/* ---- who can ---- */

/* Does the rule allow it, at least for some names? Names can't be told of what is created. */
static bool allows_some(const struct rbac_rule *rule, const struct rbac_request *q)
{
	struct rbac_rule of_any = *rule;
	if (q->is_url || q->name.len || rule->names.n == 0 || (bh_slice_eq_str(q->verb, "create") && q->subresource.len == 0))
		return rbac_rule_allows(rule, q);
	of_any.names.n = 0;
	return rbac_rule_allows(&of_any, q);
}

static bool may_cover(const struct rbac_asking *a, const struct rbac_binding *b)
{
	return rbac_binding_covers(b, &a->request) || (a->any_namespace && !a->request.is_url);
}

static int say_grant(struct kube_asked *asked, struct kube_cells *c, const struct rbac_binding *b, const struct rbac_rule *rule, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->n_subjects; i++) {
		rbac_subject_print(&b->subjects[i], &c->text[RBAC_GRANT_SUBJECT]);
		bh_buf_add(&c->text[RBAC_GRANT_SCOPE], b->namespace);
		rbac_print_words(&c->text[RBAC_GRANT_NAMES], rule->names);
		rbac_print_role(&c->text[RBAC_GRANT_ROLE], b);
		rbac_print_binding(&c->text[RBAC_GRANT_BINDING], b);
		rbac_print_binding_place(&c->text[RBAC_GRANT_PLACE], b);
		rc = kube_cells_say(asked, c, RBAC_ROW_GRANT, RBAC_GRANT_CELLS, err);
	}
	return rc;
}

/* The first rule that allows it for all names; without one each that does for some. */
static int say_grants(struct kube_asked *asked, const struct rbac_asking *a, struct kube_cells *c, const struct rbac_binding *b, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; i < b->role->n_rules; i++)
		if (rbac_rule_allows(b->role->rules[i], &a->request))
			return say_grant(asked, c, b, b->role->rules[i], err);
	for (size_t i = 0; rc == 0 && i < b->role->n_rules; i++)
		if (allows_some(b->role->rules[i], &a->request))
			rc = say_grant(asked, c, b, b->role->rules[i], err);
	return rc;
}

int rbac_who_can(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct rbac_asking a = *(const struct rbac_asking *)ctx;
	struct rbac *r;
	struct kube_cells c;
	int rc = begin(asked, &a, &r, &c, err);
	if (rc < 0)
		return rc;
	bh_buf_add_str(&c.text[RBAC_GRANT_SUBJECT], "group:system:masters");
	bh_buf_add_str(&c.text[RBAC_GRANT_PLACE], "default");
	bh_buf_add_str(&c.text[RBAC_GRANT_ROLE], "none: the API server asks no role");
	rc = kube_cells_say(asked, &c, RBAC_ROW_GRANT, RBAC_GRANT_CELLS, err);
	for (size_t i = 0; rc == 0 && i < r->bindings.len; i++)
		if (r->bindings.ptr[i]->role && may_cover(&a, r->bindings.ptr[i]))
			rc = say_grants(asked, &a, &c, r->bindings.ptr[i], err);
	kube_cells_done(&c);
	rbac_free(r);
	return rc;
}

/* ---- what somebody can do ---- */

struct listing {
	struct kube_asked *asked;
	struct rbac_user user;
	struct kube_cells cells;
	struct bh_err *err;
	int rc;
};

static int user_of(struct rbac *r, const struct rbac_asking *a, struct rbac_user *ret, struct bh_err *err)
{
	struct rbac_user own;
	struct bh_slice groups[RBAC_USER_GROUPS_MAX];
	size_t n = 0;
	bool ok = rbac_user_of_subject(&a->subject, &r->arena, &own);
	if (ok && a->subject.kind == RBAC_GROUP)
		groups[n++] = a->subject.name;
	for (size_t i = 0; i < a->n_groups && n < RBAC_USER_GROUPS_MAX - 8; i++)
		groups[n++] = bh_slice_str(a->groups[i]);
	return ok && rbac_user_of(own.name, groups, n, &r->arena, ret) ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many groups");
}

/* The subject of the binding that means the user. */
static const struct rbac_subject *via(const struct rbac_binding *b, const struct rbac_user *user)
{
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct rbac_subject *s = &b->subjects[i];
		if (s->kind != RBAC_GROUP && rbac_is_subject(s, user->name))
			return s;
		for (size_t k = 0; s->kind == RBAC_GROUP && k < user->groups.n; k++)
			if (bh_slice_eq(user->groups.ptr[k], s->name))
				return s;
	}
	return b->subjects;
}

static bool list_binding(void *ctx, const struct rbac_binding *b)
{
	struct listing *l = ctx;
	struct bh_buf *c = l->cells.text;
	for (size_t i = 0; l->rc == 0 && b->role && i < b->role->n_rules; i++) {
		const struct rbac_rule *rule = b->role->rules[i];
		bh_buf_add(&c[RBAC_RULE_SCOPE], b->namespace);
		rbac_print_words(&c[RBAC_RULE_VERBS], rule->verbs);
		rbac_print_resources(&c[RBAC_RULE_RESOURCES], rule);
		rbac_print_words(&c[RBAC_RULE_NAMES], rule->names);
		rbac_subject_print(via(b, &l->user), &c[RBAC_RULE_VIA]);
		rbac_print_role(&c[RBAC_RULE_ROLE], b);
		rbac_print_binding(&c[RBAC_RULE_BINDING], b);
		rbac_print_place(&c[RBAC_RULE_PLACE], rule);
		l->rc = kube_cells_say(l->asked, &l->cells, RBAC_ROW_RULE, RBAC_RULE_CELLS, l->err);
	}
	return l->rc == 0;
}

static void list_masters(struct listing *l)
{
	struct bh_buf *c = l->cells.text;
	bh_buf_add_str(&c[RBAC_RULE_VERBS], "*");
	bh_buf_add_str(&c[RBAC_RULE_RESOURCES], "*.*, *");
	bh_buf_add_str(&c[RBAC_RULE_VIA], "group:system:masters");
	bh_buf_add_str(&c[RBAC_RULE_ROLE], "none: the API server asks no role");
	bh_buf_add_str(&c[RBAC_RULE_PLACE], "default");
	l->rc = kube_cells_say(l->asked, &l->cells, RBAC_ROW_RULE, RBAC_RULE_CELLS, l->err);
}

int rbac_can(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct rbac_asking *a = ctx;
	struct listing l = { .asked = asked, .err = err };
	struct rbac *r;
	int rc = rbac_of_asked(asked, 0, a->defaults, &r, err);
	if (rc < 0)
		return rc;
	kube_cells_init(&l.cells);
	l.rc = user_of(r, a, &l.user, err);
	if (l.rc == 0 && rbac_words_have(l.user.groups, "system:masters"))
		list_masters(&l);
	if (l.rc == 0)
		rbac_visit(r, &l.user, list_binding, &l);
	kube_cells_done(&l.cells);
	rbac_free(r);
	return l.rc;
}

int rbac_may(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct rbac_asking a = *(const struct rbac_asking *)ctx;
	struct rbac_reason why = { 0 };
	struct rbac_user user;
	struct rbac *r;
	struct kube_cells c;
	int rc = begin(asked, &a, &r, &c, err);
	if (rc < 0)
		return rc;
	rc = user_of(r, &a, &user, err);
	bool yes = rc == 0 && rbac_allows(r, &user, &a.request, &why);
	bh_buf_add_str(&c.text[RBAC_ANSWER_YES], yes ? "yes" : "no");
	if (why.by_masters)
		bh_buf_add_str(&c.text[RBAC_ANSWER_ROLE], "none: the API server asks no role of system:masters");
	if (why.binding) {
		rbac_print_role(&c.text[RBAC_ANSWER_ROLE], why.binding);
		rbac_print_binding(&c.text[RBAC_ANSWER_BINDING], why.binding);
		rbac_print_place(&c.text[RBAC_ANSWER_PLACE], why.rule);
	}
	rc = rc < 0 ? rc : kube_cells_say(asked, &c, RBAC_ROW_ANSWER, RBAC_ANSWER_CELLS, err);
	kube_cells_done(&c);
	rbac_free(r);
	return rc;
}

/* ---- who is bound to what ---- */

int rbac_bound(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct rbac_asking *a = ctx;
	struct kube_cells c;
	struct rbac *r;
	int rc = rbac_of_asked(asked, 0, a->defaults, &r, err);
	if (rc < 0)
		return rc;
	kube_cells_init(&c);
	for (size_t i = 0; rc == 0 && i < r->bindings.len; i++) {
		const struct rbac_binding *b = r->bindings.ptr[i];
		for (size_t k = 0; rc == 0 && !b->is_default && k < b->n_subjects; k++) {
			rbac_subject_print(&b->subjects[k], &c.text[RBAC_BOUND_SUBJECT]);
			bh_buf_add(&c.text[RBAC_BOUND_SCOPE], b->namespace);
			rbac_print_role(&c.text[RBAC_BOUND_ROLE], b);
			rbac_print_binding(&c.text[RBAC_BOUND_BINDING], b);
			rc = kube_cells_say(asked, &c, RBAC_ROW_BOUND, RBAC_BOUND_CELLS, err);
		}
	}
	kube_cells_done(&c);
	rbac_free(r);
	return rc;
}
