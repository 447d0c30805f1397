/*
 * fuzz_kube_fix.c: any input as manifests, behind a line "%%%" as mutating policies: every object is mended by them - without any, by some of the built-in
 * ones, which take longer to compile -, and the changes are written back into the text; so are services of Compose. What is read of the new text is what was wanted, and its objects are mended already.
 */
#include "kube/compose.h"
#include "kube/map.h"
#include "kube/mend.h"
#include "kube/rewrite.h"

#include <stdlib.h>

#define MEMORY_BYTES_MAX (64u << 20)
#define TEXT_BYTES_MAX (16u << 20)
#define OBJECTS_MAX 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static const struct kube_foreign *const foreigners[] = { &kube_compose_services, NULL };

struct fixing {
	struct bh_slice text;
	struct kube_set *set, *policies;
	struct kube_world world;
	struct kube_mender *mender;
	struct bh_arena arena;
	struct cel_value wanted[OBJECTS_MAX];
	const char *refused[OBJECTS_MAX];
};

static bool add_policies(struct fixing *f)
{
	const struct kube_object_vec *all = kube_set_objects(f->policies);
	bool ok = true;
	for (size_t i = 0; ok && i < all->len; i++) {
		struct bh_buf why;
		struct bh_err err;
		if (!map_is_policy(&all->ptr[i]))
			continue;
		bh_buf_init(&why, 64u << 10);
		int rc = kube_mender_add(f->mender, &all->ptr[i], &why, &err);
		if (rc == BH_EMALFORMED && why.len == 0)
			abort();
		ok = rc == 0 || rc == BH_EMALFORMED;
		bh_buf_done(&why);
	}
	return ok;
}

static bool mend(struct fixing *f, const struct kube_object *o, struct kube_mended *ret)
{
	static const struct bh_slice checks[] = {
		BH_SLICE_LIT("pss-capabilities-dropped"), BH_SLICE_LIT("pss-host-ports"), BH_SLICE_LIT("pss-seccomp-set"),
		BH_SLICE_LIT("compose-no-new-privileges"), BH_SLICE_LIT("compose-capabilities"), BH_SLICE_LIT("compose-port-everywhere"),
	};
	struct bh_err err;
	size_t n_checks = kube_mender_is_for_all(f->mender) ? 0 : sizeof(checks) / sizeof(checks[0]);
	const struct kube_mend_wish wish = {
		.object = o, .checks = checks, .n_checks = n_checks, .level = KUBE_MEND_ALL, .with_all = true, .arena = &f->arena,
	};
	return kube_mend(f->mender, &wish, ret, &err) == 0;
}

static bool is_same(struct fixing *f, const struct kube_object *o, struct cel_value wanted)
{
	return cel_same(kube_written_part(o, o->value, &f->arena), kube_written_part(o, wanted, &f->arena));
}

static void check_text(struct fixing *f, struct bh_slice text)
{
	const struct kube_object_vec *before = kube_set_objects(f->set);
	struct kube_set *now;
	struct bh_err err;
	if (kube_set_new(MEMORY_BYTES_MAX, &now, &err) < 0)
		return;
	kube_set_foreigners(now, foreigners);
	if (kube_set_read(now, BH_SLICE_LIT("manifests"), text, &err) == 0) {
		const struct kube_object_vec *after = kube_set_objects(now);
		if (after->len != before->len)
			abort();
		for (size_t i = 0; i < after->len; i++) {
			struct kube_mended again;
			if (!is_same(f, &after->ptr[i], f->refused[i] ? before->ptr[i].value : f->wanted[i]))
				abort();
			if (!f->refused[i] && mend(f, &after->ptr[i], &again) && again.why.len == 0 && !is_same(f, &after->ptr[i], again.value))
				abort();
		}
	}
	kube_set_free(now);
}

static void rewrite(struct fixing *f)
{
	struct kube_edit_vec edits = { .max = KUBE_EDITS_MAX };
	struct bh_buf text, diff;
	struct bh_err err;
	const struct kube_rewrite r = { .file = BH_SLICE_LIT("manifests"), .text = f->text, .set = f->set, .foreigners = foreigners, .wanted = f->wanted, .refused = f->refused, .arena = &f->arena };
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_init(&diff, 2 * TEXT_BYTES_MAX);
	if (kube_rewrite(&r, &edits, &text, &err) == 0 && edits.len) {
		check_text(f, bh_buf_slice(&text));
		if (kube_edits_print(BH_SLICE_LIT("manifests"), kube_text_behind_mark(f->text), &edits, &diff, &err) == 0 && diff.len == 0)
			abort();
	}
	kube_edit_vec_done(&edits);
	bh_buf_done(&text);
	bh_buf_done(&diff);
}

static void fix(struct fixing *f)
{
	const struct kube_object_vec *all = kube_set_objects(f->set);
	struct bh_err err;
	bool ok = all->len > 0 && all->len <= OBJECTS_MAX && kube_set_problems(f->set)->len == 0 && kube_world_init(&f->world, all, &err) == 0;
	ok = ok && kube_mender_new(VAP_NEWEST_MINOR, &f->world, &f->mender, &err) == 0 && add_policies(f);
	for (size_t i = 0; ok && i < all->len; i++) {
		struct kube_mended mended;
		ok = mend(f, &all->ptr[i], &mended);
		if (ok)
			f->wanted[i] = mended.value;
	}
	if (ok)
		rewrite(f);
	kube_mender_free(f->mender);
	kube_world_done(&f->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice text = { data, size };
	const uint8_t *cut = bh_slice_search(text, "\n%%%\n");
	struct fixing f = { .text = { data, cut ? (size_t)(cut - data) + 1 : size } };
	struct bh_slice policies = cut ? bh_slice_sub(text, f.text.len + 4, size) : (struct bh_slice){ 0 };
	struct bh_err err;
	bh_arena_init(&f.arena, MEMORY_BYTES_MAX);
	bool ok = kube_set_new(MEMORY_BYTES_MAX, &f.set, &err) == 0 && kube_set_new(MEMORY_BYTES_MAX, &f.policies, &err) == 0;
	if (ok)
		kube_set_foreigners(f.set, foreigners);
	if (ok && kube_set_read(f.set, BH_SLICE_LIT("manifests"), f.text, &err) == 0 && kube_set_read(f.policies, BH_SLICE_LIT("policies"), policies, &err) == 0)
		fix(&f);
	kube_set_free(f.set);
	kube_set_free(f.policies);
	bh_arena_done(&f.arena);
	return 0;
}
