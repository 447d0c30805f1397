/*
 * fuzz_kube_patch.c: {"document": ..., "patch": [...]}: the patch is applied by both sets of rules; the difference of the document and what it became is a patch
 * that does the same.
 */
#include "kube/objects.h"
#include "kube/patch.h"

#include <stdlib.h>

#define MEMORY_BYTES_MAX (64u << 20)
#define CHANGES_MAX 10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void find_back(struct bh_arena *arena, struct cel_value before, struct cel_value after)
{
	struct kube_change_vec changes = { .max = CHANGES_MAX };
	struct cel_value steps, again;
	struct bh_err err;
	int rc = kube_difference(arena, before, after, &changes, &err);
	rc = rc < 0 ? rc : kube_difference_steps(arena, &changes, &steps, &err);
	if (rc == 0 && kube_length(steps) <= KUBE_PATCH_STEPS_MAX) {
		rc = kube_patch_apply(arena, before, steps, KUBE_PATCH_RFC, &again, &err);
		if (rc == BH_EMALFORMED || rc == 0 || (rc > 0 && !cel_equal(again, after)))
			abort();
	}
	kube_change_vec_done(&changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum kube_patch_rules rules[] = { KUBE_PATCH_RFC, KUBE_PATCH_SERVER };
	struct kube_set *set;
	struct kube_tree *input = NULL;
	struct cel_value after;
	struct bh_arena arena;
	struct bh_err err;
	if (kube_set_new(MEMORY_BYTES_MAX, &set, &err) < 0)
		return 0;
	bh_arena_init(&arena, MEMORY_BYTES_MAX);
	if (kube_set_parse(set, (struct bh_slice){ data, size }, &input, &err) == 0) {
		struct cel_value document = kube_get(input->root, "document"), patch = kube_get(input->root, "patch");
		for (size_t i = 0; i < 2; i++)
			if (kube_patch_apply(&arena, document, patch, rules[i], &after, &err) > 0)
				find_back(&arena, document, after);
	}
	bh_arena_done(&arena);
	kube_set_free(set);
	return 0;
}
