/*
 * nuget_lock.c: NuGet's packages.lock.json, packages per target framework:
 *
 *     { "version": 1, "dependencies": { "net8.0": { "Serilog": { "type": "Direct", "requested": "[3.0.0, )", "resolved": "3.0.1" } } } }
 *
 * Types: Direct, Transitive, CentralTransitive; Project is a project beside this one and has no version.
 */
#include "pkg/json_items.h"

static const struct pkg_want nuget_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "packages.lock.json" },
	{ .kind = PKG_WANT_GLOB, .path = "packages.*.lock.json" }, /* with NuGetLockFilePath, or per project */
	{ .kind = PKG_WANT_END },
};

static int on_dependency(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	if (bh_slice_eq_str(bh_json_str(bh_json_get(item->value, "type")), "Project"))
		return 0;
	struct bh_package p = {
		.type = BH_SLICE_LIT("nuget"),
		.name = item->key,
		.version = bh_json_str(bh_json_get(item->value, "resolved")),
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(ctx, &p, item->offset_bytes, err);
}

static int nuget_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "dependencies * *", on_dependency }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_nuget_lock = {
	.name = "nuget_lock",
	.type = "nuget",
	.wants = nuget_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = nuget_lock_parse,
};
