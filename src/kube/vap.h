/*
 * vap.h: ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1), evaluated as the API server does: match constraints, bindings, parameters, match
 * conditions, lazy variables, validations, messages, failure policy (kubernetes.io, API reference; apiserver, pkg/admission/plugin/policy/validating).
 * Not on a real API server: objects are as they were written, without the server's defaults, and what only a cluster knows (who asks, the authorizer,
 * namespaces that are not given) is unknown and makes the answer unknown.
 */
#ifndef BH_KUBE_VAP_H
#define BH_KUBE_VAP_H

#include "kube/request.h"
#include "policy/cel/cel.h"

#define VAP_NEWEST_MINOR 38u

struct vap_policy;

/* Compiled for Kubernetes 1.MINOR. BH_EMALFORMED: *why says which expression is wrong and where; the policy must not be passed over in silence. */
int vap_policy_new(const struct kube_object *o, unsigned minor, struct vap_policy **ret, struct bh_buf *why, struct bh_err *err) BH_MUST_CHECK;
void vap_policy_free(struct vap_policy *p);

const struct kube_object *vap_policy_object(const struct vap_policy *p);
bool vap_policy_wants_params(const struct vap_policy *p);
uint64_t vap_policy_asked(const struct vap_policy *p); /* how many requests its constraints matched so far */

enum vap_outcome {
	VAP_DENIED,  /* a validation does not hold */
	VAP_FAILED,  /* an expression ended in an error, and the policy's failurePolicy is Fail */
	VAP_UNKNOWN, /* it depends on what is not known here */
};

#define VAP_DENY 1u
#define VAP_WARN 2u
#define VAP_AUDIT 4u

struct vap_result {
	enum vap_outcome outcome;
	const struct vap_policy *policy;
	const struct kube_object *binding; /* NULL: none was given, the policy holds for everything it matches */
	struct bh_slice message;
	struct bh_slice expression;        /* that decided */
	struct bh_slice reason;            /* "Invalid", "Forbidden" ... */
	unsigned actions;                  /* VAP_DENY | VAP_WARN | VAP_AUDIT */
	struct cel_read reads[CEL_READS_MAX]; /* what the expression read last, of whatever */
	size_t n_reads;
};

/* Called for each result; a negative return ends the review. */
typedef int (*vap_sink)(void *ctx, const struct vap_result *result, struct bh_err *err);

/*
 * All of the policy's bindings in the world with their parameters, or the policy alone when it has no binding and wants no parameters. What a
 * result points to lives during the call. BH_EMALFORMED: the policy wants parameters and has no binding.
 */
int vap_review(struct vap_policy *p, const struct kube_request *request, const struct kube_world *world, vap_sink sink, void *ctx, struct bh_err *err)
	BH_MUST_CHECK;

#endif
