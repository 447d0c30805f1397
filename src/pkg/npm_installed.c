/*
 * npm_installed.c: JavaScript packages as npm, Yarn and pnpm install them: the package.json in a folder right below a node_modules, or
 * below a scope's folder there. Others are no packages: the application's own, those that packages test with, and the ones that
 * only tell Node.js how to load a folder ({ "type": "module" }).
 */
#include "base/cleanup.h"
#include "pkg/npm.h"

#define PACKAGE_JSON_BYTES_MAX (16u << 20) /* a few with embedded READMEs reach 1 MiB */
#define LICENSE_BYTES_MAX (64u << 10)

static const struct pkg_want npm_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/*/package.json" },
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/@*/*/package.json" },
	{ .kind = PKG_WANT_END },
};

static int give(const struct bh_json_node *root, struct pkg_notes *notes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license;
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = bh_json_str(bh_json_get(root, "name")),
		.version = bh_json_str(bh_json_get(root, "version")),
	};
	if (p.name.len == 0 || p.version.len == 0)
		return 0;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	pkg_npm_license(root, &license);
	p.license = bh_buf_slice(&license);
	return pkg_give(notes, &p, 0, err);
}

static int npm_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_json *doc = NULL;
	int rc = bh_json_parse(pkg_without_bom(file->data), PACKAGE_JSON_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	rc = give(bh_json_root(doc), &notes, err);
	bh_json_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_npm_installed = {
	.name = "npm_installed",
	.type = "npm",
	.wants = npm_installed_wants,
	.max_bytes = PACKAGE_JSON_BYTES_MAX,
	.parse = npm_installed_parse,
};
