/* node.h: the parent's side of everything that is judged from files of a node and from sets of objects. */
#ifndef BH_COMPLY_NODE_H
#define BH_COMPLY_NODE_H

#include "comply/comply.h"

/* Failures become findings of out->findings, all else goes to the pool. */
int comply_node(const struct comply_options *options, struct comply_report *out, struct comply_reason_vec *pool, struct bh_err *err) BH_MUST_CHECK;

#endif
