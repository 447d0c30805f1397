/* nix_db.c: packages in Nix' own database, nix/var/nix/db/db.sqlite: table ValidPaths, column path, see nix.h. */
#include "format/sqlite_db.h"
#include "pkg/nix.h"

static const struct pkg_want nix_db_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "nix/var/nix/db/db.sqlite" },
	{ .kind = PKG_WANT_END },
};

static int on_row(void *ctx, uint64_t offset, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	(void)key;
	return pkg_nix_give(ctx, value, offset, err);
}

static int on_damage(void *ctx, uint64_t offset, const char *reason, struct bh_err *err)
{
	return pkg_note(ctx, offset, err, "%s", reason);
}

static int nix_db_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_record_sink rows = { on_row, on_damage, &notes };
	int rc = bh_sqlite_each(file->data, file->sibling, "ValidPaths", "path", &rows, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_nix_db = {
	.name = "nix_db",
	.type = "nix",
	.wants = nix_db_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.sibling_suffix = "-wal",
	.parse = nix_db_parse,
};
