/*
 * homebrew.c: packages that Homebrew poured or built, home/linuxbrew/.linuxbrew/Cellar/NAME/VERSION/INSTALL_RECEIPT.json. Name and version
 * stand in the path; the receipt tells whether someone asked for it and where it came from:
 *
 *     { "installed_on_request": true, "source": { "tap": "homebrew/core", "versions": { "stable": "7.88.1" } } }
 *
 * "_1" behind a version is Homebrew's revision.
 */
#include "format/json.h"
#include "pkg/entry.h"

#define RECEIPT_BYTES_MAX (16u << 20)

static const struct pkg_want homebrew_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "Cellar/*/*/INSTALL_RECEIPT.json" },
	{ .kind = PKG_WANT_END },
};

static int homebrew_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_json *doc;
	struct bh_slice keg = bh_slice_folder(file->path);
	int rc = bh_json_parse(file->data, RECEIPT_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	struct bh_package p = {
		.type = BH_SLICE_LIT("brew"),
		.name = bh_slice_base(bh_slice_folder(keg)),
		.version = bh_slice_base(keg),
		.vendor = bh_json_str(bh_json_get(bh_json_get(bh_json_root(doc), "source"), "tap")),
	};
	rc = pkg_give(&notes, &p, 0, err);
	bh_json_free(doc);
	return rc;
}

const struct pkg_parser pkg_parser_homebrew = {
	.name = "homebrew",
	.type = "brew",
	.wants = homebrew_wants,
	.max_bytes = RECEIPT_BYTES_MAX,
	.parse = homebrew_parse,
};
