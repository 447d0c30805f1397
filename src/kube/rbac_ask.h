/*
 * rbac_ask.h: questions about roles and bindings (ask.h): who can do something, what somebody can do, what changed between two sets.
 * Their ctx is a struct rbac_asking; role 0 are the objects, role 1 the newer ones of a comparison.
 */
#ifndef BH_KUBE_RBAC_ASK_H
#define BH_KUBE_RBAC_ASK_H

#include "kube/ask.h"
#include "kube/rbac.h"

struct rbac_asking {
	enum rbac_defaults defaults;
	struct rbac_subject subject;      /* rbac_can */
	const char *const *groups;        /* that it is in beside those that its name gives */
	size_t n_groups;
	struct rbac_request request;      /* rbac_who_can, rbac_may */
	bool any_namespace;               /* in some namespace, or everywhere */
	bool any_group;                   /* find the API group: of a known resource, or a CustomResourceDefinition of the set */
};

enum rbac_row { RBAC_ROW_GRANT, RBAC_ROW_RULE, RBAC_ROW_ANSWER, RBAC_ROW_CHANGE, RBAC_ROW_BOUND };

/* Who can do the request, and how. NAMES: the only names it holds for; SCOPE: a namespace, or empty for all. */
enum rbac_grant_cell { RBAC_GRANT_SUBJECT, RBAC_GRANT_SCOPE, RBAC_GRANT_NAMES, RBAC_GRANT_ROLE, RBAC_GRANT_BINDING, RBAC_GRANT_PLACE /* of the binding */, RBAC_GRANT_CELLS };
int rbac_who_can(struct kube_asked *asked, void *ctx, struct bh_err *err);

/* What the subject can do: a row per rule. VIA: the subject that the binding names, itself or a group of it. */
enum rbac_rule_cell {
	RBAC_RULE_SCOPE, RBAC_RULE_VERBS, RBAC_RULE_RESOURCES, RBAC_RULE_NAMES, RBAC_RULE_VIA, RBAC_RULE_ROLE, RBAC_RULE_BINDING, RBAC_RULE_PLACE, RBAC_RULE_CELLS
};
int rbac_can(struct kube_asked *asked, void *ctx, struct bh_err *err);

/* May the subject do the request? One row: "yes" or "no", and by what. */
enum rbac_answer_cell { RBAC_ANSWER_YES, RBAC_ANSWER_ROLE, RBAC_ANSWER_BINDING, RBAC_ANSWER_PLACE, RBAC_ANSWER_CELLS };
int rbac_may(struct kube_asked *asked, void *ctx, struct bh_err *err);

/* What subjects can do by the objects of role 1 and could not by those of role 0 ("gained"), and the reverse ("lost"). */
enum rbac_change_cell {
	RBAC_CHANGE_WHAT, RBAC_CHANGE_SUBJECT, RBAC_CHANGE_SCOPE, RBAC_CHANGE_VERBS, RBAC_CHANGE_RESOURCE, RBAC_CHANGE_NAME, RBAC_CHANGE_ROLE, RBAC_CHANGE_BINDING,
	RBAC_CHANGE_CELLS
};
int rbac_diff(struct kube_asked *asked, void *ctx, struct bh_err *err);

/* A row per subject of a binding that the API server did not make. */
enum rbac_bound_cell { RBAC_BOUND_SUBJECT, RBAC_BOUND_SCOPE, RBAC_BOUND_ROLE, RBAC_BOUND_BINDING, RBAC_BOUND_CELLS };
int rbac_bound(struct kube_asked *asked, void *ctx, struct bh_err *err);

/* What all of them begin with: the model of a role's objects, its problems said as gaps. */
int rbac_of_asked(struct kube_asked *asked, uint8_t role, enum rbac_defaults defaults, struct rbac **ret, struct bh_err *err) BH_MUST_CHECK;

#endif
