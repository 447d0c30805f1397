/*
 * rbac_unused.h: what of roles and bindings nobody needs: by the objects alone (what is not there, what nobody has, what another one holds already), and with
 * audit logs by what was done. All that is named for taking away can go at once: every request that the log shows as allowed is still allowed.
 */
#ifndef BH_KUBE_RBAC_UNUSED_H
#define BH_KUBE_RBAC_UNUSED_H

#include "kube/rbac_ask.h"
#include "kube/rbac_log.h"

/* ctx of the question. The logs are role RBAC_LOG_ROLE. */
struct rbac_leaving {
	enum rbac_defaults defaults;
	bool has_log;
	struct rbac_audit audit; /* filled by rbac_unused_read */
};

/* A kube_question's read. */
int rbac_unused_read(struct kube_asked *asked, void *ctx, struct bh_slice name, int fd, struct bh_err *err);

/*
 * OBJECT: "Role shop/reader", or who; AT: where in it, "rules[1].verbs[0]", empty: the whole; VALUE: what stands there; INSTEAD: of a word that stands for
 * many, the words that were used, "" for the group without a name. PLACE: file and line. WHAT, by the objects:
 *
 *   missing-role, missing-subject, no-subjects, shadowed-subject       of a binding
 *   unbound-role, no-rules, void-rule, shadowed-rule, shadowed-word    of a role
 *   unused-account, missing-account                                    a service account that no pod has; that a pod has and is not there
 *   same-object                                                        another one of that name counts
 *
 * and by the log:
 *
 *   binding, subject, role, rule, verb, group, resource, name, url     never used
 *   wildcard                                                           used, but not for all that it stands for
 *   server-role                                                        a binding of a role that the API server makes, with what it was used for
 *   identity                                                           never seen, whatever it may do
 */
#define RBAC_ROW_UNUSED 210u
enum rbac_unused_cell {
	RBAC_UNUSED_WHAT, RBAC_UNUSED_OBJECT, RBAC_UNUSED_AT, RBAC_UNUSED_VALUE, RBAC_UNUSED_INSTEAD, RBAC_UNUSED_WHY, RBAC_UNUSED_PLACE, RBAC_UNUSED_CELLS
};

/* What could not be judged, and where that stands; then the row of the log. */
#define RBAC_ROW_UNJUDGED 211u
enum rbac_unjudged_cell { RBAC_UNJUDGED_TEXT, RBAC_UNJUDGED_PLACE, RBAC_UNJUDGED_CELLS };

int rbac_unused(struct kube_asked *asked, void *ctx, struct bh_err *err);

#endif
