/* paths_rights.c: facts about who may do what, of service accounts and of the subject that a question begins with, as far as an attacker gains by it. */
#include "kube/paths_collect.h"

#include "base/cleanup.h"
#include "kube/rbac.h"
#include "kube/rbac_text.h"

#define REQUESTS_MAX 16u
#define NEEDS_MAX 2u

struct request {
	const char *verb, *group, *resource, *subresource;
};

/* A right is held when of each of its needs one request is allowed. */
struct right {
	const char *name;
	bool everywhere_only;
	struct request needs[NEEDS_MAX][REQUESTS_MAX];
};

static const struct right rights[] = {
	{ "everything", false, { { { "*", "*", "*", "" } } } },
	{ "read-secrets", false, { { { "get", "", "secrets", "" }, { "list", "", "secrets", "" }, { "watch", "", "secrets", "" } } } },
	{ "read-configs", false, { { { "get", "", "configmaps", "" }, { "list", "", "configmaps", "" }, { "watch", "", "configmaps", "" } } } },
	{ "run-commands", false, { { { "create", "", "pods", "exec" }, { "get", "", "pods", "exec" }, { "create", "", "pods", "attach" },
				     { "patch", "", "pods", "ephemeralcontainers" }, { "update", "", "pods", "ephemeralcontainers" } } } },
	{ "create-workloads", false, { { { "create", "", "pods", "" }, { "create", "apps", "deployments", "" }, { "create", "apps", "daemonsets", "" },
					 { "create", "apps", "statefulsets", "" }, { "create", "apps", "replicasets", "" }, { "create", "batch", "jobs", "" },
					 { "create", "batch", "cronjobs", "" }, { "create", "", "replicationcontrollers", "" }, { "patch", "apps", "deployments", "" },
					 { "patch", "apps", "daemonsets", "" }, { "patch", "apps", "statefulsets", "" }, { "update", "apps", "deployments", "" },
					 { "update", "apps", "daemonsets", "" }, { "update", "apps", "statefulsets", "" }, { "patch", "batch", "cronjobs", "" },
					 { "update", "batch", "cronjobs", "" } } } },
	{ "request-tokens", false, { { { "create", "", "serviceaccounts", "token" } } } },
	{ "escalate", false, { { { "escalate", "rbac.authorization.k8s.io", "roles", "" }, { "escalate", "rbac.authorization.k8s.io", "clusterroles", "" } },
			       { { "update", "rbac.authorization.k8s.io", "roles", "" }, { "patch", "rbac.authorization.k8s.io", "roles", "" },
				 { "create", "rbac.authorization.k8s.io", "roles", "" }, { "update", "rbac.authorization.k8s.io", "clusterroles", "" },
				 { "patch", "rbac.authorization.k8s.io", "clusterroles", "" } } } },
	{ "escalate", false, { { { "bind", "rbac.authorization.k8s.io", "clusterroles", "" } },
			       { { "create", "rbac.authorization.k8s.io", "rolebindings", "" }, { "create", "rbac.authorization.k8s.io", "clusterrolebindings", "" },
				 { "patch", "rbac.authorization.k8s.io", "rolebindings", "" }, { "patch", "rbac.authorization.k8s.io", "clusterrolebindings", "" } } } },
	{ "impersonate", true, { { { "impersonate", "", "groups", "" } }, { { "impersonate", "", "users", "" } } } },
	{ "approve-certificates", true, { { { "update", "certificates.k8s.io", "certificatesigningrequests", "approval" },
					    { "patch", "certificates.k8s.io", "certificatesigningrequests", "approval" } },
					  { { "approve", "certificates.k8s.io", "signers", "" } } } },
	{ "write-webhooks", true, { { { "create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "" },
				      { "patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "" },
				      { "update", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "" } } } },
	{ "use-kubelets", true, { { { "get", "", "nodes", "proxy" }, { "create", "", "nodes", "proxy" } } } },
	{ "label-namespaces", true, { { { "patch", "", "namespaces", "" }, { "update", "", "namespaces", "" } } } },
};

struct asking {
	struct paths_collect *c;
	struct rbac *roles;
	struct rbac_user user;
	struct bh_slice name;           /* as the facts have it: "shop/web", "user:alice" */
	bool is_bound;                  /* by a binding that is not the API server's own */
};

static bool has_request(const struct asking *a, const struct request *list, struct bh_slice namespace, struct rbac_reason *why)
{
	for (size_t i = 0; i < REQUESTS_MAX && list[i].verb; i++) {
		const struct rbac_request q = {
			.verb = bh_slice_str(list[i].verb), .group = bh_slice_str(list[i].group), .resource = bh_slice_str(list[i].resource),
			.subresource = bh_slice_str(list[i].subresource), .namespace = namespace,
		};
		if (rbac_allows(a->roles, &a->user, &q, why))
			return true;
	}
	return false;
}

/* *why: of the first need. */
static bool has_right(const struct asking *a, const struct right *r, struct bh_slice namespace, struct rbac_reason *why)
{
	struct rbac_reason ignored;
	if (!has_request(a, r->needs[0], namespace, why))
		return false;
	return !r->needs[1][0].verb || has_request(a, r->needs[1], namespace, &ignored);
}

/* "rbac.yaml:3: ClusterRoleBinding admins" */
static struct bh_slice place_of(const struct asking *a, const struct rbac_reason *why)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_slice copy = { 0 };
	bh_buf_init(&text, 4096);
	if (why->by_masters) {
		bh_buf_add_str(&text, "a member of system:masters");
	} else {
		rbac_print_binding_place(&text, why->binding);
		bh_buf_add_str(&text, ": ");
		rbac_print_binding(&text, why->binding);
		bh_buf_add_str(&text, " to ");
		rbac_print_role(&text, why->binding);
	}
	(void)!bh_arena_copy(&a->c->f->arena, bh_buf_slice(&text), &copy);
	return copy;
}

static int give_everywhere(const struct asking *a, const struct right *r, bool *ret_has)
{
	struct rbac_reason why;
	const struct bh_slice arguments[] = { a->name, bh_slice_str(r->name) };
	*ret_has = has_right(a, r, (struct bh_slice){ 0 }, &why);
	return *ret_has ? paths_give(a->c, "may_everywhere", arguments, 2, place_of(a, &why)) : 0;
}

static int give_in(const struct asking *a, const struct right *r, struct bh_slice namespace, bool *ret_has)
{
	struct rbac_reason why;
	const struct bh_slice arguments[] = { a->name, bh_slice_str(r->name), namespace };
	*ret_has = has_right(a, r, namespace, &why);
	return *ret_has ? paths_give(a->c, "may", arguments, 3, place_of(a, &why)) : 0;
}

/* Whoever may do everything need not be asked about the rest. */
static int ask_in(const struct asking *a, struct bh_slice namespace, const bool *everywhere)
{
	int rc = 0;
	bool has = false;
	for (size_t i = 0; rc == 0 && i < sizeof(rights) / sizeof(*rights); i++) {
		if (rights[i].everywhere_only || everywhere[i])
			continue;
		rc = give_in(a, &rights[i], namespace, &has);
		if (i == 0 && has)
			break;
	}
	return rc;
}

struct namespaces {
	const struct asking *a;
	const bool *everywhere;
	struct bh_map seen;
	int rc;
};

/* The namespaces of its RoleBindings: in others it may do what it may everywhere. */
static bool visit(void *ctx, const struct rbac_binding *b)
{
	struct namespaces *n = ctx;
	static char mark;
	if (b->namespace.len == 0 || bh_map_get(&n->seen, b->namespace))
		return true;
	void **at = bh_map_put(&n->seen, b->namespace);
	if (at)
		*at = &mark;
	n->rc = at ? ask_in(n->a, b->namespace, n->everywhere) : bh_fail(n->a->c->err, BH_ENOMEM, 0, "out of memory");
	return n->rc == 0;
}

static bool note_binding(void *ctx, const struct rbac_binding *b)
{
	bool *is_bound = ctx;
	*is_bound |= !b->is_default;
	return !*is_bound;
}

static int ask_all(struct asking *a)
{
	bool everywhere[sizeof(rights) / sizeof(*rights)] = { false };
	struct namespaces n = { .a = a, .everywhere = everywhere };
	int rc = 0;
	a->is_bound = false;
	rbac_visit(a->roles, &a->user, note_binding, &a->is_bound);
	if (!a->is_bound && !rbac_words_have(a->user.groups, "system:masters"))
		return 0;
	for (size_t i = 0; rc == 0 && i < sizeof(rights) / sizeof(*rights); i++) {
		rc = give_everywhere(a, &rights[i], &everywhere[i]);
		if (i == 0 && everywhere[0])
			return rc;
	}
	bh_map_init(&n.seen, KUBE_OBJECTS_MAX);
	if (rc == 0)
		rbac_visit(a->roles, &a->user, visit, &n);
	bh_map_done(&n.seen);
	return rc < 0 ? rc : n.rc;
}

/* name: as the facts have it. */
static int ask_subject(struct asking *a, const struct rbac_subject *s, struct bh_slice name)
{
	struct bh_arena arena;
	a->name = name;
	bh_arena_init(&arena, 1u << 20);
	int rc = rbac_user_of_subject(s, &arena, &a->user) ? ask_all(a) : bh_fail(a->c->err, BH_ENOMEM, 0, "out of memory");
	bh_arena_done(&arena);
	return rc;
}

/* "shop/web" */
static int ask_account(struct asking *a, struct bh_slice account)
{
	struct rbac_subject s = { .kind = RBAC_SERVICE_ACCOUNT };
	return bh_slice_cut(account, '/', &s.namespace, &s.name) ? ask_subject(a, &s, account) : 0;
}

/* Those of pods and those that are objects: facts account_in(NAMESPACE, ACCOUNT). */
static int ask_accounts(struct asking *a)
{
	const struct kube_kind accounts = kube_world_kind(&a->c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("ServiceAccount"));
	const struct logic *l = &a->c->f->logic;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < accounts.n; i++) {
		const struct bh_slice in[] = { kube_namespace(accounts.objects[i]),
					       paths_name(a->c, kube_namespace(accounts.objects[i]), accounts.objects[i]->name) };
		rc = paths_give(a->c, "account_in", in, 2, (struct bh_slice){ 0 });
	}
	for (uint32_t f = logic_next(l, "account_in", LOGIC_NONE); rc == 0 && f != LOGIC_NONE; f = logic_next(l, "account_in", f))
		rc = ask_account(a, logic_text(l, l->facts.ptr[f].arguments[1]));
	return rc;
}

static int ask_start(struct asking *a, struct bh_slice start)
{
	struct rbac_subject s;
	return start.len && rbac_subject_parse(start, &s) && s.kind != RBAC_SERVICE_ACCOUNT ? ask_subject(a, &s, start) : 0;
}

int paths_find_rights(struct paths_collect *c, struct bh_slice start)
{
	struct asking a = { .c = c };
	int rc = rbac_new(c->all, RBAC_DEFAULTS_AUTO, &a.roles, c->err);
	for (size_t i = 0; rc == 0 && i < a.roles->bindings.len; i++)
		c->f->has_roles |= !a.roles->bindings.ptr[i]->is_default;
	rc = rc < 0 ? rc : ask_accounts(&a);
	rc = rc < 0 ? rc : ask_start(&a, start);
	rbac_free(a.roles);
	return rc;
}
