/*
 * ghc_installed.c: Haskell libraries in a package database of GHC, one file each: those that come with the compiler
 * (var/lib/ghc/package.conf.d/), and those that Cabal and Stack built (.cabal/store/ghc-9.0.2/package.db/):
 *
 *     name:                 text
 *     version:              1.2.5.0
 *     license:              BSD-2-Clause
 */
#include "pkg/deb822.h"
#include "pkg/entry.h"

#define ENTRY_BYTES_MAX (16u << 20)

enum { F_NAME, F_VERSION, F_LICENSE, N_FIELDS };
static const char *const field_names[N_FIELDS] = { "name", "version", "license" };

static const struct pkg_want ghc_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "package.conf.d/*.conf" },
	{ .kind = PKG_WANT_GLOB, .path = "package.db/*.conf" },
	{ .kind = PKG_WANT_END },
};

static int ghc_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice v[N_FIELDS];
	const char *damage = NULL;
	size_t offset;
	if (!pkg_deb822_next(&r, field_names, N_FIELDS, v, &offset, &damage))
		return pkg_note(&notes, 0, err, "%.*s is empty", BH_SLICE_FMT(file->path));
	struct bh_package p = { .type = BH_SLICE_LIT("hackage"), .name = v[F_NAME], .version = v[F_VERSION], .license = v[F_LICENSE] };
	int rc = damage ? pkg_note(&notes, offset, err, "%s", damage) : 0;
	return rc < 0 ? rc : pkg_give(&notes, &p, offset, err);
}

const struct pkg_parser pkg_parser_ghc_installed = {
	.name = "ghc_installed",
	.type = "hackage",
	.wants = ghc_installed_wants,
	.max_bytes = ENTRY_BYTES_MAX,
	.parse = ghc_installed_parse,
};
