/*
 * text.c: the text of a condition before it is parsed: its parts joined, exceptions behind it, and lists put in place of their names, which Falco does in the text, too. Beside each byte
 * goes where it stood in which file, so that messages name the place that a user wrote.
 */
#include "base/buf.h"
#include "format/yaml.h"
#include "guard/ruleset.h"

#include <string.h>

#define TEXT_BYTES_MAX (4u << 20)
#define LIST_DEPTH_MAX 100u

BH_VEC(origin_vec, uint64_t)

struct writer {
	struct guard_ruleset *r;
	struct bh_buf text;
	struct origin_vec origins;
	unsigned depth; /* of lists in lists */
	bool failed;
};

static void writer_init(struct writer *w, struct guard_ruleset *r)
{
	*w = (struct writer){ .r = r, .origins = { .max = TEXT_BYTES_MAX } };
	bh_buf_init(&w->text, TEXT_BYTES_MAX);
}

static void put(struct writer *w, uint8_t c, uint64_t origin)
{
	w->failed = w->failed || !bh_buf_add_byte(&w->text, c) || !origin_vec_push(&w->origins, origin);
}

/* Text that nobody wrote stands where the other thing does. */
static void put_text(struct writer *w, const char *text, uint64_t origin)
{
	for (; *text; text++)
		put(w, (uint8_t)*text, origin);
}

static uint64_t origin_of(struct guard_scalar s)
{
	size_t from = 0, to = 0;
	(void)bh_yaml_span(s.node, &from, &to);
	return (uint64_t)s.source << 32 | (uint32_t)from;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * A scalar's text as YAML folds it: what is no blank stands in the same order in the file, blanks may be others. In quoted texts an escape may not be found again; then what follows
 * is told to stand a little too early.
 */
static void put_scalar(struct writer *w, struct guard_scalar s)
{
	struct bh_slice value = bh_yaml_str(s.node), raw = w->r->sources.ptr[s.source].bytes;
	size_t at = 0, to = 0;
	if (!bh_yaml_span(s.node, &at, &to) || to > raw.len)
		at = to = 0;
	for (size_t i = 0; i < value.len; i++) {
		size_t found = at;
		while (!is_blank(value.ptr[i]) && found < to && raw.ptr[found] != value.ptr[i])
			found++;
		if (found < to)
			at = found;
		put(w, value.ptr[i], (uint64_t)s.source << 32 | (uint32_t)at);
		at += found < to && !is_blank(value.ptr[i]);
	}
}

/* ---- exceptions ---- */

/* An item with a blank is quoted, unless it brings its quotes. */
static bool wants_quotes(struct bh_slice s)
{
	return s.len && memchr(s.ptr, ' ', s.len) && s.ptr[0] != '"' && s.ptr[0] != '\'';
}

static void put_item(struct writer *w, struct guard_scalar s)
{
	bool quote = wants_quotes(guard_scalar_text(s));
	if (quote)
		put(w, '"', origin_of(s));
	put_scalar(w, s);
	if (quote)
		put(w, '"', origin_of(s));
}

static void put_items(struct writer *w, uint32_t source, const struct bh_yaml_node *sequence)
{
	struct guard_scalar at = { source, sequence };
	put(w, '(', origin_of(at));
	for (size_t i = 0; i < bh_yaml_len(sequence); i++) {
		struct guard_scalar item = { source, bh_yaml_at(sequence, i) };
		if (i)
			put_text(w, ", ", origin_of(item));
		put_item(w, item);
	}
	put(w, ')', origin_of(at));
}

static void put_op(struct writer *w, const struct guard_exception *e, size_t number, const char *usual, enum guard_op *ret)
{
	struct guard_scalar op = { e->comps.source, bh_yaml_is(e->comps.node, BH_YAML_SEQUENCE) ? bh_yaml_at(e->comps.node, number) : e->comps.node };
	put(w, ' ', origin_of(e->fields));
	if (op.node)
		put_scalar(w, op);
	else
		put_text(w, usual, origin_of(e->fields));
	put(w, ' ', origin_of(e->fields));
	if (!guard_op_parse(op.node ? guard_scalar_text(op) : bh_slice_str(usual), ret))
		*ret = GUARD_OP_EQ;
}

/* A value of one field: a list, a text for an operator that takes lists, or a text. */
static void put_value(struct writer *w, struct guard_scalar v, enum guard_op op)
{
	struct bh_slice text = guard_scalar_text(v);
	bool bare = guard_op_takes_list(op) && !(text.len && text.ptr[0] == '(');
	if (bh_yaml_is(v.node, BH_YAML_SEQUENCE)) {
		put_items(w, v.source, v.node);
		return;
	}
	if (!guard_op_takes_list(op)) {
		put_item(w, v);
		return;
	}
	if (bare)
		put(w, '(', origin_of(v));
	put_scalar(w, v);
	if (bare)
		put(w, ')', origin_of(v));
}

/* (field in (a, b)) */
static void put_simple_exception(struct writer *w, const struct guard_exception *e)
{
	enum guard_op op;
	put(w, '(', origin_of(e->fields));
	put_scalar(w, e->fields);
	put_op(w, e, 0, "in", &op);
	put(w, '(', origin_of(e->fields));
	for (size_t i = 0; i < e->values.len; i++) {
		if (i)
			put_text(w, ", ", origin_of(e->values.ptr[i]));
		put_item(w, e->values.ptr[i]);
	}
	put_text(w, "))", origin_of(e->fields));
}

/* (a = x and b contains y) */
static void put_row(struct writer *w, const struct guard_exception *e, struct guard_scalar row)
{
	enum guard_op op;
	put(w, '(', origin_of(row));
	for (size_t k = 0; k < bh_yaml_len(e->fields.node); k++) {
		struct guard_scalar field = { e->fields.source, bh_yaml_at(e->fields.node, k) }, value = { row.source, bh_yaml_at(row.node, k) };
		if (k)
			put_text(w, " and ", origin_of(value));
		put_scalar(w, field);
		put_op(w, e, k, "=", &op);
		put_value(w, value, op);
	}
	put(w, ')', origin_of(row));
}

static void put_exception(struct writer *w, const struct guard_exception *e)
{
	if (e->values.len == 0)
		return;
	put_text(w, " and not ", origin_of(e->name));
	if (bh_yaml_is(e->fields.node, BH_YAML_SCALAR)) {
		put_simple_exception(w, e);
		return;
	}
	put(w, '(', origin_of(e->name));
	for (size_t i = 0; i < e->values.len; i++) {
		if (i)
			put_text(w, " or ", origin_of(e->values.ptr[i]));
		put_row(w, e, e->values.ptr[i]);
	}
	put(w, ')', origin_of(e->name));
}

/* ---- lists ---- */

static bool ends_word(uint8_t c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}

static void put_with_lists(struct writer *w, struct bh_slice text, const uint64_t *origins, uint64_t origin, size_t min_index);

/* Items of a list, of which those that are lists defined earlier were put in place when it was defined: once. */
static void put_list(struct writer *w, struct guard_list *list, uint64_t origin, bool inner, bool *any)
{
	list->item.is_used = true;
	w->failed = w->failed || ++w->depth > LIST_DEPTH_MAX;
	for (size_t i = 0; i < list->items.len && !w->failed; i++) {
		struct bh_slice text = guard_scalar_text(list->items.ptr[i]);
		struct guard_list *other = inner ? NULL : bh_map_get(&w->r->lists, text);
		if (other && other->item.index < list->item.visible) {
			put_list(w, other, origin, true, any);
			continue;
		}
		bool quote = wants_quotes(text);
		if (*any)
			put_text(w, ", ", origin);
		*any = true;
		if (quote)
			put(w, '"', origin);
		put_with_lists(w, text, NULL, origin, list->item.index + 1);
		if (quote)
			put(w, '"', origin);
	}
	w->depth--;
}

/* An empty list takes a comma with it: the one in front of it or the one behind. */
static void drop_comma(struct writer *w, struct bh_slice text, size_t *at)
{
	size_t end = w->text.len;
	while (end && is_blank(w->text.ptr[end - 1]))
		end--;
	if (end && w->text.ptr[end - 1] == ',') {
		w->text.len = w->origins.len = end - 1;
		return;
	}
	size_t next = *at;
	while (next < text.len && is_blank(text.ptr[next]))
		next++;
	if (next < text.len && text.ptr[next] == ',')
		*at = next + 1;
}

/* Falco goes through the lists in order and the whole text each time: what one list brings, only later ones replace. */
static void put_with_lists(struct writer *w, struct bh_slice text, const uint64_t *origins, uint64_t origin, size_t min_index)
{
	for (size_t at = 0; at < text.len && !w->failed;) {
		size_t end = at;
		while (end < text.len && !ends_word(text.ptr[end]))
			end++;
		uint64_t here = origins ? origins[at] : origin;
		struct guard_list *list = end > at ? bh_map_get(&w->r->lists, bh_slice_sub(text, at, end - at)) : NULL;
		if (!list || list->item.index < min_index) {
			end = end > at ? end : at + 1;
			for (; at < end; at++)
				put(w, text.ptr[at], origins ? origins[at] : origin);
			continue;
		}
		bool any = false;
		at = end;
		put_list(w, list, here, false, &any);
		if (!any)
			drop_comma(w, text, &at);
	}
}

int guard_text_make(struct guard_ruleset *r, const struct guard_scalar_vec *parts, const struct guard_exception_vec *exceptions, struct guard_text *ret, struct bh_err *err)
{
	struct writer plain, full;
	writer_init(&plain, r);
	writer_init(&full, r);
	bool has_exceptions = exceptions && exceptions->len;
	if (has_exceptions)
		put(&plain, '(', origin_of(parts->ptr[0]));
	for (size_t i = 0; i < parts->len; i++) {
		if (i)
			put(&plain, ' ', origin_of(parts->ptr[i]));
		put_scalar(&plain, parts->ptr[i]);
	}
	if (has_exceptions)
		put(&plain, ')', origin_of(parts->ptr[0]));
	for (size_t i = 0; has_exceptions && i < exceptions->len; i++)
		put_exception(&plain, &exceptions->ptr[i]);
	put_with_lists(&full, bh_buf_slice(&plain.text), plain.origins.ptr, 0, 0);
	uint64_t *origins = bh_arena_array(&r->arena, full.origins.len + 1, sizeof(*origins));
	bool ok = !plain.failed && !full.failed && origins && bh_arena_copy(&r->arena, bh_buf_slice(&full.text), &ret->text);
	if (ok && full.origins.len)
		memcpy(origins, full.origins.ptr, full.origins.len * sizeof(*origins));
	ret->origin = origins;
	bh_buf_done(&plain.text);
	bh_buf_done(&full.text);
	origin_vec_done(&plain.origins);
	origin_vec_done(&full.origins);
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "a condition is larger than %u MiB once its lists are in place, or its lists are in each other more than %u deep", TEXT_BYTES_MAX >> 20, LIST_DEPTH_MAX);
}
