/*
 * ast.h: an expression as a tree, the same tree that cel-go makes (cel-spec, proto/cel/expr/syntax.proto): operators are calls of functions
 * with names like _+_, macros are expanded to comprehensions. Nodes lie in the program's arena. The deepest path is at most
 * CEL_DEPTH_MAX nodes long, so whoever walks the tree may recurse.
 */
#ifndef CEL_AST_H
#define CEL_AST_H

#include "policy/cel/issues.h"
#include "policy/cel/value.h"

#define CEL_DEPTH_MAX 250u              /* as cel-go's parser; the specification asks for 12 nested calls, 32 terms */
#define CEL_TEXT_CHARACTERS_MAX 100000u /* as cel-go */

enum cel_expr_kind {
	CEL_EXPR_CONST,
	CEL_EXPR_IDENT,
	CEL_EXPR_SELECT,
	CEL_EXPR_CALL,
	CEL_EXPR_LIST,
	CEL_EXPR_MAP,
	CEL_EXPR_RECORD,
	CEL_EXPR_FOLD, /* a comprehension */
};

struct cel_pair {
	struct cel_expr *key;  /* maps */
	struct bh_slice field; /* records */
	struct cel_expr *value;
	size_t offset_bytes;
	bool optional;         /* "?": the value is an optional; none leaves the pair out */
};

struct cel_expr {
	enum cel_expr_kind kind;
	uint16_t depth;
	size_t offset_bytes; /* where errors point to */
	union {
		struct cel_value constant;
		struct {
			struct bh_slice name; /* ".a" starts at the root whatever the container */
		} ident;
		struct {
			struct cel_expr *operand;
			struct bh_slice field;
			bool test; /* has() */
		} select;
		struct {
			struct bh_slice function;
			struct cel_expr *target; /* NULL: a global function */
			struct cel_expr **args;
			size_t n;
		} call;
		struct {
			struct cel_expr **items;
			bool *optional; /* per item; NULL: none is */
			size_t n;
		} list;
		struct {
			struct bh_slice name; /* records */
			struct cel_pair *pairs;
			size_t n;
		} map;
		/*
		 * accu = init; for each (iter, iter2) in range { if (!condition) break; accu = step } result. One iteration variable: elements of
		 * lists, keys of maps; two: index and element, key and value.
		 */
		struct {
			struct bh_slice iter, iter2, accu;
			struct cel_expr *range, *init, *condition, *step, *result;
		} fold;
	};
	const struct cel_type *type;    /* what the checker found; NULL before */
	const struct cel_refer *refer;  /* what a name or call means: check.h; NULL: nothing of its own */
	bool is_settled;                /* its type has no type parameters any more */
	bool is_kept;                   /* looked at for constants */
};

/* Operators by the names of their functions. */
#define CEL_OP_AND "_&&_"
#define CEL_OP_OR "_||_"
#define CEL_OP_TERNARY "_?_:_"
#define CEL_OP_NOT "!_"
#define CEL_OP_NEGATE "-_"
#define CEL_OP_INDEX "_[_]"
#define CEL_OP_OPT_INDEX "_[?_]"
#define CEL_OP_OPT_SELECT "_?._"
#define CEL_OP_IN "@in"
#define CEL_OP_ADD "_+_"
#define CEL_OP_EQUALS "_==_"
#define CEL_NOT_STRICTLY_FALSE "@not_strictly_false"
#define CEL_ACCU "@result"
#define CEL_UNUSED "#unused"
#define CEL_BLOCK "cel.@block"
#define CEL_MAP_INSERT "cel.@mapInsert"

/* Constructors; NULL, with an issue, when the arena is full or the tree becomes too deep. NULL children make NULL. */
struct cel_maker {
	struct bh_arena *arena;
	struct cel_issues *issues;
	bool failed;
};

struct cel_expr *cel_make_const(struct cel_maker *m, size_t at, struct cel_value v);
struct cel_expr *cel_make_ident(struct cel_maker *m, size_t at, struct bh_slice name);
struct cel_expr *cel_make_select(struct cel_maker *m, size_t at, struct cel_expr *operand, struct bh_slice field, bool test);
struct cel_expr *cel_make_call(struct cel_maker *m, size_t at, const char *function, struct cel_expr *const *args, size_t n); /* copies args */
struct cel_expr *cel_make_named_call(struct cel_maker *m, size_t at, struct bh_slice function, struct cel_expr *target, struct cel_expr *const *args, size_t n);
struct cel_expr *cel_make_list(struct cel_maker *m, size_t at, struct cel_expr *const *items, const bool *optional, size_t n);
struct cel_expr *cel_make_map(struct cel_maker *m, size_t at, const struct cel_pair *pairs, size_t n);
struct cel_expr *cel_make_record(struct cel_maker *m, size_t at, struct bh_slice name, const struct cel_pair *pairs, size_t n);

struct cel_fold {
	struct bh_slice iter, iter2, accu;
	struct cel_expr *range, *init, *condition, *step, *result;
};
struct cel_expr *cel_make_fold(struct cel_maker *m, size_t at, const struct cel_fold *fold);

#endif
