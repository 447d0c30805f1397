/*
 * conda_meta.c: what conda, mamba and micromamba installed: one conda-meta/NAME-VERSION-BUILD.json per package and environment,
 *
 *     { "name": "numpy", "version": "1.26.4", "build": "py312h...", "license": "BSD-3-Clause", "files": [...] }
 */
#include "pkg/json_items.h"

static const struct pkg_want conda_meta_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "conda-meta/*.json" },
	{ .kind = PKG_WANT_END },
};

static int conda_meta_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_json *doc;
	int rc = bh_json_parse(pkg_without_bom(file->data), BH_WANTED_FILE_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_json_node *root = bh_json_root(doc);
	struct bh_package p = {
		.type = BH_SLICE_LIT("conda"),
		.name = bh_json_str(bh_json_get(root, "name")),
		.version = bh_json_str(bh_json_get(root, "version")),
		.license = bh_json_str(bh_json_get(root, "license")),
	};
	rc = pkg_give(&notes, &p, 0, err);
	bh_json_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_conda_meta = {
	.name = "conda_meta",
	.type = "conda",
	.wants = conda_meta_wants,
	.max_bytes = 64u << 20, /* the lists of files of the largest packages have some 10 MiB */
	.parse = conda_meta_parse,
};
