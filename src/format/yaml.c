/*
 * yaml.c: libfyaml's events to a tree of our own. Its document loader would expand and resolve by its own rules; events let
 * depth, count, aliases and duplicate keys be checked while the tree grows. Nodes and texts live in one arena.
 */
#include "format/yaml.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/utf8.h"

#include <libfyaml.h>
#include <stdlib.h>

#define ARENA_BYTES_MAX (512u << 20) /* a million nodes of 100 bytes, their texts, growing arrays */
#define ANCHORS_MAX 100000u
#define DOCUMENTS_MAX 100000u

struct bh_yaml_node {
	enum bh_yaml_kind kind;
	bool quoted, flow, is_written, is_block_scalar;
	uint32_t line, column;
	uint32_t from, to;             /* bytes of the text; to grows with what comes into a collection */
	uint32_t weight;               /* nodes below and itself, aliases expanded; BH_YAML_NODES_MAX + 1 = too many */
	uint32_t height;               /* levels below and itself */
	struct bh_slice text, tag, anchor;
	struct bh_yaml_node **items;   /* sequence: items; mapping: key, value, key, value */
	size_t n_items, cap_items;
};

struct bh_yaml {
	struct bh_arena arena;
	struct bh_yaml_node **roots;
	size_t n_roots, cap_roots;
};

struct builder {
	struct bh_yaml *y;
	struct bh_slice text;
	struct bh_map anchors;                                  /* name -> finished node; of this document */
	struct bh_yaml_node *stack[BH_YAML_DEPTH_MAX];          /* open sequences and mappings */
	size_t depth;
	uint64_t total;                                         /* weight of all documents so far */
};

static int out_of_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the YAML text needs too much memory");
}

static bool push(struct bh_arena *a, struct bh_yaml_node ***items, size_t *n, size_t *cap, struct bh_yaml_node *item)
{
	if (*n == *cap) {
		size_t more = *cap ? *cap * 2 : 4;
		struct bh_yaml_node **grown = bh_arena_array(a, more, sizeof(grown[0]));
		if (!grown)
			return false;
		if (*n)
			memcpy(grown, *items, *n * sizeof(grown[0]));
		*items = grown;
		*cap = more;
	}
	(*items)[(*n)++] = item;
	return true;
}

static int fail_at(const struct bh_yaml_node *node, enum bh_code code, struct bh_err *err, const char *what)
{
	return bh_fail(err, code, 0, "line %u, column %u: %s", node->line, node->column, what);
}

/* A finished node goes into the collection on top of the stack, or becomes a document. */
static int place(struct builder *b, struct bh_yaml_node *node, const struct bh_yaml_node *at, struct bh_err *err)
{
	struct bh_yaml_node *top = b->depth ? b->stack[b->depth - 1] : NULL;
	if (b->depth + node->height > BH_YAML_DEPTH_MAX)
		return fail_at(at, BH_ELIMIT, err, "nested too deeply");
	b->total += node->weight;
	if (!top) {
		if (b->y->n_roots >= DOCUMENTS_MAX)
			return fail_at(at, BH_ELIMIT, err, "too many documents");
		return push(&b->y->arena, &b->y->roots, &b->y->n_roots, &b->y->cap_roots, node) ? 0 : out_of_memory(err);
	}
	if (top->kind == BH_YAML_MAPPING && top->n_items % 2 == 0 && node->kind != BH_YAML_SCALAR)
		return fail_at(at, BH_EUNSUPPORTED, err, "a key is not a plain word but a collection");
	top->weight += node->weight;
	top->to = at->to > top->to ? at->to : top->to;
	if (top->weight > BH_YAML_NODES_MAX)
		return fail_at(at, BH_ELIMIT, err, "too many values, aliases counted as copies");
	if (node->height >= top->height)
		top->height = node->height + 1;
	return push(&b->y->arena, &top->items, &top->n_items, &top->cap_items, node) ? 0 : out_of_memory(err);
}

static int compare_keys(const void *a, const void *b)
{
	const struct bh_yaml_node *x = *(struct bh_yaml_node *const *)a, *y = *(struct bh_yaml_node *const *)b;
	int c = bh_slice_cmp(x->text, y->text);
	return c ? c : (x->line > y->line) - (x->line < y->line);
}

static int check_duplicates(struct bh_arena *arena, const struct bh_yaml_node *mapping, struct bh_err *err)
{
	size_t n = mapping->n_items / 2;
	if (n < 2)
		return 0;
	struct bh_yaml_node **keys = bh_arena_array(arena, n, sizeof(keys[0]));
	if (!keys)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++)
		keys[i] = mapping->items[2 * i];
	qsort(keys, n, sizeof(keys[0]), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (bh_slice_eq(keys[i]->text, keys[i - 1]->text))
			return bh_fail(err, BH_EMALFORMED, 0, "line %u, column %u: the key '%.*s' stands here and in line %u", keys[i]->line,
				       keys[i]->column, (int)(keys[i]->text.len > 100 ? 100 : keys[i]->text.len),
				       keys[i]->text.ptr ? (const char *)keys[i]->text.ptr : "", keys[i - 1]->line);
	return 0;
}

static int remember_anchor(struct builder *b, struct bh_yaml_node *node, struct bh_err *err)
{
	if (node->anchor.len == 0)
		return 0;
	void **at = bh_map_put(&b->anchors, node->anchor);
	if (!at)
		return fail_at(node, BH_ELIMIT, err, "too many anchors");
	*at = node;
	return 0;
}

static bool copy_token(struct bh_arena *a, struct fy_token *token, struct bh_slice *out)
{
	size_t len = 0;
	const char *text = token ? fy_token_get_text(token, &len) : NULL;
	return bh_arena_copy(a, (struct bh_slice){ (const uint8_t *)text, text ? len : 0 }, out);
}

/* A value that is not written at all ("key:") has no mark: it stands where its key, or the collection around it, stands. */
static void set_position(const struct builder *b, const struct fy_mark *mark, struct bh_yaml_node *node)
{
	const struct bh_yaml_node *top = b->depth ? b->stack[b->depth - 1] : NULL;
	if (top && top->n_items)
		top = top->items[top->n_items - 1];
	node->line = mark && mark->line >= 0 ? (uint32_t)mark->line + 1 : top ? top->line : 1;
	node->column = mark && mark->column >= 0 ? (uint32_t)mark->column + 1 : top ? top->column : 1;
}

/* Marks of quoted words are inside the quotes, those of flow collections at their brackets. */
static void set_span(struct fy_event *event, struct bh_yaml_node *node)
{
	const struct fy_mark *from = fy_event_start_mark(event), *to = fy_event_end_mark(event);
	node->is_written = from && to;
	node->from = from ? (uint32_t)from->input_pos : 0;
	node->to = to ? (uint32_t)to->input_pos : 0;
}

/* The text between an event's marks would be the "&name" with its mark; tokens give the bare word. */
static struct bh_yaml_node *new_node(struct builder *b, struct fy_event *event, enum bh_yaml_kind kind, struct fy_token *anchor, struct fy_token *tag)
{
	struct bh_yaml_node *node = BH_ARENA_NEW(&b->y->arena, struct bh_yaml_node);
	const struct fy_mark *mark = fy_event_start_mark(event);
	if (!node || !copy_token(&b->y->arena, anchor, &node->anchor) || !copy_token(&b->y->arena, tag, &node->tag))
		return NULL;
	node->kind = kind;
	set_position(b, mark, node);
	set_span(event, node);
	node->weight = node->height = 1;
	return node;
}

static int on_scalar(struct builder *b, struct fy_event *event, struct bh_err *err)
{
	struct bh_yaml_node *node = new_node(b, event, BH_YAML_SCALAR, event->scalar.anchor, event->scalar.tag);
	if (!node || !copy_token(&b->y->arena, event->scalar.value, &node->text))
		return out_of_memory(err);
	enum fy_scalar_style style = event->scalar.value ? fy_token_scalar_style(event->scalar.value) : FYSS_PLAIN;
	node->quoted = style != FYSS_PLAIN;
	node->is_block_scalar = style == FYSS_LITERAL || style == FYSS_FOLDED;
	while (node->is_block_scalar && node->to > node->from && node->to <= b->text.len && b->text.ptr[node->to - 1] == ' ')
		node->to--; /* the mark is behind the next thing's indentation */
	if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->column > 1) {
		node->column--; /* the mark is behind the quote */
		node->from--;
		node->to++;
	}
	int rc = remember_anchor(b, node, err);
	return rc < 0 ? rc : place(b, node, node, err);
}

static int on_start(struct builder *b, struct fy_event *event, enum bh_yaml_kind kind, struct bh_err *err)
{
	bool sequence = kind == BH_YAML_SEQUENCE;
	struct bh_yaml_node *node = new_node(b, event, kind, sequence ? event->sequence_start.anchor : event->mapping_start.anchor,
					     sequence ? event->sequence_start.tag : event->mapping_start.tag);
	if (!node)
		return out_of_memory(err);
	node->flow = fy_event_get_node_style(event) == FYNS_FLOW;
	if (b->depth == BH_YAML_DEPTH_MAX)
		return fail_at(node, BH_ELIMIT, err, "nested too deeply");
	b->stack[b->depth++] = node;
	return 0;
}

/* The end of a block collection is where the next thing begins: its own end is that of its last value. */
static int on_end(struct builder *b, struct fy_event *event, struct bh_err *err)
{
	struct bh_yaml_node *node = b->stack[--b->depth];
	const struct fy_mark *to = fy_event_end_mark(event);
	if (node->flow && to)
		node->to = (uint32_t)to->input_pos;
	int rc = node->kind == BH_YAML_MAPPING ? check_duplicates(&b->y->arena, node, err) : 0;
	rc = rc < 0 ? rc : remember_anchor(b, node, err);
	return rc < 0 ? rc : place(b, node, node, err);
}

/* Only finished nodes have names, so a node can't come to contain itself. */
static int on_alias(struct builder *b, struct fy_event *event, struct bh_err *err)
{
	struct bh_yaml_node here = { 0 };
	const struct fy_mark *mark = fy_event_start_mark(event);
	here.line = mark && mark->line >= 0 ? (uint32_t)mark->line + 1 : 1;
	here.column = mark && mark->column >= 1 ? (uint32_t)mark->column : 1; /* the mark is behind the "*" */
	set_span(event, &here);
	size_t len = 0;
	const char *name = event->alias.anchor ? fy_token_get_text(event->alias.anchor, &len) : NULL;
	struct bh_yaml_node *node = bh_map_get(&b->anchors, (struct bh_slice){ (const uint8_t *)name, name ? len : 0 });
	if (!node)
		return fail_at(&here, BH_EMALFORMED, err, "an alias without an anchor before it, or inside it");
	return place(b, node, &here, err);
}

static int on_event(struct builder *b, struct fy_event *event, struct bh_err *err)
{
	if (b->total > BH_YAML_NODES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u values, aliases counted as copies", BH_YAML_NODES_MAX);
	switch (event->type) {
	case FYET_SCALAR: return on_scalar(b, event, err);
	case FYET_ALIAS: return on_alias(b, event, err);
	case FYET_SEQUENCE_START: return on_start(b, event, BH_YAML_SEQUENCE, err);
	case FYET_MAPPING_START: return on_start(b, event, BH_YAML_MAPPING, err);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END: return on_end(b, event, err);
	case FYET_DOCUMENT_START:
		bh_map_done(&b->anchors);
		bh_map_init(&b->anchors, ANCHORS_MAX);
		return 0;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: return 0;
	}
	return 0;
}

/* The library's first complaint, with its position, which it counts from 1 here (marks count from 0). */
static int syntax_error(struct fy_diag *diag, struct bh_err *err)
{
	void *iter = NULL;
	const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iter);
	if (!first || !first->msg)
		return bh_fail(err, BH_EMALFORMED, 0, "line 1, column 1: not YAML");
	return bh_fail(err, BH_EMALFORMED, 0, "line %d, column %d: %s", first->line, first->column, first->msg);
}

static int read_events(struct builder *b, struct fy_parser *parser, struct fy_diag *diag, struct bh_err *err)
{
	for (;;) {
		struct fy_event *event = fy_parser_parse(parser);
		if (!event)
			return syntax_error(diag, err);
		bool end = event->type == FYET_STREAM_END;
		int rc = on_event(b, event, err);
		fy_parser_event_free(parser, event);
		if (rc < 0 || end)
			return rc;
	}
}

/* What is not collected would go to stderr. */
static void say_nothing(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	(void)diag, (void)user, (void)text, (void)len;
}

static int parse_with(struct bh_yaml *y, struct bh_slice text, struct fy_diag *diag, struct bh_err *err)
{
	/* Brackets that close at the key's own column are not YAML, but the parsers of Kubernetes and Falco take them, and people write them. */
	const struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_SLOPPY_FLOW_INDENTATION, .diag = diag };
	struct fy_parser *parser = fy_parser_create(&cfg);
	if (!parser)
		return out_of_memory(err);
	struct builder b = { .y = y, .text = text };
	bh_map_init(&b.anchors, ANCHORS_MAX);
	int rc = fy_parser_set_string(parser, (const char *)text.ptr, text.len) == 0 ? read_events(&b, parser, diag, err) : out_of_memory(err);
	bh_map_done(&b.anchors);
	fy_parser_destroy(parser);
	return rc;
}

static int parse(struct bh_yaml *y, struct bh_slice text, struct bh_err *err)
{
	static const struct fy_diag_cfg cfg = { .output_fn = say_nothing, .level = FYET_ERROR, .module_mask = ~0u };
	struct fy_diag *diag = fy_diag_create(&cfg);
	if (!diag)
		return out_of_memory(err);
	fy_diag_set_collect_errors(diag, true);
	int rc = parse_with(y, text, diag, err);
	fy_diag_destroy(diag);
	return rc;
}

/* YAML 1.2 section 5.1, "c-printable". */
static bool is_printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 || (c >= 0xa0 && c != 0xfffe && c != 0xffff);
}

/* libfyaml 0.7.12 spins for ever on bad UTF-8 in a directive, so it never sees any. UTF-16 is refused here, too. */
static int check_text(struct bh_slice text, struct bh_err *err)
{
	size_t line = 1, column = 1;
	for (size_t at = 0; at < text.len;) {
		uint32_t cp = 0;
		size_t n = bh_utf8_next(bh_slice_sub(text, at, 4), &cp);
		if (n == 0 || !is_printable(cp))
			return bh_fail(err, BH_EMALFORMED, at, "line %zu, column %zu: the byte 0x%02x is not text in UTF-8", line, column, text.ptr[at]);
		at += n;
		line += cp == '\n';
		column = cp == '\n' ? 1 : column + 1;
	}
	return 0;
}

int bh_yaml_parse(struct bh_slice text, size_t max_bytes, struct bh_yaml **ret, struct bh_err *err)
{
	if (text.len > max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "the YAML text has %zu bytes, %zu are the limit", text.len, max_bytes);
	int rc = check_text(text, err);
	if (rc < 0)
		return rc;
	struct bh_yaml *y = calloc(1, sizeof(*y));
	if (!y)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for YAML");
	bh_arena_init(&y->arena, ARENA_BYTES_MAX);
	rc = text.len ? parse(y, text, err) : 0; /* the library takes length 0 for "find the NUL yourself" */
	if (rc < 0) {
		bh_yaml_free(y);
		return rc;
	}
	*ret = y;
	return 0;
}

void bh_yaml_free(struct bh_yaml *y)
{
	if (!y)
		return;
	bh_arena_done(&y->arena);
	free(y);
}

size_t bh_yaml_documents(const struct bh_yaml *y)
{
	return y->n_roots;
}

const struct bh_yaml_node *bh_yaml_root(const struct bh_yaml *y, size_t document)
{
	return document < y->n_roots ? y->roots[document] : NULL;
}

bool bh_yaml_is(const struct bh_yaml_node *node, enum bh_yaml_kind kind)
{
	return node && node->kind == kind;
}

static bool is_plain(const struct bh_yaml_node *node)
{
	return bh_yaml_is(node, BH_YAML_SCALAR) && !node->quoted;
}

static bool is_word(const struct bh_yaml_node *node, const char *const words[3])
{
	for (size_t i = 0; i < 3; i++)
		if (is_plain(node) && bh_slice_eq_str(node->text, words[i]))
			return true;
	return false;
}

bool bh_yaml_is_null(const struct bh_yaml_node *node)
{
	static const char *const words[] = { "null", "Null", "NULL" };
	return is_word(node, words) || (is_plain(node) && (node->text.len == 0 || bh_slice_eq_str(node->text, "~")));
}

bool bh_yaml_is_quoted(const struct bh_yaml_node *node)
{
	return bh_yaml_is(node, BH_YAML_SCALAR) && node->quoted;
}

size_t bh_yaml_len(const struct bh_yaml_node *node)
{
	if (bh_yaml_is(node, BH_YAML_SEQUENCE))
		return node->n_items;
	return bh_yaml_is(node, BH_YAML_MAPPING) ? node->n_items / 2 : 0;
}

const struct bh_yaml_node *bh_yaml_at(const struct bh_yaml_node *sequence, size_t index)
{
	return bh_yaml_is(sequence, BH_YAML_SEQUENCE) && index < sequence->n_items ? sequence->items[index] : NULL;
}

bool bh_yaml_pair(const struct bh_yaml_node *mapping, size_t index, const struct bh_yaml_node **key, const struct bh_yaml_node **value)
{
	if (!bh_yaml_is(mapping, BH_YAML_MAPPING) || index >= mapping->n_items / 2)
		return false;
	*key = mapping->items[2 * index];
	*value = mapping->items[2 * index + 1];
	return true;
}

const struct bh_yaml_node *bh_yaml_get(const struct bh_yaml_node *mapping, const char *key)
{
	const struct bh_yaml_node *k, *v;
	for (size_t i = 0; bh_yaml_pair(mapping, i, &k, &v); i++)
		if (bh_slice_eq_str(k->text, key))
			return v;
	return NULL;
}

struct bh_slice bh_yaml_str(const struct bh_yaml_node *node)
{
	return bh_yaml_is(node, BH_YAML_SCALAR) ? node->text : (struct bh_slice){ 0 };
}

struct bh_slice bh_yaml_tag(const struct bh_yaml_node *node)
{
	return node ? node->tag : (struct bh_slice){ 0 };
}

bool bh_yaml_bool(const struct bh_yaml_node *node, bool *out)
{
	static const char *const yes[] = { "true", "True", "TRUE" }, *const no[] = { "false", "False", "FALSE" };
	if (!is_word(node, yes) && !is_word(node, no))
		return false;
	*out = is_word(node, yes);
	return true;
}

bool bh_yaml_u64(const struct bh_yaml_node *node, uint64_t max, uint64_t *out)
{
	return is_plain(node) && bh_slice_u64(node->text, max, out);
}

uint32_t bh_yaml_line(const struct bh_yaml_node *node)
{
	return node ? node->line : 0;
}

uint32_t bh_yaml_column(const struct bh_yaml_node *node)
{
	return node ? node->column : 0;
}

bool bh_yaml_span(const struct bh_yaml_node *node, size_t *from, size_t *to)
{
	if (!node || !node->is_written)
		return false;
	*from = node->from;
	*to = node->to;
	return true;
}

bool bh_yaml_is_flow(const struct bh_yaml_node *node)
{
	return node && node->flow;
}

bool bh_yaml_is_block_scalar(const struct bh_yaml_node *node)
{
	return node && node->is_block_scalar;
}

struct bh_slice bh_yaml_anchor(const struct bh_yaml_node *node)
{
	return node ? node->anchor : (struct bh_slice){ 0 };
}
