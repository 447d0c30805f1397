/* lib_math.c: math.greatest, math.least, rounding, signs, bits, roots (cel-go ext.Math, version 2). */
#include <math.h>

#include "policy/cel/library.h"
#include "policy/cel/macros.h"

#define BITS 64

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)
#define UNUSED (void)run, (void)n

/* ---- greatest and least ---- */

static bool is_number(struct cel_value v)
{
	return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
}

/* `sign` 1: the greatest; -1: the least. Of equal ones the first. */
static struct cel_value best(struct cel_run *run, const struct cel_value *items, size_t n, int sign)
{
	if (n == 0)
		return cel_fail(run, "math.@%s(list) argument must not be empty", sign > 0 ? "max" : "min");
	struct cel_value found = items[0];
	for (size_t i = 0; i < n; i++) {
		int order;
		if (!is_number(items[i]))
			return cel_fail(run, "no such overload: math.@%s of %s", sign > 0 ? "max" : "min", cel_kind_name(items[i]));
		if (cel_compare(items[i], found, &order) && order * sign > 0)
			found = items[i];
	}
	return found;
}

FUNCTION(max)
{
	return a[0].kind == CEL_LIST ? best(run, a[0].list->items, a[0].list->len, 1) : best(run, a, n, 1);
}

FUNCTION(min)
{
	return a[0].kind == CEL_LIST ? best(run, a[0].list->items, a[0].list->len, -1) : best(run, a, n, -1);
}

/* ---- rounding ---- */

#define ROUND(name, how)                                  \
	FUNCTION(name)                                    \
	{                                                 \
		UNUSED;                                   \
		return cel_double(how(a[0].real));        \
	}

ROUND(ceil_double, ceil)
ROUND(floor_double, floor)
ROUND(round_double, round) /* halves away from zero */
ROUND(trunc_double, trunc)

FUNCTION(absolute)
{
	UNUSED;
	if (a[0].kind == CEL_DOUBLE)
		return cel_double(fabs(a[0].real));
	if (a[0].kind == CEL_INT && a[0].integer == INT64_MIN)
		return cel_error("integer overflow");
	return a[0].kind == CEL_INT && a[0].integer < 0 ? cel_int(-a[0].integer) : a[0];
}

FUNCTION(sign)
{
	UNUSED;
	if (a[0].kind == CEL_INT)
		return cel_int((a[0].integer > 0) - (a[0].integer < 0));
	if (a[0].kind == CEL_UINT)
		return cel_uint(a[0].natural > 0);
	return isnan(a[0].real) ? a[0] : cel_double((a[0].real > 0) - (a[0].real < 0));
}

FUNCTION(is_nan)
{
	UNUSED;
	return cel_bool(isnan(a[0].real));
}

FUNCTION(is_inf)
{
	UNUSED;
	return cel_bool(isinf(a[0].real));
}

FUNCTION(is_finite)
{
	UNUSED;
	return cel_bool(isfinite(a[0].real));
}

FUNCTION(square_root)
{
	UNUSED;
	double v = a[0].kind == CEL_INT ? (double)a[0].integer : a[0].kind == CEL_UINT ? (double)a[0].natural : a[0].real;
	return cel_double(sqrt(v));
}

/* ---- bits ---- */

/* The same bits of the first argument's kind. */
static struct cel_value bits(const struct cel_value *a, uint64_t v)
{
	return (struct cel_value){ .kind = a[0].kind, .natural = v };
}

FUNCTION(bit_and)
{
	UNUSED;
	return bits(a, a[0].natural & a[1].natural);
}

FUNCTION(bit_or)
{
	UNUSED;
	return bits(a, a[0].natural | a[1].natural);
}

FUNCTION(bit_xor)
{
	UNUSED;
	return bits(a, a[0].natural ^ a[1].natural);
}

FUNCTION(bit_not)
{
	UNUSED;
	return bits(a, ~a[0].natural);
}

FUNCTION(shift_left)
{
	(void)n;
	if (a[1].integer < 0)
		return cel_fail(run, "math.bitShiftLeft() negative offset: %lld", (long long)a[1].integer);
	return bits(a, a[1].integer >= BITS ? 0 : a[0].natural << a[1].integer);
}

/* The sign is not kept: zeros come in from the left. */
FUNCTION(shift_right)
{
	(void)n;
	if (a[1].integer < 0)
		return cel_fail(run, "math.bitShiftRight() negative offset: %lld", (long long)a[1].integer);
	return bits(a, a[1].integer >= BITS ? 0 : a[0].natural >> a[1].integer);
}

/* ---- macros ---- */

/* A literal that can't be a number. */
static bool is_wrong_literal(const struct cel_expr *e)
{
	switch (e->kind) {
	case CEL_EXPR_CONST: return !is_number(e->constant);
	case CEL_EXPR_LIST:
	case CEL_EXPR_MAP:
	case CEL_EXPR_RECORD: return true;
	default: return false;
	}
}

/* One argument may be a list, if all that it shows are numbers. */
static bool is_wrong_list(const struct cel_expr *e)
{
	if (e->kind != CEL_EXPR_LIST)
		return is_wrong_literal(e);
	for (size_t i = 0; i < e->list.n; i++)
		if (is_wrong_literal(e->list.items[i]))
			return true;
	return e->list.n == 0;
}

static struct cel_expr *best_of(struct cel_maker *m, const struct cel_macro_call *call, const char *function)
{
	size_t at = call->offset_bytes;
	if (!cel_macro_is_namespace(call->target, "math"))
		return NULL;
	if (call->n == 0)
		return cel_macro_fail(m, at, "math.greatest() and math.least() require at least one argument");
	if (call->n == 1 && is_wrong_list(call->args[0]))
		return cel_macro_fail(m, call->args[0]->offset_bytes, "invalid single argument value: numbers or a list of numbers");
	for (size_t i = 0; i < call->n && call->n > 1; i++)
		if (is_wrong_literal(call->args[i]))
			return cel_macro_fail(m, call->args[i]->offset_bytes, "simple literal arguments must be numeric");
	if (call->n <= 2)
		return cel_make_named_call(m, at, bh_slice_str(function), call->target, call->args, call->n);
	struct cel_expr *list = cel_make_list(m, at, call->args, NULL, call->n);
	return cel_make_named_call(m, at, bh_slice_str(function), call->target, &list, 1);
}

static struct cel_expr *greatest(struct cel_maker *m, const struct cel_macro_call *call)
{
	return best_of(m, call, "@max");
}

static struct cel_expr *least(struct cel_maker *m, const struct cel_macro_call *call)
{
	return best_of(m, call, "@min");
}

static const struct cel_macro macros[] = {
	{ "greatest", true, CEL_MACRO_ANY_ARGS, greatest },
	{ "least", true, CEL_MACRO_ANY_ARGS, least },
	{ 0 },
};

#define BEST(name, id, call)                                                                                         \
	{ name, id "_int", "(int) -> int", call, NULL },                                                             \
	{ name, id "_double", "(double) -> double", call, NULL },                                                    \
	{ name, id "_uint", "(uint) -> uint", call, NULL },                                                          \
	{ name, id "_int_int", "(int, int) -> int", call, NULL },                                                    \
	{ name, id "_double_double", "(double, double) -> double", call, NULL },                                     \
	{ name, id "_uint_uint", "(uint, uint) -> uint", call, NULL },                                               \
	{ name, id "_int_uint", "(int, uint) -> dyn", call, NULL },                                                  \
	{ name, id "_int_double", "(int, double) -> dyn", call, NULL },                                              \
	{ name, id "_double_int", "(double, int) -> dyn", call, NULL },                                              \
	{ name, id "_double_uint", "(double, uint) -> dyn", call, NULL },                                            \
	{ name, id "_uint_int", "(uint, int) -> dyn", call, NULL },                                                  \
	{ name, id "_uint_double", "(uint, double) -> dyn", call, NULL },                                            \
	{ name, id "_list_double", "(list(double)) -> double", call, cel_cost_of_traversal },                        \
	{ name, id "_list_int", "(list(int)) -> int", call, cel_cost_of_traversal },                                 \
	{ name, id "_list_uint", "(list(uint)) -> uint", call, cel_cost_of_traversal }

#define BITS_OF_TWO(name, id, call)                                                                                  \
	{ name, id "_int_int", "(int, int) -> int", call, NULL },                                                    \
	{ name, id "_uint_uint", "(uint, uint) -> uint", call, NULL }

static const struct cel_overload overloads[] = {
	BEST("math.@max", "math_@max", max),
	BEST("math.@min", "math_@min", min),
	{ "math.ceil", "math_ceil_double", "(double) -> double", ceil_double, NULL },
	{ "math.floor", "math_floor_double", "(double) -> double", floor_double, NULL },
	{ "math.round", "math_round_double", "(double) -> double", round_double, NULL },
	{ "math.trunc", "math_trunc_double", "(double) -> double", trunc_double, NULL },
	{ "math.abs", "math_abs_double", "(double) -> double", absolute, NULL },
	{ "math.abs", "math_abs_int", "(int) -> int", absolute, NULL },
	{ "math.abs", "math_abs_uint", "(uint) -> uint", absolute, NULL },
	{ "math.sign", "math_sign_double", "(double) -> double", sign, NULL },
	{ "math.sign", "math_sign_int", "(int) -> int", sign, NULL },
	{ "math.sign", "math_sign_uint", "(uint) -> uint", sign, NULL },
	{ "math.isInf", "math_isInf_double", "(double) -> bool", is_inf, NULL },
	{ "math.isNaN", "math_isNaN_double", "(double) -> bool", is_nan, NULL },
	{ "math.isFinite", "math_isFinite_double", "(double) -> bool", is_finite, NULL },
	{ "math.sqrt", "math_sqrt_double", "(double) -> double", square_root, NULL },
	{ "math.sqrt", "math_sqrt_int", "(int) -> double", square_root, NULL },
	{ "math.sqrt", "math_sqrt_uint", "(uint) -> double", square_root, NULL },
	BITS_OF_TWO("math.bitAnd", "math_bitAnd", bit_and),
	BITS_OF_TWO("math.bitOr", "math_bitOr", bit_or),
	BITS_OF_TWO("math.bitXor", "math_bitXor", bit_xor),
	{ "math.bitNot", "math_bitNot_int_int", "(int) -> int", bit_not, NULL },
	{ "math.bitNot", "math_bitNot_uint_uint", "(uint) -> uint", bit_not, NULL },
	{ "math.bitShiftLeft", "math_bitShiftLeft_int_int", "(int, int) -> int", shift_left, NULL },
	{ "math.bitShiftLeft", "math_bitShiftLeft_uint_int", "(uint, int) -> uint", shift_left, NULL },
	{ "math.bitShiftRight", "math_bitShiftRight_int_int", "(int, int) -> int", shift_right, NULL },
	{ "math.bitShiftRight", "math_bitShiftRight_uint_int", "(uint, int) -> uint", shift_right, NULL },
	{ 0 },
};

const struct cel_library cel_library_math = { .name = "math", .overloads = overloads, .macros = macros };
