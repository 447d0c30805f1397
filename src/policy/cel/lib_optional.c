/*
 * lib_optional.c: values that may not be there (cel-spec, optional types; cel-go OptionalTypes): a.?b, a[?b], [?x], optional.of() and what is done
 * with them, first() and last() of lists.
 */
#include "policy/cel/library.h"
#include "policy/cel/macros.h"
#include "policy/cel/type.h"

static struct cel_value none(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)a, (void)n;
	return cel_optional(NULL);
}

static struct cel_value of(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return cel_some(run, a[0]);
}

static struct cel_value of_non_zero(struct cel_run *run, const struct cel_value *a, size_t n)
{
	return cel_is_zero(a[0]) ? cel_optional(NULL) : of(run, a, n);
}

static struct cel_value has_value(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)n;
	return cel_bool(a[0].optional != NULL);
}

static struct cel_value value(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)run, (void)n;
	return a[0].optional ? *a[0].optional : cel_error("optional.none() dereference");
}

/* The elements of a list of optionals that are there. */
static struct cel_value unwrap(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct cel_value *items = bh_arena_array(cel_arena(run), a[0].list->len + 1, sizeof(*items));
	size_t len = 0;
	(void)n;
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < a[0].list->len; i++) {
		const struct cel_value *item = &a[0].list->items[i];
		if (item->kind != CEL_OPTIONAL)
			return cel_fail(run, "no such overload: optional.unwrap of a list with a %s", cel_kind_name(*item));
		if (item->optional)
			items[len++] = *item->optional;
	}
	return cel_list_of(cel_arena(run), items, len);
}

static struct cel_value first(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return a[0].list->len ? cel_some(run, a[0].list->items[0]) : cel_optional(NULL);
}

static struct cel_value last(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return a[0].list->len ? cel_some(run, a[0].list->items[a[0].list->len - 1]) : cel_optional(NULL);
}

/* target.hasValue() ? FOUND : optional.none(), where FOUND binds the name to target.value(). */
static struct cel_expr *map_value(struct cel_maker *m, const struct cel_macro_call *call, bool wrap)
{
	size_t at = call->offset_bytes;
	struct bh_slice name;
	if (!cel_macro_name(m, call->args[0], &name))
		return NULL;
	struct cel_expr *there = cel_make_named_call(m, at, BH_SLICE_LIT("hasValue"), call->target, NULL, 0);
	struct cel_expr *inner = cel_make_named_call(m, at, BH_SLICE_LIT("value"), call->target, NULL, 0);
	struct cel_expr *found = cel_macro_bind(m, at, name, inner, call->args[1]);
	if (wrap && found)
		found = cel_make_call(m, at, "optional.of", &found, 1);
	struct cel_expr *args[] = { there, found, cel_make_call(m, at, "optional.none", NULL, 0) };
	return cel_make_call(m, at, CEL_OP_TERNARY, args, 3);
}

static struct cel_expr *opt_map(struct cel_maker *m, const struct cel_macro_call *call)
{
	return map_value(m, call, true);
}

static struct cel_expr *opt_flat_map(struct cel_maker *m, const struct cel_macro_call *call)
{
	return map_value(m, call, false);
}

static const struct cel_macro macros[] = {
	{ "optMap", true, 2, opt_map },
	{ "optFlatMap", true, 2, opt_flat_map },
	{ 0 },
};

static const struct cel_overload overloads[] = {
	{ "optional.of", "optional_of", "(A) -> optional_type(A)", of, NULL },
	{ "optional.ofNonZeroValue", "optional_ofNonZeroValue", "(A) -> optional_type(A)", of_non_zero, NULL },
	{ "optional.none", "optional_none", "() -> optional_type(A)", none, NULL },
	{ "optional.unwrap", "optional_unwrap", "(list(optional_type(A))) -> list(A)", unwrap, NULL },
	{ "unwrapOpt", "optional_unwrapOpt", "list(optional_type(A)).() -> list(A)", unwrap, NULL },
	{ "first", "list_first", "list(A).() -> optional_type(A)", first, NULL },
	{ "last", "list_last", "list(A).() -> optional_type(A)", last, NULL },
	{ "value", "optional_value", "optional_type(A).() -> A", value, NULL },
	{ "hasValue", "optional_hasValue", "optional_type(A).() -> bool", has_value, NULL },
	/* Done by the evaluator; here for the checker. */
	{ "or", "optional_or_optional", "optional_type(A).(optional_type(A)) -> optional_type(A)", NULL, NULL },
	{ "orValue", "optional_orValue_value", "optional_type(A).(A) -> A", NULL, NULL },
	{ "_[?_]", "list_optindex_optional_int", "(list(A), int) -> optional_type(A)", NULL, NULL },
	{ "_[?_]", "optional_list_optindex_optional_int", "(optional_type(list(A)), int) -> optional_type(A)", NULL, NULL },
	{ "_[?_]", "map_optindex_optional_value", "(map(A, B), A) -> optional_type(B)", NULL, NULL },
	{ "_[?_]", "optional_map_optindex_optional_value", "(optional_type(map(A, B)), A) -> optional_type(B)", NULL, NULL },
	{ "_[_]", "optional_list_index_int", "(optional_type(list(A)), int) -> optional_type(A)", NULL, NULL },
	{ "_[_]", "optional_map_index_value", "(optional_type(map(A, B)), A) -> optional_type(B)", NULL, NULL },
	{ 0 },
};

static const struct cel_constant constants[] = {
	{ "optional_type", "type(optional_type)", { .kind = CEL_TYPE, .type = &cel_type_optional } },
	{ 0 },
};

const struct cel_library cel_library_optional = { .name = "optional", .overloads = overloads, .constants = constants, .macros = macros };
