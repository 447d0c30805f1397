/*
 * lib_comprehensions.c: macros with two variables, index and element or key and value (cel-go ext.TwoVarComprehensions): all, exists, existsOne,
 * transformList, transformMap, transformMapEntry.
 */
#include "policy/cel/library.h"
#include "policy/cel/macros.h"

/* The fold of a call whose first two arguments are names; NULL with an issue. */
static struct cel_expr *fold(struct cel_maker *m, const struct cel_macro_call *call, struct cel_fold f)
{
	if (!cel_macro_name(m, call->args[0], &f.iter) || !cel_macro_name(m, call->args[1], &f.iter2))
		return NULL;
	if (bh_slice_eq(f.iter, f.iter2))
		return cel_macro_fail(m, call->args[1]->offset_bytes, "duplicate variable name");
	f.accu = BH_SLICE_LIT(CEL_ACCU);
	f.range = call->target;
	return cel_make_fold(m, call->offset_bytes, &f);
}

/* @not_strictly_false(e) */
static struct cel_expr *not_false(struct cel_maker *m, size_t at, struct cel_expr *e)
{
	return cel_make_call(m, at, CEL_NOT_STRICTLY_FALSE, &e, 1);
}

static struct cel_expr *all(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *accu = cel_macro_accu(m, at), *both[] = { accu, call->args[2] };
	return fold(m, call, (struct cel_fold){
		.init = cel_make_const(m, at, cel_bool(true)),
		.condition = not_false(m, at, accu),
		.step = cel_make_call(m, at, CEL_OP_AND, both, 2),
		.result = accu,
	});
}

static struct cel_expr *exists(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *accu = cel_macro_accu(m, at), *both[] = { accu, call->args[2] };
	return fold(m, call, (struct cel_fold){
		.init = cel_make_const(m, at, cel_bool(false)),
		.condition = not_false(m, at, cel_make_call(m, at, CEL_OP_NOT, &accu, 1)),
		.step = cel_make_call(m, at, CEL_OP_OR, both, 2),
		.result = accu,
	});
}

static struct cel_expr *exists_one(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *args[] = { cel_macro_accu(m, at), cel_make_const(m, at, cel_int(1)) };
	return fold(m, call, (struct cel_fold){
		.init = cel_make_const(m, at, cel_int(0)),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_step_if(m, at, call->args[2], cel_make_call(m, at, CEL_OP_ADD, args, 2)),
		.result = cel_make_call(m, at, CEL_OP_EQUALS, args, 2),
	});
}

/* The condition of a transformation with four arguments. */
static struct cel_expr *condition_of(const struct cel_macro_call *call)
{
	return call->n == 4 ? call->args[2] : NULL;
}

static struct cel_expr *transform_list(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	return fold(m, call, (struct cel_fold){
		.init = cel_make_list(m, at, NULL, NULL, 0),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_step_if(m, at, condition_of(call), cel_macro_append(m, at, call->args[call->n - 1])),
		.result = cel_macro_accu(m, at),
	});
}

static struct cel_expr *transform_to_map(struct cel_maker *m, const struct cel_macro_call *call, struct cel_expr *const *insert, size_t n)
{
	size_t at = call->offset_bytes;
	return fold(m, call, (struct cel_fold){
		.init = cel_make_map(m, at, NULL, 0),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_step_if(m, at, condition_of(call), cel_make_call(m, at, CEL_MAP_INSERT, insert, n)),
		.result = cel_macro_accu(m, at),
	});
}

static struct cel_expr *transform_map(struct cel_maker *m, const struct cel_macro_call *call)
{
	struct cel_expr *insert[] = { cel_macro_accu(m, call->offset_bytes), call->args[0], call->args[call->n - 1] };
	return transform_to_map(m, call, insert, 3);
}

static struct cel_expr *transform_map_entry(struct cel_maker *m, const struct cel_macro_call *call)
{
	struct cel_expr *insert[] = { cel_macro_accu(m, call->offset_bytes), call->args[call->n - 1] };
	return transform_to_map(m, call, insert, 2);
}

static const struct cel_macro macros[] = {
	{ "all", true, 3, all },
	{ "exists", true, 3, exists },
	{ "existsOne", true, 3, exists_one },
	{ "exists_one", true, 3, exists_one },
	{ "transformList", true, 3, transform_list },
	{ "transformList", true, 4, transform_list },
	{ "transformMap", true, 3, transform_map },
	{ "transformMap", true, 4, transform_map },
	{ "transformMapEntry", true, 3, transform_map_entry },
	{ "transformMapEntry", true, 4, transform_map_entry },
	{ 0 },
};

/* Done by the evaluator while it folds; here for the checker. */
static const struct cel_overload overloads[] = {
	{ CEL_MAP_INSERT, "@mapInsert_map_key_value", "(map(A, B), A, B) -> map(A, B)", NULL, NULL },
	{ CEL_MAP_INSERT, "@mapInsert_map_map", "(map(A, B), map(A, B)) -> map(A, B)", NULL, NULL },
	{ 0 },
};

const struct cel_library cel_library_comprehensions = { .name = "comprehensions", .overloads = overloads, .macros = macros };
