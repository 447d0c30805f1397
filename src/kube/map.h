/*
 * map.h: MutatingAdmissionPolicy (admissionregistration.k8s.io, v1alpha1 to v1), evaluated as the API server does: each mutation in its order gets the object
 * that the one before it left; an applyConfiguration is merged (merge.h), a jsonPatch applied (patch.h), and one whose test does not hold changes nothing
 * (apiserver, plugin/policy/mutating). As with vap.h, objects are as they were written, without the server's defaults.
 */
#ifndef BH_KUBE_MAP_H
#define BH_KUBE_MAP_H

#include "kube/schema.h"
#include "kube/vap.h"

struct map_policy;

bool map_is_policy(const struct kube_object *o);

/* As vap_policy_new. */
int map_policy_new(const struct kube_object *o, unsigned minor, struct map_policy **ret, struct bh_buf *why, struct bh_err *err) BH_MUST_CHECK;
void map_policy_free(struct map_policy *p);
const struct kube_object *map_policy_object(const struct map_policy *p);

/* Why a policy could not do what it wanted: VAP_FAILED (it ends in an error, and the server would refuse the request) or VAP_UNKNOWN. */
typedef int (*map_sink)(void *ctx, const struct map_policy *policy, enum vap_outcome outcome, struct bh_slice why, struct bh_err *err);

struct map_context {
	const struct kube_request *request;  /* its object is the one before all mutations */
	const struct kube_world *world;
	const struct kube_schema *schema;
	struct bh_arena *arena;              /* where the new object lives */
	map_sink sink;
	void *ctx;
};

/*
 * The object as the policies leave it, asked in the order of their names, with all of their bindings and parameters: the same value where they change
 * nothing. Those with reinvocationPolicy IfNeeded are asked once more when another changed the object after them. What a failing policy changed is taken
 * back, and told. BH_EMALFORMED: a policy wants parameters and has no binding.
 */
int map_mutate(struct map_policy *const *policies, size_t n, const struct map_context *context, struct cel_value *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
