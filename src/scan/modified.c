/*
 * modified.c: see modified.h. The child can't know which files packages own, as their lists may lie in other layers: it sends sums of every file where packages put theirs, and what
 * lists say as hashes of paths; the parent brings them together. Sums come some time after their file (sum_batch.h), by its number in the layer.
 *
 * Which sums are worth computing is known when any child has seen a package manager's folder; it stands in memory that all children share. Until then all of them are computed. What
 * is missing in the end is told, so nobody gains silence by a folder of another package manager.
 */
#include "scan/modified.h"

#include "base/limits.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "malware/filesums.h"
#include "model/wire.h"
#include "scan/inventory.h"
#include "scan/sum_batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LIST_BYTES_MAX BH_WANTED_FILE_BYTES_MAX /* of dpkg one package, about 3 MiB; of rpm the whole database, of a desktop about 200 MiB */
#define FILES_MAX 4000000u
#define EXPECTED_MAX 20000000u
#define EXPECTED_BYTES (8u + 1u + BH_SUM_BYTES_MAX)
#define EXPECTED_PER_FRAME 20000u
#define FRAME_BYTES_AIM (64u << 10)
#define ALL_KINDS ((1u << BH_SUM_KINDS) - 1)

enum record_kind { RECORD_FILE, RECORD_SUMS, RECORD_EXPECTED };

struct file_seen {
	struct bh_slice path;
	uint32_t layer, number;
};

struct sums_seen {
	struct file_sums file;
	uint32_t layer;
};

/* By all children. */
struct shared {
	atomic_uint kinds; /* 1 << enum bh_sum_kind; 0: nobody knows yet */
};

struct expected {
	uint64_t path_hash;
	struct malware_sum sum;
};

BH_VEC(file_vec, struct file_seen)
BH_VEC(sums_vec, struct sums_seen)
BH_VEC(expected_vec, struct expected)

struct scan_modified {
	const struct image_key *key;
	struct bh_report *report;
	struct shared *shared;
	/* the child's own */
	struct sum_batch *batch;
	uint32_t number; /* of the file that streams by, in its layer */
	struct bh_buf list, frame;
	enum malware_list list_kind;
	bool is_cut;
	struct bh_slice path;
	uint8_t path_bytes[BH_PATH_BYTES_MAX];
	/* the parent's */
	struct file_vec seen;
	struct sums_vec sums;
	struct expected_vec expected;
};

int scan_modified_new(const struct image_key *key, struct bh_report *report, struct scan_modified **ret, struct bh_err *err)
{
	struct scan_modified *m = calloc(1, sizeof(*m));
	if (!m)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	m->key = key;
	m->report = report;
	m->seen.max = m->sums.max = FILES_MAX;
	m->expected.max = EXPECTED_MAX;
	bh_buf_init(&m->list, LIST_BYTES_MAX);
	bh_buf_init(&m->frame, BH_FRAME_BYTES_MAX);
	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	m->shared = m->shared == MAP_FAILED ? NULL : m->shared;
	int rc = m->shared ? sum_batch_new(&m->batch, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (rc < 0) {
		scan_modified_free(m);
		return rc;
	}
	*ret = m;
	return 0;
}

void scan_modified_free(struct scan_modified *m)
{
	if (!m)
		return;
	if (m->shared)
		(void)munmap(m->shared, sizeof(*m->shared));
	sum_batch_free(m->batch);
	bh_buf_done(&m->list);
	bh_buf_done(&m->frame);
	file_vec_done(&m->seen);
	sums_vec_done(&m->sums);
	expected_vec_done(&m->expected);
	free(m);
}

/* ---- the child's side ---- */

/* Where packages of the distribution put what is not configuration. */
static bool is_of_packages(struct bh_slice path)
{
	static const char *const folders[] = { "usr/", "bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/", "boot/", "opt/" };
	if (bh_slice_starts(path, BH_SLICE_LIT("usr/local/")))
		return false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (bh_slice_starts(path, bh_slice_str(folders[i])))
			return true;
	return false;
}

static int on_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	(void)emit, (void)err;
	m->list_kind = malware_list_at(e->path);
	m->is_cut = false;
	unsigned kinds = atomic_fetch_or(&m->shared->kinds, malware_sum_kinds_at(e->path));
	if (e->type != IMAGE_ENTRY_FILE || (!m->list_kind && !is_of_packages(e->path)))
		return 0;
	memcpy(m->path_bytes, e->path.ptr, e->path.len);
	m->path = (struct bh_slice){ m->path_bytes, e->path.len };
	bh_buf_clear(&m->list);
	if (!m->list_kind)
		sum_batch_begin(m->batch, kinds ? kinds : ALL_KINDS, e->size_bytes);
	return 1;
}

static int on_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	(void)emit, (void)err;
	if (m->list_kind)
		m->is_cut |= !bh_buf_add(&m->list, run);
	else
		sum_batch_bytes(m->batch, run);
	return 0;
}

static int send(struct scan_modified *m, const struct image_emit *emit, enum record_kind kind, struct bh_err *err)
{
	return m->frame.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : emit->record(emit->ctx, m->path, (uint16_t)kind, bh_buf_slice(&m->frame), err);
}

/* What a list says, a frame of it at a time. */
struct sending {
	struct scan_modified *m;
	const struct image_emit *emit;
	size_t n;
};

static int send_expected(void *ctx, struct bh_slice path, const struct malware_sum *sum, struct bh_err *err)
{
	struct sending *s = ctx;
	bh_wire_put_u64(&s->m->frame, image_path_hash(s->m->key, path));
	bh_wire_put_u8(&s->m->frame, (uint8_t)sum->kind);
	bh_buf_add(&s->m->frame, (struct bh_slice){ sum->bytes, sizeof(sum->bytes) });
	if (++s->n < EXPECTED_PER_FRAME)
		return 0;
	int rc = send(s->m, s->emit, RECORD_EXPECTED, err);
	bh_buf_clear(&s->m->frame);
	s->n = 0;
	return rc;
}

static int send_list(struct scan_modified *m, const struct image_emit *emit, struct bh_err *err)
{
	struct sending s = { .m = m, .emit = emit };
	bh_buf_clear(&m->frame);
	int rc = malware_filesums_each(m->list_kind, bh_buf_slice(&m->list), send_expected, &s, err);
	return rc == 0 && s.n ? send(m, emit, RECORD_EXPECTED, err) : rc;
}

/* A frame of sums on its way. */
struct giving {
	struct scan_modified *m;
	const struct image_emit *emit;
};

static int send_sums(void *ctx, const struct file_sums *file, struct bh_err *err)
{
	struct giving *g = ctx;
	struct bh_buf *b = &g->m->frame;
	bh_wire_put_u64(b, file->path_hash);
	bh_wire_put_u32(b, file->number);
	bh_wire_put_u8(b, file->kinds);
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		if (file->kinds & 1u << i)
			bh_buf_add(b, (struct bh_slice){ file->sums[i], bh_sum_bytes((enum bh_sum_kind)i) });
	if (b->len < FRAME_BYTES_AIM)
		return 0;
	int rc = send(g->m, g->emit, RECORD_SUMS, err);
	bh_buf_clear(b);
	return rc;
}

/* Of the files of a batch; told about the last one's path, as some path is needed. */
static int take_out(struct scan_modified *m, const struct image_emit *emit, struct bh_err *err)
{
	struct giving g = { m, emit };
	bh_buf_clear(&m->frame);
	int rc = sum_batch_take_out(m->batch, send_sums, &g, err);
	return rc == 0 && m->frame.len ? send(m, emit, RECORD_SUMS, err) : rc;
}

static int end_file(struct scan_modified *m, const struct image_emit *emit, struct bh_err *err)
{
	if (!sum_batch_end(m->batch, image_path_hash(m->key, m->path), m->number))
		return emit->incomplete(emit->ctx, "malware", m->path, "its checksum could not be computed, so it was not compared with its package's record", err);
	bh_buf_clear(&m->frame);
	bh_wire_put_u32(&m->frame, m->number++);
	int rc = send(m, emit, RECORD_FILE, err);
	return rc == 0 && sum_batch_is_full(m->batch) ? take_out(m, emit, err) : rc;
}

static int on_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	if (!whole) { /* the layer's reader tells that it is damaged */
		if (!m->list_kind)
			sum_batch_drop(m->batch);
		return 0;
	}
	if (m->is_cut)
		return emit->incomplete(emit->ctx, "malware", m->path, "too long a list to compare files with", err);
	return m->list_kind ? send_list(m, emit, err) : end_file(m, emit, err);
}

static int on_finish(void *ctx, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	m->number = 0; /* ready for the next layer */
	return take_out(m, emit, err);
}

/* ---- the parent's ---- */

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more files than can be compared with their packages' records");
}

static int take_file(struct scan_modified *m, uint32_t layer, struct bh_slice path, struct bh_slice payload, struct bh_err *err)
{
	struct file_seen f = { .layer = layer };
	struct bh_reader r = bh_reader_of(payload);
	if (!bh_take_u32le(&r, &f.number))
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged number of a file");
	return bh_arena_copy(&m->report->arena, path, &f.path) && file_vec_push(&m->seen, f) ? 0 : full(err);
}

static bool take_file_sums(struct bh_reader *r, struct file_sums *ret)
{
	struct bh_slice sum;
	*ret = (struct file_sums){ 0 };
	bool ok = bh_take_u64le(r, &ret->path_hash) && bh_take_u32le(r, &ret->number) && bh_take_u8(r, &ret->kinds);
	for (size_t i = 0; ok && i < BH_SUM_KINDS; i++) {
		if (!(ret->kinds & 1u << i))
			continue;
		ok = bh_take(r, bh_sum_bytes((enum bh_sum_kind)i), &sum);
		if (ok)
			memcpy(ret->sums[i], sum.ptr, sum.len);
	}
	return ok;
}

static int take_sums(struct scan_modified *m, uint32_t layer, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct sums_seen s = { .layer = layer };
	while (bh_reader_left(&r)) {
		if (!take_file_sums(&r, &s.file))
			return bh_fail(err, BH_ECHILD, 0, "a child sent damaged sums of files");
		if (!sums_vec_push(&m->sums, s))
			return full(err);
	}
	return 0;
}

static int take_expected(struct scan_modified *m, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice sum;
	struct expected x;
	uint8_t kind;
	if (payload.len % EXPECTED_BYTES)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged list of digests");
	while (bh_take_u64le(&r, &x.path_hash) && bh_take_u8(&r, &kind) && kind < BH_SUM_KINDS && bh_take(&r, sizeof(x.sum.bytes), &sum)) {
		x.sum.kind = (enum bh_sum_kind)kind;
		memcpy(x.sum.bytes, sum.ptr, sizeof(x.sum.bytes));
		if (!expected_vec_push(&m->expected, x))
			return full(err);
	}
	return 0;
}

static int on_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	switch ((enum record_kind)kind) {
	case RECORD_FILE: return visible ? take_file(ctx, layer, path, payload, err) : 0;
	case RECORD_SUMS: return take_sums(ctx, layer, payload, err); /* of other files than the one at path */
	case RECORD_EXPECTED: return visible ? take_expected(ctx, payload, err) : 0;
	}
	return bh_fail(err, BH_ECHILD, 0, "a child sent a record of unknown kind %u", kind);
}

static int compare(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;
	return (x->path_hash > y->path_hash) - (x->path_hash < y->path_hash);
}

static int compare_sums(const void *a, const void *b)
{
	const struct sums_seen *x = a, *y = b;
	if (x->file.path_hash != y->file.path_hash)
		return x->file.path_hash < y->file.path_hash ? -1 : 1;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return (x->file.number > y->file.number) - (x->file.number < y->file.number);
}

/* NULL: their layer was not read to its end, which is told. */
static const struct file_sums *sums_of(const struct scan_modified *m, const struct file_seen *f)
{
	const struct sums_seen key = { .file = { .path_hash = image_path_hash(m->key, f->path), .number = f->number }, .layer = f->layer };
	const struct sums_seen *s = m->sums.len ? bsearch(&key, m->sums.ptr, m->sums.len, sizeof(key), compare_sums) : NULL;
	return s ? &s->file : NULL;
}

enum record_state { STATE_NONE, STATE_SAME, STATE_OTHER, STATE_UNKNOWN };

/* Several packages may have a record of a file (one replaces the other's): any of them will do. */
static enum record_state look_up(const struct scan_modified *m, struct bh_slice path, const struct file_sums *s)
{
	uint64_t hash = image_path_hash(m->key, path);
	size_t lo = 0, hi = m->expected.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->expected.ptr[mid].path_hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	enum record_state state = STATE_NONE;
	for (; lo < m->expected.len && m->expected.ptr[lo].path_hash == hash; lo++) {
		const struct malware_sum *sum = &m->expected.ptr[lo].sum;
		bool known = s->kinds & 1u << sum->kind;
		if (known && memcmp(sum->bytes, s->sums[sum->kind], BH_SUM_BYTES_MAX) == 0)
			return STATE_SAME;
		state = known && state != STATE_UNKNOWN ? STATE_OTHER : STATE_UNKNOWN;
	}
	return state;
}

/* Records name bin/ls where the merged /usr has usr/bin/ls. */
static enum record_state judge(const struct scan_modified *m, const struct file_seen *f)
{
	const struct file_sums *s = sums_of(m, f);
	enum record_state state = s ? look_up(m, f->path, s) : STATE_NONE;
	if (s && state == STATE_NONE && bh_slice_starts(f->path, BH_SLICE_LIT("usr/")))
		state = look_up(m, bh_slice_sub(f->path, 4, f->path.len), s);
	return state;
}

static int tell(struct scan_modified *m, const struct file_seen *s, const struct bh_package *owner, struct bh_err *err)
{
	struct bh_finding f = {
		.class = BH_CLASS_MALWARE, .state = BH_STATE_AFFECTED, .severity = BH_SEV_HIGH, .id = BH_SLICE_LIT("modified-package-file"), .path = s->path, .layer = s->layer,
		.title = BH_SLICE_LIT("File of a package was changed"),
		.fix = BH_SLICE_LIT("Find out what changed it; install the package anew. What has to differ belongs into a package of one's own, or on Debian is diverted (dpkg-divert)."),
	};
	const char *text = owner ? bh_arena_printf(&m->report->arena, "its content is not the one that the package %.*s %.*s brought", BH_SLICE_FMT(owner->name), BH_SLICE_FMT(owner->version)) :
				   "its content is not the one that its package brought";
	f.evidence = bh_slice_str(text ? text : "");
	return text && bh_finding_vec_push(&m->report->findings, f) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", m->report->findings.max);
}

int scan_modified_finish(struct scan_modified *m, const struct inventory *inv, struct bh_err *err)
{
	const struct file_seen *unknown = NULL;
	size_t n_unknown = 0;
	int rc = 0;
	if (m->expected.len > 1)
		qsort(m->expected.ptr, m->expected.len, sizeof(m->expected.ptr[0]), compare);
	if (m->sums.len > 1)
		qsort(m->sums.ptr, m->sums.len, sizeof(m->sums.ptr[0]), compare_sums);
	for (size_t i = 0; rc == 0 && m->expected.len && i < m->seen.len; i++) {
		const struct file_seen *f = &m->seen.ptr[i];
		enum record_state state = judge(m, f);
		rc = state == STATE_OTHER ? tell(m, f, inventory_owner(inv, f->path), err) : 0;
		unknown = state == STATE_UNKNOWN && !unknown ? f : unknown;
		n_unknown += state == STATE_UNKNOWN;
	}
	if (unknown)
		bh_report_incomplete(m->report, "malware", unknown->path, unknown->layer,
				     "it and %zu more were not compared with their packages' record: the image looked like one of another package manager when they were read", n_unknown - 1);
	return rc;
}

struct scan_content scan_modified_content(struct scan_modified *m)
{
	return (struct scan_content){ .watcher = { on_entry, on_bytes, on_end, on_finish, m }, .record = on_record, .ctx = m };
}
