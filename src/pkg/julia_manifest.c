/*
 * julia_manifest.c: Julia's Manifest.toml:
 *
 *     [[JSON]]                             format 1: every table of the file is a package
 *     uuid = "682c06a0-de6a-54ab-a142-c8b1cf79cde6"
 *     version = "0.21.4"
 *
 *     manifest_format = "2.0"
 *     [[deps.JSON]]                        format 2
 *
 * Packages of the standard library come with Julia; where they have no version of their own they are left out.
 */
#include "format/toml.h"
#include "pkg/entry.h"

#define MANIFEST_BYTES_MAX (64u << 20)

static const struct pkg_want julia_manifest_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Manifest.toml" },
	{ .kind = PKG_WANT_GLOB, .path = "Manifest-v*.toml" },
	{ .kind = PKG_WANT_GLOB, .path = "JuliaManifest.toml" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, struct bh_slice name, const struct bh_toml_node *entry, struct bh_err *err)
{
	struct bh_package p = {
		.type = BH_SLICE_LIT("julia"),
		.name = name,
		.version = bh_toml_str(bh_toml_get(entry, "version")),
		.at = { .line = bh_toml_line(entry), .evidence = BH_EVIDENCE_LOCKFILE },
	};
	bool from_elsewhere = bh_toml_get(entry, "git-tree-sha1") || bh_toml_get(entry, "path");
	if (!bh_toml_get(entry, "uuid") || (p.version.len == 0 && !from_elsewhere))
		return 0;
	return pkg_give(notes, &p, 0, err);
}

static int julia_manifest_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_toml *doc;
	int rc = bh_toml_parse(file->data, MANIFEST_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_toml_node *root = bh_toml_root(doc), *entries;
	struct bh_slice name;
	if (bh_toml_get(root, "manifest_format"))
		root = bh_toml_get(root, "deps");
	for (size_t i = 0; rc >= 0 && bh_toml_pair(root, i, &name, &entries); i++)
		for (size_t k = 0; rc >= 0 && bh_toml_is(entries, BH_TOML_ARRAY) && k < bh_toml_len(entries); k++)
			rc = give(&notes, name, bh_toml_at(entries, k), err);
	bh_toml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_julia_manifest = {
	.name = "julia_manifest",
	.type = "julia",
	.wants = julia_manifest_wants,
	.max_bytes = MANIFEST_BYTES_MAX,
	.parse = julia_manifest_parse,
};
