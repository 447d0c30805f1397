/*
 * patch.h: JSON Patch (RFC 6902) on values: what a mutating policy's jsonPatch says, applied; and the other way round, the difference of two values as a
 * patch. Values are never changed: what a patch leaves alone is shared by the value before and the value after.
 */
#ifndef BH_KUBE_PATCH_H
#define BH_KUBE_PATCH_H

#include "base/buf.h"
#include "base/vec.h"
#include "policy/cel/value.h"

#define KUBE_PATCH_STEPS_MAX 10000u
#define KUBE_PATCH_DEPTH_MAX 64u       /* as deep as a document may be: BH_YAML_DEPTH_MAX */

enum kube_patch_rules {
	KUBE_PATCH_RFC,    /* to the letter */
	KUBE_PATCH_SERVER, /* as the API server's library: negative indexes count from the end, and a member that is replaced need not be there */
};

/*
 * `steps`: a list of maps with op, path, from, value. 1: *ret is the value behind the patch; 0: a test did not hold, nothing is to be changed.
 * BH_EMALFORMED: the patch is none or does not fit; BH_ELIMIT, BH_ENOMEM.
 */
int kube_patch_apply(struct bh_arena *arena, struct cel_value document, struct cel_value steps, enum kube_patch_rules rules, struct cel_value *ret,
		     struct bh_err *err) BH_MUST_CHECK;

/* ---- differences ---- */

struct kube_step {
	bool is_element;     /* of a list: the index counts; else the key of a map */
	struct bh_slice key;
	size_t index;
};

enum kube_change_kind {
	KUBE_CHANGE_SET,    /* a member that is added, a member or element that is replaced by values[0] */
	KUBE_CHANGE_REMOVE,
	KUBE_CHANGE_INSERT, /* values become elements before the one that is named */
};

struct kube_change {
	enum kube_change_kind kind;
	bool is_new;                    /* SET: the member is not there yet */
	const struct kube_step *steps;  /* from the root to what is changed, in the value before */
	size_t n_steps;
	const struct cel_value *values;
	size_t n_values;
};
BH_VEC(kube_change_vec, struct kube_change)

/*
 * What makes `after` of `before`. Elements of lists come last to first, so that the indexes hold whether changes are made one by one or all at once.
 * Steps live in the arena, values where `after` has them.
 */
int kube_difference(struct bh_arena *arena, struct cel_value before, struct cel_value after, struct kube_change_vec *changes, struct bh_err *err) BH_MUST_CHECK;

/* The changes as a JSON Patch: a list of steps. */
int kube_difference_steps(struct bh_arena *arena, const struct kube_change_vec *changes, struct cel_value *ret, struct bh_err *err) BH_MUST_CHECK;

/* A value as JSON on one line. Kinds that JSON has not are printed as null: kube_plain refuses them. */
void kube_print_json(struct bh_buf *out, struct cel_value v);

/*
 * The value as a document can have it: literals of records become maps, unsigned integers integers; BH_EMALFORMED for what JSON has not (a duration,
 * a quantity, a map with other keys than texts).
 */
int kube_plain(struct bh_arena *arena, struct cel_value v, struct cel_value *ret, struct bh_err *err) BH_MUST_CHECK;

/* The value with everything copied into the arena but what `old` has, too: that is shared. */
int kube_copy(struct bh_arena *arena, struct cel_value old, struct cel_value v, struct cel_value *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
