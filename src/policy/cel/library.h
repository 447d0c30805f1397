/*
 * library.h: how functions come into the language. A library is one file lib_NAME.c that defines `const struct cel_library cel_library_NAME`, and
 * a line in libraries.def. Its overloads are data: the name, the overload's id (the one cel-go gives it), a signature in the text
 * form of type.h, the C function, and what a call costs.
 *
 *     { "startsWith", "starts_with_string", "string.(string) -> bool", starts_with, cel_cost_tenth_of_first },
 *     { "math.abs", "math_abs_int", "(int) -> int", abs_int, NULL },
 */
#ifndef CEL_LIBRARY_H
#define CEL_LIBRARY_H

#include "policy/cel/value.h"

struct cel_run;

/*
 * A strict function: its arguments (the receiver first) are known and of the kinds its signature names, type parameters and dyn being any kind.
 * What it makes lies in cel_arena(run). Errors are returned as values.
 */
typedef struct cel_value (*cel_function)(struct cel_run *run, const struct cel_value *args, size_t n);

/* What a call costs in units of Kubernetes' model (apiserver, library/cost.go and cel-go interpreter/runtimecost.go). Called after it. */
typedef uint64_t (*cel_cost)(const struct cel_value *args, size_t n, const struct cel_value *result);

struct cel_overload {
	const char *function, *id, *signature; /* signature NULL ends the table */
	cel_function call; /* NULL: the evaluator does it itself */
	cel_cost cost;     /* NULL: 1 */
};

/* A constant, such as a type's name. */
struct cel_constant {
	const char *name; /* NULL ends the table */
	const char *type; /* text form */
	struct cel_value value;
};

struct cel_macro;

struct cel_library {
	const char *name;
	const struct cel_overload *overloads; /* may be NULL, as the other tables */
	const struct cel_constant *constants;
	const struct cel_macro *macros;
};

struct bh_arena *cel_arena(struct cel_run *run);

/* An error value with a text. */
struct cel_value cel_fail(struct cel_run *run, const char *fmt, ...) BH_PRINTF(2, 3);

/* The value when the memory of a run is used up. */
struct cel_value cel_out_of_memory(void);

/* A copy in the arena, or the out-of-memory error. */
struct cel_value cel_string_copy(struct cel_run *run, struct bh_slice text);

/* Some: a copy of the value in the arena. */
struct cel_value cel_some(struct cel_run *run, struct cel_value v);

/*
 * Adds to what the run has cost, for functions whose work shows only while they do it. False: over the limit; the function returns
 * cel_error("...") then, any: the run ends with the limit's own error.
 */
bool cel_charge(struct cel_run *run, uint64_t units);

/* The compiled pattern, until the next call of this; NULL and *bad when it is wrong. */
struct bh_regex;
const struct bh_regex *cel_regex(struct cel_run *run, struct bh_slice pattern, struct cel_value *bad);

/* size(): characters, bytes, elements, entries; 1 for any other. */
uint64_t cel_size_of(struct cel_value v);

/* Costs that several libraries share: units are rounded up. */
uint64_t cel_cost_tenth_of_first(const struct cel_value *args, size_t n, const struct cel_value *result);
uint64_t cel_cost_fifth_of_first(const struct cel_value *args, size_t n, const struct cel_value *result);
uint64_t cel_cost_fifth_of_result(const struct cel_value *args, size_t n, const struct cel_value *result);
uint64_t cel_cost_of_match(const struct cel_value *args, size_t n, const struct cel_value *result);   /* string, pattern */
uint64_t cel_cost_of_traversal(const struct cel_value *args, size_t n, const struct cel_value *result); /* of the first argument, deep */

#endif
