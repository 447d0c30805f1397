/*
 * json_items.h: JSON files of packages, read value by value, so that a lockfile of 100 MiB needs the memory of one entry and each entry
 * knows its line. A section names where entries stand by the keys that lead to them, parted by blanks, "*" for any key and for items
 * of arrays:
 *
 *     "packages *"          { "packages": [ ENTRY, ENTRY ] }                        composer.lock
 *     "dependencies * *"    { "dependencies": { "net8.0": { "A": ENTRY } } }        packages.lock.json
 *     "*"                   [ ENTRY ]  or  { "a": ENTRY }
 */
#ifndef BH_PKG_JSON_ITEMS_H
#define BH_PKG_JSON_ITEMS_H

#include "base/err.h"
#include "format/json.h"
#include "pkg/entry.h"

struct pkg_json_item {
	struct bh_slice key;              /* of the entry; empty in arrays */
	const struct bh_json_node *value;
	uint64_t offset_bytes;            /* where it starts in the file */
	uint32_t line;
};

struct pkg_json_section {
	const char *pattern; /* NULL ends the list */
	int (*item)(void *ctx, const struct pkg_json_item *item, struct bh_err *err);
};

/* Calls sections[].item for each entry, in file order. A text that is no JSON, up to the last entry, is an error with its offset. */
int pkg_json_each(struct bh_slice text, const struct pkg_json_section *sections, void *ctx, struct bh_err *err) BH_MUST_CHECK;

/* Appends a string, or the strings of an array, to a list. Anything else adds nothing. */
void pkg_json_join(const struct bh_json_node *value, const char *between, struct bh_buf *list);

/* Of a list of objects: the string `value` of the first one whose string `key` is `wanted`; empty when there is none. */
struct bh_slice pkg_json_pick(const struct bh_json_node *list, const char *key, const char *wanted, const char *value);

#endif
