/*
 * image_layers.h: layers written as text, for tests: a tar stream is made of each, read as a real layer in this process, and
 * merged. One entry a line:
 *
 *   f PATH CONTENT     regular file        l PATH TARGET   symbolic link
 *   d PATH             folder              h PATH TARGET   hard link
 *   c PATH             character device
 *
 * The visitor wants etc/os-release, usr/lib/os-release, var/lib/dpkg/status, var/lib/dpkg/info/X.list and any package.json;
 * its records are the contents.
 */
#ifndef TESTS_IMAGE_LAYERS_H
#define TESTS_IMAGE_LAYERS_H

#include "base/buf.h"
#include "base/reader.h"
#include "image/layer.h"
#include "image/merge.h"
#include "image/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAR_BLOCK 512

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8], pad[247];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a tar header is one block");

static inline void tar_text(char *out, size_t size, struct bh_slice s)
{
	if (s.len)
		memcpy(out, s.ptr, s.len < size ? s.len : size);
}

static inline void tar_add(struct bh_buf *b, char type, struct bh_slice name, struct bh_slice link, struct bh_slice content)
{
	static const uint8_t zeros[TAR_BLOCK];
	struct tar_header h = { .type = type, .mode = "0000644", .uid = "0000000", .gid = "0000000", .mtime = "00000000000", .magic = "ustar" };
	memcpy(h.magic + 6, "00", 2);
	tar_text(h.name, sizeof(h.name), name);
	tar_text(h.link, sizeof(h.link), link);
	snprintf(h.size, sizeof(h.size), "%011zo", content.len);
	memset(h.checksum, ' ', sizeof(h.checksum));
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const uint8_t *)&h)[i];
	snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
	bh_buf_add(b, (struct bh_slice){ (const uint8_t *)&h, sizeof(h) });
	bh_buf_add(b, content);
	bh_buf_add(b, (struct bh_slice){ zeros, (TAR_BLOCK - content.len % TAR_BLOCK) % TAR_BLOCK });
}

static inline void tar_of_text(struct bh_buf *b, const char *text)
{
	static const uint8_t end[2 * TAR_BLOCK];
	struct bh_reader r = bh_reader_of(bh_slice_str(text));
	struct bh_slice line, kind, rest, path, arg, none = { 0 };
	while (bh_take_line(&r, &line)) {
		(void)bh_slice_cut(line, ' ', &kind, &rest);
		(void)bh_slice_cut(rest, ' ', &path, &arg);
		switch (kind.ptr[0]) {
		case 'f': tar_add(b, '0', path, none, arg); break;
		case 'd': tar_add(b, '5', path, none, none); break;
		case 'l': tar_add(b, '2', path, arg, none); break;
		case 'h': tar_add(b, '1', path, arg, none); break;
		case 'c': tar_add(b, '3', path, none, none); break;
		default: abort();
		}
	}
	bh_buf_add(b, (struct bh_slice){ end, sizeof(end) });
}

/* ---- the visitor ---- */

static const char *const layers_homes[] = { "etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status", "var/lib/dpkg/info/", "" };

static inline struct bh_slice layers_home(void *ctx, size_t index)
{
	(void)ctx;
	return bh_slice_str(layers_homes[index]);
}

static inline uint64_t layers_wants(void *ctx, struct bh_slice path)
{
	(void)ctx;
	struct bh_slice info = BH_SLICE_LIT("var/lib/dpkg/info/");
	for (size_t i = 0; layers_homes[i][0]; i++) {
		if (bh_slice_eq_str(path, layers_homes[i]))
			return 1000;
	}
	if (bh_slice_starts(path, info) && bh_slice_ends(path, BH_SLICE_LIT(".list")))
		return 1000;
	return bh_slice_ends(path, BH_SLICE_LIT("/package.json")) || bh_slice_eq_str(path, "package.json") ? 1000 : 0;
}

static inline bool layers_wants_below(void *ctx, struct bh_slice path)
{
	(void)ctx;
	for (size_t i = 0; layers_homes[i][0]; i++) {
		struct bh_slice home = bh_slice_str(layers_homes[i]);
		if (bh_slice_starts(home, path) && home.len > path.len && home.ptr[path.len] == '/')
			return true;
	}
	return false;
}

static inline int layers_file(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err)
{
	(void)ctx;
	return emit->record(emit->ctx, file->path, 7, file->data, err);
}

/* ctx: a bh_buf that gets one line for each record: "LAYER +|- PATH CONTENT" (+ visible). */
static inline int layers_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	(void)kind;
	bool ok = bh_buf_printf(ctx, "%u %c %.*s %.*s\n", layer, visible ? '+' : '-', BH_SLICE_FMT(path), BH_SLICE_FMT(payload));
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- reading and merging in this process ---- */

static inline int layers_send(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	return image_unit_take(ctx, type, payload, err);
}

struct layers_bytes {
	struct bh_slice left;
	size_t step; /* bytes a read gives at most */
};

static inline int layers_read_bytes(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	(void)err;
	struct layers_bytes *b = ctx;
	*ret = bh_slice_sub(b->left, 0, b->step);
	b->left = bh_slice_sub(b->left, ret->len, b->left.len);
	return 0;
}

static inline int layers_read(struct bh_slice blob, const struct image_layer_job *job, struct image_unit *unit, struct bh_err *err)
{
	struct layers_bytes bytes = { blob, 4096 };
	const struct image_sink sink = { layers_send, NULL, unit };
	return image_layer_read(job, (struct bh_source){ .read = layers_read_bytes, .ctx = &bytes }, &sink, err);
}

#endif
