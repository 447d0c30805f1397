/* lib_macros.c: the macros of the language itself: has, all, exists, exists_one, map, filter (cel-spec langdef.md, "Macros"). */
#include "policy/cel/library.h"
#include "policy/cel/macros.h"

static struct cel_expr *has(struct cel_maker *m, const struct cel_macro_call *call)
{
	const struct cel_expr *arg = call->args[0];
	if (arg->kind != CEL_EXPR_SELECT || arg->select.test)
		return cel_macro_fail(m, arg->offset_bytes, "invalid argument to has() macro");
	return cel_make_select(m, call->offset_bytes, arg->select.operand, arg->select.field, true);
}

static struct cel_expr *not_false(struct cel_maker *m, size_t at, struct cel_expr *e)
{
	return cel_make_call(m, at, CEL_NOT_STRICTLY_FALSE, &e, 1);
}

static struct cel_expr *all(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *both[] = { cel_macro_accu(m, at), call->args[1] };
	struct cel_fold fold = {
		.accu = BH_SLICE_LIT(CEL_ACCU),
		.range = call->target,
		.init = cel_make_const(m, at, cel_bool(true)),
		.condition = not_false(m, at, cel_macro_accu(m, at)),
		.step = cel_make_call(m, at, CEL_OP_AND, both, 2),
		.result = cel_macro_accu(m, at),
	};
	return cel_macro_name(m, call->args[0], &fold.iter) ? cel_make_fold(m, at, &fold) : NULL;
}

static struct cel_expr *exists(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *accu = cel_macro_accu(m, at), *both[] = { accu, call->args[1] };
	struct cel_fold fold = {
		.accu = BH_SLICE_LIT(CEL_ACCU),
		.range = call->target,
		.init = cel_make_const(m, at, cel_bool(false)),
		.condition = not_false(m, at, cel_make_call(m, at, CEL_OP_NOT, &accu, 1)),
		.step = cel_make_call(m, at, CEL_OP_OR, both, 2),
		.result = accu,
	};
	return cel_macro_name(m, call->args[0], &fold.iter) ? cel_make_fold(m, at, &fold) : NULL;
}

static struct cel_expr *exists_one(struct cel_maker *m, const struct cel_macro_call *call)
{
	size_t at = call->offset_bytes;
	struct cel_expr *one = cel_make_const(m, at, cel_int(1)), *args[] = { cel_macro_accu(m, at), one };
	struct cel_fold fold = {
		.accu = BH_SLICE_LIT(CEL_ACCU),
		.range = call->target,
		.init = cel_make_const(m, at, cel_int(0)),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_step_if(m, at, call->args[1], cel_make_call(m, at, CEL_OP_ADD, args, 2)),
		.result = cel_make_call(m, at, CEL_OP_EQUALS, args, 2),
	};
	return cel_macro_name(m, call->args[0], &fold.iter) ? cel_make_fold(m, at, &fold) : NULL;
}

/* A list of `item` for each element that `condition` (NULL: all) holds for. */
static struct cel_expr *collect(struct cel_maker *m, const struct cel_macro_call *call, struct cel_expr *condition, struct cel_expr *item)
{
	size_t at = call->offset_bytes;
	struct cel_fold fold = {
		.accu = BH_SLICE_LIT(CEL_ACCU),
		.range = call->target,
		.init = cel_make_list(m, at, NULL, NULL, 0),
		.condition = cel_make_const(m, at, cel_bool(true)),
		.step = cel_macro_step_if(m, at, condition, cel_macro_append(m, at, item)),
		.result = cel_macro_accu(m, at),
	};
	return cel_macro_name(m, call->args[0], &fold.iter) ? cel_make_fold(m, at, &fold) : NULL;
}

static struct cel_expr *map(struct cel_maker *m, const struct cel_macro_call *call)
{
	return collect(m, call, call->n == 3 ? call->args[1] : NULL, call->args[call->n - 1]);
}

static struct cel_expr *filter(struct cel_maker *m, const struct cel_macro_call *call)
{
	return collect(m, call, call->args[1], call->args[0]);
}

static const struct cel_macro macros[] = {
	{ "has", false, 1, has },
	{ "all", true, 2, all },
	{ "exists", true, 2, exists },
	{ "exists_one", true, 2, exists_one },
	{ "existsOne", true, 2, exists_one },
	{ "map", true, 2, map },
	{ "map", true, 3, map },
	{ "filter", true, 2, filter },
	{ 0 },
};

const struct cel_library cel_library_macros = { .name = "macros", .macros = macros };
