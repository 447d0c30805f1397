/*
 * crd.h: CustomResourceDefinitions among the objects, and custom resources against them. A definition that no API server takes is told itself, and its resources are
 * not compared.
 */
#ifndef BH_KUBE_CRD_H
#define BH_KUBE_CRD_H

#include "kube/schema.h"

struct crds;

/* The definitions of `all`, which must outlive them. They are read when they are first needed, for Kubernetes 1.MINOR. */
int crds_new(const struct kube_object_vec *all, unsigned minor, struct crds **ret, struct bh_err *err) BH_MUST_CHECK;
void crds_free(struct crds *c);

bool crd_is_definition(const struct kube_object *o);

/* What is wrong with a definition. */
int crds_check_definition(struct crds *c, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err) BH_MUST_CHECK;

enum crd_answer {
	CRD_UNKNOWN,   /* nobody defines the kind */
	CRD_BROKEN,    /* its definition is wrong */
	CRD_COMPARED,
	CRD_GIVEN_UP,  /* too much work: err says why */
};

/* A custom resource; *ret_definition: who defines it, NULL for nobody. */
int crds_check(struct crds *c, const struct kube_object *o, const struct kube_fault_taker *taker, enum crd_answer *ret, const struct kube_object **ret_definition,
	       struct bh_err *err) BH_MUST_CHECK;

#endif
