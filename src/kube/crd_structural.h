/*
 * crd_structural.h: is a schema of a CustomResourceDefinition one that an API server takes? It has to be structural (kubernetes.io, "Specifying a structural schema";
 * apiextensions-apiserver, pkg/apiserver/schema and pkg/apis/apiextensions/validation): types everywhere outside of junctors, nothing inside of them that is not
 * specified outside, no references, no patterns of names.
 */
#ifndef BH_KUBE_CRD_STRUCTURAL_H
#define BH_KUBE_CRD_STRUCTURAL_H

#include "kube/schema.h"

/* Tells what is wrong; *ret_n is how much that is. has_status: the version has a status subresource. */
int crd_structural_check(struct cel_value schema, bool has_status, const struct kube_fault_taker *taker, unsigned *ret_n, struct bh_err *err) BH_MUST_CHECK;

#endif
