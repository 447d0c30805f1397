/*
 * rbac_admission.h: do the ValidatingAdmissionPolicies among the objects, those with a binding that denies, keep pods off the nodes? They are asked, as the API
 * server would, about a harmless pod and about ones that differ from it by one way onto the node. A policy that objects to the harmless one, too, is about
 * something else, and whoever makes pods can please it: it does not count.
 */
#ifndef BH_KUBE_RBAC_ADMISSION_H
#define BH_KUBE_RBAC_ADMISSION_H

#include "kube/ask.h"
#include "kube/world.h"

struct rbac_admission;

/* Policies that are wrong are a gap of the answer. The objects must outlive it. */
int rbac_admission_new(struct kube_asked *asked, const struct kube_object_vec *all, struct rbac_admission **ret, struct bh_err *err) BH_MUST_CHECK;
void rbac_admission_free(struct rbac_admission *a);

struct rbac_admission_verdict {
	bool is_shut;       /* every way is denied */
	const char *denied; /* "ValidatingAdmissionPolicy no-privileged denies privileged pods, ..."; NULL: nothing */
	const char *left;   /* "a mounted folder of the node is not denied", what depends on who asks; NULL: nothing to say */
};

/* In the namespace; kept, so that asking twice costs nothing. *ret lives as long as a. */
int rbac_admission_in(struct rbac_admission *a, struct bh_slice namespace, const struct rbac_admission_verdict **ret, struct bh_err *err) BH_MUST_CHECK;

#endif
