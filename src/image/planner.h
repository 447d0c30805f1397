/*
 * planner.h: the child that reads manifests, and, when an archive can only be streamed, its layers on the way. It ends with
 * the plan (IMAGE_SAY_HEAD, IMAGE_SAY_LAYER...); a stream's units come before it (IMAGE_SAY_UNIT starts each).
 */
#ifndef BH_IMAGE_PLANNER_H
#define BH_IMAGE_PLANNER_H

#include "image/layer.h"
#include "image/plan.h"
#include "sys/child.h"

struct image_planner_job {
	struct image_wish wish;
	struct image_layer_job layer; /* for layers met in a stream */
	bool remote;                  /* the layout lies elsewhere: remote.h */
};

/* Both are bh_child_spec.run functions; ctx begins with (or is) a struct image_planner_job. */
int image_planner_layout(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err) BH_MUST_CHECK;
int image_planner_archive(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err) BH_MUST_CHECK;

/* A container's own configuration (environment, command, labels): only the visitor's watcher sees it. */
int image_planner_container(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err) BH_MUST_CHECK;

#endif
