/*
 * inventory.c: which packages does the image hold, and which layer brought them?
 *
 * Child side (one process per layer): files that parsers want are parsed as they come by; results leave as records.
 * Parent side: records of all layers arrive lowest layer first. A package database is one file that several layers rewrite, so
 * a package's layer is the lowest one since which every version of that file has listed the very same (type, name, version,
 * architecture) without a gap.
 */
#include "scan/inventory.h"

#include "base/limits.h"
#include "model/purl.h"
#include "model/wire.h"
#include "pkg/sbom.h"
#include "scan/ownership.h"
#include "scan/same.h"
#include "scan/sboms.h"
#include "scan/uninstalled.h"

#include <stdio.h>

#define SCRATCH_BYTES_MAX (512ull << 20)        /* one file's parse */
#define DEFERRED_MAX 64u                        /* files that wait for a sibling: real layers have one rpm database */
#define OWNED_CHUNK_BYTES (256u << 10)          /* owned paths per record: far below a frame */
#define TRACKED_MAX 4000000u                    /* package versions over all layers */

enum record_kind { RECORD_PACKAGE = 1, RECORD_OWNED = 2, RECORD_DISTRO = 3, RECORD_OWNERSHIP = 4, RECORD_DOCUMENT = 5 };

struct deferred {
	const struct pkg_parser *parser;
	struct bh_slice path, data; /* own copies in the child's arena */
};

/* One version of a package in one database file, followed through the layers. */
struct tracked {
	uint32_t since_layer;
	uint32_t seen_in_version; /* of the database file */
};

/* A database file, followed through the layers. */
struct db_file {
	uint32_t layer;
	uint32_t version; /* 1, 2, 3 ...: how many layers have brought it so far */
};

struct owned_record {
	struct bh_slice type, name, arch, paths;
};

BH_VEC(owned_vec, struct owned_record)

struct inventory {
	struct bh_report *report;
	bool owned_files;
	struct image_key key;
	/* child side */
	struct bh_arena child_arena;
	struct deferred deferred[DEFERRED_MAX];
	size_t n_deferred;
	struct bh_buf frame;
	/* parent side */
	struct bh_map tracked, db_files;
	struct owned_vec owned;
	struct ownership ownership;
	struct bh_distro distro;
};

int inventory_new(struct bh_report *report, const struct image_key *key, bool owned_files, struct inventory **ret, struct bh_err *err)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	if (!inv)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	inv->report = report;
	inv->owned_files = owned_files;
	inv->key = *key;
	ownership_init(&inv->ownership);
	bh_arena_init(&inv->child_arena, SCRATCH_BYTES_MAX);
	bh_buf_init(&inv->frame, BH_FRAME_BYTES_MAX);
	bh_map_init(&inv->tracked, TRACKED_MAX);
	bh_map_init(&inv->db_files, TRACKED_MAX);
	inv->owned.max = TRACKED_MAX;
	*ret = inv;
	return BH_OK;
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	bh_arena_done(&inv->child_arena);
	bh_buf_done(&inv->frame);
	bh_map_done(&inv->tracked);
	bh_map_done(&inv->db_files);
	owned_vec_done(&inv->owned);
	ownership_done(&inv->ownership);
	free(inv);
}

/* ---- the child's side ---- */

/* The parser that wants PATH as the sibling of its own file ("rpmdb.sqlite-wal"); NULL when there is none. */
static const struct pkg_parser *sibling_owner(struct bh_slice path)
{
	for (size_t i = 0; pkg_parsers[i]; i++) {
		const char *suffix = pkg_parsers[i]->sibling_suffix;
		if (!suffix || !bh_slice_ends(path, bh_slice_str(suffix)))
			continue;
		struct bh_slice main_path = bh_slice_sub(path, 0, path.len - strlen(suffix));
		size_t at = i;
		if (pkg_parser_for(main_path, false, &at) == pkg_parsers[i])
			return pkg_parsers[i];
	}
	return NULL;
}

static uint64_t wants(void *ctx, struct bh_slice path)
{
	(void)ctx;
	uint64_t most = 0;
	const struct pkg_parser *p;
	for (size_t at = 0; (p = pkg_parser_for(path, false, &at));)
		most = p->max_bytes > most ? p->max_bytes : most;
	p = sibling_owner(path);
	return p && p->max_bytes > most ? p->max_bytes : most;
}

static uint64_t wants_content(void *ctx, struct bh_slice path, struct bh_slice head)
{
	(void)ctx, (void)path;
	return pkg_is_elf(head) ? pkg_elf_max_bytes() : 0;
}

static bool wants_below(void *ctx, struct bh_slice path)
{
	(void)ctx;
	return pkg_wants_below(path);
}

static struct bh_slice home(void *ctx, size_t index)
{
	(void)ctx;
	return pkg_fixed_place(index);
}

/* What a parser's sink needs to turn results into records. */
struct sink_ctx {
	struct inventory *inv;
	struct bh_slice path;
	const struct image_emit *emit;
};

static int send_frame(struct sink_ctx *s, uint16_t kind, struct bh_err *err)
{
	if (s->inv->frame.failed)
		return bh_fail(err, BH_ELIMIT, 0, "%.*s: a package's data is larger than a message may be", BH_SLICE_FMT(s->path));
	return s->emit->record(s->emit->ctx, s->path, kind, bh_buf_slice(&s->inv->frame), err);
}

/* The longest start of paths (each ended by NUL) that fits into one record. */
static struct bh_slice owned_chunk(struct bh_slice paths)
{
	if (paths.len <= OWNED_CHUNK_BYTES)
		return paths;
	size_t end = OWNED_CHUNK_BYTES;
	while (end && paths.ptr[end - 1] != '\0')
		end--;
	return bh_slice_sub(paths, 0, end ? end : OWNED_CHUNK_BYTES);
}

static int send_ownership(struct sink_ctx *s, const struct owner *owner, struct bh_slice paths, struct bh_err *err)
{
	int rc = BH_OK;
	while (rc == BH_OK && paths.len) {
		(void)ownership_put(&s->inv->frame, &s->inv->key, owner, paths, &paths);
		rc = send_frame(s, RECORD_OWNERSHIP, err);
	}
	return rc;
}

static int on_owned(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err)
{
	struct sink_ctx *s = ctx;
	int sent = send_ownership(s, &(struct owner){ type, name, arch }, paths, err);
	if (sent < 0)
		return sent;
	while (s->inv->owned_files && paths.len) {
		struct bh_slice chunk = owned_chunk(paths);
		bh_buf_clear(&s->inv->frame);
		bh_wire_put_slice(&s->inv->frame, type);
		bh_wire_put_slice(&s->inv->frame, name);
		bh_wire_put_slice(&s->inv->frame, arch);
		bh_wire_put_slice(&s->inv->frame, chunk);
		int rc = send_frame(s, RECORD_OWNED, err);
		if (rc < 0)
			return rc;
		paths = bh_slice_sub(paths, chunk.len, paths.len);
	}
	return BH_OK;
}

static int on_package(void *ctx, const struct bh_package *p, struct bh_err *err)
{
	struct sink_ctx *s = ctx;
	struct bh_package bare = *p;
	bare.owned = (struct bh_slice){ 0 };
	bh_buf_clear(&s->inv->frame);
	bh_wire_put_package(&s->inv->frame, &bare);
	int rc = send_frame(s, RECORD_PACKAGE, err);
	return rc < 0 ? rc : on_owned(ctx, p->type, p->name, p->arch, p->owned, err);
}

static int on_distro(void *ctx, const struct bh_distro *d, struct bh_err *err)
{
	struct sink_ctx *s = ctx;
	bh_buf_clear(&s->inv->frame);
	bh_wire_put_distro(&s->inv->frame, d);
	return send_frame(s, RECORD_DISTRO, err);
}

static int on_incomplete(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	struct sink_ctx *s = ctx;
	char text[BH_ERR_TEXT_BYTES];
	(void)snprintf(text, sizeof(text), "at byte %llu: %s", (unsigned long long)offset_bytes, reason);
	return s->emit->incomplete(s->emit->ctx, "package-database", s->path, text, err);
}

static int on_document(void *ctx, struct bh_slice format, struct bh_err *err)
{
	struct sink_ctx *s = ctx;
	bh_buf_clear(&s->inv->frame);
	bh_buf_add(&s->inv->frame, format);
	return send_frame(s, RECORD_DOCUMENT, err);
}

static int parse_one(struct inventory *inv, const struct pkg_parser *parser, const struct pkg_file *file, const struct image_emit *emit,
		     struct bh_err *err)
{
	struct sink_ctx s = { inv, file->path, emit };
	if (file->data.len > parser->max_bytes)
		return on_incomplete(&s, 0, "larger than the parser accepts", err);
	struct pkg_sink sink = { on_package, on_owned, on_distro, on_incomplete, &s, NULL };
	struct bh_arena scratch;
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	struct bh_err why = { 0 };
	int rc = parser->parse(file, &sink, &scratch, &why);
	bh_arena_done(&scratch);
	if (rc == BH_ECHILD || rc == BH_ECANCELLED) { /* the parent is gone: nobody to tell */
		*err = why;
		return rc;
	}
	return rc < 0 ? on_incomplete(&s, why.offset_bytes, why.text, err) : BH_OK;
}

static int defer(struct inventory *inv, const struct pkg_parser *parser, const struct image_file *file, struct bh_err *err)
{
	struct deferred *d = NULL;
	for (size_t i = 0; i < inv->n_deferred; i++) /* the last entry of a name counts */
		if (inv->deferred[i].parser == parser && bh_slice_eq(inv->deferred[i].path, file->path))
			d = &inv->deferred[i];
	if (!d && inv->n_deferred == DEFERRED_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u package databases in one layer", DEFERRED_MAX);
	if (!d)
		d = &inv->deferred[inv->n_deferred++];
	*d = (struct deferred){ .parser = parser };
	if (!bh_arena_copy(&inv->child_arena, file->path, &d->path) || !bh_arena_copy(&inv->child_arena, file->data, &d->data))
		return bh_fail(err, BH_ELIMIT, 0, "%.*s: too large to hold", BH_SLICE_FMT(file->path));
	return BH_OK;
}

static int on_file(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err)
{
	struct inventory *inv = ctx;
	const struct pkg_parser *p = sibling_owner(file->path);
	bool elf = pkg_is_elf(file->data);
	int rc = p ? defer(inv, NULL, file, err) : BH_OK; /* parser NULL: a sibling, looked up by its path */
	for (size_t at = 0; rc == BH_OK && (p = pkg_parser_for(file->path, elf, &at));) {
		struct pkg_file f = { .path = file->path, .data = file->data };
		rc = p->sibling_suffix ? defer(inv, p, file, err) : parse_one(inv, p, &f, emit, err);
	}
	return rc;
}

/* An SBOM that the user named: its format is recognised by its content, and what makes no sense is an error instead of a gap. */
static int on_sbom(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err)
{
	struct sink_ctx s = { ctx, file->path, emit };
	struct pkg_sink sink = { on_package, on_owned, on_distro, on_incomplete, &s, on_document };
	struct pkg_file f = { .path = file->path, .data = file->data, .is_target = true };
	const struct pkg_parser *parser;
	struct bh_arena scratch;
	bh_arena_init(&scratch, SCRATCH_BYTES_MAX);
	int rc = sbom_recognise(file->data, &parser, err);
	rc = rc < 0 ? rc : parser->parse(&f, &sink, &scratch, err);
	bh_arena_done(&scratch);
	return rc;
}

static struct bh_slice sibling_of(const struct inventory *inv, const struct deferred *d)
{
	struct bh_slice suffix = bh_slice_str(d->parser->sibling_suffix);
	for (size_t i = 0; i < inv->n_deferred; i++) {
		const struct deferred *s = &inv->deferred[i];
		if (!s->parser && bh_slice_starts(s->path, d->path) && bh_slice_eq(bh_slice_sub(s->path, d->path.len, s->path.len), suffix))
			return s->data;
	}
	return (struct bh_slice){ 0 };
}

static int on_finish(void *ctx, const struct image_emit *emit, struct bh_err *err)
{
	struct inventory *inv = ctx;
	int rc = BH_OK;
	for (size_t i = 0; rc == BH_OK && i < inv->n_deferred; i++) {
		const struct deferred *d = &inv->deferred[i];
		if (!d->parser)
			continue;
		struct pkg_file f = { .path = d->path, .data = d->data, .sibling = sibling_of(inv, d) };
		rc = parse_one(inv, d->parser, &f, emit, err);
	}
	inv->n_deferred = 0;
	bh_arena_done(&inv->child_arena);
	return rc;
}

/* ---- the parent's side ---- */

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the image lists more packages than fit into memory limits");
}

/* Which version of its database file (path) does this layer bring? Counts up when the layer changes. */
static struct db_file *db_file_of(struct inventory *inv, uint32_t layer, struct bh_slice path)
{
	struct db_file *f = bh_map_get(&inv->db_files, path);
	if (!f) {
		struct bh_slice key;
		f = BH_ARENA_NEW(&inv->report->arena, struct db_file);
		void **slot = f && bh_arena_copy(&inv->report->arena, path, &key) ? bh_map_put(&inv->db_files, key) : NULL;
		if (!slot)
			return NULL;
		*slot = f;
	}
	if (f->version == 0 || f->layer != layer) {
		f->version++;
		f->layer = layer;
	}
	return f;
}

static bool tracking_key(struct bh_buf *key, struct bh_slice path, const struct bh_package *p)
{
	const struct bh_slice parts[] = { path, p->type, p->name, p->version, p->arch };
	bh_buf_clear(key);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		bh_buf_add(key, parts[i]);
		bh_buf_add_byte(key, 0);
	}
	return !key->failed;
}

static struct tracked *track(struct inventory *inv, uint32_t layer, struct bh_slice path, const struct bh_package *p)
{
	struct db_file *db = db_file_of(inv, layer, path);
	if (!db || !tracking_key(&inv->frame, path, p))
		return NULL;
	struct tracked *t = bh_map_get(&inv->tracked, bh_buf_slice(&inv->frame));
	if (!t) {
		struct bh_slice key;
		t = BH_ARENA_NEW(&inv->report->arena, struct tracked);
		void **slot = t && bh_arena_copy(&inv->report->arena, bh_buf_slice(&inv->frame), &key) ? bh_map_put(&inv->tracked, key) : NULL;
		if (!slot)
			return NULL;
		*slot = t;
	}
	bool unbroken = t->seen_in_version && t->seen_in_version + 1 >= db->version;
	if (!unbroken)
		t->since_layer = layer;
	t->seen_in_version = db->version;
	return t;
}

static int take_package(struct inventory *inv, uint32_t layer, struct bh_slice path, bool visible, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_package p;
	if (!bh_wire_get_package(&r, &p) || p.name.len == 0)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged package record");
	struct tracked *t = track(inv, layer, path, &p);
	if (!t)
		return full(err);
	if (!visible)
		return BH_OK;
	if (p.at.path.len == 0)
		p.at.path = path;
	if (!bh_package_copy(&inv->report->arena, &p, &p))
		return full(err);
	p.at.layer = layer == BH_NO_LAYER ? BH_NO_LAYER : t->since_layer;
	return bh_package_vec_push(&inv->report->packages, p) ? BH_OK : full(err);
}

static int take_owned(struct inventory *inv, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct owned_record o;
	if (!bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &o.type) || !bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &o.name) ||
	    !bh_wire_get_slice(&r, BH_NAME_BYTES_MAX, &o.arch) || !bh_wire_get_slice(&r, OWNED_CHUNK_BYTES, &o.paths))
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged list of owned files");
	struct bh_arena *a = &inv->report->arena;
	bool ok = bh_arena_copy(a, o.type, &o.type) && bh_arena_copy(a, o.name, &o.name) && bh_arena_copy(a, o.arch, &o.arch) &&
		  bh_arena_copy(a, o.paths, &o.paths) && owned_vec_push(&inv->owned, o);
	return ok ? BH_OK : full(err);
}

static int take_distro(struct inventory *inv, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_distro d;
	if (!bh_wire_get_distro(&r, &d))
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged distribution record");
	if (inv->distro.id.len && d.rank <= inv->distro.rank)
		return BH_OK;
	return bh_distro_copy(&inv->report->arena, &d, &inv->distro) ? BH_OK : full(err);
}

static int on_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct inventory *inv = ctx;
	switch ((enum record_kind)kind) {
	case RECORD_PACKAGE: return take_package(inv, layer, path, visible, payload, err);
	case RECORD_OWNED: return visible ? take_owned(inv, payload, err) : BH_OK;
	case RECORD_DISTRO: return visible ? take_distro(inv, payload, err) : BH_OK;
	case RECORD_OWNERSHIP:
		if (visible && !ownership_take(&inv->ownership, payload, &inv->report->arena))
			return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged list of owned files, or too many of them");
		return BH_OK;
	case RECORD_DOCUMENT: return bh_arena_copy(&inv->report->arena, payload, &inv->report->target.format) ? BH_OK : full(err);
	}
	return bh_fail(err, BH_ECHILD, 0, "a child sent a record of unknown kind %u", kind);
}

struct image_visitor inventory_visitor(struct inventory *inv)
{
	return (struct image_visitor){
		.wants = wants,
		.wants_content = wants_content,
		.wants_below = wants_below,
		.home = home,
		.file = on_file,
		.finish = on_finish,
		.record = on_record,
		.variant = inv->owned_files,
		.ctx = inv,
	};
}

struct image_visitor inventory_sbom_visitor(struct inventory *inv)
{
	struct image_visitor v = inventory_visitor(inv);
	v.file = on_sbom;
	return v;
}

/* ---- putting it together ---- */

static int compare_owned(const void *a, const void *b)
{
	const struct owned_record *x = a, *y = b;
	int c = bh_slice_cmp(x->type, y->type);
	c = c ? c : bh_slice_cmp(x->name, y->name);
	c = c ? c : bh_slice_cmp(x->arch, y->arch);
	return c ? c : (x->paths.ptr > y->paths.ptr) - (x->paths.ptr < y->paths.ptr);
}

/* dpkg names the architecture in a file list only where packages of several architectures share a name. */
static bool owned_by(const struct owned_record *o, const struct bh_package *p)
{
	return bh_slice_eq(o->type, p->type) && bh_slice_eq(o->name, p->name) && (o->arch.len == 0 || bh_slice_eq(o->arch, p->arch));
}

static size_t first_owned(const struct owned_vec *v, const struct bh_package *p)
{
	size_t lo = 0, hi = v->len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = bh_slice_cmp(v->ptr[mid].type, p->type);
		c = c ? c : bh_slice_cmp(v->ptr[mid].name, p->name);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int attach_owned(struct inventory *inv, struct bh_package *p, struct bh_err *err)
{
	size_t from = first_owned(&inv->owned, p), total = 0;
	for (size_t i = from; i < inv->owned.len && bh_slice_eq(inv->owned.ptr[i].name, p->name); i++)
		total += owned_by(&inv->owned.ptr[i], p) ? inv->owned.ptr[i].paths.len : 0;
	if (total == 0)
		return BH_OK;
	uint8_t *joined = bh_arena_alloc(&inv->report->arena, total);
	if (!joined)
		return full(err);
	size_t at = 0;
	for (size_t i = from; i < inv->owned.len && bh_slice_eq(inv->owned.ptr[i].name, p->name); i++) {
		struct bh_slice paths = owned_by(&inv->owned.ptr[i], p) ? inv->owned.ptr[i].paths : (struct bh_slice){ 0 };
		if (paths.len)
			memcpy(joined + at, paths.ptr, paths.len);
		at += paths.len;
	}
	p->owned = (struct bh_slice){ joined, total };
	return BH_OK;
}

static int name_purl(struct inventory *inv, struct bh_package *p, struct bh_err *err)
{
	if (p->purl.len)
		return BH_OK;
	bh_buf_clear(&inv->frame);
	if (!bh_purl_of_package(p, &inv->distro, &inv->frame))
		return BH_OK; /* a name that no package URL can hold: the package stays, without one */
	return bh_arena_copy(&inv->report->arena, bh_buf_slice(&inv->frame), &p->purl) ? BH_OK : full(err);
}

int inventory_finish(struct inventory *inv, struct bh_err *err)
{
	struct bh_report *report = inv->report;
	report->target.distro = inv->distro;
	bh_report_sort_packages(report);
	if (inv->owned.len > 1)
		qsort(inv->owned.ptr, inv->owned.len, sizeof(inv->owned.ptr[0]), compare_owned);
	for (size_t i = 0; i < report->packages.len; i++) {
		struct bh_package *p = &report->packages.ptr[i];
		int rc = attach_owned(inv, p, err);
		rc = rc == BH_OK ? name_purl(inv, p, err) : rc;
		if (rc < 0)
			return rc;
	}
	ownership_reach(&inv->ownership, report);
	ownership_name(&inv->ownership, &inv->key, report);
	ownership_drop_told(report);
	return scan_credit_sboms(report) && same_packages_merge(report) && uninstalled_drop(report) ? BH_OK : full(err);
}

const struct bh_package *inventory_owner(const struct inventory *inv, struct bh_slice path)
{
	return ownership_find(&inv->ownership, &inv->key, inv->report, path);
}
