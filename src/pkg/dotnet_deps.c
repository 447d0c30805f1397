/*
 * dotnet_deps.c: NAME.deps.json beside every published .NET application, and beside the shared frameworks of an installed .NET
 * (shared/Microsoft.NETCore.App/VERSION/): the packages whose assemblies the host loads. "libraries" as in nuget.h, and
 *
 *     "targets": { ".NETCoreApp,Version=v8.0": { "Newtonsoft.Json/13.0.1": { "runtime": { "lib/.../Newtonsoft.Json.dll": {} } } } }
 *
 * A package that brings no file in any target (build tools, packages of packages) is there by name only: scope "optional".
 */
#include "base/map.h"
#include "pkg/nuget.h"

#define LIBRARIES_MAX 1000000u

static const struct pkg_want dotnet_deps_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.deps.json" },
	{ .kind = PKG_WANT_END },
};

struct shipped {
	struct bh_map names; /* keys of libraries that bring files */
	struct bh_arena *scratch;
};

static bool brings_files(const struct bh_json_node *library)
{
	static const char *const kinds[] = { "runtime", "runtimeTargets", "native", "resources" };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bh_json_len(bh_json_get(library, kinds[i])))
			return true;
	return false;
}

static int on_target(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct shipped *s = ctx;
	struct bh_slice key;
	if (!brings_files(item->value) || bh_map_get(&s->names, item->key))
		return 0;
	if (!bh_arena_copy(s->scratch, item->key, &key))
		return bh_fail(err, BH_ENOMEM, item->offset_bytes, "out of memory for the names of libraries");
	void **slot = bh_map_put(&s->names, key);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, item->offset_bytes, "more than %u libraries", LIBRARIES_MAX);
	*slot = s;
	return 0;
}

static enum bh_scope scope_of(void *ctx, struct bh_slice library)
{
	struct shipped *s = ctx;
	return bh_map_get(&s->names, library) ? BH_SCOPE_RUNTIME : BH_SCOPE_OPTIONAL;
}

static int dotnet_deps_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct pkg_json_section targets[] = { { "targets * *", on_target }, { 0 } };
	struct shipped shipped = { .scratch = scratch };
	bh_map_init(&shipped.names, LIBRARIES_MAX);
	int rc = pkg_json_each(file->data, targets, &shipped, err);
	if (rc >= 0)
		rc = pkg_nuget_libraries(file, &(struct pkg_nuget_how){ BH_EVIDENCE_DATABASE, scope_of, &shipped }, sink, err);
	bh_map_done(&shipped.names);
	return rc;
}

const struct pkg_parser pkg_parser_dotnet_deps = {
	.name = "dotnet_deps",
	.type = "nuget",
	.wants = dotnet_deps_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = dotnet_deps_parse,
};
