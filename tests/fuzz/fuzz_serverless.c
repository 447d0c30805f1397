/*
 * fuzz_serverless.c: any input as a document with functions, or services of Compose. What is made of it has a name, a place in the document or none, and no value that is an error.
 */
#include <stdlib.h>

#include "kube/compose.h"
#include "serverless/serverless.h"

#define MEMORY_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void walk(const struct kube_tree *tree, struct cel_value v, unsigned depth)
{
	struct bh_buf path;
	if (v.kind == CEL_ERROR)
		abort();
	bh_buf_init(&path, 4096);
	for (size_t i = 0; depth < 12 && v.kind == CEL_LIST && i < v.list->len; i++)
		walk(tree, v.list->items[i], depth + 1);
	for (size_t i = 0; depth < 12 && v.kind == CEL_MAP && i < v.map->len && i < 64; i++) {
		bh_buf_clear(&path);
		(void)kube_tree_find(tree, v.map, v.map->entries[i].key.text, &path);
		walk(tree, v.map->entries[i].value, depth + 1);
	}
	bh_buf_done(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_set *set;
	struct serverless functions;
	struct bh_err err;
	if (kube_set_new(MEMORY_BYTES_MAX, &set, &err) < 0)
		return 0;
	serverless_init(&functions, 1795737600);
	const struct kube_foreign *const foreigners[] = { &functions.foreign, &kube_compose_services, NULL };
	kube_set_foreigners(set, foreigners);
	if (kube_set_read(set, BH_SLICE_LIT("functions"), (struct bh_slice){ data, size }, &err) == 0) {
		const struct kube_object_vec *all = kube_set_objects(set);
		for (size_t i = 0; i < all->len && i < 64; i++)
			if (bh_slice_eq_str(all->ptr[i].api_version, "bulkhead.io/v1"))
				walk(all->ptr[i].tree, all->ptr[i].value, 0);
	}
	kube_set_free(set);
	return 0;
}
