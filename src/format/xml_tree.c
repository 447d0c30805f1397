/* xml_tree.c: the events of xml.h to a tree, all of it in one arena. */
#include "format/xml_tree.h"

#include "base/arena.h"
#include "format/xml.h"

#define MEMORY_PER_BYTE 64u    /* "<a/>" makes a node of 100 bytes */
#define MEMORY_LEAST (1u << 20)

struct bh_xml_node {
	struct bh_slice name, text;
	const struct bh_xml_attribute *attributes;
	size_t n_attributes;
	struct bh_xml_node *parent, *first, *last, *next;
	uint32_t line;
};

struct bh_xml {
	struct bh_arena arena;
	struct bh_xml_node *root;
};

struct builder {
	struct bh_xml *doc;
	struct bh_xml_node *open; /* the element that we are in */
	size_t nodes;
};

static bool copy_attributes(struct bh_arena *a, const struct bh_xml_element *e, struct bh_xml_node *node)
{
	struct bh_xml_attribute *all = e->n_attributes ? bh_arena_array(a, e->n_attributes, sizeof(all[0])) : NULL;
	if (e->n_attributes && !all)
		return false;
	for (size_t i = 0; i < e->n_attributes; i++)
		if (!bh_arena_copy(a, e->attributes[i].name, &all[i].name) || !bh_arena_copy(a, e->attributes[i].value, &all[i].value))
			return false;
	node->attributes = all;
	node->n_attributes = e->n_attributes;
	return true;
}

static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct builder *b = ctx;
	struct bh_arena *a = &b->doc->arena;
	struct bh_xml_node *node = b->nodes++ < BH_XML_NODES_MAX ? BH_ARENA_NEW(a, struct bh_xml_node) : NULL;
	if (!node || !bh_arena_copy(a, e->name, &node->name) || !copy_attributes(a, e, node))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u elements, or more than memory limits allow", BH_XML_NODES_MAX);
	node->line = e->line < UINT32_MAX ? (uint32_t)e->line : UINT32_MAX;
	node->parent = b->open;
	if (!b->open)
		b->doc->root = node;
	else if (b->open->last)
		b->open->last = b->open->last->next = node;
	else
		b->open->first = b->open->last = node;
	b->open = node;
	return 0;
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct builder *b = ctx;
	struct bh_xml_node *node = b->open;
	if (!node->first && !bh_arena_copy(&b->doc->arena, bh_slice_trim(e->text), &node->text))
		return bh_fail(err, BH_ELIMIT, 0, "more text than memory limits allow");
	b->open = node->parent;
	return 0;
}

int bh_xml_parse(struct bh_slice text, size_t max_bytes, struct bh_xml **ret, struct bh_err *err)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	if (text.len > max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "larger than %zu bytes", max_bytes);
	struct bh_xml *doc = calloc(1, sizeof(*doc));
	if (!doc)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for an XML document");
	bh_arena_init(&doc->arena, MEMORY_LEAST + text.len * MEMORY_PER_BYTE);
	struct builder b = { .doc = doc };
	int rc = bh_xml_read(bh_memory_source(&text), &events, &b, err);
	if (rc < 0) {
		bh_xml_free(doc);
		return rc;
	}
	*ret = doc;
	return 0;
}

void bh_xml_free(struct bh_xml *doc)
{
	if (!doc)
		return;
	bh_arena_done(&doc->arena);
	free(doc);
}

const struct bh_xml_node *bh_xml_root(const struct bh_xml *doc)
{
	return doc->root;
}

struct bh_slice bh_xml_name(const struct bh_xml_node *node)
{
	return node ? node->name : (struct bh_slice){ 0 };
}

struct bh_slice bh_xml_text(const struct bh_xml_node *node)
{
	return node ? node->text : (struct bh_slice){ 0 };
}

struct bh_slice bh_xml_attr(const struct bh_xml_node *node, const char *name)
{
	for (size_t i = 0; node && i < node->n_attributes; i++)
		if (bh_slice_eq_str(node->attributes[i].name, name))
			return node->attributes[i].value;
	return (struct bh_slice){ 0 };
}

uint32_t bh_xml_line(const struct bh_xml_node *node)
{
	return node ? node->line : 0;
}

/* The node itself or the first behind it with this name. */
static const struct bh_xml_node *named(const struct bh_xml_node *node, const char *name)
{
	while (node && name && !bh_slice_eq_str(node->name, name))
		node = node->next;
	return node;
}

const struct bh_xml_node *bh_xml_get(const struct bh_xml_node *node, const char *name)
{
	return node ? named(node->first, name) : NULL;
}

const struct bh_xml_node *bh_xml_next(const struct bh_xml_node *node, const char *name)
{
	return node ? named(node->next, name) : NULL;
}
