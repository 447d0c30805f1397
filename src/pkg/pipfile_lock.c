/*
 * pipfile_lock.c: Pipenv's Pipfile.lock:
 *
 *     { "_meta": {...}, "default": { "requests": { "version": "==2.31.0" } }, "develop": { ... } }
 *
 * Further categories stand beside these two, under names of their own: optional. What comes from git or a folder has no version.
 */
#include "pkg/json_items.h"

static const struct pkg_want pipfile_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Pipfile.lock" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, const struct pkg_json_item *item, enum bh_scope scope, struct bh_err *err)
{
	struct bh_slice exact = BH_SLICE_LIT("=="), version = bh_json_str(bh_json_get(item->value, "version"));
	if (bh_json_get(item->value, "path") || !bh_json_is_object(item->value))
		return 0; /* the project's own folders */
	struct bh_package p = {
		.type = BH_SLICE_LIT("pypi"),
		.name = item->key,
		.version = bh_slice_starts(version, exact) ? bh_slice_sub(version, exact.len, version.len) : (struct bh_slice){ 0 },
		.scope = scope,
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(notes, &p, item->offset_bytes, err);
}

static int on_default(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return give(ctx, item, BH_SCOPE_RUNTIME, err);
}

static int on_develop(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return give(ctx, item, BH_SCOPE_DEVELOPMENT, err);
}

static int on_meta(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	(void)ctx, (void)item, (void)err;
	return 0;
}

static int on_category(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return give(ctx, item, BH_SCOPE_OPTIONAL, err);
}

static int pipfile_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	/* The first pattern that agrees decides. */
	static const struct pkg_json_section sections[] = { { "_meta *", on_meta }, { "default *", on_default }, { "develop *", on_develop },
							    { "* *", on_category }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pipfile_lock = {
	.name = "pipfile_lock",
	.type = "pypi",
	.wants = pipfile_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = pipfile_lock_parse,
};
