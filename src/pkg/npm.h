/* npm.h: what the formats of npm, Yarn, pnpm and Bun have in common. */
#ifndef BH_PKG_NPM_H
#define BH_PKG_NPM_H

#include "pkg/json_items.h"

/* Appends the licence of a package.json or a lockfile's entry: "license" as a string or { "type": ... }, or the old "licenses" list. */
void pkg_npm_license(const struct bh_json_node *package, struct bh_buf *list);

/* "npm:real@1.2.3", an alias' target, into name and version; false when it is something else. A scope's "@" does not part them. */
bool pkg_npm_alias(struct bh_slice target, struct bh_slice *ret_name, struct bh_slice *ret_version);

/* "name@rest" at the "@" that parts them: behind the first byte, as scopes begin with one. False without any. */
bool pkg_npm_cut(struct bh_slice spec, struct bh_slice *ret_name, struct bh_slice *ret_rest);

/* A version, not a URL, path, tag or range that stands in its place. */
bool pkg_npm_is_version(struct bh_slice s);

#endif
