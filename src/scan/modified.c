/*
 * modified.c: see modified.h. The child can't know which files packages own, as their lists may lie in other layers: it sends all sums of every file where packages put theirs, as it
 * can't know whose image it is, either, and what lists say as hashes of paths; the parent brings them together.
 */
#include "scan/modified.h"

#include "base/limits.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "malware/filesums.h"
#include "model/wire.h"
#include "scan/inventory.h"

#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX BH_WANTED_FILE_BYTES_MAX /* of dpkg one package, about 3 MiB; of rpm the whole database, of a desktop about 200 MiB */
#define FILES_MAX 4000000u
#define EXPECTED_MAX 20000000u
#define EXPECTED_BYTES (8u + 1u + BH_SUM_BYTES_MAX)
#define EXPECTED_PER_FRAME 20000u

enum record_kind { RECORD_DIGEST, RECORD_EXPECTED };

struct digest_seen {
	struct bh_slice path;
	uint32_t layer;
	uint8_t sums[BH_SUM_KINDS][BH_SUM_BYTES_MAX];
};

struct expected {
	uint64_t path_hash;
	struct malware_sum sum;
};

BH_VEC(digest_vec, struct digest_seen)
BH_VEC(expected_vec, struct expected)

struct scan_modified {
	const struct image_key *key;
	struct bh_report *report;
	/* the child's own: the file that streams by */
	struct bh_sum *sums[BH_SUM_KINDS];
	struct bh_buf list, frame;
	enum malware_list list_kind;
	bool is_cut;
	struct bh_slice path;
	uint8_t path_bytes[BH_PATH_BYTES_MAX];
	/* the parent's */
	struct digest_vec seen;
	struct expected_vec expected;
};

int scan_modified_new(const struct image_key *key, struct bh_report *report, struct scan_modified **ret, struct bh_err *err)
{
	struct scan_modified *m = calloc(1, sizeof(*m));
	if (!m)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	m->key = key;
	m->report = report;
	m->seen.max = FILES_MAX;
	m->expected.max = EXPECTED_MAX;
	bh_buf_init(&m->list, LIST_BYTES_MAX);
	bh_buf_init(&m->frame, BH_FRAME_BYTES_MAX);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < BH_SUM_KINDS; i++)
		rc = bh_sum_new((enum bh_sum_kind)i, &m->sums[i], err);
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
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		bh_sum_free(m->sums[i]);
	bh_buf_done(&m->list);
	bh_buf_done(&m->frame);
	digest_vec_done(&m->seen);
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
	if (e->type != IMAGE_ENTRY_FILE || (!m->list_kind && !is_of_packages(e->path)))
		return 0;
	memcpy(m->path_bytes, e->path.ptr, e->path.len);
	m->path = (struct bh_slice){ m->path_bytes, e->path.len };
	bh_buf_clear(&m->list);
	for (size_t i = 0; i < BH_SUM_KINDS; i++)
		bh_sum_reset(m->sums[i]);
	return 1;
}

static int on_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	(void)emit, (void)err;
	if (m->list_kind)
		m->is_cut |= !bh_buf_add(&m->list, run);
	for (size_t i = 0; !m->list_kind && i < BH_SUM_KINDS; i++)
		bh_sum_update(m->sums[i], run);
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

static int on_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	uint8_t sum[BH_SUM_BYTES_MAX];
	if (!whole)
		return 0; /* the layer's reader tells that it is damaged */
	if (m->is_cut)
		return emit->incomplete(emit->ctx, "malware", m->path, "too long a list to compare files with", err);
	if (m->list_kind)
		return send_list(m, emit, err);
	bh_buf_clear(&m->frame);
	for (size_t i = 0; i < BH_SUM_KINDS; i++) {
		if (!bh_sum_finish(m->sums[i], sum))
			return emit->incomplete(emit->ctx, "malware", m->path, "its checksum could not be computed, so it was not compared with its package's record", err);
		bh_buf_add(&m->frame, (struct bh_slice){ sum, sizeof(sum) });
	}
	return send(m, emit, RECORD_DIGEST, err);
}

/* ---- the parent's ---- */

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more files than can be compared with their packages' records");
}

static int take_digest(struct scan_modified *m, uint32_t layer, struct bh_slice path, struct bh_slice payload, struct bh_err *err)
{
	struct digest_seen s = { .layer = layer };
	if (payload.len != sizeof(s.sums))
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged digest of a file");
	memcpy(s.sums, payload.ptr, sizeof(s.sums));
	return bh_arena_copy(&m->report->arena, path, &s.path) && digest_vec_push(&m->seen, s) ? 0 : full(err);
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
	if (!visible)
		return 0;
	switch ((enum record_kind)kind) {
	case RECORD_DIGEST: return take_digest(ctx, layer, path, payload, err);
	case RECORD_EXPECTED: return take_expected(ctx, payload, err);
	}
	return bh_fail(err, BH_ECHILD, 0, "a child sent a record of unknown kind %u", kind);
}

static int compare(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;
	return (x->path_hash > y->path_hash) - (x->path_hash < y->path_hash);
}

enum record_state { RECORD_NONE, RECORD_SAME, RECORD_OTHER };

/* Several packages may have a record of a file (one replaces the other's): any of them will do. */
static enum record_state look_up(const struct scan_modified *m, struct bh_slice path, const struct digest_seen *s)
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
	enum record_state state = RECORD_NONE;
	for (; lo < m->expected.len && m->expected.ptr[lo].path_hash == hash; lo++) {
		if (memcmp(m->expected.ptr[lo].sum.bytes, s->sums[m->expected.ptr[lo].sum.kind], BH_SUM_BYTES_MAX) == 0)
			return RECORD_SAME;
		state = RECORD_OTHER;
	}
	return state;
}

/* Records name bin/ls where the merged /usr has usr/bin/ls. */
static bool is_modified(const struct scan_modified *m, const struct digest_seen *s)
{
	enum record_state state = look_up(m, s->path, s);
	if (state == RECORD_NONE && bh_slice_starts(s->path, BH_SLICE_LIT("usr/")))
		state = look_up(m, bh_slice_sub(s->path, 4, s->path.len), s);
	return state == RECORD_OTHER;
}

static int tell(struct scan_modified *m, const struct digest_seen *s, const struct bh_package *owner, struct bh_err *err)
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
	int rc = 0;
	if (m->expected.len > 1)
		qsort(m->expected.ptr, m->expected.len, sizeof(m->expected.ptr[0]), compare);
	for (size_t i = 0; rc == 0 && m->expected.len && i < m->seen.len; i++)
		if (is_modified(m, &m->seen.ptr[i]))
			rc = tell(m, &m->seen.ptr[i], inventory_owner(inv, m->seen.ptr[i].path), err);
	return rc;
}

struct scan_content scan_modified_content(struct scan_modified *m)
{
	return (struct scan_content){ .watcher = { on_entry, on_bytes, on_end, NULL, m }, .record = on_record, .ctx = m };
}
