/* edit_render.c: values as YAML or JSON, to be put into a text in its own layout. A reader gets the same value back: what could be taken for another is quoted. */
#include "kube/edit.h"

#define DEPTH_MAX 128u

/* ---- words ---- */

static bool is_letter(uint8_t c)
{
	return (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || c == '_';
}

/* Texts that no reader of YAML takes for anything else, 1.1 or 1.2. */
static bool is_plain(struct bh_slice s)
{
	static const char *const others[] = { "y", "n", "yes", "no", "true", "false", "on", "off", "null", NULL };
	char low[8] = "";
	if (s.len == 0 || !(is_letter(s.ptr[0]) || s.ptr[0] == '/'))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter(s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '/' && s.ptr[i] != '.' && s.ptr[i] != '-')
			return false;
	for (size_t i = 0; s.len < sizeof(low) && i < s.len; i++)
		low[i] = (char)bh_lower(s.ptr[i]);
	return !bh_slice_is_one_of(bh_slice_str(low), others);
}

static void text(struct bh_buf *out, const struct kube_layout *l, struct bh_slice s)
{
	if (!l->is_json && is_plain(s))
		bh_buf_add(out, s);
	else
		bh_buf_add_json(out, s);
}

void kube_render_key(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key)
{
	text(out, l, key);
}

static bool is_empty(struct cel_value v)
{
	return (v.kind == CEL_MAP && v.map->len == 0) || (v.kind == CEL_LIST && v.list->len == 0);
}

bool kube_render_word(struct bh_buf *out, const struct kube_layout *l, struct cel_value v)
{
	if ((v.kind == CEL_MAP || v.kind == CEL_LIST) && !is_empty(v))
		return false;
	if (v.kind == CEL_STRING)
		text(out, l, v.text);
	else
		kube_print_json(out, v);
	return true;
}

/* ---- block style ---- */

static void spaces(struct bh_buf *out, size_t n)
{
	while (n-- > 0)
		bh_buf_add_byte(out, ' ');
}

static void pair(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key, struct cel_value v, size_t indent, bool is_inline, unsigned depth);

static void item(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent, unsigned depth)
{
	spaces(out, indent);
	bh_buf_add_str(out, "- ");
	if (v.kind == CEL_MAP && v.map->len && depth < DEPTH_MAX) {
		for (size_t i = 0; i < v.map->len; i++)
			pair(out, l, v.map->entries[i].key.text, v.map->entries[i].value, indent + 2, i == 0, depth + 1);
		return;
	}
	if (!kube_render_word(out, l, v))
		kube_print_json(out, v); /* a list in a list */
	bh_buf_add_str(out, l->newline);
}

static void below(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent, unsigned depth)
{
	for (size_t i = 0; v.kind == CEL_MAP && i < v.map->len; i++)
		pair(out, l, v.map->entries[i].key.text, v.map->entries[i].value, indent + l->unit, false, depth + 1);
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++)
		item(out, l, v.list->items[i], indent + l->list_offset, depth + 1);
}

static void pair(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key, struct cel_value v, size_t indent, bool is_inline, unsigned depth)
{
	struct bh_buf word;
	spaces(out, is_inline ? 0 : indent);
	text(out, l, key);
	bh_buf_add_byte(out, ':');
	bh_buf_init(&word, out->max_bytes);
	if (kube_render_word(&word, l, v) || depth >= DEPTH_MAX) {
		bh_buf_add_byte(out, ' ');
		bh_buf_add(out, bh_buf_slice(&word));
		bh_buf_add_str(out, l->newline);
	} else {
		bh_buf_add_str(out, l->newline);
		below(out, l, v, indent, depth);
	}
	out->failed |= word.failed;
	bh_buf_done(&word);
}

void kube_render_pair(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key, struct cel_value v, size_t indent, bool is_inline)
{
	pair(out, l, key, v, indent, is_inline, 0);
}

void kube_render_item(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent)
{
	item(out, l, v, indent, 0);
}

void kube_render_below(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent)
{
	below(out, l, v, indent, 0);
}

/* ---- flow style ---- */

static void flow(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, struct cel_value v, unsigned depth);

static void line(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, unsigned depth)
{
	bh_buf_add_str(out, l->newline);
	bh_buf_add(out, f->indent);
	for (unsigned i = 0; i < depth; i++)
		bh_buf_add(out, f->unit);
}

static void flow_items(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, struct cel_value v, unsigned depth)
{
	size_t n = v.kind == CEL_MAP ? v.map->len : v.list->len;
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, i == 0 ? "" : f->is_long ? "," : ", ");
		if (f->is_long)
			line(out, l, f, depth + 1);
		if (v.kind == CEL_MAP) {
			text(out, l, v.map->entries[i].key.text);
			bh_buf_add_str(out, ": ");
		}
		flow(out, l, f, v.kind == CEL_MAP ? v.map->entries[i].value : v.list->items[i], depth + 1);
	}
	if (f->is_long)
		line(out, l, f, depth);
}

static void flow(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, struct cel_value v, unsigned depth)
{
	if (depth >= DEPTH_MAX || kube_render_word(out, l, v))
		return;
	bh_buf_add_byte(out, v.kind == CEL_MAP ? '{' : '[');
	flow_items(out, l, f, v, depth);
	bh_buf_add_byte(out, v.kind == CEL_MAP ? '}' : ']');
}

void kube_render_flow(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, struct cel_value v)
{
	flow(out, l, f, v, 0);
}
