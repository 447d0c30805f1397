#include "kube/fix_dockerfile.h"

#include "dockerfile/mend.h"

bool fix_is_dockerfile(const struct kube_set *set)
{
	const struct kube_object_vec *all = kube_set_objects(set);
	return all->len && bh_slice_eq_str(all->ptr[0].kind, "Dockerfile") && bh_slice_eq_str(all->ptr[0].api_version, "bulkhead.io/v1");
}

static int take_edits(const struct df_edit_vec *from, struct kube_edit_vec *to, struct bh_err *err)
{
	for (size_t i = 0; i < from->len; i++)
		if (!kube_edit_vec_push(to, (struct kube_edit){ .from = from->ptr[i].from, .to = from->ptr[i].to, .text = from->ptr[i].text, .order = i }))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for the changes of a Dockerfile");
	return 0;
}

static bool digest_of(void *ctx, struct bh_slice image, struct bh_arena *arena, struct bh_slice *ret, const char **ret_why)
{
	const struct kube_resolver *resolver = ctx;
	char digest[BH_DIGEST_TEXT_BYTES];
	struct bh_err why = { 0 };
	int rc = resolver->resolve(resolver->ctx, image, digest, &why);
	if (rc == 0 && bh_arena_copy(arena, bh_slice_str(digest), ret))
		return true;
	const char *text = bh_arena_strdup(arena, bh_slice_str(why.text));
	*ret_why = text ? text : "its registry could not be asked";
	return false;
}

int fix_dockerfile(struct bh_slice text, const struct kube_fix_wish_vec *wishes, enum kube_mend_level level, const struct kube_resolver *resolver, struct bh_arena *arena,
		   struct kube_edit_vec *edits, const char **whys, struct bh_err *err)
{
	struct kube_resolver asked = { 0 };
	const struct df_digests digests = { .digest_of = digest_of, .ctx = &asked };
	const struct df_mend_options options = { .is_risky = level == KUBE_MEND_ALL, .digests = resolver ? &digests : NULL };
	struct df_wish *all = bh_arena_array(arena, wishes->len + 1, sizeof(*all));
	struct df_edit_vec made = { .max = DF_EDITS_MAX };
	if (!all)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for what is to be mended");
	for (size_t i = 0; i < wishes->len; i++)
		all[i] = (struct df_wish){ .check = wishes->ptr[i]->check, .lines = wishes->ptr[i]->lines.ptr, .n_lines = wishes->ptr[i]->lines.len };
	if (resolver)
		asked = *resolver;
	int rc = df_mend(text, all, wishes->len, &options, arena, &made, err);
	rc = rc < 0 ? rc : take_edits(&made, edits, err);
	for (size_t i = 0; rc == 0 && i < wishes->len; i++)
		whys[i] = all[i].why;
	df_edit_vec_done(&made);
	return rc;
}
