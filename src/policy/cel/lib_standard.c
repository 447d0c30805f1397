/*
 * lib_standard.c: the functions of the language itself but for times: arithmetic, comparison, conversion, size, membership, text
 * (cel-spec langdef.md, "List of Standard Definitions").
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "policy/cel/library.h"
#include "policy/cel/type.h"

#define NUMBER_BYTES_MAX 64u
#define UNUSED_RUN (void)run, (void)n

static struct cel_value overflow(const char *kind)
{
	return cel_error(kind[0] == 'u' ? "unsigned integer overflow" : "integer overflow");
}

/* ---- arithmetic ---- */

#define INT_OP(name, builtin)                                                                                        \
	static struct cel_value name##_int(struct cel_run *run, const struct cel_value *a, size_t n)                 \
	{                                                                                                            \
		int64_t r;                                                                                           \
		UNUSED_RUN;                                                                                          \
		return builtin(a[0].integer, a[1].integer, &r) ? overflow("int") : cel_int(r);                       \
	}                                                                                                            \
	static struct cel_value name##_uint(struct cel_run *run, const struct cel_value *a, size_t n)                \
	{                                                                                                            \
		uint64_t r;                                                                                          \
		UNUSED_RUN;                                                                                          \
		return builtin(a[0].natural, a[1].natural, &r) ? overflow("uint") : cel_uint(r);                     \
	}

INT_OP(add, __builtin_add_overflow)
INT_OP(subtract, __builtin_sub_overflow)
INT_OP(multiply, __builtin_mul_overflow)

#define DOUBLE_OP(name, op)                                                                                          \
	static struct cel_value name##_double(struct cel_run *run, const struct cel_value *a, size_t n)              \
	{                                                                                                            \
		UNUSED_RUN;                                                                                          \
		return cel_double(a[0].real op a[1].real);                                                           \
	}

DOUBLE_OP(add, +)
DOUBLE_OP(subtract, -)
DOUBLE_OP(multiply, *)

/* IEEE 754: by zero is an infinity or NaN; the sanitizers would have it undefined. */
__attribute__((no_sanitize("undefined"))) DOUBLE_OP(divide, /)

static struct cel_value divide_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	if (a[1].integer == 0)
		return cel_error("division by zero");
	return a[0].integer == INT64_MIN && a[1].integer == -1 ? overflow("int") : cel_int(a[0].integer / a[1].integer);
}

static struct cel_value divide_uint(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[1].natural == 0 ? cel_error("division by zero") : cel_uint(a[0].natural / a[1].natural);
}

static struct cel_value modulo_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	if (a[1].integer == 0)
		return cel_error("modulus by zero");
	return a[0].integer == INT64_MIN && a[1].integer == -1 ? overflow("int") : cel_int(a[0].integer % a[1].integer);
}

static struct cel_value modulo_uint(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[1].natural == 0 ? cel_error("modulus by zero") : cel_uint(a[0].natural % a[1].natural);
}

static struct cel_value negate_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0].integer == INT64_MIN ? overflow("int") : cel_int(-a[0].integer);
}

static struct cel_value negate_double(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_double(-a[0].real);
}

static struct cel_value concat(struct cel_run *run, const struct cel_value *a, size_t n)
{
	size_t len = a[0].text.len + a[1].text.len;
	uint8_t *p = bh_arena_alloc(cel_arena(run), len);
	(void)n;
	if (!p)
		return cel_out_of_memory();
	if (a[0].text.len)
		memcpy(p, a[0].text.ptr, a[0].text.len);
	if (a[1].text.len)
		memcpy(p + a[0].text.len, a[1].text.ptr, a[1].text.len);
	return (struct cel_value){ .kind = a[0].kind, .text = { p, len } };
}

static struct cel_value add_list(struct cel_run *run, const struct cel_value *a, size_t n)
{
	const struct cel_list *x = a[0].list, *y = a[1].list;
	struct cel_value *items = x->len && y->len ? bh_arena_array(cel_arena(run), x->len + y->len, sizeof(*items)) : NULL;
	(void)n;
	if (!x->len || !y->len)
		return x->len ? a[0] : a[1];
	if (!items)
		return cel_out_of_memory();
	memcpy(items, x->items, x->len * sizeof(*items));
	memcpy(items + x->len, y->items, y->len * sizeof(*items));
	return cel_list_of(cel_arena(run), items, x->len + y->len);
}

static uint64_t cost_of_concat(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)n;
	(void)result;
	return (cel_size_of(args[0]) + cel_size_of(args[1]) + 9) / 10;
}

/* ---- comparison ---- */

static struct cel_value logical_not(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bool(!a[0].boolean);
}

static struct cel_value in_list(struct cel_run *run, const struct cel_value *a, size_t n)
{
	bool is_open = false; /* an item could be the one that is asked for */
	UNUSED_RUN;
	for (size_t i = 0; i < a[1].list->len; i++) {
		is_open |= a[1].list->items[i].kind == CEL_UNKNOWN;
		if (cel_is_known(a[1].list->items[i]) && cel_equal(a[0], a[1].list->items[i]))
			return cel_bool(true);
	}
	return is_open ? cel_unknown() : cel_bool(false);
}

static uint64_t cost_of_in(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)n;
	(void)result;
	return args[1].list->len;
}

static struct cel_value in_map(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bool(cel_map_get(a[1].map, a[0]) != NULL);
}

/* ---- size and text ---- */

static struct cel_value size(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_int((int64_t)cel_size_of(a[0]));
}

static struct cel_value starts_with(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bool(bh_slice_starts(a[0].text, a[1].text));
}

static struct cel_value ends_with(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bool(bh_slice_ends(a[0].text, a[1].text));
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bool(a[1].text.len == 0 || (a[0].text.len && memmem(a[0].text.ptr, a[0].text.len, a[1].text.ptr, a[1].text.len)));
}

static uint64_t cost_of_contains(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)n;
	(void)result;
	return (cel_size_of(args[0]) + 9) / 10 * ((cel_size_of(args[1]) + 9) / 10);
}

/* What is looked for says how much is read. */
static uint64_t cost_of_affix(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	(void)n;
	(void)result;
	return (cel_size_of(args[1]) + 9) / 10;
}

/* ---- conversion ---- */

static struct cel_value same(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0];
}

static struct cel_value type_of(struct cel_run *run, const struct cel_value *a, size_t n)
{
	const struct cel_type *t = cel_type_of(cel_arena(run), a[0]);
	(void)n;
	return t ? (struct cel_value){ .kind = CEL_TYPE, .type = t } : cel_out_of_memory();
}

static struct cel_value uint_to_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0].natural > INT64_MAX ? overflow("int") : cel_int((int64_t)a[0].natural);
}

static struct cel_value double_to_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	/* The borders themselves are no doubles that fit on both sides: as cel-go, they are out. */
	return a[0].real > -CEL_TWO_63 && a[0].real < CEL_TWO_63 ? cel_int((int64_t)a[0].real) : overflow("int");
}

static struct cel_value int_to_uint(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0].integer < 0 ? overflow("uint") : cel_uint((uint64_t)a[0].integer);
}

static struct cel_value double_to_uint(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return a[0].real >= 0 && a[0].real < CEL_TWO_64 ? cel_uint((uint64_t)a[0].real) : overflow("uint");
}

static struct cel_value int_to_double(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_double((double)a[0].integer);
}

static struct cel_value uint_to_double(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_double((double)a[0].natural);
}

/* The text of a number for strtod and its like; false when it is none that they read as a whole. */
static bool number_text(struct bh_slice text, char copy[NUMBER_BYTES_MAX])
{
	if (text.len == 0 || text.len >= NUMBER_BYTES_MAX || text.ptr[0] <= ' ')
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return strlen(copy) == text.len;
}

static struct cel_value not_a_number(struct cel_run *run, struct bh_slice text, const char *kind)
{
	return cel_fail(run, "'%.*s' is no %s", BH_SLICE_FMT(text), kind);
}

static struct cel_value string_to_int(struct cel_run *run, const struct cel_value *a, size_t n)
{
	char copy[NUMBER_BYTES_MAX], *end;
	(void)n;
	if (!number_text(a[0].text, copy))
		return not_a_number(run, a[0].text, "int");
	errno = 0;
	long long v = strtoll(copy, &end, 10);
	return *end || errno ? not_a_number(run, a[0].text, "int") : cel_int(v);
}

static struct cel_value string_to_uint(struct cel_run *run, const struct cel_value *a, size_t n)
{
	uint64_t v;
	(void)n;
	return bh_slice_u64(a[0].text, UINT64_MAX, &v) ? cel_uint(v) : not_a_number(run, a[0].text, "uint");
}

/* As Go's strconv: no hexadecimal without exponent; NaN and Inf in any case. */
static struct cel_value string_to_double(struct cel_run *run, const struct cel_value *a, size_t n)
{
	char *copy = bh_arena_strdup(cel_arena(run), a[0].text), *end;
	(void)n;
	if (!copy)
		return cel_out_of_memory();
	double v = strtod(copy, &end);
	if (a[0].text.len == 0 || end != copy + a[0].text.len || copy[0] <= ' ' || strpbrk(copy, "xX("))
		return not_a_number(run, a[0].text, "double");
	return cel_double(v);
}

static struct cel_value string_to_bool(struct cel_run *run, const struct cel_value *a, size_t n)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True", NULL }, *const no[] = { "0", "f", "F", "false", "FALSE", "False", NULL };
	(void)n;
	if (bh_slice_is_one_of(a[0].text, yes))
		return cel_bool(true);
	return bh_slice_is_one_of(a[0].text, no) ? cel_bool(false) : not_a_number(run, a[0].text, "bool");
}

static struct cel_value string_to_bytes(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_bytes(a[0].text);
}

static struct cel_value bytes_to_string(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	for (struct bh_slice rest = a[0].text; rest.len;) {
		uint32_t c;
		size_t bytes = bh_utf8_next(rest, &c);
		if (bytes == 0)
			return cel_error("invalid UTF-8 in bytes, cannot convert to string");
		rest = bh_slice_sub(rest, bytes, rest.len);
	}
	return cel_string(a[0].text);
}

static struct cel_value bool_to_string(struct cel_run *run, const struct cel_value *a, size_t n)
{
	UNUSED_RUN;
	return cel_string(a[0].boolean ? BH_SLICE_LIT("true") : BH_SLICE_LIT("false"));
}

static struct cel_value number_to_string(struct cel_run *run, const struct cel_value *a, size_t n)
{
	char text[32];
	(void)n;
	if (a[0].kind == CEL_INT)
		snprintf(text, sizeof(text), "%lld", (long long)a[0].integer);
	else if (a[0].kind == CEL_UINT)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)a[0].natural);
	else
		cel_print_double(a[0].real, text);
	return cel_string_copy(run, bh_slice_str(text));
}

/* ---- the tables ---- */

#define ARITHMETIC(op, name)                                                                                         \
	{ op, #name "_double", "(double, double) -> double", name##_double, NULL },                                  \
	{ op, #name "_int64", "(int, int) -> int", name##_int, NULL },                                               \
	{ op, #name "_uint64", "(uint, uint) -> uint", name##_uint, NULL }

/* Done by the evaluator, which compares what can be compared. */
#define ORDER(op, name)                                                                                              \
	{ op, #name "_bool", "(bool, bool) -> bool", NULL, NULL },                                                   \
	{ op, #name "_bytes", "(bytes, bytes) -> bool", NULL, NULL },                                                \
	{ op, #name "_double", "(double, double) -> bool", NULL, NULL },                                             \
	{ op, #name "_duration", "(duration, duration) -> bool", NULL, NULL },                                       \
	{ op, #name "_int64", "(int, int) -> bool", NULL, NULL },                                                    \
	{ op, #name "_string", "(string, string) -> bool", NULL, NULL },                                             \
	{ op, #name "_timestamp", "(timestamp, timestamp) -> bool", NULL, NULL },                                    \
	{ op, #name "_uint64", "(uint, uint) -> bool", NULL, NULL }

static const struct cel_overload overloads[] = {
	/* Done by the evaluator; here for the checker. */
	{ "_&&_", "logical_and", "(bool, bool) -> bool", NULL, NULL },
	{ "_||_", "logical_or", "(bool, bool) -> bool", NULL, NULL },
	{ "_?_:_", "conditional", "(bool, A, A) -> A", NULL, NULL },
	{ "@not_strictly_false", "not_strictly_false", "(bool) -> bool", NULL, NULL },
	{ "_==_", "equals", "(A, A) -> bool", NULL, NULL },
	{ "_!=_", "not_equals", "(A, A) -> bool", NULL, NULL },
	{ "_[_]", "index_list", "(list(A), int) -> A", NULL, NULL },
	{ "_[_]", "index_map", "(map(A, B), A) -> B", NULL, NULL },

	{ "!_", "logical_not", "(bool) -> bool", logical_not, NULL },
	ARITHMETIC("_+_", add),
	ARITHMETIC("_-_", subtract),
	ARITHMETIC("_*_", multiply),
	ARITHMETIC("_/_", divide),
	{ "_+_", "add_bytes", "(bytes, bytes) -> bytes", concat, cost_of_concat },
	{ "_+_", "add_list", "(list(A), list(A)) -> list(A)", add_list, NULL },
	{ "_+_", "add_string", "(string, string) -> string", concat, cost_of_concat },
	{ "_%_", "modulo_int64", "(int, int) -> int", modulo_int, NULL },
	{ "_%_", "modulo_uint64", "(uint, uint) -> uint", modulo_uint, NULL },
	{ "-_", "negate_int64", "(int) -> int", negate_int, NULL },
	{ "-_", "negate_double", "(double) -> double", negate_double, NULL },
	ORDER("_<_", less),
	ORDER("_<=_", less_equals),
	ORDER("_>_", greater),
	ORDER("_>=_", greater_equals),
	{ "@in", "in_list", "(A, list(A)) -> bool", in_list, cost_of_in },
	{ "@in", "in_map", "(A, map(A, B)) -> bool", in_map, NULL },

	{ "size", "size_bytes", "(bytes) -> int", size, NULL },
	{ "size", "size_list", "(list(A)) -> int", size, NULL },
	{ "size", "size_map", "(map(A, B)) -> int", size, NULL },
	{ "size", "size_string", "(string) -> int", size, NULL },
	{ "size", "bytes_size", "bytes.() -> int", size, NULL },
	{ "size", "list_size", "list(A).() -> int", size, NULL },
	{ "size", "map_size", "map(A, B).() -> int", size, NULL },
	{ "size", "string_size", "string.() -> int", size, NULL },
	{ "contains", "contains_string", "string.(string) -> bool", contains, cost_of_contains },
	{ "startsWith", "starts_with_string", "string.(string) -> bool", starts_with, cost_of_affix },
	{ "endsWith", "ends_with_string", "string.(string) -> bool", ends_with, cost_of_affix },

	{ "dyn", "to_dyn", "(A) -> dyn", same, NULL },
	{ "type", "type", "(A) -> type(A)", type_of, NULL },
	{ "bool", "bool_to_bool", "(bool) -> bool", same, NULL },
	{ "bool", "string_to_bool", "(string) -> bool", string_to_bool, NULL },
	{ "bytes", "bytes_to_bytes", "(bytes) -> bytes", same, NULL },
	{ "bytes", "string_to_bytes", "(string) -> bytes", string_to_bytes, cel_cost_tenth_of_first },
	{ "double", "double_to_double", "(double) -> double", same, NULL },
	{ "double", "int64_to_double", "(int) -> double", int_to_double, NULL },
	{ "double", "string_to_double", "(string) -> double", string_to_double, NULL },
	{ "double", "uint64_to_double", "(uint) -> double", uint_to_double, NULL },
	{ "int", "int64_to_int64", "(int) -> int", same, NULL },
	{ "int", "double_to_int64", "(double) -> int", double_to_int, NULL },
	{ "int", "string_to_int64", "(string) -> int", string_to_int, NULL },
	{ "int", "uint64_to_int64", "(uint) -> int", uint_to_int, NULL },
	{ "uint", "uint64_to_uint64", "(uint) -> uint", same, NULL },
	{ "uint", "double_to_uint64", "(double) -> uint", double_to_uint, NULL },
	{ "uint", "int64_to_uint64", "(int) -> uint", int_to_uint, NULL },
	{ "uint", "string_to_uint64", "(string) -> uint", string_to_uint, NULL },
	{ "string", "string_to_string", "(string) -> string", same, NULL },
	{ "string", "bool_to_string", "(bool) -> string", bool_to_string, NULL },
	{ "string", "bytes_to_string", "(bytes) -> string", bytes_to_string, cel_cost_tenth_of_first },
	{ "string", "double_to_string", "(double) -> string", number_to_string, NULL },
	{ "string", "int64_to_string", "(int) -> string", number_to_string, NULL },
	{ "string", "uint64_to_string", "(uint) -> string", number_to_string, NULL },
	{ 0 },
};

#define TYPE_NAME(name, of, symbol)                                                                                  \
	{                                                                                                            \
		name, "type(" of ")", { .kind = CEL_TYPE, .type = &symbol }                                          \
	}

static const struct cel_constant constants[] = {
	TYPE_NAME("bool", "bool", cel_type_bool),
	TYPE_NAME("bytes", "bytes", cel_type_bytes),
	TYPE_NAME("double", "double", cel_type_double),
	TYPE_NAME("int", "int", cel_type_int),
	TYPE_NAME("uint", "uint", cel_type_uint),
	TYPE_NAME("string", "string", cel_type_string),
	TYPE_NAME("null_type", "null", cel_type_null),
	TYPE_NAME("list", "list(dyn)", cel_type_list),
	TYPE_NAME("map", "map(dyn, dyn)", cel_type_map),
	TYPE_NAME("type", "type", cel_type_type),
	{ "google.protobuf.NullValue.NULL_VALUE", "int", { .kind = CEL_INT } },
	{ 0 },
};

const struct cel_library cel_library_standard = { .name = "standard", .overloads = overloads, .constants = constants };
