/*
 * poetry_lock.c: Poetry's poetry.lock, all versions:
 *
 *     [[package]]
 *     name = "requests"
 *     version = "2.31.0"
 *     category = "dev"              until Poetry 1.4; groups = ["main", "dev"] since 2.0; between them nothing tells
 *     optional = true               needed by an extra
 *     source = { type = "directory" }
 */
#include "pkg/python_lock.h"

static const struct pkg_want poetry_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "poetry.lock" },
	{ .kind = PKG_WANT_END },
};

static bool is_own(const struct bh_toml_node *package)
{
	return bh_slice_eq_str(bh_toml_str(bh_toml_get(bh_toml_get(package, "source"), "type")), "directory");
}

static enum bh_scope scope_of(void *ctx, const struct bh_toml_node *package)
{
	(void)ctx;
	struct bh_slice category = bh_toml_str(bh_toml_get(package, "category"));
	const struct bh_toml_node *groups = bh_toml_get(package, "groups");
	if ((category.len && !bh_slice_eq_str(category, "main")) || (bh_toml_len(groups) && !pkg_python_has(groups, "main")))
		return BH_SCOPE_DEVELOPMENT;
	return bh_toml_bool(bh_toml_get(package, "optional")) ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

static int poetry_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	return pkg_python_lock(file, &(struct pkg_python_lock){ .packages = "package", .own = is_own, .scope = scope_of }, sink, err);
}

const struct pkg_parser pkg_parser_poetry_lock = {
	.name = "poetry_lock",
	.type = "pypi",
	.wants = poetry_lock_wants,
	.max_bytes = PKG_PYTHON_LOCK_BYTES_MAX,
	.parse = poetry_lock_parse,
};
