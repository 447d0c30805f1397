/* fuzz_yaml.c: any bytes as YAML; every node of the tree is visited as its users would. */
#include "format/yaml.h"

#include <stdlib.h>

#define TEXT_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word; ours are all accounted for. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static volatile unsigned checksum;

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

/* The promises of yaml.h: bounded depth, bounded number of visits, keys that are scalars. */
static void visit(const struct bh_yaml_node *node, size_t depth, size_t *visits)
{
	uint64_t number;
	bool yes;
	const struct bh_yaml_node *key, *value;
	if (depth > BH_YAML_DEPTH_MAX || ++*visits > BH_YAML_NODES_MAX || bh_yaml_line(node) == 0 || bh_yaml_column(node) == 0)
		abort();
	touch(bh_yaml_str(node));
	touch(bh_yaml_tag(node));
	checksum += bh_yaml_is_null(node) + bh_yaml_bool(node, &yes) + bh_yaml_u64(node, 1000, &number);
	for (size_t i = 0; bh_yaml_at(node, i); i++)
		visit(bh_yaml_at(node, i), depth + 1, visits);
	for (size_t i = 0; bh_yaml_pair(node, i, &key, &value); i++) {
		if (!bh_yaml_is(key, BH_YAML_SCALAR))
			abort();
		touch(bh_yaml_str(key));
		visit(value, depth + 1, visits);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_yaml *y = NULL;
	struct bh_err err = { 0 };
	int rc = bh_yaml_parse((struct bh_slice){ data, size }, TEXT_BYTES_MAX, &y, &err);
	if (rc < 0) {
		if (err.code != rc || err.text[0] == '\0' || y)
			abort();
		return 0;
	}
	size_t visits = 0;
	for (size_t i = 0; i < bh_yaml_documents(y); i++)
		visit(bh_yaml_root(y, i), 1, &visits);
	bh_yaml_free(y);
	return 0;
}
