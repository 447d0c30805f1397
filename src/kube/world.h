/* world.h: an index of objects by kind, for questions that are asked about each of many: a policy's bindings and parameters, a namespace's labels. */
#ifndef BH_KUBE_WORLD_H
#define BH_KUBE_WORLD_H

#include "base/arena.h"
#include "base/map.h"
#include "kube/objects.h"

/* All of one kind, in the order in which they were read. */
struct kube_kind {
	const struct kube_object **objects;
	size_t n;
};

struct kube_world {
	struct bh_arena arena;
	struct bh_map kinds;      /* "group kind" -> struct kube_kind */
	struct bh_map namespaces; /* name -> struct kube_object; the first of a name counts */
};

/* `all` must outlive the world. */
int kube_world_init(struct kube_world *w, const struct kube_object_vec *all, struct bh_err *err) BH_MUST_CHECK;
void kube_world_done(struct kube_world *w);

/* Of all objects of manifests and policies, which are put into `all`. BH_ELIMIT when there are more than it takes. */
int kube_world_collect(struct kube_world *w, const struct kube_set *manifests, const struct kube_set *policies, struct kube_object_vec *all,
		       struct bh_err *err) BH_MUST_CHECK;

/* Empty when there is none. */
struct kube_kind kube_world_kind(const struct kube_world *w, struct bh_slice group, struct bh_slice kind);

/* NULL when the namespace is not among the objects. */
const struct kube_object *kube_world_namespace(const struct kube_world *w, struct bh_slice name);

#endif
