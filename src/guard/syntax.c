/* syntax.c: see syntax.h. A recursive descent; each function reads what its name says, or fails with what it expected. */
#include "guard/syntax.h"

#include "base/buf.h"
#include "base/vec.h"

#include <string.h>

#define PARTS_MAX 100000u /* of one chain, values of one list */
#define TOKEN_SHOWN_BYTES 40

BH_VEC(node_vec, struct guard_node *)
BH_VEC(operand_vec, struct guard_operand)

struct parser {
	const struct guard_text *source;
	struct bh_slice text;
	size_t at;
	unsigned depth;
	struct bh_arena *arena;
	struct bh_err *err;
};

enum op_kind { NONE, NUMBER, TEXT, LIST };

static const struct {
	const char *word;
	enum op_kind kind;
	bool blank;
} ops[] = {
#define OP(name, word, kind, blank) { word, kind, blank },
#include "guard/operators.def"
#undef OP
};

#define N_OPS (sizeof(ops) / sizeof(ops[0]))

const char *guard_op_word(enum guard_op op)
{
	return ops[op].word;
}

bool guard_op_takes_list(enum guard_op op)
{
	return ops[op].kind == LIST;
}

bool guard_op_parse(struct bh_slice word, enum guard_op *ret)
{
	for (size_t i = 0; i < N_OPS; i++)
		if (bh_slice_eq_str(word, ops[i].word)) {
			*ret = (enum guard_op)i;
			return true;
		}
	return false;
}

enum guard_type guard_operand_type(const struct guard_operand *o)
{
	if (o->kind == GUARD_FIELD)
		return o->field->type;
	return bh_slice_eq_str(o->name, "len") ? GUARD_NUMBER : GUARD_STRING;
}

/* ---- characters ---- */

static bool is_blank(uint8_t c)
{
	return guard_is_among(c, " \t\r\n\b");
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_bare(uint8_t c)
{
	return !guard_is_among(c, " \t\r\n\b\f\v()\"'=,");
}

struct bh_slice guard_token_at(struct bh_slice text, size_t at)
{
	size_t end = at;
	while (end < text.len && is_bare(text.ptr[end]))
		end++;
	if (end == at && at < text.len)
		end++;
	return bh_slice_sub(text, at, end - at);
}

/* ---- the parser's steps ---- */

static int no_memory(struct parser *p)
{
	return bh_fail(p->err, BH_ELIMIT, p->at, "the condition is too large");
}

static int expected(struct parser *p, const char *what)
{
	struct bh_slice token = guard_token_at(p->text, p->at);
	if (token.len == 0)
		return bh_fail(p->err, BH_EMALFORMED, p->at, "%s is expected where the condition ends", what);
	return bh_fail(p->err, BH_EMALFORMED, p->at, "%s is expected, not '%.*s'", what, (int)(token.len > TOKEN_SHOWN_BYTES ? TOKEN_SHOWN_BYTES : token.len), (const char *)token.ptr);
}

static uint8_t peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->text.len ? p->text.ptr[p->at + ahead] : '\0';
}

static bool skip_blanks(struct parser *p)
{
	size_t from = p->at;
	while (p->at < p->text.len && is_blank(p->text.ptr[p->at]))
		p->at++;
	return p->at > from;
}

static bool is_next(const struct parser *p, const char *word)
{
	return bh_slice_starts(bh_slice_sub(p->text, p->at, p->text.len), bh_slice_str(word));
}

static bool take(struct parser *p, const char *word)
{
	bool yes = is_next(p, word);
	p->at += yes ? strlen(word) : 0;
	return yes;
}

/* "and" or "or": a blank or a parenthesis ends it. */
static bool take_joint(struct parser *p, const char *word)
{
	uint8_t behind = peek(p, strlen(word));
	return is_next(p, word) && (is_blank(behind) || behind == '(') && take(p, word);
}

static struct bh_slice take_while(struct parser *p, bool (*accepts)(uint8_t c))
{
	size_t from = p->at;
	while (p->at < p->text.len && accepts(p->text.ptr[p->at]))
		p->at++;
	return bh_slice_sub(p->text, from, p->at - from);
}

/* A name of words joined by dots; n_dots: how many. Empty: none is there. */
static struct bh_slice peek_name(const struct parser *p, size_t *n_dots)
{
	size_t end = p->at;
	*n_dots = 0;
	if (!is_letter(peek(p, 0)))
		return (struct bh_slice){ 0 };
	for (;;) {
		while (end < p->text.len && is_word(p->text.ptr[end]))
			end++;
		if (end + 1 >= p->text.len || p->text.ptr[end] != '.' || !is_letter(p->text.ptr[end + 1]))
			return bh_slice_sub(p->text, p->at, end - p->at);
		++*n_dots;
		end++;
	}
}

static struct guard_node *new_node(struct parser *p, enum guard_node_kind kind, size_t at)
{
	struct guard_node *n = BH_ARENA_NEW(p->arena, struct guard_node);
	if (n) {
		n->kind = kind;
		n->source = p->source;
		n->at = at;
	}
	return n;
}

/* ---- texts and numbers ---- */

/* The byte that an escape means; -1: none. */
static int escaped(struct parser *p)
{
	static const char from[] = "bfnrt\\/\"'", to[] = "\b\f\n\r\t\\/\"'";
	const char *c = strchr(from, peek(p, 1));
	if (peek(p, 1) == ' ') { /* the blank is one by itself */
		p->at++;
		return '\\';
	}
	if (peek(p, 1) == 'x' && bh_hex_digit(peek(p, 2)) >= 0 && bh_hex_digit(peek(p, 3)) >= 0) {
		int byte = bh_hex_digit(peek(p, 2)) * 16 + bh_hex_digit(peek(p, 3));
		p->at += 4;
		return byte;
	}
	if (!c || !*c)
		return -1;
	p->at += 2;
	return (unsigned char)to[c - from];
}

static int take_quoted(struct parser *p, struct bh_slice *ret)
{
	const size_t from = p->at;
	uint8_t quote = peek(p, 0);
	size_t end = from + 1, n = 0;
	while (end < p->text.len && p->text.ptr[end] != quote)
		end += p->text.ptr[end] == '\\' ? 2 : 1;
	uint8_t *out = bh_arena_alloc(p->arena, end - from + 2);
	if (!out)
		return no_memory(p);
	for (p->at++; p->at < p->text.len && p->text.ptr[p->at] != quote;) {
		int byte = p->text.ptr[p->at];
		if (byte != '\\') {
			p->at++;
		} else if ((byte = escaped(p)) < 0) {
			return bh_fail(p->err, BH_EMALFORMED, p->at, "a backslash stands in front of one of b f n r t \\ / \" ' or xHH, not of '%c'", peek(p, 1) >= ' ' && peek(p, 1) < 0x7f ? peek(p, 1) : '?');
		}
		out[n++] = (uint8_t)byte;
	}
	if (p->at >= p->text.len)
		return bh_fail(p->err, BH_EMALFORMED, from, "a text begins with %c and does not end", quote);
	p->at++;
	*ret = (struct bh_slice){ out, n };
	return 0;
}

static bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'';
}

static int literal(struct parser *p, struct guard_operand *ret)
{
	*ret = (struct guard_operand){ .kind = GUARD_LITERAL, .at = p->at };
	if (is_quote(peek(p, 0)))
		return take_quoted(p, &ret->name);
	ret->name = take_while(p, is_bare);
	return ret->name.len ? 0 : expected(p, "a text");
}

static bool is_hex(uint8_t c)
{
	return bh_hex_digit(c) >= 0;
}

static void take_exponent(struct parser *p)
{
	if ((peek(p, 0) == 'e' || peek(p, 0) == 'E') && (peek(p, 1) == '+' || peek(p, 1) == '-') && is_digit(peek(p, 2))) {
		p->at += 2;
		(void)take_while(p, is_digit);
	}
}

static int number(struct parser *p, struct guard_operand *ret)
{
	size_t from = p->at;
	if (peek(p, 0) == '0' && (peek(p, 1) == 'x' || peek(p, 1) == 'X') && is_hex(peek(p, 2))) {
		p->at += 2;
		(void)take_while(p, is_hex);
	} else {
		p->at += peek(p, 0) == '+' || peek(p, 0) == '-';
		if (take_while(p, is_digit).len == 0) {
			p->at = from;
			return expected(p, "a number");
		}
		p->at += peek(p, 0) == '.';
		(void)take_while(p, is_digit);
		take_exponent(p);
	}
	*ret = (struct guard_operand){ .kind = GUARD_LITERAL, .name = bh_slice_sub(p->text, from, p->at - from), .at = from };
	return 0;
}

/* ---- fields and transformers ---- */

static const char *const transformers[] = { "tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt", NULL };

static bool is_field_next(const struct parser *p)
{
	size_t n_dots;
	return peek_name(p, &n_dots).len && n_dots;
}

/* "tolower(", without a blank. */
static bool is_transformer_next(const struct parser *p)
{
	size_t n_dots;
	struct bh_slice name = peek_name(p, &n_dots);
	return n_dots == 0 && bh_slice_is_one_of(name, transformers) && peek(p, name.len) == '(';
}

static bool is_argument(uint8_t c)
{
	return !guard_is_among(c, " \t\r\n\b\f\v[]\"'");
}

static int take_bracket(struct parser *p, struct guard_operand *o)
{
	o->has_argument = true;
	int rc = is_quote(peek(p, 0)) ? take_quoted(p, &o->argument) : 0;
	if (rc == 0 && o->argument.len == 0)
		o->argument = take_while(p, is_argument);
	if (rc < 0)
		return rc;
	if (o->argument.len == 0)
		return expected(p, "an argument");
	return take(p, "]") ? 0 : expected(p, "]");
}

static int field(struct parser *p, struct guard_operand *ret)
{
	size_t n_dots;
	*ret = (struct guard_operand){ .kind = GUARD_FIELD, .name = peek_name(p, &n_dots), .at = p->at };
	p->at += ret->name.len;
	return take(p, "[") ? take_bracket(p, ret) : 0;
}

static int deeper(struct parser *p)
{
	return ++p->depth <= GUARD_DEPTH_MAX ? 0 : bh_fail(p->err, BH_ELIMIT, p->at, "more than %u parentheses in each other", GUARD_DEPTH_MAX);
}

static int argument(struct parser *p, bool in_tuple, struct guard_operand *ret);

/* Operands with commas between them, up to a closing parenthesis. */
static int arguments(struct parser *p, bool in_tuple, struct guard_operand *of)
{
	struct operand_vec list = { .max = PARTS_MAX };
	struct guard_operand one;
	int rc = deeper(p);
	skip_blanks(p);
	if (rc == 0 && in_tuple && take(p, ")")) {
		p->depth--;
		return 0;
	}
	do {
		skip_blanks(p);
		rc = rc < 0 ? rc : argument(p, in_tuple, &one);
		rc = rc < 0 || operand_vec_push(&list, one) ? rc : no_memory(p);
		skip_blanks(p);
	} while (rc == 0 && take(p, ","));
	rc = rc < 0 || take(p, ")") ? rc : expected(p, ", or )");
	p->depth--;
	of->parts = rc < 0 ? NULL : bh_arena_array(p->arena, list.len, sizeof(of->parts[0]));
	if (of->parts)
		memcpy(of->parts, list.ptr, list.len * sizeof(of->parts[0]));
	of->n = of->parts ? list.len : 0;
	operand_vec_done(&list);
	return rc < 0 || of->parts ? rc : no_memory(p);
}

static int transformer(struct parser *p, struct guard_operand *ret)
{
	size_t n_dots;
	*ret = (struct guard_operand){ .kind = GUARD_TRANSFORM, .name = peek_name(p, &n_dots), .at = p->at };
	p->at += ret->name.len + 1;
	int rc = arguments(p, false, ret);
	return rc < 0 || !take(p, "[") ? rc : take_bracket(p, ret);
}

static int argument(struct parser *p, bool in_tuple, struct guard_operand *ret)
{
	if (is_transformer_next(p))
		return transformer(p, ret);
	if (is_field_next(p))
		return field(p, ret);
	if (is_quote(peek(p, 0)))
		return literal(p, ret);
	if (!in_tuple && peek(p, 0) == '(') {
		*ret = (struct guard_operand){ .kind = GUARD_TUPLE, .at = p->at++ };
		return arguments(p, true, ret);
	}
	if (is_digit(peek(p, 0)) || peek(p, 0) == '-' || peek(p, 0) == '+')
		return number(p, ret);
	return expected(p, "a field, a transformer, a quoted text or a number");
}

/* val(FIELD), or a transformer, on the right side. 1: it was none. */
static int right_field(struct parser *p, struct guard_operand *ret)
{
	if (is_transformer_next(p))
		return transformer(p, ret);
	if (!take(p, "val("))
		return 1;
	skip_blanks(p);
	if (!is_field_next(p))
		return expected(p, "a field");
	int rc = field(p, ret);
	skip_blanks(p);
	return rc < 0 || take(p, ")") ? rc : expected(p, ")");
}

/* ---- checks ---- */

static int keep_values(struct parser *p, struct guard_node *n, struct operand_vec *list, int rc)
{
	n->values = rc < 0 ? NULL : bh_arena_array(p->arena, list->len + 1, sizeof(n->values[0]));
	if (n->values && list->len)
		memcpy(n->values, list->ptr, list->len * sizeof(n->values[0]));
	n->n_values = n->values ? list->len : 0;
	operand_vec_done(list);
	return rc < 0 || n->values ? rc : no_memory(p);
}

/* Behind the opening parenthesis. */
static int list_values(struct parser *p, struct guard_node *n)
{
	struct operand_vec list = { .max = PARTS_MAX };
	struct guard_operand one;
	int rc = 0;
	n->is_list = true;
	skip_blanks(p);
	if (take(p, ")"))
		return keep_values(p, n, &list, 0);
	do {
		skip_blanks(p);
		rc = literal(p, &one);
		rc = rc < 0 || operand_vec_push(&list, one) ? rc : no_memory(p);
		skip_blanks(p);
	} while (rc == 0 && take(p, ","));
	rc = rc < 0 || take(p, ")") ? rc : expected(p, ", or )");
	return keep_values(p, n, &list, rc);
}

static int one_value(struct parser *p, struct guard_node *n, int (*read)(struct parser *p, struct guard_operand *ret))
{
	struct operand_vec list = { .max = 1 };
	struct guard_operand one;
	int rc = right_field(p, &one);
	rc = rc == 1 ? read(p, &one) : rc;
	rc = rc < 0 || operand_vec_push(&list, one) ? rc : no_memory(p);
	return keep_values(p, n, &list, rc);
}

/* A list's name that no list has is a text. */
static int list_name(struct parser *p, struct guard_operand *ret)
{
	size_t n_dots;
	struct bh_slice name = peek_name(p, &n_dots);
	if (name.len == 0 || n_dots)
		return expected(p, "( or the name of a list");
	*ret = (struct guard_operand){ .kind = GUARD_LITERAL, .name = name, .at = p->at };
	p->at += name.len;
	return 0;
}

static enum guard_quantifier take_quantifier(struct parser *p)
{
	static const char *const words[] = { "", "oneof", "anyof", "allof" }; /* index = enum guard_quantifier */
	const size_t from = p->at;
	for (int q = GUARD_ONEOF; q <= GUARD_ALLOF; q++) {
		if (!take(p, words[q]))
			continue;
		skip_blanks(p);
		if (take(p, "("))
			return (enum guard_quantifier)q;
		p->at = from; /* a text that looks so */
	}
	return GUARD_ONE;
}

static int values(struct parser *p, struct guard_node *n)
{
	skip_blanks(p);
	switch (ops[n->op].kind) {
	case NONE: return 0;
	case NUMBER: return one_value(p, n, number);
	case LIST: return take(p, "(") ? list_values(p, n) : one_value(p, n, list_name);
	case TEXT: break;
	}
	n->quantifier = take_quantifier(p);
	return n->quantifier ? list_values(p, n) : one_value(p, n, literal);
}

static bool take_op(struct parser *p, enum guard_op *ret)
{
	for (size_t i = 0; i < N_OPS; i++) {
		size_t n = strlen(ops[i].word);
		bool is_last = p->at + n == p->text.len; /* then the value is what is missing */
		if (!is_next(p, ops[i].word) || (ops[i].blank && !is_last && !is_blank(peek(p, n))))
			continue;
		p->at += n;
		*ret = (enum guard_op)i;
		return true;
	}
	return false;
}

static int check(struct parser *p, struct guard_node **ret)
{
	struct guard_node *n = new_node(p, GUARD_CHECK, p->at);
	if (!n)
		return no_memory(p);
	int rc = is_field_next(p) ? field(p, &n->left) : transformer(p, &n->left);
	if (rc < 0)
		return rc;
	skip_blanks(p);
	if (!take_op(p, &n->op))
		return expected(p, "an operator (exists, =, !=, <, <=, >, >=, contains, startswith, endswith, glob, regex, in, intersects, pmatch ...)");
	*ret = n;
	return values(p, n);
}

static int any_of(struct parser *p, struct guard_node **ret);

/* Behind the opening parenthesis. */
static int embedded(struct parser *p, struct guard_node **ret)
{
	int rc = deeper(p);
	rc = rc < 0 ? rc : any_of(p, ret);
	p->depth--;
	skip_blanks(p);
	return rc < 0 || take(p, ")") ? rc : expected(p, "'and', 'or' or )");
}

static int macro(struct parser *p, struct guard_node **ret)
{
	static const char *const reserved[] = { "and", "or", "not", NULL };
	size_t n_dots;
	struct bh_slice name = peek_name(p, &n_dots);
	struct guard_node *n = name.len ? new_node(p, GUARD_MACRO, p->at) : NULL;
	if (name.len == 0 || bh_slice_is_one_of(name, reserved))
		return expected(p, "a check of a field, the name of a macro, or (");
	if (!n)
		return no_memory(p);
	n->name = name;
	p->at += name.len;
	*ret = n;
	return 0;
}

static int primary(struct parser *p, struct guard_node **ret)
{
	skip_blanks(p);
	if (take(p, "("))
		return embedded(p, ret);
	return is_field_next(p) || is_transformer_next(p) ? check(p, ret) : macro(p, ret);
}

static int negation(struct parser *p, struct guard_node **ret)
{
	skip_blanks(p);
	const size_t at = p->at;
	bool is_not = false;
	int rc;
	while (is_next(p, "not") && is_blank(peek(p, 3))) {
		p->at += 3;
		skip_blanks(p);
		is_not = !is_not;
	}
	if (take(p, "not(")) {
		is_not = !is_not;
		rc = embedded(p, ret);
	} else {
		rc = primary(p, ret);
	}
	if (rc < 0 || !is_not)
		return rc;
	if ((*ret)->kind == GUARD_NOT) { /* not (not x) */
		*ret = (*ret)->parts[0];
		return 0;
	}
	struct guard_node *n = new_node(p, GUARD_NOT, at);
	struct guard_node **parts = bh_arena_array(p->arena, 1, sizeof(*parts));
	if (!n || !parts)
		return no_memory(p);
	parts[0] = *ret;
	n->parts = parts;
	n->n = 1;
	*ret = n;
	return 0;
}

/* Parts with a word between them; one alone stands for itself. */
static int chain(struct parser *p, enum guard_node_kind kind, const char *word, int (*part)(struct parser *p, struct guard_node **ret), struct guard_node **ret)
{
	struct node_vec list = { .max = PARTS_MAX };
	struct guard_node *one = NULL;
	skip_blanks(p);
	const size_t at = p->at;
	int rc = part(p, &one);
	rc = rc < 0 || node_vec_push(&list, one) ? rc : no_memory(p);
	for (skip_blanks(p); rc == 0 && take_joint(p, word); skip_blanks(p)) {
		rc = part(p, &one);
		rc = rc < 0 || node_vec_push(&list, one) ? rc : no_memory(p);
	}
	struct guard_node *n = rc == 0 && list.len > 1 ? new_node(p, kind, at) : one;
	if (rc == 0 && list.len > 1) {
		struct guard_node **parts = bh_arena_array(p->arena, list.len, sizeof(*parts));
		if (n && parts) {
			memcpy(parts, list.ptr, list.len * sizeof(*parts));
			n->parts = parts;
			n->n = list.len;
		}
		rc = n && parts ? 0 : no_memory(p);
	}
	node_vec_done(&list);
	*ret = n;
	return rc;
}

static int all_of(struct parser *p, struct guard_node **ret)
{
	return chain(p, GUARD_AND, "and", negation, ret);
}

static int any_of(struct parser *p, struct guard_node **ret)
{
	return chain(p, GUARD_OR, "or", all_of, ret);
}

int guard_parse(const struct guard_text *source, struct bh_arena *arena, struct guard_node **ret, struct bh_err *err)
{
	struct parser p = { .source = source, .text = source->text, .arena = arena, .err = err };
	skip_blanks(&p);
	if (p.at == p.text.len)
		return bh_fail(err, BH_EMALFORMED, 0, "the condition is empty");
	int rc = any_of(&p, ret);
	skip_blanks(&p);
	return rc < 0 || p.at == p.text.len ? rc : expected(&p, "'and' or 'or'");
}

int guard_parse_operand(struct bh_slice text, struct bh_arena *arena, struct guard_operand *ret, size_t *ret_used, struct bh_err *err)
{
	struct parser p = { .text = text, .arena = arena, .err = err };
	int rc = is_transformer_next(&p) ? transformer(&p, ret) : is_field_next(&p) ? field(&p, ret) : expected(&p, "a field or a transformer");
	*ret_used = p.at;
	return rc;
}
