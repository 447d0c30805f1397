/*
 * infer.h: type variables while a tree is checked: which type each stands for, and whether one type may stand where another is asked for. As in
 * cel-go's checker (types.go): numbers and their wrappers go together, null with everything that may be null, dyn with all.
 */
#ifndef CEL_INFER_H
#define CEL_INFER_H

#include "policy/cel/type.h"

#define CEL_INFER_VARIABLES_MAX 200000u

struct cel_infer {
	struct bh_arena *arena;
	const struct cel_type **means; /* by number of the variable; NULL: nothing yet */
	size_t n, cap;
	uint32_t *trail;               /* variables in the order they were set, to take them back */
	const struct cel_type **before;
	size_t n_trail, cap_trail;
	bool failed;                   /* out of memory */
};

void cel_infer_done(struct cel_infer *in);

/* A new variable. */
const struct cel_type *cel_infer_fresh(struct cel_infer *in);

/* May `from` stand where `to` is asked for? Variables are set as far as that needs; not at all when the answer is no. */
bool cel_infer_assignable(struct cel_infer *in, const struct cel_type *to, const struct cel_type *from);
bool cel_infer_all_assignable(struct cel_infer *in, const struct cel_type *const *to, const struct cel_type *const *from, size_t n);

/* The type with its variables replaced by what they mean; those that mean nothing stay, or become dyn. */
const struct cel_type *cel_infer_resolve(struct cel_infer *in, const struct cel_type *t, bool free_is_dyn);

/* The more general of two types that go together. */
const struct cel_type *cel_infer_general(const struct cel_type *a, const struct cel_type *b);

#endif
