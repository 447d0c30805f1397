/*
 * fuzz_fn_code.c: any bytes as the code of a function: an archive, and a source of each language. What is seen has lines and names within their limits.
 */
#include <stdlib.h>

#include "serverless/code.h"
#include "serverless/code_scan.h"

#define MEMORY_BYTES_MAX (256u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take_call(void *ctx, struct bh_slice name, uint32_t line)
{
	(void)ctx;
	if (name.len == 0 || name.len > CODE_NAME_BYTES_MAX || line == 0)
		abort();
	return true;
}

static bool take_fact(void *ctx, const char *kind, uint32_t line, struct bh_slice text)
{
	(void)ctx;
	if (!kind[0] || line == 0 || text.len > CODE_LINE_BYTES_MAX)
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_slice bytes = { data, size };
	const struct code_taker taker = { take_call, take_fact, NULL };
	struct code_scanner *scanner = NULL;
	struct kube_set *set = NULL;
	struct kube_tree tree = { 0 };
	struct bh_err err;
	uint64_t long_lines = 0;
	if (code_scanner_new(&scanner, &err) < 0 || kube_set_new(MEMORY_BYTES_MAX, &set, &err) < 0)
		abort();
	(void)code_scan_calls(bytes, &taker);
	for (unsigned language = CODE_PYTHON; language <= CODE_SHELL; language *= 2)
		(void)code_scan_facts(scanner, bytes, (enum code_language)language, &taker, &long_lines);
	const struct kube_document d = { .set = set, .tree = &tree };
	struct fn_doc doc = { .d = &d, .arena = kube_set_arena(set) };
	struct cel_value code = fn_code_archive(&doc, bytes);
	if (code.kind != CEL_MAP && code.kind != CEL_NULL)
		abort();
	fn_code_done(&doc);
	kube_tree_done(&tree);
	kube_set_free(set);
	code_scanner_free(scanner);
	return 0;
}
