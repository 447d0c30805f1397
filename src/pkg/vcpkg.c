/*
 * vcpkg.c: what vcpkg installed, installed/vcpkg/status or vcpkg_installed/vcpkg/status, in dpkg's format:
 *
 *     Package: zlib
 *     Version: 1.2.13
 *     Port-Version: 1             "1.2.13#1", as vcpkg prints it
 *     Architecture: x64-linux
 *     Status: install ok installed
 *
 * A stanza with a field Feature tells of a part of a package that another stanza describes.
 */
#include "pkg/deb822.h"
#include "pkg/entry.h"

enum { F_PACKAGE, F_FEATURE, F_VERSION, F_PORT, F_ARCH, F_STATUS, N_FIELDS };
static const char *const field_names[N_FIELDS] = { "Package", "Feature", "Version", "Port-Version", "Architecture", "Status" };

static const struct pkg_want vcpkg_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "vcpkg/status" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, const struct bh_slice *v, size_t offset, struct bh_arena *scratch, struct bh_err *err)
{
	struct bh_package p = { .type = BH_SLICE_LIT("vcpkg"), .name = v[F_PACKAGE], .version = v[F_VERSION], .arch = v[F_ARCH] };
	if (v[F_FEATURE].len || !bh_slice_eq_str(v[F_STATUS], "install ok installed"))
		return 0;
	if (v[F_PORT].len && v[F_VERSION].len) {
		const char *both = bh_arena_printf(scratch, "%.*s#%.*s", BH_SLICE_FMT(v[F_VERSION]), BH_SLICE_FMT(v[F_PORT]));
		if (!both)
			return bh_fail(err, BH_ENOMEM, offset, "out of memory for versions");
		p.version = bh_slice_str(both);
	}
	return pkg_give(notes, &p, offset, err);
}

static int vcpkg_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice v[N_FIELDS];
	const char *damage = NULL;
	size_t offset;
	int rc = 0;
	while (rc >= 0 && pkg_deb822_next(&r, field_names, N_FIELDS, v, &offset, &damage)) {
		rc = damage ? pkg_note(&notes, offset, err, "%s", damage) : 0;
		rc = rc < 0 ? rc : give(&notes, v, offset, scratch, err);
	}
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_vcpkg = {
	.name = "vcpkg",
	.type = "vcpkg",
	.wants = vcpkg_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = vcpkg_parse,
};
