/*
 * fuzz_dockerfile.c: any input as a Dockerfile, and its lines as history entries. Instructions keep the order of the file, and one that came
 * out of a history entry comes out of itself. As objects for policies: each stands on a line of the file.
 */
#include "kube/dockerfile.h"
#include "policy/dockerfile.h"
#include "policy/instruction.h"

#include "base/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_history(struct bh_slice text)
{
	struct bh_reader r = bh_reader_of(text);
	struct bh_slice line;
	for (size_t i = 0; i < 64 && bh_take_line(&r, &line); i++) {
		struct bh_arena a;
		bh_arena_init(&a, 1u << 20);
		const char *once = policy_instruction_of(line, &a);
		if (once && strlen(once) > line.len + sizeof("RUN "))
			abort();
		bh_arena_done(&a);
	}
}

static void as_objects(struct bh_slice text)
{
	static const struct kube_foreign *const foreigners[] = { &kube_dockerfile, NULL };
	struct kube_set *set;
	struct bh_err err = { 0 };
	if (kube_set_new(256u << 20, &set, &err) < 0)
		return;
	kube_set_foreigners(set, foreigners);
	if (kube_set_read(set, BH_SLICE_LIT("Dockerfile"), text, &err) == 0) {
		const struct kube_object_vec *all = kube_set_objects(set);
		for (size_t i = 0; i < all->len; i++)
			if (all->ptr[i].value.kind != CEL_MAP || all->ptr[i].line == 0 || all->ptr[i].name.len == 0)
				abort();
	}
	kube_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_dockerfile d;
	struct bh_err err = { 0 };
	struct bh_slice text = { data, size };
	as_history(text);
	as_objects(text);
	if (policy_dockerfile_parse(text, &d, &err) < 0)
		return 0;
	for (size_t i = 1; i < d.all.len; i++)
		if (d.all.ptr[i].line <= d.all.ptr[i - 1].line)
			abort();
	for (size_t i = 1; i < d.path.len; i++)
		if (d.path.ptr[i].line <= d.path.ptr[i - 1].line)
			abort();
	policy_dockerfile_done(&d);
	return 0;
}
