/*
 * layer.c:
 *
 *   raw ─► blob digest ─► bh_stream ─► diffID ─► bh_tar ─► entry ─┬─► hides (64 KiB at a time)
 *                                                                 ├─► wanted file, whole ─► visitor ─► records
 *                                                                 └─► link
 *
 * A layer stored uncompressed is hashed once: its digest and its diffID are the same. Damage in the tar does not stop the
 * hashing: both digests are computed to the end, so that "damaged in storage" and "made like this" can be told apart.
 */
#include "image/layer.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "crypto/digest.h"
#include "format/tar.h"
#include "image/unit.h"
#include "image/watch.h"

#include <stdarg.h>
#include <stdio.h>

#define HIDES_BATCH 8192u             /* hashes per message: 64 KiB */
#define TRACKED_MAX (1u << 20)        /* paths of wanted files and their folders, for entries that replace them */
#define HEAD_BYTES 64u                /* that a file is recognised by */
#define LINK_DEPTH_MAX 2u             /* links this close to the root are always told: lib -> usr/lib, var/run -> /run */
#define LINKS_MAX 40000u              /* told per layer */
#define KEEP_CONTENT_BYTES (1u << 20) /* a larger file buffer is given back before the next file */

/* ---- a set of hashes ---- */

struct hashset {
	uint64_t *slots; /* 0 = free */
	size_t len, cap;
};

static bool set_has(const struct hashset *s, uint64_t h)
{
	if (s->cap == 0)
		return false;
	for (size_t at = (size_t)(h >> 8) & (s->cap - 1);; at = (at + 1) & (s->cap - 1)) {
		if (s->slots[at] == h)
			return true;
		if (s->slots[at] == 0)
			return false;
	}
}

static void set_put(uint64_t *slots, size_t cap, uint64_t h)
{
	size_t at = (size_t)(h >> 8) & (cap - 1);
	while (slots[at])
		at = (at + 1) & (cap - 1);
	slots[at] = h;
}

/* False when full or out of memory. */
static bool set_add(struct hashset *s, uint64_t h)
{
	if (set_has(s, h))
		return true;
	if (s->len >= TRACKED_MAX)
		return false;
	if (s->len >= s->cap / 2) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		uint64_t *slots = calloc(cap, sizeof(*slots));
		if (!slots)
			return false;
		for (size_t i = 0; i < s->cap; i++) {
			if (s->slots[i])
				set_put(slots, cap, s->slots[i]);
		}
		free(s->slots);
		s->slots = slots;
		s->cap = cap;
	}
	set_put(s->slots, s->cap, h);
	s->len++;
	return true;
}

/* ---- the walk over one layer ---- */

struct walk {
	const struct image_layer_job *job;
	const struct image_sink *sink;
	struct bh_source raw;
	struct bh_stream *stream;
	struct bh_tar *tar;
	struct bh_hasher *digest, *diff;  /* diff NULL: the same as digest */
	bool sniffed, shared;             /* shared: the blob is not compressed, one hash serves both */
	bool broken;                      /* the sink failed: stop everything */
	struct bh_slice first;            /* plain bytes read ahead */
	int plain_rc;                     /* what the decompression ended with */
	struct bh_err plain_err;
	struct bh_buf frame, content;
	struct image_watch watch;
	struct hashset tracked;
	size_t n_links;
	bool links_cut, tracked_cut;
	uint64_t hides[HIDES_BATCH];
	size_t n_batch, n_hides;
	uint64_t entries, bad_names, first_bad;
	struct image_end end;
	char problem[BH_ERR_TEXT_BYTES];
	uint8_t path[BH_PATH_BYTES_MAX], other[BH_PATH_BYTES_MAX];
	struct bh_map from, until;         /* of aliases: path -> number + 1 of the first one, the others in next_... */
	size_t *next_from, *next_until;
	bool *sealed;                      /* the alias has ended in this layer */
	uint8_t before[BH_PATH_BYTES_MAX]; /* path of the entry before */
	size_t before_len;
};

static int send(struct walk *w, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	int rc = w->sink->send(w->sink->ctx, type, payload, err);
	w->broken |= rc < 0;
	return rc;
}

static int send_frame(struct walk *w, uint16_t type, bool built, struct bh_err *err)
{
	return built ? send(w, type, bh_buf_slice(&w->frame), err) : bh_fail(err, BH_ELIMIT, 0, "a result is larger than %u bytes", BH_FRAME_BYTES_MAX);
}

static int note(struct walk *w, const char *what, struct bh_slice path, struct bh_err *err, const char *fmt, ...) BH_PRINTF(5, 6);
static int note(struct walk *w, const char *what, struct bh_slice path, struct bh_err *err, const char *fmt, ...)
{
	char text[BH_ERR_TEXT_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return send_frame(w, IMAGE_SAY_NOTE, image_put_note(&w->frame, bh_slice_str(what), path, bh_slice_str(text)), err);
}

/* ---- what the visitor may say ---- */

static int emit_record(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct walk *w = ctx;
	return send_frame(w, IMAGE_SAY_RECORD, image_put_record(&w->frame, path, kind, payload), err);
}

static int emit_incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	return note(ctx, what, path, err, "%s", reason);
}

/* ---- hides ---- */

static int flush_hides(struct walk *w, struct bh_err *err)
{
	if (w->n_batch == 0)
		return 0;
	/* The wire is little-endian. */
	for (size_t i = 0; i < w->n_batch; i++)
		w->hides[i] = htole64(w->hides[i]);
	struct bh_slice bytes = { (const uint8_t *)w->hides, w->n_batch * sizeof(w->hides[0]) };
	w->n_batch = 0;
	return send(w, IMAGE_SAY_HIDES, bytes, err);
}

static int hide(struct walk *w, uint64_t hash, enum image_hide kind, struct bh_err *err)
{
	if (!w->job->want_hides)
		return 0;
	if (w->n_hides == IMAGE_HIDES_MAX) {
		w->end.hides_cut = true;
		return 0;
	}
	w->n_hides++;
	w->hides[w->n_batch++] = image_hide(hash, kind);
	return w->n_batch == HIDES_BATCH ? flush_hides(w, err) : 0;
}

static size_t common_folders(const struct walk *w, struct bh_slice path)
{
	size_t n = 0, end = 0;
	while (n < path.len && n < w->before_len && path.ptr[n] == w->before[n]) {
		if (path.ptr[n] == '/')
			end = n;
		n++;
	}
	return n == w->before_len && n < path.len && path.ptr[n] == '/' ? n : end;
}

/* Folders that have no entry of their own, as far as the entry before does not show them. */
static int mention_folders(struct walk *w, struct bh_slice path, struct bh_err *err)
{
	size_t shown = common_folders(w, path);
	int rc = 0;
	for (size_t n = shown + 1; rc == 0 && n < path.len; n++) {
		if (path.ptr[n] == '/')
			rc = hide(w, image_path_hash(w->job->key, bh_slice_sub(path, 0, n)), IMAGE_HIDES_NOTHING, err);
	}
	memcpy(w->before, path.ptr, path.len);
	w->before_len = path.len;
	return rc;
}

/* ---- entries of this layer that take the place of wanted files of this layer ---- */

static void track(struct walk *w, struct bh_slice path)
{
	bool ok = set_add(&w->tracked, image_hide(image_path_hash(w->job->key, path), IMAGE_HIDES_SELF));
	for (struct bh_slice p = bh_slice_folder(path); p.len && ok; p = bh_slice_folder(p))
		ok = set_add(&w->tracked, image_hide(image_path_hash(w->job->key, p), IMAGE_HIDES_BELOW));
	w->tracked_cut |= !ok;
}

static int drop_replaced(struct walk *w, uint64_t hash, bool directory, struct bh_err *err)
{
	bool self = set_has(&w->tracked, image_hide(hash, IMAGE_HIDES_SELF));
	bool below = !directory && set_has(&w->tracked, image_hide(hash, IMAGE_HIDES_BELOW));
	if (!self && !below)
		return 0;
	bh_buf_clear(&w->frame);
	uint64_t drop = htole64(image_hide(hash, directory ? IMAGE_HIDES_SELF : IMAGE_HIDES_ALL));
	return send_frame(w, IMAGE_SAY_DROP, bh_buf_add(&w->frame, (struct bh_slice){ (const uint8_t *)&drop, sizeof(drop) }), err);
}

/* ---- files ---- */

/* The next run of the entry's bytes, which whoever watches sees, too. */
static int next_run(struct walk *w, struct bh_slice *ret, struct bh_err *err)
{
	int rc = bh_tar_read(w->tar, ret, err);
	return rc < 0 ? rc : image_watch_bytes(&w->watch, *ret, err);
}

/* Adds to w->content; first: what was read of it already and does not lie there. 1: read; 0: too large, noted; negative: error of the stream. */
static int read_content(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, uint64_t limit, struct bh_slice first, struct bh_err *err)
{
	if (limit > BH_WANTED_FILE_BYTES_MAX)
		limit = BH_WANTED_FILE_BYTES_MAX;
	w->content.max_bytes = (size_t)limit;
	bool fits = e->size_bytes <= limit && bh_buf_reserve(&w->content, (size_t)e->size_bytes) && bh_buf_add(&w->content, first);
	while (fits) {
		struct bh_slice run;
		int rc = next_run(w, &run, err);
		if (rc < 0)
			return rc;
		if (run.len == 0)
			return 1;
		fits = bh_buf_add(&w->content, run);
	}
	if (e->size_bytes <= limit)
		return note(w, "file", path, err, "not enough memory for its %ju bytes", (uintmax_t)e->size_bytes);
	return note(w, "file", path, err, "%ju bytes, more than the %ju that a file of this kind may have", (uintmax_t)e->size_bytes, (uintmax_t)limit);
}

static int give_file(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_slice real, struct bh_err *err)
{
	int rc = send_frame(w, IMAGE_SAY_FILE, image_put_file(&w->frame, path, real), err);
	if (rc < 0)
		return rc;
	const struct image_file file = {
		.path = path, .data = bh_buf_slice(&w->content), .size_bytes = e->size_bytes, .mode = e->mode, .uid = e->uid, .gid = e->gid
	};
	const struct image_emit emit = { emit_record, emit_incomplete, w };
	struct bh_err why = { 0 };
	rc = w->job->visitor->file(w->job->visitor->ctx, &file, &emit, &why);
	if (rc == 0)
		return 0;
	if (w->broken) {
		*err = why;
		return rc;
	}
	return note(w, "file", path, err, "%s", why.text);
}

/*
 * Files that their path does not make wanted may be by how they begin. *limit stays 0 when not. What was read for it lies in
 * w->content, or, long enough in one run, behind *first.
 */
static int look_inside(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, uint64_t *limit, struct bh_slice *first,
		       struct bh_err *err)
{
	const struct image_visitor *v = w->job->visitor;
	if (!v->wants_content || e->size_bytes == 0)
		return 0;
	struct bh_slice run = { 0 };
	do {
		if (!bh_buf_add(&w->content, run))
			return note(w, "file", path, err, "not enough memory to look at it");
		int rc = next_run(w, &run, err);
		if (rc < 0)
			return rc;
	} while (run.len && w->content.len + run.len < HEAD_BYTES);
	*first = run;
	if (w->content.len && bh_buf_add(&w->content, run))
		*first = (struct bh_slice){ 0 };
	*limit = v->wants_content(v->ctx, path, w->content.len ? bh_buf_slice(&w->content) : run);
	return 0;
}

static void forget_content(struct walk *w)
{
	if (w->content.cap > KEEP_CONTENT_BYTES)
		bh_buf_done(&w->content);
	bh_buf_clear(&w->content);
	w->content.max_bytes = BH_WANTED_FILE_BYTES_MAX;
}

static int wanted_file(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	struct bh_slice first = { 0 };
	forget_content(w);
	uint64_t limit = w->job->visitor->wants(w->job->visitor->ctx, path);
	int rc = limit ? 0 : look_inside(w, e, path, &limit, &first, err);
	if (rc < 0 || limit == 0)
		return rc;
	track(w, path);
	rc = read_content(w, e, path, limit, first, err);
	return rc == 1 ? give_file(w, e, path, path, err) : rc;
}

/* ---- aliases ---- */

static bool chain(struct bh_map *map, size_t *next, struct bh_slice key, size_t number)
{
	void **slot = bh_map_put(map, key);
	if (!slot)
		return false;
	next[number] = (size_t)(uintptr_t)*slot;
	*slot = (void *)(uintptr_t)(number + 1);
	return true;
}

static int index_aliases(struct walk *w, struct bh_err *err)
{
	size_t n = w->job->n_aliases;
	bh_map_init(&w->from, n);
	bh_map_init(&w->until, n);
	if (n == 0)
		return 0;
	w->next_from = calloc(n, sizeof(size_t));
	w->next_until = calloc(n, sizeof(size_t));
	w->sealed = calloc(n, sizeof(bool));
	bool ok = w->next_from && w->next_until && w->sealed;
	for (size_t i = n; i-- > 0 && ok;) { /* backwards: the first of a chain is the first of the list */
		const struct image_alias *a = &w->job->aliases[i];
		ok = chain(&w->from, w->next_from, a->from, i) && (a->until.len == 0 || chain(&w->until, w->next_until, a->until, i));
	}
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* "from/rest" -> "to/rest" in w->other. */
static bool apply_alias(struct walk *w, const struct image_alias *a, struct bh_slice path, struct bh_slice *ret)
{
	struct bh_slice rest = bh_slice_sub(path, a->from.len, path.len);
	if (rest.len > sizeof(w->other) - a->to.len)
		return false;
	memcpy(w->other, a->to.ptr, a->to.len);
	if (rest.len)
		memcpy(w->other + a->to.len, rest.ptr, rest.len);
	*ret = (struct bh_slice){ w->other, a->to.len + rest.len };
	return true;
}

/* Gives the entry under every name that leads to it. *limit: what its content was read with, 0 = not read yet. */
static int give_as(struct walk *w, const struct bh_tar_entry *e, size_t alias, struct bh_slice path, uint64_t *limit, struct bh_err *err)
{
	struct bh_slice as;
	const struct image_visitor *v = w->job->visitor;
	if (w->sealed[alias] || !apply_alias(w, &w->job->aliases[alias], path, &as))
		return 0;
	uint64_t wanted = v->wants(v->ctx, as);
	if (wanted == 0)
		return 0;
	if (*limit == 0) {
		track(w, path);
		forget_content(w);
		int rc = read_content(w, e, as, wanted, (struct bh_slice){ 0 }, err);
		if (rc != 1)
			return rc;
		*limit = wanted;
	}
	return w->content.len <= wanted ? give_file(w, e, as, path, err) : 0;
}

static int aliased_file(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	uint64_t limit = 0;
	int rc = 0;
	for (struct bh_slice at = path;; at = bh_slice_folder(at)) {
		for (size_t i = (size_t)(uintptr_t)bh_map_get(&w->from, at); i && rc == 0; i = w->next_from[i - 1])
			rc = give_as(w, e, i - 1, path, &limit, err);
		if (at.len == 0 || rc < 0)
			return rc;
	}
}

static void seal_aliases(struct walk *w, struct bh_slice path, struct bh_slice target)
{
	for (size_t i = (size_t)(uintptr_t)bh_map_get(&w->until, path); i; i = w->next_until[i - 1])
		w->sealed[i - 1] |= bh_slice_eq(w->job->aliases[i - 1].from, target);
}

/* A file that somebody watches is read to its end, whoever else wants it. */
static int watched_file(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	struct bh_slice run = { path.ptr, 1 };
	int rc = wanted_file(w, e, path, err);
	while (rc >= 0 && w->watch.wants_bytes && run.len)
		rc = next_run(w, &run, err);
	if (w->broken)
		return rc;
	struct bh_err why = { 0 };
	int ended = image_watch_end(&w->watch, rc >= 0, &why);
	if (rc >= 0 && ended < 0)
		*err = why;
	return rc < 0 ? rc : ended;
}

static int file_entry(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	return w->job->n_aliases ? aliased_file(w, e, path, err) : watched_file(w, e, path, err);
}

/* ---- the watcher ---- */

/* Later entries that take this one's place tell so. */
static int send_watched(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct walk *w = ctx;
	if (type == IMAGE_SAY_WATCHED && w->watch.path.len)
		track(w, w->watch.path);
	return send(w, type, payload, err);
}

struct image_entry image_entry_of(const struct bh_tar_entry *e, struct bh_slice path)
{
	static const enum image_entry_type types[] = {
		[BH_TAR_FILE] = IMAGE_ENTRY_FILE, [BH_TAR_DIR] = IMAGE_ENTRY_DIR, [BH_TAR_SYMLINK] = IMAGE_ENTRY_SYMLINK,
		[BH_TAR_HARDLINK] = IMAGE_ENTRY_HARDLINK, [BH_TAR_OTHER] = IMAGE_ENTRY_OTHER,
	};
	return (struct image_entry){
		.type = types[e->type], .path = path, .link = e->link, .size_bytes = e->size_bytes, .has_owner = true, .mode = e->mode, .uid = e->uid, .gid = e->gid,
		.mtime_s = e->mtime_s, .capability = e->capability,
	};
}

static int show_entry(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	const struct image_entry seen = image_entry_of(e, path);
	return w->job->n_aliases ? 0 : image_watch_entry(&w->watch, &seen, err); /* a second pass has been here before */
}

/* ---- links ---- */

static bool shallow(struct bh_slice path)
{
	size_t slashes = 0;
	for (size_t i = 0; i < path.len; i++)
		slashes += path.ptr[i] == '/';
	return slashes < LINK_DEPTH_MAX;
}

/* Links are rare enough to go through all aliases. */
static bool in_the_way(const struct walk *w, struct bh_slice path)
{
	for (size_t i = 0; i < w->job->n_aliases; i++) {
		struct bh_slice from = w->job->aliases[i].from;
		if (bh_slice_starts(from, path) && (from.len == path.len || from.ptr[path.len] == '/'))
			return true;
	}
	return false;
}

static bool link_matters(const struct walk *w, struct bh_slice path, bool hard)
{
	const struct image_visitor *v = w->job->visitor;
	if (w->job->n_aliases)
		return hard ? bh_map_get(&w->from, path) != NULL : in_the_way(w, path);
	return v->wants(v->ctx, path) || (!hard && (v->wants_below(v->ctx, path) || shallow(path)));
}

static int link_entry(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	bool hard = e->type == BH_TAR_HARDLINK, climbed;
	struct bh_slice target = e->link;
	if (hard && !bh_path_clean(e->link, w->other, &target, &climbed)) /* a hard link's target is a name of the archive */
		return 0;
	if (hard && w->job->n_aliases)
		seal_aliases(w, path, target);
	if (!link_matters(w, path, hard))
		return 0;
	if (w->n_links++ >= LINKS_MAX) {
		w->links_cut = true;
		return 0;
	}
	track(w, path);
	return send_frame(w, IMAGE_SAY_LINK, image_put_link(&w->frame, path, target, hard), err);
}

/* ---- entries ---- */

/* True when the entry is a marker and has been dealt with. */
static bool whiteout(struct walk *w, struct bh_slice path, struct bh_err *err, int *rc)
{
	struct bh_slice base = bh_slice_base(path), parent = bh_slice_folder(path), prefix = BH_SLICE_LIT(".wh.");
	if (!bh_slice_starts(base, prefix))
		return false;
	struct bh_slice name = bh_slice_sub(base, prefix.len, base.len);
	*rc = 0;
	if (bh_slice_eq_str(base, ".wh..wh..opq")) {
		*rc = hide(w, image_path_hash(w->job->key, parent), IMAGE_HIDES_BELOW, err);
	} else if (!bh_slice_starts(name, prefix) && name.len && !bh_slice_eq_str(name, ".") && !bh_slice_eq_str(name, "..")) {
		/* parent + "/" + name; in w->other. Other names in .wh..wh. are bookkeeping of AUFS and mean nothing. */
		size_t at = parent.len ? parent.len + 1 : 0;
		if (at)
			memcpy(w->other, path.ptr, at);
		memcpy(w->other + at, name.ptr, name.len);
		*rc = hide(w, image_path_hash(w->job->key, (struct bh_slice){ w->other, at + name.len }), IMAGE_HIDES_ALL, err);
	}
	return true;
}

/* Somebody wants to know what stands at this path. */
static int watch(struct walk *w, const struct bh_tar_entry *e, struct bh_slice path, struct bh_err *err)
{
	if (!w->job->watched || !image_changes_find(w->job->watched, path))
		return 0;
	bool built = image_put_seen(&w->frame, path, e->type == BH_TAR_FILE || e->type == BH_TAR_HARDLINK, e->type == BH_TAR_DIR, e->mode);
	return send_frame(w, IMAGE_SAY_SEEN, built, err);
}

static int entry(struct walk *w, const struct bh_tar_entry *e, struct bh_err *err)
{
	struct bh_slice path;
	bool climbed = false;
	int rc;
	w->entries++;
	if (!bh_path_clean(e->name, w->path, &path, &climbed)) {
		if (w->bad_names++ == 0)
			w->first_bad = e->offset;
		return 0;
	}
	if (whiteout(w, path, err, &rc))
		return rc;
	uint64_t hash = image_path_hash(w->job->key, path);
	bool directory = e->type == BH_TAR_DIR;
	if (path.len == 0)
		return 0;
	rc = watch(w, e, path, err);
	rc = rc < 0 ? rc : mention_folders(w, path, err);
	rc = rc < 0 ? rc : hide(w, hash, directory ? IMAGE_HIDES_SELF : IMAGE_HIDES_ALL, err);
	rc = rc < 0 ? rc : drop_replaced(w, hash, directory, err);
	rc = rc < 0 ? rc : show_entry(w, e, path, err);
	if (rc < 0)
		return rc;
	switch (e->type) {
	case BH_TAR_FILE: return file_entry(w, e, path, err);
	case BH_TAR_SYMLINK:
	case BH_TAR_HARDLINK: return link_entry(w, e, path, err);
	case BH_TAR_DIR:
	case BH_TAR_OTHER: break;
	}
	return 0;
}

/* ---- bytes ---- */

static void tap(void *ctx, struct bh_slice raw)
{
	struct walk *w = ctx;
	bh_lane_update(w->job->lane, w->digest, raw);
	w->end.raw_bytes += raw.len;
	if (w->sink->progress)
		w->sink->progress(w->sink->ctx, w->end.raw_bytes);
}

/* Passes raw bytes on and looks at the first ones. */
static int read_raw(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct walk *w = ctx;
	int rc = w->raw.read(w->raw.ctx, ret, err);
	if (rc == 0 && !w->sniffed) {
		w->sniffed = true;
		w->shared = ret->len >= 6 && bh_compression_sniff(*ret) == BH_PLAIN && w->job->digest_kind == w->job->diff_kind;
	}
	return rc;
}

static int read_plain(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct walk *w = ctx;
	if (w->first.len) {
		*ret = w->first;
		w->first.len = 0;
		return 0;
	}
	if (w->plain_rc < 0) {
		*err = w->plain_err;
		return w->plain_rc;
	}
	int rc = bh_stream_read(w->stream, ret, err);
	if (rc < 0) {
		w->plain_rc = rc;
		w->plain_err = *err;
		return rc;
	}
	if (!w->shared)
		bh_lane_update(w->job->lane, w->diff, *ret);
	return 0;
}

static void set_problem(struct walk *w, int rc, const struct bh_err *why)
{
	if (w->end.code != BH_OK)
		return;
	w->end.code = (enum bh_code)rc;
	snprintf(w->problem, sizeof(w->problem), "%s", why->text);
	w->end.problem = bh_slice_str(w->problem);
}

/* 0 at the end of the archive or when damage was noted in w->end; negative when the sink failed. */
static int read_entries(struct walk *w, struct bh_err *err)
{
	struct bh_err why = { 0 };
	struct bh_source plain = { read_plain, w };
	struct bh_slice first = { 0 };
	int rc = read_plain(w, &first, &why);
	w->first = first;
	if (rc < 0 || first.len == 0) { /* nothing at all: an empty layer */
		if (rc < 0)
			set_problem(w, rc, &why);
		return 0;
	}
	rc = bh_tar_new(plain, &w->tar, &why);
	struct bh_tar_entry e;
	while (rc == 0 && (rc = bh_tar_next(w->tar, &e, &why)) == 1)
		rc = entry(w, &e, &why);
	if (rc < 0 && w->broken) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		set_problem(w, rc, &why);
	return 0;
}

/* To the last byte, for the digests. */
static void read_rest(struct walk *w)
{
	struct bh_slice run = { 0 };
	struct bh_err why = { 0 };
	int rc;
	do
		rc = read_plain(w, &run, &why);
	while (rc == 0 && run.len);
	if (rc < 0)
		set_problem(w, rc, &why);
	int drained = bh_stream_drain(w->stream, &why);
	if (drained < 0)
		set_problem(w, drained, &why);
	w->end.plain_bytes = bh_stream_plain_bytes(w->stream);
	w->end.compression = (uint8_t)bh_stream_compression(w->stream);
	bh_lane_wait(w->job->lane);
	bh_hasher_finish(w->digest, &w->end.digest);
	if (rc < 0)
		return; /* no diffID of half a layer */
	if (w->shared)
		w->end.diff_id = w->end.digest;
	else
		bh_hasher_finish(w->diff, &w->end.diff_id);
}

/* What was left out for want of room, and the end. */
static int conclude(struct walk *w, struct bh_err *err)
{
	const struct bh_slice none = { 0 };
	const struct image_emit emit = { emit_record, emit_incomplete, w };
	struct bh_err why = { 0 };
	int rc = w->job->visitor->finish ? w->job->visitor->finish(w->job->visitor->ctx, &emit, &why) : 0;
	rc = rc < 0 || w->job->n_aliases ? rc : image_watch_finish(&w->watch, &why);
	if (rc < 0 && w->broken) {
		*err = why;
		return rc;
	}
	rc = rc < 0 ? note(w, "layer", none, err, "%s", why.text) : 0;
	if (rc == 0 && w->bad_names)
		rc = note(w, "entry", none, err, "%ju entries with names that no file system can hold were skipped, the first at offset %ju",
			  (uintmax_t)w->bad_names, (uintmax_t)w->first_bad);
	if (rc == 0 && w->links_cut)
		rc = note(w, "link", none, err, "more than %u links in one layer; the rest were not followed", LINKS_MAX);
	if (rc == 0 && w->tracked_cut)
		rc = note(w, "layer", none, err, "too many wanted files in one layer to tell which were replaced in it");
	rc = rc < 0 ? rc : flush_hides(w, err);
	w->end.entries = w->entries;
	return rc < 0 ? rc : send_frame(w, IMAGE_SAY_END, image_put_end(&w->frame, &w->end), err);
}

static int run(struct walk *w, struct bh_err *err)
{
	const struct bh_stream_limits limits = { .max_bytes = w->job->max_bytes };
	struct bh_source raw = { read_raw, w };
	int rc = bh_hasher_new(w->job->digest_kind, &w->digest, err);
	rc = rc < 0 ? rc : bh_hasher_new(w->job->diff_kind, &w->diff, err);
	rc = rc < 0 ? rc : bh_stream_new(raw, &limits, tap, w, &w->stream, err);
	if (rc == 0 && w->job->whole)
		rc = hide(w, image_path_hash(w->job->key, (struct bh_slice){ 0 }), IMAGE_HIDES_BELOW, err);
	rc = rc < 0 ? rc : read_entries(w, err);
	if (rc < 0)
		return rc;
	read_rest(w);
	return conclude(w, err);
}

int image_layer_read(const struct image_layer_job *job, struct bh_source raw, const struct image_sink *sink, struct bh_err *err)
{
	struct walk *w = calloc(1, sizeof(*w)); /* 72 KiB: too large for a stack that others use too */
	if (!w)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	w->job = job;
	w->sink = sink;
	w->raw = raw;
	bh_buf_init(&w->frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&w->content, BH_WANTED_FILE_BYTES_MAX);
	image_watch_init(&w->watch, job->visitor, send_watched, w);
	int rc = index_aliases(w, err);
	rc = rc < 0 ? rc : run(w, err);
	bh_map_done(&w->from);
	bh_map_done(&w->until);
	free(w->next_from);
	free(w->next_until);
	free(w->sealed);
	bh_tar_free(w->tar);
	bh_stream_free(w->stream);
	bh_hasher_free(w->digest);
	bh_hasher_free(w->diff);
	bh_buf_done(&w->frame);
	bh_buf_done(&w->content);
	image_watch_done(&w->watch);
	free(w->tracked.slots);
	free(w);
	return rc;
}
