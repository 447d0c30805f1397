/* fuzz_xml.c: any bytes as XML. In one piece and in small ones they must give the same; what the tree takes, the reader took too. */
#include "format/xml.h"
#include "format/xml_tree.h"
#include "pieces.h"

#define TEXT_BYTES_MAX (1u << 20)
#define PIECES_MAX 500u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t elements, sum;
	unsigned depth;
	struct bh_err err;
};

static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct outcome *o = ctx;
	(void)err;
	o->elements++;
	if (e->depth != ++o->depth || e->depth > BH_XML_DEPTH_MAX || e->line == 0 || e->n_attributes > BH_XML_ATTRIBUTES_MAX)
		abort();
	mix(&o->sum, e->name);
	for (size_t i = 0; i < e->n_attributes; i++) {
		mix(&o->sum, e->attributes[i].name);
		mix(&o->sum, e->attributes[i].value);
	}
	return 0;
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct outcome *o = ctx;
	(void)err;
	if (e->depth != o->depth--)
		abort();
	mix(&o->sum, e->name);
	mix(&o->sum, e->text);
	return 0;
}

static struct outcome read_in(struct bh_slice input, size_t piece)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	struct outcome o = { .sum = 1 };
	struct pieces p = { .rest = input, .piece = piece };
	o.rc = bh_xml_read(pieces_source(&p), &events, &o, &o.err);
	if (o.rc < 0 && (o.err.code != (enum bh_code)o.rc || !o.err.text[0]))
		abort(); /* a failure must say why */
	pieces_done(&p);
	return o;
}

/* Elements below and itself. */
static uint64_t count(const struct bh_xml_node *node, unsigned depth)
{
	uint64_t n = 1;
	if (depth > BH_XML_DEPTH_MAX || bh_xml_line(node) == 0 || bh_xml_name(node).len == 0)
		abort();
	for (const struct bh_xml_node *c = bh_xml_get(node, NULL); c; c = bh_xml_next(c, NULL))
		n += count(c, depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice input = { data, size };
	struct outcome whole = read_in(input, size ? size : 1), parts = read_in(input, size / PIECES_MAX + 1);
	struct bh_xml *doc = NULL;
	struct bh_err err = { 0 };
	/* Which of two faults is met first may differ; that there is one may not. */
	if ((whole.rc == 0) != (parts.rc == 0) || (whole.rc == 0 && (whole.sum != parts.sum || whole.elements != parts.elements)))
		abort();
	int rc = bh_xml_parse(input, TEXT_BYTES_MAX, &doc, &err);
	if ((rc == 0) != (whole.rc == 0) && rc != BH_ELIMIT)
		abort();
	if (rc == 0 && count(bh_xml_root(doc), 1) != whole.elements)
		abort();
	bh_xml_free(doc);
	return 0;
}
