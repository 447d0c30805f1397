/*
 * custom_pods.h: pods inside of custom resources. A Rollout's template or a Task's steps become an object of kind Pod beside the resource, so that whoever looks at
 * pods (policies, network, rights, paths) sees them; its fields have the places of what they were made of.
 */
#ifndef BH_KUBE_CUSTOM_PODS_H
#define BH_KUBE_CUSTOM_PODS_H

#include "kube/objects.h"

/* Once, when everything is read: where pods stand is told by podspecs.def, and of other kinds by their CustomResourceDefinitions in the set. */
int kube_add_custom_pods(struct kube_set *set, struct bh_err *err) BH_MUST_CHECK;

#endif
