/* custom_podspecs.h: where pods stand in custom resources: the table podspecs.def, and what schemas of CustomResourceDefinitions tell. */
#ifndef BH_KUBE_CUSTOM_PODSPECS_H
#define BH_KUBE_CUSTOM_PODSPECS_H

#include "base/map.h"
#include "kube/objects.h"

enum podspec_shape { PODSPEC_TEMPLATE, PODSPEC_SPEC, PODSPEC_PART_TEMPLATE, PODSPEC_PART_SPEC, PODSPEC_TEKTON, PODSPEC_ARGO }; /* see podspecs.def */

struct podspec {
	struct bh_slice kind;
	const char *path;
	enum podspec_shape shape;
	const char *part;
	const struct podspec *next; /* of the same group */
};

struct podspecs {
	struct bh_arena arena;
	struct bh_map groups; /* group -> const struct podspec *, the last one that was added */
};

/* The table, and the definitions among the objects. */
int podspecs_init(struct podspecs *p, const struct kube_object_vec *all, struct bh_err *err) BH_MUST_CHECK;
void podspecs_done(struct podspecs *p);

/* The first one of the group; go on with next, and look at the kind. */
const struct podspec *podspecs_of(const struct podspecs *p, struct bh_slice group);

#endif
