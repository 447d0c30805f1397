/* npm.c: see npm.h. */
#include "pkg/npm.h"

/* The last part of *path is taken off it; false when none is left. */
static bool take_last(struct bh_slice *path, struct bh_slice *ret)
{
	if (path->len == 0)
		return false;
	*ret = bh_slice_base(*path);
	*path = bh_slice_folder(*path);
	return true;
}

/* ".../node_modules/NAME" or ".../share/nodejs/NAME" (Debian's): the name; *dir becomes what is in front of node_modules. */
static bool take_package(struct bh_slice *dir, struct bh_slice *ret_name)
{
	struct bh_slice rest = *dir, name, scope, parent;
	if (!take_last(&rest, &name) || !take_last(&rest, &parent))
		return false;
	if (parent.len && parent.ptr[0] == '@') {
		scope = parent;
		name = (struct bh_slice){ scope.ptr, scope.len + 1 + name.len };
		if (!take_last(&rest, &parent))
			return false;
	}
	bool debian = bh_slice_eq_str(parent, "nodejs") && bh_slice_eq_str(bh_slice_base(rest), "share");
	if (!debian && !bh_slice_eq_str(parent, "node_modules"))
		return false;
	*ret_name = name;
	*dir = rest;
	return true;
}

/* ".../node_modules/.pnpm/NAME@VERSION": where pnpm, Bun and Deno keep the one copy of a package, in a node_modules of its own. */
static bool take_store(struct bh_slice *dir)
{
	static const char *const stores[] = { ".pnpm", ".bun", ".deno", ".store" };
	struct bh_slice rest = *dir, entry, store, modules;
	if (!take_last(&rest, &entry) || !take_last(&rest, &store) || !take_last(&rest, &modules) || !bh_slice_eq_str(modules, "node_modules"))
		return false;
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		if (bh_slice_eq_str(store, stores[i])) {
			*dir = rest;
			return true;
		}
	return false;
}

static bool has_part(struct bh_slice path, const char *const *names, size_t n_names)
{
	struct bh_slice part;
	while (path.len) {
		(void)bh_slice_cut(path, '/', &part, &path);
		for (size_t i = 0; i < n_names; i++)
			if (bh_slice_eq_str(part, names[i]))
				return true;
	}
	return false;
}

static bool below_modules(struct bh_slice dir)
{
	static const char *const modules[] = { "node_modules" };
	return has_part(dir, modules, 1);
}

static bool below_tests(struct bh_slice dir)
{
	static const char *const names[] = { "test", "tests", "__tests__", "fixture", "fixtures", "__fixtures__", "example", "examples", "spec" };
	return has_part(dir, names, sizeof(names) / sizeof(names[0]));
}

enum pkg_npm_folder pkg_npm_folder(struct bh_slice dir, struct bh_slice *ret_name)
{
	struct bh_slice outer;
	if (!take_package(&dir, ret_name))
		return PKG_NPM_NO_PACKAGE;
	while (below_modules(dir))
		if (!take_store(&dir) && !take_package(&dir, &outer))
			return below_tests(dir) ? PKG_NPM_FIXTURE : PKG_NPM_VENDORED;
	return PKG_NPM_INSTALLED;
}

bool pkg_npm_inside_package(struct bh_slice path)
{
	return below_modules(bh_slice_folder(path));
}

bool pkg_npm_cut(struct bh_slice text, struct bh_slice *ret_name, struct bh_slice *ret_rest)
{
	size_t scope = text.len && text.ptr[0] == '@' ? 1 : 0; /* the "@" in front of a scope is part of the name */
	size_t at = scope + bh_slice_find(bh_slice_sub(text, scope, text.len), '@');
	*ret_name = bh_slice_sub(text, 0, at);
	*ret_rest = bh_slice_sub(text, at + 1, text.len);
	return at < text.len;
}

bool pkg_npm_is_version(struct bh_slice text)
{
	bool digit = text.len && text.ptr[0] >= '0' && text.ptr[0] <= '9';
	return digit && bh_slice_find(text, '/') == text.len && bh_slice_find(text, ':') == text.len;
}

/* "MIT", { "type": "MIT", "url": ... } */
static struct bh_slice one_license(const struct bh_json_node *value)
{
	struct bh_slice text = bh_json_str(value);
	return text.len ? text : bh_json_str(bh_json_get(value, "type"));
}

void pkg_npm_license(const struct bh_json_node *package, struct bh_buf *license)
{
	static const char *const keys[] = { "license", "licenses" }; /* the second one, of several, until npm 1.4 */
	for (size_t k = 0; k < 2 && license->len == 0; k++) {
		const struct bh_json_node *value = bh_json_get(package, keys[k]);
		pkg_add_item(license, " OR ", one_license(value));
		for (size_t i = 0; bh_json_is_array(value) && i < bh_json_len(value); i++)
			pkg_add_item(license, " OR ", one_license(bh_json_at(value, i)));
	}
}
