/*
 * composer_installed.c: what Composer installed, vendor/composer/installed.json, entries as in composer.h:
 *
 *     [ENTRY, ENTRY]                                                        Composer 1
 *     { "packages": [ENTRY...], "dev-package-names": ["vendor/name"...] }   Composer 2
 *
 * The names of development packages stand behind the packages, so that the file is read twice.
 */
#include "base/map.h"
#include "pkg/composer.h"

#define DEVELOPMENT_NAMES_MAX 100000u

static const struct pkg_want composer_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "composer/installed.json" },
	{ .kind = PKG_WANT_END },
};

struct installed {
	struct pkg_notes notes;
	struct bh_map development; /* names; the values only say that they are there */
	struct bh_arena *scratch;
};

static int on_name(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct installed *in = ctx;
	struct bh_slice name;
	if (!bh_arena_copy(in->scratch, bh_json_str(item->value), &name))
		return bh_fail(err, BH_ENOMEM, item->offset_bytes, "out of memory for the names of development packages");
	void **slot = bh_map_put(&in->development, name);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, item->offset_bytes, "more than %u development packages", DEVELOPMENT_NAMES_MAX);
	*slot = in;
	return 0;
}

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct installed *in = ctx;
	bool development = bh_map_get(&in->development, bh_json_str(bh_json_get(item->value, "name")));
	return pkg_composer_entry(&in->notes, item, BH_EVIDENCE_DATABASE, development ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME, err);
}

static int composer_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section version_1[] = { { "*", on_package }, { 0 } };
	static const struct pkg_json_section names[] = { { "dev-package-names *", on_name }, { 0 } };
	static const struct pkg_json_section version_2[] = { { "packages *", on_package }, { 0 } };
	struct installed in = { .notes = { .sink = sink }, .scratch = scratch };
	bool is_list = bh_slice_starts(bh_slice_trim(pkg_without_bom(file->data)), BH_SLICE_LIT("["));
	bh_map_init(&in.development, DEVELOPMENT_NAMES_MAX);
	int rc = is_list ? 0 : pkg_json_each(file->data, names, &in, err);
	if (rc >= 0)
		rc = pkg_json_each(file->data, is_list ? version_1 : version_2, &in, err);
	bh_map_done(&in.development);
	return rc < 0 ? rc : pkg_notes_end(&in.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_composer_installed = {
	.name = "composer_installed",
	.type = "composer",
	.wants = composer_installed_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = composer_installed_parse,
};
