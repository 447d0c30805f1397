/*
 * nuget_cache.c: NuGet packages that were unpacked for building, root/.nuget/packages/ID/VERSION/ID.nuspec:
 *
 *     <package><metadata><id>Newtonsoft.Json</id><version>13.0.1</version><license type="expression">MIT</license></metadata></package>
 *
 * The file writes the id as its author does; the folders are in small letters.
 */
#include "format/xml_tree.h"
#include "pkg/entry.h"

#define NUSPEC_BYTES_MAX (16u << 20)

static const struct pkg_want nuget_cache_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "packages/*/*/*.nuspec" },
	{ .kind = PKG_WANT_END },
};

static int nuget_cache_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_xml *doc;
	int rc = bh_xml_parse(file->data, NUSPEC_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_xml_node *metadata = bh_xml_get(bh_xml_root(doc), "metadata"), *license = bh_xml_get(metadata, "license");
	struct bh_package p = {
		.type = BH_SLICE_LIT("nuget"),
		.name = bh_xml_text(bh_xml_get(metadata, "id")),
		.version = bh_xml_text(bh_xml_get(metadata, "version")),
		.license = bh_slice_eq_str(bh_xml_attr(license, "type"), "expression") ? bh_xml_text(license) : BH_SLICE_LIT(""),
		.at = { .line = bh_xml_line(metadata) },
	};
	rc = pkg_give(&notes, &p, 0, err);
	bh_xml_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_nuget_cache = {
	.name = "nuget_cache",
	.type = "nuget",
	.wants = nuget_cache_wants,
	.max_bytes = NUSPEC_BYTES_MAX,
	.parse = nuget_cache_parse,
};
