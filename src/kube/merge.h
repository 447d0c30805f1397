/*
 * merge.h: an apply configuration merged into an object, as the API server merges what a mutating policy's applyConfiguration says: along the types of the
 * API, maps field by field, lists whose elements have keys element by element. What the server refuses is refused: fields that the type has not, and lists
 * and maps that are written as a whole or not at all (apiserver, plugin/policy/mutating/patch/smd.go; sigs.k8s.io/structured-merge-diff, typed/merge.go).
 */
#ifndef BH_KUBE_MERGE_H
#define BH_KUBE_MERGE_H

#include "kube/schema.h"

/*
 * *ret: `live` with what `patch` says, both plain values (kube_plain); null in the patch takes a scalar field away. The type is the one of live's
 * apiVersion and kind; of custom resources nothing is known, so their maps are merged and their lists replaced.
 * BH_EMALFORMED: what the server would say; BH_ENOMEM, BH_ELIMIT.
 */
int kube_merge(const struct kube_schema *schema, struct bh_arena *arena, struct cel_value live, struct cel_value patch, struct cel_value *ret, struct bh_err *err)
	BH_MUST_CHECK;

#endif
