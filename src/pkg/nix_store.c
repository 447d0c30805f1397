/*
 * nix_store.c: packages of Nix by files in their folders, for images without Nix itself, and so without its database (nix_db.c): one in
 * the usual places of a package is enough, and all of a folder say the same. What a file holds does not matter.
 */
#include "pkg/nix.h"

static const struct pkg_want nix_store_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/bin/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/sbin/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/lib/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/libexec/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/etc/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/etc/ssl/certs/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/share/*/*" },
	{ .kind = PKG_WANT_GLOB, .path = "nix/store/*/nix-support/*" },
	{ .kind = PKG_WANT_END },
};

static int nix_store_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	return pkg_nix_give(&notes, file->path, 0, err);
}

const struct pkg_parser pkg_parser_nix_store = {
	.name = "nix_store",
	.type = "nix",
	.wants = nix_store_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = nix_store_parse,
};
