/*
 * portage.c: installed packages of Gentoo and its relatives, one folder each: var/db/pkg/CATEGORY/NAME-VERSION[-rN]/, with a file CONTENTS:
 *
 *     dir /usr/bin
 *     obj /usr/bin/bash d41d8cd98f00b204e9800998ecf8427e 1690000000       checksum and time behind the path
 *     sym /bin/rbash -> bash 1690000000
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/reader.h"
#include "pkg/entry.h"

#define OWNED_CHUNK_BYTES (64u << 10) /* paths handed on at once */

static const struct pkg_want portage_wants[] = {
	{ .kind = PKG_WANT_BELOW, .path = "var/db/pkg/", .suffix = "/CONTENTS" },
	{ .kind = PKG_WANT_END },
};

static bool is_digit(struct bh_slice s, size_t at)
{
	return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* Where the last "-" stands that a digit follows; s.len when there is none. */
static size_t last_dash(struct bh_slice s)
{
	for (size_t at = s.len; at-- > 0;)
		if (s.ptr[at] == '-' && is_digit(s, at + 1))
			return at;
	return s.len;
}

/* "app-shells/bash-5.1_p16-r1" -> "app-shells/bash", "5.1_p16-r1". A name never ends in "-" and something like a version. */
static void split(struct bh_slice folder, struct bh_package *p)
{
	size_t at = last_dash(folder);
	p->name = bh_slice_sub(folder, 0, at);
	p->version = bh_slice_sub(folder, at + 1, folder.len);
}

/* The path of an "obj" or "sym" line; empty for others. Paths may hold blanks. */
static struct bh_slice path_of(struct bh_slice line)
{
	struct bh_slice kind, rest;
	if (!bh_slice_cut(line, ' ', &kind, &rest))
		return (struct bh_slice){ 0 };
	int words_behind = bh_slice_eq_str(kind, "obj") ? 2 : 0;
	const uint8_t *arrow = bh_slice_eq_str(kind, "sym") ? bh_slice_search(rest, " -> ") : NULL;
	if (arrow)
		return bh_slice_sub(rest, 0, (size_t)(arrow - rest.ptr));
	if (!words_behind)
		return (struct bh_slice){ 0 };
	for (; words_behind; words_behind--) {
		while (rest.len && rest.ptr[rest.len - 1] != ' ')
			rest.len--;
		rest.len -= rest.len ? 1 : 0;
	}
	return rest;
}

static int give_owned(const struct pkg_file *file, struct bh_slice name, struct pkg_notes *notes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf paths = { 0 };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line, type = BH_SLICE_LIT("ebuild"), none = { 0 };
	const struct pkg_sink *sink = notes->sink;
	int rc = 0;
	bh_buf_init(&paths, OWNED_CHUNK_BYTES + BH_PATH_BYTES_MAX + 2);
	while (rc >= 0 && bh_take_line(&r, &line)) {
		struct bh_slice path = path_of(line);
		if (path.len == 0)
			continue;
		if (path.ptr[0] != '/' || path.len > BH_PATH_BYTES_MAX || memchr(path.ptr, '\0', path.len)) {
			rc = pkg_note(notes, r.pos, err, "package %.*s: a file has no usable path", BH_SLICE_FMT(name));
			continue;
		}
		if (!bh_buf_add(&paths, path) || !bh_buf_add_byte(&paths, '\0'))
			return bh_fail(err, BH_ENOMEM, r.pos, "no memory for file names");
		if (paths.len > OWNED_CHUNK_BYTES) {
			rc = sink->owned(sink->ctx, type, name, none, bh_buf_slice(&paths), err);
			bh_buf_clear(&paths);
		}
	}
	return rc >= 0 && paths.len ? sink->owned(sink->ctx, type, name, none, bh_buf_slice(&paths), err) : rc;
}

static int portage_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_package p = { .type = BH_SLICE_LIT("ebuild") };
	split(bh_slice_sub(bh_slice_folder(file->path), strlen(portage_wants[0].path), file->path.len), &p);
	int rc = pkg_give(&notes, &p, 0, err);
	if (rc >= 0 && p.name.len)
		rc = give_owned(file, p.name, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_portage = {
	.name = "portage",
	.type = "ebuild",
	.wants = portage_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = portage_parse,
};
