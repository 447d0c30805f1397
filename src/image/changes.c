/* changes.c: see changes.h. Both the list (its paths are the container's own) and the tar stream are hostile. */
#include "image/changes.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/tar.h"
#include "image/document.h"
#include "image/source.h"
#include "model/wire.h"
#include "sys/files.h"

#include <unistd.h>

#define LIST_BYTES_MAX (64u << 20)  /* 200,000 paths of 300 bytes */
#define ARENA_BYTES_MAX (64u << 20)
#define KIND_CUT 255u               /* instead of a change: there are more */

void image_changes_init(struct image_changes *c)
{
	*c = (struct image_changes){ .list.max = IMAGE_CHANGES_MAX };
	bh_arena_init(&c->arena, ARENA_BYTES_MAX);
	bh_map_init(&c->by_path, IMAGE_CHANGES_MAX);
}

void image_changes_done(struct image_changes *c)
{
	image_change_vec_done(&c->list);
	bh_map_done(&c->by_path);
	bh_arena_done(&c->arena);
}

/* ---- the child ---- */

static int send_change(struct bh_channel *ch, struct bh_buf *frame, uint8_t kind, struct bh_slice path, struct bh_err *err)
{
	bh_buf_clear(frame);
	bh_wire_put_u8(frame, kind);
	if (!bh_wire_put_slice(frame, path))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return bh_channel_send(ch, IMAGE_SAY_CHANGE, bh_buf_slice(frame), err);
}

static int send_list(struct bh_channel *ch, const struct bh_json_node *list, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf frame = { 0 };
	bh_buf_init(&frame, 2 * BH_PATH_BYTES_MAX);
	size_t n = bh_json_len(list);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n && i < IMAGE_CHANGES_MAX; i++) {
		uint8_t clean[BH_PATH_BYTES_MAX];
		struct bh_slice path;
		bool climbed;
		uint64_t kind;
		const struct bh_json_node *item = bh_json_at(list, i);
		if (!bh_path_clean(bh_json_str(bh_json_get(item, "Path")), clean, &path, &climbed) ||
		    !bh_json_u64(bh_json_get(item, "Kind"), IMAGE_DELETED, &kind))
			return bh_fail(err, BH_EMALFORMED, 0, "the list of changes: entry %zu is none", i);
		rc = path.len ? send_change(ch, &frame, (uint8_t)kind, path, err) : 0;
	}
	return rc == 0 && n > IMAGE_CHANGES_MAX ? send_change(ch, &frame, KIND_CUT, (struct bh_slice){ 0 }, err) : rc;
}

int image_changes_read(struct bh_channel *ch, struct bh_err *err)
{
	struct image_opened file;
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	bh_buf_init(&text, LIST_BYTES_MAX);
	int rc = image_ask_open(ch, "changes", &file, err);
	if (rc < 0)
		return rc;
	rc = bh_read_all(file.fd, LIST_BYTES_MAX, &text, err);
	close(file.fd);
	rc = rc < 0 ? rc : bh_json_parse(bh_buf_slice(&text), LIST_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "the list of changes");
	const struct bh_json_node *list = bh_json_root(doc);
	if (bh_json_is_null(list)) /* how Docker says "none" */
		return 0;
	return bh_json_is_array(list) ? send_list(ch, list, err) : bh_fail(err, BH_EMALFORMED, 0, "the list of changes is no list");
}

/* ---- the parent ---- */

int image_changes_take(struct image_changes *c, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	uint8_t kind;
	struct image_change change = { 0 };
	struct bh_slice path;
	if (!bh_take_u8(&r, &kind) || !bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &path))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about changes");
	if (kind == KIND_CUT) {
		c->cut = true;
		return 0;
	}
	if (kind > IMAGE_DELETED || !bh_arena_copy(&c->arena, path, &change.path))
		return bh_fail(err, BH_ELIMIT, 0, "the container's changes are too many or too long");
	change.kind = (enum image_change_kind)kind;
	void **slot = bh_map_put(&c->by_path, change.path);
	if (!slot || (!*slot && !image_change_vec_push(&c->list, change)))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u changes", IMAGE_CHANGES_MAX);
	if (!*slot)
		*slot = (void *)(uintptr_t)c->list.len;
	return 0;
}

struct image_change *image_changes_find(const struct image_changes *c, struct bh_slice path)
{
	size_t number = (size_t)(uintptr_t)bh_map_get(&c->by_path, path);
	return number ? &c->list.ptr[number - 1] : NULL;
}

bool image_put_seen(struct bh_buf *b, struct bh_slice path, bool regular, bool folder, uint32_t mode)
{
	bh_buf_clear(b);
	bh_wire_put_slice(b, path);
	bh_wire_put_u8(b, regular ? 1 : folder ? 2 : 0);
	return bh_wire_put_u32(b, mode);
}

int image_changes_see(struct image_changes *c, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice path;
	uint8_t type;
	uint32_t mode;
	if (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &path) || !bh_take_u8(&r, &type) || !bh_take_u32le(&r, &mode) || bh_reader_left(&r))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about a changed file");
	struct image_change *change = image_changes_find(c, path);
	if (!change)
		return 0;
	change->seen = true;
	change->regular = type == 1;
	change->folder = type == 2;
	change->mode = mode;
	return 0;
}
