/*
 * conan_installed.c: packages in Conan's caches.
 *
 *     version 1   .conan/data/NAME/VERSION/USER/CHANNEL/package/ID/conaninfo.txt
 *                     [full_requires]
 *                         zlib/1.2.11:5ab84d6acfe1f23c4fae0ab88f26e3a396351ac9     what it was built with, exactly
 *     version 2   .conan2/p/cache.sqlite3, table packages, column reference: "zlib/1.2.11@user/channel"
 */
#include "base/reader.h"
#include "format/sqlite_db.h"
#include "pkg/entry.h"

#define CACHE_BYTES_MAX (256u << 20)

static const struct pkg_want conan_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "data/*/*/*/*/package/*/conaninfo.txt" },
	{ .kind = PKG_WANT_GLOB, .path = "p/cache.sqlite3" },
	{ .kind = PKG_WANT_END },
};

static int give(struct pkg_notes *notes, struct bh_slice name, struct bh_slice version, uint32_t line, size_t offset, struct bh_err *err)
{
	struct bh_package p = { .type = BH_SLICE_LIT("conan"), .name = name, .version = version, .at = { .line = line } };
	return pkg_give(notes, &p, offset, err);
}

/* "zlib/1.2.11@user/channel:ID" */
static void split(struct bh_slice reference, struct bh_slice *name, struct bh_slice *version)
{
	struct bh_slice rest;
	(void)bh_slice_cut(reference, ':', &reference, &rest);
	(void)bh_slice_cut(reference, '@', &reference, &rest);
	(void)bh_slice_cut(reference, '/', name, version);
}

/* The package itself, which only the path names. */
static int give_self(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_slice dir = file->path, parts[7];
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i] = pkg_basename(dir);
		dir = pkg_dirname(dir);
	}
	return give(notes, parts[6], parts[5], 0, 0, err); /* conaninfo.txt ID package CHANNEL USER VERSION NAME */
}

static int read_info(const struct pkg_file *file, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, name, version;
	bool in_requires = false;
	int rc = give_self(file, notes, err);
	for (uint32_t number = 1; rc >= 0; number++) {
		size_t offset = r.pos;
		if (!bh_take_line(&r, &line))
			break;
		line = bh_slice_trim(line);
		if (line.len == 0)
			continue;
		if (line.ptr[0] == '[') {
			in_requires = bh_slice_eq_str(line, "[full_requires]");
		} else if (in_requires) {
			split(line, &name, &version);
			rc = give(notes, name, version, number, offset, err);
		}
	}
	return rc;
}

static int on_row(void *ctx, uint64_t offset, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	struct bh_slice name, version;
	(void)key;
	split(value, &name, &version);
	return give(ctx, name, version, 0, offset, err);
}

static int on_damage(void *ctx, uint64_t offset, const char *reason, struct bh_err *err)
{
	return pkg_note(ctx, offset, err, "%s", reason);
}

static int conan_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_record_sink rows = { on_row, on_damage, &notes };
	int rc;
	if (bh_slice_ends(file->path, BH_SLICE_LIT(".sqlite3")))
		rc = bh_sqlite_each(file->data, file->sibling, "packages", "reference", &rows, err);
	else
		rc = read_info(file, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_conan_installed = {
	.name = "conan_installed",
	.type = "conan",
	.wants = conan_installed_wants,
	.max_bytes = CACHE_BYTES_MAX,
	.sibling_suffix = "-wal",
	.parse = conan_installed_parse,
};
