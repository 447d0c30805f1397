/*
 * image.c: the parent. It starts the planner, keeps what children tell, has the layers read, checks digests, follows links
 * with a second pass where that is needed, and merges.
 *
 *   source ─► planner child ─► plan ─► cache ─► layer children, largest first ─► units ─► links? ─► second pass ─► merge ─► visitor
 *                    └─ a streamed archive's layers are units already ──┘
 */
#include "image/image.h"

#include "base/limits.h"
#include "crypto/digest.h"
#include "format/stream.h"
#include "image/changes.h"
#include "image/document.h"
#include "image/layercache.h"
#include "image/merge.h"
#include "image/open.h"
#include "image/plan.h"
#include "image/planner.h"
#include "image/tree.h"
#include "image/unit.h"
#include "model/wire.h"
#include "sys/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define PARALLEL_DEFAULT 2u
#define STREAM_UNITS_MAX 4096u
#define PLANNER_MEMORY_BYTES (512u << 20)
#define LAYER_MEMORY_BYTES (1024ull << 20) /* a parser may be given a file of 256 MiB, a zstd window takes 128 */
#define PIPE_STALL_SECONDS (24u * 3600)    /* whoever fills the pipe may think for long; the user can interrupt */
#define HANDLER_STALL_SECONDS 3600u        /* a directory walk between two wanted files happens in the parent */

BH_VEC(unit_vec, struct image_unit *)

/* One image being read. */
struct job {
	const struct image_request *req;
	const struct image_visitor *visitor;
	struct bh_report *report;
	struct image_source source;
	struct image_key key;
	struct image_wish wish;
	struct image_plan plan;
	bool planned;
	struct image_pool pool;
	struct image_changes changes;  /* of a container */
	struct unit_vec streamed;      /* by unit number, of a stream */
	struct unit_vec units;         /* all, for freeing */
	struct image_unit *config;     /* what the watcher says about the configuration; may be NULL */
	struct image_unit **of_layer;  /* plan.layers.len; NULL: not read */
	struct image_unit **extra;
	struct bh_progress *bar;
	uint64_t bar_done;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static struct image_unit *new_unit(struct job *j)
{
	struct image_unit *u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	image_unit_init(u, &j->pool);
	if (unit_vec_push(&j->units, u))
		return u;
	image_unit_done(u);
	free(u);
	return NULL;
}

/* ---- the planner, and streams ---- */

/* The most that a remote document or archive may have. */
static uint64_t whole_bytes(const struct job *j)
{
	return j->source.kind == IMAGE_SOURCE_ARCHIVE ? BH_LAYER_BYTES_MAX : BH_MANIFEST_BYTES_MAX;
}

struct planner {
	struct image_planner_job job; /* first: what the child's run function sees */
	struct job *parent;
	struct unit_vec *into;        /* where a stream's units go */
	struct image_unit *current;
	bool plan_wanted;             /* false in a second pass: the plan is known */
};

static int take_unit(struct planner *p, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	uint32_t number;
	if (!bh_take_u32le(&r, &number) || number != p->into->len)
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged unit message");
	p->current = new_unit(p->parent);
	return p->current && unit_vec_push(p->into, p->current) ? 0 : bh_fail(err, BH_ELIMIT, 0, "too many layers in the archive");
}

/* A part of the plan: each before the head, which ends it. */
static int take_plan(struct planner *p, struct bh_slice payload, bool (*get)(struct bh_slice, struct image_plan *), struct bh_err *err)
{
	if (p->plan_wanted && (p->parent->planned || !get(payload, &p->parent->plan)))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged plan message");
	return 0;
}

static int planner_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct planner *p = ctx;
	struct job *j = p->parent;
	if (is_request)
		return type == IMAGE_ASK_OPEN ? image_source_answer(&j->source, payload, whole_bytes(j), reply, err) :
		       bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
	switch (type) {
	case IMAGE_SAY_UNIT: return take_unit(p, payload, err);
	case IMAGE_SAY_CONFIG:
		j->config = j->config ? j->config : new_unit(j);
		p->current = j->config;
		return p->current ? 0 : no_memory(err);
	case IMAGE_SAY_LAYER: return take_plan(p, payload, image_plan_get_layer, err);
	case IMAGE_SAY_HISTORY: return take_plan(p, payload, image_plan_get_history, err);
	case IMAGE_SAY_SETTING: return take_plan(p, payload, image_plan_get_setting, err);
	case IMAGE_SAY_LABEL: return take_plan(p, payload, image_plan_get_label, err);
	case IMAGE_SAY_DOCUMENT: return take_plan(p, payload, image_plan_get_document, err);
	case IMAGE_SAY_HEAD:
		if (take_plan(p, payload, image_plan_get_head, err) < 0)
			return err->code;
		j->planned = true;
		return 0;
	default: return p->current ? image_unit_take(p->current, type, payload, err) : bh_fail(err, BH_EMALFORMED, 0, "message %u out of order", type);
	}
}

static void planner_progress(void *ctx, uint64_t done_bytes)
{
	const struct planner *p = ctx;
	bh_progress_set(p->parent->bar, done_bytes);
}

static int run_layout(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	return image_planner_layout(ch, ctx, err);
}

static int run_archive(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	return image_planner_archive(ch, ctx, err);
}

static struct image_layer_job layer_job(const struct job *j)
{
	return (struct image_layer_job){
		.visitor = j->visitor,
		.key = &j->key,
		.max_bytes = j->req->max_layer_bytes ? j->req->max_layer_bytes : BH_LAYER_BYTES_MAX,
		.digest_kind = BH_DIGEST_SHA256,
		.diff_kind = BH_DIGEST_SHA256,
		.want_hides = true,
	};
}

static int run_planner(struct job *j, struct planner *p, struct bh_err *err)
{
	bool archive = j->source.kind == IMAGE_SOURCE_ARCHIVE;
	struct bh_child_spec spec = {
		.name = "image manifests",
		.run = archive ? run_archive : run_layout,
		.handle = planner_handle,
		.progress = archive ? planner_progress : NULL,
		.ctx = p,
		.limits = { .memory_bytes = archive ? LAYER_MEMORY_BYTES : PLANNER_MEMORY_BYTES,
			    .stall_seconds = (archive && !j->source.seekable) || j->source.remote ? PIPE_STALL_SECONDS : 0 },
	};
	int result = 0;
	struct bh_err why = { 0 };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc < 0)
		return rc;
	struct bh_err broke = { 0 };
	if (archive && j->source.remote && j->source.remote->outcome(j->source.remote->ctx, BH_SLICE_LIT("archive"), &broke) < 0) {
		if (result == 0)
			bh_report_incomplete(j->report, "archive", (struct bh_slice){ 0 }, BH_NO_LAYER, "%s", broke.text);
		else
			why = broke; /* what the child made of half an archive explains less */
	}
	if (result < 0) {
		*err = why;
		return why.code;
	}
	return 0;
}

static int make_plan(struct job *j, struct bh_err *err)
{
	struct planner p = {
		.job = { .wish = j->wish, .layer = layer_job(j), .remote = j->source.remote != NULL },
		.parent = j,
		.into = &j->streamed,
		.plan_wanted = true,
	};
	int rc = run_planner(j, &p, err);
	if (rc == 0 && !j->planned)
		return bh_fail(err, BH_ECHILD, 0, "the child that reads the manifests ended without a result");
	return rc;
}

/* ---- layers ---- */

struct layer_child {
	struct image_layer_job job; /* what the child sees */
	struct job *parent;
	const struct image_plan_layer *layer;
	struct image_unit *unit;
	uint64_t done_bytes;
	bool own_core;               /* no other layer needs the second core while this one is read */
	bool recorded;               /* for the cache, under entry */
	struct bh_digest entry;
	struct image_recording recording;
	char name[IMAGE_LAYER_LABEL_BYTES];
};

static int run_layer(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct layer_child *c = ctx;
	struct bh_file_source source;
	int rc = image_layer_open(ch, c->layer, &source, err);
	if (rc < 0)
		return rc;
	const struct image_sink sink = image_channel_sink(ch);
	rc = image_layer_read(&c->job, bh_file_source(&source), &sink, err);
	image_layer_close(&source);
	bh_lane_free(c->job.lane);
	return rc;
}

/* Should the thread not start, hashing is done where it always can be. */
static int prepare_layer(void *ctx, struct bh_err *err)
{
	struct layer_child *c = ctx;
	(void)err;
	struct bh_err ignored = { 0 };
	if (c->own_core && bh_lane_new(&c->job.lane, &ignored) < 0)
		c->job.lane = NULL;
	return 0;
}

static int layer_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct layer_child *c = ctx;
	if (!is_request && type == IMAGE_SAY_SEEN)
		return image_changes_see(&c->parent->changes, payload, err);
	if (!is_request) {
		if (c->recorded)
			image_recording_add(&c->recording, type, payload);
		return image_unit_take(c->unit, type, payload, err);
	}
	if (type != IMAGE_ASK_OPEN)
		return bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
	uint64_t most = c->layer->place.kind == IMAGE_PLACE_CONTAINER ? BH_LAYER_BYTES_MAX : c->layer->size_bytes;
	return image_source_answer(&c->parent->source, payload, most, reply, err);
}

static void layer_progress(void *ctx, uint64_t done_bytes)
{
	struct layer_child *c = ctx;
	if (done_bytes < c->done_bytes)
		return;
	c->parent->bar_done += done_bytes - c->done_bytes;
	c->done_bytes = done_bytes;
	bh_progress_set(c->parent->bar, c->parent->bar_done);
}

static bool same_place(const struct image_plan_layer *a, const struct image_plan_layer *b)
{
	if (a->place.kind != b->place.kind)
		return false;
	return a->place.kind == IMAGE_PLACE_BLOB ? bh_digest_eq(&a->digest, &b->digest) :
						   a->place.offset == b->place.offset && a->place.length == b->place.length;
}

/* ---- the cache ---- */

/* What names the layer's bytes; of what was read, only when it is just that. */
static const struct bh_digest *layer_identity(const struct image_plan_layer *l)
{
	return l->digest.kind ? &l->digest : l->diff_id.kind ? &l->diff_id : NULL;
}

static bool is_as_named(const struct image_plan_layer *l, const struct image_end *e)
{
	if (e->code != BH_OK)
		return false;
	return l->digest.kind ? bh_digest_eq(&l->digest, &e->digest) && e->raw_bytes == l->size_bytes : bh_digest_eq(&l->diff_id, &e->diff_id);
}

/* 1: the child need not run. Else it is recorded, when what it finds can be kept. */
static int load_or_record(struct layer_child *c)
{
	struct store_cache *cache = c->parent->req->cache;
	const struct bh_digest *layer = layer_identity(c->layer);
	if (!cache || !layer || !image_cache_name(&c->job, layer, &c->entry))
		return 0;
	if (image_cache_load(cache, &c->entry, &c->parent->pool, c->unit) == 1) {
		layer_progress(c, c->layer->size_bytes);
		return 1;
	}
	c->recorded = true;
	image_recording_init(&c->recording);
	return 0;
}

static void keep_recordings(struct job *j, struct layer_child *children, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct layer_child *c = &children[i];
		if (!c->recorded)
			continue;
		if (c->unit->ended && is_as_named(c->layer, &c->unit->end))
			image_recording_keep(&c->recording, j->req->cache, &c->entry);
		image_recording_done(&c->recording);
	}
}

static int compare_children(const void *a, const void *b)
{
	const struct layer_child *x = a, *y = b;
	if (x->layer->size_bytes != y->layer->size_bytes)
		return x->layer->size_bytes > y->layer->size_bytes ? -1 : 1;
	return (x->layer > y->layer) - (x->layer < y->layer);
}

/* A layer that could not be read to its end for a reason outside of it. */
static void report_failed_child(struct job *j, const struct layer_child *c, const struct bh_err *why)
{
	for (size_t k = 0; k < j->plan.layers.len; k++) {
		if (&j->plan.layers.ptr[k] == c->layer)
			bh_report_incomplete(j->report, "layer", bh_slice_str(c->name), (uint32_t)k, "%s", why->text);
	}
}

/*
 * A thread for hashing helps the layer that others wait for: every one when there are more cores than layers read at a time, else the
 * one that is larger than all others together. Otherwise the cores have work enough, and handing bytes over would cost.
 */
static void share_cores(struct layer_child *children, size_t n, size_t parallel)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t at_once = n < parallel ? n : parallel;
	uint64_t others = 0;
	for (size_t i = 1; i < n; i++)
		others += children[i].layer->size_bytes;
	for (size_t i = 0; i < n; i++)
		children[i].own_core = cores > (long)at_once;
	if (cores > 1 && children[0].layer->size_bytes > others)
		children[0].own_core = true;
}

static int run_children(struct job *j, struct layer_child *children, size_t n, struct bh_err *err)
{
	if (n == 0)
		return 0;
	size_t parallel = j->req->parallel ? j->req->parallel : PARALLEL_DEFAULT;
	qsort(children, n, sizeof(*children), compare_children);
	share_cores(children, n, parallel);
	struct bh_child_spec *specs = calloc(n, sizeof(*specs));
	int *results = calloc(n, sizeof(*results));
	struct bh_err *errs = calloc(n, sizeof(*errs));
	bool ready = specs && results && errs;
	for (size_t i = 0; ready && i < n; i++) {
		specs[i] = (struct bh_child_spec){
			.name = children[i].name,
			.prepare = prepare_layer,
			.run = run_layer,
			.handle = layer_handle,
			.progress = layer_progress,
			.ctx = &children[i],
			.limits = { .memory_bytes = LAYER_MEMORY_BYTES, .stall_seconds = j->source.remote ? PIPE_STALL_SECONDS : 0 },
		};
	}
	int rc = ready ? bh_children_run(specs, n, parallel, results, errs, err) : no_memory(err);
	for (size_t i = 0; ready && rc == 0 && i < n; i++) {
		if (results[i] < 0)
			report_failed_child(j, &children[i], &errs[i]);
	}
	free(specs);
	free(results);
	free(errs);
	return rc;
}

/* It is there, and did not stream by already. */
static bool must_be_read(const struct image_plan_layer *l)
{
	return l->place.kind != IMAGE_PLACE_NONE && l->place.kind != IMAGE_PLACE_UNIT;
}

/* One child for each distinct layer; where: the units of the layers, filled here. only: NULL, or which layers. */
static int read_layers(struct job *j, const struct image_layer_job *job, const bool *only, struct image_unit **where, struct bh_err *err)
{
	size_t n = 0, total = j->plan.layers.len;
	struct layer_child *children = calloc(total ? total : 1, sizeof(*children));
	if (!children)
		return no_memory(err);
	int rc = 0;
	for (size_t k = 0; rc == 0 && k < total; k++) {
		const struct image_plan_layer *l = &j->plan.layers.ptr[k];
		bool container = l->place.kind == IMAGE_PLACE_CONTAINER;
		if (!must_be_read(l) || (only && !only[k]))
			continue;
		for (size_t i = 0; i < k && !where[k]; i++) {
			if (where[i] && same_place(&j->plan.layers.ptr[i], l))
				where[k] = where[i];
		}
		if (where[k])
			continue;
		where[k] = new_unit(j);
		if (!where[k]) {
			rc = no_memory(err);
			break;
		}
		struct layer_child *c = &children[n];
		*c = (struct layer_child){ .job = *job, .parent = j, .layer = l, .unit = where[k] };
		c->job.digest_kind = l->digest.kind ? l->digest.kind : BH_DIGEST_SHA256;
		c->job.diff_kind = l->diff_id.kind ? l->diff_id.kind : BH_DIGEST_SHA256;
		c->job.whole = container;
		c->job.watched = container && !job->n_aliases ? &j->changes : NULL;
		image_layer_label(l, k, c->name);
		n += load_or_record(c) == 0;
	}
	rc = rc < 0 ? rc : run_children(j, children, n, err);
	keep_recordings(j, children, n);
	free(children);
	return rc;
}

/* ---- digests ---- */

/* A transfer that did not come to its end: that is the reason, whatever was made of the bytes. */
static bool report_broken_stream(struct job *j, size_t k)
{
	const struct image_plan_layer *l = &j->plan.layers.ptr[k];
	const struct image_remote *remote = j->source.remote;
	char name[IMAGE_LAYER_NAME_BYTES], label[IMAGE_LAYER_LABEL_BYTES];
	struct bh_err why = { 0 };
	if (!remote || (l->place.kind != IMAGE_PLACE_BLOB && l->place.kind != IMAGE_PLACE_CONTAINER))
		return false;
	image_layer_name(l, name);
	if (remote->outcome(remote->ctx, bh_slice_str(name), &why) == 0)
		return false;
	image_layer_label(l, k, label);
	bh_report_incomplete(j->report, "layer", bh_slice_str(label), (uint32_t)k, "%s", why.text);
	return true;
}

/* Shorter than said, or damaged before it was packed: told and carried on. Not what the manifest names: an error. */
static int check_layer(struct job *j, size_t k, struct bh_err *err)
{
	const struct image_plan_layer *l = &j->plan.layers.ptr[k];
	const struct image_unit *u = j->of_layer[k];
	const struct image_end *e = &u->end;
	char label[IMAGE_LAYER_LABEL_BYTES];
	image_layer_label(l, k, label);
	if (!u->ended)
		return 0; /* its child died: reported there */
	const struct bh_slice path = bh_slice_str(label);
	bool checkable = l->digest.kind && e->digest.kind == l->digest.kind;
	bool right = checkable && bh_digest_eq(&l->digest, &e->digest);
	if (report_broken_stream(j, k))
		return 0;
	if (l->place.kind == IMAGE_PLACE_CONTAINER) {
		if (e->code != BH_OK)
			bh_report_incomplete(j->report, "layer", path, (uint32_t)k, "%.*s", BH_SLICE_FMT(e->problem));
		return 0;
	}
	if (!right && e->raw_bytes < l->size_bytes) {
		bh_report_incomplete(j->report, "layer", path, (uint32_t)k, "truncated: %" PRIu64 " of %" PRIu64 " bytes are there", e->raw_bytes,
				     l->size_bytes);
		return 0;
	}
	if (checkable && !right)
		return image_mismatch(label, "digest", &e->digest, &l->digest, err);
	if (right && e->raw_bytes != l->size_bytes)
		return bh_fail(err, BH_EMISMATCH, 0, "%s: it has %" PRIu64 " bytes but its descriptor says %" PRIu64, label, e->raw_bytes, l->size_bytes);
	if (l->diff_id.kind && e->diff_id.kind == l->diff_id.kind && !bh_digest_eq(&l->diff_id, &e->diff_id) && (right || e->code == BH_OK))
		return image_mismatch(label, "diffID", &e->diff_id, &l->diff_id, err);
	if (e->code != BH_OK)
		bh_report_incomplete(j->report, "layer", path, (uint32_t)k, "%.*s", BH_SLICE_FMT(e->problem));
	else if (l->diff_id.kind != e->diff_id.kind || (l->digest.kind && !checkable))
		bh_report_incomplete(j->report, "layer", path, (uint32_t)k, "its digest could not be verified while the archive streamed by");
	return 0;
}

static int check_layers(struct job *j, struct bh_err *err)
{
	for (size_t k = 0; k < j->plan.layers.len; k++) {
		const struct image_plan_layer *l = &j->plan.layers.ptr[k];
		char label[IMAGE_LAYER_LABEL_BYTES];
		if (l->place.kind == IMAGE_PLACE_NONE)
			bh_report_incomplete(j->report, "layer", bh_slice_str(image_layer_label(l, k, label)), (uint32_t)k, "%.*s", BH_SLICE_FMT(l->skip));
		int rc = j->of_layer[k] ? check_layer(j, k, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- the report ---- */

static bool keep(struct job *j, struct bh_slice s, struct bh_slice *out)
{
	return bh_arena_copy(&j->report->arena, s, out);
}

static struct bh_slice media_type_of(const struct image_plan_layer *l, const struct image_unit *u)
{
	if (l->media_type.len || !u || !u->ended)
		return l->media_type;
	switch (u->end.compression) { /* a docker-archive does not say: it is what was seen */
	case BH_PLAIN: return BH_SLICE_LIT("application/vnd.docker.image.rootfs.diff.tar");
	case BH_GZIP: return BH_SLICE_LIT("application/vnd.docker.image.rootfs.diff.tar.gzip");
	case BH_ZSTD: return BH_SLICE_LIT("application/vnd.docker.image.rootfs.diff.tar.zstd");
	default: return (struct bh_slice){ 0 };
	}
}

static int compare_labels(const void *a, const void *b)
{
	return bh_slice_cmp(((const struct bh_label *)a)->name, ((const struct bh_label *)b)->name);
}

/* History, settings, and labels sorted by name. */
static bool fill_facts(struct job *j)
{
	struct bh_report *r = j->report;
	bool ok = true;
	for (size_t i = 0; ok && i < j->plan.history.len; i++) {
		struct bh_history h = j->plan.history.ptr[i];
		ok = keep(j, h.created_by, &h.created_by) && keep(j, h.comment, &h.comment) && keep(j, h.created, &h.created) &&
		     bh_history_vec_push(&r->history, h);
	}
	for (size_t i = 0; ok && i < j->plan.settings.len; i++) {
		struct bh_setting s = j->plan.settings.ptr[i];
		ok = keep(j, s.value, &s.value) && bh_setting_vec_push(&r->settings, s);
	}
	for (size_t i = 0; ok && i < j->plan.labels.len; i++) {
		struct bh_label l = j->plan.labels.ptr[i];
		ok = keep(j, l.name, &l.name) && keep(j, l.value, &l.value) && bh_label_vec_push(&r->labels, l);
	}
	if (r->labels.len > 1)
		qsort(r->labels.ptr, r->labels.len, sizeof(r->labels.ptr[0]), compare_labels);
	return ok;
}

static int fill_report(struct job *j, struct bh_err *err)
{
	struct bh_target *t = &j->report->target;
	const struct image_plan *p = &j->plan;
	t->digest = p->digest;
	t->config_digest = p->config_digest;
	bool ok = keep(j, p->os, &t->os) && keep(j, p->architecture, &t->architecture) && keep(j, p->variant, &t->variant) &&
		  keep(j, p->created, &t->created) && keep(j, p->reference, &t->reference) && fill_facts(j);
	for (size_t k = 0; ok && k < p->layers.len; k++) {
		const struct image_plan_layer *l = &p->layers.ptr[k];
		const struct image_unit *u = j->of_layer[k];
		struct bh_layer out = { .digest = l->digest, .diff_id = l->diff_id, .size_bytes = l->size_bytes, .skipped = !u,
					.container = l->place.kind == IMAGE_PLACE_CONTAINER };
		if (u && u->ended) {
			out.digest = l->digest.kind ? l->digest : u->end.digest;
			out.diff_id = l->diff_id.kind ? l->diff_id : u->end.diff_id;
			out.size_bytes = u->end.raw_bytes;
			out.unpacked_bytes = u->end.plain_bytes;
			out.entries = u->end.entries;
		}
		ok = keep(j, media_type_of(l, u), &out.media_type) && keep(j, l->created_by, &out.created_by) && bh_layer_vec_push(&j->report->layers, out);
	}
	return ok ? 0 : no_memory(err);
}

/* ---- links ---- */

/* Second pass over an archive that can only be streamed: possible when it is a file. */
static int stream_again(struct job *j, const struct image_layer_job *job, struct bh_err *err)
{
	struct unit_vec again = { .max = STREAM_UNITS_MAX };
	struct planner p = { .job = { .wish = j->wish, .layer = *job }, .parent = j, .into = &again };
	int rc = run_planner(j, &p, err);
	for (size_t k = 0; rc == 0 && k < j->plan.layers.len; k++) {
		const struct image_place *place = &j->plan.layers.ptr[k].place;
		if (place->kind == IMAGE_PLACE_UNIT && place->unit < again.len)
			j->extra[k] = again.ptr[place->unit];
	}
	unit_vec_done(&again);
	return rc;
}

static int follow_links(struct job *j, const struct image_links *links, struct bh_err *err)
{
	struct image_alias *aliases = calloc(links->leads.len, sizeof(*aliases));
	j->extra = calloc(j->plan.layers.len, sizeof(struct image_unit *));
	if (!aliases || !j->extra) {
		free(aliases);
		return no_memory(err);
	}
	for (size_t i = 0; i < links->leads.len; i++)
		aliases[i] = links->leads.ptr[i].alias;
	struct image_layer_job job = layer_job(j);
	job.want_hides = false;
	job.aliases = aliases;
	job.n_aliases = links->leads.len;
	int rc = 0;
	bool again = j->streamed.len == 0 || j->source.seekable || j->source.remote;
	if (again) {
		rc = j->streamed.len ? stream_again(j, &job, err) : 0;
		rc = rc < 0 ? rc : read_layers(j, &job, links->needed, j->extra, err);
	} else {
		for (size_t i = 0; i < links->leads.len; i++)
			bh_report_incomplete(j->report, "link", links->leads.ptr[i].alias.to, BH_NO_LAYER,
					     "leads to %.*s, which had passed by in the stream; scan the archive as a file",
					     BH_SLICE_FMT(links->leads.ptr[i].alias.from));
	}
	free(aliases);
	if (rc == 0 && again)
		image_links_report(&(struct image_stack){ .n = j->plan.layers.len, .extra = j->extra }, links, j->report);
	return rc;
}

/* ---- images ---- */

static void start_bar(struct job *j)
{
	uint64_t total = 0;
	for (size_t k = 0; k < j->plan.layers.len; k++)
		total += must_be_read(&j->plan.layers.ptr[k]) ? j->plan.layers.ptr[k].size_bytes : 0;
	j->bar = bh_progress_new("reading layers", total, BH_PROGRESS_BYTES, j->req->quiet);
}

static int read_all_layers(struct job *j, struct bh_err *err)
{
	j->of_layer = calloc(j->plan.layers.len ? j->plan.layers.len : 1, sizeof(struct image_unit *));
	if (!j->of_layer)
		return no_memory(err);
	for (size_t k = 0; k < j->plan.layers.len; k++) {
		const struct image_place *place = &j->plan.layers.ptr[k].place;
		if (place->kind == IMAGE_PLACE_UNIT && place->unit < j->streamed.len)
			j->of_layer[k] = j->streamed.ptr[place->unit];
	}
	const struct image_layer_job job = layer_job(j);
	start_bar(j);
	return read_layers(j, &job, NULL, j->of_layer, err);
}

/* What has no layers is one unit. */
static int merge_flat(struct job *j, struct image_unit *unit, struct bh_err *err)
{
	struct image_stack stack = { .visitor = j->visitor, .key = &j->key, .n = 1, .units = &unit, .flat = true };
	return image_merge(&stack, NULL, j->report, err);
}

static int merge(struct job *j, struct bh_err *err)
{
	struct image_stack stack = { .visitor = j->visitor, .key = &j->key, .n = j->plan.layers.len, .units = j->of_layer };
	struct image_links links;
	image_links_init(&links);
	int rc = image_links_find(&stack, &links, err);
	if (rc == 0 && links.leads.len)
		rc = follow_links(j, &links, err);
	if (rc == 0 && links.too_many)
		bh_report_incomplete(j->report, "link", (struct bh_slice){ 0 }, BH_NO_LAYER, "too many links lead to wanted files; not all were followed");
	stack.extra = j->extra;
	rc = rc < 0 ? rc : image_merge(&stack, &links, j->report, err);
	image_links_done(&links);
	return rc == 0 && j->config ? merge_flat(j, j->config, err) : rc;
}

/* ---- a container on top of its image ---- */

static int run_changes(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	return image_changes_read(ch, err);
}

static int changes_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct job *j = ctx;
	if (is_request && type == IMAGE_ASK_OPEN)
		return image_source_answer(&j->source, payload, BH_WANTED_FILE_BYTES_MAX, reply, err);
	if (!is_request && type == IMAGE_SAY_CHANGE)
		return image_changes_take(&j->changes, payload, err);
	return bh_fail(err, BH_EMALFORMED, 0, "message %u is not known", type);
}

static int run_container(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	return image_planner_container(ch, ctx, err);
}

static int watch_container(struct job *j, struct bh_err *err)
{
	struct planner p = { .job = { .wish = j->wish, .layer = layer_job(j), .remote = true }, .parent = j, .into = &j->streamed };
	struct bh_child_spec spec = {
		.name = "container's configuration", .run = run_container, .handle = planner_handle, .ctx = &p,
		.limits = { .memory_bytes = LAYER_MEMORY_BYTES, .stall_seconds = PIPE_STALL_SECONDS },
	};
	int result = 0;
	struct bh_err why = { 0 };
	int rc = j->visitor->watcher ? bh_children_run(&spec, 1, 1, &result, &why, err) : 0;
	if (rc == 0 && result < 0)
		bh_report_incomplete(j->report, "container", (struct bh_slice){ 0 }, BH_NO_LAYER, "%s", why.text);
	return rc;
}

/* Its file system counts as a layer that hides all others, so that what the image brought keeps its own layer. */
static int add_container(struct job *j, struct bh_err *err)
{
	struct bh_child_spec spec = {
		.name = "list of changes", .run = run_changes, .handle = changes_handle, .ctx = j,
		.limits = { .memory_bytes = PLANNER_MEMORY_BYTES, .stall_seconds = PIPE_STALL_SECONDS },
	};
	int result = 0;
	struct bh_err why = { 0 };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc < 0)
		return rc;
	if (result < 0)
		bh_report_incomplete(j->report, "changes", (struct bh_slice){ 0 }, BH_NO_LAYER, "%s", why.text);
	rc = watch_container(j, err);
	if (rc < 0)
		return rc;
	const struct image_plan_layer top = { .created_by = BH_SLICE_LIT("container"), .place.kind = IMAGE_PLACE_CONTAINER };
	return image_plan_layer_vec_push(&j->plan.layers, top) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %u layers", BH_LAYERS_MAX);
}

static int tell_changes(struct job *j, struct bh_err *err)
{
	const struct image_changes *c = &j->changes;
	uint32_t top = (uint32_t)(j->plan.layers.len - 1);
	bool wanted = j->source.remote && j->source.remote->container && j->req->changes;
	return wanted ? j->req->changes(j->req->changes_ctx, c->list.ptr, c->list.len, c->cut, top, err) : 0;
}

static int tell_hides(struct job *j, struct bh_err *err)
{
	int rc = 0;
	for (uint32_t k = 0; rc == 0 && j->req->hides && k < j->plan.layers.len; k++)
		for (const struct image_hides *h = j->of_layer[k] ? j->of_layer[k]->hides : NULL; rc == 0 && h; h = h->next)
			rc = j->req->hides(j->req->hides_ctx, k, h->hash, h->len, err);
	return rc;
}

static int read_image(struct job *j, struct bh_err *err)
{
	if (j->source.kind == IMAGE_SOURCE_ARCHIVE)
		j->bar = bh_progress_new("reading the archive", j->source.size_bytes, BH_PROGRESS_BYTES, j->req->quiet);
	int rc = make_plan(j, err);
	bh_progress_free(j->bar);
	j->bar = NULL;
	if (rc == 0 && j->source.remote && j->source.remote->container)
		rc = add_container(j, err);
	rc = rc < 0 ? rc : read_all_layers(j, err);
	rc = rc < 0 ? rc : check_layers(j, err);
	rc = rc < 0 ? rc : fill_report(j, err);
	rc = rc < 0 ? rc : merge(j, err);
	rc = rc < 0 ? rc : tell_hides(j, err);
	return rc < 0 ? rc : tell_changes(j, err);
}

/* ---- directories ---- */

struct tree_child {
	struct job *parent;
	struct image_tree *tree;
	struct image_unit *unit;
};

static int run_tree(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct tree_child *c = ctx;
	return image_tree_read(ch, c->parent->visitor, err);
}

static int tree_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct tree_child *c = ctx;
	if (!is_request)
		return image_unit_take(c->unit, type, payload, err);
	return type == IMAGE_ASK_NEXT ? image_tree_answer(c->tree, reply, err) : bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
}

static void tree_progress(void *ctx, uint64_t done_bytes)
{
	const struct tree_child *c = ctx;
	bh_progress_set(c->parent->bar, done_bytes);
}

static int read_tree(struct job *j, struct bh_err *err)
{
	struct tree_child c = { .parent = j, .unit = new_unit(j) };
	if (!c.unit)
		return no_memory(err);
	int rc = image_tree_new(j->source.fd, j->visitor, j->report, &c.tree, err);
	if (rc < 0)
		return rc;
	j->bar = bh_progress_new("reading files", 0, BH_PROGRESS_BYTES, j->req->quiet);
	struct bh_child_spec spec = {
		.name = "files", .run = run_tree, .handle = tree_handle, .progress = tree_progress, .ctx = &c,
		.limits = { .memory_bytes = LAYER_MEMORY_BYTES, .stall_seconds = HANDLER_STALL_SECONDS },
	};
	int result = 0;
	struct bh_err why = { 0 };
	rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	image_tree_free(c.tree);
	if (rc < 0)
		return rc;
	if (result == BH_ECANCELLED) {
		*err = why;
		return result;
	}
	if (result < 0)
		bh_report_incomplete(j->report, "directory", bh_slice_str(j->req->path), BH_NO_LAYER, "%s", why.text);
	return merge_flat(j, c.unit, err);
}

/* ---- a file that is no image ---- */

struct file_child {
	struct job *parent;
	struct image_unit *unit;
	struct bh_slice path;
};

static int run_file(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct file_child *c = ctx;
	if (c->parent->req->kind == IMAGE_GIT)
		return image_git_read(ch, c->parent->visitor, err);
	if (c->parent->req->kind == IMAGE_ZIP)
		return image_zip_read(ch, c->parent->visitor, err);
	return image_file_read(ch, c->parent->visitor, c->path, err);
}

static int file_handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct file_child *c = ctx;
	if (!is_request)
		return image_unit_take(c->unit, type, payload, err);
	return type == IMAGE_ASK_OPEN ? image_source_answer(&c->parent->source, payload, BH_WANTED_FILE_BYTES_MAX, reply, err) :
					bh_fail(err, BH_EMALFORMED, 0, "request %u is not known", type);
}

/* Its name as a path of an image has it: relative, of bytes that a record may carry. */
static struct bh_slice file_name(const struct job *j)
{
	const char *slash = strrchr(j->req->path, '/');
	struct bh_slice name = bh_slice_str(slash ? slash + 1 : j->req->path);
	return bh_slice_eq_str(name, "-") ? BH_SLICE_LIT("standard input") : bh_slice_sub(name, 0, BH_PATH_BYTES_MAX);
}

static int read_file(struct job *j, struct bh_err *err)
{
	struct file_child c = { .parent = j, .unit = new_unit(j), .path = file_name(j) };
	if (!c.unit)
		return no_memory(err);
	struct bh_child_spec spec = {
		.name = "file", .run = run_file, .handle = file_handle, .ctx = &c,
		.limits = { .memory_bytes = LAYER_MEMORY_BYTES, .stall_seconds = j->source.seekable ? 0 : PIPE_STALL_SECONDS },
	};
	int result = 0;
	struct bh_err why = { 0 };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc < 0)
		return rc;
	if (result < 0) {
		*err = why;
		return result;
	}
	return merge_flat(j, c.unit, err);
}

/* ---- the door ---- */

static const char *kind_name(const struct job *j)
{
	if (j->source.remote)
		return j->source.remote->kind;
	switch (j->source.kind) {
	case IMAGE_SOURCE_LAYOUT: return "oci";
	case IMAGE_SOURCE_ARCHIVE: return j->req->kind == IMAGE_SBOM ? "sbom" : j->req->kind == IMAGE_ZIP ? "zip" : "archive";
	case IMAGE_SOURCE_TREE: break;
	}
	return j->req->kind == IMAGE_ROOTFS ? "rootfs" : "dir";
}

static int make_wish(struct job *j, struct bh_err *err)
{
	j->wish.reference = j->req->reference;
	j->wish.platform_given = j->req->platform != NULL;
	if (j->req->platform)
		return image_platform_parse(j->req->platform, &j->wish.platform, err);
	image_platform_host(&j->wish.platform);
	return 0;
}

static void job_done(struct job *j)
{
	bh_progress_free(j->bar);
	for (size_t i = 0; i < j->units.len; i++) {
		image_unit_done(j->units.ptr[i]);
		free(j->units.ptr[i]);
	}
	unit_vec_done(&j->units);
	unit_vec_done(&j->streamed);
	free(j->of_layer);
	free(j->extra);
	image_plan_done(&j->plan);
	image_pool_done(&j->pool);
	image_changes_done(&j->changes);
	image_source_done(&j->source);
}

int image_read(const struct image_request *req, const struct image_visitor *visitor, struct bh_report *report, struct bh_err *err)
{
	struct job j = { .req = req, .visitor = visitor, .report = report, .source.fd = -1, .streamed.max = STREAM_UNITS_MAX,
			 .units.max = 2 * (STREAM_UNITS_MAX + BH_LAYERS_MAX) };
	image_plan_init(&j.plan);
	image_pool_init(&j.pool);
	image_changes_init(&j.changes);
	if (req->key)
		j.key = *req->key;
	else
		image_key_draw(&j.key);
	int rc = bh_crypto_init(err); /* once for all children */
	rc = rc < 0 ? rc : make_wish(&j, err);
	rc = rc < 0 ? rc : image_source_open(req, &j.source, err);
	if (rc == 0) {
		struct bh_target *t = &report->target;
		t->kind = bh_slice_str(kind_name(&j));
		rc = keep(&j, bh_slice_str(req->path), &t->text) ? 0 : no_memory(err);
	}
	if (rc == 0)
		rc = req->kind == IMAGE_SBOM || req->kind == IMAGE_ZIP || req->kind == IMAGE_GIT ? read_file(&j, err) : j.source.kind == IMAGE_SOURCE_TREE ? read_tree(&j, err) : read_image(&j, err);
	job_done(&j);
	return rc;
}

/* A planner's child that reads no layer asks nothing of its visitor. */
static const struct image_visitor nobody;

int image_open(const struct image_request *req, struct bh_report *report, struct image_source *source, struct image_plan *plan, struct bh_err *err)
{
	struct job j = { .req = req, .visitor = &nobody, .report = report, .source.fd = -1, .wish.whole_config = true };
	image_plan_init(&j.plan);
	image_pool_init(&j.pool);
	image_changes_init(&j.changes);
	int rc = bh_crypto_init(err);
	rc = rc < 0 ? rc : make_wish(&j, err);
	rc = rc < 0 ? rc : image_source_open(req, &j.source, err);
	if (rc == 0 && !image_source_reads_again(&j.source))
		rc = bh_fail(err, BH_EUNSUPPORTED, 0, "it has to be read twice, and is no image's folder or uncompressed archive: unpack it first");
	rc = rc < 0 ? rc : make_plan(&j, err);
	*source = j.source;
	*plan = j.plan;
	j.source = (struct image_source){ .fd = -1 };
	image_plan_init(&j.plan);
	job_done(&j);
	return rc;
}
