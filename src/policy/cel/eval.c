/*
 * eval.c: programs and their runs: a walk over the checked tree. Errors and unknowns are values; && || ?: and the folds of macros absorb them as
 * the specification says (cel-spec langdef.md, "Evaluation"). What a step costs is Kubernetes' runtime cost (cel-go interpreter/runtimecost.go).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/cel/check.h"
#include "policy/cel/parse.h"
#include "policy/cel/patterns.h"
#include "policy/cel/wellknown.h"

#define PROGRAM_BYTES_MAX (64u << 20)
#define ERROR_BYTES_MAX 512u
#define COST_LIST 10u
#define COST_MAP 30u
#define COST_RECORD 40u

struct cel_program {
	struct bh_arena arena;
	struct bh_slice text;
	struct cel_expr *tree;
	unsigned n_locals;
};

struct slot {
	struct cel_value value;
	bool is_set, is_asked; /* asked: the resolver gave it, for this evaluation only */
};

struct cel_run {
	const struct cel_env *env;
	struct bh_arena arena;
	struct cel_limits limits;
	uint64_t cost;
	bool is_over; /* the cost limit was reached: nothing is worked out any more */
	unsigned nesting; /* of evaluations: a resolver may evaluate, too */
	struct slot *slots;
	struct cel_value *locals;
	struct cel_value (*resolve)(void *ctx, struct cel_run *run, unsigned slot);
	void *resolve_ctx;
	struct cel_patterns *patterns;
	struct cel_read reads[CEL_READS_MAX]; /* a ring of what was read last */
	size_t n_reads;
};

static struct cel_value eval(struct cel_run *run, const struct cel_expr *e);

/* ---- what libraries use ---- */

struct bh_arena *cel_arena(struct cel_run *run)
{
	return &run->arena;
}

struct cel_value cel_out_of_memory(void)
{
	return cel_error("memory limit exceeded");
}

struct cel_value cel_fail(struct cel_run *run, const char *fmt, ...)
{
	char text[ERROR_BYTES_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	const char *copy = bh_arena_strdup(&run->arena, bh_slice_str(text));
	return copy ? cel_error(copy) : cel_out_of_memory();
}

struct cel_value cel_string_copy(struct cel_run *run, struct bh_slice text)
{
	struct bh_slice copy = { 0 };
	return bh_arena_copy(&run->arena, text, &copy) ? cel_string(copy) : cel_out_of_memory();
}

struct cel_value cel_some(struct cel_run *run, struct cel_value v)
{
	struct cel_value *copy = BH_ARENA_NEW(&run->arena, struct cel_value);
	if (!copy)
		return cel_out_of_memory();
	*copy = v;
	return cel_optional(copy);
}

bool cel_charge(struct cel_run *run, uint64_t units)
{
	if (__builtin_add_overflow(run->cost, units, &run->cost))
		run->cost = UINT64_MAX;
	run->is_over |= run->limits.cost > 0 && run->cost > run->limits.cost;
	return !run->is_over;
}

const struct bh_regex *cel_regex(struct cel_run *run, struct bh_slice pattern, struct cel_value *bad)
{
	const struct bh_regex *re = NULL;
	struct bh_err err;
	if (cel_patterns_get(&run->patterns, pattern, &re, &err) < 0)
		*bad = cel_fail(run, "%s", err.text);
	return re;
}

static struct cel_value over_limit(void)
{
	return cel_error("operation cancelled: actual cost limit exceeded");
}

/* ---- names ---- */

static struct cel_value read_variable(struct cel_run *run, const struct cel_refer *r)
{
	struct slot *slot = &run->slots[r->slot];
	if (slot->is_set || slot->is_asked)
		return slot->value;
	if (!run->resolve)
		return cel_fail(run, "no such attribute(s): %.*s", BH_SLICE_FMT(r->name));
	/* While it is worked out, it is an error to ask for it again. */
	slot->value = cel_error("a variable that is defined by itself");
	slot->is_asked = true;
	slot->value = run->resolve(run->resolve_ctx, run, r->slot);
	return slot->value;
}

static struct cel_value eval_name(struct cel_run *run, const struct cel_expr *e)
{
	const struct cel_refer *r = e->refer;
	switch (r->kind) {
	case CEL_REFER_VARIABLE: return cel_charge(run, r->cost) ? read_variable(run, r) : over_limit();
	case CEL_REFER_LOCAL: return cel_charge(run, 1) ? run->locals[r->slot] : over_limit();
	case CEL_REFER_CONSTANT: return r->value;
	default: return cel_fail(run, "undeclared reference to '%.*s'", BH_SLICE_FMT(r->name));
	}
}

/* ---- fields and elements ---- */

static struct cel_value no_such_key(struct cel_run *run, struct cel_value key)
{
	char number[32];
	switch (key.kind) {
	case CEL_STRING: return cel_fail(run, "no such key: %.*s", BH_SLICE_FMT(key.text));
	case CEL_INT: return cel_fail(run, "no such key: %lld", (long long)key.integer);
	case CEL_UINT: return cel_fail(run, "no such key: %llu", (unsigned long long)key.natural);
	case CEL_DOUBLE: cel_print_double(key.real, number); return cel_fail(run, "no such key: %s", number);
	case CEL_BOOL: return cel_fail(run, "no such key: %s", key.boolean ? "true" : "false");
	default: return cel_fail(run, "unsupported key type: %s", cel_kind_name(key));
	}
}

/* Any number that is a whole one may be an index. */
static bool as_index(struct cel_value v, int64_t *ret)
{
	if (v.kind == CEL_INT)
		*ret = v.integer;
	else if (v.kind == CEL_UINT && v.natural <= INT64_MAX)
		*ret = (int64_t)v.natural;
	else if (v.kind == CEL_DOUBLE && v.real >= -CEL_TWO_53 && v.real <= CEL_TWO_53 && v.real == (double)(int64_t)v.real)
		*ret = (int64_t)v.real;
	else
		return false;
	return true;
}

/* NULL: not there; *bad then says why. */
static const struct cel_value *find_element(struct cel_run *run, struct cel_value of, struct cel_value key, struct cel_value *bad)
{
	int64_t index;
	if (of.kind == CEL_MAP) {
		const struct cel_value *found = cel_map_get(of.map, key);
		if (!found)
			*bad = no_such_key(run, key);
		return found;
	}
	if (of.kind != CEL_LIST) { /* null, a number ...: as a map that is empty */
		*bad = no_such_key(run, key);
		return NULL;
	}
	if (!as_index(key, &index)) {
		*bad = cel_fail(run, "unsupported index type '%s' in list", cel_kind_name(key));
		return NULL;
	}
	if (index < 0 || (uint64_t)index >= of.list->len) {
		*bad = cel_fail(run, "index out of bounds: %lld", (long long)index);
		return NULL;
	}
	return &of.list->items[index];
}

/* Could the key be one of such a value? When not, an optional look-up is an error all the same. */
static bool may_hold(struct cel_value of, struct cel_value key)
{
	int64_t index;
	if (of.kind != CEL_LIST)
		return key.kind == CEL_BOOL || key.kind == CEL_INT || key.kind == CEL_UINT || key.kind == CEL_DOUBLE || key.kind == CEL_STRING;
	return as_index(key, &index);
}

static struct cel_value element(struct cel_run *run, struct cel_value of, struct cel_value key, bool optional)
{
	struct cel_value bad;
	bool was_optional = of.kind == CEL_OPTIONAL;
	if (was_optional && !of.optional)
		return of;
	if (was_optional)
		of = *of.optional;
	if (!cel_is_known(of)) /* an optional of what is not known */
		return of;
	const struct cel_value *found = find_element(run, of, key, &bad);
	if (!optional && !was_optional)
		return found ? *found : bad;
	/* In the specification's suite a.?b.c is an error where b has no fields, although a.?b.?c is not; Kubernetes takes both. */
	bool is_container = of.kind == CEL_MAP || of.kind == CEL_LIST;
	if (!found)
		return may_hold(of, key) && (optional || is_container) ? cel_optional(NULL) : bad;
	return cel_optional(found);
}

/* Something whose fields cel-go reads as one attribute: names and what is chained behind them. Others cost one more. */
static bool is_attribute(const struct cel_expr *e)
{
	return e->kind == CEL_EXPR_IDENT || e->kind == CEL_EXPR_SELECT
	       || (e->kind == CEL_EXPR_CALL && e->refer && (e->refer->op == CEL_DO_INDEX || e->refer->op == CEL_DO_OPT_INDEX));
}

static void note_read(struct cel_run *run, struct cel_value of, struct bh_slice field)
{
	if (of.kind == CEL_OPTIONAL && of.optional)
		of = *of.optional;
	if (of.kind != CEL_MAP)
		return;
	run->reads[run->n_reads++ % CEL_READS_MAX] = (struct cel_read){ of.map, field };
}

static struct cel_value has_field(struct cel_run *run, struct cel_value of, struct bh_slice field)
{
	if (of.kind == CEL_OPTIONAL) {
		if (!of.optional)
			return cel_bool(false);
		of = *of.optional;
	}
	if (!cel_is_known(of))
		return of;
	note_read(run, of, field);
	if (of.kind == CEL_MAP)
		return cel_bool(cel_map_field(of.map, field) != NULL);
	return of.kind == CEL_LIST ? cel_fail(run, "unsupported index type 'string' in list") : cel_bool(false);
}

static struct cel_value eval_select(struct cel_run *run, const struct cel_expr *e)
{
	if (e->refer) /* a qualified name */
		return eval_name(run, e);
	struct cel_value of = eval(run, e->select.operand);
	if (!cel_is_known(of))
		return of;
	if (e->select.test)
		return has_field(run, of, e->select.field);
	if (!cel_charge(run, is_attribute(e->select.operand) ? 1 : 2))
		return over_limit();
	note_read(run, of, e->select.field);
	const struct cel_value *found = of.kind == CEL_MAP ? cel_map_field(of.map, e->select.field) : NULL;
	if (found)
		return *found;
	if (of.kind == CEL_LIST)
		return cel_fail(run, "unsupported index type 'string' in list");
	return element(run, of, cel_string(e->select.field), false);
}

static struct cel_value eval_index(struct cel_run *run, const struct cel_expr *e, bool optional)
{
	struct cel_value of = eval(run, e->call.args[0]);
	if (!cel_is_known(of))
		return of;
	struct cel_value key = eval(run, e->call.args[1]);
	if (!cel_is_known(key))
		return key;
	if (!cel_charge(run, is_attribute(e->call.args[0]) ? 1 : 2))
		return over_limit();
	if (key.kind == CEL_STRING)
		note_read(run, of, key.text);
	return element(run, of, key, optional);
}

/* ---- logic ---- */

/* `absorbing` is the value that decides alone: false of &&, true of ||. */
static struct cel_value eval_logic(struct cel_run *run, const struct cel_expr *e, bool absorbing)
{
	struct cel_value left = eval(run, e->call.args[0]);
	if (left.kind == CEL_BOOL && left.boolean == absorbing)
		return left;
	struct cel_value right = eval(run, e->call.args[1]);
	if (right.kind == CEL_BOOL && (right.boolean == absorbing || left.kind == CEL_BOOL))
		return right;
	if (left.kind == CEL_UNKNOWN || right.kind == CEL_UNKNOWN)
		return left.kind == CEL_UNKNOWN ? left : right;
	if (left.kind == CEL_ERROR)
		return left;
	if (right.kind == CEL_ERROR)
		return right;
	return cel_fail(run, "no such overload: %s of %s and %s", absorbing ? "||" : "&&", cel_kind_name(left), cel_kind_name(right));
}

static struct cel_value eval_ternary(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value condition = eval(run, e->call.args[0]);
	if (!cel_is_known(condition))
		return condition;
	if (condition.kind != CEL_BOOL)
		return cel_fail(run, "no such overload: a condition of type %s", cel_kind_name(condition));
	return eval(run, e->call.args[condition.boolean ? 1 : 2]);
}

static struct cel_value eval_not_strictly_false(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value v = eval(run, e->call.args[0]);
	return cel_charge(run, 1) ? cel_bool(v.kind != CEL_BOOL || v.boolean) : over_limit();
}

static uint64_t tenth(uint64_t units)
{
	return units / 10 + (units % 10 > 0);
}

static struct cel_value eval_equals(struct cel_run *run, const struct cel_expr *e, bool wanted)
{
	struct cel_value a = eval(run, e->call.args[0]);
	if (!cel_is_known(a))
		return a;
	struct cel_value b = eval(run, e->call.args[1]);
	if (!cel_is_known(b))
		return b;
	uint64_t size_a = cel_size_of(a), size_b = cel_size_of(b);
	if (!cel_charge(run, a.kind == CEL_OBJECT ? 1 : tenth(size_a < size_b ? size_a : size_b)))
		return over_limit();
	return cel_bool(cel_equal(a, b) == wanted);
}

static bool holds(enum cel_op op, int order)
{
	switch (op) {
	case CEL_DO_LESS: return order < 0;
	case CEL_DO_LESS_EQUALS: return order <= 0;
	case CEL_DO_GREATER: return order > 0;
	default: return order >= 0;
	}
}

static struct cel_value eval_order(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value a = eval(run, e->call.args[0]);
	int order;
	if (!cel_is_known(a))
		return a;
	struct cel_value b = eval(run, e->call.args[1]);
	if (!cel_is_known(b))
		return b;
	uint64_t size_a = cel_size_of(a), size_b = cel_size_of(b);
	if (!cel_charge(run, tenth(size_a < size_b ? size_a : size_b)))
		return over_limit();
	if (cel_compare(a, b, &order))
		return cel_bool(holds(e->refer->op, order));
	if (a.kind == CEL_DOUBLE || b.kind == CEL_DOUBLE) { /* NaN is in no order with any number */
		a.real = a.kind == CEL_DOUBLE ? 0 : a.real;
		b.real = b.kind == CEL_DOUBLE ? 0 : b.real;
		if (cel_compare(a, b, &order))
			return cel_bool(false);
	}
	return cel_fail(run, "no such overload: %.*s(%s, %s)", BH_SLICE_FMT(e->call.function), cel_kind_name(a), cel_kind_name(b));
}

/* opt.or(other), opt.orValue(value): the argument only counts when there is nothing. */
static struct cel_value eval_or_else(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value v = eval(run, e->call.target ? e->call.target : e->call.args[0]);
	if (!cel_is_known(v))
		return v;
	if (v.kind != CEL_OPTIONAL || e->call.n != 1)
		return cel_fail(run, "no such overload: %.*s of %s", BH_SLICE_FMT(e->call.function), cel_kind_name(v));
	if (v.optional) /* costs nothing, as the counter of cel-go does not see it */
		return bh_slice_eq_str(e->call.function, "or") ? v : *v.optional;
	return eval(run, e->call.args[0]);
}

/* ---- functions ---- */

/* Do the kinds of the arguments fit what the signature says? */
static bool kind_fits(const struct cel_type *t, struct cel_value v)
{
	switch (t->kind) {
	case CEL_TYPE_DYN:
	case CEL_TYPE_ANY:
	case CEL_TYPE_PARAM: return true;
	case CEL_TYPE_NULL: return v.kind == CEL_NULL;
	case CEL_TYPE_BOOL: return v.kind == CEL_BOOL;
	case CEL_TYPE_INT: return v.kind == CEL_INT;
	case CEL_TYPE_UINT: return v.kind == CEL_UINT;
	case CEL_TYPE_DOUBLE: return v.kind == CEL_DOUBLE;
	case CEL_TYPE_STRING: return v.kind == CEL_STRING;
	case CEL_TYPE_BYTES: return v.kind == CEL_BYTES;
	case CEL_TYPE_DURATION: return v.kind == CEL_DURATION;
	case CEL_TYPE_TIMESTAMP: return v.kind == CEL_TIMESTAMP;
	case CEL_TYPE_LIST: return v.kind == CEL_LIST;
	case CEL_TYPE_RECORD:
	case CEL_TYPE_MAP: return v.kind == CEL_MAP;
	case CEL_TYPE_TYPE: return v.kind == CEL_TYPE;
	case CEL_TYPE_WRAPPER: return v.kind == CEL_NULL || kind_fits(t->params[0], v);
	case CEL_TYPE_OPAQUE:
		if (cel_type_is_optional(t))
			return v.kind == CEL_OPTIONAL;
		return v.kind == CEL_OBJECT && bh_slice_eq_str(t->name, v.object->class->name);
	case CEL_TYPE_ERROR: break;
	}
	return false;
}

/* A list of ints is no list of strings: the first element tells which of two overloads is meant. */
static bool element_fits(const struct cel_type *t, struct cel_value v)
{
	if (t->kind == CEL_TYPE_LIST && v.list->len > 0)
		return kind_fits(t->params[0], v.list->items[0]);
	return true;
}

static bool candidate_fits(const struct cel_candidate *c, const struct cel_value *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!kind_fits(c->params[i], args[i]) || !element_fits(c->params[i], args[i]))
			return false;
	return c->of->call != NULL;
}

static struct cel_value no_such_overload(struct cel_run *run, const struct cel_refer *r, const struct cel_value *args, size_t n)
{
	char kinds[256] = "";
	size_t at = 0;
	for (size_t i = 0; i < n && at + 64 < sizeof(kinds); i++)
		at += (size_t)snprintf(kinds + at, sizeof(kinds) - at, "%s%.60s", i ? ", " : "", cel_kind_name(args[i]));
	return cel_fail(run, "no such overload: %.*s(%s)", BH_SLICE_FMT(r->name), kinds);
}

static struct cel_value call(struct cel_run *run, const struct cel_refer *r, const struct cel_value *args, size_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct cel_overload *of = r->candidates[i]->of;
		if (!candidate_fits(r->candidates[i], args, n))
			continue;
		struct cel_value v = of->call(run, args, n);
		if (!cel_charge(run, of->cost ? of->cost(args, n, &v) : 1))
			return over_limit();
		return v;
	}
	return no_such_overload(run, r, args, n);
}

static struct cel_value eval_function(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value few[CEL_PARAMS_MAX], *args = few;
	const struct cel_refer *r = e->refer;
	size_t n = 0;
	if (r->kind != CEL_REFER_CALL)
		return cel_fail(run, "unbound function: %.*s", BH_SLICE_FMT(e->call.function));
	if (e->call.n + 1 > CEL_PARAMS_MAX) /* no overload has as many */
		return cel_fail(run, "no such overload: %.*s with %zu arguments", BH_SLICE_FMT(r->name), e->call.n);
	if (e->call.target && !r->is_namespaced) {
		args[n] = eval(run, e->call.target);
		if (!cel_is_known(args[n++]))
			return args[0];
	}
	for (size_t i = 0; i < e->call.n; i++) {
		args[n] = eval(run, e->call.args[i]);
		if (!cel_is_known(args[n++]))
			return args[n - 1];
	}
	return call(run, r, args, n);
}

static struct cel_value eval_block(struct cel_run *run, const struct cel_expr *e)
{
	const struct cel_expr *values = e->call.args[0];
	for (size_t i = 0; i < values->list.n; i++)
		run->locals[e->refer->slot + i] = eval(run, values->list.items[i]);
	return eval(run, e->call.args[1]);
}

static struct cel_value eval_call(struct cel_run *run, const struct cel_expr *e)
{
	const struct cel_refer *r = e->refer;
	if (r->kind == CEL_REFER_BLOCK)
		return eval_block(run, e);
	switch (r->op) {
	case CEL_DO_AND: return eval_logic(run, e, false);
	case CEL_DO_OR: return eval_logic(run, e, true);
	case CEL_DO_TERNARY: return eval_ternary(run, e);
	case CEL_DO_NOT_STRICTLY_FALSE: return eval_not_strictly_false(run, e);
	case CEL_DO_EQUALS: return eval_equals(run, e, true);
	case CEL_DO_DIFFERS: return eval_equals(run, e, false);
	case CEL_DO_LESS:
	case CEL_DO_LESS_EQUALS:
	case CEL_DO_GREATER:
	case CEL_DO_GREATER_EQUALS: return eval_order(run, e);
	case CEL_DO_INDEX: return eval_index(run, e, false);
	case CEL_DO_OPT_INDEX: return eval_index(run, e, true);
	case CEL_DO_OR_ELSE: return eval_or_else(run, e);
	case CEL_DO_CALL: break;
	}
	return eval_function(run, e);
}

/* ---- literals ---- */

/* An optional element: none leaves it out. */
static struct cel_value inside(struct cel_run *run, struct cel_value v, bool *ret_is_there)
{
	if (v.kind != CEL_OPTIONAL)
		return cel_fail(run, "no such overload: an optional element of type %s", cel_kind_name(v));
	*ret_is_there = v.optional != NULL;
	return v.optional ? *v.optional : v;
}

/* A literal of constants. */
static struct cel_value eval_kept(struct cel_run *run, const struct cel_expr *e)
{
	return cel_charge(run, e->refer->slot) ? e->refer->value : over_limit();
}

static struct cel_value eval_list(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value *items = bh_arena_array(&run->arena, e->list.n ? e->list.n : 1, sizeof(*items));
	size_t n = 0;
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < e->list.n; i++) {
		bool is_there = true;
		struct cel_value v = eval(run, e->list.items[i]);
		if (cel_is_known(v) && e->list.optional && e->list.optional[i])
			v = inside(run, v, &is_there);
		if (!cel_is_known(v))
			return v;
		if (is_there)
			items[n++] = v;
	}
	return cel_charge(run, COST_LIST) ? cel_list_of(&run->arena, items, n) : over_limit();
}

static struct cel_value eval_map(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_entry *entries = bh_arena_array(&run->arena, e->map.n ? e->map.n : 1, sizeof(*entries));
	size_t n = 0;
	if (!entries)
		return cel_out_of_memory();
	for (size_t i = 0; i < e->map.n; i++) {
		const struct cel_pair *pair = &e->map.pairs[i];
		bool is_there = true;
		struct cel_value key = eval(run, pair->key), v = cel_is_known(key) ? eval(run, pair->value) : key;
		if (cel_is_known(v) && pair->optional)
			v = inside(run, v, &is_there);
		if (!cel_is_known(v))
			return v;
		if (is_there)
			entries[n++] = (struct cel_entry){ key, v };
	}
	return cel_charge(run, COST_MAP) ? cel_map_of(&run->arena, entries, n) : over_limit();
}

static struct cel_value make_wellknown(struct cel_run *run, const struct cel_wellknown *known, const struct cel_entry *entries, size_t n)
{
	const struct cel_value *fields[sizeof(known->fields) / sizeof(known->fields[0])] = { 0 };
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; known->fields[k].name; k++)
			if (bh_slice_eq_str(entries[i].key.text, known->fields[k].name))
				fields[k] = &entries[i].value;
	return known->make(run, fields);
}

static struct cel_value eval_record(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_entry *entries = bh_arena_array(&run->arena, e->map.n ? e->map.n : 1, sizeof(*entries));
	size_t n = 0;
	if (e->refer->kind != CEL_REFER_RECORD)
		return cel_fail(run, "unknown type: %.*s", BH_SLICE_FMT(e->map.name));
	if (!entries)
		return cel_out_of_memory();
	for (size_t i = 0; i < e->map.n; i++) {
		bool is_there = true;
		struct cel_value v = eval(run, e->map.pairs[i].value);
		if (cel_is_known(v) && e->map.pairs[i].optional)
			v = inside(run, v, &is_there);
		if (!cel_is_known(v))
			return v;
		if (is_there)
			entries[n++] = (struct cel_entry){ cel_string(e->map.pairs[i].field), v };
	}
	if (!cel_charge(run, COST_RECORD))
		return over_limit();
	if (e->refer->is_open)
		return cel_record_of(&run->arena, e->refer->name, entries, n);
	const struct cel_wellknown *known = cel_wellknown_find(e->refer->name);
	return known ? make_wellknown(run, known, entries, n) : cel_map_of(&run->arena, entries, n);
}

/* ---- folds ---- */

/* Lists that macros collect grow in place: appending to a copy each time would cost the square of their length. */
struct collector {
	const struct cel_expr *condition, *key, *value; /* without a key: a list's item, or a map whose entries are added */
	bool is_map;
	struct bh_arena *arena;
	struct cel_value *items;   /* of a list */
	struct cel_entry *entries; /* of a map */
	size_t n, cap;
};

static bool is_accu(const struct cel_expr *e, const struct cel_expr *fold)
{
	return e->kind == CEL_EXPR_IDENT && e->refer && e->refer->kind == CEL_REFER_LOCAL && e->refer->slot == fold->refer->slot;
}

static bool is_call_of(const struct cel_expr *e, const char *function, size_t n)
{
	return e->kind == CEL_EXPR_CALL && !e->call.target && e->call.n == n && bh_slice_eq_str(e->call.function, function);
}

static bool is_empty(const struct cel_expr *e, enum cel_expr_kind kind)
{
	return e->kind == kind && (kind == CEL_EXPR_LIST ? e->list.n : e->map.n) == 0;
}

static bool is_single(const struct cel_expr *e)
{
	return e->kind == CEL_EXPR_LIST && e->list.n == 1 && !e->list.optional;
}

/* @result + [item], or cel.@mapInsert(@result, ...), perhaps behind a condition: only macros write that, so nothing else reads @result. */
static bool collects(const struct cel_expr *fold, struct collector *c)
{
	const struct cel_expr *step = fold->fold.step;
	if (!bh_slice_eq_str(fold->fold.accu, CEL_ACCU) || fold->fold.condition->kind != CEL_EXPR_CONST)
		return false;
	if (is_call_of(step, CEL_OP_TERNARY, 3) && is_accu(step->call.args[2], fold)) {
		c->condition = step->call.args[0];
		step = step->call.args[1];
	}
	bool of_accu = step->kind == CEL_EXPR_CALL && step->call.n >= 2 && is_accu(step->call.args[0], fold);
	if (of_accu && is_call_of(step, CEL_OP_ADD, 2) && is_empty(fold->fold.init, CEL_EXPR_LIST) && is_single(step->call.args[1])) {
		c->value = step->call.args[1]->list.items[0];
		return true;
	}
	c->is_map = of_accu && bh_slice_eq_str(step->call.function, CEL_MAP_INSERT) && is_empty(fold->fold.init, CEL_EXPR_MAP);
	if (c->is_map) {
		c->key = step->call.n == 3 ? step->call.args[1] : NULL;
		c->value = step->call.args[step->call.n - 1];
	}
	return c->is_map;
}

/* Room for n more. */
static bool make_room(struct collector *c, size_t n)
{
	if (n <= c->cap - c->n)
		return true;
	size_t cap = c->cap * 2 > c->n + n ? c->cap * 2 : c->n + n + 8, size_bytes = c->is_map ? sizeof(*c->entries) : sizeof(*c->items);
	void *more = bh_arena_array(c->arena, cap, size_bytes), *before = c->is_map ? (void *)c->entries : (void *)c->items;
	if (!more)
		return false;
	if (c->n)
		memcpy(more, before, c->n * size_bytes);
	c->cap = cap;
	if (c->is_map)
		c->entries = more;
	else
		c->items = more;
	return true;
}

/* null, or what ends the fold. */
static struct cel_value collect_value(struct cel_run *run, struct collector *c)
{
	struct cel_value key = c->key ? eval(run, c->key) : cel_null();
	struct cel_value v = cel_is_known(key) ? eval(run, c->value) : key;
	if (!cel_is_known(v))
		return v;
	if (c->is_map && !c->key && v.kind != CEL_MAP)
		return cel_fail(run, "no such overload: entries of type %s", cel_kind_name(v));
	size_t n = c->is_map && !c->key ? v.map->len : 1;
	if (!make_room(c, n))
		return cel_out_of_memory();
	if (!c->is_map)
		c->items[c->n] = v;
	else if (c->key)
		c->entries[c->n] = (struct cel_entry){ key, v };
	else if (n)
		memcpy(c->entries + c->n, v.map->entries, n * sizeof(*c->entries));
	c->n += n;
	return cel_charge(run, c->is_map ? 2 : COST_LIST + 2) ? cel_null() : over_limit();
}

/* One element; an error or unknown ends the fold and is its value. */
static struct cel_value collect(struct cel_run *run, struct collector *c)
{
	struct cel_value condition = c->condition ? eval(run, c->condition) : cel_bool(true);
	if (!cel_is_known(condition))
		return condition;
	if (condition.kind != CEL_BOOL)
		return cel_fail(run, "no such overload: a condition of type %s", cel_kind_name(condition));
	if (condition.boolean)
		return collect_value(run, c);
	return cel_charge(run, 1) ? cel_null() : over_limit();
}

/* The iteration variables for element i. */
static void bind(struct cel_value *vars, const struct cel_expr *e, struct cel_value range, size_t i)
{
	bool two = e->fold.iter2.len > 0;
	if (range.kind == CEL_LIST) {
		vars[1] = two ? cel_int((int64_t)i) : range.list->items[i];
		vars[2] = range.list->items[i];
	} else {
		vars[1] = range.map->entries[i].key;
		vars[2] = range.map->entries[i].value;
	}
}

static struct cel_value fold_over(struct cel_run *run, const struct cel_expr *e, struct cel_value range)
{
	struct cel_value *vars = &run->locals[e->refer->slot];
	size_t n = range.kind == CEL_LIST ? range.list->len : range.map->len;
	struct collector c = { .arena = &run->arena };
	if (collects(e, &c)) {
		struct cel_value v = cel_null();
		for (size_t i = 0; i < n && cel_is_known(v); i++) {
			bind(vars, e, range, i);
			v = collect(run, &c);
		}
		if (!cel_is_known(v))
			return v;
		return c.is_map ? cel_map_of(&run->arena, c.entries, c.n) : cel_list_of(&run->arena, c.items, c.n);
	}
	for (size_t i = 0; i < n && !run->is_over; i++) {
		bind(vars, e, range, i);
		struct cel_value condition = eval(run, e->fold.condition);
		if (condition.kind == CEL_BOOL && !condition.boolean)
			break;
		vars[0] = eval(run, e->fold.step);
	}
	return run->is_over ? over_limit() : vars[0];
}

static struct cel_value eval_fold(struct cel_run *run, const struct cel_expr *e)
{
	struct cel_value range = eval(run, e->fold.range);
	if (!cel_is_known(range))
		return range;
	if (range.kind != CEL_LIST && range.kind != CEL_MAP)
		return cel_fail(run, "got '%s', expected an iterable type", cel_kind_name(range));
	run->locals[e->refer->slot] = eval(run, e->fold.init);
	struct cel_value accu = fold_over(run, e, range);
	run->locals[e->refer->slot] = accu;
	return eval(run, e->fold.result);
}

/* ---- the walk ---- */

static struct cel_value eval(struct cel_run *run, const struct cel_expr *e)
{
	if (run->is_over)
		return over_limit();
	switch (e->kind) {
	case CEL_EXPR_CONST: return e->constant;
	case CEL_EXPR_IDENT: return eval_name(run, e);
	case CEL_EXPR_SELECT: return eval_select(run, e);
	case CEL_EXPR_CALL: return eval_call(run, e);
	case CEL_EXPR_LIST: return e->refer ? eval_kept(run, e) : eval_list(run, e);
	case CEL_EXPR_MAP: return e->refer ? eval_kept(run, e) : eval_map(run, e);
	case CEL_EXPR_RECORD: return eval_record(run, e);
	case CEL_EXPR_FOLD: return eval_fold(run, e);
	}
	return cel_error("an expression of no kind");
}

#define NESTING_MAX 64u /* variables that are defined by variables */

struct cel_value cel_eval(struct cel_run *run, const struct cel_program *program)
{
	struct cel_value *outer = run->locals;
	bool is_outermost = run->nesting == 0;
	if (is_outermost) {
		run->n_reads = 0;
		run->cost = 0;
		run->is_over = false;
		for (unsigned i = 0; i < run->env->n_variables; i++)
			run->slots[i].is_asked = false;
	}
	if (run->nesting == NESTING_MAX)
		return cel_error("variables are defined by each other too deeply");
	run->locals = bh_arena_array(&run->arena, program->n_locals + 1, sizeof(*run->locals));
	run->nesting++;
	struct cel_value v = run->locals ? eval(run, program->tree) : cel_out_of_memory();
	run->nesting--;
	run->locals = outer;
	return run->is_over ? over_limit() : v;
}

/* ---- constants ---- */

/* The value of a node that is the same in every run; its cost is charged all the same. */
static bool constant(const struct cel_expr *e, struct cel_value *ret, unsigned *cost)
{
	if (e->kind == CEL_EXPR_CONST)
		*ret = e->constant;
	else if ((e->kind == CEL_EXPR_LIST || e->kind == CEL_EXPR_MAP) && e->refer)
		*ret = e->refer->value;
	else
		return false;
	*cost += e->refer ? e->refer->slot : 0;
	return true;
}

static void keep(struct bh_arena *arena, struct cel_expr *e, struct cel_value v, unsigned cost)
{
	struct cel_refer *r = cel_is_known(v) ? BH_ARENA_NEW(arena, struct cel_refer) : NULL;
	if (!r)
		return;
	*r = (struct cel_refer){ .kind = CEL_REFER_CONSTANT, .value = v, .slot = cost };
	e->refer = r;
}

static void keep_list(struct bh_arena *arena, struct cel_expr *e)
{
	struct cel_value *items = e->list.optional ? NULL : bh_arena_array(arena, e->list.n + 1, sizeof(*items));
	unsigned cost = COST_LIST;
	for (size_t i = 0; i < e->list.n; i++)
		if (!items || !constant(e->list.items[i], &items[i], &cost))
			return;
	if (items)
		keep(arena, e, cel_list_of(arena, items, e->list.n), cost);
}

static void keep_map(struct bh_arena *arena, struct cel_expr *e)
{
	struct cel_entry *entries = bh_arena_array(arena, e->map.n + 1, sizeof(*entries));
	unsigned cost = COST_MAP;
	for (size_t i = 0; i < e->map.n; i++) {
		const struct cel_pair *pair = &e->map.pairs[i];
		if (!entries || pair->optional || !constant(pair->key, &entries[i].key, &cost) || !constant(pair->value, &entries[i].value, &cost))
			return;
	}
	if (entries)
		keep(arena, e, cel_map_of(arena, entries, e->map.n), cost);
}

/* Literals of constants are made once: policies compare with lists in loops. */
static void keep_constants(struct bh_arena *arena, struct cel_expr *e)
{
	if (!e || e->is_kept)
		return;
	e->is_kept = true;
	switch (e->kind) {
	case CEL_EXPR_CONST:
	case CEL_EXPR_IDENT: break;
	case CEL_EXPR_SELECT: keep_constants(arena, e->select.operand); break;
	case CEL_EXPR_CALL:
		keep_constants(arena, e->call.target);
		for (size_t i = 0; i < e->call.n; i++)
			keep_constants(arena, e->call.args[i]);
		break;
	case CEL_EXPR_LIST:
		for (size_t i = 0; i < e->list.n; i++)
			keep_constants(arena, e->list.items[i]);
		keep_list(arena, e);
		break;
	case CEL_EXPR_MAP:
	case CEL_EXPR_RECORD:
		for (size_t i = 0; i < e->map.n; i++) {
			keep_constants(arena, e->map.pairs[i].key);
			keep_constants(arena, e->map.pairs[i].value);
		}
		if (e->kind == CEL_EXPR_MAP)
			keep_map(arena, e);
		break;
	case CEL_EXPR_FOLD:
		keep_constants(arena, e->fold.range);
		keep_constants(arena, e->fold.init);
		keep_constants(arena, e->fold.condition);
		keep_constants(arena, e->fold.step);
		keep_constants(arena, e->fold.result);
		break;
	}
}

/* ---- programs and runs ---- */

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for a CEL program");
}

static struct cel_issues *compile(const struct cel_env *env, struct cel_program *p, enum cel_checking checking)
{
	struct cel_issues *issues = BH_ARENA_NEW(&p->arena, struct cel_issues);
	if (!issues)
		return NULL;
	*issues = (struct cel_issues){ .arena = &p->arena, .source = p->text };
	struct cel_maker m = { .arena = &p->arena, .issues = issues };
	p->tree = cel_parse(&m, p->text, env->libraries);
	if (p->tree && !cel_check(env, &p->arena, p->tree, checking, issues, &p->n_locals))
		p->tree = NULL;
	keep_constants(&p->arena, p->tree);
	return issues;
}

int cel_compile(const struct cel_env *env, struct bh_slice text, enum cel_checking checking, struct cel_program **ret, struct bh_buf *issues, struct bh_err *err)
{
	struct cel_program *p = calloc(1, sizeof(*p));
	if (!p)
		return no_memory(err);
	bh_arena_init(&p->arena, PROGRAM_BYTES_MAX);
	struct cel_issues *found = bh_arena_copy(&p->arena, text, &p->text) ? compile(env, p, checking) : NULL;
	if (found && p->tree) {
		*ret = p;
		return 0;
	}
	int rc = found ? bh_fail(err, BH_EMALFORMED, found->n ? found->list[0].offset_bytes : 0, "the expression is wrong") : no_memory(err);
	if (found && issues)
		cel_issues_print(found, "<input>", issues);
	cel_program_free(p);
	return rc;
}

void cel_program_free(struct cel_program *program)
{
	if (program)
		bh_arena_done(&program->arena);
	free(program);
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
	return program->tree->type;
}

const struct cel_expr *cel_program_tree(const struct cel_program *program)
{
	return program->tree;
}

int cel_run_new(const struct cel_env *env, const struct cel_limits *limits, struct cel_run **ret, struct bh_err *err)
{
	struct cel_run *run = calloc(1, sizeof(*run));
	struct slot *slots = calloc(env->n_variables + 1, sizeof(*slots));
	if (!run || !slots) {
		free(run);
		free(slots);
		return no_memory(err);
	}
	run->env = env;
	run->limits = *limits;
	run->slots = slots;
	bh_arena_init(&run->arena, limits->memory_bytes);
	*ret = run;
	return 0;
}

void cel_run_free(struct cel_run *run)
{
	if (!run)
		return;
	bh_arena_done(&run->arena);
	cel_patterns_free(run->patterns);
	free(run->slots);
	free(run);
}

void cel_run_set(struct cel_run *run, unsigned slot, struct cel_value value)
{
	run->slots[slot] = (struct slot){ .value = value, .is_set = true };
}

void cel_run_resolver(struct cel_run *run, struct cel_value (*resolve)(void *ctx, struct cel_run *run, unsigned slot), void *ctx)
{
	run->resolve = resolve;
	run->resolve_ctx = ctx;
}

size_t cel_run_last_reads(const struct cel_run *run, struct cel_read reads[CEL_READS_MAX])
{
	size_t n = run->n_reads < CEL_READS_MAX ? run->n_reads : CEL_READS_MAX;
	for (size_t i = 0; i < n; i++)
		reads[i] = run->reads[(run->n_reads - 1 - i) % CEL_READS_MAX];
	return n;
}

uint64_t cel_run_cost(const struct cel_run *run)
{
	return run->cost;
}

void cel_run_reset(struct cel_run *run)
{
	bh_arena_clear(&run->arena);
}
