/* nuget_assets.c: obj/project.assets.json, what `dotnet restore` resolved for a project, see nuget.h. */
#include "pkg/nuget.h"

static const struct pkg_want nuget_assets_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "project.assets.json" },
	{ .kind = PKG_WANT_END },
};

static int nuget_assets_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	return pkg_nuget_libraries(file, &(struct pkg_nuget_how){ .evidence = BH_EVIDENCE_LOCKFILE }, sink, err);
}

const struct pkg_parser pkg_parser_nuget_assets = {
	.name = "nuget_assets",
	.type = "nuget",
	.wants = nuget_assets_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = nuget_assets_parse,
};
