/*
 * rbac_exposure.h: which service accounts somebody outside could get at first: those whose token a pod holds that a LoadBalancer, a NodePort, an Ingress,
 * a Gateway's HTTPRoute, a host port or the node's network offers to the outside.
 */
#ifndef BH_KUBE_RBAC_EXPOSURE_H
#define BH_KUBE_RBAC_EXPOSURE_H

#include "base/map.h"
#include "kube/objects.h"

struct rbac_exposure {
	struct bh_arena arena;
	struct bh_map accounts; /* "namespace/name" -> how, a C string */
};

int rbac_exposure_find(const struct kube_object_vec *all, struct rbac_exposure *ret, struct bh_err *err) BH_MUST_CHECK;
void rbac_exposure_done(struct rbac_exposure *x);

/* "Deployment shop/web, LoadBalancer shop/web"; NULL: not exposed, or no pod holds its token. */
const char *rbac_exposure_of(const struct rbac_exposure *x, struct bh_slice namespace, struct bh_slice name);

#endif
