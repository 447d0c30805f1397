/*
 * rbac.h: who may do what by the roles and bindings of a set of objects (rbac.authorization.k8s.io), exactly as Kubernetes' authorizer decides:
 * plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation. Rules only allow, so the answer is whether any rule of any binding of the subject or
 * one of its groups does. Aggregated ClusterRoles get the rules of the roles that they select, as the controller would fill them in.
 *
 * Other authorizers (Node, webhooks) are none of this; what every API server allows itself, the group system:masters, is.
 */
#ifndef BH_KUBE_RBAC_H
#define BH_KUBE_RBAC_H

#include "base/map.h"
#include "kube/objects.h"

#define RBAC_ROLES_MAX KUBE_OBJECTS_MAX
#define RBAC_USER_GROUPS_MAX 256u /* of one user */

struct rbac_words {
	const struct bh_slice *ptr;
	size_t n;
};

struct rbac_rule {
	struct rbac_words verbs, groups, resources, names, urls;
	const struct rbac_role *role; /* that it is written in; with aggregation another than the bound one */
	uint32_t line;                /* 0: not of a file */
};

struct rbac_role {
	bool is_cluster;
	bool is_default;                      /* of the API server, not in the set */
	bool is_aggregated;
	struct bh_slice namespace, name;      /* namespace: empty for a ClusterRole */
	const struct kube_object *object;     /* NULL: a default */
	struct cel_value labels, selectors;   /* selectors: of the aggregation, a list */
	const struct rbac_rule *written;
	size_t n_written;
	const struct rbac_rule *const *rules; /* that count */
	size_t n_rules;
};

enum rbac_subject_kind { RBAC_USER, RBAC_GROUP, RBAC_SERVICE_ACCOUNT };

struct rbac_subject {
	enum rbac_subject_kind kind;
	struct bh_slice namespace, name;  /* namespace: of a service account */
	uint32_t index;                   /* in the list of its binding */
};

struct rbac_binding {
	bool is_default;
	struct bh_slice namespace, name;  /* namespace: empty for a ClusterRoleBinding */
	struct bh_slice role_kind, role_name;
	const struct rbac_role *role;     /* NULL: there is none of that name, so it gives nothing */
	const struct rbac_subject *subjects;
	size_t n_subjects;
	const struct kube_object *object; /* NULL: a default */
};

BH_VEC(rbac_role_vec, struct rbac_role *)
BH_VEC(rbac_binding_vec, struct rbac_binding *)

/*
 * Is the object what an API server makes at its start: a role or binding of such a name that holds nothing else? The rules of roles that are put together
 * from others (admin, edit, view) may be any of the server's own.
 */
bool rbac_is_default(const struct kube_object *o);

/* The roles and bindings that an API server makes at its start (bootstrap policy): are those that the set lacks taken to be there? */
enum rbac_defaults {
	RBAC_DEFAULTS_AUTO, /* unless there is a ClusterRole cluster-admin: then the set is a dump, and complete */
	RBAC_DEFAULTS_YES,
	RBAC_DEFAULTS_NO,
};

struct rbac {
	struct bh_arena arena;
	struct rbac_role_vec roles;       /* of the set in their order, then the defaults; of two with one name the last */
	struct rbac_binding_vec bindings; /* likewise */
	struct bh_map role_of, binding_of, grants; /* by kind, namespace and name; by subject */
	struct kube_problem_vec problems; /* what is no valid role or binding, or part of one */
};

/* The objects must outlive it. Errors: BH_ELIMIT. */
int rbac_new(const struct kube_object_vec *objects, enum rbac_defaults defaults, struct rbac **ret, struct bh_err *err) BH_MUST_CHECK;
void rbac_free(struct rbac *r);

/* is_cluster: a ClusterRole, whose namespace is empty. NULL: there is none. */
const struct rbac_role *rbac_find_role(const struct rbac *r, bool is_cluster, struct bh_slice namespace, struct bh_slice name);

/* ---- who ---- */

struct rbac_user {
	struct bh_slice name;     /* "alice", "system:serviceaccount:shop:web", "system:anonymous"; empty: only its groups are known */
	struct rbac_words groups;
};

/*
 * The user with the groups that authentication gives by the name: system:authenticated (or system:unauthenticated), those of service accounts,
 * system:nodes. Groups of certificates and tokens are given. False: more than RBAC_USER_GROUPS_MAX groups, or the arena is full.
 */
bool rbac_user_of(struct bh_slice name, const struct bh_slice *groups, size_t n_groups, struct bh_arena *arena, struct rbac_user *ret) BH_MUST_CHECK;

/* A subject as a user: of a group, whoever is in it and nothing else. */
bool rbac_user_of_subject(const struct rbac_subject *s, struct bh_arena *arena, struct rbac_user *ret) BH_MUST_CHECK;

/* Does the subject mean the user of that name? Groups don't. */
bool rbac_is_subject(const struct rbac_subject *s, struct bh_slice user);

/* "system:serviceaccount:NAMESPACE:NAME"? */
bool rbac_is_service_account(struct bh_slice user, struct bh_slice *namespace, struct bh_slice *name);

/* "user:alice", "group:devs", "sa:shop/web", or a user's name. False: "sa:" without a namespace and a name. */
bool rbac_subject_parse(struct bh_slice text, struct rbac_subject *ret);
void rbac_subject_print(const struct rbac_subject *s, struct bh_buf *out); /* the same */

/* ---- what ---- */

struct rbac_request {
	struct bh_slice verb;
	bool is_url;                                /* about `path`, and nothing else counts */
	struct bh_slice group, resource, subresource, namespace, name;
	struct bh_slice path;
};

/* Why it is allowed. */
struct rbac_reason {
	bool by_masters;                    /* a member of system:masters: no role is asked */
	const struct rbac_binding *binding; /* otherwise */
	const struct rbac_rule *rule;
};

/* *ret (may be NULL) is set when it is allowed. */
bool rbac_allows(const struct rbac *r, const struct rbac_user *user, const struct rbac_request *q, struct rbac_reason *ret);

/* Does the rule allow it where its binding holds? */
bool rbac_rule_allows(const struct rbac_rule *rule, const struct rbac_request *q);

/* Does the binding hold in the request's namespace? */
bool rbac_binding_covers(const struct rbac_binding *b, const struct rbac_request *q);

bool rbac_words_have(struct rbac_words words, const char *word);

/* The parts of that: "*" holds every word, "*" + "/log" holds "pods/log", no names at all hold every name. */
bool rbac_has_verb(const struct rbac_rule *rule, struct bh_slice verb);
bool rbac_has_group(const struct rbac_rule *rule, struct bh_slice group);
bool rbac_has_resource(const struct rbac_rule *rule, struct bh_slice resource, struct bh_slice subresource);
bool rbac_has_name(const struct rbac_rule *rule, struct bh_slice name);
bool rbac_has_url(const struct rbac_rule *rule, struct bh_slice path);

/* Every binding of the user or its groups, each once, those for all namespaces first; false of the visitor ends it. */
typedef bool rbac_visitor(void *ctx, const struct rbac_binding *b);
void rbac_visit(const struct rbac *r, const struct rbac_user *user, rbac_visitor *visit, void *ctx);

#endif
