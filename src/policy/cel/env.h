/* env.h: the inside of an environment, for the checker and the evaluator: functions, variables, constants, records by name. */
#ifndef CEL_ENV_H
#define CEL_ENV_H

#include "base/map.h"
#include "policy/cel/cel.h"

#define CEL_PARAMS_MAX 6u
#define CEL_VARIABLES_MAX 4096u

/* An overload with its signature read. */
struct cel_candidate {
	const struct cel_overload *of;
	struct cel_candidate *next; /* in the order of declaration */
	bool is_member;
	size_t n;
	const struct cel_type *params[CEL_PARAMS_MAX], *result;
};

struct cel_callee {
	struct bh_slice name;
	struct cel_candidate *first, *last;
};

/* A variable or a constant. */
struct cel_named {
	struct bh_slice name;
	const struct cel_type *type;
	bool is_constant;
	unsigned slot, cost;
	struct cel_value value;
};

struct cel_record {
	struct bh_slice name;
	const struct cel_type *type;
	struct bh_map fields; /* name -> const struct cel_type * */
	bool is_open;         /* any field, and NAME.x is a record, too */
};

struct cel_env {
	struct bh_arena arena;
	const struct cel_library *const *libraries;
	struct bh_map callees, named, records;
	struct bh_slice container;
	unsigned n_variables;
	bool is_homogeneous, reads_literals;
};

/*
 * What a name means, tried in the container's folders from the inside out; ".x" only at the root. NULL when nothing does. *ret_name, when not NULL,
 * is the name that was found.
 */
const struct cel_named *cel_env_find_named(const struct cel_env *env, struct bh_slice name);
const struct cel_callee *cel_env_find_callee(const struct cel_env *env, struct bh_slice name);
const struct cel_record *cel_env_find_record(const struct cel_env *env, struct bh_slice name);
const struct cel_wellknown *cel_env_find_wellknown(const struct cel_env *env, struct bh_slice name);

#endif
