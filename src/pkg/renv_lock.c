/*
 * renv_lock.c: R's renv.lock:
 *
 *     { "R": { "Version": "4.2.2" }, "Packages": { "mime": { "Package": "mime", "Version": "0.12", "Source": "Repository", "Repository": "CRAN" } } }
 */
#include "pkg/json_items.h"

static const struct pkg_want renv_lock_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "renv.lock" },
	{ .kind = PKG_WANT_END },
};

static int on_package(void *ctx, const struct pkg_json_item *item, struct bh_err *err)
{
	struct bh_slice name = bh_json_str(bh_json_get(item->value, "Package"));
	bool bioconductor = bh_slice_eq_str(bh_json_str(bh_json_get(item->value, "Source")), "Bioconductor");
	struct bh_package p = {
		.type = bioconductor ? BH_SLICE_LIT("bioconductor") : BH_SLICE_LIT("cran"),
		.name = name.len ? name : item->key,
		.version = bh_json_str(bh_json_get(item->value, "Version")),
		.at = { .line = item->line, .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(ctx, &p, item->offset_bytes, err);
}

static int renv_lock_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	static const struct pkg_json_section sections[] = { { "Packages *", on_package }, { 0 } };
	struct pkg_notes notes = { .sink = sink };
	int rc = pkg_json_each(file->data, sections, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_renv_lock = {
	.name = "renv_lock",
	.type = "cran",
	.wants = renv_lock_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = renv_lock_parse,
};
