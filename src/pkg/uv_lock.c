/*
 * uv_lock.c: uv's uv.lock:
 *
 *     [[package]]
 *     name = "app"
 *     version = "1.0.0"
 *     source = { virtual = "." }                  or editable, directory: the project, its workspace, its folders
 *     dependencies = [{ name = "requests" }]
 *     [package.optional-dependencies]             extras
 *     x = [{ name = "click" }]
 *     [package.dev-dependencies]                  groups
 *     dev = [{ name = "pytest" }]
 *
 * A package is development's when no chain of others leads to it from the project's dependencies. Names are enough for that: several
 * versions of one name are for different platforms.
 */
#include "pkg/python_lock.h"
#include "pkg/reach.h"

static const struct pkg_want uv_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "uv.lock" },
	{ .kind = PKG_WANT_END },
};

static bool is_own(const struct bh_toml_node *package)
{
	const struct bh_toml_node *source = bh_toml_get(package, "source");
	return bh_toml_get(source, "virtual") || bh_toml_get(source, "editable") || bh_toml_get(source, "directory");
}

/* [{ name = "requests" }] */
static bool add_list(struct pkg_reach *reach, struct pkg_reach_node *from, const struct bh_toml_node *list, enum bh_scope scope)
{
	for (size_t i = 0; i < bh_toml_len(list); i++) {
		struct pkg_reach_node *to = pkg_reach_node(reach, bh_toml_str(bh_toml_get(bh_toml_at(list, i), "name")));
		if (!to || !pkg_reach_edge(reach, from, to, scope))
			return false;
	}
	return true;
}

static bool add_lists(struct pkg_reach *reach, struct pkg_reach_node *from, const struct bh_toml_node *groups, enum bh_scope scope)
{
	struct bh_slice key;
	const struct bh_toml_node *list;
	for (size_t i = 0; bh_toml_pair(groups, i, &key, &list); i++)
		if (!add_list(reach, from, list, scope))
			return false;
	return true;
}

/* What a package's own extras bring counts as asked for: who uses the package named them, or nobody did and they are not in the lock. */
static bool add_package(struct pkg_reach *reach, struct pkg_reach_node *project, const struct bh_toml_node *package)
{
	bool own = is_own(package);
	struct pkg_reach_node *node = own ? project : pkg_reach_node(reach, bh_toml_str(bh_toml_get(package, "name")));
	return node && add_list(reach, node, bh_toml_get(package, "dependencies"), BH_SCOPE_RUNTIME) &&
	       add_lists(reach, node, bh_toml_get(package, "optional-dependencies"), own ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME) &&
	       add_lists(reach, node, bh_toml_get(package, "dev-dependencies"), BH_SCOPE_DEVELOPMENT);
}

static int begin(void *ctx, const struct bh_toml_node *packages, struct bh_err *err)
{
	struct pkg_reach *reach = ctx;
	struct pkg_reach_node *project = pkg_reach_node(reach, BH_SLICE_LIT(""));
	bool ok = project;
	for (size_t i = 0; ok && i < bh_toml_len(packages); i++)
		ok = add_package(reach, project, bh_toml_at(packages, i));
	if (!ok)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the dependencies of uv.lock");
	pkg_reach_from(reach, project);
	return 0;
}

static enum bh_scope scope_of(void *ctx, const struct bh_toml_node *package)
{
	return pkg_reach_scope(ctx, bh_toml_str(bh_toml_get(package, "name")));
}

static int uv_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_reach reach;
	pkg_reach_init(&reach, scratch);
	struct pkg_python_lock lock = { .packages = "package", .own = is_own, .scope = scope_of, .begin = begin, .ctx = &reach };
	int rc = pkg_python_lock(file, &lock, sink, err);
	pkg_reach_done(&reach);
	return rc;
}

const struct pkg_parser pkg_parser_uv_lock = {
	.name = "uv_lock",
	.type = "pypi",
	.wants = uv_lock_wants,
	.max_bytes = PKG_PYTHON_LOCK_BYTES_MAX,
	.parse = uv_lock_parse,
};
