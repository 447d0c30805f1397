/*
 * owned.h: in a dump of a cluster a Deployment, its ReplicaSet and their pods say the same three times and more. What is found at an object is told
 * only where its controller was not told the same: a container that something injected into the pods is still found.
 */
#ifndef BH_KUBE_OWNED_H
#define BH_KUBE_OWNED_H

#include "base/arena.h"
#include "base/map.h"
#include "kube/objects.h"

struct owned {
	struct bh_map told; /* "namespace/kind/name check" */
	struct bh_arena arena;
};

void owned_init(struct owned *o);
void owned_done(struct owned *o);

/* How far from the one that stands for it: 0 has no controller, 1 what a controller makes, 2 pods of one. To be asked in this order. */
unsigned owned_rank(const struct kube_object *object);
#define OWNED_RANKS 3u

/* *ret_told: the controller was told of this check already. */
int owned_tell(struct owned *o, const struct kube_object *object, struct bh_slice check, bool *ret_told, struct bh_err *err) BH_MUST_CHECK;

#endif
