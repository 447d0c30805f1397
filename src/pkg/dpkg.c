/*
 * dpkg.c: installed packages of Debian, Ubuntu and their relatives.
 *
 *     var/lib/dpkg/status               one stanza per package that dpkg has heard of
 *     var/lib/dpkg/status.d/NAME        distroless: one file per package, a bare control stanza
 *     var/lib/dpkg/status.d/NAME.md5sums   "MD5  path" of the files it owns
 *
 * The control field License does not exist here: licences stand in usr/share/doc. What counts as present: see deb822.c.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/deb822.h"
#include "pkg/notes.h"

#define MD5_HEX_CHARS 32u
#define OWNED_CHUNK_BYTES (64u << 10) /* paths handed on at once */

static const struct pkg_want dpkg_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "var/lib/dpkg/status" },
	{ .kind = PKG_WANT_DIR, .path = "var/lib/dpkg/status.d/", .suffix = "" },
	{ .kind = PKG_WANT_END },
};

/* The path of an md5sums line, or an empty slice. */
static struct bh_slice md5sums_path(struct bh_slice line)
{
	struct bh_slice path = bh_slice_trim(bh_slice_sub(line, MD5_HEX_CHARS, line.len));
	bool ok = line.len > MD5_HEX_CHARS && line.ptr[MD5_HEX_CHARS] == ' ' && path.len && path.len <= BH_PATH_BYTES_MAX &&
		  !memchr(path.ptr, '\0', path.len);
	return ok ? path : (struct bh_slice){ 0 };
}

static int md5sums_parse(const struct pkg_file *file, struct bh_slice name, const struct pkg_sink *sink, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf paths = { 0 };
	struct pkg_notes notes = { .sink = sink };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, type = BH_SLICE_LIT("deb");
	bh_buf_init(&paths, OWNED_CHUNK_BYTES + BH_PATH_BYTES_MAX + 2);
	for (size_t at = 0; bh_take_line(&r, &line); at = r.pos) {
		struct bh_slice path = md5sums_path(line);
		int rc = 0;
		if (path.len == 0 && line.len)
			rc = pkg_note(&notes, at, err, "a line is no \"MD5  path\"");
		if (path.len && (!bh_buf_add_str(&paths, "/") || !bh_buf_add(&paths, path) || !bh_buf_add_byte(&paths, '\0')))
			return bh_fail(err, BH_ENOMEM, at, "no memory for file names");
		if (rc == 0 && paths.len > OWNED_CHUNK_BYTES) {
			rc = sink->owned(sink->ctx, type, name, (struct bh_slice){ 0 }, bh_buf_slice(&paths), err);
			bh_buf_clear(&paths);
		}
		if (rc < 0)
			return rc;
	}
	int rc = paths.len ? sink->owned(sink->ctx, type, name, (struct bh_slice){ 0 }, bh_buf_slice(&paths), err) : 0;
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

static int dpkg_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct bh_slice folder = BH_SLICE_LIT("var/lib/dpkg/status.d/"), suffix = BH_SLICE_LIT(".md5sums");
	if (bh_slice_starts(file->path, folder) && bh_slice_ends(file->path, suffix)) {
		struct bh_slice base = bh_slice_sub(file->path, folder.len, file->path.len);
		return md5sums_parse(file, bh_slice_sub(base, 0, base.len - suffix.len), sink, err);
	}
	return pkg_deb822_parse(file, "deb", sink, scratch, err);
}

const struct pkg_parser pkg_parser_dpkg = {
	.name = "dpkg",
	.type = "deb",
	.wants = dpkg_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = dpkg_parse,
};
