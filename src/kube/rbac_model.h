/* rbac_model.h: what the files of rbac.h share: making roles and bindings, and who is bound. Nobody else includes it. */
#ifndef BH_KUBE_RBAC_MODEL_H
#define BH_KUBE_RBAC_MODEL_H

#include "kube/rbac.h"

#define RBAC_KEY_BYTES_MAX (1u << 20) /* a longer name is none */

/* The bindings of one subject, in the order of the set. */
struct rbac_grant {
	const struct rbac_binding *binding;
	struct rbac_grant *next;
};

/* Adds, or takes the place of one of the same name; `only_missing`: leaves that one. rules: those written in the role. False: no memory. */
bool rbac_add_role(struct rbac *r, struct rbac_role *role, struct rbac_rule *rules, bool only_missing) BH_MUST_CHECK;
bool rbac_add_binding(struct rbac *r, struct rbac_binding *binding, bool only_missing) BH_MUST_CHECK;

/* The roles and bindings that an API server makes, as far as the set lacks them. False: no memory. */
bool rbac_add_defaults(struct rbac *r) BH_MUST_CHECK;

#endif
