/* fuzz_json.c: any input as JSON; what is accepted is walked through all getters, and must not be deeper than the limit. */
#include "base/limits.h"
#include "format/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static void walk(const struct bh_json_node *node, unsigned depth)
{
	int64_t i;
	uint64_t u;
	double d;
	struct bh_slice key;
	const struct bh_json_node *value;
	void *iter = NULL;
	size_t members = 0;
	if (depth > BH_JSON_DEPTH_MAX + 1)
		abort();
	touch(bh_json_str(node));
	if (bh_json_u64(node, UINT64_MAX, &u) && (!bh_json_i64(node, &i) || i < 0 || !bh_json_number(node, &d)))
		abort();
	while (bh_json_next(node, &iter, &key, &value)) {
		members++;
		touch(key);
		walk(value, depth + 1);
	}
	if (bh_json_is_object(node) && members != bh_json_len(node))
		abort();
	for (size_t n = 0; bh_json_is_array(node) && n < bh_json_len(node); n++)
		walk(bh_json_at(node, n), depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_json *doc = NULL;
	struct bh_err err = { 0 };
	int rc = bh_json_parse((struct bh_slice){ data, size }, 1u << 20, &doc, &err);
	if (rc < 0 && (err.code != (enum bh_code)rc || err.text[0] == '\0' || doc))
		abort();
	if (rc == 0)
		walk(bh_json_root(doc), 0);
	bh_json_free(doc);
	return 0;
}
