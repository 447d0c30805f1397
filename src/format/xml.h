/*
 * xml.h: XML 1.0 documents of any size, read once from front to back (expat inside; xml.c hides it): the reader tells where elements
 * begin and end. Well-formedness is checked, no more: there are no schemas, and nothing is fetched or expanded. A document type
 * declaration may be there, but one that declares entities is refused whole, so there are no expansion bombs and no files or
 * addresses to be read through one. Encodings: UTF-8, UTF-16, ISO-8859-1, US-ASCII; texts come as UTF-8.
 *
 * Small documents are easier as a tree: xml_tree.h.
 */
#ifndef BH_FORMAT_XML_H
#define BH_FORMAT_XML_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

#define BH_XML_DEPTH_MAX 256u           /* deepest real document: OVAL criteria, about 20 */
#define BH_XML_ATTRIBUTES_MAX 1024u     /* of one element */
#define BH_XML_TEXT_BYTES_MAX (1u << 20) /* between two tags */
#define BH_XML_MARKUP_BYTES_MAX (1u << 20) /* one tag with its attributes, one comment */

struct bh_xml_attribute {
	struct bh_slice name, value; /* the name as written, with its prefix: "xsi:type" */
};

struct bh_xml_element {
	struct bh_slice name;     /* without its namespace prefix */
	const struct bh_xml_attribute *attributes; /* when it begins only */
	size_t n_attributes;
	struct bh_slice text;     /* when it ends only: what stood since the last tag, as written; of an element without others in it: all its text */
	unsigned depth;           /* 1 = the root */
	uint64_t line;            /* of the tag, from 1 */
};

/* Slices are valid during the call. A negative return ends the reading and is returned; its text in err gets the line put before it. */
struct bh_xml_events {
	int (*begin)(void *ctx, const struct bh_xml_element *e, struct bh_err *err);
	int (*end)(void *ctx, const struct bh_xml_element *e, struct bh_err *err); /* also for <x/>, right behind begin */
};

/* Errors say "line L, column C: ..." and carry the offset. A document that ends early is BH_ETRUNCATED. */
int bh_xml_read(struct bh_source plain, const struct bh_xml_events *events, void *ctx, struct bh_err *err) BH_MUST_CHECK;

/* The attribute's value; empty when it is not there. */
struct bh_slice bh_xml_attribute(const struct bh_xml_element *e, const char *name);

#endif
