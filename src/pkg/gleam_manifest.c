/*
 * gleam_manifest.c: Gleam's lockfile, manifest.toml; its packages are those of hex.pm:
 *
 *     packages = [
 *       { name = "gleam_stdlib", version = "0.34.0", build_tools = ["gleam"], otp_app = "gleam_stdlib", source = "hex", outer_checksum = "..." },
 *     ]
 */
#include "format/toml.h"
#include "pkg/entry.h"

#define MANIFEST_BYTES_MAX (64u << 20)

static const struct pkg_want gleam_manifest_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "manifest.toml" },
	{ .kind = PKG_WANT_END },
};

static int gleam_manifest_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_toml *doc;
	int rc = bh_toml_parse(file->data, MANIFEST_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_toml_node *packages = bh_toml_get(bh_toml_root(doc), "packages");
	for (size_t i = 0; rc >= 0 && bh_toml_is(packages, BH_TOML_ARRAY) && i < bh_toml_len(packages); i++) {
		const struct bh_toml_node *entry = bh_toml_at(packages, i);
		struct bh_package p = {
			.type = BH_SLICE_LIT("hex"),
			.name = bh_toml_str(bh_toml_get(entry, "name")),
			.version = bh_toml_str(bh_toml_get(entry, "version")),
			.at = { .line = bh_toml_line(entry), .evidence = BH_EVIDENCE_LOCKFILE },
		};
		if (bh_toml_get(entry, "build_tools")) /* other programs have files of this name */
			rc = pkg_give(&notes, &p, 0, err);
	}
	bh_toml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_gleam_manifest = {
	.name = "gleam_manifest",
	.type = "hex",
	.wants = gleam_manifest_wants,
	.max_bytes = MANIFEST_BYTES_MAX,
	.parse = gleam_manifest_parse,
};
