/* fuzz_toml.c: any bytes as TOML; every node of the tree is visited as its users would. */
#include "format/toml.h"

#include <stdlib.h>

#define TEXT_BYTES_MAX (1u << 20)
#define LEVELS_MAX (2 * BH_TOML_DEPTH_MAX + 1) /* a part of a header may stand for an array and a table in it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static void visit(const struct bh_toml_node *node, size_t level)
{
	int64_t number;
	const struct bh_toml_node *value;
	struct bh_slice key;
	if (level > LEVELS_MAX || bh_toml_line(node) == 0)
		abort();
	touch(bh_toml_str(node));
	touch(bh_toml_text(node));
	checksum += bh_toml_bool(node) + bh_toml_i64(node, &number);
	for (size_t i = 0; bh_toml_at(node, i); i++)
		visit(bh_toml_at(node, i), level + 1);
	for (size_t i = 0; bh_toml_pair(node, i, &key, &value); i++) {
		touch(key);
		visit(value, level + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_toml *doc = NULL;
	struct bh_err err = { 0 };
	int rc = bh_toml_parse((struct bh_slice){ data, size }, TEXT_BYTES_MAX, &doc, &err);
	if (rc < 0) {
		if (err.code != rc || err.text[0] == '\0' || doc)
			abort();
		return 0;
	}
	visit(bh_toml_root(doc), 1);
	bh_toml_free(doc);
	return 0;
}
