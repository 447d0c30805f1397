/*
 * npm_installed.c: packages that npm, yarn, pnpm, bun or deno put into a node_modules folder, at any depth, with a scope or without, and
 * those of Debian in share/nodejs: one package.json each, { "name": "a", "version": "1.2.3", "license": "MIT" }.
 *
 * The package.json of an application, outside of node_modules, is not a package that was installed. Inside packages lie others, as
 * fixtures of tests or to say { "type": "module" }: they count only where they have a node_modules of their own around them, which is
 * how packages bring copies of others, and not below tests (pkg_npm_folder).
 */
#include "base/cleanup.h"
#include "pkg/npm.h"

#define PACKAGE_BYTES_MAX (16u << 20) /* the largest real ones have some 100 KiB */
#define LICENSE_BYTES_MAX (64u << 10)

static const struct pkg_want npm_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/*/package.json" },
	{ .kind = PKG_WANT_GLOB, .path = "node_modules/@*/*/package.json" },
	{ .kind = PKG_WANT_GLOB, .path = "share/nodejs/*/package.json" },
	{ .kind = PKG_WANT_GLOB, .path = "share/nodejs/@*/*/package.json" },
	{ .kind = PKG_WANT_END },
};

static int give(const struct bh_json_node *root, struct bh_slice folder_name, bool installed, const struct pkg_sink *sink, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	struct pkg_notes notes = { .sink = sink };
	struct bh_package p = {
		.type = BH_SLICE_LIT("npm"),
		.name = bh_json_str(bh_json_get(root, "name")),
		.version = bh_json_str(bh_json_get(root, "version")),
		.at = { .evidence = installed ? BH_EVIDENCE_DATABASE : BH_EVIDENCE_CONTENT },
	};
	if (p.version.len == 0 && (p.name.len == 0 || !installed))
		return 0; /* no package: { "type": "module" } and the like */
	if (p.name.len == 0)
		p.name = folder_name;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	pkg_npm_license(root, &license);
	p.license = bh_buf_slice(&license);
	return pkg_give(&notes, &p, 0, err);
}

static int npm_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct bh_slice name;
	struct bh_json *doc;
	enum pkg_npm_folder folder = pkg_npm_folder(bh_slice_folder(file->path), &name);
	if (folder == PKG_NPM_NO_PACKAGE || folder == PKG_NPM_FIXTURE)
		return 0;
	int rc = bh_json_parse(pkg_without_bom(file->data), PACKAGE_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	rc = give(bh_json_root(doc), name, folder == PKG_NPM_INSTALLED, sink, err);
	bh_json_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_npm_installed = {
	.name = "npm_installed",
	.type = "npm",
	.wants = npm_installed_wants,
	.max_bytes = PACKAGE_BYTES_MAX,
	.parse = npm_installed_parse,
};
