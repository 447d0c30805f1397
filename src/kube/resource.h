/*
 * resource.h: kinds and the resources they are stored as: Deployment of apps is "deployments", of a namespace. The built-in ones are in resources.def;
 * of others (custom resources) the plural is guessed as kubectl does, and whether they have a namespace by whether they name one.
 */
#ifndef BH_KUBE_RESOURCE_H
#define BH_KUBE_RESOURCE_H

#include "kube/objects.h"

struct kube_resource {
	struct bh_slice group, version, plural;
	bool is_namespaced, is_known;
};

/* The text of a guessed plural lies in the arena. False when that is full. */
bool kube_resource_of(const struct kube_object *o, struct bh_arena *arena, struct kube_resource *ret) BH_MUST_CHECK;

/* A built-in resource by the name it has in URLs and roles; of those of one name the first. */
bool kube_resource_by_plural(struct bh_slice plural, struct kube_resource *ret);

/* The group that took over the kinds of an older one: extensions became apps, networking.k8s.io, policy. */
bool kube_same_group(struct bh_slice a, struct bh_slice b);

#endif
