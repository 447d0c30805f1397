/*
 * chisel.c: images cut by Chisel hold slices of Ubuntu's packages and no dpkg database, but a list, zstd-compressed JSON lines:
 *
 *     var/lib/chisel/manifest.wall    {"jsonwall":"1.0","schema":"1.0","count":25}
 *                                     {"kind":"package","name":"base-files","version":"12ubuntu4.4","sha256":"...","arch":"amd64"}
 *                                     {"kind":"path","path":"/etc/os-release","mode":"0644","slices":["base-files_release-info"]}
 *
 * A slice is called PACKAGE_SLICE; a package's name has no "_".
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "format/json.h"
#include "format/json_walk.h"
#include "format/stream.h"
#include "pkg/entry.h"

#define PLAIN_BYTES_MAX (1u << 30)
#define LINE_BYTES_MAX (16u << 20)

static const struct pkg_want chisel_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "chisel/manifest.wall" },
	{ .kind = PKG_WANT_END },
};

static int read_memory(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	(void)err;
	struct bh_slice *unread = ctx;
	*ret = *unread;
	*unread = (struct bh_slice){ 0 };
	return 0;
}

static int read_plain(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_stream_read(ctx, ret, err);
}

static int give_path(struct pkg_notes *notes, const struct bh_json_node *entry, uint64_t offset, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf owned = { 0 };
	struct bh_slice path = bh_json_str(bh_json_get(entry, "path")), package, last = { 0 }, slice, none = { 0 };
	const struct bh_json_node *slices = bh_json_get(entry, "slices");
	bh_buf_init(&owned, BH_PATH_BYTES_MAX + 1);
	if (path.len == 0 || path.ptr[0] != '/' || memchr(path.ptr, '\0', path.len) || !bh_buf_add(&owned, path) || !bh_buf_add_byte(&owned, '\0'))
		return pkg_note(notes, offset, err, "a path that is none");
	int rc = 0;
	for (size_t i = 0; rc >= 0 && path.ptr[path.len - 1] != '/' && i < bh_json_len(slices); i++) {
		(void)bh_slice_cut(bh_json_str(bh_json_at(slices, i)), '_', &package, &slice);
		if (package.len && !bh_slice_eq(package, last)) /* slices of one package follow each other */
			rc = notes->sink->owned(notes->sink->ctx, BH_SLICE_LIT("deb"), package, none, bh_buf_slice(&owned), err);
		last = package;
	}
	return rc;
}

static int give_line(struct pkg_notes *notes, const struct bh_json_node *entry, uint64_t offset, struct bh_err *err)
{
	struct bh_slice kind = bh_json_str(bh_json_get(entry, "kind"));
	if (bh_slice_eq_str(kind, "path"))
		return give_path(notes, entry, offset, err);
	if (!bh_slice_eq_str(kind, "package"))
		return 0;
	struct bh_package p = {
		.type = BH_SLICE_LIT("deb"),
		.name = bh_json_str(bh_json_get(entry, "name")),
		.version = bh_json_str(bh_json_get(entry, "version")),
		.arch = bh_json_str(bh_json_get(entry, "arch")),
	};
	return pkg_give(notes, &p, offset, err);
}

static int read_lines(struct bh_json_walk *walk, struct pkg_notes *notes, struct bh_err *err)
{
	enum bh_json_kind kind;
	struct bh_slice text;
	int rc;
	while ((rc = bh_json_walk_peek(walk, &kind, err)) >= 0 && kind != BH_JSON_NOTHING) {
		struct bh_json *doc;
		uint64_t offset = bh_json_walk_offset(walk);
		rc = bh_json_walk_value(walk, &text, err);
		rc = rc < 0 ? rc : bh_json_parse(text, LINE_BYTES_MAX, &doc, err);
		if (rc < 0)
			return rc;
		rc = give_line(notes, bh_json_root(doc), offset, err);
		bh_json_free(doc);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int chisel_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	struct bh_stream *stream = NULL;
	struct bh_json_walk *walk = NULL;
	struct bh_slice unread = file->data;
	int rc = bh_stream_new((struct bh_source){ .read = read_memory, .ctx = &unread }, &limits, NULL, NULL, &stream, err);
	if (rc >= 0)
		rc = bh_json_walk_new((struct bh_source){ .read = read_plain, .ctx = stream }, LINE_BYTES_MAX, &walk, err);
	if (rc >= 0)
		rc = read_lines(walk, &notes, err);
	bh_json_walk_free(walk);
	bh_stream_free(stream);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_chisel = {
	.name = "chisel",
	.type = "deb",
	.wants = chisel_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = chisel_parse,
};
