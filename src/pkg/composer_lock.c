/*
 * composer_lock.c: PHP's composer.lock: { "packages": [ENTRY...], "packages-dev": [ENTRY...] }, entries as in composer.h.
 */
#include "pkg/composer.h"

static const struct pkg_want composer_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "composer.lock" },
	{ .kind = PKG_WANT_END },
};

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return pkg_composer_entry(ctx, item, BH_EVIDENCE_LOCKFILE, BH_SCOPE_RUNTIME, err);
}

static int on_development(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	return pkg_composer_entry(ctx, item, BH_EVIDENCE_LOCKFILE, BH_SCOPE_DEVELOPMENT, err);
}

static int composer_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "packages *", on_package }, { "packages-dev *", on_development }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_composer_lock = {
	.name = "composer_lock",
	.type = "composer",
	.wants = composer_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = composer_lock_parse,
};
