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

/* Entries that made no layer are marked. When the rest is not one for each layer, nobody's layer is told rather than guessed. */
static int read_history(const struct bh_json_node *config, struct image_plan *plan, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(config, "history");
	size_t n = bh_json_len(list), made = 0;
	for (size_t i = 0; i < n; i++)
		made += !bh_json_bool(bh_json_get(bh_json_at(list, i), "empty_layer"));
	bool fits = made == plan->layers.len;
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		const struct bh_json_node *entry = bh_json_at(list, i);
		bool empty = bh_json_bool(bh_json_get(entry, "empty_layer"));
		struct bh_history h = { .layer = fits && !empty ? at++ : BH_NO_LAYER };
		if (!keep(plan, bh_json_get(entry, "created_by"), CREATED_BY_BYTES_MAX, &h.created_by) ||
		    !keep(plan, bh_json_get(entry, "comment"), TEXT_BYTES_MAX, &h.comment) ||
		    !keep(plan, bh_json_get(entry, "created"), TEXT_BYTES_MAX, &h.created))
			return bh_fail(err, BH_ELIMIT, 0, "configuration: too much text in its history");
		if (h.layer != BH_NO_LAYER)
			plan->layers.ptr[h.layer].created_by = h.created_by;
		if (plan->history.len < plan->history.max && !bh_history_vec_push(&plan->history, h))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return 0;
}

static bool has_label(const struct image_plan *plan, struct bh_slice name)
{
	for (size_t i = 0; i < plan->labels.len; i++)
		if (bh_slice_eq(plan->labels.ptr[i].name, name))
			return true;
	return false;
}

int image_labels_read(const struct bh_json_node *object, struct image_plan *plan, struct bh_err *err)
{
	void *iter = NULL;
	struct bh_slice name;
	const struct bh_json_node *value;
	while (plan->labels.len < plan->labels.max && bh_json_next(object, &iter, &name, &value)) {
		struct bh_label l;
		name = bh_slice_sub(name, 0, TEXT_BYTES_MAX);
		if (name.len == 0 || has_label(plan, name))
			continue;
		if (!bh_arena_copy(&plan->arena, name, &l.name) || !keep(plan, value, CREATED_BY_BYTES_MAX, &l.value) ||
		    !bh_label_vec_push(&plan->labels, l))
			return bh_fail(err, BH_ELIMIT, 0, "too much text in the labels");
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
	rc = rc < 0 ? rc : read_history(config, plan, err);
	return rc < 0 ? rc : image_labels_read(bh_json_get(bh_json_get(config, "config"), "Labels"), plan, err);
}
