#include "policy/cel/infer.h"

#include <stdlib.h>

#define DEPTH_MAX 64u /* of list(list(...)) */

void cel_infer_done(struct cel_infer *in)
{
	free(in->means);
	free(in->trail);
	free(in->before);
	*in = (struct cel_infer){ 0 };
}

static bool grow(void **items, size_t *cap, size_t size_bytes)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *p = reallocarray(*items, more, size_bytes);
	if (p) {
		*items = p;
		*cap = more;
	}
	return p != NULL;
}

const struct cel_type *cel_infer_fresh(struct cel_infer *in)
{
	void *means = in->means;
	if (in->n == in->cap && (in->n >= CEL_INFER_VARIABLES_MAX || !grow(&means, &in->cap, sizeof(*in->means)))) {
		in->failed = true;
		return &cel_type_dyn;
	}
	in->means = means;
	struct cel_type *t = BH_ARENA_NEW(in->arena, struct cel_type);
	if (!t) {
		in->failed = true;
		return &cel_type_dyn;
	}
	in->means[in->n++] = NULL;
	*t = (struct cel_type){ .kind = CEL_TYPE_PARAM, .name = BH_SLICE_LIT("_var"), .number = (uint32_t)in->n };
	return t;
}

static bool is_variable(const struct cel_type *t)
{
	return t->kind == CEL_TYPE_PARAM && t->number > 0;
}

static const struct cel_type *meaning(const struct cel_infer *in, const struct cel_type *t)
{
	return is_variable(t) ? in->means[t->number - 1] : NULL;
}

static void set(struct cel_infer *in, const struct cel_type *variable, const struct cel_type *means)
{
	if (in->n_trail == in->cap_trail) {
		void *trail = in->trail, *before = in->before;
		size_t cap = in->cap_trail, cap2 = in->cap_trail;
		bool ok = grow(&trail, &cap, sizeof(*in->trail));
		in->trail = trail;
		ok = ok && grow(&before, &cap2, sizeof(*in->before));
		in->before = before;
		if (!ok) {
			in->failed = true;
			return;
		}
		in->cap_trail = cap;
	}
	in->trail[in->n_trail] = variable->number - 1;
	in->before[in->n_trail++] = in->means[variable->number - 1];
	in->means[variable->number - 1] = means;
}

static void take_back(struct cel_infer *in, size_t to)
{
	while (in->n_trail > to) {
		in->n_trail--;
		in->means[in->trail[in->n_trail]] = in->before[in->n_trail];
	}
}

static bool is_dyn(const struct cel_type *t)
{
	return t->kind == CEL_TYPE_DYN || t->kind == CEL_TYPE_ANY;
}

/* ---- which is more general ---- */

static bool is_equal_or_wider(const struct cel_type *a, const struct cel_type *b, unsigned depth)
{
	if (is_dyn(a) || a->kind == CEL_TYPE_PARAM)
		return true;
	if (is_dyn(b) || b->kind == CEL_TYPE_PARAM || a->kind != b->kind || depth > DEPTH_MAX)
		return false;
	switch (a->kind) {
	case CEL_TYPE_OPAQUE:
	case CEL_TYPE_LIST:
	case CEL_TYPE_MAP:
		if (!bh_slice_eq(a->name, b->name) || a->n != b->n)
			return false;
		for (size_t i = 0; i < a->n; i++)
			if (!is_equal_or_wider(a->params[i], b->params[i], depth + 1))
				return false;
		return true;
	case CEL_TYPE_TYPE: return true;
	default: return cel_type_same(a, b);
	}
}

const struct cel_type *cel_infer_general(const struct cel_type *a, const struct cel_type *b)
{
	return is_equal_or_wider(a, b, 0) ? a : b;
}

/* ---- does the type occur in what would stand for it? ---- */

static bool occurs(const struct cel_infer *in, const struct cel_type *variable, const struct cel_type *within, unsigned depth)
{
	if (depth > DEPTH_MAX || (is_variable(within) && within->number == variable->number))
		return true;
	const struct cel_type *means = meaning(in, within);
	if (means)
		return occurs(in, variable, means, depth + 1);
	for (size_t i = 0; i < within->n; i++)
		if (occurs(in, variable, within->params[i], depth + 1))
			return true;
	return false;
}

/* ---- assignability ---- */

static bool assignable(struct cel_infer *in, const struct cel_type *to, const struct cel_type *from, unsigned depth);

/* May the variable stand for the type? *ret_known: it stands for something already. */
static bool substitutes(struct cel_infer *in, const struct cel_type *type, const struct cel_type *variable, unsigned depth, bool *ret_known)
{
	*ret_known = true;
	if (is_variable(type) && type->number == variable->number)
		return true;
	const struct cel_type *means = meaning(in, variable);
	if (means) {
		if (cel_type_same(type, means))
			return true;
		if (!assignable(in, type, means, depth + 1))
			return false;
		const struct cel_type *wider = cel_infer_general(type, means);
		if (!occurs(in, variable, wider, 0))
			set(in, variable, wider);
		return true;
	}
	*ret_known = false;
	if (occurs(in, variable, type, 0))
		return false;
	set(in, variable, type);
	return true;
}

static bool may_be_null(const struct cel_type *t)
{
	switch (t->kind) {
	case CEL_TYPE_NULL:
	case CEL_TYPE_OPAQUE:
	case CEL_TYPE_RECORD:
	case CEL_TYPE_DURATION:
	case CEL_TYPE_TIMESTAMP:
	case CEL_TYPE_WRAPPER: return true;
	default: return false;
	}
}

static const struct cel_type *unwrapped(const struct cel_type *t)
{
	return t->kind == CEL_TYPE_WRAPPER ? t->params[0] : t;
}

static bool assignable(struct cel_infer *in, const struct cel_type *to, const struct cel_type *from, unsigned depth)
{
	bool known;
	if (depth > DEPTH_MAX)
		return false;
	if (is_variable(from)) {
		if (substitutes(in, to, from, depth, &known))
			return true;
		if (known)
			return false;
	}
	if (is_variable(to))
		return substitutes(in, from, to, depth, &known);
	if (is_dyn(to) || is_dyn(from) || to->kind == CEL_TYPE_ERROR || from->kind == CEL_TYPE_ERROR)
		return true;
	if (to->kind == CEL_TYPE_NULL || from->kind == CEL_TYPE_NULL)
		return may_be_null(to->kind == CEL_TYPE_NULL ? from : to);
	to = unwrapped(to);
	from = unwrapped(from);
	if (to->kind != from->kind)
		return false;
	if (to->kind == CEL_TYPE_TYPE)
		return true;
	if (!bh_slice_eq(to->name, from->name) || to->n != from->n)
		return false;
	for (size_t i = 0; i < to->n; i++)
		if (!assignable(in, to->params[i], from->params[i], depth + 1))
			return false;
	return true;
}

bool cel_infer_all_assignable(struct cel_infer *in, const struct cel_type *const *to, const struct cel_type *const *from, size_t n)
{
	size_t mark = in->n_trail;
	for (size_t i = 0; i < n; i++)
		if (!assignable(in, to[i], from[i], 0)) {
			take_back(in, mark);
			return false;
		}
	return true;
}

bool cel_infer_assignable(struct cel_infer *in, const struct cel_type *to, const struct cel_type *from)
{
	return cel_infer_all_assignable(in, &to, &from, 1);
}

/* ---- results ---- */

static const struct cel_type *resolve(struct cel_infer *in, const struct cel_type *t, bool free_is_dyn, unsigned depth)
{
	const struct cel_type *params[CEL_TYPE_PARAMS_MAX], *means = meaning(in, t);
	if (depth > DEPTH_MAX)
		return &cel_type_dyn;
	if (means)
		return resolve(in, means, free_is_dyn, depth + 1);
	if (t->kind == CEL_TYPE_PARAM)
		return free_is_dyn ? &cel_type_dyn : t;
	bool changed = false;
	for (size_t i = 0; i < t->n; i++) {
		params[i] = resolve(in, t->params[i], free_is_dyn, depth + 1);
		changed |= params[i] != t->params[i];
	}
	if (!changed)
		return t;
	const struct cel_type *made = cel_type_make(in->arena, t->kind, t->name, params, t->n);
	in->failed |= !made;
	return made ? made : &cel_type_dyn;
}

const struct cel_type *cel_infer_resolve(struct cel_infer *in, const struct cel_type *t, bool free_is_dyn)
{
	return resolve(in, t, free_is_dyn, 0);
}
