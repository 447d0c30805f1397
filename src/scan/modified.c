/*
 * modified.c: see modified.h. The child can't know which files packages own, as their lists may lie in other layers: it sends the MD5 of every file where packages put theirs,
 * and what lists say as hashes of paths; the parent brings them together.
 */
#include "scan/modified.h"

#include "base/limits.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "malware/md5sums.h"
#include "model/wire.h"
#include "scan/inventory.h"

#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX (64u << 20)      /* one package's; the largest real ones have about 3 MiB */
#define FILES_MAX 4000000u
#define EXPECTED_MAX 20000000u
#define EXPECTED_BYTES (8u + MALWARE_MD5_BYTES)
#define EXPECTED_PER_FRAME 32768u

enum record_kind { RECORD_DIGEST, RECORD_EXPECTED };

struct digest_seen {
	struct bh_slice path;
	uint32_t layer;
	uint8_t md5[MALWARE_MD5_BYTES];
};

struct expected {
	uint64_t path_hash;
	uint8_t md5[MALWARE_MD5_BYTES];
};

BH_VEC(digest_vec, struct digest_seen)
BH_VEC(expected_vec, struct expected)

struct scan_modified {
	const struct image_key *key;
	struct bh_report *report;
	/* the child's own: the file that streams by */
	struct bh_md5 *md5;
	struct bh_buf list, frame;
	bool is_list, is_cut;
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
	int rc = bh_md5_new(&m->md5, err);
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
	bh_md5_free(m->md5);
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
	m->is_list = malware_is_md5sums(e->path);
	m->is_cut = false;
	if (e->type != IMAGE_ENTRY_FILE || (!m->is_list && !is_of_packages(e->path)))
		return 0;
	memcpy(m->path_bytes, e->path.ptr, e->path.len);
	m->path = (struct bh_slice){ m->path_bytes, e->path.len };
	bh_buf_clear(&m->list);
	bh_md5_reset(m->md5);
	return 1;
}

static int on_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	(void)emit, (void)err;
	if (m->is_list)
		m->is_cut |= !bh_buf_add(&m->list, run);
	else
		bh_md5_update(m->md5, run);
	return 0;
}

static int send(struct scan_modified *m, const struct image_emit *emit, enum record_kind kind, struct bh_err *err)
{
	return m->frame.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : emit->record(emit->ctx, m->path, (uint16_t)kind, bh_buf_slice(&m->frame), err);
}

static int send_list(struct scan_modified *m, const struct image_emit *emit, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bh_buf_slice(&m->list));
	uint8_t md5[MALWARE_MD5_BYTES];
	struct bh_slice path;
	size_t n = 0;
	int rc = 0;
	bh_buf_clear(&m->frame);
	while (rc == 0 && malware_md5sums_next(&r, &path, md5)) {
		bh_wire_put_u64(&m->frame, image_path_hash(m->key, path));
		bh_buf_add(&m->frame, (struct bh_slice){ md5, sizeof(md5) });
		if (++n < EXPECTED_PER_FRAME)
			continue;
		rc = send(m, emit, RECORD_EXPECTED, err);
		bh_buf_clear(&m->frame);
		n = 0;
	}
	return rc == 0 && n ? send(m, emit, RECORD_EXPECTED, err) : rc;
}

static int on_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_modified *m = ctx;
	uint8_t md5[MALWARE_MD5_BYTES];
	if (!whole)
		return 0; /* the layer's reader tells that it is damaged */
	if (m->is_cut)
		return emit->incomplete(emit->ctx, "malware", m->path, "too long a list to compare files with", err);
	if (m->is_list)
		return send_list(m, emit, err);
	if (!bh_md5_finish(m->md5, md5))
		return emit->incomplete(emit->ctx, "malware", m->path, "its MD5 could not be computed, so it was not compared with its package's record", err);
	bh_buf_clear(&m->frame);
	bh_buf_add(&m->frame, (struct bh_slice){ md5, sizeof(md5) });
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
	if (payload.len != sizeof(s.md5))
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged digest of a file");
	memcpy(s.md5, payload.ptr, sizeof(s.md5));
	return bh_arena_copy(&m->report->arena, path, &s.path) && digest_vec_push(&m->seen, s) ? 0 : full(err);
}

static int take_expected(struct scan_modified *m, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice md5;
	struct expected x;
	if (payload.len % EXPECTED_BYTES)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged list of digests");
	while (bh_take_u64le(&r, &x.path_hash) && bh_take(&r, sizeof(x.md5), &md5)) {
		memcpy(x.md5, md5.ptr, sizeof(x.md5));
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
static enum record_state look_up(const struct scan_modified *m, struct bh_slice path, const uint8_t md5[MALWARE_MD5_BYTES])
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
		if (memcmp(m->expected.ptr[lo].md5, md5, MALWARE_MD5_BYTES) == 0)
			return RECORD_SAME;
		state = RECORD_OTHER;
	}
	return state;
}

/* Records name bin/ls where the merged /usr has usr/bin/ls. */
static bool is_modified(const struct scan_modified *m, const struct digest_seen *s)
{
	enum record_state state = look_up(m, s->path, s->md5);
	if (state == RECORD_NONE && bh_slice_starts(s->path, BH_SLICE_LIT("usr/")))
		state = look_up(m, bh_slice_sub(s->path, 4, s->path.len), s->md5);
	return state == RECORD_OTHER;
}

static int tell(struct scan_modified *m, const struct digest_seen *s, const struct bh_package *owner, struct bh_err *err)
{
	struct bh_finding f = {
		.class = BH_CLASS_MALWARE, .state = BH_STATE_AFFECTED, .severity = BH_SEV_HIGH, .id = BH_SLICE_LIT("modified-package-file"), .path = s->path, .layer = s->layer,
		.title = BH_SLICE_LIT("File of a package was changed"),
		.fix = BH_SLICE_LIT("Find out what changed it; install the package anew. What has to differ belongs into a package of one's own, or is diverted (dpkg-divert)."),
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
