/* npm.h: what the parsers of JavaScript's package managers share: names, folders of packages, and "name@version". */
#ifndef BH_PKG_NPM_H
#define BH_PKG_NPM_H

#include "format/json.h"
#include "pkg/entry.h"

/* What a folder is to Node.js. */
enum pkg_npm_folder {
	PKG_NPM_NO_PACKAGE,
	PKG_NPM_INSTALLED, /* where package managers put packages: node_modules/a, node_modules/a/node_modules/@s/b, node_modules/.pnpm/x/node_modules/a */
	PKG_NPM_VENDORED,  /* a node_modules of its own inside a package: node_modules/a/dist/node_modules/b */
	PKG_NPM_FIXTURE,   /* the same below tests or examples, where packages are made up */
};

/* dir: of the package.json. ret_name: the name that the folder gives the package, "a" or "@scope/a"; set unless PKG_NPM_NO_PACKAGE. */
enum pkg_npm_folder pkg_npm_folder(struct bh_slice dir, struct bh_slice *ret_name);

/* Does the file lie inside an installed package? Lockfiles there were published by accident: they say nothing about what is used here. */
bool pkg_npm_inside_package(struct bh_slice path);

/* "name@rest" and "@scope/name@rest" at the "@" behind the name; false (name = all of it, rest empty) when there is none. */
bool pkg_npm_cut(struct bh_slice text, struct bh_slice *ret_name, struct bh_slice *ret_rest);

/* A version, not the address of a tarball, of git or of a folder that stands in its place. */
bool pkg_npm_is_version(struct bh_slice text);

/* Appends what package.json says about its licence, in all forms of its history. */
void pkg_npm_license(const struct bh_json_node *package, struct bh_buf *license);

#endif
