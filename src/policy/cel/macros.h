/*
 * macros.h: calls that the parser rewrites (cel-spec langdef.md, "Macros"). A macro sees its arguments as trees and makes another tree. Libraries
 * bring them in a table.
 */
#ifndef CEL_MACROS_H
#define CEL_MACROS_H

#include "policy/cel/ast.h"

#define CEL_MACRO_ANY_ARGS SIZE_MAX

struct cel_macro_call {
	size_t offset_bytes;
	struct cel_expr *target; /* NULL for a global call */
	struct cel_expr *const *args;
	size_t n;
};

struct cel_macro {
	const char *function; /* NULL ends a table */
	bool has_target;
	size_t n_args;        /* or CEL_MACRO_ANY_ARGS */
	/* The new tree. NULL without m->failed: this call is none of the macro's; with it: wrong, the issue is told. */
	struct cel_expr *(*expand)(struct cel_maker *m, const struct cel_macro_call *call);
};

/* NULL, with an issue that points to `at`. */
struct cel_expr *cel_macro_fail(struct cel_maker *m, size_t at, const char *why);

/* Is the target the name of a namespace, as in cel.bind(...)? */
bool cel_macro_is_namespace(const struct cel_expr *target, const char *name);

/* The name of an argument that has to be a simple one. False with an issue. */
bool cel_macro_name(struct cel_maker *m, const struct cel_expr *arg, struct bh_slice *ret);

/* `name` bound to `value` in `body`: a fold over nothing. */
struct cel_expr *cel_macro_bind(struct cel_maker *m, size_t at, struct bh_slice name, struct cel_expr *value, struct cel_expr *body);

/* The name of the accumulator as a node. */
struct cel_expr *cel_macro_accu(struct cel_maker *m, size_t at);

/* accu + [item] */
struct cel_expr *cel_macro_append(struct cel_maker *m, size_t at, struct cel_expr *item);

/* condition ? step : accu; the step alone when there is no condition. */
struct cel_expr *cel_macro_step_if(struct cel_maker *m, size_t at, struct cel_expr *condition, struct cel_expr *step);

#endif
