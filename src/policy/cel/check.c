#include "policy/cel/check.h"

#include "policy/cel/infer.h"
#include "policy/cel/literals.h"
#include "policy/cel/wellknown.h"

#define QUALIFIED_BYTES_MAX 1024u
#define LOCALS_MAX 4096u
#define PRINT_BYTES_MAX 2000u

/* Variables of folds and blocks, innermost first; they live on the C stack while their scope is checked. */
struct scope {
	const struct scope *outer;
	struct bh_slice name;
	const struct cel_type *type;
	unsigned slot;
};

struct checker {
	const struct cel_env *env;
	struct bh_arena *arena;
	struct cel_issues *issues;
	struct cel_infer infer;
	const struct scope *scope;
	unsigned n_locals;
	struct cel_refer nowhere; /* what a node refers to when memory is used up */
	bool is_lenient;          /* unchecked: nothing is an error now */
	bool failed;
	struct bh_buf text;
};

static void check(struct checker *c, struct cel_expr *e);

/* ---- helpers ---- */

static const char *printed(struct checker *c, const struct cel_type *t)
{
	bh_buf_clear(&c->text);
	cel_type_print(&c->text, cel_infer_resolve(&c->infer, t, true));
	char *copy = bh_arena_strdup(c->arena, bh_buf_slice(&c->text));
	return copy ? copy : "?";
}

#define complain(c, at, ...)                                            \
	do {                                                            \
		if (!(c)->is_lenient) {                                 \
			cel_issue_add((c)->issues, at, __VA_ARGS__);    \
			(c)->failed = true;                             \
		}                                                       \
	} while (0)

static void out_of_memory(struct checker *c)
{
	if (!c->failed)
		cel_issue_add(c->issues, 0, "the expression uses up its memory");
	c->failed = true;
}

static const struct cel_type *or_dyn(struct checker *c, const struct cel_type *t)
{
	if (t)
		return t;
	out_of_memory(c);
	return &cel_type_dyn;
}

static struct cel_refer *refer(struct checker *c, struct cel_expr *e, enum cel_refer_kind kind)
{
	struct cel_refer *r = BH_ARENA_NEW(c->arena, struct cel_refer);
	if (!r) {
		out_of_memory(c);
		return &c->nowhere;
	}
	r->kind = kind;
	e->refer = r;
	return r;
}

/* Functions that the evaluator does itself. */
static enum cel_op op_of(struct bh_slice function)
{
	static const struct {
		const char *function;
		enum cel_op op;
	} ops[] = {
		{ CEL_OP_AND, CEL_DO_AND },       { CEL_OP_OR, CEL_DO_OR },
		{ CEL_OP_TERNARY, CEL_DO_TERNARY }, { CEL_NOT_STRICTLY_FALSE, CEL_DO_NOT_STRICTLY_FALSE },
		{ CEL_OP_EQUALS, CEL_DO_EQUALS }, { "_!=_", CEL_DO_DIFFERS },
		{ "_<_", CEL_DO_LESS },           { "_<=_", CEL_DO_LESS_EQUALS },
		{ "_>_", CEL_DO_GREATER },        { "_>=_", CEL_DO_GREATER_EQUALS },
		{ CEL_OP_INDEX, CEL_DO_INDEX },   { CEL_OP_OPT_INDEX, CEL_DO_OPT_INDEX },
		{ CEL_OP_OPT_SELECT, CEL_DO_OPT_INDEX }, { "or", CEL_DO_OR_ELSE },
		{ "orValue", CEL_DO_OR_ELSE },
	};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (bh_slice_eq_str(function, ops[i].function))
			return ops[i].op;
	return CEL_DO_CALL;
}

static const struct cel_type *type_of(struct checker *c, const struct cel_expr *e)
{
	return cel_infer_resolve(&c->infer, e->type ? e->type : &cel_type_dyn, false);
}

static unsigned new_local(struct checker *c, size_t at)
{
	if (c->n_locals == LOCALS_MAX) {
		if (!c->failed)
			cel_issue_add(c->issues, at, "more than %u variables of macros", LOCALS_MAX);
		c->failed = true;
		return 0;
	}
	return c->n_locals++;
}

/* The type of what is one, or both: the wider one; elements of a literal. */
static const struct cel_type *join(struct checker *c, const struct cel_type *before, const struct cel_type *now)
{
	if (!before)
		return now;
	if (cel_infer_assignable(&c->infer, before, now))
		return cel_infer_general(before, now);
	return &cel_type_dyn;
}

static void require(struct checker *c, const struct cel_expr *e, const struct cel_type *wanted)
{
	if (!cel_infer_assignable(&c->infer, wanted, type_of(c, e)))
		complain(c, e->offset_bytes, "expected type '%s' but found '%s'", printed(c, wanted), printed(c, type_of(c, e)));
}

/* ---- names ---- */

static const struct scope *find_local(const struct checker *c, struct bh_slice name)
{
	const struct scope *s = c->scope;
	while (s && !bh_slice_eq(s->name, name))
		s = s->outer;
	return s;
}

static void use_local(struct checker *c, struct cel_expr *e, const struct scope *s)
{
	struct cel_refer *r = refer(c, e, CEL_REFER_LOCAL);
	r->slot = s->slot;
	r->name = s->name;
	e->type = s->type;
}

/* A declared type with variables of the check for its parameters. */
static const struct cel_type *instance(struct checker *c, const struct cel_type *t, const struct cel_type *letters[26])
{
	const struct cel_type *params[CEL_TYPE_PARAMS_MAX];
	if (t->kind == CEL_TYPE_PARAM) {
		const struct cel_type **letter = &letters[(t->name.ptr[0] - 'A') % 26];
		if (!*letter)
			*letter = cel_infer_fresh(&c->infer);
		return *letter;
	}
	bool changed = false;
	for (size_t i = 0; i < t->n; i++) {
		params[i] = instance(c, t->params[i], letters); /* as deep as a declaration is written */
		changed |= params[i] != t->params[i];
	}
	return changed ? or_dyn(c, cel_type_make(c->arena, t->kind, t->name, params, t->n)) : t;
}

static void use_named(struct checker *c, struct cel_expr *e, const struct cel_named *n)
{
	const struct cel_type *letters[26] = { 0 };
	struct cel_refer *r = refer(c, e, n->is_constant ? CEL_REFER_CONSTANT : CEL_REFER_VARIABLE);
	r->name = n->name;
	r->slot = n->slot;
	r->cost = n->cost;
	r->value = n->value;
	e->type = n->type->kind == CEL_TYPE_PARAM ? &cel_type_dyn : instance(c, n->type, letters);
}

/* Of an open record, "Object.spec" is a type of its own. */
static const struct cel_type *record_type(struct checker *c, const struct cel_record *record, struct bh_slice name)
{
	if (!record->is_open)
		return record->type;
	return or_dyn(c, cel_type_make(c->arena, CEL_TYPE_RECORD, bh_slice_starts(name, BH_SLICE_LIT(".")) ? bh_slice_sub(name, 1, name.len) : name, NULL, 0));
}

/* Messages stand for their types: google.protobuf.Int64Value, and records of the environment. */
static bool use_type_name(struct checker *c, struct cel_expr *e, struct bh_slice name)
{
	const struct cel_record *record = cel_env_find_record(c->env, name);
	const struct cel_wellknown *known = cel_env_find_wellknown(c->env, name);
	struct bh_slice own = { 0 };
	if (record && record->is_open && !bh_arena_copy(c->arena, name, &own)) /* the caller's text lives on its stack */
		out_of_memory(c);
	const struct cel_type *t = record ? record_type(c, record, own) : NULL;
	struct bh_err err;
	struct bh_slice text = bh_slice_str(known ? known->type : "");
	if (!t && (!known || cel_type_parse(c->arena, &text, NULL, NULL, &t, &err) < 0))
		return false;
	struct cel_refer *r = refer(c, e, CEL_REFER_CONSTANT);
	r->name = record ? t->name : bh_slice_str(known->name);
	r->value = (struct cel_value){ .kind = CEL_TYPE, .type = t };
	e->type = or_dyn(c, cel_type_type_of(c->arena, t));
	return true;
}

static void undeclared(struct checker *c, struct cel_expr *e, size_t at, struct bh_slice name)
{
	complain(c, at, "undeclared reference to '%.*s' (in container '%.*s')", BH_SLICE_FMT(name), BH_SLICE_FMT(c->env->container));
	refer(c, e, CEL_REFER_UNDECLARED)->name = name;
	e->type = c->is_lenient ? &cel_type_dyn : &cel_type_error;
}

static void check_ident(struct checker *c, struct cel_expr *e)
{
	struct bh_slice name = e->ident.name;
	const struct scope *local = find_local(c, name);
	const struct cel_named *named = local ? NULL : cel_env_find_named(c->env, name);
	if (local)
		use_local(c, e, local);
	else if (named)
		use_named(c, e, named);
	else if (!use_type_name(c, e, name))
		undeclared(c, e, e->offset_bytes, name);
}

/* a.b.c as text, when e is nothing but names and the first is not local. */
static bool qualified(const struct checker *c, const struct cel_expr *e, char text[QUALIFIED_BYTES_MAX], struct bh_slice *ret)
{
	size_t at = QUALIFIED_BYTES_MAX;
	for (; e->kind == CEL_EXPR_SELECT && !e->select.test; e = e->select.operand) {
		if (e->select.field.len + 1 > at)
			return false;
		at -= e->select.field.len;
		memcpy(text + at, e->select.field.ptr, e->select.field.len);
		text[--at] = '.';
	}
	if (e->kind != CEL_EXPR_IDENT || e->ident.name.len > at || find_local(c, e->ident.name))
		return false;
	at -= e->ident.name.len;
	memcpy(text + at, e->ident.name.ptr, e->ident.name.len);
	*ret = (struct bh_slice){ (const uint8_t *)text + at, QUALIFIED_BYTES_MAX - at };
	return true;
}

static bool use_qualified(struct checker *c, struct cel_expr *e)
{
	char text[QUALIFIED_BYTES_MAX];
	struct bh_slice name;
	if (!qualified(c, e, text, &name))
		return false;
	const struct cel_named *named = cel_env_find_named(c->env, name);
	if (named)
		use_named(c, e, named);
	return named || use_type_name(c, e, name);
}

/* ---- fields ---- */

static const struct cel_type *field_type(struct checker *c, const struct cel_expr *e, const struct cel_type *of, struct bh_slice field)
{
	const struct cel_record *record;
	switch (of->kind) {
	case CEL_TYPE_ERROR:
	case CEL_TYPE_DYN:
	case CEL_TYPE_ANY: return &cel_type_dyn;
	case CEL_TYPE_MAP: return of->params[1];
	case CEL_TYPE_PARAM:
		/* Nothing may make a narrower type of it later. */
		(void)cel_infer_assignable(&c->infer, &cel_type_dyn, of);
		return &cel_type_dyn;
	case CEL_TYPE_RECORD:
		record = cel_env_find_record(c->env, of->name);
		if (record && record->is_open)
			return &cel_type_dyn;
		if (record && bh_map_get(&record->fields, field))
			return bh_map_get(&record->fields, field);
		complain(c, e->offset_bytes, "undefined field '%.*s'", BH_SLICE_FMT(field));
		return &cel_type_error;
	default:
		complain(c, e->offset_bytes, "type '%s' does not support field selection", printed(c, of));
		return c->is_lenient ? &cel_type_dyn : &cel_type_error;
	}
}

static const struct cel_type *select_type(struct checker *c, const struct cel_expr *e, const struct cel_expr *operand, struct bh_slice field, bool optional)
{
	const struct cel_type *of = type_of(c, operand);
	bool was_optional = cel_type_is_optional(of);
	const struct cel_type *t = field_type(c, e, was_optional ? of->params[0] : of, field);
	return was_optional || optional ? or_dyn(c, cel_type_optional_of(c->arena, t)) : t;
}

static void check_select(struct checker *c, struct cel_expr *e)
{
	if (!e->select.test && use_qualified(c, e))
		return;
	check(c, e->select.operand);
	e->type = select_type(c, e, e->select.operand, e->select.field, false);
	if (e->select.test)
		e->type = &cel_type_bool;
}

static void check_optional_select(struct checker *c, struct cel_expr *e)
{
	struct cel_expr *field = e->call.args[1];
	check(c, e->call.args[0]);
	field->type = &cel_type_string;
	e->type = select_type(c, e, e->call.args[0], field->constant.text, true);
	struct cel_refer *r = refer(c, e, CEL_REFER_CALL);
	r->name = e->call.function;
	r->op = CEL_DO_OPT_INDEX;
}

/* ---- calls ---- */

struct call {
	size_t n; /* the receiver first */
	bool is_member;
	const struct cel_type **types;
};

static bool fits(struct checker *c, const struct cel_candidate *candidate, const struct call *call, const struct cel_type **ret_result)
{
	const struct cel_type *letters[26] = { 0 }, *params[CEL_PARAMS_MAX];
	if (candidate->is_member != call->is_member || candidate->n != call->n)
		return false;
	for (size_t i = 0; i < candidate->n; i++)
		params[i] = instance(c, candidate->params[i], letters);
	const struct cel_type *result = instance(c, candidate->result, letters);
	if (!cel_infer_all_assignable(&c->infer, params, call->types, call->n))
		return false;
	*ret_result = cel_infer_resolve(&c->infer, result, false);
	return true;
}

static const char *signature_of(struct checker *c, const struct call *call)
{
	struct bh_buf text;
	bh_buf_init(&text, PRINT_BYTES_MAX);
	for (size_t i = 0; i < call->n; i++) {
		if (i == 1 && call->is_member)
			bh_buf_add_str(&text, ".(");
		else if (i == 0 && !call->is_member)
			bh_buf_add_str(&text, "(");
		else if (i > 0)
			bh_buf_add_str(&text, ", ");
		bh_buf_add_str(&text, printed(c, call->types[i]));
	}
	bh_buf_add_str(&text, call->n == 0 ? "()" : call->n == 1 && call->is_member ? ".()" : ")");
	char *copy = bh_arena_strdup(c->arena, bh_buf_slice(&text));
	bh_buf_done(&text);
	return copy ? copy : "?";
}

static size_t count_candidates(const struct cel_callee *f)
{
	size_t n = 0;
	for (const struct cel_candidate *k = f->first; k; k = k->next)
		n++;
	return n;
}

static void add_candidate(struct checker *c, struct cel_refer *r, const struct cel_callee *f, const struct cel_candidate *candidate)
{
	if (!r->candidates)
		r->candidates = bh_arena_array(c->arena, count_candidates(f), sizeof(*r->candidates));
	if (r->candidates)
		r->candidates[r->n++] = candidate;
	else
		out_of_memory(c);
}

/* Unchecked: every overload that is called this way; the kinds at run time choose. */
static void add_all(struct checker *c, struct cel_refer *r, const struct cel_callee *f, const struct call *call)
{
	for (const struct cel_candidate *k = f->first; k; k = k->next)
		if (k->is_member == call->is_member && k->n == call->n)
			add_candidate(c, r, f, k);
}

static void resolve_overloads(struct checker *c, struct cel_expr *e, const struct cel_callee *f, const struct call *call)
{
	const struct cel_type *result = NULL, *one;
	struct cel_refer *r = refer(c, e, CEL_REFER_CALL);
	r->name = f->name;
	r->op = op_of(f->name);
	r->is_namespaced = e->call.target && !call->is_member;
	for (const struct cel_candidate *k = f->first; k && !c->is_lenient; k = k->next) {
		if (!fits(c, k, call, &one))
			continue;
		add_candidate(c, r, f, k);
		if (!result)
			result = one;
		else if (result->kind != CEL_TYPE_DYN && !cel_type_same(result, one))
			result = &cel_type_dyn;
	}
	if (c->is_lenient)
		add_all(c, r, f, call);
	else if (!result)
		complain(c, e->offset_bytes, "found no matching overload for '%.*s' applied to '%s'", BH_SLICE_FMT(e->call.function), signature_of(c, call));
	e->type = result ? result : c->is_lenient ? &cel_type_dyn : &cel_type_error;
}

/* base64.encode(x): is TARGET.NAME the name of a function? */
static const struct cel_callee *namespaced(const struct checker *c, const struct cel_expr *e)
{
	char text[QUALIFIED_BYTES_MAX], full[QUALIFIED_BYTES_MAX];
	struct bh_slice target;
	if (!e->call.target || !qualified(c, e->call.target, text, &target) || target.len + e->call.function.len + 1 > sizeof(full))
		return NULL;
	memcpy(full, target.ptr, target.len);
	full[target.len] = '.';
	memcpy(full + target.len + 1, e->call.function.ptr, e->call.function.len);
	return cel_env_find_callee(c->env, (struct bh_slice){ (const uint8_t *)full, target.len + 1 + e->call.function.len });
}

/* Checks an argument and notes its type. */
static void check_arg(struct checker *c, struct call *call, struct cel_expr *arg)
{
	check(c, arg);
	call->types[call->n++] = arg->type;
}

static void check_call(struct checker *c, struct cel_expr *e)
{
	const struct cel_callee *f = namespaced(c, e);
	struct call call = { .is_member = e->call.target && !f, .types = bh_arena_array(c->arena, e->call.n + 1, sizeof(*call.types)) };
	if (!call.types) {
		out_of_memory(c);
		return;
	}
	if (call.is_member)
		check_arg(c, &call, e->call.target);
	for (size_t i = 0; i < e->call.n; i++)
		check_arg(c, &call, e->call.args[i]);
	if (!f)
		f = cel_env_find_callee(c->env, e->call.function);
	if (!f) {
		undeclared(c, e, e->offset_bytes, e->call.function);
		return;
	}
	for (size_t i = 0; i < call.n; i++)
		call.types[i] = cel_infer_resolve(&c->infer, call.types[i], false);
	resolve_overloads(c, e, f, &call);
}

/* ---- literals ---- */

static const struct cel_type *const_type(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL: return &cel_type_null;
	case CEL_BOOL: return &cel_type_bool;
	case CEL_INT: return &cel_type_int;
	case CEL_UINT: return &cel_type_uint;
	case CEL_DOUBLE: return &cel_type_double;
	case CEL_STRING: return &cel_type_string;
	case CEL_BYTES: return &cel_type_bytes;
	default: return &cel_type_dyn;
	}
}

/* What an optional element puts into the literal. */
static const struct cel_type *inside_optional(struct checker *c, const struct cel_expr *e)
{
	const struct cel_type *t = type_of(c, e), *inside = cel_infer_fresh(&c->infer);
	if (cel_type_is_optional(t))
		return t->params[0];
	const struct cel_type *wanted = or_dyn(c, cel_type_optional_of(c->arena, inside));
	if (t->kind == CEL_TYPE_DYN || t->kind == CEL_TYPE_ERROR)
		return &cel_type_dyn;
	complain(c, e->offset_bytes, "expected type '%s' but found '%s'", printed(c, c->infer.failed ? wanted : or_dyn(c, cel_type_optional_of(c->arena, t))),
		 printed(c, t));
	return t;
}

static const struct cel_type *element_type(struct checker *c, struct cel_expr *e, bool optional)
{
	check(c, e);
	return optional ? inside_optional(c, e) : type_of(c, e);
}

static void check_list(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *item = NULL;
	for (size_t i = 0; i < e->list.n; i++)
		item = join(c, item, element_type(c, e->list.items[i], e->list.optional && e->list.optional[i]));
	e->type = or_dyn(c, cel_type_list_of(c->arena, item ? item : cel_infer_fresh(&c->infer)));
}

static void check_map(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *key = NULL, *value = NULL;
	for (size_t i = 0; i < e->map.n; i++) {
		struct cel_pair *pair = &e->map.pairs[i];
		key = join(c, key, element_type(c, pair->key, false));
		value = join(c, value, element_type(c, pair->value, pair->optional));
	}
	if (!key) {
		key = cel_infer_fresh(&c->infer);
		value = cel_infer_fresh(&c->infer);
	}
	e->type = or_dyn(c, cel_type_map_of(c->arena, key, value));
}

static const struct cel_type *wellknown_field(struct checker *c, const struct cel_wellknown *known, struct bh_slice field)
{
	const struct cel_type *t = NULL;
	struct bh_err err;
	for (size_t i = 0; known->fields[i].name; i++) {
		struct bh_slice text = bh_slice_str(known->fields[i].type);
		if (bh_slice_eq_str(field, known->fields[i].name) && cel_type_parse(c->arena, &text, NULL, NULL, &t, &err) == 0)
			return t;
	}
	return NULL;
}

static void check_record_field(struct checker *c, const struct cel_pair *pair, const struct cel_type *wanted)
{
	const struct cel_type *found = element_type(c, pair->value, pair->optional);
	if (!wanted)
		complain(c, pair->offset_bytes, "undefined field '%.*s'", BH_SLICE_FMT(pair->field));
	else if (!cel_infer_assignable(&c->infer, wanted, found))
		complain(c, pair->offset_bytes, "expected type of field '%.*s' is '%s' but provided type is '%s'", BH_SLICE_FMT(pair->field),
			 printed(c, wanted), printed(c, found));
}

static void check_record(struct checker *c, struct cel_expr *e)
{
	const struct cel_record *record = cel_env_find_record(c->env, e->map.name);
	const struct cel_wellknown *known = record ? NULL : cel_env_find_wellknown(c->env, e->map.name);
	const struct cel_named *named = record || known ? NULL : cel_env_find_named(c->env, e->map.name);
	const struct cel_type *t = record ? record_type(c, record, e->map.name) : NULL;
	struct bh_err err;
	for (size_t i = 0; i < e->map.n; i++) {
		const struct cel_pair *pair = &e->map.pairs[i];
		if (record)
			check_record_field(c, pair, record->is_open ? &cel_type_dyn : bh_map_get(&record->fields, pair->field));
		else if (known)
			check_record_field(c, pair, wellknown_field(c, known, pair->field));
		else
			check(c, pair->value);
	}
	struct bh_slice text = bh_slice_str(known ? known->type : "");
	if (known && cel_type_parse(c->arena, &text, NULL, NULL, &t, &err) < 0)
		out_of_memory(c);
	if (!t && named) {
		complain(c, e->offset_bytes, "'%s' is not a type", printed(c, named->type));
		refer(c, e, CEL_REFER_UNDECLARED)->name = e->map.name;
		e->type = &cel_type_error;
		return;
	}
	if (!t) {
		undeclared(c, e, e->offset_bytes, e->map.name);
		return;
	}
	struct cel_refer *r = refer(c, e, CEL_REFER_RECORD);
	r->name = record ? t->name : bh_slice_str(known->name);
	r->is_open = record && record->is_open;
	r->type = t;
	e->type = t;
}

/* ---- folds and blocks ---- */

/* What the iteration variables are. */
static void range_types(struct checker *c, const struct cel_expr *range, bool two, const struct cel_type **first, const struct cel_type **second)
{
	const struct cel_type *t = type_of(c, range);
	*first = *second = &cel_type_dyn;
	switch (t->kind) {
	case CEL_TYPE_LIST:
		*first = two ? &cel_type_int : t->params[0];
		*second = t->params[0];
		break;
	case CEL_TYPE_MAP:
		*first = t->params[0];
		*second = t->params[1];
		break;
	case CEL_TYPE_PARAM: (void)cel_infer_assignable(&c->infer, &cel_type_dyn, t); break;
	case CEL_TYPE_DYN:
	case CEL_TYPE_ANY:
	case CEL_TYPE_ERROR: break;
	default:
		complain(c, range->offset_bytes, "expression of type '%s' cannot be range of a comprehension (must be list, map, or dynamic)", printed(c, t));
		*first = *second = c->is_lenient ? &cel_type_dyn : &cel_type_error;
	}
}

static void check_fold(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *first, *second;
	check(c, e->fold.range);
	check(c, e->fold.init);
	range_types(c, e->fold.range, e->fold.iter2.len > 0, &first, &second);
	unsigned slot = new_local(c, e->offset_bytes);
	struct scope accu = { c->scope, e->fold.accu, e->fold.init->type, slot };
	struct scope iter = { &accu, e->fold.iter, first, new_local(c, e->offset_bytes) };
	struct scope iter2 = { &iter, e->fold.iter2, second, new_local(c, e->offset_bytes) };
	c->scope = e->fold.iter2.len ? &iter2 : &iter;
	check(c, e->fold.condition);
	require(c, e->fold.condition, &cel_type_bool);
	check(c, e->fold.step);
	require(c, e->fold.step, e->fold.init->type);
	c->scope = &accu;
	check(c, e->fold.result);
	c->scope = accu.outer;
	e->type = e->fold.result->type;
	refer(c, e, CEL_REFER_FOLD)->slot = slot;
}

/* cel.@block([a, b], result): @index0 is a in b and in result, and so on; of type dyn, as cel-go has it. */
static void check_block_values(struct checker *c, const struct cel_expr *values, unsigned slot)
{
	for (size_t i = 0; i < values->list.n; i++) {
		struct scope *s = BH_ARENA_NEW(c->arena, struct scope);
		char *name = bh_arena_printf(c->arena, "@index%zu", i);
		if (!s || !name) {
			out_of_memory(c);
			return;
		}
		check(c, values->list.items[i]);
		*s = (struct scope){ c->scope, bh_slice_str(name), &cel_type_dyn, slot + (unsigned)i };
		c->scope = s;
	}
}

static void check_block(struct checker *c, struct cel_expr *e)
{
	const struct scope *outer = c->scope;
	struct cel_refer *r = refer(c, e, CEL_REFER_BLOCK);
	r->name = e->call.function;
	r->slot = c->n_locals;
	for (size_t i = 0; i < e->call.args[0]->list.n; i++)
		(void)new_local(c, e->offset_bytes);
	check_block_values(c, e->call.args[0], r->slot);
	const struct cel_type *item = NULL;
	for (size_t i = 0; i < e->call.args[0]->list.n; i++)
		item = join(c, item, type_of(c, e->call.args[0]->list.items[i]));
	e->call.args[0]->type = or_dyn(c, cel_type_list_of(c->arena, item ? item : &cel_type_dyn));
	check(c, e->call.args[1]);
	c->scope = outer;
	e->type = e->call.args[1]->type;
}

/* ---- the walk ---- */

static bool is_block(const struct cel_expr *e)
{
	return bh_slice_eq_str(e->call.function, CEL_BLOCK) && !e->call.target && e->call.n == 2 && e->call.args[0]->kind == CEL_EXPR_LIST;
}

static void check(struct checker *c, struct cel_expr *e)
{
	if (e->type) /* optMap uses its target twice: the same node, in the same scope */
		return;
	switch (e->kind) {
	case CEL_EXPR_CONST: e->type = const_type(e->constant); break;
	case CEL_EXPR_IDENT: check_ident(c, e); break;
	case CEL_EXPR_SELECT: check_select(c, e); break;
	case CEL_EXPR_CALL:
		if (is_block(e))
			check_block(c, e);
		else if (bh_slice_eq_str(e->call.function, CEL_OP_OPT_SELECT) && e->call.args[1]->kind == CEL_EXPR_CONST)
			check_optional_select(c, e);
		else
			check_call(c, e);
		break;
	case CEL_EXPR_LIST: check_list(c, e); break;
	case CEL_EXPR_MAP: check_map(c, e); break;
	case CEL_EXPR_RECORD: check_record(c, e); break;
	case CEL_EXPR_FOLD: check_fold(c, e); break;
	}
	if (!e->type)
		e->type = &cel_type_error;
}

/* All types with what their variables have come to mean. */
static void settle(struct checker *c, struct cel_expr *e)
{
	if (!e || e->is_settled)
		return;
	e->is_settled = true;
	e->type = cel_infer_resolve(&c->infer, e->type ? e->type : &cel_type_dyn, true);
	switch (e->kind) {
	case CEL_EXPR_CONST:
	case CEL_EXPR_IDENT: break;
	case CEL_EXPR_SELECT: settle(c, e->select.operand); break;
	case CEL_EXPR_CALL:
		settle(c, e->call.target);
		for (size_t i = 0; i < e->call.n; i++)
			settle(c, e->call.args[i]);
		break;
	case CEL_EXPR_LIST:
		for (size_t i = 0; i < e->list.n; i++)
			settle(c, e->list.items[i]);
		break;
	case CEL_EXPR_MAP:
	case CEL_EXPR_RECORD:
		for (size_t i = 0; i < e->map.n; i++) {
			settle(c, e->map.pairs[i].key);
			settle(c, e->map.pairs[i].value);
		}
		break;
	case CEL_EXPR_FOLD:
		settle(c, e->fold.range);
		settle(c, e->fold.init);
		settle(c, e->fold.condition);
		settle(c, e->fold.step);
		settle(c, e->fold.result);
		break;
	}
}

bool cel_check(const struct cel_env *env, struct bh_arena *arena, struct cel_expr *tree, enum cel_checking checking, struct cel_issues *issues,
	       unsigned *ret_locals)
{
	struct checker c = { .env = env, .arena = arena, .issues = issues, .infer = { .arena = arena }, .is_lenient = checking == CEL_UNCHECKED };
	bh_buf_init(&c.text, PRINT_BYTES_MAX);
	check(&c, tree);
	settle(&c, tree);
	if (c.infer.failed)
		out_of_memory(&c);
	bh_buf_done(&c.text);
	cel_infer_done(&c.infer);
	*ret_locals = c.n_locals;
	if (!c.failed && checking == CEL_CHECKED) {
		size_t before = issues->n;
		cel_check_literals(env, tree, issues);
		c.failed = issues->n > before;
	}
	return !c.failed;
}
