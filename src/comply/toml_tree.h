/* toml_tree.h: a document of TOML as a value of CEL that knows where its parts stand, as kube/tree.h has them of YAML: container engines are configured in it. */
#ifndef BH_COMPLY_TOML_TREE_H
#define BH_COMPLY_TOML_TREE_H

#include "format/toml.h"
#include "kube/tree.h"

/* The tree lives in the arena, and refers to the document's texts; kube_tree_done frees the places. Dates and floating-point numbers become texts, as they are written. */
int toml_tree_make(const struct bh_toml *doc, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
