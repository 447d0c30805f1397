/* config.c: the image configuration (OCI image-spec, config.md; Docker's image specification v1.2 has the same fields). */
#include "image/document.h"

#include "base/limits.h"

#include <stdio.h>

#define TEXT_BYTES_MAX 512u
#define SETTING_BYTES_MAX 32768u   /* a shell script as the command */
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

/* ---- texts for whoever watches ---- */

static bool add_text(struct image_plan *plan, const char *kind, struct bh_slice name, struct bh_slice text)
{
	struct image_text t;
	const char *path = bh_arena_printf(&plan->arena, "%s:%s%s%.*s", plan->texts_of, kind, name.len ? "/" : "", BH_SLICE_FMT(bh_slice_sub(name, 0, TEXT_BYTES_MAX)));
	if (!path || !bh_arena_copy(&plan->arena, text, &t.text))
		return false;
	t.path = bh_slice_str(path);
	return text.len == 0 || image_text_vec_push(&plan->texts, t);
}

/* Words of an array, as one line; or each by itself, called after what stands in front of its "=". */
static bool add_words(struct image_plan *plan, const char *kind, const struct bh_json_node *array, bool is_each)
{
	struct bh_buf line;
	bool ok = true;
	bh_buf_init(&line, BH_MANIFEST_BYTES_MAX);
	for (size_t i = 0; ok && i < bh_json_len(array); i++) {
		struct bh_slice word = bh_json_str(bh_json_at(array, i)), name = word, rest;
		if (is_each) {
			(void)bh_slice_cut(word, '=', &name, &rest);
			ok = add_text(plan, kind, name, word);
		} else {
			ok = (i == 0 || bh_buf_add_byte(&line, ' ')) && bh_buf_add(&line, word);
		}
	}
	ok = ok && (is_each || add_text(plan, kind, (struct bh_slice){ 0 }, bh_buf_slice(&line)));
	bh_buf_done(&line);
	return ok;
}

static bool add_labels(struct image_plan *plan, const struct bh_json_node *labels)
{
	void *iter = NULL;
	struct bh_slice name;
	const struct bh_json_node *value;
	bool ok = true;
	while (ok && bh_json_next(labels, &iter, &name, &value))
		ok = add_text(plan, "Labels", name, bh_json_str(value));
	return ok;
}

static bool add_history(struct image_plan *plan, const struct bh_json_node *history)
{
	static const char *const fields[] = { "created_by", "comment", NULL };
	bool ok = true;
	for (size_t i = 0; ok && i < bh_json_len(history); i++) {
		char number[24];
		int n = snprintf(number, sizeof(number), "%zu", i + 1);
		for (size_t k = 0; ok && fields[k]; k++)
			ok = add_text(plan, fields[k], (struct bh_slice){ (const uint8_t *)number, (size_t)n }, bh_json_str(bh_json_get(bh_json_at(history, i), fields[k])));
	}
	return ok;
}

int image_texts_read(const struct bh_json_node *config, const struct bh_json_node *history, struct image_plan *plan, struct bh_err *err)
{
	bool ok = add_words(plan, "Env", bh_json_get(config, "Env"), true) && add_words(plan, "Entrypoint", bh_json_get(config, "Entrypoint"), false) &&
		  add_words(plan, "Cmd", bh_json_get(config, "Cmd"), false) && add_words(plan, "Healthcheck", bh_json_get(bh_json_get(config, "Healthcheck"), "Test"), false) &&
		  add_words(plan, "OnBuild", bh_json_get(config, "OnBuild"), false) && add_labels(plan, bh_json_get(config, "Labels")) &&
		  add_history(plan, history);
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "configuration: too much text");
}

/* What does not fit is left out: a command of so many words is none. */
static bool add_setting(struct image_plan *plan, enum bh_setting_kind kind, struct bh_slice value)
{
	struct bh_setting s = { .kind = kind };
	return plan->settings.len == plan->settings.max ||
	       (bh_arena_copy(&plan->arena, bh_slice_sub(value, 0, SETTING_BYTES_MAX), &s.value) && bh_setting_vec_push(&plan->settings, s));
}

/* A string, a list of strings, or an object whose names count. */
static bool add_settings(struct image_plan *plan, enum bh_setting_kind kind, const struct bh_json_node *node)
{
	bool ok = true;
	struct bh_slice name;
	const struct bh_json_node *value;
	void *iter = NULL;
	if (bh_json_is_object(node)) {
		while (ok && bh_json_next(node, &iter, &name, &value))
			ok = add_setting(plan, kind, name);
		return ok;
	}
	for (size_t i = 0, n = bh_json_len(node); ok && i < n; i++)
		ok = add_setting(plan, kind, bh_json_str(bh_json_at(node, i)));
	return ok && (bh_json_str(node).len == 0 || add_setting(plan, kind, bh_json_str(node)));
}

static int read_settings(const struct bh_json_node *config, struct image_plan *plan, struct bh_err *err)
{
	static const char *const names[BH_SETTING_KINDS] = {
		[BH_SETTING_ENTRYPOINT] = "Entrypoint", [BH_SETTING_CMD] = "Cmd", [BH_SETTING_ENV] = "Env", [BH_SETTING_USER] = "User",
		[BH_SETTING_WORKDIR] = "WorkingDir", [BH_SETTING_VOLUME] = "Volumes", [BH_SETTING_PORT] = "ExposedPorts",
	};
	const struct bh_json_node *object = bh_json_get(config, "config");
	bool ok = true;
	for (size_t kind = 0; ok && kind < BH_SETTING_KINDS; kind++)
		ok = !names[kind] || add_settings(plan, (enum bh_setting_kind)kind, bh_json_get(object, names[kind]));
	ok = ok && add_settings(plan, BH_SETTING_HEALTHCHECK, bh_json_get(bh_json_get(object, "Healthcheck"), "Test"));
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "configuration: too much text");
}

int image_config_read(const struct bh_json_node *config, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err)
{
	if (!bh_json_is_object(config))
		return bh_fail(err, BH_EMALFORMED, 0, "the configuration is not a JSON object");
	if (wish->whole_config && !bh_json_write(config, NULL, &plan->config))
		return bh_fail(err, BH_ELIMIT, 0, "the configuration is larger than %u bytes", BH_MANIFEST_BYTES_MAX);
	if (!keep(plan, bh_json_get(config, "os"), TEXT_BYTES_MAX, &plan->os) ||
	    !keep(plan, bh_json_get(config, "architecture"), TEXT_BYTES_MAX, &plan->architecture) ||
	    !keep(plan, bh_json_get(config, "variant"), TEXT_BYTES_MAX, &plan->variant) ||
	    !keep(plan, bh_json_get(config, "created"), TEXT_BYTES_MAX, &plan->created))
		return bh_fail(err, BH_ELIMIT, 0, "configuration: too much text");
	int rc = check_platform(wish, plan, err);
	rc = rc < 0 ? rc : read_diff_ids(config, plan, err);
	rc = rc < 0 ? rc : read_history(config, plan, err);
	rc = rc < 0 ? rc : read_settings(config, plan, err);
	rc = rc < 0 ? rc : image_labels_read(bh_json_get(bh_json_get(config, "config"), "Labels"), plan, err);
	return rc < 0 ? rc : image_texts_read(bh_json_get(config, "config"), bh_json_get(config, "history"), plan, err);
}
