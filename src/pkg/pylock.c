/*
 * pylock.c: pylock.toml and pylock.NAME.toml, the lockfile that Python's package managers share (PEP 751):
 *
 *     [[packages]]
 *     name = "requests"
 *     version = "2.31.0"                            may be missing for sources from version control
 *     marker = "'dev' in dependency_groups"         or "'x' in extras": needed by those only
 *     directory = { path = "." }                    the project's own
 */
#include "pkg/python_lock.h"

static const struct pkg_want pylock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "pylock.toml" },
	{ .kind = PKG_WANT_GLOB, .path = "pylock.*.toml" },
	{ .kind = PKG_WANT_END },
};

static bool is_own(const struct bh_toml_node *package)
{
	return bh_toml_is(bh_toml_get(package, "directory"), BH_TOML_TABLE);
}

static bool mentions(struct bh_slice marker, const char *variable)
{
	return bh_slice_search(marker, variable);
}

static enum bh_scope scope_of(void *ctx, const struct bh_toml_node *package)
{
	(void)ctx;
	struct bh_slice marker = bh_toml_str(bh_toml_get(package, "marker"));
	if (mentions(marker, " in extras"))
		return BH_SCOPE_OPTIONAL;
	return mentions(marker, " in dependency_groups") ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME;
}

static int pylock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	return pkg_python_lock(file, &(struct pkg_python_lock){ .packages = "packages", .own = is_own, .scope = scope_of }, sink, err);
}

const struct pkg_parser pkg_parser_pylock = {
	.name = "pylock",
	.type = "pypi",
	.wants = pylock_wants,
	.max_bytes = PKG_PYTHON_LOCK_BYTES_MAX,
	.parse = pylock_parse,
};
