/*
 * json.h: JSON documents of limited size and depth as a tree (jansson inside; this file hides it). Duplicate keys: the last
 * one counts, as encoding/json and Docker do. Depth is checked before the library sees the text, so 100,000 brackets cost
 * nothing.
 */
#ifndef BH_FORMAT_JSON_H
#define BH_FORMAT_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct bh_json;      /* a document, owns its nodes */
struct bh_json_node; /* a value in it, borrowed */

int bh_json_parse(struct bh_slice text, size_t max_bytes, struct bh_json **ret, struct bh_err *err) BH_MUST_CHECK; /* err: line and column */
void bh_json_free(struct bh_json *doc);
static inline void bh_json_cleanup(struct bh_json **doc) /* for BH_WITH */
{
	bh_json_free(*doc);
}

const struct bh_json_node *bh_json_root(const struct bh_json *doc);

/* All getters accept NULL nodes and wrong types and answer "nothing", so that lookups chain. */
const struct bh_json_node *bh_json_get(const struct bh_json_node *object, const char *key);
size_t bh_json_len(const struct bh_json_node *array_or_object);
const struct bh_json_node *bh_json_at(const struct bh_json_node *array, size_t index);
struct bh_slice bh_json_str(const struct bh_json_node *node);                       /* empty when not a string */
bool bh_json_u64(const struct bh_json_node *node, uint64_t max, uint64_t *out);     /* non-negative integers only */
bool bh_json_i64(const struct bh_json_node *node, int64_t *out);
bool bh_json_number(const struct bh_json_node *node, double *out);
bool bh_json_bool(const struct bh_json_node *node);                                 /* true only for true */
bool bh_json_is_array(const struct bh_json_node *node);
bool bh_json_is_object(const struct bh_json_node *node);
bool bh_json_is_null(const struct bh_json_node *node);

/* Iterate an object in document order: start with *iter = NULL; false at the end. */
bool bh_json_next(const struct bh_json_node *object, void **iter, struct bh_slice *key, const struct bh_json_node **value);

/* The value as text on one line; without: names of objects' members that are left out, ended by NULL, or NULL. False when out is full. */
bool bh_json_write(const struct bh_json_node *node, const char *const *without, struct bh_buf *out);

#endif
