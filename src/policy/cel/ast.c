#include "policy/cel/ast.h"

static struct cel_expr *fail(struct cel_maker *m, size_t at, const char *why)
{
	if (!m->failed)
		cel_issue_add(m->issues, at, "%s", why);
	m->failed = true;
	return NULL;
}

/* A node above children that are NULL-free; counts the depth. */
static struct cel_expr *node(struct cel_maker *m, enum cel_expr_kind kind, size_t at)
{
	struct cel_expr *e = BH_ARENA_NEW(m->arena, struct cel_expr);
	if (!e)
		return fail(m, at, "the expression uses up its memory");
	e->kind = kind;
	e->depth = 1;
	e->offset_bytes = at;
	return e;
}

/* Puts a child below e; NULL when it is missing or too deep. */
static struct cel_expr *above(struct cel_maker *m, struct cel_expr *e, const struct cel_expr *child)
{
	if (!e || !child)
		return NULL;
	if (child->depth >= CEL_DEPTH_MAX)
		return fail(m, e->offset_bytes, "expression recursion limit exceeded: 250");
	if (e->depth <= child->depth)
		e->depth = (uint16_t)(child->depth + 1);
	return e;
}

static void *copy(struct cel_maker *m, size_t at, const void *items, size_t n, size_t size_bytes)
{
	void *p = bh_arena_array(m->arena, n ? n : 1, size_bytes);
	if (!p)
		return fail(m, at, "the expression uses up its memory");
	if (n)
		memcpy(p, items, n * size_bytes);
	return p;
}

struct cel_expr *cel_make_const(struct cel_maker *m, size_t at, struct cel_value v)
{
	struct cel_expr *e = node(m, CEL_EXPR_CONST, at);
	if (e)
		e->constant = v;
	return e;
}

struct cel_expr *cel_make_ident(struct cel_maker *m, size_t at, struct bh_slice name)
{
	struct cel_expr *e = node(m, CEL_EXPR_IDENT, at);
	if (e)
		e->ident.name = name;
	return e;
}

struct cel_expr *cel_make_select(struct cel_maker *m, size_t at, struct cel_expr *operand, struct bh_slice field, bool test)
{
	struct cel_expr *e = above(m, node(m, CEL_EXPR_SELECT, at), operand);
	if (e) {
		e->select.operand = operand;
		e->select.field = field;
		e->select.test = test;
	}
	return e;
}

struct cel_expr *cel_make_named_call(struct cel_maker *m, size_t at, struct bh_slice function, struct cel_expr *target, struct cel_expr *const *args, size_t n)
{
	struct cel_expr *e = node(m, CEL_EXPR_CALL, at);
	if (e && target)
		e = above(m, e, target);
	for (size_t i = 0; i < n && e; i++)
		e = above(m, e, args[i]);
	if (!e || !(e->call.args = copy(m, at, args, n, sizeof(struct cel_expr *))))
		return NULL;
	e->call.function = function;
	e->call.target = target;
	e->call.n = n;
	return e;
}

struct cel_expr *cel_make_call(struct cel_maker *m, size_t at, const char *function, struct cel_expr *const *args, size_t n)
{
	return cel_make_named_call(m, at, bh_slice_str(function), NULL, args, n);
}

struct cel_expr *cel_make_list(struct cel_maker *m, size_t at, struct cel_expr *const *items, const bool *optional, size_t n)
{
	struct cel_expr *e = node(m, CEL_EXPR_LIST, at);
	bool any = false;
	for (size_t i = 0; i < n && e; i++) {
		e = above(m, e, items[i]);
		any |= optional && optional[i];
	}
	if (!e || !(e->list.items = copy(m, at, items, n, sizeof(struct cel_expr *))))
		return NULL;
	if (any && !(e->list.optional = copy(m, at, optional, n, sizeof(bool))))
		return NULL;
	e->list.n = n;
	return e;
}

static struct cel_expr *with_pairs(struct cel_maker *m, struct cel_expr *e, const struct cel_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n && e; i++) {
		if (e->kind == CEL_EXPR_MAP)
			e = above(m, e, pairs[i].key);
		e = above(m, e, pairs[i].value);
	}
	if (!e || !(e->map.pairs = copy(m, e->offset_bytes, pairs, n, sizeof(*pairs))))
		return NULL;
	e->map.n = n;
	return e;
}

struct cel_expr *cel_make_map(struct cel_maker *m, size_t at, const struct cel_pair *pairs, size_t n)
{
	return with_pairs(m, node(m, CEL_EXPR_MAP, at), pairs, n);
}

struct cel_expr *cel_make_record(struct cel_maker *m, size_t at, struct bh_slice name, const struct cel_pair *pairs, size_t n)
{
	struct cel_expr *e = with_pairs(m, node(m, CEL_EXPR_RECORD, at), pairs, n);
	if (e)
		e->map.name = name;
	return e;
}

struct cel_expr *cel_make_fold(struct cel_maker *m, size_t at, const struct cel_fold *f)
{
	struct cel_expr *const below[] = { f->range, f->init, f->condition, f->step, f->result };
	struct cel_expr *e = node(m, CEL_EXPR_FOLD, at);
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]) && e; i++)
		e = above(m, e, below[i]);
	if (!e)
		return NULL;
	e->fold.iter = f->iter;
	e->fold.iter2 = f->iter2;
	e->fold.accu = f->accu;
	e->fold.range = f->range;
	e->fold.init = f->init;
	e->fold.condition = f->condition;
	e->fold.step = f->step;
	e->fold.result = f->result;
	return e;
}
