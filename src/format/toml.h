/*
 * toml.h: TOML 1.0 documents of limited size and depth as a tree whose nodes know their line. Debian 12 has no C library for TOML, so
 * this is a reader of our own; tests/live/toml.py compares it with Python's and with the toml-test suite. What TOML forbids (keys given
 * twice, tables defined twice, control characters) is an error with its line and column.
 */
#ifndef BH_FORMAT_TOML_H
#define BH_FORMAT_TOML_H

#include "base/err.h"
#include "base/slice.h"

#define BH_TOML_DEPTH_MAX 64u /* parts of headers and keys, and values in values, together; deepest real document: about 6 */

enum bh_toml_kind { BH_TOML_STRING, BH_TOML_INTEGER, BH_TOML_FLOAT, BH_TOML_BOOLEAN, BH_TOML_DATETIME, BH_TOML_ARRAY, BH_TOML_TABLE };

struct bh_toml;      /* a document, owns its nodes */
struct bh_toml_node; /* a value in it, borrowed */

/* The text must live as long as the document: keys and strings without escapes are parts of it. err: "line L, column C: ...". */
int bh_toml_parse(struct bh_slice text, size_t max_bytes, struct bh_toml **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_toml_free(struct bh_toml *doc);
const struct bh_toml_node *bh_toml_root(const struct bh_toml *doc); /* a table */

/* All getters accept NULL nodes and wrong kinds and answer "nothing", so that lookups chain. */
bool bh_toml_is(const struct bh_toml_node *node, enum bh_toml_kind kind);
const struct bh_toml_node *bh_toml_get(const struct bh_toml_node *table, const char *key);
size_t bh_toml_len(const struct bh_toml_node *array_or_table);
const struct bh_toml_node *bh_toml_at(const struct bh_toml_node *array, size_t index);
/* The pair at index, in document order. */
bool bh_toml_pair(const struct bh_toml_node *table, size_t index, struct bh_slice *key, const struct bh_toml_node **value);
struct bh_slice bh_toml_str(const struct bh_toml_node *node);  /* strings only */
struct bh_slice bh_toml_text(const struct bh_toml_node *node); /* numbers, booleans, dates: as written */
bool bh_toml_i64(const struct bh_toml_node *node, int64_t *out); /* integers that fit */
bool bh_toml_bool(const struct bh_toml_node *node);              /* true only for true */

/* Of the value, or of the first header or key that made the table; from 1, 0 for NULL. */
uint32_t bh_toml_line(const struct bh_toml_node *node);

#endif
