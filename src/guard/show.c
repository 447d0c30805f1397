/* show.c: a condition as text again, with lists and macros in place, each part of a chain on a line of its own. */
#include "base/buf.h"
#include "guard/ruleset.h"

#include <string.h>

static void indent_by(struct bh_buf *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bh_buf_add_str(out, "  ");
}

static bool is_bare(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || guard_is_among(s.ptr[i], "()\"'=,\\"))
			return false;
	return s.len != 0;
}

static void show_quoted(struct bh_slice s, struct bh_buf *out)
{
	bh_buf_add_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < ' ' || s.ptr[i] >= 0x7f)
			bh_buf_printf(out, "\\x%02x", s.ptr[i]);
		else
			bh_buf_printf(out, s.ptr[i] == '"' || s.ptr[i] == '\\' ? "\\%c" : "%c", s.ptr[i]);
	}
	bh_buf_add_byte(out, '"');
}

static void show_bare(struct bh_slice s, struct bh_buf *out)
{
	if (is_bare(s))
		bh_buf_add(out, s);
	else
		show_quoted(s, out);
}

static void show_parts(const struct guard_operand *o, struct bh_buf *out);

/* Texts between a transformer's parentheses are quoted, others where they have to be. */
static void show_operand(const struct guard_operand *o, bool in_parentheses, struct bh_buf *out)
{
	if (o->kind == GUARD_LITERAL && in_parentheses)
		show_quoted(o->name, out);
	else if (o->kind == GUARD_LITERAL)
		show_bare(o->name, out);
	else if (o->kind != GUARD_TUPLE)
		bh_buf_add(out, o->name);
	if (o->kind == GUARD_TRANSFORM || o->kind == GUARD_TUPLE)
		show_parts(o, out);
	if (!o->has_argument)
		return;
	bh_buf_add_byte(out, '[');
	if (memchr(o->argument.ptr, '[', o->argument.len) || memchr(o->argument.ptr, ']', o->argument.len))
		show_quoted(o->argument, out);
	else
		show_bare(o->argument, out);
	bh_buf_add_byte(out, ']');
}

static void show_parts(const struct guard_operand *o, struct bh_buf *out)
{
	bh_buf_add_byte(out, '(');
	for (size_t i = 0; i < o->n; i++) {
		if (i)
			bh_buf_add_str(out, ", ");
		show_operand(&o->parts[i], true, out);
	}
	bh_buf_add_byte(out, ')');
}

static void show_values(const struct guard_node *n, struct bh_buf *out)
{
	if (n->is_list)
		bh_buf_add_byte(out, '(');
	for (size_t i = 0; i < n->n_values; i++) {
		const struct guard_operand *v = &n->values[i];
		if (i)
			bh_buf_add_str(out, ", ");
		if (v->kind == GUARD_FIELD)
			bh_buf_add_str(out, "val(");
		show_operand(v, false, out);
		if (v->kind == GUARD_FIELD)
			bh_buf_add_byte(out, ')');
	}
	if (n->is_list)
		bh_buf_add_byte(out, ')');
}

static void show_check(const struct guard_node *n, struct bh_buf *out)
{
	static const char *const quantifiers[] = { "", " oneof", " anyof", " allof" }; /* index = enum guard_quantifier */
	show_operand(&n->left, true, out);
	bh_buf_printf(out, " %s%s", guard_op_word(n->op), quantifiers[n->quantifier]);
	if (n->op == GUARD_OP_EXISTS)
		return;
	bh_buf_add_byte(out, ' ');
	show_values(n, out);
}

static void show_chain(const struct guard_node *n, unsigned indent, struct bh_buf *out)
{
	const char *word = n->kind == GUARD_AND ? "and " : "or ";
	bh_buf_add_str(out, "(\n");
	for (size_t i = 0; i < n->n; i++) {
		indent_by(out, indent + 1);
		bh_buf_add_str(out, i ? word : "");
		guard_show_condition(n->parts[i], indent + 1, out);
		bh_buf_add_byte(out, '\n');
	}
	indent_by(out, indent);
	bh_buf_add_byte(out, ')');
}

void guard_show_condition(const struct guard_node *n, unsigned indent, struct bh_buf *out)
{
	if (out->failed)
		return;
	switch (n->kind) {
	case GUARD_CHECK: show_check(n, out); return;
	case GUARD_MACRO:
		if (n->n)
			guard_show_condition(n->parts[0], indent, out);
		else
			bh_buf_add(out, n->name);
		return;
	case GUARD_NOT:
		bh_buf_add_str(out, "not ");
		guard_show_condition(n->parts[0], indent, out);
		return;
	case GUARD_AND:
	case GUARD_OR: show_chain(n, indent, out);
	}
}
