/* conan_cache.c: packages in the cache of Conan 2, .conan2/p/cache.sqlite3: table packages, column reference, "zlib/1.2.11@user/channel". */
#include "format/sqlite_db.h"
#include "pkg/conan.h"

static const struct pkg_want conan_cache_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "p/cache.sqlite3" },
	{ .kind = PKG_WANT_END },
};

static int on_row(void *ctx, uint64_t offset, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	(void)key;
	return pkg_conan_give(ctx, value, &(struct bh_package){ 0 }, offset, err);
}

static int on_damage(void *ctx, uint64_t offset, const char *reason, struct bh_err *err)
{
	return pkg_note(ctx, offset, err, "%s", reason);
}

static int conan_cache_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_record_sink rows = { on_row, on_damage, &notes };
	int rc = bh_sqlite_each(file->data, file->sibling, "packages", "reference", &rows, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_conan_cache = {
	.name = "conan_cache",
	.type = "conan",
	.wants = conan_cache_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.sibling_suffix = "-wal",
	.parse = conan_cache_parse,
};
