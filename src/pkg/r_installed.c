/*
 * r_installed.c: installed packages of R, one folder each in a library, with a file DESCRIPTION:
 *
 *     Package: jsonlite
 *     Version: 1.8.4
 *     License: MIT + file LICENSE         "|" parts alternatives
 *     biocViews: Infrastructure           packages of Bioconductor have it
 *     Built: R 4.2.2; ...                 only installed packages have it: one in source form does not count
 *
 * The packages that come with R itself (Priority: base) are listed too, with R's version, as installed.packages() does.
 */
#include "base/cleanup.h"
#include "pkg/deb822.h"
#include "pkg/entry.h"

#define DESCRIPTION_BYTES_MAX (16u << 20)
#define LICENSE_BYTES_MAX (64u << 10)

enum { F_PACKAGE, F_VERSION, F_LICENSE, F_BIOC_VIEWS, F_BUILT, N_FIELDS };
static const char *const field_names[N_FIELDS] = { "Package", "Version", "License", "biocViews", "Built" };

static const struct pkg_want r_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "DESCRIPTION" },
	{ .kind = PKG_WANT_END },
};

static void add_licenses(struct bh_buf *list, struct bh_slice text)
{
	struct bh_slice one;
	while (text.len) {
		(void)bh_slice_cut(text, '|', &one, &text);
		pkg_add_item(list, " OR ", bh_slice_trim(one));
	}
}

static int r_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice v[N_FIELDS], folded;
	const char *damage = NULL;
	size_t offset;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	if (!pkg_deb822_next(&r, field_names, N_FIELDS, v, &offset, &damage) || v[F_BUILT].len == 0)
		return 0;
	if (!pkg_deb822_fold(v[F_LICENSE], scratch, &folded))
		return bh_fail(err, BH_ENOMEM, offset, "no memory for a licence");
	add_licenses(&license, folded);
	struct bh_package p = {
		.type = v[F_BIOC_VIEWS].len ? BH_SLICE_LIT("bioconductor") : BH_SLICE_LIT("cran"),
		.name = v[F_PACKAGE],
		.version = v[F_VERSION],
		.license = bh_buf_slice(&license),
	};
	int rc = damage ? pkg_note(&notes, offset, err, "%s", damage) : 0;
	return rc < 0 ? rc : pkg_give(&notes, &p, offset, err);
}

const struct pkg_parser pkg_parser_r_installed = {
	.name = "r_installed",
	.type = "cran",
	.wants = r_installed_wants,
	.max_bytes = DESCRIPTION_BYTES_MAX,
	.parse = r_installed_parse,
};
