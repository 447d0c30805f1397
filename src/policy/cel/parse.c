/*
 * parse.c: recursive descent over the tokens, one function per level of the grammar. Chains of && and || become balanced trees, as cel-go makes
 * them, so that a thousand terms are ten levels; other chains may be as long as trees may be deep.
 */
#include "policy/cel/parse.h"

#include <stdio.h>

#include "base/vec.h"
#include "policy/cel/lex.h"
#include "policy/cel/macros.h"

#define ITEMS_MAX 100000u

BH_VEC(expr_vec, struct cel_expr *)
BH_VEC(pair_vec, struct cel_pair)
BH_VEC(flag_vec, bool)
BH_VEC(offset_vec, size_t)
BH_VEC(byte_vec, uint8_t)

struct parser {
	struct cel_maker *m;
	const struct cel_token *tokens;
	size_t at;
	unsigned nesting;
	const struct cel_library *const *libraries;
};

static struct cel_expr *parse_expr(struct parser *p);

static const struct cel_token *token(const struct parser *p)
{
	return &p->tokens[p->at];
}

static bool is_sign(const struct cel_token *t, const char *sign)
{
	return t->kind == CEL_TOKEN_SIGN && bh_slice_eq_str(t->text, sign);
}

static bool take(struct parser *p, const char *sign)
{
	if (!is_sign(token(p), sign))
		return false;
	p->at++;
	return true;
}

static struct cel_expr *fail(struct parser *p, const char *why)
{
	const struct cel_token *t = token(p);
	if (p->m->failed)
		return NULL;
	p->m->failed = true;
	if (t->kind == CEL_TOKEN_END)
		cel_issue_add(p->m->issues, t->offset_bytes, "Syntax error: the expression ends too early: %s", why);
	else
		cel_issue_add(p->m->issues, t->offset_bytes, "Syntax error: unexpected '%.*s': %s", BH_SLICE_FMT(t->text), why);
	return NULL;
}

static bool expect(struct parser *p, const char *sign)
{
	char why[32];
	if (take(p, sign))
		return true;
	snprintf(why, sizeof(why), "expected '%s'", sign);
	return fail(p, why) != NULL;
}

static struct cel_expr *out_of_memory(struct parser *p)
{
	return cel_macro_fail(p->m, token(p)->offset_bytes, "the expression uses up its memory");
}

/* ---- names, calls, macros ---- */

static bool is_reserved(struct bh_slice name)
{
	static const char *const words[] = { "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
					     "namespace", "return", "var", "void", "while", NULL };
	return bh_slice_is_one_of(name, words);
}

static const struct cel_macro *find_macro(const struct parser *p, struct bh_slice function, bool has_target, size_t n)
{
	for (size_t i = 0; p->libraries[i]; i++)
		for (const struct cel_macro *macro = p->libraries[i]->macros; macro && macro->function; macro++)
			if (bh_slice_eq_str(function, macro->function) && macro->has_target == has_target
			    && (macro->n_args == n || macro->n_args == CEL_MACRO_ANY_ARGS))
				return macro;
	return NULL;
}

static struct cel_expr *make_call(struct parser *p, size_t at, struct bh_slice function, struct cel_expr *target, const struct expr_vec *args)
{
	const struct cel_macro *macro = find_macro(p, function, target != NULL, args->len);
	if (macro) {
		struct cel_expr *e = macro->expand(p->m, &(struct cel_macro_call){ at, target, args->ptr, args->len });
		if (e || p->m->failed)
			return e;
	}
	return cel_make_named_call(p->m, at, function, target, args->ptr, args->len);
}

/* Behind the opening parenthesis, to behind the closing one. */
static bool parse_args(struct parser *p, struct expr_vec *args)
{
	if (take(p, ")"))
		return true;
	do {
		struct cel_expr *e = parse_expr(p);
		if (!e)
			return false;
		if (!expr_vec_push(args, e))
			return out_of_memory(p) != NULL;
	} while (take(p, ","));
	return expect(p, ")");
}

static struct cel_expr *parse_call(struct parser *p, size_t at, struct bh_slice function, struct cel_expr *target)
{
	struct expr_vec args = { .max = ITEMS_MAX };
	struct cel_expr *e = parse_args(p, &args) ? make_call(p, at, function, target, &args) : NULL;
	expr_vec_done(&args);
	return e;
}

/* ---- literals ---- */

struct items {
	struct expr_vec exprs;
	struct flag_vec optional;
};

static bool parse_items(struct parser *p, struct items *items)
{
	while (!is_sign(token(p), "]") && !is_sign(token(p), ",")) {
		bool optional = take(p, "?");
		struct cel_expr *e = parse_expr(p);
		if (!e)
			return false;
		if (!expr_vec_push(&items->exprs, e) || !flag_vec_push(&items->optional, optional))
			return out_of_memory(p) != NULL;
		if (!take(p, ","))
			return expect(p, "]");
		if (take(p, "]"))
			return true;
	}
	(void)take(p, ",");
	return expect(p, "]");
}

static struct cel_expr *parse_list(struct parser *p, size_t at)
{
	struct items items = { { .max = ITEMS_MAX }, { .max = ITEMS_MAX } };
	struct cel_expr *e = NULL;
	if (parse_items(p, &items))
		e = cel_make_list(p->m, at, items.exprs.ptr, items.optional.ptr, items.exprs.len);
	expr_vec_done(&items.exprs);
	flag_vec_done(&items.optional);
	return e;
}

/* One "key: value" of a map, or "field: value" of a record. */
static bool parse_pair(struct parser *p, bool is_record, struct cel_pair *pair)
{
	pair->optional = take(p, "?");
	if (is_record) {
		const struct cel_token *t = token(p);
		if (t->kind != CEL_TOKEN_IDENT && t->kind != CEL_TOKEN_QUOTED)
			return fail(p, "expected the name of a field") != NULL;
		pair->field = t->text;
		p->at++;
	} else if (!(pair->key = parse_expr(p))) {
		return false;
	}
	pair->offset_bytes = token(p)->offset_bytes;
	return expect(p, ":") && (pair->value = parse_expr(p)) != NULL;
}

static bool parse_pairs(struct parser *p, bool is_record, struct pair_vec *pairs)
{
	while (!is_sign(token(p), "}") && !is_sign(token(p), ",")) {
		struct cel_pair pair = { 0 };
		if (!parse_pair(p, is_record, &pair))
			return false;
		if (!pair_vec_push(pairs, pair))
			return out_of_memory(p) != NULL;
		if (!take(p, ","))
			return expect(p, "}");
		if (take(p, "}"))
			return true;
	}
	(void)take(p, ",");
	return expect(p, "}");
}

static struct cel_expr *parse_map(struct parser *p, size_t at, const struct bh_slice *record)
{
	struct pair_vec pairs = { .max = ITEMS_MAX };
	struct cel_expr *e = NULL;
	if (parse_pairs(p, record != NULL, &pairs))
		e = record ? cel_make_record(p->m, at, *record, pairs.ptr, pairs.len) : cel_make_map(p->m, at, pairs.ptr, pairs.len);
	pair_vec_done(&pairs);
	return e;
}

/* Do the tokens from here on read a.b.C { ? Then *length of them are the name. */
static bool is_record_name(const struct parser *p, size_t *length)
{
	const struct cel_token *t = token(p);
	size_t n = is_sign(t, ".") ? 1 : 0;
	if (t[n].kind != CEL_TOKEN_IDENT)
		return false;
	n++;
	while (is_sign(&t[n], ".") && t[n + 1].kind == CEL_TOKEN_IDENT)
		n += 2;
	*length = n;
	return is_sign(&t[n], "{");
}

/* The name as one slice without blanks. */
static struct cel_expr *parse_record(struct parser *p, size_t length)
{
	struct byte_vec name = { .max = CEL_TEXT_CHARACTERS_MAX };
	struct bh_slice copy;
	bool ok = true;
	for (size_t i = 0; i < length; i++)
		for (size_t k = 0; k < p->tokens[p->at + i].text.len && ok; k++)
			ok = byte_vec_push(&name, p->tokens[p->at + i].text.ptr[k]);
	ok = ok && bh_arena_copy(p->m->arena, (struct bh_slice){ name.ptr, name.len }, &copy);
	byte_vec_done(&name);
	if (!ok)
		return out_of_memory(p);
	p->at += length + 1;
	return parse_map(p, p->tokens[p->at - 1].offset_bytes, &copy);
}

/* ---- primary and member ---- */

static struct cel_expr *parse_name(struct parser *p, bool rooted)
{
	const struct cel_token *t = token(p);
	size_t at = t->offset_bytes;
	struct bh_slice name = t->text;
	if (t->kind != CEL_TOKEN_IDENT)
		return fail(p, "expected an expression");
	if (is_reserved(name)) {
		p->m->failed = true;
		cel_issue_add(p->m->issues, at, "reserved identifier: %.*s", BH_SLICE_FMT(name));
		return NULL;
	}
	if (rooted) {
		char *dotted = bh_arena_printf(p->m->arena, ".%.*s", BH_SLICE_FMT(name));
		if (!dotted)
			return out_of_memory(p);
		name = bh_slice_str(dotted);
	}
	p->at++;
	if (is_sign(token(p), "(")) {
		at = token(p)->offset_bytes;
		p->at++;
		return parse_call(p, at, name, NULL);
	}
	return cel_make_ident(p->m, at, name);
}

static struct cel_expr *parse_const(struct parser *p)
{
	const struct cel_token *t = token(p);
	if (t->too_large)
		return cel_macro_fail(p->m, t->offset_bytes, "invalid int literal");
	p->at++;
	return cel_make_const(p->m, t->offset_bytes, t->value);
}

static struct cel_expr *parse_primary(struct parser *p)
{
	size_t length, at = token(p)->offset_bytes;
	if (token(p)->kind == CEL_TOKEN_CONST)
		return parse_const(p);
	if (is_record_name(p, &length))
		return parse_record(p, length);
	if (take(p, "(")) {
		struct cel_expr *e = parse_expr(p);
		return e && expect(p, ")") ? e : NULL;
	}
	if (take(p, "["))
		return parse_list(p, at);
	if (take(p, "{"))
		return parse_map(p, at, NULL);
	return parse_name(p, take(p, "."));
}

static struct cel_expr *optional_call(struct parser *p, size_t at, const char *function, struct cel_expr *operand, struct cel_expr *with)
{
	struct cel_expr *args[] = { operand, with };
	return cel_make_call(p->m, at, function, args, 2);
}

/* Behind the dot. */
static struct cel_expr *parse_select(struct parser *p, size_t at, struct cel_expr *operand)
{
	bool optional = take(p, "?");
	const struct cel_token *t = token(p);
	if (t->kind != CEL_TOKEN_IDENT && t->kind != CEL_TOKEN_QUOTED)
		return fail(p, "expected the name of a field");
	p->at++;
	if (t->kind == CEL_TOKEN_IDENT && !optional && is_sign(token(p), "(")) {
		at = token(p)->offset_bytes;
		p->at++;
		return parse_call(p, at, t->text, operand);
	}
	if (optional)
		return optional_call(p, at, CEL_OP_OPT_SELECT, operand, cel_make_const(p->m, t->offset_bytes, cel_string(t->text)));
	return cel_make_select(p->m, at, operand, t->text, false);
}

/* Behind the bracket. */
static struct cel_expr *parse_index(struct parser *p, size_t at, struct cel_expr *operand)
{
	bool optional = take(p, "?");
	struct cel_expr *index = parse_expr(p);
	if (!index || !expect(p, "]"))
		return NULL;
	return optional_call(p, at, optional ? CEL_OP_OPT_INDEX : CEL_OP_INDEX, operand, index);
}

static struct cel_expr *parse_members(struct parser *p, struct cel_expr *e)
{
	while (e) {
		size_t at = token(p)->offset_bytes;
		if (take(p, "."))
			e = parse_select(p, at, e);
		else if (take(p, "["))
			e = parse_index(p, at, e);
		else
			return e;
	}
	return NULL;
}

static struct cel_expr *parse_member(struct parser *p)
{
	return parse_members(p, parse_primary(p));
}

/* ---- operators ---- */

/* "-5" is a number, not the negation of one: the smallest integer has no positive sister. */
static struct cel_expr *parse_negative(struct parser *p)
{
	size_t at = token(p)->offset_bytes;
	struct cel_value v = p->tokens[p->at + 1].value;
	if (v.kind == CEL_INT)
		v.natural = 0 - v.natural;
	else
		v.real = -v.real;
	p->at += 2;
	return parse_members(p, cel_make_const(p->m, at, v));
}

static bool is_number(const struct cel_token *t)
{
	return t->kind == CEL_TOKEN_CONST && (t->value.kind == CEL_INT || t->value.kind == CEL_DOUBLE);
}

static struct cel_expr *parse_unary(struct parser *p)
{
	const struct cel_token *first = token(p);
	const char *sign = is_sign(first, "!") ? "!" : "-";
	size_t n = 0;
	if (is_sign(first, "-") && is_number(&first[1]))
		return parse_negative(p);
	while (take(p, sign))
		n++;
	struct cel_expr *e = parse_member(p);
	if (!e || n % 2 == 0)
		return e;
	return cel_make_call(p->m, first->offset_bytes, sign[0] == '!' ? CEL_OP_NOT : CEL_OP_NEGATE, &e, 1);
}

struct level {
	const char *sign, *function;
};

static const struct level products[] = { { "*", "_*_" }, { "/", "_/_" }, { "%", "_%_" }, { 0 } };
static const struct level sums[] = { { "+", CEL_OP_ADD }, { "-", "_-_" }, { 0 } };
static const struct level relations[] = { { "<=", "_<=_" }, { "<", "_<_" }, { ">=", "_>=_" }, { ">", "_>_" }, { "==", CEL_OP_EQUALS }, { "!=", "_!=_" },
					     { 0 } };

static const char *take_operator(struct parser *p, const struct level *operators)
{
	if (operators == relations && token(p)->kind == CEL_TOKEN_IN) {
		p->at++;
		return CEL_OP_IN;
	}
	for (; operators->sign; operators++)
		if (take(p, operators->sign))
			return operators->function;
	return NULL;
}

/* A chain of operators of one level, from the left. */
static struct cel_expr *parse_chain(struct parser *p, const struct level *operators)
{
	struct cel_expr *e = operators == products ? parse_unary(p) : parse_chain(p, operators == sums ? products : sums);
	while (e) {
		size_t at = token(p)->offset_bytes;
		const char *function = take_operator(p, operators);
		if (!function)
			return e;
		struct cel_expr *right = operators == products ? parse_unary(p) : parse_chain(p, operators == sums ? products : sums);
		struct cel_expr *args[] = { e, right };
		e = right ? cel_make_call(p->m, at, function, args, 2) : NULL;
	}
	return NULL;
}

struct chain {
	const char *function;
	struct expr_vec terms;
	struct offset_vec signs;
};

/* The tree of the operators first to last; as deep as their number has bits. */
static struct cel_expr *balance(struct parser *p, const struct chain *c, size_t first, size_t last)
{
	size_t middle = (first + last + 1) / 2;
	struct cel_expr *args[] = {
		middle == first ? c->terms.ptr[middle] : balance(p, c, first, middle - 1),
		middle == last ? c->terms.ptr[middle + 1] : balance(p, c, middle + 1, last),
	};
	return args[0] && args[1] ? cel_make_call(p->m, c->signs.ptr[middle], c->function, args, 2) : NULL;
}

static struct cel_expr *parse_logic(struct parser *p, const char *sign);

static bool parse_terms(struct parser *p, const char *sign, struct chain *c)
{
	for (;;) {
		struct cel_expr *e = sign[0] == '|' ? parse_logic(p, "&&") : parse_chain(p, relations);
		if (!e)
			return false;
		if (!expr_vec_push(&c->terms, e) || !offset_vec_push(&c->signs, token(p)->offset_bytes))
			return out_of_memory(p) != NULL;
		if (!take(p, sign))
			return true;
	}
}

static struct cel_expr *parse_logic(struct parser *p, const char *sign)
{
	struct chain c = { sign[0] == '|' ? CEL_OP_OR : CEL_OP_AND, { .max = ITEMS_MAX }, { .max = ITEMS_MAX } };
	struct cel_expr *e = NULL;
	if (parse_terms(p, sign, &c))
		e = c.terms.len == 1 ? c.terms.ptr[0] : balance(p, &c, 0, c.terms.len - 2);
	expr_vec_done(&c.terms);
	offset_vec_done(&c.signs);
	return e;
}

static struct cel_expr *parse_ternary(struct parser *p)
{
	struct cel_expr *args[3] = { parse_logic(p, "||") };
	size_t at = token(p)->offset_bytes;
	if (!args[0] || !take(p, "?"))
		return args[0];
	args[1] = parse_logic(p, "||");
	if (!args[1] || !expect(p, ":"))
		return NULL;
	args[2] = parse_expr(p);
	return args[2] ? cel_make_call(p->m, at, CEL_OP_TERNARY, args, 3) : NULL;
}

static struct cel_expr *parse_expr(struct parser *p)
{
	if (++p->nesting > CEL_DEPTH_MAX)
		return cel_macro_fail(p->m, token(p)->offset_bytes, "expression recursion limit exceeded: 250");
	struct cel_expr *e = parse_ternary(p);
	p->nesting--;
	return e;
}

struct cel_expr *cel_parse(struct cel_maker *m, struct bh_slice text, const struct cel_library *const *libraries)
{
	struct parser p = { .m = m, .tokens = cel_lex(m, text), .libraries = libraries };
	struct cel_expr *e = p.tokens ? parse_expr(&p) : NULL;
	if (e && token(&p)->kind != CEL_TOKEN_END)
		return fail(&p, "expected an operator or the end");
	return m->failed ? NULL : e;
}
