/*
 * pdm_lock.c: PDM's pdm.lock:
 *
 *     [[package]]
 *     name = "requests"
 *     version = "2.31.0"
 *     groups = ["default", "dev"]    since lock version 4.4; other names than these are extras or groups of development: not told apart
 *     path = "./folder"              the project's own
 */
#include "pkg/python_lock.h"

static const struct pkg_want pdm_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "pdm.lock" },
	{ .kind = PKG_WANT_END },
};

/* A folder, not an archive in one. */
static bool is_own(const struct bh_toml_node *package)
{
	struct bh_slice path = bh_toml_str(bh_toml_get(package, "path"));
	return path.len && !bh_slice_ends(path, BH_SLICE_LIT(".whl")) && !bh_slice_ends(path, BH_SLICE_LIT(".tar.gz"));
}

static enum bh_scope scope_of(void *ctx, const struct bh_toml_node *package)
{
	(void)ctx;
	const struct bh_toml_node *groups = bh_toml_get(package, "groups");
	if (bh_toml_len(groups) == 0 || pkg_python_has(groups, "default"))
		return BH_SCOPE_RUNTIME;
	return bh_toml_len(groups) == 1 && pkg_python_has(groups, "dev") ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_OPTIONAL;
}

static int pdm_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	return pkg_python_lock(file, &(struct pkg_python_lock){ .packages = "package", .own = is_own, .scope = scope_of }, sink, err);
}

const struct pkg_parser pkg_parser_pdm_lock = {
	.name = "pdm_lock",
	.type = "pypi",
	.wants = pdm_lock_wants,
	.max_bytes = PKG_PYTHON_LOCK_BYTES_MAX,
	.parse = pdm_lock_parse,
};
