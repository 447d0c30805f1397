/*
 * check.h: types and names of a tree (cel-spec langdef.md, "Gradual Type Checking"). Every node gets its type; names, calls and records get what
 * they refer to. The rules and the messages are those of cel-go, which Kubernetes runs.
 */
#ifndef CEL_CHECK_H
#define CEL_CHECK_H

#include "policy/cel/env.h"

enum cel_refer_kind {
	CEL_REFER_UNDECLARED, /* unchecked programs: an error when it is reached */
	CEL_REFER_VARIABLE,   /* .slot of the environment */
	CEL_REFER_LOCAL,      /* .slot of the run's locals: variables of folds and blocks */
	CEL_REFER_CONSTANT,   /* .value; .slot: what a literal costs each time */
	CEL_REFER_CALL,       /* .candidates; the first whose kinds fit is called */
	CEL_REFER_FOLD,       /* .slot: accumulator; then iter, iter2 */
	CEL_REFER_BLOCK,      /* .slot: the first of the block's values */
	CEL_REFER_RECORD,     /* .type */
};

/* How the evaluator does a call. */
enum cel_op {
	CEL_DO_CALL,
	CEL_DO_AND,
	CEL_DO_OR,
	CEL_DO_TERNARY,
	CEL_DO_NOT_STRICTLY_FALSE,
	CEL_DO_EQUALS,
	CEL_DO_DIFFERS,
	CEL_DO_LESS,
	CEL_DO_LESS_EQUALS,
	CEL_DO_GREATER,
	CEL_DO_GREATER_EQUALS,
	CEL_DO_INDEX,
	CEL_DO_OPT_INDEX, /* a[?b], and a.?b */
	CEL_DO_OR_ELSE,   /* or() and orValue(), which look at their argument only when they need it */
};

struct cel_refer {
	enum cel_refer_kind kind;
	enum cel_op op;
	struct bh_slice name; /* in full, without the container's help */
	unsigned slot;
	unsigned cost;        /* of a variable */
	bool is_open;         /* an open record: its value remembers the name */
	bool is_namespaced;   /* a call whose target is no value but a part of the function's name */
	struct cel_value value;
	const struct cel_type *type;
	const struct cel_candidate **candidates;
	size_t n;
};

/*
 * False when the tree has errors (in issues). With CEL_UNCHECKED it is only false when memory is used up. *ret_locals: how many local slots a run needs.
 */
bool cel_check(const struct cel_env *env, struct bh_arena *arena, struct cel_expr *tree, enum cel_checking checking, struct cel_issues *issues,
	       unsigned *ret_locals);

#endif
