/*
 * nulls.h: objects without the fields that are null: to an API server, which reads objects of its own kinds into structures, they are not there, so no policy
 * ever sees them. Custom resources are kept as they are sent.
 */
#ifndef BH_KUBE_NULLS_H
#define BH_KUBE_NULLS_H

#include "base/vec.h"
#include "kube/objects.h"

#define KUBE_COPIES_MAX 1000000u

/* A map or list that was made anew, and the one that it was made of. */
struct kube_copy_of {
	const void *copy, *original;
};
BH_VEC(kube_copy_vec, struct kube_copy_of)

/* The value without fields that are null; elements of lists stay. What has none is shared, what has some is noted in `copies`, unless NULL. An error: no memory. */
struct cel_value kube_without_nulls(struct bh_arena *arena, struct cel_value v, struct kube_copy_vec *copies) BH_MUST_CHECK;

/* What `container` was made of; itself, if it is no copy. */
const void *kube_original_of(const struct kube_copy_vec *copies, const void *container);

/* Is it of a kind that the API server reads into a structure? */
bool kube_is_own_kind(const struct kube_object *o);

#endif
