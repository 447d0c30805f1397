/*
 * rbac_unlogged.h: what an API server's audit policy (audit.k8s.io/v1, Policy) keeps out of its log: rights for such requests look unused whatever is done
 * with them. The first rule of the policy that takes a request decides; a request that none takes is not logged.
 */
#ifndef BH_KUBE_RBAC_UNLOGGED_H
#define BH_KUBE_RBAC_UNLOGGED_H

#include "kube/rbac_shadow.h"

struct rbac_audit_rule {
	bool is_logged;                      /* its events have an outcome in the log */
	struct rbac_words users, groups;     /* empty: all */
	bool has_namespaces;
	const struct rbac_rule *requests;    /* any of them */
	size_t n_requests;
	uint32_t line;
};

struct rbac_unlogged {
	const struct kube_object *policy;    /* NULL: none among the objects */
	const struct rbac_audit_rule *rules; /* the last one takes what is left */
	size_t n_rules;
};

int rbac_unlogged_read(const struct kube_object_vec *objects, struct bh_arena *arena, struct rbac_unlogged *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * The rule that keeps requests of the subject out of the log that this rule allows; NULL: none, or there is no policy. *wholly: all of its requests; false: it
 * may be some, or those of one namespace.
 */
const struct rbac_audit_rule *rbac_unlogged_by(const struct rbac_unlogged *u, const struct rbac_subject *s, const struct rbac_user *user, const struct rbac_rule *rule,
					       bool *wholly);

#endif
