/*
 * pacman.c: installed packages of Arch Linux and its relatives, one folder each:
 *
 *     var/lib/pacman/local/NAME-VERSION-RELEASE/desc     %NAME%            a line with a key,
 *                                                        bash              its values, one a line,
 *                                                                          an empty line
 *     var/lib/pacman/local/NAME-VERSION-RELEASE/files    %FILES%           paths without the first "/", folders with a "/" behind
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#define TEXT_BYTES_MAX (1u << 20)	/* licences or provides of one package */
#define OWNED_CHUNK_BYTES (64u << 10)	/* paths handed on at once */

static const struct pkg_want pacman_wants[] = {
	{ .kind = PKG_WANT_BELOW, .path = "var/lib/pacman/local/", .suffix = "/desc" },
	{ .kind = PKG_WANT_BELOW, .path = "var/lib/pacman/local/", .suffix = "/files" },
	{ .kind = PKG_WANT_END },
};

/* The next value line, with the key it belongs to. */
static bool next_value(struct bh_reader *r, struct bh_slice *key, struct bh_slice *ret_value)
{
	struct bh_slice line;
	while (bh_take_line(r, &line)) {
		line = bh_slice_trim(line);
		if (line.len == 0) {
			*key = (struct bh_slice){ 0 };
		} else if (key->len) {
			*ret_value = line;
			return true;
		} else if (line.len > 2 && line.ptr[0] == '%' && line.ptr[line.len - 1] == '%') {
			*key = bh_slice_sub(line, 1, line.len - 2);
		}
	}
	return false;
}

static void add_item(struct bh_buf *list, const char *between, struct bh_slice item)
{
	if (list->len)
		bh_buf_add_str(list, between);
	bh_buf_add(list, item);
}

static int parse_desc(const struct pkg_file *file, const struct pkg_sink *sink, struct pkg_notes *notes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf licenses = { 0 }, provides = { 0 };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_package p = { .type = BH_SLICE_LIT("alpm") };
	struct bh_slice key = { 0 }, value;
	struct {
		const char *key;
		struct bh_slice *slot;
	} singles[] = { { "NAME", &p.name }, { "VERSION", &p.version }, { "BASE", &p.source_name }, { "ARCH", &p.arch }, { "PACKAGER", &p.vendor } };
	bh_buf_init(&licenses, TEXT_BYTES_MAX);
	bh_buf_init(&provides, TEXT_BYTES_MAX);
	while (next_value(&r, &key, &value)) {
		for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
			if (bh_slice_eq_str(key, singles[i].key))
				*singles[i].slot = value;
		if (bh_slice_eq_str(key, "LICENSE"))
			add_item(&licenses, " AND ", value);
		else if (bh_slice_eq_str(key, "PROVIDES"))
			add_item(&provides, ", ", value);
	}
	if (!pkg_word_ok(p.name, BH_NAME_BYTES_MAX) || !pkg_word_ok(p.version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, 0, err, "no usable package name or version in %.*s", BH_SLICE_FMT(file->path));
	p.license = bh_buf_slice(&licenses);
	p.provides = bh_buf_slice(&provides);
	return sink->package(sink->ctx, &p, err);
}

/* ".../local/NAME-VERSION-RELEASE/files" -> NAME; neither version nor release has a "-". */
static struct bh_slice name_of(struct bh_slice path)
{
	struct bh_slice dir = bh_slice_sub(path, strlen(pacman_wants[1].path), path.len);
	dir.len = bh_slice_find(dir, '/');
	for (int parts = 0; parts < 2; parts++) {
		while (dir.len && dir.ptr[dir.len - 1] != '-')
			dir.len--;
		if (dir.len)
			dir.len--;
	}
	return dir;
}

static int parse_files(const struct pkg_file *file, const struct pkg_sink *sink, struct pkg_notes *notes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf paths = { 0 };
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice key = { 0 }, value, type = BH_SLICE_LIT("alpm"), none = { 0 }, name = name_of(file->path);
	int rc = 0;
	bh_buf_init(&paths, OWNED_CHUNK_BYTES + BH_PATH_BYTES_MAX + 2);
	if (name.len == 0)
		return pkg_note(notes, 0, err, "no package name in the path %.*s", BH_SLICE_FMT(file->path));
	while (rc >= 0 && next_value(&r, &key, &value)) {
		if (!bh_slice_eq_str(key, "FILES"))
			continue;
		if (value.ptr[value.len - 1] == '/')
			value.len--;
		if (value.len == 0 || value.len > BH_PATH_BYTES_MAX || memchr(value.ptr, '\0', value.len)) {
			rc = pkg_note(notes, r.pos, err, "package %.*s: a file has no usable path", BH_SLICE_FMT(name));
			continue;
		}
		if (!bh_buf_add_byte(&paths, '/') || !bh_buf_add(&paths, value) || !bh_buf_add_byte(&paths, '\0'))
			return bh_fail(err, BH_ENOMEM, r.pos, "no memory for file names");
		if (paths.len > OWNED_CHUNK_BYTES) {
			rc = sink->owned(sink->ctx, type, name, none, bh_buf_slice(&paths), err);
			bh_buf_clear(&paths);
		}
	}
	if (rc >= 0 && paths.len)
		rc = sink->owned(sink->ctx, type, name, none, bh_buf_slice(&paths), err);
	return rc;
}

static int pacman_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	bool files = bh_slice_ends(file->path, bh_slice_str(pacman_wants[1].suffix));
	int rc = files ? parse_files(file, sink, &notes, err) : parse_desc(file, sink, &notes, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pacman = {
	.name = "pacman",
	.type = "alpm",
	.wants = pacman_wants,
	.max_bytes = 64u << 20, /* the file list of the largest packages has about 10 MiB */
	.parse = pacman_parse,
};
