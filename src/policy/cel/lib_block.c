/*
 * lib_block.c: cel.block([a, b], result): common parts of an expression, each worked out once, named cel.index(0), cel.index(1) ... (cel-spec,
 * tests/simple/testdata/block_ext.textproto). Optimizers write this; people use cel.bind.
 */
#include <inttypes.h>
#include <stdio.h>

#include "policy/cel/library.h"
#include "policy/cel/macros.h"

/* A name made of the numbers of the arguments. */
static struct cel_expr *numbered(struct cel_maker *m, const struct cel_macro_call *call, const char *prefix)
{
	char name[80];
	int at = snprintf(name, sizeof(name), "%s", prefix);
	if (!cel_macro_is_namespace(call->target, "cel"))
		return NULL;
	for (size_t i = 0; i < call->n; i++) {
		const struct cel_expr *arg = call->args[i];
		if (arg->kind != CEL_EXPR_CONST || arg->constant.kind != CEL_INT || arg->constant.integer < 0)
			return cel_macro_fail(m, arg->offset_bytes, "argument must be a whole number");
		at += snprintf(name + at, sizeof(name) - (size_t)at, "%s%" PRId64, i || prefix[1] != 'i' || prefix[2] != 'n' ? ":" : "", arg->constant.integer);
	}
	char *copy = bh_arena_strdup(m->arena, bh_slice_str(name));
	return copy ? cel_make_ident(m, call->offset_bytes, bh_slice_str(copy)) : NULL;
}

static struct cel_expr *index_name(struct cel_maker *m, const struct cel_macro_call *call)
{
	return numbered(m, call, "@index");
}

static struct cel_expr *iter_name(struct cel_maker *m, const struct cel_macro_call *call)
{
	return numbered(m, call, "@it");
}

static struct cel_expr *accu_name(struct cel_maker *m, const struct cel_macro_call *call)
{
	return numbered(m, call, "@ac");
}

static struct cel_expr *block(struct cel_maker *m, const struct cel_macro_call *call)
{
	if (!cel_macro_is_namespace(call->target, "cel"))
		return NULL;
	if (call->args[0]->kind != CEL_EXPR_LIST)
		return cel_macro_fail(m, call->args[0]->offset_bytes, "cel.block requires the first arg to be a list literal");
	return cel_make_call(m, call->offset_bytes, CEL_BLOCK, call->args, call->n);
}

static const struct cel_macro macros[] = {
	{ "block", true, 2, block },
	{ "index", true, 1, index_name },
	{ "iterVar", true, 2, iter_name },
	{ "accuVar", true, 2, accu_name },
	{ 0 },
};

const struct cel_library cel_library_block = { .name = "block", .macros = macros };
