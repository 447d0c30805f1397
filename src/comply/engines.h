/*
 * engines.h: the container engines of a node beside Docker, and the files that configure them (engines.def): containerd and CRI-O, which run as programs, and Podman,
 * which is one that is started when it is needed. What is found are instances of components, whose settings settings.def judges.
 */
#ifndef BH_COMPLY_ENGINES_H
#define BH_COMPLY_ENGINES_H

#include "comply/component.h"

/* Adds instances, and configurations to those of containerd and CRI-O that there are. */
int engines_find(struct node *n, struct bh_err *err) BH_MUST_CHECK;

#define ENGINE_PATHS_MAX 5000u
BH_VEC(engine_path_vec, struct bh_slice)

/* Paths that a pattern with at most one "*" stands for, in the order of their names; of a path without one, itself, whether it is there or not. */
int engines_expand(struct node *n, struct bh_slice pattern, struct engine_path_vec *out, struct bh_err *err) BH_MUST_CHECK;

#endif
