/* unit.c: frames in and out. What a child can make the parent keep is bounded here, in one place. */
#include "image/unit.h"

#include "base/limits.h"
#include "model/wire.h"

#define POOL_BYTES_MAX (256u << 20) /* records of all layers; a large real image needs a tenth */
#define FOUND_MAX 400000u           /* wanted files of one layer: images with 100,000 package.json exist */
#define LINKS_MAX 50000u
#define DROPS_MAX 400000u
#define NOTES_MAX 1000u
#define TEXT_BYTES_MAX 4096u
#define HIDES_CHUNK_MAX (BH_FRAME_BYTES_MAX / 8)

void image_pool_init(struct image_pool *pool)
{
	*pool = (struct image_pool){ .hides_left = IMAGE_HIDES_TOTAL_MAX };
	bh_arena_init(&pool->arena, POOL_BYTES_MAX);
}

void image_pool_done(struct image_pool *pool)
{
	bh_arena_done(&pool->arena);
}

void image_unit_init(struct image_unit *unit, struct image_pool *pool)
{
	*unit = (struct image_unit){
		.pool = pool,
		.found.max = FOUND_MAX,
		.links.max = LINKS_MAX,
		.drops.max = DROPS_MAX,
		.notes.max = NOTES_MAX,
	};
	bh_map_init(&unit->index, FOUND_MAX);
}

static void free_hides(struct image_unit *unit)
{
	while (unit->hides) {
		struct image_hides *h = unit->hides;
		unit->hides = h->next;
		free(h);
	}
	unit->pool->hides_left += unit->n_hides;
	unit->n_hides = 0;
}

void image_unit_done(struct image_unit *unit)
{
	if (!unit->pool)
		return;
	free_hides(unit);
	bh_map_done(&unit->index);
	image_found_vec_done(&unit->found);
	image_link_vec_done(&unit->links);
	image_drop_vec_done(&unit->drops);
	image_note_vec_done(&unit->notes);
}

static int malformed(struct bh_err *err, const char *what)
{
	return bh_fail(err, BH_EMALFORMED, 0, "a damaged %s message", what);
}

static int full(struct bh_err *err, const char *what)
{
	return bh_fail(err, BH_ELIMIT, 0, "the layer has too many %s", what);
}

/* The found file of that path; made when it is new. NULL when full. Valid until the next call. */
static struct image_found *find(struct image_unit *unit, struct bh_slice path)
{
	uintptr_t at = (uintptr_t)bh_map_get(&unit->index, path);
	if (at)
		return &unit->found.ptr[at - 1];
	struct image_found f = { 0 };
	if (!bh_arena_copy(&unit->pool->arena, path, &f.path) || !image_found_vec_push(&unit->found, f))
		return NULL;
	void **slot = bh_map_put(&unit->index, f.path);
	if (!slot)
		return NULL;
	*slot = (void *)(uintptr_t)unit->found.len;
	return &unit->found.ptr[unit->found.len - 1];
}

static int take_file(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice path, real;
	if (!bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &path) || !bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &real) || path.len == 0)
		return malformed(err, "file");
	struct image_found *f = find(unit, path);
	if (!f || !bh_arena_copy(&unit->pool->arena, real, &f->real))
		return full(err, "wanted files");
	f->first = f->last = NULL; /* a later entry of the same name replaces the earlier one */
	f->seq = ++unit->seq;
	f->read = true;
	return 0;
}

static void append(struct image_found *f, struct image_record *rec)
{
	if (f->last)
		f->last->next = rec;
	else
		f->first = rec;
	f->last = rec;
}

static int take_record(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice path, payload;
	uint32_t kind;
	if (!bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &path) || !bh_take_u32le(r, &kind) || kind > UINT16_MAX ||
	    !bh_wire_get_slice(r, BH_FRAME_BYTES_MAX, &payload) || path.len == 0)
		return malformed(err, "record");
	struct image_found *f = find(unit, path);
	struct image_record *rec = BH_ARENA_NEW(&unit->pool->arena, struct image_record);
	if (!f || !rec || !bh_arena_copy(&unit->pool->arena, payload, &rec->payload))
		return full(err, "results");
	rec->kind = (uint16_t)kind;
	append(f, rec);
	if (f->seq == 0)
		f->seq = ++unit->seq;
	return 0;
}

static int take_watched(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice path;
	struct image_found f = { .watched = true };
	if (!bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &path) || path.len == 0)
		return malformed(err, "watched");
	f.seq = ++unit->seq;
	if (!bh_arena_copy(&unit->pool->arena, path, &f.path) || !image_found_vec_push(&unit->found, f))
		return full(err, "files to tell about");
	unit->watching = unit->found.len;
	return 0;
}

static int take_remark(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice payload;
	uint32_t kind;
	if (!bh_take_u32le(r, &kind) || kind > UINT16_MAX || !bh_wire_get_slice(r, BH_FRAME_BYTES_MAX, &payload) || unit->watching == 0)
		return malformed(err, "remark");
	struct image_record *rec = BH_ARENA_NEW(&unit->pool->arena, struct image_record);
	if (!rec || !bh_arena_copy(&unit->pool->arena, payload, &rec->payload))
		return full(err, "results");
	rec->kind = (uint16_t)kind;
	append(&unit->found.ptr[unit->watching - 1], rec);
	return 0;
}

static int take_link(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct image_link l = { 0 };
	struct bh_slice path, target;
	uint8_t hard;
	if (!bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &path) || !bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &target) || !bh_take_u8(r, &hard) ||
	    path.len == 0)
		return malformed(err, "link");
	l.hard = hard != 0;
	l.seq = ++unit->seq;
	if (!bh_arena_copy(&unit->pool->arena, path, &l.path) || !bh_arena_copy(&unit->pool->arena, target, &l.target) ||
	    !image_link_vec_push(&unit->links, l))
		return full(err, "links");
	return 0;
}

static int take_drop(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct image_drop d = { .seq = ++unit->seq };
	if (!bh_take_u64le(r, &d.hash))
		return malformed(err, "drop");
	return image_drop_vec_push(&unit->drops, d) ? 0 : full(err, "replaced entries");
}

static int take_hides(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	size_t n = bh_reader_left(r) / 8;
	if (bh_reader_left(r) % 8 || n == 0 || n > HIDES_CHUNK_MAX)
		return malformed(err, "hides");
	if (n > IMAGE_HIDES_MAX - unit->n_hides || n > unit->pool->hides_left) {
		unit->end.hides_cut = true; /* said at the end; what was read stays true */
		(void)bh_skip(r, bh_reader_left(r));
		return 0;
	}
	struct image_hides *h = malloc(sizeof(*h) + n * sizeof(h->hash[0]));
	if (!h)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		(void)bh_take_u64le(r, &h->hash[i]);
	h->len = n;
	h->next = unit->hides;
	unit->hides = h;
	unit->n_hides += n;
	unit->pool->hides_left -= n;
	return 0;
}

static int take_note(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct image_note n;
	struct bh_slice what, path, reason;
	if (!bh_wire_get_slice(r, TEXT_BYTES_MAX, &what) || !bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &path) ||
	    !bh_wire_get_slice(r, TEXT_BYTES_MAX, &reason))
		return malformed(err, "note");
	if (unit->notes.len == NOTES_MAX) /* a thousand problems say enough */
		return 0;
	struct bh_arena *a = &unit->pool->arena;
	if (!bh_arena_copy(a, what, &n.what) || !bh_arena_copy(a, path, &n.path) || !bh_arena_copy(a, reason, &n.reason) ||
	    !image_note_vec_push(&unit->notes, n))
		return full(err, "problems");
	return 0;
}

static int take_end(struct image_unit *unit, struct bh_reader *r, struct bh_err *err)
{
	struct image_end e = { 0 };
	uint32_t code;
	uint8_t cut;
	struct bh_slice problem;
	if (!bh_wire_get_digest(r, &e.digest) || !bh_wire_get_digest(r, &e.diff_id) || !bh_take_u64le(r, &e.raw_bytes) ||
	    !bh_take_u64le(r, &e.plain_bytes) || !bh_take_u64le(r, &e.entries) || !bh_take_u8(r, &e.compression) || !bh_take_u32le(r, &code) ||
	    !bh_take_u8(r, &cut) ||
	    !bh_wire_get_slice(r, TEXT_BYTES_MAX, &problem) || code > -(int)BH_ECHILD)
		return malformed(err, "end");
	if (!bh_arena_copy(&unit->pool->arena, problem, &e.problem))
		return full(err, "results");
	e.code = (enum bh_code)-(int)code;
	e.hides_cut = cut || unit->end.hides_cut;
	unit->end = e;
	unit->ended = true;
	return 0;
}

int image_unit_take(struct image_unit *unit, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	if (unit->ended)
		return bh_fail(err, BH_EMALFORMED, 0, "a message behind the end of its layer");
	int rc;
	switch (type) {
	case IMAGE_SAY_FILE: rc = take_file(unit, &r, err); break;
	case IMAGE_SAY_RECORD: rc = take_record(unit, &r, err); break;
	case IMAGE_SAY_WATCHED: rc = take_watched(unit, &r, err); break;
	case IMAGE_SAY_REMARK: rc = take_remark(unit, &r, err); break;
	case IMAGE_SAY_LINK: rc = take_link(unit, &r, err); break;
	case IMAGE_SAY_DROP: rc = take_drop(unit, &r, err); break;
	case IMAGE_SAY_HIDES: rc = take_hides(unit, &r, err); break;
	case IMAGE_SAY_NOTE: rc = take_note(unit, &r, err); break;
	case IMAGE_SAY_END: rc = take_end(unit, &r, err); break;
	default: return bh_fail(err, BH_EMALFORMED, 0, "message type %u is not about a layer", type);
	}
	return rc == 0 && bh_reader_left(&r) ? malformed(err, "long") : rc;
}

bool image_put_file(struct bh_buf *b, struct bh_slice path, struct bh_slice real)
{
	bh_buf_clear(b);
	bh_wire_put_slice(b, path);
	return bh_wire_put_slice(b, real) && !b->failed;
}

bool image_put_watched(struct bh_buf *b, struct bh_slice path)
{
	bh_buf_clear(b);
	return bh_wire_put_slice(b, path) && !b->failed;
}

bool image_put_remark(struct bh_buf *b, uint16_t kind, struct bh_slice payload)
{
	bh_buf_clear(b);
	bh_wire_put_u32(b, kind);
	return bh_wire_put_slice(b, payload) && !b->failed;
}

bool image_put_record(struct bh_buf *b, struct bh_slice path, uint16_t kind, struct bh_slice payload)
{
	bh_buf_clear(b);
	bh_wire_put_slice(b, path);
	bh_wire_put_u32(b, kind);
	return bh_wire_put_slice(b, payload) && !b->failed;
}

bool image_put_link(struct bh_buf *b, struct bh_slice path, struct bh_slice target, bool hard)
{
	bh_buf_clear(b);
	bh_wire_put_slice(b, path);
	bh_wire_put_slice(b, bh_slice_sub(target, 0, BH_PATH_BYTES_MAX));
	return bh_wire_put_u8(b, hard) && !b->failed;
}

bool image_put_note(struct bh_buf *b, struct bh_slice what, struct bh_slice path, struct bh_slice reason)
{
	bh_buf_clear(b);
	bh_wire_put_slice(b, bh_slice_sub(what, 0, TEXT_BYTES_MAX));
	bh_wire_put_slice(b, bh_slice_sub(path, 0, BH_PATH_BYTES_MAX));
	bh_wire_put_slice(b, bh_slice_sub(reason, 0, TEXT_BYTES_MAX));
	return !b->failed;
}

bool image_put_end(struct bh_buf *b, const struct image_end *end)
{
	bh_buf_clear(b);
	bh_wire_put_digest(b, &end->digest);
	bh_wire_put_digest(b, &end->diff_id);
	bh_wire_put_u64(b, end->raw_bytes);
	bh_wire_put_u64(b, end->plain_bytes);
	bh_wire_put_u64(b, end->entries);
	bh_wire_put_u8(b, end->compression);
	bh_wire_put_u32(b, (uint32_t)-(int)end->code);
	bh_wire_put_u8(b, end->hides_cut);
	bh_wire_put_slice(b, bh_slice_sub(end->problem, 0, TEXT_BYTES_MAX));
	return !b->failed;
}
