/*
 * xml_tree.h: a small XML document as a tree: pom.xml, .csproj, packages.config. Same rules as xml.h. Getters accept NULL and answer
 * "nothing", so that lookups chain:
 *
 *     bh_xml_text(bh_xml_get(bh_xml_get(root, "parent"), "version"))
 */
#ifndef BH_FORMAT_XML_TREE_H
#define BH_FORMAT_XML_TREE_H

#include "base/err.h"
#include "base/slice.h"

#define BH_XML_NODES_MAX 1000000u /* of one document */

struct bh_xml;      /* a document, owns its nodes */
struct bh_xml_node; /* an element in it, borrowed */

int bh_xml_parse(struct bh_slice text, size_t max_bytes, struct bh_xml **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_xml_free(struct bh_xml *doc);
const struct bh_xml_node *bh_xml_root(const struct bh_xml *doc);

struct bh_slice bh_xml_name(const struct bh_xml_node *node);      /* without its namespace prefix */
struct bh_slice bh_xml_text(const struct bh_xml_node *node);      /* trimmed; of elements without others in them */
struct bh_slice bh_xml_attr(const struct bh_xml_node *node, const char *name);
uint32_t bh_xml_line(const struct bh_xml_node *node);             /* of its start tag, from 1; 0 for NULL */

/* Children: the first with this name (NULL: any), and the next one behind a node that has it too. */
const struct bh_xml_node *bh_xml_get(const struct bh_xml_node *node, const char *name);
const struct bh_xml_node *bh_xml_next(const struct bh_xml_node *node, const char *name);

#endif
