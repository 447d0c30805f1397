/*
 * rbac_least.h: for each subject of an audit log the roles that allow what it was allowed to do, and nothing else: no wildcards, names where it named them.
 * The roles are read back and every request of the log is asked again: the answer says how many they allow.
 */
#ifndef BH_KUBE_RBAC_LEAST_H
#define BH_KUBE_RBAC_LEAST_H

#include "kube/rbac_ask.h"
#include "kube/rbac_log.h"

struct rbac_leasting {
	struct rbac_audit audit;      /* filled by rbac_least_read */
	const char *const *subjects;  /* user names, "sa:shop/web"; none: all but the cluster's own */
	size_t n_subjects;
	bool without_defaults;        /* roles also hold what Kubernetes lets every user do */
};

/* A kube_question's read: ctx is a struct rbac_leasting. */
int rbac_least_read(struct kube_asked *asked, void *ctx, struct bh_slice name, int fd, struct bh_err *err);

/*
 * Rows: pieces of YAML, in order; then what was proven of a subject, numbers as digits. EVENTS and REQUESTS (different ones): that were allowed. DEFAULT:
 * of the requests, what every user may do. ALLOWED: of the other requests, what the roles allow. DENIED: requests that were refused. EXTRA: what the roles
 * allow beyond the log. Last, the row of the log as a whole (rbac_log.h).
 */
#define RBAC_ROW_YAML 200u
#define RBAC_ROW_PROOF 201u
enum rbac_proof_cell {
	RBAC_PROOF_SUBJECT, RBAC_PROOF_EVENTS, RBAC_PROOF_REQUESTS, RBAC_PROOF_DEFAULT, RBAC_PROOF_ALLOWED, RBAC_PROOF_DENIED, RBAC_PROOF_EXTRA, RBAC_PROOF_CELLS
};
int rbac_least(struct kube_asked *asked, void *ctx, struct bh_err *err);

#endif
