/* request.h: what an admission policy is asked about: one operation on one object (admission/v1, AdmissionRequest). */
#ifndef BH_KUBE_REQUEST_H
#define BH_KUBE_REQUEST_H

#include "kube/resource.h"
#include "kube/world.h"

struct kube_request {
	struct cel_value object, old_object;    /* null when there is none */
	struct cel_value value;                 /* the variable `request` */
	struct cel_value namespace_object;      /* null: of no namespace; unknown: not given */
	struct bh_slice operation;              /* "CREATE" ... */
	struct bh_slice name, namespace;
	struct bh_slice subresource;
	struct kube_resource resource;
	struct bh_slice group, version, kind;
};

/*
 * The creation of an object of a manifest: nobody knows by whom, so request.userInfo is unknown. The namespace is "default" where a namespaced
 * object names none; its labels are those of the Namespace in the world. False when the arena is full.
 */
bool kube_request_create(const struct kube_object *o, const struct kube_world *world, struct bh_arena *arena, struct kube_request *ret) BH_MUST_CHECK;

/* A recorded AdmissionReview (or its request alone): BH_EMALFORMED when it is none. */
int kube_request_of_review(struct cel_value review, struct kube_request *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
