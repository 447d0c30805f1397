/* edit.c: where a change stands in the text. Block style goes by lines and columns, flow style by commas; both end up as bytes that become others. */
#include "kube/edit.h"

#include <stdlib.h>

#define RENDERED_BYTES_MAX (4u << 20)
#define STEPS_MAX (2 * KUBE_PATCH_DEPTH_MAX)
#define COLUMNS_MAX 256u

struct editor {
	struct bh_slice text;
	const struct bh_yaml_node *document;
	const struct kube_change_vec *changes;
	struct kube_step root[STEPS_MAX]; /* from the document to the object */
	size_t n_root;
	bool has_variables;               /* ${x} in a text of the object is replaced before it is read */
	struct kube_layout layout;
	struct bh_arena *arena;
	struct kube_edit_vec *edits;
	uint32_t line;                    /* of what is changed, for messages */
	struct bh_err *err;
};

static int refuse(struct editor *e, const char *why)
{
	return bh_fail(e->err, BH_EUNSUPPORTED, 0, "line %u: %s", e->line, why);
}

static int no_memory(struct editor *e)
{
	return bh_fail(e->err, BH_ENOMEM, 0, "changing a text uses up the memory for it");
}

/* ---- the text ---- */

static size_t line_start(const struct editor *e, size_t at)
{
	while (at > 0 && e->text.ptr[at - 1] != '\n')
		at--;
	return at;
}

/* Where the line behind something begins that ends at `to`; what ends with its line's end has it already. */
static size_t line_after(const struct editor *e, size_t to)
{
	if (to > 0 && e->text.ptr[to - 1] == '\n')
		return to;
	while (to < e->text.len && e->text.ptr[to] != '\n')
		to++;
	return to + (to < e->text.len);
}

static bool is_made_of(const struct editor *e, size_t from, size_t to, const char *characters)
{
	while (from < to && strchr(characters, e->text.ptr[from]) && e->text.ptr[from])
		from++;
	return from >= to;
}

static bool has_comment(const struct editor *e, size_t from, size_t to)
{
	return bh_slice_find(bh_slice_sub(e->text, from, to - from), '#') < to - from;
}

/* The rendered text becomes an edit. */
static int put(struct editor *e, size_t from, size_t to, struct bh_buf *rendered)
{
	struct kube_edit edit = { .from = from, .to = to, .order = e->edits->len };
	if (rendered->failed || !bh_arena_copy(e->arena, bh_buf_slice(rendered), &edit.text))
		return no_memory(e);
	return kube_edit_vec_push(e->edits, edit) ? 0 : bh_fail(e->err, BH_ELIMIT, 0, "more than %u changes of a text", KUBE_EDITS_MAX);
}

static int take_out(struct editor *e, size_t from, size_t to)
{
	struct bh_buf nothing = { 0 };
	return put(e, from, to, &nothing);
}

/* Whole lines before the line that begins at `at`. A text whose last line has no end gets one, and the new last line has none either. */
static int put_lines(struct editor *e, size_t at, struct bh_buf *lines)
{
	if (at < e->text.len || at == 0 || e->text.ptr[at - 1] == '\n')
		return put(e, at, at, lines);
	struct bh_buf moved;
	bh_buf_init(&moved, RENDERED_BYTES_MAX);
	bh_buf_add_str(&moved, e->layout.newline);
	bh_buf_add(&moved, bh_slice_sub(bh_buf_slice(lines), 0, lines->len - strlen(e->layout.newline)));
	moved.failed |= lines->failed;
	int rc = put(e, at, at, &moved);
	bh_buf_done(&moved);
	return rc;
}

/* ---- the way to a change ---- */

/* The pair of a key that stands in the map itself; false: it is not there, or comes from a merge key. */
static bool own_pair(const struct bh_yaml_node *map, struct bh_slice name, size_t *index, const struct bh_yaml_node **key, const struct bh_yaml_node **value)
{
	for (*index = 0; bh_yaml_pair(map, *index, key, value); ++*index)
		if (bh_slice_eq(bh_yaml_str(*key), name))
			return true;
	return false;
}

static int child_of(struct editor *e, const struct bh_yaml_node *of, const struct kube_step *step, const struct bh_yaml_node **ret)
{
	const struct bh_yaml_node *key;
	size_t index;
	e->line = bh_yaml_line(of);
	if (bh_yaml_anchor(of).len)
		return refuse(e, "what stands behind an anchor or an alias can't be changed alone");
	if (step->is_element)
		*ret = bh_yaml_at(of, step->index);
	else if (!own_pair(of, step->key, &index, &key, ret))
		return refuse(e, "what a merge key (<<), or another service, brings can't be changed alone");
	return *ret ? 0 : refuse(e, "the element is not where it was");
}

/* What holds the thing that is changed. */
static int container_of(struct editor *e, const struct kube_change *c, const struct bh_yaml_node **ret)
{
	const struct bh_yaml_node *node = e->document;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < e->n_root; i++)
		rc = child_of(e, node, &e->root[i], &node);
	for (size_t i = 0; rc == 0 && i + 1 < c->n_steps; i++)
		rc = child_of(e, node, &c->steps[i], &node);
	if (rc < 0)
		return rc;
	e->line = bh_yaml_line(node);
	if (bh_yaml_anchor(node).len)
		return refuse(e, "what stands behind an anchor or an alias can't be changed alone");
	*ret = node;
	return 0;
}

static bool same_step(const struct kube_step *a, const struct kube_step *b)
{
	return a->is_element == b->is_element && (a->is_element ? a->index == b->index : bh_slice_eq(a->key, b->key));
}

/* Does another change take this sibling of c's out? */
static bool is_removed(const struct editor *e, const struct kube_change *c, const struct kube_step *sibling)
{
	for (size_t i = 0; i < e->changes->len; i++) {
		const struct kube_change *other = &e->changes->ptr[i];
		bool same = other->kind == KUBE_CHANGE_REMOVE && other->n_steps == c->n_steps && same_step(&other->steps[c->n_steps - 1], sibling);
		for (size_t k = 0; same && k + 1 < c->n_steps; k++)
			same = same_step(&other->steps[k], &c->steps[k]);
		if (same)
			return true;
	}
	return false;
}

/* ---- a child and its place ---- */

/* A pair or an element, from its first byte to its last. */
struct place {
	const struct bh_yaml_node *key, *value; /* key NULL: an element */
	size_t from, to;
};

static bool is_written(const struct bh_yaml_node *node)
{
	size_t from, to;
	return bh_yaml_span(node, &from, &to);
}

/* False: it is an alias, or in a layout that says nothing of where it is. */
static bool place_of(const struct bh_yaml_node *c, size_t i, struct place *ret)
{
	*ret = (struct place){ 0 };
	if (bh_yaml_is(c, BH_YAML_MAPPING) && !bh_yaml_pair(c, i, &ret->key, &ret->value))
		return false;
	if (bh_yaml_is(c, BH_YAML_SEQUENCE))
		ret->value = bh_yaml_at(c, i);
	bool has_value = bh_yaml_span(ret->value, &ret->from, &ret->to);
	if (bh_yaml_anchor(ret->value).len || (!ret->key && !has_value))
		return false;
	if (!ret->key)
		return true;
	size_t key_to;
	if (!bh_yaml_span(ret->key, &ret->from, &key_to) || bh_yaml_anchor(ret->key).len)
		return false;
	if (!has_value)
		ret->to = key_to;
	return true;
}

static const char odd[] = "an alias, an anchor or an odd layout is in the way";

/* ---- block style ---- */

/* Columns before the first key of a block map, or before the dash of a list's element. */
static int columns_of(struct editor *e, size_t from, const char *allowed, size_t *ret)
{
	size_t start = line_start(e, from);
	if (from - start > COLUMNS_MAX || !is_made_of(e, start, from, allowed))
		return refuse(e, odd);
	*ret = from - start;
	return 0;
}

/* Where the dash of an element stands, with nothing but space before it. */
static int dash_of(struct editor *e, const struct place *p, size_t *ret)
{
	size_t at = p->from;
	while (at > 0 && e->text.ptr[at - 1] == ' ')
		at--;
	if (at == 0 || e->text.ptr[at - 1] != '-' || at == p->from)
		return refuse(e, odd);
	*ret = at - 1;
	return is_made_of(e, line_start(e, *ret), *ret, " ") ? 0 : refuse(e, odd);
}

static int behind_colon(struct editor *e, const struct bh_yaml_node *key, size_t *ret)
{
	size_t from, at;
	if (!bh_yaml_span(key, &from, &at))
		return refuse(e, odd);
	while (at < e->text.len && e->text.ptr[at] == ' ')
		at++;
	*ret = at + 1;
	return at < e->text.len && e->text.ptr[at] == ':' ? 0 : refuse(e, odd);
}

static int add_pair(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change)
{
	const struct bh_yaml_node *key, *value;
	size_t from, to, columns = 0;
	struct bh_buf lines;
	if (!bh_yaml_pair(c, 0, &key, &value) || !bh_yaml_span(key, &from, &to))
		return refuse(e, odd);
	int rc = columns_of(e, from, " -", &columns);
	if (rc < 0 || !bh_yaml_span(c, &from, &to))
		return rc < 0 ? rc : refuse(e, odd);
	bh_buf_init(&lines, RENDERED_BYTES_MAX);
	kube_render_pair(&lines, &e->layout, change->steps[change->n_steps - 1].key, change->values[0], columns, false);
	rc = put_lines(e, line_after(e, to), &lines);
	bh_buf_done(&lines);
	return rc;
}

static bool is_removed_child(const struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change, size_t i)
{
	const struct bh_yaml_node *key, *value;
	struct kube_step step = { .is_element = true, .index = i };
	if (bh_yaml_pair(c, i, &key, &value))
		step = (struct kube_step){ .key = bh_yaml_str(key) };
	return is_removed(e, change, &step);
}

/* The next child that stays; the number of all: none. */
static size_t next_kept(const struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change, size_t i)
{
	for (i++; i < bh_yaml_len(c) && is_removed_child(e, c, change, i); i++)
		;
	return i;
}

/* The lines of a pair; behind a dash, the next pair moves up. */
static int remove_pair(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change, size_t i)
{
	struct place p, next;
	if (!place_of(c, i, &p))
		return refuse(e, odd);
	size_t start = line_start(e, p.from), end = line_after(e, p.to);
	if (is_made_of(e, start, p.from, " "))
		return take_out(e, start, end);
	if (!is_made_of(e, start, p.from, " -") || !place_of(c, next_kept(e, c, change, i), &next) || next.from < end
	    || has_comment(e, end, next.from))
		return refuse(e, odd);
	return take_out(e, p.from, next.from);
}

/* A word on the key's line, or lines below it, whatever was there before. */
static int put_value(struct editor *e, size_t colon, size_t columns, struct cel_value v)
{
	struct bh_buf text;
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	bh_buf_add_byte(&text, ' ');
	int rc;
	if (kube_render_word(&text, &e->layout, v)) {
		rc = put(e, colon, colon, &text);
	} else {
		bh_buf_clear(&text);
		kube_render_below(&text, &e->layout, v, columns);
		rc = put_lines(e, line_after(e, colon), &text);
	}
	bh_buf_done(&text);
	return rc;
}

/* Takes the value out of its pair; the comment behind it stays. */
static int clear_value(struct editor *e, const struct place *p, size_t colon)
{
	size_t from, to;
	if (!bh_yaml_span(p->value, &from, &to))
		return 0;
	if (line_start(e, from) != line_start(e, colon) && !bh_yaml_is_block_scalar(p->value)) {
		size_t start = line_start(e, from);
		return is_made_of(e, start, from, " -") ? take_out(e, start, line_after(e, to)) : refuse(e, odd);
	}
	return take_out(e, colon, to > colon && e->text.ptr[to - 1] == '\n' ? to - 1 : to);
}

/* Letters, digits and what stands in names of images: no quotes are needed, and no other type is meant. */
static bool is_plain_name(struct bh_slice s)
{
	bool has_mark = false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool is_letter = (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || (c >= '0' && c <= '9');
		has_mark |= c == '@' || c == '/';
		if (!is_letter && (i == 0 || i + 1 == s.len || !strchr("@:/._-", c) || c == '\0'))
			return false;
	}
	return has_mark;
}

/* With the quotes that stand there, or with none as there. */
static bool render_alike(struct bh_buf *text, uint8_t first, struct cel_value v)
{
	bool quoted = first == '"' || first == '\'', plain = (bh_lower(first) >= 'a' && bh_lower(first) <= 'z') || (first >= '0' && first <= '9');
	if (v.kind != CEL_STRING || !is_plain_name(v.text) || (!quoted && !plain))
		return false;
	if (quoted)
		bh_buf_add_byte(text, first);
	bh_buf_add(text, v.text);
	if (quoted)
		bh_buf_add_byte(text, first);
	return true;
}

/* One word for another on the same line changes nothing but the word. */
static int replace_word(struct editor *e, const struct place *p, struct cel_value v, bool *ret_is_done)
{
	struct bh_buf text;
	size_t from, to;
	*ret_is_done = false;
	if (!bh_yaml_is(p->value, BH_YAML_SCALAR) || bh_yaml_is_block_scalar(p->value) || !bh_yaml_span(p->value, &from, &to) || from == to)
		return 0;
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	*ret_is_done = render_alike(&text, e->text.ptr[from], v) || kube_render_word(&text, &e->layout, v);
	int rc = *ret_is_done ? put(e, from, to, &text) : 0;
	bh_buf_done(&text);
	return rc;
}

static int replace_pair(struct editor *e, const struct bh_yaml_node *c, size_t i, struct cel_value v)
{
	struct place p;
	size_t colon = 0, columns = 0;
	bool is_done;
	if (!place_of(c, i, &p))
		return refuse(e, odd);
	int rc = replace_word(e, &p, v, &is_done);
	if (rc < 0 || is_done)
		return rc;
	rc = behind_colon(e, p.key, &colon);
	rc = rc < 0 ? rc : columns_of(e, p.from, " -", &columns);
	rc = rc < 0 ? rc : clear_value(e, &p, colon);
	return rc < 0 ? rc : put_value(e, colon, columns, v);
}

static int replace_element(struct editor *e, const struct bh_yaml_node *c, size_t i, struct cel_value v)
{
	struct place p;
	size_t dash = 0;
	bool is_done;
	struct bh_buf text;
	if (!place_of(c, i, &p))
		return refuse(e, odd);
	int rc = replace_word(e, &p, v, &is_done);
	if (rc < 0 || is_done)
		return rc;
	rc = dash_of(e, &p, &dash);
	if (rc < 0)
		return rc;
	size_t start = line_start(e, dash), end = line_after(e, p.to);
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	kube_render_item(&text, &e->layout, v, dash - start);
	if (e->text.ptr[end - 1] != '\n') /* the text's last line has no end, and keeps none */
		text.len -= strlen(e->layout.newline);
	rc = put(e, start, end, &text); /* as one, so that what is put in behind it comes behind it */
	bh_buf_done(&text);
	return rc;
}

static int remove_element(struct editor *e, const struct bh_yaml_node *c, size_t i)
{
	struct place p;
	size_t dash = 0;
	if (!place_of(c, i, &p))
		return refuse(e, odd);
	int rc = dash_of(e, &p, &dash);
	return rc < 0 ? rc : take_out(e, line_start(e, dash), line_after(e, p.to));
}

/* Before the element, or behind the last one. */
static int insert_elements(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change)
{
	size_t i = change->steps[change->n_steps - 1].index, n = bh_yaml_len(c), dash = 0;
	struct place p;
	struct bh_buf text;
	if (n == 0 || !place_of(c, i < n ? i : n - 1, &p))
		return refuse(e, odd);
	int rc = dash_of(e, &p, &dash);
	if (rc < 0)
		return rc;
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	for (size_t k = 0; k < change->n_values; k++)
		kube_render_item(&text, &e->layout, change->values[k], dash - line_start(e, dash));
	rc = put_lines(e, i < n ? line_start(e, dash) : line_after(e, p.to), &text);
	bh_buf_done(&text);
	return rc;
}

static int change_block(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change)
{
	const struct kube_step *last = &change->steps[change->n_steps - 1];
	const struct bh_yaml_node *key, *value;
	size_t i = last->index;
	if (!last->is_element && change->is_new)
		return add_pair(e, c, change);
	if (!last->is_element && !own_pair(c, last->key, &i, &key, &value)) /* it overrides what the merge brings */
		return change->kind == KUBE_CHANGE_SET ? add_pair(e, c, change) : refuse(e, "what a merge key (<<) brings can't be taken out");
	switch (change->kind) {
	case KUBE_CHANGE_SET: return last->is_element ? replace_element(e, c, i, change->values[0]) : replace_pair(e, c, i, change->values[0]);
	case KUBE_CHANGE_REMOVE: return last->is_element ? remove_element(e, c, i) : remove_pair(e, c, change, i);
	case KUBE_CHANGE_INSERT: return insert_elements(e, c, change);
	}
	return 0;
}

/* ---- flow style ---- */

/* How a collection in flow style is laid out: on one line, or a line for each child. */
struct flow_layout {
	struct kube_layout layout;
	struct kube_flow flow;
};

static struct bh_slice white_of_line(const struct editor *e, size_t at)
{
	size_t start = line_start(e, at), end = start;
	while (end < at && (e->text.ptr[end] == ' ' || e->text.ptr[end] == '\t'))
		end++;
	return bh_slice_sub(e->text, start, end - start);
}

static struct flow_layout flow_layout_of(const struct editor *e, const struct bh_yaml_node *c, const struct place *child)
{
	size_t from = 0, to = 0;
	struct flow_layout f = { .layout = e->layout };
	(void)bh_yaml_span(c, &from, &to);
	f.layout.is_json |= bh_yaml_is_quoted(child->key);
	f.flow.is_long = line_start(e, from) != line_start(e, child->from) && is_made_of(e, line_start(e, child->from), child->from, " \t");
	if (!f.flow.is_long)
		return f;
	struct bh_slice outer = white_of_line(e, from);
	f.flow.indent = white_of_line(e, child->from);
	f.flow.unit = f.flow.indent.len > outer.len ? bh_slice_sub(f.flow.indent, outer.len, f.flow.indent.len) : BH_SLICE_LIT("  ");
	return f;
}

static void render_child(struct bh_buf *out, const struct flow_layout *f, const struct kube_step *step, struct cel_value v)
{
	if (!step->is_element) {
		kube_render_key(out, &f->layout, step->key);
		bh_buf_add_str(out, ": ");
	}
	kube_render_flow(out, &f->layout, &f->flow, v);
}

static void separate(struct bh_buf *out, const struct flow_layout *f)
{
	bh_buf_add_str(out, f->flow.is_long ? "," : ", ");
	if (!f->flow.is_long)
		return;
	bh_buf_add_str(out, f->layout.newline);
	bh_buf_add(out, f->flow.indent);
}

/* Behind the last child, or before the one that is named. */
static int add_flow(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change)
{
	const struct kube_step *last = &change->steps[change->n_steps - 1];
	size_t n = bh_yaml_len(c), i = last->is_element ? last->index : n;
	struct place p;
	struct bh_buf text;
	if (n == 0 || !place_of(c, i < n ? i : n - 1, &p) || !is_written(p.value))
		return refuse(e, odd);
	const struct flow_layout f = flow_layout_of(e, c, &p);
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	for (size_t k = 0; k < change->n_values; k++) {
		if (i >= n)
			separate(&text, &f);
		render_child(&text, &f, last, change->values[k]);
		if (i < n)
			separate(&text, &f);
	}
	int rc = put(e, i < n ? p.from : p.to, i < n ? p.from : p.to, &text);
	bh_buf_done(&text);
	return rc;
}

/* With the comma behind it, or, when nothing is kept behind it, with the one before. */
static int remove_flow(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change, size_t i)
{
	struct place p, other;
	size_t next = next_kept(e, c, change, i), before = i;
	if (!place_of(c, i, &p))
		return refuse(e, odd);
	if (next < bh_yaml_len(c))
		return place_of(c, next, &other) ? take_out(e, p.from, other.from) : refuse(e, odd);
	while (before > 0 && is_removed_child(e, c, change, before - 1))
		before--;
	return before > 0 && place_of(c, before - 1, &other) ? take_out(e, other.to, p.to) : refuse(e, odd);
}

static int replace_flow(struct editor *e, const struct bh_yaml_node *c, size_t i, struct cel_value v)
{
	struct place p;
	size_t from, to;
	struct bh_buf text;
	if (!place_of(c, i, &p) || !bh_yaml_span(p.value, &from, &to))
		return refuse(e, odd);
	const struct flow_layout f = flow_layout_of(e, c, &p);
	bh_buf_init(&text, RENDERED_BYTES_MAX);
	kube_render_flow(&text, &f.layout, &f.flow, v);
	int rc = put(e, from, to, &text);
	bh_buf_done(&text);
	return rc;
}

static int change_flow(struct editor *e, const struct bh_yaml_node *c, const struct kube_change *change)
{
	const struct kube_step *last = &change->steps[change->n_steps - 1];
	const struct bh_yaml_node *key, *value;
	size_t i = last->index;
	if (change->kind == KUBE_CHANGE_INSERT || (!last->is_element && change->is_new))
		return add_flow(e, c, change);
	if (!last->is_element && !own_pair(c, last->key, &i, &key, &value))
		return refuse(e, "what a merge key (<<), or another service, brings can't be changed alone");
	return change->kind == KUBE_CHANGE_SET ? replace_flow(e, c, i, change->values[0]) : remove_flow(e, c, change, i);
}

/* ---- the layout of a document ---- */

/* The first map in a map, and the first list in one, tell how the author indents. */
static void look_at_layout(const struct bh_yaml_node *node, unsigned depth, struct kube_layout *l, bool *has_unit, bool *has_offset)
{
	const struct bh_yaml_node *key, *value;
	if (bh_yaml_is_flow(node) || depth > BH_YAML_DEPTH_MAX)
		return;
	for (size_t i = 0; bh_yaml_pair(node, i, &key, &value) && !(*has_unit && *has_offset); i++) {
		bool is_map = bh_yaml_is(value, BH_YAML_MAPPING), is_list = bh_yaml_is(value, BH_YAML_SEQUENCE);
		if (bh_yaml_is_flow(value) || bh_yaml_column(value) < bh_yaml_column(key) || bh_yaml_anchor(value).len)
			continue;
		size_t columns = bh_yaml_column(value) - bh_yaml_column(key);
		if (is_map && !*has_unit && columns > 0) {
			l->unit = columns;
			*has_unit = true;
		}
		if (is_list && !*has_offset) {
			l->list_offset = columns;
			*has_offset = true;
		}
		look_at_layout(value, depth + 1, l, has_unit, has_offset);
	}
	for (size_t i = 0; bh_yaml_is(node, BH_YAML_SEQUENCE) && i < bh_yaml_len(node) && !(*has_unit && *has_offset); i++)
		look_at_layout(bh_yaml_at(node, i), depth + 1, l, has_unit, has_offset);
}

static struct kube_layout layout_of(struct bh_slice text, const struct bh_yaml_node *document)
{
	struct kube_layout l = { .newline = "\n", .unit = 2, .is_json = bh_yaml_is_flow(document) };
	size_t first = bh_slice_find(text, '\n');
	bool has_unit = false, has_offset = false;
	if (first > 0 && first < text.len && text.ptr[first - 1] == '\r')
		l.newline = "\r\n";
	look_at_layout(document, 0, &l, &has_unit, &has_offset);
	return l;
}

/* ---- all changes ---- */

static int find_root(struct editor *e, const struct kube_object *o)
{
	const struct kube_tree *tree = o->tree;
	struct cel_value root = o->written ? kube_get(o->value, o->written->under) : o->value;
	uint32_t at = KUBE_NO_PLACE;
	for (uint32_t i = 0; i < tree->places.len && at == KUBE_NO_PLACE; i++)
		if (tree->places.ptr[i].at == root.map)
			at = i;
	if (at == KUBE_NO_PLACE || (tree->aliases.len > 0 && !o->written))
		return refuse(e, "the object has no place of its own in the text");
	size_t n = 0;
	for (uint32_t i = at; tree->places.ptr[i].parent != KUBE_NO_PLACE; i = tree->places.ptr[i].parent) {
		if (n == STEPS_MAX)
			return refuse(e, "the object lies too deep in its document");
		n++;
	}
	e->n_root = n;
	for (uint32_t i = at; tree->places.ptr[i].parent != KUBE_NO_PLACE; i = tree->places.ptr[i].parent) {
		const struct kube_place *p = &tree->places.ptr[i];
		e->root[--n] = (struct kube_step){ .is_element = p->key.ptr == NULL, .key = p->key, .index = p->index };
	}
	return 0;
}

static bool names_variable(struct editor *e, const struct bh_yaml_node *container, const struct kube_step *step)
{
	const struct bh_yaml_node *child;
	size_t from, to;
	return child_of(e, container, step, &child) == 0 && bh_yaml_span(child, &from, &to) && bh_slice_find(bh_slice_sub(e->text, from, to - from), '$') < to - from;
}

static int place_change(struct editor *e, const struct kube_change *c)
{
	const struct bh_yaml_node *container = NULL;
	if (c->n_steps == 0)
		return refuse(e, "the object is replaced as a whole");
	int rc = container_of(e, c, &container);
	if (rc == 0 && e->has_variables && c->kind == KUBE_CHANGE_SET && !c->is_new && names_variable(e, container, &c->steps[c->n_steps - 1]))
		return refuse(e, "a variable stands there, which the new value would be without");
	if (rc < 0)
		return rc;
	return bh_yaml_is_flow(container) ? change_flow(e, container, c) : change_block(e, container, c);
}

int kube_edits_place(struct bh_slice text, const struct kube_object *o, const struct kube_change_vec *changes, struct bh_arena *arena,
		     struct kube_edit_vec *edits, struct bh_err *err)
{
	struct editor e = { .text = text, .changes = changes, .arena = arena, .edits = edits, .line = o->line, .err = err, .has_variables = o->written && o->written->has_variables };
	size_t before = edits->len;
	e.document = o->tree->places.ptr[0].node;
	e.layout = layout_of(text, e.document);
	int rc = find_root(&e, o);
	for (size_t i = 0; rc == 0 && i < changes->len; i++)
		rc = place_change(&e, &changes->ptr[i]);
	if (rc < 0)
		edits->len = before;
	return rc;
}

/* ---- the new text ---- */

static int by_place(const void *a, const void *b)
{
	const struct kube_edit *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if ((x->to == x->from) != (y->to == y->from)) /* what is put in comes before what is taken out there */
		return x->to == x->from ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* Bytes that are taken out twice are taken out once; what is put in must not be inside of them. */
int kube_edits_apply(struct bh_slice text, struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err)
{
	size_t at = 0;
	if (edits->len)
		qsort(edits->ptr, edits->len, sizeof(*edits->ptr), by_place);
	for (size_t i = 0; i < edits->len; i++) {
		const struct kube_edit *edit = &edits->ptr[i];
		if (edit->to > text.len || edit->from > edit->to || (edit->from < at && edit->text.len))
			return bh_fail(err, BH_EUNSUPPORTED, 0, "two changes of the text are at odds");
		if (edit->from > at)
			bh_buf_add(out, bh_slice_sub(text, at, edit->from - at));
		bh_buf_add(out, edit->text);
		at = edit->to > at ? edit->to : at;
	}
	bh_buf_add(out, bh_slice_sub(text, at, text.len));
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the changed text is too large") : 0;
}
