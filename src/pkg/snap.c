/* snap.c: a snap's own description, meta/snap.yaml: "name: lxd", "version: '5.0'", "architectures: [amd64]", "license: Apache-2.0". */
#include "format/yaml.h"
#include "pkg/entry.h"

#define SNAP_BYTES_MAX (16u << 20)

static const struct pkg_want snap_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "meta/snap.yaml" },
	{ .kind = PKG_WANT_END },
};

static int snap_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_yaml *doc;
	int rc = bh_yaml_parse(file->data, SNAP_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_yaml_node *root = bh_yaml_root(doc, 0), *architectures = bh_yaml_get(root, "architectures");
	struct bh_package p = {
		.type = BH_SLICE_LIT("snap"),
		.name = bh_yaml_str(bh_yaml_get(root, "name")),
		.version = bh_yaml_str(bh_yaml_get(root, "version")),
		.arch = bh_yaml_len(architectures) == 1 ? bh_yaml_str(bh_yaml_at(architectures, 0)) : BH_SLICE_LIT(""),
		.license = bh_yaml_str(bh_yaml_get(root, "license")),
		.at = { .line = bh_yaml_line(bh_yaml_get(root, "name")) },
	};
	rc = pkg_give(&notes, &p, 0, err);
	bh_yaml_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_snap = {
	.name = "snap",
	.type = "snap",
	.wants = snap_wants,
	.max_bytes = SNAP_BYTES_MAX,
	.parse = snap_parse,
};
