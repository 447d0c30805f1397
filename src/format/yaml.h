/*
 * yaml.h: YAML 1.2 documents of limited size and depth as trees whose nodes know their line and column (libfyaml inside;
 * this file hides it). Duplicate keys are errors, as are keys that are no scalars. Aliases share the node of their anchor;
 * what they would expand to counts against a limit, so a bomb of aliases is refused. "<<" is a key like any other.
 */
#ifndef BH_FORMAT_YAML_H
#define BH_FORMAT_YAML_H

#include "base/err.h"
#include "base/slice.h"

#define BH_YAML_DEPTH_MAX 64u          /* deepest real document: about 20; a CustomResourceDefinition's schema 40 */
#define BH_YAML_NODES_MAX 4000000u     /* per text, each use of an alias counted as a copy */

enum bh_yaml_kind { BH_YAML_SCALAR, BH_YAML_SEQUENCE, BH_YAML_MAPPING };

struct bh_yaml;      /* all documents of a text, owns its nodes */
struct bh_yaml_node; /* a value in it, borrowed */

/* Errors say "line L, column C: ..." and never print. An empty text has no documents. */
int bh_yaml_parse(struct bh_slice text, size_t max_bytes, struct bh_yaml **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_yaml_free(struct bh_yaml *y);

size_t bh_yaml_documents(const struct bh_yaml *y);
const struct bh_yaml_node *bh_yaml_root(const struct bh_yaml *y, size_t document); /* NULL beyond the last */

/* All getters accept NULL nodes and wrong kinds and answer "nothing", so that lookups chain. */
bool bh_yaml_is(const struct bh_yaml_node *node, enum bh_yaml_kind kind);
bool bh_yaml_is_null(const struct bh_yaml_node *node);    /* nothing, ~ or null, unquoted */
bool bh_yaml_is_quoted(const struct bh_yaml_node *node);
size_t bh_yaml_len(const struct bh_yaml_node *node);      /* items or keys */
const struct bh_yaml_node *bh_yaml_at(const struct bh_yaml_node *sequence, size_t index);
const struct bh_yaml_node *bh_yaml_get(const struct bh_yaml_node *mapping, const char *key);
/* The pair at index, in document order. The key is a scalar with a position of its own. */
bool bh_yaml_pair(const struct bh_yaml_node *mapping, size_t index, const struct bh_yaml_node **key, const struct bh_yaml_node **value);
struct bh_slice bh_yaml_str(const struct bh_yaml_node *node);                    /* a scalar's text, quoted or not */
struct bh_slice bh_yaml_tag(const struct bh_yaml_node *node);                    /* as written: "!reference"; empty when none */
bool bh_yaml_bool(const struct bh_yaml_node *node, bool *out);                   /* unquoted true or false */
bool bh_yaml_u64(const struct bh_yaml_node *node, uint64_t max, uint64_t *out);  /* unquoted decimal */

/* Where the value (not its key) starts, from 1; 0 for NULL. An alias stands where its anchor's node stands. */
uint32_t bh_yaml_line(const struct bh_yaml_node *node);
uint32_t bh_yaml_column(const struct bh_yaml_node *node);

/*
 * The bytes of the text that a value takes, for who changes the text: with its quotes or brackets, without tag and anchor. A collection in block style goes
 * from its first key or element to the end of its last value, a text behind "|" or ">" from its first line to where the next thing begins. An alias has
 * the span of its anchor's node. False: it is not written at all ("key:").
 */
bool bh_yaml_span(const struct bh_yaml_node *node, size_t *from, size_t *to);
bool bh_yaml_is_flow(const struct bh_yaml_node *node);         /* {a: b}, [a, b] */
bool bh_yaml_is_block_scalar(const struct bh_yaml_node *node); /* behind "|" or ">" */
struct bh_slice bh_yaml_anchor(const struct bh_yaml_node *node); /* the name; empty: none */

#endif
