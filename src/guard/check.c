/*
 * check.c: is a condition about fields, events and values that there are (see ruleset.h)? Which events it can be true for is derived from its tree: "and" is the intersection, "or" the
 * union, "not" is pushed to the leaves; a check of anything but the event's type is true for all of them.
 */
#include "base/cleanup.h"
#include "format/regex.h"
#include "format/yaml.h"
#include "guard/match.h"
#include "guard/ruleset.h"
#include "sys/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKS_MAX 1000000u      /* of a rule, macros in place */
#define REGEX_BYTES_MAX (8u << 20)
#define NUMBER_TEXT_MAX 64u
#define MESSAGE_BYTES 400u
#define HEX_DIGITS_MAX 512u

/* What is wrong with a check. unknown: it names something that is not there, which skip-if-unknown-filter forgives. */
struct finding {
	bool is_unknown;
	size_t at;
	char text[MESSAGE_BYTES];
};

BH_PRINTF(4, 5) static bool wrong(struct finding *f, size_t at, bool is_unknown, const char *fmt, ...)
{
	va_list list;
	va_start(list, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, list);
	va_end(list);
	f->is_unknown = is_unknown;
	f->at = at;
	return false;
}

/* ---- values ---- */

static bool copy_text(struct bh_slice s, char *out, size_t size)
{
	if (s.len >= size)
		return false;
	if (s.len)
		memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	return s.len != 0 && !memchr(out, '\0', s.len);
}

static bool is_number(struct bh_slice s)
{
	char text[NUMBER_TEXT_MAX], *end;
	if (!copy_text(s, text, sizeof(text)))
		return false;
	(void)strtod(text, &end);
	return *end == '\0' && text[0] != ' ' && strchr("+-0123456789", text[0]);
}

/* A number, or the name of a service. */
static bool is_port(struct bh_slice s)
{
	uint64_t number;
	bool name = s.len && !(s.ptr[0] >= '0' && s.ptr[0] <= '9');
	for (size_t i = 0; name && i < s.len; i++)
		name = bh_lower(s.ptr[i]) != s.ptr[i] || (s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-' || s.ptr[i] == '_';
	return name || bh_slice_u64(s, 65535, &number);
}

static bool is_bool(struct bh_slice s)
{
	return bh_slice_eq_str(s, "true") || bh_slice_eq_str(s, "false");
}

static bool is_of_type(enum guard_type type, struct bh_slice value)
{
	switch (type) {
	case GUARD_NUMBER: return is_number(value);
	case GUARD_BOOL: return is_bool(value);
	case GUARD_ADDRESS: return guard_is_address(value);
	case GUARD_NETWORK: return guard_is_network(value);
	case GUARD_PORT: return is_port(value);
	case GUARD_STRING:
	case GUARD_BYTES:
	case GUARD_ANY: break;
	}
	return true;
}

static bool is_hex_text(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (bh_hex_digit(s.ptr[i]) < 0)
			return false;
	return s.len && s.len % 2 == 0 && s.len <= HEX_DIGITS_MAX;
}

/* A whole match is meant. */
static bool compile_regex(struct guard_ruleset *r, struct guard_operand *v, struct finding *f)
{
	struct bh_err why = { 0 };
	const char *whole = bh_arena_printf(&r->arena, "\\A(?:%.*s)\\z", BH_SLICE_FMT(v->name));
	int rc = whole ? bh_regex_compile(bh_slice_str(whole), BH_REGEX_BYTES, REGEX_BYTES_MAX, &v->regex, &why) : BH_ENOMEM;
	if (rc < 0)
		return wrong(f, v->at, false, "the regular expression can't be used: %s", why.text);
	if (guard_regex_vec_push(&r->regexes, v->regex))
		return true;
	bh_regex_free(BH_TAKE(v->regex));
	return wrong(f, v->at, false, "too many regular expressions");
}

static bool check_value(struct guard_ruleset *r, const struct guard_node *n, enum guard_type type, struct guard_operand *v, struct finding *f)
{
	if (!is_of_type(type, v->name))
		return wrong(f, v->at, false, "'%.*s' is no %s, as %.*s is", BH_SLICE_FMT(bh_slice_sub(v->name, 0, 60)), guard_type_name(type), BH_SLICE_FMT(n->left.name));
	if ((n->op == GUARD_OP_BCONTAINS || n->op == GUARD_OP_BSTARTSWITH) && !is_hex_text(v->name))
		return wrong(f, v->at, false, "%s wants bytes as pairs of hex digits, not '%.*s'", guard_op_word(n->op), BH_SLICE_FMT(bh_slice_sub(v->name, 0, 60)));
	return n->op != GUARD_OP_REGEX || v->regex || compile_regex(r, v, f);
}

/* ---- fields ---- */

static bool unknown_field(const struct guard_operand *o, struct finding *f)
{
	const struct guard_field *near = guard_field_near(o->name);
	return wrong(f, o->at, true, near ? "there is no field '%.*s'; is '%s' meant?" : "there is no field '%.*s'", BH_SLICE_FMT(bh_slice_sub(o->name, 0, 80)), near ? near->name : "");
}

/* Ancestors and descriptors have numbers. */
static bool wants_number(const struct guard_field *field)
{
	return (guard_field_is_of_ancestors(field) && strcmp(field->name, "proc.aenv") != 0) || strcmp(field->name, "fd.types") == 0 || strcmp(field->name, "evt.around") == 0;
}

static bool check_argument(const struct guard_operand *o, struct finding *f)
{
	uint64_t number;
	switch (o->field->argument) {
	case GUARD_ARG_NONE:
		if (o->has_argument)
			return wrong(f, o->at, false, "%s has no argument", o->field->name);
		break;
	case GUARD_ARG_REQUIRED:
		if (!o->has_argument)
			return wrong(f, o->at, false, "%s wants an argument: %s[...]", o->field->name, o->field->name);
		break;
	case GUARD_ARG_DOTTED:
		if (o->has_argument == (o->dotted.len != 0))
			return wrong(f, o->at, false, "%s wants one argument: %s.NAME or %s[NUMBER]", o->field->name, o->field->name, o->field->name);
		break;
	case GUARD_ARG_OPTIONAL: break;
	}
	if (o->has_argument && wants_number(o->field) && !bh_slice_u64(o->argument, UINT64_MAX, &number))
		return wrong(f, o->at, false, "the argument of %s is a number, not '%.*s'", o->field->name, BH_SLICE_FMT(bh_slice_sub(o->argument, 0, 60)));
	return true;
}

static bool check_operand(struct guard_operand *o, bool in_output, struct finding *f);

static bool check_transformer(struct guard_operand *o, bool in_output, struct finding *f)
{
	static const struct {
		const char *name;
		size_t min, max;
	} arity[] = { { "tolower", 1, 1 }, { "toupper", 1, 1 }, { "b64", 1, 1 }, { "basename", 1, 1 }, { "len", 1, 1 }, { "join", 2, 2 }, { "concat", 2, SIZE_MAX }, { "getopt", 2, 3 } };
	for (size_t i = 0; i < sizeof(arity) / sizeof(arity[0]); i++)
		if (bh_slice_eq_str(o->name, arity[i].name) && (o->n < arity[i].min || o->n > arity[i].max))
			return wrong(f, o->at, false, "%s has %zu arguments, not %zu", arity[i].name, arity[i].min, o->n);
	for (size_t i = 0; i < o->n; i++)
		if (!check_operand(&o->parts[i], in_output, f))
			return false;
	return true;
}

static bool check_operand(struct guard_operand *o, bool in_output, struct finding *f)
{
	switch (o->kind) {
	case GUARD_LITERAL: return true;
	case GUARD_TRANSFORM:
	case GUARD_TUPLE: return check_transformer(o, in_output, f);
	case GUARD_FIELD: break;
	}
	o->field = guard_field_find(o->name, &o->dotted);
	if (!o->field)
		return unknown_field(o, f);
	if (o->field->use == (in_output ? GUARD_USE_FILTER : GUARD_USE_OUTPUT))
		return wrong(f, o->at, false, "%s can stand in %s only", o->field->name, in_output ? "conditions" : "outputs");
	return check_argument(o, f);
}

/* ---- operators ---- */

static bool is_text_op(enum guard_op op)
{
	return op >= GUARD_OP_GLOB && op <= GUARD_OP_REGEX;
}

static bool suits(enum guard_op op, enum guard_type type)
{
	bool bytes = op == GUARD_OP_BCONTAINS || op == GUARD_OP_BSTARTSWITH;
	if (op == GUARD_OP_EXISTS || type == GUARD_ANY)
		return true;
	if (bytes)
		return type == GUARD_BYTES;
	if (type == GUARD_BYTES)
		return op == GUARD_OP_CONTAINS || op == GUARD_OP_ICONTAINS || op == GUARD_OP_STARTSWITH || op == GUARD_OP_ENDSWITH || op == GUARD_OP_EQ || op == GUARD_OP_EQ2 || op == GUARD_OP_NE;
	if (type == GUARD_STRING)
		return true;
	if (is_text_op(op) || op == GUARD_OP_PMATCH)
		return false;
	return op > GUARD_OP_GT || type == GUARD_NUMBER || type == GUARD_PORT || op < GUARD_OP_LE;
}

/* ---- events ---- */

static bool is_type_field(const struct guard_node *n)
{
	return n->left.kind == GUARD_FIELD && (strcmp(n->left.field->name, "evt.type") == 0 || strcmp(n->left.field->name, "syscall.type") == 0);
}

static bool is_event(struct bh_slice name)
{
	static const char *const others[] = {
#define EVENT(name) name,
#include "guard/events.def"
#undef EVENT
		NULL,
	};
	char text[NUMBER_TEXT_MAX];
	return bh_slice_is_one_of(name, others) || (copy_text(name, text, sizeof(text)) && bh_syscall_exists(text));
}

/* The number of an event's name; GUARD_TYPES_MAX: there are too many. */
static size_t type_number(struct guard_ruleset *r, struct bh_slice name)
{
	const void *old = bh_map_get(&r->type_numbers, name);
	if (old)
		return (size_t)((const struct bh_slice *)old - r->types);
	struct bh_slice own;
	void **slot = r->n_types < GUARD_TYPES_MAX && bh_arena_copy(&r->arena, name, &own) ? bh_map_put(&r->type_numbers, own) : NULL;
	if (!slot)
		return GUARD_TYPES_MAX;
	r->types[r->n_types] = own;
	*slot = &r->types[r->n_types];
	return r->n_types++;
}

static struct guard_types all_types(bool yes)
{
	struct guard_types t;
	memset(t.bits, yes ? 0xff : 0, sizeof(t.bits));
	t.rest = yes;
	return t;
}

static void complement(struct guard_types *t)
{
	for (size_t i = 0; i < GUARD_TYPES_MAX / 64; i++)
		t->bits[i] = ~t->bits[i];
	t->rest = !t->rest;
}

static void combine(struct guard_types *t, const struct guard_types *other, bool is_and)
{
	for (size_t i = 0; i < GUARD_TYPES_MAX / 64; i++)
		t->bits[i] = is_and ? t->bits[i] & other->bits[i] : t->bits[i] | other->bits[i];
	t->rest = is_and ? t->rest && other->rest : t->rest || other->rest;
}

static bool named_types(struct guard_ruleset *r, const struct guard_node *n, struct guard_types *ret, struct finding *f)
{
	*ret = all_types(false);
	for (size_t i = 0; i < n->n_values; i++) {
		const struct guard_operand *v = &n->values[i];
		if (v->kind != GUARD_LITERAL) {
			*ret = all_types(true);
			return true;
		}
		if (!is_event(v->name))
			return wrong(f, v->at, true, "there is no event '%.*s'", BH_SLICE_FMT(bh_slice_sub(v->name, 0, 60)));
		size_t number = type_number(r, v->name);
		if (number == GUARD_TYPES_MAX)
			return wrong(f, v->at, false, "more than %u events are named", GUARD_TYPES_MAX);
		ret->bits[number / 64] |= 1ull << number % 64;
	}
	return true;
}

/* evt.num=0 is never true, as numbers begin at 1. */
static bool is_never(const struct guard_node *n)
{
	return n->left.kind == GUARD_FIELD && strcmp(n->left.field->name, "evt.num") == 0 && (n->op == GUARD_OP_EQ || n->op == GUARD_OP_EQ2) && n->n_values == 1 &&
	       bh_slice_eq_str(n->values[0].name, "0");
}

/* Of a check and of its negation. */
static bool types_of_check(struct guard_ruleset *r, const struct guard_node *n, struct guard_types ret[2], struct finding *f)
{
	bool is = n->op == GUARD_OP_EQ || n->op == GUARD_OP_EQ2 || n->op == GUARD_OP_IN || n->op == GUARD_OP_INTERSECTS, is_not = n->op == GUARD_OP_NE;
	ret[0] = ret[1] = all_types(true);
	if (is_never(n))
		ret[0] = all_types(false);
	if (!is_type_field(n) || (!is && !is_not))
		return true;
	if (!named_types(r, n, &ret[0], f))
		return false;
	ret[1] = ret[0];
	complement(&ret[is_not ? 0 : 1]);
	return true;
}

/* ---- trees ---- */

static bool check_check(struct guard_ruleset *r, struct guard_node *n, struct finding *f)
{
	if (!check_operand(&n->left, false, f))
		return false;
	enum guard_type type = guard_operand_type(&n->left);
	if (!suits(n->op, type))
		return wrong(f, n->left.at, false, "%s can't be used with %.*s, a %s", guard_op_word(n->op), BH_SLICE_FMT(n->left.name), guard_type_name(type));
	for (size_t i = 0; i < n->n_values; i++)
		if (!(n->values[i].kind == GUARD_LITERAL ? check_value(r, n, type, &n->values[i], f) : check_operand(&n->values[i], false, f)))
			return false;
	return true;
}

struct walk {
	struct guard_ruleset *r;
	struct finding found;
	const struct guard_text *source; /* of what was found */
	const struct guard_condition *inside; /* the macro that is known to be wrong already */
	size_t n_checks;
	unsigned depth; /* of macros in macros */
};

static bool walk(struct walk *w, struct guard_node *n, struct guard_types ret[2]);

static bool walk_macro(struct walk *w, const struct guard_node *n, struct guard_types ret[2])
{
	const struct guard_macro *m = bh_map_get(&w->r->macros, n->name);
	w->n_checks += m->condition.n_checks;
	w->depth = m->condition.depth + 1 > w->depth ? m->condition.depth + 1 : w->depth;
	memcpy(ret, m->condition.types, sizeof(m->condition.types));
	if (m->condition.state == GUARD_GOOD)
		return true;
	w->inside = &m->condition;
	return false;
}

static bool walk(struct walk *w, struct guard_node *n, struct guard_types ret[2])
{
	struct guard_types one[2];
	bool is_and = n->kind == GUARD_AND;
	switch (n->kind) {
	case GUARD_CHECK:
		w->n_checks++;
		if (check_check(w->r, n, &w->found) && types_of_check(w->r, n, ret, &w->found))
			return true;
		w->source = n->source;
		return false;
	case GUARD_MACRO: return walk_macro(w, n, ret);
	case GUARD_NOT:
		if (!walk(w, n->parts[0], one))
			return false;
		ret[0] = one[1];
		ret[1] = one[0];
		return true;
	case GUARD_AND:
	case GUARD_OR: break;
	}
	ret[0] = all_types(is_and);
	ret[1] = all_types(!is_and);
	for (size_t i = 0; i < n->n; i++) {
		if (!walk(w, n->parts[i], one))
			return false;
		combine(&ret[0], &one[0], is_and);
		combine(&ret[1], &one[1], !is_and);
	}
	return true;
}

void guard_check_condition(struct guard_ruleset *r, struct guard_condition *c)
{
	struct walk w = { .r = r };
	bool ok = walk(&w, c->tree, c->types);
	c->n_checks = w.n_checks;
	c->depth = w.depth;
	if (ok && (c->n_checks > CHECKS_MAX || c->depth > GUARD_MACRO_DEPTH_MAX)) {
		w.source = &c->text;
		ok = wrong(&w.found, 0, false, "more than %u checks once its macros are in place, or macros more than %u deep in each other", CHECKS_MAX, GUARD_MACRO_DEPTH_MAX);
	}
	c->state = ok ? GUARD_GOOD : w.inside ? w.inside->state : w.found.is_unknown ? GUARD_UNKNOWN : GUARD_BAD;
	if (!ok)
		c->why = w.inside ? w.inside->why : guard_problem_at(r, w.source, w.found.at, false, w.found.text);
}

/* ---- outputs ---- */

static size_t read_output_field(struct bh_slice text, struct bh_arena *arena, struct guard_operand *ret, struct finding *f)
{
	struct bh_err why = { 0 };
	size_t used = 0;
	if (guard_parse_operand(bh_slice_sub(text, 1, text.len), arena, ret, &used, &why) < 0) {
		(void)wrong(f, 0, false, "a '%%' in an output stands in front of a field: %s", why.text);
		return 0;
	}
	return check_operand(ret, true, f) ? used + 1 : 0;
}

size_t guard_output_field(struct bh_slice text, struct bh_arena *arena, struct guard_operand *ret)
{
	struct finding ignored;
	return read_output_field(text, arena, ret, &ignored);
}

bool guard_check_output(struct guard_ruleset *r, const struct guard_rule *rule)
{
	struct guard_operand o;
	struct finding f = { 0 };
	for (struct bh_slice rest = rule->output; rest.len;) {
		rest = bh_slice_sub(rest, bh_slice_find(rest, '%'), rest.len);
		size_t used = rest.len ? read_output_field(rest, &r->arena, &o, &f) : 0;
		if (rest.len && used == 0)
			return guard_tell(r, rule->output_at, false, "output: %s", f.text) && false;
		rest = bh_slice_sub(rest, used, rest.len);
	}
	return true;
}
