#include "policy/cel/macros.h"

struct cel_expr *cel_macro_fail(struct cel_maker *m, size_t at, const char *why)
{
	if (!m->failed)
		cel_issue_add(m->issues, at, "%s", why);
	m->failed = true;
	return NULL;
}

bool cel_macro_is_namespace(const struct cel_expr *target, const char *name)
{
	return target && target->kind == CEL_EXPR_IDENT && bh_slice_eq_str(target->ident.name, name);
}

bool cel_macro_name(struct cel_maker *m, const struct cel_expr *arg, struct bh_slice *ret)
{
	if (arg->kind != CEL_EXPR_IDENT || arg->ident.name.ptr[0] == '.')
		return cel_macro_fail(m, arg->offset_bytes, "argument must be a simple name") != NULL;
	*ret = arg->ident.name;
	return true;
}

struct cel_expr *cel_macro_bind(struct cel_maker *m, size_t at, struct bh_slice name, struct cel_expr *value, struct cel_expr *body)
{
	return cel_make_fold(m, at, &(struct cel_fold){
		.iter = BH_SLICE_LIT(CEL_UNUSED),
		.accu = name,
		.range = cel_make_list(m, at, NULL, NULL, 0),
		.init = value,
		.condition = cel_make_const(m, at, cel_bool(false)),
		.step = cel_make_ident(m, at, name),
		.result = body,
	});
}

struct cel_expr *cel_macro_accu(struct cel_maker *m, size_t at)
{
	return cel_make_ident(m, at, BH_SLICE_LIT(CEL_ACCU));
}

struct cel_expr *cel_macro_append(struct cel_maker *m, size_t at, struct cel_expr *item)
{
	struct cel_expr *args[] = { cel_macro_accu(m, at), cel_make_list(m, at, &item, NULL, 1) };
	return cel_make_call(m, at, CEL_OP_ADD, args, 2);
}

struct cel_expr *cel_macro_step_if(struct cel_maker *m, size_t at, struct cel_expr *condition, struct cel_expr *step)
{
	struct cel_expr *args[] = { condition, step, cel_macro_accu(m, at) };
	return condition ? cel_make_call(m, at, CEL_OP_TERNARY, args, 3) : step;
}
