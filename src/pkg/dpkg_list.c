/*
 * dpkg_list.c: the files that each Debian package owns: var/lib/dpkg/info/NAME.list and NAME:ARCH.list (multi-arch), one
 * absolute path per line, "/." first; opkg's usr/lib/opkg/info/NAME.list alike, where a tab and details may follow.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#define CHUNK_BYTES (64u << 10) /* paths handed on at once: the folder of one package can hold 100,000 files */

static const struct pkg_want dpkg_list_wants[] = {
	{ .kind = PKG_WANT_DIR, .path = "var/lib/dpkg/info/", .suffix = ".list" },
	{ .kind = PKG_WANT_DIR, .path = "usr/lib/opkg/info/", .suffix = ".list" },
	{ .kind = PKG_WANT_DIR, .path = "var/lib/opkg/info/", .suffix = ".list" },
	{ .kind = PKG_WANT_END },
};

struct list {
	const struct pkg_sink *sink;
	struct bh_slice type, name, arch;
	struct bh_buf paths;
	struct pkg_notes notes;
};

static int flush(struct list *l, struct bh_err *err)
{
	if (l->paths.len == 0)
		return 0;
	int rc = l->sink->owned(l->sink->ctx, l->type, l->name, l->arch, bh_buf_slice(&l->paths), err);
	bh_buf_clear(&l->paths);
	return rc;
}

static int add(struct list *l, struct bh_slice path, size_t at, struct bh_err *err)
{
	if (path.len == 0 || bh_slice_eq_str(path, "/."))
		return 0;
	if (path.ptr[0] != '/' || path.len > BH_PATH_BYTES_MAX || memchr(path.ptr, '\0', path.len))
		return pkg_note(&l->notes, at, err, "a line is no absolute path");
	if (!bh_buf_add(&l->paths, path) || !bh_buf_add_byte(&l->paths, '\0'))
		return bh_fail(err, BH_ENOMEM, at, "no memory for file names");
	return l->paths.len > CHUNK_BYTES ? flush(l, err) : 0;
}

/* "libc6:amd64" of ".../libc6:amd64.list" */
static void names_of(struct list *l, struct bh_slice path)
{
	struct bh_slice suffix = BH_SLICE_LIT(".list");
	size_t from = path.len;
	while (from && path.ptr[from - 1] != '/')
		from--;
	struct bh_slice base = bh_slice_sub(path, from, path.len);
	if (bh_slice_ends(base, suffix))
		base.len -= suffix.len;
	(void)bh_slice_cut(base, ':', &l->name, &l->arch);
	l->type = bh_slice_starts(path, BH_SLICE_LIT("var/lib/dpkg/")) ? BH_SLICE_LIT("deb") : BH_SLICE_LIT("opkg");
}

static int dpkg_list_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct list l = { .sink = sink, .notes = { .sink = sink } };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice path, details;
	int rc = 0;
	names_of(&l, file->path);
	bool opkg = bh_slice_eq_str(l.type, "opkg");
	if (l.name.len == 0)
		return 0; /* a file called ".list" belongs to nobody */
	bh_buf_init(&l.paths, CHUNK_BYTES + BH_PATH_BYTES_MAX + 2);
	for (size_t at = 0; rc >= 0 && bh_take_line(&r, &path); at = r.pos) {
		if (opkg)
			(void)bh_slice_cut(path, '\t', &path, &details);
		if (path.len && path.ptr[path.len - 1] == '\r')
			path.len--;
		rc = add(&l, path, at, err);
	}
	if (rc >= 0)
		rc = flush(&l, err);
	if (rc >= 0)
		rc = pkg_notes_end(&l.notes, file->data.len, err);
	bh_buf_done(&l.paths);
	return rc;
}

const struct pkg_parser pkg_parser_dpkg_list = {
	.name = "dpkg_list",
	.type = "deb",
	.wants = dpkg_list_wants,
	.max_bytes = 64u << 20, /* the largest real ones have about 2 MiB */
	.parse = dpkg_list_parse,
};
