/*
 * bitnami.c: what Bitnami's images say they hold, opt/bitnami/.bitnami_components.json:
 *
 *     { "nginx": { "arch": "amd64", "digest": "...", "distro": "debian-12", "type": "NAMI", "version": "1.25.3-1" } }
 *
 * The number behind the "-" is Bitnami's own revision.
 */
#include "pkg/json_items.h"

#define COMPONENTS_BYTES_MAX (16u << 20)

static const struct pkg_want bitnami_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "opt/bitnami/.bitnami_components.json" },
	{ .kind = PKG_WANT_END },
};

static int on_component(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct bh_package p = {
		.type = BH_SLICE_LIT("bitnami"),
		.name = item->key,
		.version = bh_json_str(bh_json_get(item->value, "version")),
		.arch = bh_json_str(bh_json_get(item->value, "arch")),
		.at = { .line = item->line },
	};
	return pkg_give(ctx, &p, item->offset_bytes, err);
}

static int bitnami_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "*", on_component }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_bitnami = {
	.name = "bitnami",
	.type = "bitnami",
	.wants = bitnami_wants,
	.max_bytes = COMPONENTS_BYTES_MAX,
	.parse = bitnami_parse,
};
