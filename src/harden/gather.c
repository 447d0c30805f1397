/* gather.c: see gather.h. */
#include "harden/gather.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "harden/code.h"
#include "harden/removable.h"
#include "harden/rpm.h"
#include "model/wire.h"

#include <stdlib.h>

#define SCRIPT_BYTES_MAX (1u << 20)
#define TEXT_BYTES_MAX (256u << 10)
#define PACKAGES_BYTES_MAX (16u << 20) /* a distribution's list of packages; large real ones have 3 MB */
#define RPM_BYTES_MAX (48u << 20)      /* rpm's database: real ones have 10 to 40 MB */
#define WORDS_MAX 4000u
#define WORD_BYTES_MAX 200u
#define CHUNK_BYTES (BH_FRAME_BYTES_MAX - 8192u) /* of a summary: a record with its path fits a frame */
#define FILES_MAX 2000000u
#define ARENA_BYTES_MAX (512u << 20)
#define KEPT_BYTES_MAX (512u << 20) /* summaries of all binaries of an image together; real ones have 30 MB */
#define HOPS_MAX 40u

enum record { RECORD_BINARY = 1, RECORD_SCRIPT, RECORD_LINK, RECORD_FOLDER, RECORD_TEXT, RECORD_WORDS, RECORD_RPM, RECORD_MORE };

/* Texts whose content matters as such. */
const char *const gather_databases[] = { "var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed", NULL };
const char *const gather_rpm_databases[] = { "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", NULL };
static const char *const rpm_logs[] = { "var/lib/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", NULL }; /* rows that the database has not got yet */
static const char *const texts[] = { "etc/passwd", "etc/group", "etc/ld.so.conf", "etc/nsswitch.conf", NULL };

/* ---- the child's side ---- */

static bool is_text(struct bh_slice path)
{
	return bh_slice_is_one_of(path, texts) || bh_slice_starts(path, BH_SLICE_LIT("etc/ld.so.conf.d/")) || bh_slice_starts(path, BH_SLICE_LIT("etc/ld-musl-"));
}

static bool is_package_list(struct bh_slice path)
{
	return bh_slice_is_one_of(path, gather_databases) || bh_slice_is_one_of(path, rpm_logs) || removable_is_list(path);
}

/* Configuration, in which paths stand that a program writes to. */
static bool is_configuration(struct bh_slice path)
{
	return bh_slice_starts(path, BH_SLICE_LIT("etc/")) && (bh_slice_ends(path, BH_SLICE_LIT(".conf")) || bh_slice_ends(path, BH_SLICE_LIT(".cnf")) ||
							      bh_slice_ends(path, BH_SLICE_LIT(".ini")) || bh_slice_ends(path, BH_SLICE_LIT(".cfg")));
}

static uint64_t wants(void *ctx, struct bh_slice path)
{
	const struct gather *g = ctx;
	if (g->packages && bh_slice_is_one_of(path, gather_rpm_databases))
		return RPM_BYTES_MAX;
	if (g->packages && is_package_list(path))
		return PACKAGES_BYTES_MAX;
	return is_text(path) || is_configuration(path) ? TEXT_BYTES_MAX : 0;
}

static uint64_t wants_content(void *ctx, struct bh_slice path, struct bh_slice head)
{
	(void)ctx, (void)path;
	if (code_is_elf(head))
		return BH_WANTED_FILE_BYTES_MAX;
	return bh_slice_starts(head, BH_SLICE_LIT("#!")) ? SCRIPT_BYTES_MAX : 0;
}

static bool wants_below(void *ctx, struct bh_slice path)
{
	(void)ctx, (void)path;
	return false;
}

static void put_owner(struct bh_buf *b, uint32_t mode, uint32_t uid, uint32_t gid)
{
	bh_wire_put_u32(b, mode);
	bh_wire_put_u32(b, uid);
	bh_wire_put_u32(b, gid);
}

static int emit(struct gather *g, const struct image_emit *out, struct bh_slice path, enum record kind, struct bh_err *err)
{
	if (g->frame.failed)
		return bh_fail(err, BH_ELIMIT, 0, "what matters of it is larger than a message");
	return out->record(out->ctx, path, (uint16_t)kind, bh_buf_slice(&g->frame), err);
}

/* Owner and mode, then the bytes, in as many messages as it takes. */
static int send_chunks(struct gather *g, const struct image_file *f, enum record kind, struct bh_slice bytes, const struct image_emit *out, struct bh_err *err)
{
	size_t sent = 0;
	int rc = 0;
	do {
		bh_buf_clear(&g->frame);
		if (sent == 0)
			put_owner(&g->frame, f->mode, f->uid, f->gid);
		bh_buf_add(&g->frame, bh_slice_sub(bytes, sent, CHUNK_BYTES));
		rc = emit(g, out, f->path, sent ? RECORD_MORE : kind, err);
		sent += CHUNK_BYTES;
	} while (rc == 0 && sent < bytes.len);
	return rc;
}

static int send_binary(struct gather *g, const struct image_file *f, const struct image_emit *out, struct bh_err *err)
{
	struct binary b;
	struct bh_buf wire;
	bh_buf_init(&wire, BINARY_WIRE_BYTES_MAX);
	int rc = code_read(f->data, &b, err);
	if (rc == 0 && !binary_put(&wire, &b))
		rc = bh_fail(err, BH_ELIMIT, 0, "its summary is larger than %u bytes", BINARY_WIRE_BYTES_MAX);
	if (rc < 0) /* it is there, and can be started, all the same */
		bh_buf_clear(&wire);
	struct bh_err why = *err;
	int told = send_chunks(g, f, RECORD_BINARY, bh_buf_slice(&wire), out, err);
	bh_buf_done(&wire);
	binary_done(&b);
	if (told < 0)
		return told;
	*err = why;
	return rc;
}

/* Different words of text, each as a slice. A word may be the name of a program or a path; paths_only: those that begin with a slash. */
static void put_words(struct gather *g, struct bh_slice text, bool paths_only)
{
	struct bh_map seen;
	bh_map_init(&seen, WORDS_MAX);
	size_t start = 0;
	for (size_t at = 0; at <= text.len; at++) {
		if (at < text.len && gather_is_word_byte(text.ptr[at]))
			continue;
		struct bh_slice word = bh_slice_sub(text, start, at - start);
		start = at + 1;
		if (word.len < 1 || word.len > WORD_BYTES_MAX || word.ptr[0] == '-' || (paths_only && word.ptr[0] != '/') || bh_map_get(&seen, word))
			continue;
		void **slot = bh_map_put(&seen, word);
		if (!slot)
			break;
		*slot = g;
		bh_wire_put_slice(&g->frame, word);
	}
	bh_map_done(&seen);
}

static int send_script(struct gather *g, const struct image_file *f, const struct image_emit *out, struct bh_err *err)
{
	struct bh_slice line = bh_slice_sub(f->data, 2, bh_slice_find(f->data, '\n') - 2);
	bh_buf_clear(&g->frame);
	put_owner(&g->frame, f->mode, f->uid, f->gid);
	bh_wire_put_slice(&g->frame, bh_slice_sub(bh_slice_trim(line), 0, BH_PATH_BYTES_MAX));
	put_words(g, f->data, false);
	return emit(g, out, f->path, RECORD_SCRIPT, err);
}

static int send_words(struct gather *g, const struct image_file *f, const struct image_emit *out, struct bh_err *err)
{
	bh_buf_clear(&g->frame);
	put_owner(&g->frame, f->mode, f->uid, f->gid);
	put_words(g, f->data, true);
	return emit(g, out, f->path, RECORD_WORDS, err);
}

/* The list of files first, behind its length, then the database. */
static int send_rpm(struct gather *g, const struct image_file *f, const struct image_emit *out, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf list = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf both = { 0 };
	bh_buf_init(&list, PACKAGES_BYTES_MAX);
	bh_buf_init(&both, BINARY_WIRE_BYTES_MAX);
	int rc = rpm_list(f->data, &list, err);
	if (rc < 0)
		return rc;
	bh_wire_put_u32(&both, (uint32_t)list.len);
	bh_buf_add(&both, bh_buf_slice(&list));
	bh_buf_add(&both, f->data);
	if (both.failed)
		return bh_fail(err, BH_ELIMIT, 0, "rpm's database is larger than there is memory for it");
	return send_chunks(g, f, RECORD_RPM, bh_buf_slice(&both), out, err);
}

static int file(void *ctx, const struct image_file *f, const struct image_emit *out, struct bh_err *err)
{
	struct gather *g = ctx;
	if (g->packages && bh_slice_is_one_of(f->path, gather_rpm_databases))
		return send_rpm(g, f, out, err);
	if (is_text(f->path) || (g->packages && is_package_list(f->path)))
		return send_chunks(g, f, RECORD_TEXT, f->data, out, err);
	if (code_is_elf(f->data))
		return send_binary(g, f, out, err);
	return bh_slice_starts(f->data, BH_SLICE_LIT("#!")) ? send_script(g, f, out, err) : send_words(g, f, out, err);
}

static int finish(void *ctx, const struct image_emit *out, struct bh_err *err)
{
	(void)ctx, (void)out, (void)err;
	return 0;
}

static int entry(void *ctx, const struct image_entry *e, const struct image_emit *out, struct bh_err *err)
{
	struct gather *g = ctx;
	bool links = e->type == IMAGE_ENTRY_SYMLINK || e->type == IMAGE_ENTRY_HARDLINK;
	if (!links && e->type != IMAGE_ENTRY_DIR)
		return 0;
	bh_buf_clear(&g->frame);
	put_owner(&g->frame, e->mode, e->uid, e->gid);
	if (links)
		bh_wire_put_u8(&g->frame, e->type == IMAGE_ENTRY_HARDLINK);
	if (e->type == IMAGE_ENTRY_HARDLINK) /* names another entry of the archive, from the root */
		bh_buf_add_byte(&g->frame, '/');
	bh_buf_add(&g->frame, e->link);
	int rc = emit(g, out, e->path, links ? RECORD_LINK : RECORD_FOLDER, err);
	return rc < 0 ? rc : 0;
}

static int no_bytes(void *ctx, struct bh_slice run, const struct image_emit *out, struct bh_err *err)
{
	(void)ctx, (void)run, (void)out, (void)err;
	return 0;
}

static int no_end(void *ctx, bool whole, const struct image_emit *out, struct bh_err *err)
{
	(void)ctx, (void)whole, (void)out, (void)err;
	return 0;
}

/* ---- the parent's side ---- */

static int damaged(struct bh_err *err)
{
	return bh_fail(err, BH_EMALFORMED, 0, "a damaged message about a program");
}

static int no_room(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the image has more programs than fit, or out of memory");
}

static void file_done(struct gather_file *f)
{
	bh_buf_done(&f->wire);
	binary_name_vec_done(&f->words);
	if (f->has_binary)
		binary_done(&f->binary);
}

static struct gather_file *new_file(struct gather *g, struct bh_slice path, enum gather_kind kind)
{
	struct gather_file *f = BH_ARENA_NEW(&g->arena, struct gather_file);
	if (!f || !bh_arena_copy(&g->arena, path, &f->path))
		return NULL;
	f->kind = kind;
	f->words.max = WORDS_MAX;
	bh_buf_init(&f->wire, BINARY_WIRE_BYTES_MAX);
	void **slot = bh_map_put(&g->by_path, f->path);
	if (!slot || !gather_vec_push(&g->files, f))
		return NULL;
	*slot = f; /* of a higher layer, or a later entry */
	return f;
}

static int keep_chunk(struct gather *g, struct gather_file *f, struct bh_slice chunk, struct bh_err *err)
{
	g->kept_bytes += chunk.len;
	if (g->kept_bytes > KEPT_BYTES_MAX || !bh_buf_add(&f->wire, chunk))
		return no_room(err);
	return 0;
}

static int keep_words(struct gather *g, struct gather_file *f, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice word;
	while (bh_reader_left(r)) {
		if (!bh_wire_get_slice(r, WORD_BYTES_MAX, &word))
			return damaged(err);
		if (!bh_arena_copy(&g->arena, word, &word) || !binary_name_vec_push(&f->words, word))
			return no_room(err);
	}
	return 0;
}

static int keep_link(struct gather *g, struct gather_file *f, struct bh_reader *r, struct bh_err *err)
{
	uint8_t hard;
	struct bh_slice target;
	if (!bh_take_u8(r, &hard) || !bh_take(r, bh_reader_left(r), &target))
		return damaged(err);
	f->hard = hard != 0;
	return bh_arena_copy(&g->arena, target, &f->link) ? 0 : no_room(err);
}

static int keep_script(struct gather *g, struct gather_file *f, struct bh_reader *r, struct bh_err *err)
{
	if (!bh_wire_get_slice(r, BH_PATH_BYTES_MAX, &f->interpreter))
		return damaged(err);
	return bh_arena_copy(&g->arena, f->interpreter, &f->interpreter) ? keep_words(g, f, r, err) : no_room(err);
}

static int keep_content(struct gather *g, struct gather_file *f, uint16_t kind, struct bh_reader *r, struct bh_err *err)
{
	struct bh_slice rest;
	switch (kind) {
	case RECORD_BINARY:
	case RECORD_RPM:
	case RECORD_TEXT: return bh_take(r, bh_reader_left(r), &rest) ? keep_chunk(g, f, rest, err) : damaged(err);
	case RECORD_LINK: return keep_link(g, f, r, err);
	case RECORD_SCRIPT: return keep_script(g, f, r, err);
	case RECORD_WORDS: return keep_words(g, f, r, err);
	default: return 0;
	}
}

static int record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	static const enum gather_kind kinds[] = {
		[RECORD_BINARY] = GATHER_BINARY, [RECORD_SCRIPT] = GATHER_SCRIPT, [RECORD_LINK] = GATHER_LINK, [RECORD_FOLDER] = GATHER_FOLDER, [RECORD_TEXT] = GATHER_TEXT,
		[RECORD_WORDS] = GATHER_TEXT, [RECORD_RPM] = GATHER_TEXT,
	};
	struct gather *g = ctx;
	struct bh_reader r = bh_reader_of(payload);
	(void)layer;
	if (!visible)
		return 0;
	if (kind == RECORD_MORE) {
		struct gather_file *f = bh_map_get(&g->by_path, path);
		return f && (f->kind == GATHER_BINARY || f->kind == GATHER_TEXT) ? keep_chunk(g, f, payload, err) : damaged(err);
	}
	if (kind < RECORD_BINARY || kind > RECORD_RPM)
		return damaged(err);
	struct gather_file *f = new_file(g, path, kinds[kind]);
	if (!f)
		return no_room(err);
	if (!bh_take_u32le(&r, &f->mode) || !bh_take_u32le(&r, &f->uid) || !bh_take_u32le(&r, &f->gid))
		return damaged(err);
	return keep_content(g, f, kind, &r, err);
}

static bool part_rpm(struct gather_file *f)
{
	struct bh_reader r = bh_reader_of(bh_buf_slice(&f->wire));
	uint32_t n;
	return bh_take_u32le(&r, &n) && bh_take(&r, n, &f->text) && bh_take(&r, bh_reader_left(&r), &f->database);
}

int gather_finish(struct gather *g, struct bh_err *err)
{
	for (size_t i = 0; i < g->files.len; i++) {
		struct gather_file *f = g->files.ptr[i];
		if (f->kind == GATHER_TEXT)
			f->text = bh_buf_slice(&f->wire);
		if (f->kind == GATHER_TEXT && bh_slice_is_one_of(f->path, gather_rpm_databases) && f->wire.len && !part_rpm(f))
			return damaged(err);
		if (f->kind != GATHER_BINARY)
			continue;
		if (f->wire.len == 0) { /* the child said why */
			f->damaged = true;
			continue;
		}
		f->has_binary = true;
		if (!binary_get(bh_buf_slice(&f->wire), &f->binary))
			return damaged(err);
	}
	return 0;
}

struct image_visitor gather_visitor(struct gather *g)
{
	g->watcher = (struct image_watcher){ .no_files = true, .entry = entry, .bytes = no_bytes, .end = no_end, .ctx = g };
	return (struct image_visitor){
		.wants = wants, .wants_content = wants_content, .wants_below = wants_below, .file = file, .finish = finish, .record = record, .watcher = &g->watcher, .ctx = g,
	};
}

void gather_init(struct gather *g, struct bh_report *report)
{
	*g = (struct gather){ .report = report, .files.max = FILES_MAX };
	bh_arena_init(&g->arena, ARENA_BYTES_MAX);
	bh_arena_init(&g->scratch, ARENA_BYTES_MAX);
	bh_map_init(&g->by_path, FILES_MAX);
	bh_buf_init(&g->frame, BH_FRAME_BYTES_MAX - BH_PATH_BYTES_MAX - 64);
}

void gather_done(struct gather *g)
{
	for (size_t i = 0; i < g->files.len; i++)
		file_done(g->files.ptr[i]);
	gather_vec_done(&g->files);
	bh_map_done(&g->by_path);
	bh_buf_done(&g->frame);
	bh_arena_done(&g->arena);
	bh_arena_done(&g->scratch);
}

/* ---- paths ---- */

/* Takes the last component off. */
static void climb(struct bh_buf *at)
{
	while (at->len && at->ptr[at->len - 1] != '/')
		at->len--;
	at->len -= at->len ? 1 : 0;
}

/* One component: what it leads to becomes the rest that is still to be walked. */
static bool walk_component(const struct gather *g, struct bh_buf *at, struct bh_slice name, struct bh_slice rest, struct bh_buf *todo, unsigned *hops)
{
	size_t before = at->len;
	bool ok = (before == 0 || bh_buf_add_byte(at, '/')) && bh_buf_add(at, name);
	const struct gather_file *f = ok ? bh_map_get(&g->by_path, bh_buf_slice(at)) : NULL;
	struct bh_buf next;
	bh_buf_init(&next, 4 * BH_PATH_BYTES_MAX);
	bool follow = f && f->kind == GATHER_LINK;
	if (follow) {
		at->len = bh_slice_starts(f->link, BH_SLICE_LIT("/")) ? 0 : before;
		ok = ++*hops <= HOPS_MAX && bh_buf_add(&next, f->link) && bh_buf_add_byte(&next, '/');
	}
	ok = ok && bh_buf_add(&next, rest);
	bh_buf_clear(todo);
	ok = ok && bh_buf_add(todo, bh_buf_slice(&next));
	bh_buf_done(&next);
	return ok;
}

bool gather_resolve(const struct gather *g, struct bh_slice path, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_buf at, todo;
	unsigned hops = 0;
	bh_buf_init(&at, BH_PATH_BYTES_MAX);
	bh_buf_init(&todo, 4 * BH_PATH_BYTES_MAX);
	bool ok = bh_buf_add(&todo, path);
	while (ok && todo.len) {
		struct bh_slice name, rest;
		(void)bh_slice_cut(bh_buf_slice(&todo), '/', &name, &rest);
		if (name.len == 0 || bh_slice_eq_str(name, ".") || bh_slice_eq_str(name, "..")) {
			if (name.len == 2)
				climb(&at);
			memmove(todo.ptr, todo.ptr + (todo.len - rest.len), rest.len);
			todo.len = rest.len;
			continue;
		}
		ok = walk_component(g, &at, name, rest, &todo, &hops);
	}
	ok = ok && bh_arena_copy(arena, bh_buf_slice(&at), ret);
	if (ok && at.len == 0)
		*ret = (struct bh_slice){ 0 };
	bh_buf_done(&at);
	bh_buf_done(&todo);
	return ok;
}

struct gather_file *gather_find(const struct gather *g, struct bh_slice path)
{
	struct bh_arena scratch;
	struct bh_slice real;
	bh_arena_init(&scratch, 2 * BH_PATH_BYTES_MAX + 65536);
	struct gather_file *f = gather_resolve(g, path, &scratch, &real) ? bh_map_get(&g->by_path, real) : NULL;
	bh_arena_done(&scratch);
	return f && f->kind != GATHER_LINK ? f : NULL;
}
