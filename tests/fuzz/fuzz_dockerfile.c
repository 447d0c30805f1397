/*
 * fuzz_dockerfile.c: any input as a Dockerfile, and its lines as history entries. Instructions keep the order of the file, and one that came
 * out of a history entry comes out of itself. As objects for policies: each stands on a line of the file. Mended by all cures at all lines: the new text has no
 * more problems than the old one, and is mended already.
 */
#include "dockerfile/mend.h"
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

/* ---- mending ---- */

#define LINES_MAX 4096u
#define CHECKS_MAX 64u

static const char *const checks[] = {
#define MEND(check, cure, of, may_break) check,
#include "dockerfile/mends.def"
#undef MEND
};

static bool no_registry(void *ctx, struct bh_slice image, struct bh_arena *arena, struct bh_slice *ret, const char **ret_why)
{
	(void)ctx;
	(void)arena;
	*ret = BH_SLICE_LIT("sha256:0123456789012345678901234567890123456789012345678901234567890123");
	*ret_why = "a name of odd length";
	return image.len % 2 == 0;
}

static bool mend(struct bh_slice text, struct bh_arena *arena, struct df_edit_vec *edits)
{
	static uint32_t lines[LINES_MAX];
	struct df_wish wishes[CHECKS_MAX];
	struct bh_err err = { 0 };
	size_t n = sizeof(checks) / sizeof(checks[0]);
	for (uint32_t i = 0; i < LINES_MAX; i++)
		lines[i] = i + 1;
	for (size_t i = 0; i < n; i++)
		wishes[i] = (struct df_wish){ .check = bh_slice_str(checks[i]), .lines = lines, .n_lines = LINES_MAX };
	const struct df_digests digests = { .digest_of = no_registry };
	const struct df_mend_options options = { .is_risky = true, .digests = &digests };
	return df_mend(text, wishes, n, &options, arena, edits, &err) == 0;
}

static void apply(struct bh_slice text, const struct df_edit_vec *edits, struct bh_buf *out)
{
	size_t at = 0;
	for (size_t i = 0; i < edits->len; i++) {
		const struct df_edit *e = &edits->ptr[i];
		if (e->from < at || e->to < e->from || e->to > text.len)
			abort();
		bh_buf_add(out, bh_slice_sub(text, at, e->from - at));
		bh_buf_add(out, e->text);
		at = e->to;
	}
	bh_buf_add(out, bh_slice_sub(text, at, text.len));
}

static size_t problems_of(struct bh_slice text)
{
	struct df_file f;
	struct bh_err err = { 0 };
	if (df_parse(text, &f, &err) < 0)
		abort();
	size_t n = f.problems.len;
	df_done(&f);
	return n;
}

static void as_mended(struct bh_slice text)
{
	struct df_edit_vec edits = { .max = DF_EDITS_MAX }, again = { .max = DF_EDITS_MAX };
	struct bh_arena arena;
	struct bh_buf out;
	bh_arena_init(&arena, 256u << 20);
	bh_buf_init(&out, 64u << 20);
	if (mend(text, &arena, &edits) && edits.len) {
		apply(text, &edits, &out);
		if (problems_of(bh_buf_slice(&out)) > problems_of(text))
			abort();
		if (mend(bh_buf_slice(&out), &arena, &again) && again.len)
			abort();
	}
	bh_buf_done(&out);
	bh_arena_done(&arena);
	df_edit_vec_done(&edits);
	df_edit_vec_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_dockerfile d;
	struct bh_err err = { 0 };
	struct bh_slice text = { data, size };
	as_history(text);
	as_objects(text);
	as_mended(text);
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
