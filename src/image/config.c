/* config.c: the image configuration (OCI image-spec, config.md; Docker's image specification v1.2 has the same fields). */
#include "image/document.h"

#include "base/limits.h"

#define TEXT_BYTES_MAX 512u
#define CREATED_BY_BYTES_MAX 2048u /* a history entry can hold a whole script; its start is enough to recognise it */

static bool keep(struct image_plan *plan, const struct bh_json_node *node, size_t max, struct bh_slice *out)
{
	return bh_arena_copy(&plan->arena, bh_slice_sub(bh_json_str(node), 0, max), out);
}

static int check_platform(const struct image_wish *wish, const struct image_plan *plan, struct bh_err *err)
{
	struct image_platform have;
	if (!wish->platform_given || !plan->architecture.len || !image_platform_of(plan->os, plan->architecture, plan->variant, &have) ||
	    image_platform_rank(&wish->platform, true, &have) >= 0)
		return 0;
	char w[IMAGE_PLATFORM_TEXT_BYTES], h[IMAGE_PLATFORM_TEXT_BYTES];
	return bh_fail(err, BH_ENOTFOUND, 0, "the image is for %s; %s was asked for", image_platform_text(&have, h),
		       image_platform_text(&wish->platform, w));
}

static int read_diff_ids(const struct bh_json_node *config, struct image_plan *plan, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(bh_json_get(config, "rootfs"), "diff_ids");
	size_t n = bh_json_len(list);
	if (n != plan->layers.len)
		return bh_fail(err, BH_EMALFORMED, 0, "the manifest has %zu layers but the configuration lists %zu diff_ids", plan->layers.len, n);
	for (size_t i = 0; i < n; i++) {
		struct bh_slice text = bh_json_str(bh_json_at(list, i));
		if (!bh_digest_parse(text, &plan->layers.ptr[i].diff_id))
			return bh_fail(err, BH_EMALFORMED, 0, "configuration: diff_ids[%zu] \"%.*s\" is not sha256 or sha512 in lower-case hex", i,
				       BH_SLICE_FMT(bh_slice_sub(text, 0, 150)));
	}
	return 0;
}

/* Entries that made no layer are marked. When the rest is not one for each layer, nothing is told rather than guessed. */
static int read_history(const struct bh_json_node *config, struct image_plan *plan, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(config, "history");
	size_t n = bh_json_len(list), made = 0;
	for (size_t i = 0; i < n; i++)
		made += !bh_json_bool(bh_json_get(bh_json_at(list, i), "empty_layer"));
	if (made != plan->layers.len)
		return 0;
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		const struct bh_json_node *entry = bh_json_at(list, i);
		if (bh_json_bool(bh_json_get(entry, "empty_layer")))
			continue;
		if (!keep(plan, bh_json_get(entry, "created_by"), CREATED_BY_BYTES_MAX, &plan->layers.ptr[at++].created_by))
			return bh_fail(err, BH_ELIMIT, 0, "configuration: too much text in its history");
	}
	return 0;
}

int image_config_read(const struct bh_json_node *config, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err)
{
	if (!bh_json_is_object(config))
		return bh_fail(err, BH_EMALFORMED, 0, "the configuration is not a JSON object");
	if (!keep(plan, bh_json_get(config, "os"), TEXT_BYTES_MAX, &plan->os) ||
	    !keep(plan, bh_json_get(config, "architecture"), TEXT_BYTES_MAX, &plan->architecture) ||
	    !keep(plan, bh_json_get(config, "variant"), TEXT_BYTES_MAX, &plan->variant) ||
	    !keep(plan, bh_json_get(config, "created"), TEXT_BYTES_MAX, &plan->created))
		return bh_fail(err, BH_ELIMIT, 0, "configuration: too much text");
	int rc = check_platform(wish, plan, err);
	rc = rc < 0 ? rc : read_diff_ids(config, plan, err);
	return rc < 0 ? rc : read_history(config, plan, err);
}
