/* npm.c: see npm.h. */
#include "pkg/npm.h"

static void add_license(const struct bh_json_node *license, struct bh_buf *list)
{
	struct bh_slice text = bh_json_str(license);
	pkg_add_item(list, " OR ", text.len ? text : bh_json_str(bh_json_get(license, "type")));
}

void pkg_npm_license(const struct bh_json_node *package, struct bh_buf *list)
{
	const struct bh_json_node *old = bh_json_get(package, "licenses");
	add_license(bh_json_get(package, "license"), list);
	for (size_t i = 0; list->len == 0 && i < bh_json_len(old); i++)
		add_license(bh_json_at(old, i), list);
}

bool pkg_npm_cut(struct bh_slice spec, struct bh_slice *ret_name, struct bh_slice *ret_rest)
{
	for (size_t i = 1; i < spec.len; i++)
		if (spec.ptr[i] == '@') {
			*ret_name = bh_slice_sub(spec, 0, i);
			*ret_rest = bh_slice_sub(spec, i + 1, spec.len);
			return true;
		}
	return false;
}

bool pkg_npm_alias(struct bh_slice target, struct bh_slice *ret_name, struct bh_slice *ret_version)
{
	struct bh_slice prefix = BH_SLICE_LIT("npm:");
	return bh_slice_starts(target, prefix) && pkg_npm_cut(bh_slice_sub(target, prefix.len, target.len), ret_name, ret_version);
}

bool pkg_npm_is_version(struct bh_slice s)
{
	if (s.len == 0 || s.ptr[0] < '0' || s.ptr[0] > '9')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '/' || s.ptr[i] == ':')
			return false;
	return true;
}
