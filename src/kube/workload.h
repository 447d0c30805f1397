/*
 * workload.h: what runs: pods, and the pods that controllers will make of their templates. Pods with an owner are one workload under its name, as
 * their owner's pods are all alike.
 */
#ifndef BH_KUBE_WORKLOAD_H
#define BH_KUBE_WORKLOAD_H

#include "kube/objects.h"

#define KUBE_WORKLOADS_MAX 20000u

struct kube_workload {
	const struct kube_object *object;
	struct bh_slice namespace, name, kind; /* kind: of the owner where a pod has one */
	struct cel_value labels;               /* of the pods */
	struct cel_value spec;                 /* of the pods */
};
BH_VEC(kube_workload_vec, struct kube_workload)

/* The template of the pods of any built-in workload kind, the object itself for a Pod; null for others. */
struct cel_value kube_pod_of(const struct kube_object *o);

/* Does the Service lead to the workload's pods? */
bool kube_service_selects(const struct kube_object *service, const struct kube_workload *w);

/* All workloads, in the order of "namespace/name[kind]", each once. */
int kube_workloads(const struct kube_object_vec *all, struct kube_workload_vec *out, struct bh_err *err) BH_MUST_CHECK;

#endif
