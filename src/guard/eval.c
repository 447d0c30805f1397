/*
 * eval.c: see eval.h. The semantics are those of falcosecurity/libs: a check of a value that is not there is false, whatever the operator; "in" of a field that is a list wants all of its
 * entries, "intersects" one; "!=" of either side of a connection wants both to differ.
 */
#include "guard/eval.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "format/regex.h"
#include "guard/match.h"

#include <string.h>

#define FORMAT_NAME_MAX 128u

/* ---- transformers ---- */

static bool operand_values(const struct guard_operand *o, const struct guard_event *e, struct guard_values *ret);

static bool copy(const struct guard_event *e, const struct bh_buf *b, struct bh_slice *ret)
{
	return !b->failed && bh_arena_copy(e->arena, bh_buf_slice(b), ret);
}

static bool map_case(const struct guard_event *e, struct bh_slice *s, bool upper)
{
	struct bh_slice own;
	if (!bh_arena_copy(e->arena, *s, &own))
		return false;
	for (size_t i = 0; i < own.len; i++) {
		uint8_t *c = (uint8_t *)(uintptr_t)&own.ptr[i]; /* the arena's */
		if (upper ? *c >= 'a' && *c <= 'z' : *c >= 'A' && *c <= 'Z')
			*c ^= 0x20;
	}
	*s = own;
	return true;
}

static bool decode(const struct guard_event *e, struct bh_slice *s)
{
	struct bh_buf b;
	bh_buf_init(&b, s->len + 3);
	bool ok = bh_unbase64(&b, *s) && copy(e, &b, s);
	bh_buf_done(&b);
	return ok;
}

static bool map_one(const struct guard_event *e, struct bh_slice name, struct bh_slice *s)
{
	if (bh_slice_eq_str(name, "tolower") || bh_slice_eq_str(name, "toupper"))
		return map_case(e, s, name.ptr[2] == 'u');
	if (bh_slice_eq_str(name, "b64"))
		return decode(e, s);
	*s = bh_slice_base(*s);
	return true;
}

static bool single(const struct guard_event *e, struct bh_slice text, struct guard_values *ret)
{
	ret->n = 1;
	ret->is_list = false;
	return bh_arena_copy(e->arena, text, &ret->list[0]);
}

/* Of a list the number of entries, of a text its bytes. */
static bool length(const struct guard_event *e, struct guard_values *v)
{
	const char *text = bh_arena_printf(e->arena, "%zu", v->is_list ? v->n : v->n ? v->list[0].len : 0);
	return text && single(e, bh_slice_str(text), v);
}

/* All values of some operands, one behind the other. */
static bool joined(const struct guard_operand *parts, size_t n, struct bh_slice between, const struct guard_event *e, struct guard_values *ret)
{
	struct guard_values v;
	struct bh_buf b;
	bool any = false, ok = true;
	bh_buf_init(&b, 1u << 20);
	for (size_t i = 0; ok && i < n; i++) {
		ok = operand_values(&parts[i], e, &v);
		for (size_t k = 0; ok && k < v.n; k++, any = true) {
			bh_buf_add(&b, any ? between : (struct bh_slice){ 0 });
			bh_buf_add(&b, v.list[k]);
		}
	}
	ok = ok && !b.failed && single(e, bh_buf_slice(&b), ret);
	bh_buf_done(&b);
	return ok;
}

/* getopt(words, options): the value of the first of them that is there, "" for one without a value: of "-o x" and "-ox". */
static bool option(const struct guard_operand *o, const struct guard_event *e, struct guard_values *ret)
{
	struct guard_values words, wanted;
	if (!operand_values(&o->parts[0], e, &words) || !operand_values(&o->parts[1], e, &wanted) || wanted.n == 0 || wanted.list[0].len == 0)
		return false;
	uint8_t letter = wanted.list[0].ptr[0];
	bool takes_value = wanted.list[0].len > 1 && wanted.list[0].ptr[1] == ':';
	struct bh_slice rest = words.n ? words.list[0] : (struct bh_slice){ 0 }, word;
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		if (word.len < 2 || word.ptr[0] != '-' || word.ptr[1] != letter)
			continue;
		struct bh_slice behind = bh_slice_sub(word, 2, word.len);
		if (takes_value && behind.len == 0)
			(void)bh_slice_cut(rest, ' ', &behind, &rest);
		return single(e, takes_value ? behind : (struct bh_slice){ 0 }, ret);
	}
	return false;
}

static bool transform(const struct guard_operand *o, const struct guard_event *e, struct guard_values *ret)
{
	struct guard_values separator;
	if (bh_slice_eq_str(o->name, "concat"))
		return joined(o->parts, o->n, (struct bh_slice){ 0 }, e, ret);
	if (bh_slice_eq_str(o->name, "join"))
		return operand_values(&o->parts[0], e, &separator) && separator.n == 1 && joined(&o->parts[1], 1, separator.list[0], e, ret);
	if (bh_slice_eq_str(o->name, "getopt"))
		return option(o, e, ret);
	if (!operand_values(&o->parts[0], e, ret))
		return false;
	if (bh_slice_eq_str(o->name, "len"))
		return length(e, ret);
	for (size_t i = 0; i < ret->n; i++)
		if (!map_one(e, o->name, &ret->list[i]))
			return false;
	return true;
}

static bool tuple(const struct guard_operand *o, const struct guard_event *e, struct guard_values *ret)
{
	struct guard_values v;
	*ret = (struct guard_values){ .is_list = true };
	for (size_t i = 0; i < o->n; i++) {
		if (!operand_values(&o->parts[i], e, &v))
			return false;
		for (size_t k = 0; k < v.n && ret->n < GUARD_VALUES_MAX; k++)
			ret->list[ret->n++] = v.list[k];
	}
	return true;
}

static bool operand_values(const struct guard_operand *o, const struct guard_event *e, struct guard_values *ret)
{
	switch (o->kind) {
	case GUARD_LITERAL:
		ret->list[0] = o->name;
		ret->n = 1;
		ret->is_list = false;
		return true;
	case GUARD_TRANSFORM: return transform(o, e, ret);
	case GUARD_TUPLE: return tuple(o, e, ret);
	case GUARD_FIELD: break;
	}
	ret->n = 0;
	ret->is_list = false;
	return e->extract(e->ctx, o, ret);
}

/* ---- checks ---- */

/* One value of the field against one on the right. */
static bool one(const struct guard_node *n, enum guard_type type, struct bh_slice left, struct bh_slice right, const struct guard_operand *literal)
{
	switch (n->op) {
	case GUARD_OP_EXISTS: return true;
	case GUARD_OP_LE: return guard_compare(type, left, right) <= 0;
	case GUARD_OP_LT: return guard_compare(type, left, right) < 0;
	case GUARD_OP_GE: return guard_compare(type, left, right) >= 0;
	case GUARD_OP_GT: return guard_compare(type, left, right) > 0;
	case GUARD_OP_EQ:
	case GUARD_OP_EQ2:
	case GUARD_OP_IN:
	case GUARD_OP_INTERSECTS: return guard_equal(type, left, right);
	case GUARD_OP_NE: return !guard_equal(type, left, right);
	case GUARD_OP_GLOB: return guard_glob(right, left, false);
	case GUARD_OP_IGLOB: return guard_glob(right, left, true);
	case GUARD_OP_CONTAINS: return guard_contains(left, right);
	case GUARD_OP_ICONTAINS: return right.len == 0 || bh_slice_has_nocase(left, right);
	case GUARD_OP_BCONTAINS: return guard_contains_hex(left, right, false);
	case GUARD_OP_BSTARTSWITH: return guard_contains_hex(left, right, true);
	case GUARD_OP_STARTSWITH: return bh_slice_starts(left, right);
	case GUARD_OP_ENDSWITH: return bh_slice_ends(left, right);
	case GUARD_OP_REGEX: return literal && literal->regex && bh_regex_search(literal->regex, left, 0, NULL, 0) == 1;
	case GUARD_OP_PMATCH: return guard_path_match(right, left);
	}
	return false;
}

/* Of the values on the right any will do, unless "allof" stands there, or "oneof". */
static bool any_right(const struct guard_node *n, enum guard_type type, struct bh_slice left, const struct guard_event *e)
{
	BH_NOT_ZEROED struct guard_values computed;
	size_t hits = 0, total = 0;
	for (size_t i = 0; i < n->n_values; i++) {
		const struct guard_operand *v = &n->values[i];
		if (v->kind == GUARD_LITERAL) {
			total++;
			hits += one(n, type, left, v->name, v);
		} else if (operand_values(v, e, &computed)) {
			for (size_t k = 0; k < computed.n; k++, total++)
				hits += one(n, type, left, computed.list[k], NULL);
		}
		if (hits && n->quantifier != GUARD_ALLOF && n->quantifier != GUARD_ONEOF)
			return true;
	}
	return n->quantifier == GUARD_ALLOF ? hits == total : n->quantifier == GUARD_ONEOF ? hits == 1 : hits > 0;
}

static bool check(const struct guard_node *n, const struct guard_event *e)
{
	BH_NOT_ZEROED struct guard_values left; /* of a thousand bytes, a few */
	if (!operand_values(&n->left, e, &left) || (left.n == 0 && !left.is_list))
		return false;
	if (n->op == GUARD_OP_EXISTS)
		return true;
	const enum guard_type type = guard_operand_type(&n->left);
	const bool all = (n->op == GUARD_OP_NE && !(n->left.kind == GUARD_FIELD && guard_field_is_of_ancestors(n->left.field))) || (n->op == GUARD_OP_IN && left.is_list);
	for (size_t i = 0; i < left.n; i++)
		if (any_right(n, type, left.list[i], e) != all)
			return !all;
	return all;
}

bool guard_eval(const struct guard_node *n, const struct guard_event *e)
{
	switch (n->kind) {
	case GUARD_CHECK: return check(n, e);
	case GUARD_MACRO: return guard_eval(n->parts[0], e);
	case GUARD_NOT: return !guard_eval(n->parts[0], e);
	case GUARD_AND:
		for (size_t i = 0; i < n->n; i++)
			if (!guard_eval(n->parts[i], e))
				return false;
		return true;
	case GUARD_OR: break;
	}
	for (size_t i = 0; i < n->n; i++)
		if (guard_eval(n->parts[i], e))
			return true;
	return false;
}

bool guard_event_value(const struct guard_event *e, const char *name, struct bh_slice *ret)
{
	struct guard_operand o = { .name = bh_slice_str(name) };
	struct guard_values v = { 0 };
	o.field = guard_field_find(o.name, &o.dotted);
	if (!o.field || !e->extract(e->ctx, &o, &v) || v.n == 0)
		return false;
	*ret = v.list[0];
	return true;
}

/* ---- of what is known ---- */

static bool is_known(const struct guard_operand *o, bool (*knows)(const struct guard_operand *field))
{
	if (o->kind == GUARD_FIELD)
		return knows(o);
	for (size_t i = 0; i < o->n; i++)
		if (!is_known(&o->parts[i], knows))
			return false;
	return true;
}

static enum guard_truth check_known(const struct guard_node *n, const struct guard_event *e, bool (*knows)(const struct guard_operand *field))
{
	if (!is_known(&n->left, knows))
		return GUARD_IS_UNKNOWN;
	for (size_t i = 0; i < n->n_values; i++)
		if (!is_known(&n->values[i], knows))
			return GUARD_IS_UNKNOWN;
	return check(n, e) ? GUARD_IS_TRUE : GUARD_IS_FALSE;
}

enum guard_truth guard_eval_known(const struct guard_node *n, const struct guard_event *e, bool (*knows)(const struct guard_operand *field))
{
	switch (n->kind) {
	case GUARD_CHECK: return check_known(n, e, knows);
	case GUARD_MACRO: return guard_eval_known(n->parts[0], e, knows);
	case GUARD_NOT: {
		enum guard_truth t = guard_eval_known(n->parts[0], e, knows);
		return t == GUARD_IS_UNKNOWN ? t : t == GUARD_IS_TRUE ? GUARD_IS_FALSE : GUARD_IS_TRUE;
	}
	case GUARD_AND:
	case GUARD_OR: break;
	}
	/* One part decides, and else it is known if all parts are. */
	const enum guard_truth decides = n->kind == GUARD_AND ? GUARD_IS_FALSE : GUARD_IS_TRUE;
	enum guard_truth all = decides == GUARD_IS_FALSE ? GUARD_IS_TRUE : GUARD_IS_FALSE;
	for (size_t i = 0; i < n->n; i++) {
		enum guard_truth t = guard_eval_known(n->parts[i], e, knows);
		if (t == decides)
			return t;
		all = t == GUARD_IS_UNKNOWN ? t : all;
	}
	return all;
}

/* ---- outputs ---- */

static void put_field(const struct guard_operand *o, const struct guard_event *e, struct bh_buf *out)
{
	struct guard_values v;
	bool has = operand_values(o, e, &v) && v.n;
	for (size_t i = 0; has && i < v.n; i++) {
		bh_buf_add_str(out, i ? "," : "");
		bh_buf_add(out, v.list[i]);
	}
	if (!has)
		bh_buf_add_str(out, "<NA>");
}

void guard_format(struct bh_slice output, const struct guard_event *e, struct bh_buf *out)
{
	while (output.len) {
		size_t to = bh_slice_find(output, '%');
		struct guard_operand o;
		bh_buf_add(out, bh_slice_sub(output, 0, to));
		output = bh_slice_sub(output, to, output.len);
		size_t used = output.len ? guard_output_field(output, e->arena, &o) : 0;
		if (used)
			put_field(&o, e, out);
		else if (output.len)
			bh_buf_add_byte(out, '%');
		output = bh_slice_sub(output, used ? used : 1, output.len);
	}
}
